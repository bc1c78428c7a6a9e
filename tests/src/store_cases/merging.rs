//! Two contacts that turn out to be one person.

use super::*;
use switchboard::store::StoreError;

const LATER: Millis = NOW + 1_000;

/// A contact by number (c1) and one by user id (c2), each with its first
/// message done.
async fn two(store: &Shared) -> (Lane, Lane) {
    let ann = contact(store, "1").await;
    let event = accept(store, message(bsuid("US.1"), "hello from US.1")).await;
    turn(store, &event.lane, |_| {}).await;
    (Lane::Contact(ann), event.lane)
}

/// The event that shows both to be one.
async fn join(store: &Shared) -> EventId {
    accept(store, message(both("1", "US.1"), "it is me")).await
}

async fn text_of_next(store: &Shared, lane: &Lane) -> Option<String> {
    let event = store.next_in_lane(lane).await.unwrap()?.event;
    match event.kind {
        EventKind::Message(Message { content: Content::Text(text), .. }) => Some(text),
        other => panic!("{other:?}"),
    }
}

fn tag(commit: &mut TurnCommit, effect: Effect) {
    commit.contact.as_mut().unwrap().apply(&effect, "tagger", NOW);
}

/// Fills a lane with something of every kind, made at `at`.
async fn fill(store: &Shared, lane: &Lane, sender: Sender, name: &str, at: Millis) {
    accept(store, message(sender.clone(), &format!("{name} filled"))).await;
    turn(store, lane, |commit| {
        tag(commit, Effect::Tag { name: name.into(), expires: None });
        commit.tagged = vec![tag_change(name, at)];
        commit.trace = Some(trace(&commit.turn, at));
        for key in ["both", name] {
            commit.kv.push(kv("faq", KvScope::Contact, key, Some(name.as_bytes().to_vec())));
        }
        commit.kv[1].expires = Some(LATER);
        commit.timers.push(TimerWrite::Set(timer(lane, "both", at)));
        commit.timers.push(TimerWrite::Set(timer(lane, name, at)));
        for n in 0..2 {
            let item = item(commit, lane.contact().unwrap(), at);
            commit.outbox.push(OutboxItem { created_at: at + n, ..item });
        }
    })
    .await;
    accept(store, message(sender, &format!("{name} waits"))).await;
}

pub async fn a_merger_moves_all_that_there_is(store: Shared) {
    let (one, other) = two(&store).await;
    fill(&store, &one, phone("1"), "first", NOW + 10).await;
    fill(&store, &other, bsuid("US.1"), "second", NOW).await;
    accept(&store, message(bsuid("US.1"), "second waits too")).await;
    check_invariants(&store).await;

    assert_eq!(join(&store).await.to_string(), "c1-6");
    check_invariants(&store).await;
    check_usage(&store, "faq", &[one.clone(), other.clone()]).await;
    // One contact, whichever name it is called by.
    let contact = store.contact(ContactId(2)).await.unwrap().unwrap();
    assert_eq!((contact.id, contact.merged.as_slice()), (ContactId(1), &[ContactId(2)][..]));
    assert_eq!((contact.phone.as_deref(), contact.bsuid.as_deref()), (Some("1"), Some("US.1")));
    assert_eq!(store.contacts(None, 9).await.unwrap(), [contact]);
    for name in ["first", "second"] {
        let segment = Segment { all: vec![name.into()], ..Segment::default() };
        let found = store.audience(&segment, None, 9, NOW).await.unwrap();
        assert_eq!(found.members, [ContactId(1)]);
    }
    // One history of tags, by time, whichever name it is called by.
    for id in [1, 2] {
        let history = store.tag_history(ContactId(id)).await.unwrap();
        assert_eq!(history, [tag_change("first", NOW + 10), tag_change("second", NOW)]);
    }
    // Its key-values and timers, its own before the other's.
    let scope = KvScope::Contact;
    for (key, value) in [("both", "first"), ("first", "first"), ("second", "second")] {
        let read = store.kv_get("faq", scope, &one, key, NOW).await.unwrap();
        assert_eq!(read.as_deref(), Some(value.as_bytes()), "{key}");
    }
    assert_eq!(store.kv_get("faq", scope, &one, "second", LATER).await.unwrap(), None);
    assert!(store.kv_keys("faq", scope, &other, "", 9, NOW).await.unwrap().is_empty());
    let timers = store.due_timers(Millis::MAX, 9).await.unwrap();
    let expected =
        [timer(&one, "second", NOW), timer(&one, "both", NOW + 10), timer(&one, "first", NOW + 10)];
    assert_eq!(timers, expected);
    store.fire(timers, NOW).await.unwrap();
    // History of both, the newest first.
    let expected = ["c1-2", "c2-2"];
    for lane in [&one, &other] {
        let traces = store.traces(lane, None, 9).await.unwrap();
        assert_eq!(Vec::from_iter(traces.iter().map(|trace| trace.turn.to_string())), expected);
    }
    assert_eq!(store.traces(&other, Some(9), 9).await.unwrap().len(), 1, "one lane's alone");
    // One queue, as it was asked for.
    let items = store.outbox_of(ContactId(2), 9).await.unwrap();
    let items = Vec::from_iter(items.iter().map(|item| item.id.to_string()));
    assert_eq!(items, ["c1-2-1", "c1-2-0", "c2-2-1", "c2-2-0"]);
    let due = store.due_outbox(Millis::MAX, 9).await.unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!((due[0].id.to_string().as_str(), due[0].contact), ("c2-2-0", ContactId(1)));
    // What waits, in order; nothing in the other lane.
    assert!(store.next_in_lane(&other).await.unwrap().is_none());
    for expected in ["first waits", "second waits", "second waits too", "it is me"] {
        assert_eq!(text_of_next(&store, &one).await.as_deref(), Some(expected));
        turn(&store, &one, |_| {}).await;
    }
    check_invariants(&store).await;
}

