//! What may leave: items that a rule holds, what they cost, and what the limits
//! of pace are rebuilt from.

use super::{
    outbox::{begin, due, queue, record, sent},
    *,
};

fn held(due: Millis) -> Delivery {
    Delivery::Held { due, rule: Rule::Quiet, reason: "at night".into() }
}

pub async fn what_a_rule_holds_keeps_nothing_in(store: Shared) {
    let ann = contact(&store, "1").await;
    let items = queue(&store, ann, &[NOW, NOW, NOW]).await;
    record(&store, &items[0], held(NOW + 50)).await;
    assert_eq!(due(&store, NOW).await, [items[1].clone()], "the next is the first now");
    let item = store.outbox_item(&items[0]).await.unwrap().unwrap();
    assert_eq!(item.hold, Hold { rule: Some(Rule::Quiet), until: NOW + 50, ended: NOW + 50 });
    assert_eq!(item.due(), Some(NOW + 50));
    assert_eq!(store.depths().await.unwrap().outbox, 2);
    check_invariants(&store).await;

    // Each goes its own way: held again, tried, cut off, taken.
    record(&store, &items[1], held(NOW + 50)).await;
    record(&store, &items[0], held(NOW + 60)).await;
    assert_eq!(due(&store, NOW + 60).await, [&items[2], &items[1], &items[0]].map(Clone::clone));
    assert!(!begin(&store, &items[0], NOW + 59).await, "not due");
    assert!(begin(&store, &items[0], NOW + 60).await, "though it is not the first");
    assert!(!begin(&store, &items[0], NOW + 61).await, "an attempt has begun");
    check_invariants(&store).await;
    assert!(begin(&store, &items[0], NOW + 1_060).await, "nothing was heard of it");
    record(&store, &items[0], sent("wamid.1")).await;
    let item = store.outbox_item(&items[0]).await.unwrap().unwrap();
    assert_eq!((item.state, item.hold.rule, item.attempts), (SendState::Sent, None, 2));
    assert_eq!(due(&store, NOW + 50).await, [items[2].clone(), items[1].clone()]);
    check_invariants(&store).await;

    let refused = Delivery::Refused { rule: Rule::Cap, reason: "enough".into() };
    record(&store, &items[1], refused).await;
    record(&store, &items[2], sent("wamid.3")).await;
    // Too late to matter.
    record(&store, &items[2], held(NOW + 90)).await;
    assert_eq!(store.next_outbox().await.unwrap(), None);
    assert_eq!(store.depths().await.unwrap().outbox, 0);
    let all = store.outbox_of(ann, 9).await.unwrap();
    let states: Vec<_> = all.iter().map(|item| item.state.clone()).collect();
    assert_eq!(states, [SendState::Sent, SendState::Refused, SendState::Sent]);
    assert_eq!(all[1].hold.rule, Some(Rule::Cap));
    check_invariants(&store).await;
    // As the rest of history, it goes in its time.
    assert!(store.sweep(NOW + 10_000, 1_000).await.unwrap() >= 3);
    assert_eq!(store.outbox_of(ann, 9).await.unwrap(), []);
}

fn charge(day: u32, class: PriceClass, micros: u64) -> Option<Charge> {
    Some(Charge { day, class, currency: "EUR".into(), micros })
}

async fn attempt(store: &Shared, id: &SendId, charge: Option<Charge>) {
    let attempt = Attempt { charge, ..Attempt::new(id.clone(), NOW, NOW + 1) };
    assert_eq!(store.begin_attempts(vec![attempt]).await.unwrap().len(), 1);
}

/// `(day, class, micros, messages)` of all days.
async fn spent(store: &Shared, from: u32, to: u32) -> Vec<(u32, PriceClass, u64, u64)> {
    let found = store.spending(from, to).await.unwrap();
    assert!(found.iter().all(|one| one.channel == main_channel() && one.currency == "EUR"));
    found.iter().map(|one| (one.day, one.class, one.micros, one.messages)).collect()
}

