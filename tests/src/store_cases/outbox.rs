//! The outbox: order within a contact, attempts, receipts.

use super::*;

/// Queues one message for each due time in one turn of the contact's lane.
pub(super) async fn queue(store: &Shared, contact: ContactId, dues: &[Millis]) -> Vec<SendId> {
    let known = store.outbox_of(contact, usize::MAX).await.unwrap().len();
    let text = format!("{contact} wants more than {known}");
    let mut wanted = message(Sender::default(), &text);
    wanted.sender = Some(phone(&contact.0.to_string()));
    let event = accept(store, wanted).await;
    assert_eq!(event.lane, Lane::Contact(contact));
    turn(store, &event.lane, |commit| {
        for due in dues {
            let item = item(commit, contact, *due);
            commit.outbox.push(item);
        }
    })
    .await;
    let ids = (0..dues.len() as u32).map(|index| SendId { turn: event.clone(), index });
    ids.collect()
}

pub(super) async fn due(store: &Shared, now: Millis) -> Vec<SendId> {
    store.due_outbox(now, 99).await.unwrap().into_iter().map(|item| item.id).collect()
}

pub(super) async fn begin(store: &Shared, id: &SendId, since: Millis) -> bool {
    let attempt = Attempt::new(id.clone(), since, since + 1_000);
    let begun = store.begin_attempts(vec![attempt]).await.unwrap();
    begun.iter().any(|item| item.id == *id && item.attempts > 0)
}

pub(super) async fn record(store: &Shared, id: &SendId, delivery: Delivery) {
    let record = DeliveryRecord { id: id.clone(), delivery, at: NOW };
    store.record_deliveries(vec![record]).await.unwrap();
}

pub(super) fn sent(message_id: &str) -> Delivery {
    Delivery::Sent { message_id: message_id.into() }
}

pub(super) fn failure(code: u32, passing: bool) -> Failure {
    Failure { code, reason: format!("error {code}"), passing }
}

pub async fn messages_leave_in_order(store: Shared) {
    let ann = contact(&store, "1").await;
    let bob = contact(&store, "2").await;
    let to_ann = queue(&store, ann, &[NOW + 20, NOW, NOW + 5]).await;
    let to_bob = queue(&store, bob, &[NOW + 10]).await;
    assert_eq!(due(&store, NOW + 9).await, [], "Ann's second waits for the first");
    assert_eq!(store.next_outbox().await.unwrap(), Some(NOW + 10));
    assert_eq!(due(&store, NOW + 20).await, [to_bob[0].clone(), to_ann[0].clone()]);
    assert_eq!(store.due_outbox(NOW + 20, 1).await.unwrap().len(), 1);
    let later = async |after, limit| {
        let items = store.later_outbox(after, limit).await.unwrap();
        items.into_iter().map(|item| item.id).collect::<Vec<_>>()
    };
    assert_eq!(later(NOW + 9, 9).await, [to_bob[0].clone(), to_ann[0].clone()]);
    assert_eq!(later(NOW + 9, 1).await, to_bob);
    assert_eq!(later(NOW + 10, 9).await, to_ann[..1]);
    assert_eq!(later(Millis::MAX, 9).await, []);
    assert_eq!(store.depths().await.unwrap().outbox, 2);

    assert!(!begin(&store, &to_ann[0], NOW + 19).await, "not due");
    assert!(!begin(&store, &to_ann[1], NOW + 19).await, "not the first");
    assert!(begin(&store, &to_ann[0], NOW + 20).await);
    assert!(!begin(&store, &to_ann[0], NOW + 21).await, "an attempt has begun");
    assert_eq!(due(&store, NOW + 1_019).await, to_bob);
    assert_eq!(due(&store, NOW + 1_020).await.len(), 2, "nothing was heard of it");

    let later = Delivery::RetryAfter { due: NOW + 50, reason: "too fast".into() };
    record(&store, &to_ann[0], later).await;
    assert_eq!(due(&store, NOW + 49).await, to_bob);
    let waiting = store.outbox_item(&to_ann[0]).await.unwrap().unwrap();
    assert_eq!((waiting.reason.as_deref(), waiting.attempts), (Some("too fast"), 1));
    assert!(begin(&store, &to_ann[0], NOW + 50).await);
    record(&store, &to_ann[0], sent("wamid.1")).await;
    assert!(!begin(&store, &to_ann[0], NOW + 9_999).await, "history stays history");
    assert_eq!(due(&store, NOW).await, [to_ann[1].clone()], "the next, by its own due time");

    let later = Delivery::RetryAfter { due: NOW + 3, reason: "too fast".into() };
    record(&store, &to_ann[2], later).await;
    check_invariants(&store).await;
    let refused = Delivery::Refused { rule: Rule::Window, reason: "the window closed".into() };
    record(&store, &to_ann[1], refused).await;
    record(
        &store,
        &to_ann[2],
        Delivery::Rejected { reason: "no such number".into(), code: Some(131_026) },
    )
    .await;
    record(&store, &to_bob[0], sent("wamid.2")).await;
    assert_eq!(store.next_outbox().await.unwrap(), None);
    assert_eq!(store.depths().await.unwrap().outbox, 0);
    let all = store.outbox_of(ann, 9).await.unwrap();
    let states: Vec<_> = all.iter().map(|item| item.state.clone()).collect();
    assert_eq!(states, [SendState::Failed, SendState::Refused, SendState::Sent]);
    assert_eq!(store.outbox_of(ann, 2).await.unwrap(), all[..2], "the newest first");
    check_invariants(&store).await;
}