pub async fn a_running_turn_does_not_commit_twice(store: Shared) {
    let (one, other) = two(&store).await;
    accept(&store, message(phone("1"), "one runs")).await;
    accept(&store, message(bsuid("US.1"), "other runs")).await;
    store.count_attempt(&"c2-2".parse().unwrap()).await.unwrap();
    let answers = |commit: &mut TurnCommit| {
        tag(commit, Effect::Tag { name: "seen".into(), expires: None });
        let lane = commit.turn.lane.contact().unwrap();
        let item = item(commit, lane, NOW);
        commit.outbox.push(item);
    };
    let running = draft(&store, &one, answers).await;
    let stray = draft(&store, &other, answers).await;
    join(&store).await;
    // The other's event has moved: its turn writes nothing.
    assert!(!store.commit(stray.clone(), NOW).await.unwrap());
    assert_eq!(store.count_attempt(&stray.turn).await.unwrap(), 0);
    // The one that stays has changed under its turn.
    let refused = store.commit(running, NOW).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict { .. }), "{refused}");
    assert!(store.outbox_of(ContactId(1), 9).await.unwrap().is_empty());
    for (text, turn_id) in [("one runs", "c1-2"), ("other runs", "c1-3"), ("it is me", "c1-4")] {
        assert_eq!(text_of_next(&store, &one).await.as_deref(), Some(text));
        assert_eq!(turn(&store, &one, answers).await.to_string(), turn_id);
    }
    assert!(!store.commit(stray, NOW).await.unwrap(), "not later either");
    assert_eq!(store.outbox_of(ContactId(1), 9).await.unwrap().len(), 3, "each once");
    assert!(store.ready_lanes(None, 9).await.unwrap().is_empty());
    // What was meant for the other is the one's: a broadcast's page, a send of
    // somebody else's turn.
    accept(&store, message(phone("5"), "a third")).await;
    turn(&store, &Lane::Contact(ContactId(3)), |commit| {
        let item = item(commit, ContactId(2), NOW);
        commit.outbox.push(item);
    })
    .await;
    assert_eq!(store.outbox_of(ContactId(1), 9).await.unwrap().len(), 4);
    check_invariants(&store).await;
}