pub async fn messages_are_charged_once(store: Shared) {
    use PriceClass::{Marketing, Service};
    use ReceiptState::*;
    let ann = contact(&store, "1").await;
    let items = queue(&store, ann, &[NOW; 5]).await;
    let all = async || spent(&store, 0, u32::MAX).await;
    let receive = async |id: &SendId, state, pricing| {
        let message_id = format!("wamid.{id}");
        let receipt = Receipt { pricing, ..receipt(&message_id, Some(id), state) };
        let lane = accept(&store, receipt_of(Some(phone("1")), receipt.clone())).await.lane;
        turn(&store, &lane, |commit| commit.receipt = Some((receipt, None))).await;
    };
    let taken = |id: &SendId| sent(&format!("wamid.{id}"));

    // Turned away, then taken; what is recorded twice counts once.
    attempt(&store, &items[0], charge(20_261_122, Marketing, 100)).await;
    assert_eq!(all().await, [(20_261_122, Marketing, 100, 1)], "it may have been taken");
    let later = Delivery::RetryAfter { due: NOW, reason: "later".into() };
    record(&store, &items[0], later).await;
    assert_eq!(all().await, []);
    attempt(&store, &items[0], charge(20_261_123, Marketing, 100)).await;
    record(&store, &items[0], taken(&items[0])).await;
    record(&store, &items[0], taken(&items[0])).await;
    assert_eq!(all().await, [(20_261_123, Marketing, 100, 1)]);

    // Its end was lost, and another attempt is of another price; a receipt says
    // that one was taken.
    attempt(&store, &items[1], charge(20_261_123, Service, 40)).await;
    let (until, reason) = (NOW, "no answer came".into());
    record(&store, &items[1], Delivery::Unknown { until, reason }).await;
    assert_eq!(all().await[1], (20_261_123, Service, 40, 1), "nobody knows");
    attempt(&store, &items[1], charge(20_261_123, Marketing, 40)).await;
    assert_eq!(all().await, [(20_261_123, Marketing, 140, 2)]);
    receive(&items[1], Sent, None).await;
    receive(&items[1], Delivered, None).await;
    record(&store, &items[1], taken(&items[1])).await;
    assert_eq!(all().await, [(20_261_123, Marketing, 140, 2)]);

    // What fails after all costs nothing; but a later receipt knows better.
    attempt(&store, &items[2], charge(20_261_123, Service, 5)).await;
    record(&store, &items[2], taken(&items[2])).await;
    receive(&items[2], Failed, None).await;
    assert_eq!(all().await, [(20_261_123, Marketing, 140, 2)]);
    receive(&items[2], Read, None).await;
    assert_eq!(all().await[1], (20_261_123, Service, 5, 1));

    // The provider says that it is free.
    attempt(&store, &items[3], charge(20_261_124, Marketing, 60)).await;
    record(&store, &items[3], taken(&items[3])).await;
    let free = Pricing { category: "marketing".into(), kind: None, billable: false };
    receive(&items[3], Sent, Some(free)).await;
    receive(&items[3], Delivered, None).await;
    assert_eq!(all().await[2], (20_261_124, Marketing, 0, 1));

    // A refusal costs nothing.
    attempt(&store, &items[4], charge(20_261_124, Marketing, 60)).await;
    record(&store, &items[4], Delivery::Rejected { reason: "no".into(), code: None }).await;
    assert_eq!(spent(&store, 20_261_124, 20_261_130).await, [(20_261_124, Marketing, 0, 1)]);
    check_invariants(&store).await;
}

