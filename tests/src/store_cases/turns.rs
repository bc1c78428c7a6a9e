//! Turns: what a commit writes, when it is refused, and what it leaves alone.

use super::*;
use switchboard::store::{Parked, StoreError};

pub async fn a_turn_commits_once_and_in_order(store: Shared) {
    let lane = accept(&store, message(phone("1"), "one")).await.lane;
    accept(&store, message(phone("1"), "two")).await;
    let fill = |commit: &mut TurnCommit| {
        let trace = trace(&commit.turn, NOW);
        commit.trace = Some(trace);
        let item = item(commit, ContactId(1), NOW);
        commit.outbox.push(item);
    };
    let first = draft(&store, &lane, fill).await;
    let mut early = first.clone();
    early.turn.seq = 2;
    assert!(!store.commit(early, NOW).await.unwrap(), "it is not the lane's next");
    assert!(store.commit(first.clone(), NOW).await.unwrap());
    assert!(!store.commit(first, NOW).await.unwrap(), "it has committed before");
    assert_eq!(store.outbox_of(ContactId(1), 9).await.unwrap().len(), 1);
    assert_eq!(store.traces(&lane, None, 9).await.unwrap().len(), 1);
    turn(&store, &lane, fill).await;

    let seqs = async |before, limit| -> Vec<u64> {
        let traces = store.traces(&lane, before, limit).await.unwrap();
        traces.iter().map(|trace| trace.turn.seq).collect()
    };
    assert_eq!(seqs(None, 9).await, [2, 1]);
    assert_eq!(seqs(None, 1).await, [2]);
    assert_eq!(seqs(Some(2), 9).await, [1]);
    assert_eq!(
        store.traces(&lane, Some(2), 9).await.unwrap()[0],
        trace(&"c1-1".parse().unwrap(), NOW)
    );
    assert!(!store.commit(TurnCommit::new("c9-1".parse().unwrap()), NOW).await.unwrap());
    check_invariants(&store).await;
}

pub async fn a_contact_changed_meanwhile_is_a_conflict(store: Shared) {
    let lane = accept(&store, message(phone("1"), "one")).await.lane;
    accept(&store, message(phone("1"), "two")).await;
    let mut first = None;
    turn(&store, &lane, |commit| {
        let contact = commit.contact.as_mut().unwrap();
        contact.name = Some("Ann".into());
        first = Some(contact.clone());
    })
    .await;
    let stored = store.contact(ContactId(1)).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.name.as_deref()), (1, Some("Ann")));

    let stale = draft(&store, &lane, |commit| {
        commit.contact = first;
        let item = item(commit, ContactId(1), NOW);
        commit.outbox.push(item);
    })
    .await;
    let refused = store.commit(stale, NOW).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
    assert_eq!(store.outbox_of(ContactId(1), 9).await.unwrap(), [], "nothing of it is written");
    assert_eq!(turn(&store, &lane, |_| {}).await.seq, 2, "and its event is still there");
    let unchanged = store.contact(ContactId(1)).await.unwrap().unwrap();
    assert_eq!(unchanged, stored, "a turn that changed nothing writes nothing");
}

/// Many commits at once, every other one in conflict: those that fail leave no
/// trace in the group they were merged with.
pub async fn a_refused_commit_harms_no_other(store: Shared) {
    let mut commits = Vec::new();
    for n in 0..60 {
        let lane = accept(&store, message(phone(&n.to_string()), &format!("hi {n}"))).await.lane;
        let commit = draft(&store, &lane, |commit| {
            let contact = commit.contact.as_mut().unwrap();
            contact.apply(&Effect::Tag { name: "greeted".into(), expires: None }, "faq", NOW);
            // The last thing that is written is what fails.
            let step = if n % 2 == 0 { "faq".into() } else { "f".repeat(1_000) };
            let mut timer = timer(&lane, "n", NOW);
            timer.key.step = step;
            commit.timers.push(TimerWrite::Set(timer));
        })
        .await;
        let store = store.clone();
        commits.push(tokio::spawn(async move { store.commit(commit, NOW).await }));
    }
    for (n, commit) in commits.into_iter().enumerate() {
        match commit.await.unwrap() {
            Ok(committed) => assert!(committed && n % 2 == 0),
            Err(error) => assert!(matches!(error, StoreError::TooLarge { .. }) && n % 2 == 1),
        }
    }
    let greeted = Segment { all: vec!["greeted".into()], ..Segment::default() };
    assert_eq!(store.audience(&greeted, None, 99, NOW).await.unwrap().members.len(), 30);
    assert_eq!(store.depths().await.unwrap().lanes, 30);
    assert_eq!(store.depths().await.unwrap().timers, 30);
    check_invariants(&store).await;
}