/// An attempt that runs while its contact becomes another one is recorded, and
/// its receipt finds it; nothing is sent twice, nothing overtakes it.
pub async fn an_attempt_outlives_the_merger(store: Shared) {
    let (one, other) = two(&store).await;
    fill(&store, &one, phone("1"), "first", NOW).await;
    fill(&store, &other, bsuid("US.1"), "second", NOW + 10).await;
    let begin = async |id: &str, since: Millis| {
        let attempt = Attempt {
            id: id.parse().unwrap(),
            since,
            until: since + 50,
            charge: None,
            opens: false,
            category: None,
        };
        store.begin_attempts(vec![attempt]).await.unwrap()
    };
    assert_eq!(begin("c2-2-0", NOW + 10).await.len(), 1, "under way");
    join(&store).await;
    check_invariants(&store).await;
    let due = store.due_outbox(Millis::MAX, 9).await.unwrap();
    assert_eq!(due[0].id.to_string(), "c2-2-0", "what may have left is first");
    assert!(begin("c1-2-0", NOW + 20).await.is_empty(), "nothing overtakes it");
    assert!(begin("c2-2-0", NOW + 20).await.is_empty(), "it is not begun twice");
    // Its receipt comes before the answer.
    let id: SendId = "c2-2-0".parse().unwrap();
    let told = receipt("wamid.x", Some(&id), ReceiptState::Delivered);
    let event = accept(&store, receipt_of(Some(bsuid("US.1")), told.clone())).await;
    assert_eq!(event.lane, one);
    for _ in 0..3 {
        turn(&store, &one, |_| {}).await;
    }
    assert_eq!(turn(&store, &one, |commit| commit.receipt = Some((told, None))).await, event);
    let delivery = Delivery::RetryAfter { due: NOW, reason: "it seemed lost".into() };
    let record = DeliveryRecord { id: id.clone(), delivery, at: NOW + 20 };
    store.record_deliveries(vec![record]).await.unwrap();
    let item = store.outbox_item(&id).await.unwrap().unwrap();
    assert_eq!((item.state, item.attempts), (SendState::Sent, 1));
    check_invariants(&store).await;
    // Then the others, one after the other, to the address of now.
    for id in ["c1-2-0", "c1-2-1", "c2-2-1"] {
        let begun = begin(id, NOW + 30).await;
        assert_eq!(begun[0].to.phone.as_deref(), Some("1"), "{id}");
        let delivery = Delivery::Sent { message_id: format!("wamid.{id}") };
        let record = DeliveryRecord { id: id.parse().unwrap(), delivery, at: NOW + 30 };
        store.record_deliveries(vec![record]).await.unwrap();
        check_invariants(&store).await;
    }
    // Its history is swept as any.
    let later = NOW + 10_000_000;
    while store.sweep(later, 1).await.unwrap() > 0 {}
    assert!(store.outbox_of(ContactId(1), 9).await.unwrap().is_empty());
    assert_eq!(store.depths().await.unwrap().outbox, 0);
}

pub async fn merged_contacts_merge_again(store: Shared) {
    for (n, sender) in [phone("1"), bsuid("US.2"), phone("3")].into_iter().enumerate() {
        accept(&store, message(sender, &format!("hello {n}"))).await;
    }
    // c3 into c2, then c2 into c1: WhatsApp says that US.2 was number 1.
    let event = accept(&store, message(both("3", "US.2"), "both")).await;
    assert_eq!(event.to_string(), "c2-3");
    let event = accept(&store, moved(phone("1"), both("3", "US.2"), "moved")).await;
    assert_eq!(event.to_string(), "c1-5");
    for id in 1..=3 {
        let contact = store.contact(ContactId(id)).await.unwrap().unwrap();
        assert_eq!((contact.id, contact.merged), (ContactId(1), vec![ContactId(2), ContactId(3)]));
    }
    let texts = ["hello 0", "hello 1", "hello 2", "both"];
    for text in texts {
        assert_eq!(text_of_next(&store, &event.lane).await.as_deref(), Some(text));
        turn(&store, &event.lane, |_| {}).await;
    }
    let timer = timer(&"c3".parse().unwrap(), "t", NOW);
    turn(&store, &event.lane, |commit| commit.timers.push(TimerWrite::Set(timer))).await;
    // Even what still bears the oldest name arrives.
    let due = store.due_timers(NOW, 9).await.unwrap();
    store.fire(due, NOW).await.unwrap();
    assert_eq!(store.ready_lanes(None, 9).await.unwrap(), [event.lane]);
    check_invariants(&store).await;
}

pub async fn too_much_is_not_merged_at_once(store: Shared) {
    let (one, other) = two(&store).await;
    let batch = (0..2_500).map(|n| message(bsuid("US.1"), &format!("waits {n}"))).collect();
    store.accept(batch, NOW).await.unwrap();
    // Till it is less they stay apart, and the surer id says whose it is.
    assert_eq!(join(&store).await.lane, other);
    assert_eq!(find(&store, &Identity::Phone("1".into())).await, one.contact());
    assert_eq!(store.contacts(None, 9).await.unwrap().len(), 2);
    check_invariants(&store).await;
    for _ in 0..600 {
        turn(&store, &other, |_| {}).await;
    }
    let again = accept(&store, message(both("1", "US.1"), "again")).await;
    assert_eq!(again.lane, one);
    assert_eq!(text_of_next(&store, &one).await.as_deref(), Some("waits 600"));
    check_invariants(&store).await;
}

