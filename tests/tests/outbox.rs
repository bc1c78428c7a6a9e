//! The sender against a stand-in for the Graph API: what leaves, when, and what is recorded.

#[path = "outbox/account.rs"]
mod account;
#[path = "outbox/let_go.rs"]
mod let_go;
#[path = "outbox/pace.rs"]
mod pace;
#[path = "outbox/returned.rs"]
mod returned;
#[path = "outbox/rules.rs"]
mod rules;
#[path = "outbox/stage.rs"]
mod stage;
#[path = "outbox/stalls.rs"]
mod stalls;
#[path = "fakes/store.rs"]
mod store;

use stage::*;
use switchboard::{
    clock::Clock,
    model::*,
    store::{Store, StoreError},
};
use tokio::net::TcpListener;

#[tokio::test]
async fn messages_of_a_contact_leave_in_order() {
    let host = host(80).await;
    let ids: Vec<_> = (0..5).flat_map(|n| [host.text(1, n), host.text(2, n)]).collect();
    host.until("all are sent", |host| ids.iter().all(|id| host.sent(id))).await;
    let order = host.graph.ids();
    for contact in ["c1-", "c2-"] {
        let of: Vec<_> = order.iter().filter(|id| id.starts_with(contact)).cloned().collect();
        assert!(of.is_sorted() && of.len() == 5, "{of:?}");
    }
    assert_eq!(host.store.item(&ids[0]).attempts, 1);
    assert_eq!(host.outbox.metrics.sent.get(), 10);
    host.finish().await;
}

#[tokio::test]
async fn a_throttled_message_is_sent_again_and_the_next_waits_behind_it() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 130_429), Do::Refuse(500, 131_000)]);
    let (first, second) = (host.text(1, 0), host.text(1, 1));
    host.until("the first is turned away", |host| host.store.item(&first).reason.is_some()).await;
    host.settle().await;
    assert_eq!(host.graph.count(), 1);
    let took = host.pass_until("both are sent", 250, |host| host.sent(&second)).await;
    assert!(took >= 3000, "{took}");
    assert_eq!(host.graph.ids(), ["c1-1-0", "c1-1-0", "c1-1-0", "c1-1-1"]);
    assert_eq!(host.store.item(&first).reason, None);
    host.finish().await;
}

#[tokio::test]
async fn too_much_to_one_contact_holds_up_that_contact_alone() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 131_056), Do::Refuse(400, 131_056)]);
    let first = host.text(1, 0);
    host.until("it is turned away", |host| host.store.item(&first).reason.is_some()).await;
    host.pass_until("it is turned away again", 250, |host| host.graph.count() == 2).await;
    let other = host.text(2, 0);
    host.until("the other is sent", |host| host.sent(&other)).await;
    let took = host.pass_until("it is sent", 250, |host| host.sent(&first)).await;
    assert!(took >= 3500, "{took}");
    host.finish().await;
}

#[tokio::test]
async fn our_own_pair_limit_comes_first() {
    let host = host(1000).await;
    let ids: Vec<_> = (0..47).map(|n| host.text(1, n)).collect();
    host.until("the burst is sent", |host| host.sent(&ids[44])).await;
    host.settle().await;
    assert_eq!(host.graph.count(), 45);
    assert_eq!(host.store.item(&ids[45]).attempts, 0);
    let took = host.pass_until("the rest is sent", 500, |host| host.sent(&ids[46])).await;
    assert!(took >= 12_000, "{took}");
    host.finish().await;
}

#[tokio::test]
async fn no_second_sees_more_than_the_channels_rate() {
    let host = host(5).await;
    let ids: Vec<_> = (1..=23).map(|contact| host.text(contact, 0)).collect();
    host.pass_until("all are sent", 130, |host| ids.iter().all(|id| host.sent(id))).await;
    let times = host.graph.times();
    for (first, start) in times.iter().enumerate() {
        let within = times[first..].iter().take_while(|at| **at < start + 1000).count();
        assert!(within <= 5, "{times:?}");
    }
    // What waits for room is not written.
    assert!(ids.iter().all(|id| host.store.item(id).attempts == 1));
    assert_eq!(host.store.kept().records.len(), 23);
    host.finish().await;
}