pub async fn failed_attempts_are_counted(store: Shared) {
    let id = accept(&store, message(phone("1"), "poison")).await;
    let next = accept(&store, message(phone("1"), "next")).await;
    assert_eq!(store.count_attempt(&id).await.unwrap(), 1);
    assert_eq!(store.count_attempt(&id).await.unwrap(), 2);
    assert_eq!(store.count_attempt(&next).await.unwrap(), 0, "its turn has not come");
    let event = store.next_in_lane(&id.lane).await.unwrap().unwrap().event;
    assert_eq!(event.attempts, 2);

    let mut commit = TurnCommit::new(id.clone());
    commit.parked = Some("it crashed twice".into());
    assert!(store.commit(commit, NOW).await.unwrap());
    let mut parked = store.parked(9).await.unwrap();
    let Parked { event: put_aside, reason } = parked.remove(0);
    assert!(parked.is_empty() && reason == "it crashed twice");
    assert_eq!((put_aside.id, &put_aside.kind), (id.clone(), &event.kind));
    assert_eq!(store.count_attempt(&id).await.unwrap(), 0, "it is gone");
    let event = store.next_in_lane(&next.lane).await.unwrap().unwrap().event;
    assert_eq!((event.id, event.attempts), (next, 0));
}

pub fn kv(step: &str, scope: KvScope, key: &str, value: Option<Vec<u8>>) -> KvWrite {
    KvWrite { step: step.into(), scope, key: key.into(), value, expires: None }
}

async fn write(store: &Shared, lane: &Lane, writes: Vec<KvWrite>) {
    let dedup = format!("{lane} {writes:?}");
    let happening = match lane {
        Lane::Contact(id) => message(phone(&id.to_string()), &dedup),
        Lane::Channel(channel) => Happening { channel: channel.clone(), ..account(&dedup) },
    };
    let id = accept(store, happening).await;
    assert_eq!(id.lane, *lane);
    turn(store, lane, |commit| commit.kv = writes).await;
}

pub async fn key_values_have_their_scope(store: Shared) {
    use KvScope::{Contact, Plugin};
    let lanes: Vec<Lane> = ["c1", "c2", "@main"].map(|lane| lane.parse().unwrap()).into();
    for (n, lane) in lanes.iter().enumerate() {
        let own = kv("faq", Contact, "k", Some(vec![n as u8]));
        let all = kv("faq", Plugin, "k", Some(vec![10 + n as u8]));
        write(&store, lane, vec![own, all]).await;
    }
    let get = async |step, scope, lane| store.kv_get(step, scope, lane, "k", NOW).await.unwrap();
    for (n, lane) in lanes.iter().enumerate() {
        assert_eq!(get("faq", Contact, lane).await, Some(vec![n as u8]));
        assert_eq!(get("faq", Plugin, lane).await, Some(vec![12]));
        assert_eq!(get("fa", Contact, lane).await, None, "another step's");
    }
    write(&store, &lanes[0], vec![kv("faq", Contact, "k", None), kv("faq", Contact, "no", None)])
        .await;
    assert_eq!(get("faq", Contact, &lanes[0]).await, None);
    assert_eq!(get("faq", Contact, &lanes[1]).await, Some(vec![1]));

    let names = ["", "a", "aa", "ab", "b", "a\u{0}b", "é"];
    let writes = names.map(|name| kv("list", Plugin, name, Some(vec![1]))).into();
    write(&store, &lanes[1], writes).await;
    let keys = async |prefix: &str, limit| {
        store.kv_keys("list", Plugin, &lanes[0], prefix, limit, NOW).await.unwrap()
    };
    assert_eq!(keys("", 9).await, ["", "a", "a\u{0}b", "aa", "ab", "b", "é"]);
    assert_eq!(keys("a", 9).await, ["a", "a\u{0}b", "aa", "ab"]);
    assert_eq!(keys("a", 2).await, ["a", "a\u{0}b"]);
    assert_eq!(keys("c", 9).await, Vec::<String>::new());
}