/// The queue is the addressee's, whoever's turn it was.
pub async fn others_messages_join_the_queue(store: Shared) {
    let ann = contact(&store, "1").await;
    let bob = contact(&store, "2").await;
    let own = queue(&store, bob, &[NOW + 5]).await;
    accept(&store, message(phone("1"), "tell Bob")).await;
    let turn = turn(&store, &Lane::Contact(ann), |commit| {
        for _ in 0..2 {
            let item = item(commit, bob, NOW);
            commit.outbox.push(item);
        }
    })
    .await;
    let last = queue(&store, bob, &[NOW]).await;
    let told: Vec<_> = (0..2).map(|index| SendId { turn: turn.clone(), index }).collect();
    let mut left = Vec::new();
    while let Some(id) = due(&store, NOW + 5).await.pop() {
        assert!(begin(&store, &id, NOW + 5).await);
        record(&store, &id, sent(&format!("wamid.{id}"))).await;
        check_invariants(&store).await;
        left.push(id);
    }
    assert_eq!(left, [own, told, last].concat());
    assert_eq!(store.outbox_of(ann, 9).await.unwrap(), []);
}

/// What receipts do when they come late, early, twice or in the wrong order.
pub async fn receipts_settle_items(store: Shared) {
    use ReceiptState::*;
    let ann = contact(&store, "1").await;
    let items = queue(&store, ann, &[NOW, NOW, NOW]).await;
    let receive = async |message_id: &str, send: Option<&SendId>, state| {
        let receipt = receipt(message_id, send, state);
        let lane = accept(&store, receipt_of(Some(phone("1")), receipt.clone())).await.lane;
        let failure = (state == Failed).then(|| failure(131_026, false));
        turn(&store, &lane, |commit| commit.receipt = Some((receipt, failure))).await;
    };
    let now = async |id| {
        let item = store.outbox_item(id).await.unwrap().unwrap();
        (item.state, item.receipt, item.message_id.unwrap_or_default())
    };

    // Before its delivery is recorded: the attempt's end was lost.
    assert!(begin(&store, &items[0], NOW).await);
    receive("wamid.1", Some(&items[0]), Delivered).await;
    assert_eq!(now(&items[0]).await, (SendState::Sent, Some(Delivered), "wamid.1".into()));
    assert_eq!(due(&store, NOW).await, [items[1].clone()], "the next may leave");
    let unknown = Delivery::Unknown { until: NOW + 1, reason: "timed out".into() };
    record(&store, &items[0], unknown).await;
    assert_eq!(now(&items[0]).await.0, SendState::Sent, "too late to matter");

    // By the message's id alone, in the wrong order.
    receive("wamid.1", None, Read).await;
    receive("wamid.1", None, Sent).await;
    assert_eq!(now(&items[0]).await, (SendState::Sent, Some(Read), "wamid.1".into()));

    // Sent a second time after silence: the ids of both attempts lead to it.
    assert!(begin(&store, &items[1], NOW).await);
    record(&store, &items[1], sent("wamid.2b")).await;
    receive("wamid.2a", Some(&items[1]), Sent).await;
    receive("wamid.2a", None, Delivered).await;
    assert_eq!(now(&items[1]).await, (SendState::Sent, Some(Delivered), "wamid.2b".into()));

    assert!(begin(&store, &items[2], NOW).await);
    record(&store, &items[2], sent("wamid.3")).await;
    receive("wamid.3", None, Failed).await;
    let failed = store.outbox_item(&items[2]).await.unwrap().unwrap();
    assert_eq!((failed.state, failed.reason.as_deref()), (SendState::Failed, Some("error 131026")));
    receive("wamid.unknown", None, Read).await;
    assert_eq!(store.depths().await.unwrap(), Default::default());
    check_invariants(&store).await;
}