pub async fn attempts_are_remembered_for_a_while(store: Shared) {
    let ann = contact(&store, "1").await;
    let items = queue(&store, ann, &[NOW; 3]).await;
    for (n, id) in items.iter().enumerate() {
        let since = NOW + n as u64 * 10;
        let attempt = Attempt { opens: n == 1, ..Attempt::new(id.clone(), since, since + 1) };
        store.begin_attempts(vec![attempt]).await.unwrap();
        record(&store, id, sent(&format!("wamid.{id}"))).await;
    }
    let times = async |from, limit| {
        let found = store.attempts_since(from, limit).await.unwrap();
        assert!(found.iter().all(|one| one.contact == ann && one.seen));
        found.iter().map(|one| one.at - NOW).collect::<Vec<_>>()
    };
    assert_eq!(times(0, 9).await, [20, 10, 0], "the newest first");
    assert_eq!(times(NOW + 10, 9).await, [20, 10]);
    assert_eq!(times(0, 1).await, [20]);
    let openings = store.openings_since(NOW, 9).await.unwrap();
    assert_eq!(openings.iter().map(|one| one.at - NOW).collect::<Vec<_>>(), [10]);

    let minutes = |count: Millis| NOW + count * 60_000;
    while store.sweep(minutes(5), Millis::MAX).await.unwrap() > 0 {}
    assert_eq!(times(0, 9).await.len(), 3, "of the last minutes");
    while store.sweep(minutes(11), Millis::MAX).await.unwrap() > 0 {}
    assert_eq!(times(0, 9).await, [0; 0]);
    assert_eq!(store.openings_since(0, 9).await.unwrap(), openings, "of the last day");
    while store.sweep(minutes(26 * 60), Millis::MAX).await.unwrap() > 0 {}
    assert_eq!(store.openings_since(0, 9).await.unwrap(), []);
}

pub async fn the_providers_limit_is_kept(store: Shared) {
    let limit = async || store.daily_contacts(&main_channel()).await.unwrap();
    assert_eq!(limit().await, None);
    for (told, expected) in [(Some(250), Some(250)), (None, Some(250)), (Some(-1), Some(-1))] {
        let news = News::Number(NumberNews { daily_contacts: told, ..NumberNews::default() });
        let kind = EventKind::Account { field: "business_capability_update".into(), news };
        let event = accept(&store, Happening { kind, ..account(&format!("{told:?}")) }).await;
        turn(&store, &event.lane, |_| {}).await;
        assert_eq!(limit().await, expected);
    }
    assert_eq!(store.daily_contacts(&ChannelId::new("other")).await.unwrap(), None);
}

pub async fn what_stops_an_account_is_kept_until_it_is_over(store: Shared) {
    let told = async |key: &str, stopped: bool, account: Option<&str>| {
        let (reason, account) = (key.to_owned(), account.map(str::to_owned));
        let news = AccountNews { stopped, reason, account, ..AccountNews::default() };
        let kind = EventKind::Account { field: "account_update".into(), news: News::Account(news) };
        let event = accept(&store, Happening { kind, ..super::account(key) }).await;
        turn(&store, &event.lane, |_| {}).await;
    };
    let all = async || {
        let all = store.stoppages().await.unwrap();
        assert!(all.iter().all(|one| (&one.channel, one.at) == (&main_channel(), NOW)));
        all
    };
    let reasons = async || all().await.into_iter().map(|one| one.news.reason).collect::<Vec<_>>();
    assert_eq!(all().await, []);
    told("fine", false, Some("1020")).await;
    told("disabled", true, Some("1020")).await;
    told("deleted", true, Some("1021")).await;
    told("offboarded", true, None).await;
    assert_eq!(reasons().await, ["disabled", "deleted", "offboarded"]);
    // The last word counts, of each.
    let before = all().await.remove(0);
    told("restricted", true, Some("1020")).await;
    told("back", false, None).await;
    assert_eq!(reasons().await, ["restricted", "deleted"]);
    store.end_stoppage(&before).await.unwrap();
    assert_eq!(reasons().await, ["restricted", "deleted"], "something newer was told");
    store.end_stoppage(&all().await[0]).await.unwrap();
    assert_eq!(reasons().await, ["deleted"]);
}
