//! How much a step's key-values hold, and how the last process ended.

use super::*;
use switchboard::store::KvUsage;

async fn write(store: &Shared, lane: &Lane, writes: Vec<KvWrite>) {
    let text = format!("{lane} {writes:?}");
    accept(store, message(phone(&lane.to_string()), &text)).await;
    turn(store, lane, |commit| commit.kv = writes).await;
}

fn usage(bytes: usize, keys: u64) -> KvUsage {
    KvUsage { bytes: bytes as u64, keys }
}

/// The count of a step is what its keys and values add up to, where all of
/// its lanes are known.
pub async fn check_usage(store: &Shared, step: &str, lanes: &[Lane]) {
    let mut counted = KvUsage::default();
    let mut add = async |scope, lane: &Lane| {
        // At the beginning of time nothing has expired, swept or not.
        for key in store.kv_keys(step, scope, lane, "", usize::MAX, 0).await.unwrap() {
            let value = store.kv_get(step, scope, lane, &key, 0).await.unwrap().unwrap();
            counted.bytes += (key.len() + value.len()) as u64;
            counted.keys += 1;
        }
    };
    for lane in lanes {
        add(KvScope::Contact, lane).await;
    }
    add(KvScope::Plugin, &lanes[0]).await;
    assert_eq!(store.kv_usage(step).await.unwrap(), counted, "what `{step}` holds");
}

pub async fn key_values_are_counted_by_step(store: Shared) {
    use KvScope::{Contact, Plugin};
    let lanes: Vec<Lane> = ["c1", "c2"].map(|lane| lane.parse().unwrap()).into();
    let held = async |step| store.kv_usage(step).await.unwrap();
    assert_eq!(held("faq").await, usage(0, 0));
    let value = |length| Some(bytes(length, 1));
    for lane in &lanes {
        write(&store, lane, vec![kv("faq", Contact, "own", value(9_000))]).await;
    }
    write(&store, &lanes[0], vec![kv("faq", Plugin, "all", value(3_991))]).await;
    write(&store, &lanes[0], vec![kv("fa", Plugin, "é", value(1))]).await;
    assert_eq!(held("faq").await, usage(2 * 9_003 + 3_994, 3));
    assert_eq!(held("fa").await, usage(3, 1));
    // Written over, in one turn too; deleted; deleted where nothing was.
    let again = vec![
        kv("faq", Contact, "own", value(100)),
        kv("faq", Contact, "own", value(20_000)),
        kv("faq", Contact, "none", None),
        kv("faq", Plugin, "all", None),
        kv("faq", Contact, "short-lived", value(5)),
        kv("faq", Contact, "short-lived", None),
    ];
    write(&store, &lanes[0], again).await;
    assert_eq!(held("faq").await, usage(20_003 + 9_003, 2));
    check_usage(&store, "faq", &lanes).await;

    let expiring = KvWrite { expires: Some(NOW + 10), ..kv("faq", Plugin, "soon", value(7_000)) };
    write(&store, &lanes[1], vec![expiring]).await;
    assert_eq!(held("faq").await, usage(20_003 + 9_003 + 7_004, 3));
    assert_eq!(store.sweep(NOW + 10, 1_000).await.unwrap(), 1);
    assert_eq!(held("faq").await, usage(20_003 + 9_003, 2), "what was swept counts no more");
    assert_eq!(held("fa").await, usage(3, 1));
}

/// A refused commit changes no count.
pub async fn a_refused_commit_counts_nothing(store: Shared) {
    let lane: Lane = "c1".parse().unwrap();
    write(&store, &lane, vec![kv("faq", KvScope::Plugin, "k", Some(bytes(10, 1)))]).await;
    accept(&store, message(phone("c1"), "refused")).await;
    let commit = draft(&store, &lane, |commit| {
        commit.kv.push(kv("faq", KvScope::Plugin, "more", Some(bytes(500, 1))));
        commit.kv.push(kv("faq", KvScope::Plugin, &"k".repeat(500), Some(Vec::new())));
    })
    .await;
    store.commit(commit, NOW).await.unwrap_err();
    assert_eq!(store.kv_usage("faq").await.unwrap(), usage(11, 1));
}

pub async fn timers_are_counted_by_lane_and_step(store: Shared) {
    let first = accept(&store, message(phone("1"), "one")).await.lane;
    let second = accept(&store, message(phone("2"), "two")).await.lane;
    let set = |lane: &Lane, name: &str| TimerWrite::Set(timer(lane, name, NOW + 10));
    let (a, b) = (set(&first, "a"), set(&first, "b"));
    turn(&store, &first, |commit| commit.timers = vec![a.clone(), b, a]).await;
    let other = set(&second, "a");
    turn(&store, &second, |commit| commit.timers = vec![other]).await;
    let count = async |lane, step, limit| store.count_timers(lane, step, limit).await.unwrap();
    assert_eq!(count(&first, "nudge", 9).await, 2);
    assert_eq!(count(&first, "nudge", 1).await, 1);
    assert_eq!(count(&first, "nudg", 9).await, 0);
    assert_eq!(count(&second, "nudge", 9).await, 1);
    let due = store.due_timers(NOW + 10, 9).await.unwrap();
    store.fire(due, NOW + 10).await.unwrap();
    assert_eq!(count(&first, "nudge", 9).await, 0);
}

pub async fn the_end_of_a_process_is_known(store: Shared) {
    assert!(!store.begin_run().await.unwrap(), "of a new store nothing is known");
    assert!(!store.begin_run().await.unwrap(), "the one before did not end");
    store.end_run().await.unwrap();
    assert!(store.begin_run().await.unwrap());
    assert!(!store.begin_run().await.unwrap());
}