/// A sweep takes what is old and done, and nothing else.
pub async fn old_things_are_swept(store: Shared) {
    const KEEP: Millis = 1_000;
    let ann = contact(&store, "1").await;
    let items = queue(&store, ann, &[NOW, NOW]).await;
    assert!(begin(&store, &items[0], NOW).await);
    record(&store, &items[0], sent("wamid.1")).await;
    accept(&store, message(phone("1"), "traced")).await;
    turn(&store, &Lane::Contact(ann), |commit| commit.trace = Some(trace(&commit.turn, NOW))).await;

    assert_eq!(store.sweep(NOW + KEEP, KEEP).await.unwrap(), 0, "not older than that");
    assert_eq!(store.sweep(5, KEEP).await.unwrap(), 0);
    assert_eq!(store.sweep(NOW + KEEP + 1, KEEP).await.unwrap(), 2);
    assert_eq!(store.outbox_item(&items[0]).await.unwrap(), None);
    assert_eq!(store.traces(&Lane::Contact(ann), None, 9).await.unwrap(), []);
    let left = store.outbox_of(ann, 9).await.unwrap();
    assert_eq!(left.iter().map(|item| &item.id).collect::<Vec<_>>(), [&items[1]]);
    let about_nothing = receipt_of(None, receipt("wamid.1", Some(&items[0]), ReceiptState::Read));
    assert_eq!(accept(&store, about_nothing).await.lane.to_string(), "@main");

    // What comes after goes on behind what is left.
    let more = queue(&store, ann, &[NOW]).await;
    assert_eq!(due(&store, NOW).await, [items[1].clone()]);
    record(&store, &items[1], sent("wamid.2")).await;
    assert_eq!(due(&store, NOW).await, more);

    // Keys of happenings; a long list takes more than one sweep.
    let later = NOW + switchboard::store::DEDUP_MS;
    let batch = (0..900).map(|n| account(&format!("happening {n}"))).collect();
    store.accept(batch, NOW + 1).await.unwrap();
    let mut sweeps = Vec::new();
    while let removed @ 1.. = store.sweep(later + 1, u64::MAX).await.unwrap() {
        sweeps.push(removed);
    }
    assert!(sweeps.len() > 1 && sweeps.iter().sum::<usize>() > 900, "{sweeps:?}");
    check_invariants(&store).await;
}