pub async fn key_values_of_any_length(store: Shared) {
    let lane: Lane = "c1".parse().unwrap();
    let lengths = [0, 1, 3_980, 3_990, 3_991, 3_992, 4_000, 8_000, 50_000, 100_000, 5_000, 7];
    for (salt, length) in lengths.into_iter().enumerate() {
        // Growing and shrinking in one place, and kept in a place of its own.
        let value = bytes(length, salt);
        let here = kv("faq", KvScope::Plugin, "here", Some(value.clone()));
        let there = kv("faq", KvScope::Plugin, &format!("there {length}"), Some(value.clone()));
        write(&store, &lane, vec![here, there]).await;
        let read = store.kv_get("faq", KvScope::Plugin, &lane, "here", NOW).await.unwrap();
        assert!(read == Some(value), "{length} bytes");
    }
    for (salt, length) in lengths.into_iter().enumerate() {
        let key = format!("there {length}");
        let read = store.kv_get("faq", KvScope::Plugin, &lane, &key, NOW).await.unwrap();
        assert!(read == Some(bytes(length, salt)), "{length} bytes");
    }
    let too_long = kv("faq", KvScope::Plugin, &"k".repeat(500), Some(vec![]));
    accept(&store, message(phone("c1"), "too long")).await;
    let commit = draft(&store, &lane, |commit| commit.kv = vec![too_long]).await;
    let refused = store.commit(commit, NOW).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge { .. }), "{refused}");
}

pub async fn key_values_expire(store: Shared) {
    let lane: Lane = "c1".parse().unwrap();
    let expiring = |key: &str, expires| KvWrite {
        expires,
        ..kv("faq", KvScope::Contact, key, Some(bytes(9_000, 1)))
    };
    let soon = Some(NOW + 10);
    let writes = ["gone", "kept", "later", "deleted"].map(|key| expiring(key, soon)).into();
    write(&store, &lane, writes).await;
    let again = vec![
        expiring("kept", None),
        expiring("later", Some(NOW + 100)),
        kv("faq", KvScope::Contact, "deleted", None),
    ];
    write(&store, &lane, again).await;
    let keys = async |now| {
        let keys = store.kv_keys("faq", KvScope::Contact, &lane, "", 9, now).await.unwrap();
        for key in &keys {
            let value = store.kv_get("faq", KvScope::Contact, &lane, key, now).await.unwrap();
            assert!(value == Some(bytes(9_000, 1)));
        }
        keys
    };
    assert_eq!(keys(NOW + 9).await, ["gone", "kept", "later"]);
    assert_eq!(keys(NOW + 10).await, ["kept", "later"], "at once, without a sweep");
    let gone = store.kv_get("faq", KvScope::Contact, &lane, "gone", NOW + 10).await.unwrap();
    assert_eq!(gone, None);
    assert_eq!(store.sweep(NOW + 9, 1_000).await.unwrap(), 0);
    assert_eq!(store.sweep(NOW + 10, 1_000).await.unwrap(), 1);
    assert_eq!(store.sweep(NOW + 10, 1_000).await.unwrap(), 0);
    assert_eq!(keys(NOW).await, ["kept", "later"], "what was set anew stays");
}

/// A value in several parts is read as it was written, whoever writes meanwhile.
pub async fn long_values_are_never_mixed(store: Shared) {
    let lane: Lane = "c1".parse().unwrap();
    let reading = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let reader = std::thread::spawn({
        let (store, lane, reading) = (store.clone(), lane.clone(), reading.clone());
        let runtime = tokio::runtime::Handle::current();
        move || {
            let mut found = 0;
            while reading.load(std::sync::atomic::Ordering::SeqCst) {
                let read = store.kv_get("faq", KvScope::Plugin, &lane, "k", NOW);
                if let Some(value) = runtime.block_on(read).unwrap() {
                    assert!(value.iter().all(|byte| *byte == value[0]), "parts of two values");
                    assert_eq!(value.len(), 20_000 + usize::from(value[0]) * 1_000);
                    found += 1;
                }
            }
            found
        }
    });
    for salt in 0..40u8 {
        let value = vec![salt; 20_000 + usize::from(salt) * 1_000];
        write(&store, &lane, vec![kv("faq", KvScope::Plugin, "k", Some(value))]).await;
    }
    reading.store(false, std::sync::atomic::Ordering::SeqCst);
    assert!(reader.join().unwrap() > 0);
}
