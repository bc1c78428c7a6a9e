//! Timers and broadcasts.

use super::*;
use switchboard::store::Audience;

async fn set(store: &Shared, lane: &Lane, writes: Vec<TimerWrite>) {
    turn(store, lane, |commit| commit.timers = writes).await;
}

pub async fn timers_fire_once(store: Shared) {
    let lane = accept(&store, message(phone("1"), "one")).await.lane;
    accept(&store, message(phone("1"), "two")).await;
    let channel = accept(&store, account("quality")).await.lane;
    let set_at = |lane: &Lane, name: &str, due| TimerWrite::Set(timer(lane, name, due));
    let first = vec![
        set_at(&lane, "a", NOW + 30),
        set_at(&lane, "b", NOW + 10),
        set_at(&lane, "gone", NOW + 1),
        TimerWrite::Cancel(timer(&lane, "gone", 0).key),
        TimerWrite::Cancel(timer(&lane, "never", 0).key),
    ];
    set(&store, &lane, first).await;
    set(&store, &channel, vec![set_at(&channel, "a", NOW + 20)]).await;
    assert_eq!(store.next_timer().await.unwrap(), Some(NOW + 10));
    assert_eq!(store.depths().await.unwrap().timers, 3);
    assert_eq!(store.due_timers(NOW + 9, 9).await.unwrap(), []);
    let all =
        [timer(&lane, "b", NOW + 10), timer(&channel, "a", NOW + 20), timer(&lane, "a", NOW + 30)];
    assert_eq!(store.due_timers(NOW + 30, 9).await.unwrap(), all, "the earliest first");
    assert_eq!(store.due_timers(NOW + 30, 2).await.unwrap(), all[..2]);

    // Set anew and cancelled since they were read: both are passed over.
    let anew = vec![set_at(&lane, "a", NOW + 40), TimerWrite::Cancel(all[0].key.clone())];
    set(&store, &lane, anew).await;
    assert_eq!(store.depths().await.unwrap().timers, 2);
    store.fire(all.to_vec(), NOW + 30).await.unwrap();
    store.fire(all.to_vec(), NOW + 31).await.unwrap();
    assert_eq!(store.ready_lanes(None, 9).await.unwrap(), std::slice::from_ref(&channel));
    assert_eq!(store.due_timers(NOW + 99, 9).await.unwrap(), [timer(&lane, "a", NOW + 40)]);

    let event = store.next_in_lane(&channel).await.unwrap().unwrap().event;
    let kind = EventKind::TimerFired {
        step: "nudge".into(),
        name: "a".into(),
        payload: all[1].payload.clone(),
        due: NOW + 20,
    };
    assert_eq!((event.kind, event.accepted_at, event.channel), (kind, NOW + 30, main_channel()));
    turn(&store, &channel, |_| {}).await;
    assert!(store.next_in_lane(&channel).await.unwrap().is_none(), "it fired once");
    check_invariants(&store).await;
}

fn sale(id: &str) -> Broadcast {
    Broadcast {
        channel: main_channel(),
        step: "promo".into(),
        id: id.into(),
        to: Segment { all: vec!["vip".into()], ..Segment::default() },
        payload: "spring".into(),
        started_at: NOW,
        cursor: None,
        reached: 0,
        done: false,
        going: Going::On,
        terms: Terms::default(),
        next_at: 0,
    }
}

pub async fn broadcasts_reach_each_member_once(store: Shared) {
    let mut members = Vec::new();
    for n in 1..=5 {
        members.push(contact(&store, &n.to_string()).await);
    }
    for id in ["sale", "other", "sale"] {
        accept(&store, account(&format!("{id} {}", store.open_broadcasts().await.unwrap().len())))
            .await;
        let again = Broadcast { payload: format!("{id} again"), ..sale(id) };
        let begun = store.open_broadcasts().await.unwrap().len();
        let broadcast = if begun == 2 { again } else { sale(id) };
        turn(&store, &"@main".parse().unwrap(), |commit| commit.broadcasts = vec![broadcast]).await;
    }
    assert_eq!(store.open_broadcasts().await.unwrap(), [sale("other"), sale("sale")]);

    let page = |range: std::ops::Range<usize>, next: Option<usize>| Audience {
        members: members[range].to_vec(),
        next: next.map(|n| members[n]),
    };
    let now = async || {
        let open = store.open_broadcasts().await.unwrap();
        open.into_iter().find(|broadcast| broadcast.id == "sale")
    };
    let read = now().await.unwrap();
    store.fan_out(&read, page(0..2, Some(1)), NOW).await.unwrap();
    store.fan_out(&read, page(0..2, Some(1)), NOW).await.unwrap();
    let second = now().await.unwrap();
    assert_eq!(
        (second.cursor, second.reached),
        (Some(members[1]), 2),
        "the second changed nothing"
    );
    // A page may be empty and still move on.
    store.fan_out(&second, page(0..0, Some(3)), NOW).await.unwrap();
    let third = now().await.unwrap();
    assert_eq!((third.cursor, third.reached), (Some(members[3]), 2));
    store.fan_out(&third, page(4..5, None), NOW).await.unwrap();
    assert_eq!(now().await, None);
    store.fan_out(&third, page(4..5, None), NOW).await.unwrap();
    assert_eq!(store.open_broadcasts().await.unwrap(), [sale("other")]);

    let reached = [members[0], members[1], members[4]].map(Lane::Contact);
    assert_eq!(store.ready_lanes(None, 9).await.unwrap(), reached);
    for lane in &reached {
        let event = store.next_in_lane(lane).await.unwrap().unwrap().event;
        let (step, id, payload) = ("promo".into(), "sale".into(), "spring".into());
        assert_eq!(event.kind, EventKind::Broadcast { step, id, payload });
        turn(&store, lane, |_| {}).await;
        assert!(store.next_in_lane(lane).await.unwrap().is_none());
    }
    // For ever: one that is done does not start again.
    accept(&store, account("once more")).await;
    turn(&store, &"@main".parse().unwrap(), |commit| commit.broadcasts = vec![sale("sale")]).await;
    assert_eq!(store.open_broadcasts().await.unwrap(), [sale("other")]);
    check_invariants(&store).await;
}