#[tokio::test]
async fn what_may_have_been_sent_waits_for_its_grace() {
    for uncertain in [Do::Hang, Do::Mumble] {
        let host = host(80).await;
        host.graph.then(&[uncertain]);
        let (first, second) = (host.text(1, 0), host.text(1, 1));
        host.until("its fate is unknown", |host| host.store.kept().records.len() == 1).await;
        let record = host.store.kept().records[0].delivery.clone();
        assert!(
            matches!(record, Delivery::Unknown { until, .. } if until == START + GRACE),
            "{record:?}"
        );
        host.clock.advance(GRACE - 1);
        host.settle().await;
        assert_eq!(host.graph.count(), 1);
        host.clock.advance(1);
        host.until("both are sent", |host| host.sent(&second)).await;
        assert_eq!(host.graph.ids(), ["c1-1-0", "c1-1-0", "c1-1-1"]);
        assert!(host.sent(&first));
        host.finish().await;
    }
}

#[tokio::test]
async fn a_receipt_settles_what_may_have_been_sent() {
    let host = host(80).await;
    host.graph.then(&[Do::Hang]);
    let (first, second) = (host.text(1, 0), host.text(1, 1));
    host.until("its fate is unknown", |host| host.store.kept().records.len() == 1).await;
    let now = host.clock.now();
    let receive =
        |item: &mut OutboxItem| item.receive("wamid.9", ReceiptState::Delivered, None, now);
    receive(host.store.kept().items.get_mut(&first).unwrap());
    host.until("the next is sent", |host| host.sent(&second)).await;
    host.clock.advance(10 * GRACE);
    host.settle().await;
    assert_eq!(host.graph.ids(), ["c1-1-0", "c1-1-1"]);
    host.finish().await;
}

#[tokio::test]
async fn a_message_of_unknown_fate_is_not_sent_for_ever() {
    let host = host(80).await;
    host.graph.then(&[Do::Mumble; 10]);
    let id = host.text(1, 0);
    host.pass_until("it is given up", 5000, |host| host.state(&id) == SendState::Failed).await;
    assert_eq!(host.graph.count(), 6);
    assert!(host.store.item(&id).reason.unwrap().contains("may have been sent"));
    host.finish().await;
}

#[tokio::test]
async fn an_attempt_that_a_crash_cut_off_is_made_again_after_its_time() {
    let host = host(80).await;
    let id = host.text(1, 0);
    {
        let mut kept = host.store.kept();
        let item = kept.items.get_mut(&id).unwrap();
        item.begin(&Attempt::new(id.clone(), START - 1, START + GRACE + 5));
    }
    host.settle().await;
    host.clock.advance(GRACE + 4);
    host.settle().await;
    assert_eq!(host.graph.count(), 0);
    host.clock.advance(1);
    host.until("it is sent", |host| host.sent(&id)).await;
    assert_eq!(host.store.item(&id).attempts, 2);
    host.finish().await;
}

#[tokio::test]
async fn what_was_cut_off_long_ago_waits_for_what_nobody_heard_meanwhile() {
    let host = host(80).await;
    let id = host.text(1, 0);
    {
        let mut kept = host.store.kept();
        let item = kept.items.get_mut(&id).unwrap();
        item.begin(&Attempt::new(id.clone(), START - 900_000, START - 800_000));
    }
    host.settle().await;
    host.clock.advance(GRACE - 1);
    host.settle().await;
    assert_eq!(host.graph.count(), 0);
    host.clock.advance(1);
    host.until("it is sent", |host| host.sent(&id)).await;
    host.finish().await;
}

