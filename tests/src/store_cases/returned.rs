//! What the provider took and failed afterwards.

use super::{
    outbox::{begin, due, failure, queue, record, sent},
    *,
};
use ReceiptState::{Delivered, Failed, Sent};

/// A turn on the receipt of a message.
async fn receive(store: &Shared, id: &SendId, copy: &str, state: ReceiptState, passing: bool) {
    let receipt = receipt(copy, Some(id), state);
    let lane = accept(store, receipt_of(None, receipt.clone())).await.lane;
    let failure = (state == Failed).then(|| failure(63_018, passing));
    turn(store, &lane, |commit| commit.receipt = Some((receipt, failure))).await;
    check_invariants(store).await;
}

async fn now(store: &Shared, id: &SendId) -> OutboxItem {
    store.outbox_item(id).await.unwrap().unwrap()
}

fn later(due: Millis) -> Delivery {
    Delivery::RetryAfter { due, reason: "too fast".into() }
}

/// Queues three, of which the first has been taken as `wamid.a`.
async fn first_taken(store: &Shared, who: &str) -> Vec<SendId> {
    let ann = contact(store, who).await;
    let items = queue(store, ann, &[NOW, NOW, NOW]).await;
    assert!(begin(store, &items[0], NOW).await);
    record(store, &items[0], sent("wamid.a")).await;
    items
}

pub async fn what_comes_back_keeps_nothing_in(store: Shared) {
    let items = first_taken(&store, "1").await;
    receive(&store, &items[0], "wamid.a", Failed, true).await;
    assert_eq!(due(&store, NOW).await, [items[1].clone(), items[0].clone()]);
    assert_eq!(store.depths().await.unwrap().outbox, 2);
    assert!(!begin(&store, &items[0], NOW + 99).await, "nothing is decided yet");
    record(&store, &items[0], later(NOW + 50)).await;
    check_invariants(&store).await;
    assert_eq!(due(&store, NOW).await, [items[1].clone()], "the others go on");

    // The last one leaves first, and has its own troubles.
    assert!(begin(&store, &items[1], NOW).await);
    receive(&store, &items[1], "wamid.b", Failed, true).await;
    record(&store, &items[1], sent("wamid.b")).await;
    assert_eq!(now(&store, &items[1]).await.state, SendState::Returned { taken: NOW });
    assert_eq!(due(&store, NOW).await, [items[2].clone(), items[1].clone()]);
    record(&store, &items[1], Delivery::Rejected { reason: "enough".into(), code: None }).await;
    assert_eq!(due(&store, NOW).await, [items[2].clone()]);
    check_invariants(&store).await;

    assert!(begin(&store, &items[0], NOW + 50).await);
    record(&store, &items[0], sent("wamid.a2")).await;
    assert_eq!(store.depths().await.unwrap().outbox, 1);
    receive(&store, &items[0], "wamid.a2", Delivered, false).await;
    // By either id, the receipts find it; none changes anything any more.
    for (copy, state) in [("wamid.a", Sent), ("wamid.a", Delivered), ("wamid.a2", Failed)] {
        receive(&store, &items[0], copy, state, true).await;
        let item = now(&store, &items[0]).await;
        assert_eq!((item.state, item.attempts, item.reason), (SendState::Sent, 2, None));
    }
    assert_eq!(due(&store, NOW + 999).await, [items[2].clone()]);
}

pub async fn what_arrived_after_all_is_not_sent_again(store: Shared) {
    let items = first_taken(&store, "1").await;
    receive(&store, &items[0], "wamid.a", Failed, true).await;
    record(&store, &items[0], later(NOW + 50)).await;
    receive(&store, &items[0], "wamid.a", Sent, false).await;
    assert_eq!(now(&store, &items[0]).await.due(), Some(NOW + 50), "said before it failed");
    receive(&store, &items[0], "wamid.a", Delivered, false).await;
    assert!(!begin(&store, &items[0], NOW + 50).await);
    record(&store, &items[0], later(NOW + 60)).await;
    assert_eq!(now(&store, &items[0]).await.state, SendState::Sent);
    assert_eq!(store.depths().await.unwrap().outbox, 1);
    check_invariants(&store).await;
}