pub async fn a_broadcast_passes_over_who_has_merged(store: Shared) {
    let (one, other) = two(&store).await;
    for (lane, sender) in [(&one, phone("1")), (&other, bsuid("US.1"))] {
        accept(&store, message(sender, &format!("tag {lane}"))).await;
        turn(&store, lane, |commit| {
            tag(commit, Effect::Tag { name: "vip".into(), expires: None });
        })
        .await;
    }
    let broadcast = Broadcast {
        channel: main_channel(),
        step: "promo".into(),
        id: "spring".into(),
        to: Segment { all: vec!["vip".into()], ..Segment::default() },
        payload: String::new(),
        started_at: NOW,
        cursor: None,
        reached: 0,
        done: false,
        going: Going::On,
        terms: Terms::default(),
        next_at: 0,
    };
    let begin = accept(&store, account("begin")).await;
    turn(&store, &begin.lane, |commit| commit.broadcasts.push(broadcast.clone())).await;
    let page = store.audience(&broadcast.to, None, 9, NOW).await.unwrap();
    assert_eq!(page.members.len(), 2);
    join(&store).await;
    store.fan_out(&broadcast, page, NOW).await.unwrap();
    turn(&store, &one, |_| {}).await;
    turn(&store, &one, |_| {}).await;
    assert!(store.next_in_lane(&one).await.unwrap().is_none(), "it was reached once");
    assert!(store.open_broadcasts().await.unwrap().is_empty());
}

/// A message that a rule holds stands apart from its contact's queue: it stays
/// where it is, and goes to whoever the contact has become.
pub async fn what_a_rule_holds_goes_to_who_the_contact_became(store: Shared) {
    let (one, other) = two(&store).await;
    accept(&store, message(bsuid("US.1"), "hold this")).await;
    turn(&store, &other, |commit| {
        let item = item(commit, ContactId(2), NOW);
        let to = Address { phone: None, bsuid: Some("US.1".into()) };
        commit.outbox.push(OutboxItem { to, ..item });
    })
    .await;
    let id: SendId = "c2-2-0".parse().unwrap();
    let delivery = Delivery::Held { due: NOW + 50, rule: Rule::Quiet, reason: "at night".into() };
    let record = |delivery| vec![DeliveryRecord { id: id.clone(), delivery, at: NOW }];
    store.record_deliveries(record(delivery)).await.unwrap();
    join(&store).await;
    check_invariants(&store).await;
    let due = store.due_outbox(NOW + 50, 9).await.unwrap();
    assert_eq!(due.iter().map(|item| item.contact).collect::<Vec<_>>(), [ContactId(1)]);
    let attempt = Attempt { opens: true, ..Attempt::new(id.clone(), NOW + 50, NOW + 99) };
    let begun = store.begin_attempts(vec![attempt.clone()]).await.unwrap();
    assert_eq!((begun.len(), begun[0].contact), (1, ContactId(1)));
    assert_eq!(begun[0].to.phone.as_deref(), Some("1"), "where it is reached now");
    assert!(store.begin_attempts(vec![attempt]).await.unwrap().is_empty(), "once");
    // The limits of a restart count it for the one it went to.
    for tried in [store.attempts_since(NOW, 9).await, store.openings_since(NOW, 9).await] {
        let tried = tried.unwrap();
        assert_eq!(tried.iter().map(|one| one.contact).collect::<Vec<_>>(), [ContactId(1)]);
    }
    let sent = Delivery::Sent { message_id: "wamid.held".into() };
    store.record_deliveries(record(sent)).await.unwrap();
    assert!(store.due_outbox(Millis::MAX, 9).await.unwrap().is_empty());
    assert_eq!(store.outbox_of(ContactId(1), 9).await.unwrap()[0].id, id);
    check_invariants(&store).await;
    // Its receipt, which names nobody.
    let told = receipt("wamid.held", None, ReceiptState::Read);
    assert_eq!(accept(&store, receipt_of(None, told)).await.lane, one);
    check_invariants(&store).await;
}