#[tokio::test]
async fn what_may_have_been_sent_waits_for_receipts_that_were_not_read_yet() {
    let host = host(80).await;
    let ids = [host.text(1, 0), host.text(2, 0)];
    {
        let mut kept = host.store.kept();
        for id in &ids {
            let item = kept.items.get_mut(id).unwrap();
            item.begin(&Attempt::new(id.clone(), START, START + GRACE));
        }
        kept.behind.insert(ContactId(1));
    }
    host.settle().await;
    host.clock.advance(GRACE);
    host.until("the other is sent", |host| host.sent(&ids[1])).await;
    host.clock.advance(100_000);
    host.settle().await;
    assert_eq!(host.graph.ids(), ["c2-1-0"]);
    // It was not among them.
    host.store.kept().behind.clear();
    host.clock.advance(500);
    host.until("it is sent", |host| host.sent(&ids[0])).await;
    host.finish().await;
}

#[tokio::test]
async fn a_final_no_is_recorded_and_the_next_goes_on() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 131_047)]);
    let (first, second) = (host.text(1, 0), host.text(1, 1));
    host.until("the next is sent", |host| host.sent(&second)).await;
    assert_eq!(host.state(&first), SendState::Failed);
    assert!(host.store.item(&first).reason.unwrap().contains("only a template"));
    assert_eq!(host.graph.count(), 2);
    host.finish().await;
}

#[tokio::test]
async fn a_stopped_contact_learns_of_it_in_its_own_lane() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 131_050)]);
    let id = host.put(1, 0, sale());
    host.until("it failed", |host| host.state(&id) == SendState::Failed).await;
    let told = host.store.kept().accepted[0].clone();
    assert_eq!(told.dedup, "optout:c1-1-0");
    assert_eq!(told.sender, Some(Sender::of(ContactId(1))), "by itself, not by an address");
    let EventKind::Receipt(receipt) = told.kind else { panic!() };
    assert_eq!((receipt.send, receipt.state), (Some(id), ReceiptState::Failed));
    assert_eq!(receipt.error.unwrap().0, 131_050);
    host.finish().await;
}

#[tokio::test]
async fn an_expired_token_pauses_the_channel_until_it_works_again() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(401, 190), Do::Refuse(401, 190)]);
    let first = host.text(1, 0);
    host.until("the channel is paused", |host| !host.outbox.status().is_empty()).await;
    let paused = host.outbox.status().remove(0);
    assert_eq!((paused.channel, paused.since), (channel(), START));
    assert!(paused.reason.contains("token has expired"), "{}", paused.reason);
    let others: Vec<_> = (2..=9).map(|contact| host.text(contact, 0)).collect();
    host.clock.advance(59_000);
    host.settle().await;
    assert_eq!(host.graph.count(), 1);
    // One message tries; it is too early.
    host.pass_until("it is tried", 1000, |host| host.graph.count() == 2).await;
    host.settle().await;
    assert_eq!((host.graph.count(), host.outbox.status()[0].since), (2, START));
    // The next try gets through, and the others follow.
    let all = |host: &Host| host.sent(&first) && others.iter().all(|id| host.sent(id));
    let took = host.pass_until("all are sent", 1000, all).await;
    assert!(took >= 59_000, "{took}");
    assert!(host.outbox.status().is_empty());
    assert_eq!(host.outbox.metrics.paused.get(), 0);
    host.finish().await;
}

#[tokio::test]
async fn an_unreachable_provider_is_tried_until_it_is_back() {
    let mut host = host(80).await;
    let server = host.server.take().unwrap();
    server.abort();
    let _ = server.await;
    let id = host.text(1, 0);
    host.pass_until("some attempts failed", 1000, |host| host.store.kept().records.len() >= 5)
        .await;
    let item = host.store.item(&id);
    assert!(matches!(item.state, SendState::Waiting { .. }), "{:?}", item.state);
    assert!(item.reason.unwrap().starts_with("the provider can't be reached"));
    let listener = TcpListener::bind(host.address).await.unwrap();
    tokio::spawn(serve(listener, (host.graph.clone(), host.clock.clone())));
    host.pass_until("it is sent", 1000, |host| host.sent(&id)).await;
    assert_eq!(host.graph.count(), 1);
    host.finish().await;
}