pub async fn what_comes_back_is_not_swept(store: Shared) {
    const KEEP: Millis = 1_000;
    let items = first_taken(&store, "1").await;
    receive(&store, &items[0], "wamid.a", Failed, true).await;
    record(&store, &items[0], later(NOW + 50)).await;
    let sweep = async |at| while store.sweep(at, KEEP).await.unwrap() > 0 {};
    sweep(NOW + KEEP + 1).await;
    assert_eq!(now(&store, &items[0]).await.due(), Some(NOW + 50), "it is to be sent");
    // Its time begins when it is history again.
    assert!(begin(&store, &items[0], NOW + 500).await);
    let delivery = sent("wamid.a2");
    let record = DeliveryRecord { id: items[0].clone(), delivery, at: NOW + 600 };
    store.record_deliveries(vec![record]).await.unwrap();
    sweep(NOW + 600 + KEEP).await;
    assert_eq!(now(&store, &items[0]).await.state, SendState::Sent);
    sweep(NOW + 601 + KEEP).await;
    assert_eq!(store.outbox_item(&items[0]).await.unwrap(), None);
    // Nothing leads to it, by none of its ids.
    for copy in ["wamid.a", "wamid.a2"] {
        let about_nothing = receipt_of(None, receipt(copy, None, ReceiptState::Read));
        assert_eq!(accept(&store, about_nothing).await.lane.to_string(), "@main", "{copy}");
    }
    check_invariants(&store).await;
}

pub async fn what_comes_back_is_charged_once(store: Shared) {
    let ann = contact(&store, "1").await;
    let id = queue(&store, ann, &[NOW]).await.remove(0);
    let attempt = async |day, since| {
        let (class, currency) = (PriceClass::Service, "EUR".to_owned());
        let charge = Some(Charge { day, class, currency, micros: 5 });
        let attempt = Attempt { charge, ..Attempt::new(id.clone(), since, since + 9) };
        assert_eq!(store.begin_attempts(vec![attempt]).await.unwrap().len(), 1);
    };
    let spent = async || {
        let found = store.spending(0, u32::MAX).await.unwrap();
        found.iter().map(|one| (one.day, one.micros, one.messages)).collect::<Vec<_>>()
    };
    attempt(1, NOW).await;
    record(&store, &id, sent("wamid.a")).await;
    assert_eq!(spent().await, [(1, 5, 1)]);
    receive(&store, &id, "wamid.a", Failed, true).await;
    assert_eq!(spent().await, []);
    record(&store, &id, later(NOW + 50)).await;
    attempt(2, NOW + 50).await;
    record(&store, &id, sent("wamid.b")).await;
    receive(&store, &id, "wamid.b", Sent, false).await;
    receive(&store, &id, "wamid.a", Delivered, false).await;
    assert_eq!(spent().await, [(2, 5, 1)]);
}

/// It stands under the contact that it was sent to, whoever that has become.
pub async fn what_comes_back_follows_its_contact(store: Shared) {
    let other = accept(&store, message(bsuid("US.1"), "first")).await.lane;
    turn(&store, &other, |_| {}).await;
    let items = first_taken(&store, "2").await;
    accept(&store, message(both("2", "US.1"), "it is me")).await;
    turn(&store, &other, |_| {}).await;
    receive(&store, &items[0], "wamid.a", Failed, true).await;
    let due_now = store.due_outbox(NOW, 9).await.unwrap();
    let back = due_now.iter().find(|item| item.id == items[0]).unwrap();
    assert_eq!(Some(back.contact), other.contact());
    record(&store, &items[0], later(NOW + 50)).await;
    assert!(begin(&store, &items[0], NOW + 50).await);
    record(&store, &items[0], sent("wamid.b")).await;
    check_invariants(&store).await;
    assert_eq!(due(&store, NOW).await, [items[1].clone()]);
}