#[tokio::test]
async fn the_rules_are_asked_again_when_a_message_leaves() {
    let host = host(80).await;
    let day = 24 * 3_600_000;
    let known = ContactId(1);
    host.store.know(known, &channel(), START - day);
    let late = host.text(1, 0);
    host.until("it is refused", |host| host.state(&late) == SendState::Refused).await;
    assert!(host.store.item(&late).reason.unwrap().contains("24-hour window"));
    host.store.kept().contacts.get_mut(&known).unwrap().saw_message(&channel(), START);
    let fresh = host.text(1, 1);
    host.until("it is sent", |host| host.sent(&fresh)).await;
    assert_eq!(host.graph.ids(), ["c1-1-1"]);
    host.finish().await;
}

#[tokio::test]
async fn a_day_old_message_is_given_up() {
    let host = host(80).await;
    let id = host.text(1, 0);
    host.store.kept().items.get_mut(&id).unwrap().created_at = START - 24 * 3_600_000;
    host.until("it failed", |host| host.state(&id) == SendState::Failed).await;
    assert_eq!(host.graph.count(), 0);
    host.finish().await;
}

#[tokio::test]
async fn messages_of_a_missing_channel_wait_and_stop_no_other() {
    let host = host(80).await;
    let lost = host.put_on(ChannelId::new("gone"), 1, 0, Outgoing::Text("x".into()));
    let fine = host.text(2, 0);
    host.until("the other is sent", |host| host.sent(&fine)).await;
    assert_eq!(host.state(&lost), SendState::Waiting { due: START });
    assert!(host.outbox.status()[0].reason.contains("`gone`"));
    host.finish().await;
}

#[tokio::test]
async fn a_failing_store_delays_and_neither_loses_nor_doubles() {
    let host = host(80).await;
    let id = host.text(1, 0);
    host.store.kept().failure = Some(StoreError::Failed("disk".into()));
    host.settle().await;
    host.clock.advance(5000);
    host.settle().await;
    assert_eq!(host.graph.count(), 0);
    host.store.kept().failure = None;
    host.pass_until("it is sent", 500, |host| host.sent(&id)).await;
    // The answer came and could not be written: it is kept until it can be.
    host.graph.then(&[Do::Hang]);
    let next = host.text(1, 1);
    host.until("it is under way", |host| host.graph.count() == 2).await;
    host.store.kept().failure = Some(StoreError::Failed("disk".into()));
    host.until("no answer came", |host| host.outbox.metrics.unknown.get() == 1).await;
    host.settle().await;
    assert!(host.store.health().is_err() && host.store.kept().records.len() == 1);
    host.store.kept().failure = None;
    host.pass_until("it is written", 500, |host| host.store.kept().records.len() == 2).await;
    host.pass_until("it is sent", 1000, |host| host.sent(&next)).await;
    assert_eq!(host.graph.count(), 3);
    host.finish().await;
}

#[tokio::test]
async fn what_is_under_way_at_the_end_is_recorded() {
    let host = host(80).await;
    host.graph.then(&[Do::Hang]);
    let (id, later) = (host.text(1, 0), host.text(2, 0));
    host.until("it is under way", |host| host.graph.count() == 2 && host.sent(&later)).await;
    // On record before the request went out.
    assert!(matches!(host.state(&id), SendState::Attempting { since: START, .. }));
    let store = host.store.clone();
    host.finish().await;
    let item = store.item(&id);
    assert!(item.reason.is_some_and(|reason| reason.starts_with("no answer came")));
}

#[tokio::test]
async fn an_answer_does_not_wait_behind_a_campaign() {
    let host = host(5).await;
    for contact in 1..=6000 {
        host.put(contact, 0, sale());
    }
    host.pass_until("the campaign has begun", 100, |host| host.graph.count() >= 5).await;
    let answer = host.text(7000, 0);
    host.pass_until("it is sent", 100, |host| host.sent(&answer)).await;
    // Far fewer than the campaign's; and what it put off is spread to its turn.
    assert!(host.graph.count() < 1000, "{}", host.graph.count());
    let due = |item: &OutboxItem| match item.state {
        SendState::Waiting { due } => due.saturating_sub(START),
        _ => 0,
    };
    let last = host.store.kept().items.values().map(due).max().unwrap();
    assert!(last > 2000 * 1000 / 5, "{last}");
    host.finish().await;
}
