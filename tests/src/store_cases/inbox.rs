//! Accepting: duplicates, lanes, whom an event belongs to.

use super::*;
use switchboard::store::{Aside, DEDUP_MS};

pub async fn one_of_many_copies_is_new(store: Shared) {
    let mut copies = Vec::new();
    for n in 0..50 {
        let store = store.clone();
        let batch = vec![message(phone("1"), "copy"), account(&format!("other {n}"))];
        copies.push(tokio::spawn(async move { store.accept(batch, NOW).await.unwrap() }));
    }
    let mut new = 0;
    for copy in copies {
        let answers = copy.await.unwrap();
        assert!(matches!(answers[1], Accepted::New(_)));
        new += usize::from(answers[0] != Accepted::Duplicate);
    }
    assert_eq!(new, 1);
    assert_eq!(store.depths().await.unwrap().lanes, 2);
}

pub async fn duplicates_are_known_for_two_weeks_per_channel(store: Shared) {
    let copy = || message(phone("1"), "hi");
    let mut elsewhere = copy();
    elsewhere.channel = ChannelId::new("second");
    let answers = store.accept(vec![copy(), copy(), elsewhere], NOW).await.unwrap();
    let lane = Lane::Contact(ContactId(1));
    let id = |seq| Accepted::New(EventId { lane: lane.clone(), seq });
    assert_eq!(answers, [id(1), Accepted::Duplicate, id(2)]);
    let just_before = store.accept(vec![copy()], NOW + DEDUP_MS - 1).await.unwrap();
    assert_eq!(just_before, [Accepted::Duplicate]);
    assert_eq!(store.accept(vec![copy()], NOW + DEDUP_MS).await.unwrap(), [id(3)]);
    assert_eq!(store.accept(vec![copy()], NOW + DEDUP_MS).await.unwrap(), [Accepted::Duplicate]);
    // The end of the first key's time is not the end of the second's.
    store.sweep(NOW + DEDUP_MS, u64::MAX).await.unwrap();
    assert_eq!(store.accept(vec![copy()], NOW + DEDUP_MS).await.unwrap(), [Accepted::Duplicate]);
}

pub async fn lanes_keep_their_order(store: Shared) {
    let batch = vec![
        message(phone("1"), "a1"),
        message(phone("2"), "b1"),
        account("quality"),
        message(phone("1"), "a2"),
    ];
    let answers = store.accept(batch, NOW + 5).await.unwrap();
    let ids: Vec<String> = answers
        .iter()
        .map(|answer| match answer {
            Accepted::New(id) => id.to_string(),
            Accepted::Duplicate => "duplicate".into(),
        })
        .collect();
    assert_eq!(ids, ["c1-1", "c2-1", "@main-1", "c1-2"]);

    let lanes: Vec<Lane> = ["c1", "c2", "@main"].map(|lane| lane.parse().unwrap()).into();
    assert_eq!(store.ready_lanes(None, 9).await.unwrap(), lanes);
    assert_eq!(store.ready_lanes(None, 2).await.unwrap(), lanes[..2]);
    assert_eq!(store.ready_lanes(Some(&lanes[0]), 9).await.unwrap(), lanes[1..]);
    let unknown = "c1000".parse().unwrap();
    assert_eq!(store.ready_lanes(Some(&unknown), 9).await.unwrap(), lanes[2..]);

    let first = store.next_in_lane(&lanes[0]).await.unwrap().unwrap();
    let EventKind::Message(said) = &first.event.kind else { panic!("{:?}", first.event) };
    assert_eq!(said.content, Content::Text("a1".into()));
    assert_eq!(first.event.accepted_at, NOW + 5);
    assert_eq!(first.event.sender, Some(phone("1")));
    let known = Contact { phone: Some("1".into()), ..Contact::new(ContactId(1)) };
    assert_eq!(first.contact, Some(known.clone()), "accepting takes in the ids and no more");
    assert_eq!(store.contact(ContactId(1)).await.unwrap(), Some(known));
    let channel = store.next_in_lane(&lanes[2]).await.unwrap().unwrap();
    assert_eq!(channel.contact, None);

    assert_eq!(turn(&store, &lanes[0], |_| {}).await.to_string(), "c1-1");
    assert_eq!(turn(&store, &lanes[0], |_| {}).await.to_string(), "c1-2");
    assert!(store.next_in_lane(&lanes[0]).await.unwrap().is_none());
    assert_eq!(store.ready_lanes(None, 9).await.unwrap(), lanes[1..]);
    let later = accept(&store, message(phone("1"), "a3")).await;
    assert_eq!(later.to_string(), "c1-3", "numbers are never given twice");
    check_invariants(&store).await;
}

pub async fn receipts_find_the_lane_of_their_message(store: Shared) {
    let ann = contact(&store, "1").await;
    let bob = contact(&store, "2").await;
    accept(&store, message(phone("1"), "hello")).await;
    let mut send = None;
    turn(&store, &Lane::Contact(ann), |commit| {
        // Ann's turn writes to Bob.
        let item = item(commit, bob, NOW);
        send = Some(item.id.clone());
        commit.outbox.push(item);
    })
    .await;
    let send = send.unwrap();
    let lane_of =
        async |sender, receipt| accept(&store, receipt_of(sender, receipt)).await.lane.to_string();
    use ReceiptState::*;
    // By the id that was sent along, though the message's id is not known yet.
    let of_bob = format!("{bob}");
    assert_eq!(lane_of(None, receipt("wamid.x", Some(&send), Sent)).await, of_bob);
    // Not by an id we never heard of; then by the sender if he is known.
    assert_eq!(lane_of(None, receipt("wamid.x", None, Sent.max(Failed))).await, "@main");
    let stranger = "c77-1-0".parse().unwrap();
    assert_eq!(lane_of(Some(phone("1")), receipt("wamid.y", Some(&stranger), Sent)).await, "c1");
    assert_eq!(lane_of(Some(phone("9")), receipt("wamid.z", None, Sent)).await, "@main");
    assert_eq!(find(&store, &Identity::Phone("9".into())).await, None);

    let begun = Attempt::new(send.clone(), NOW, NOW + 1);
    store.begin_attempts(vec![begun]).await.unwrap();
    let delivery = Delivery::Sent { message_id: "wamid.x".into() };
    store.record_deliveries(vec![DeliveryRecord { id: send, delivery, at: NOW }]).await.unwrap();
    assert_eq!(lane_of(Some(phone("1")), receipt("wamid.x", None, Read)).await, of_bob);
}

pub async fn long_bodies_are_kept_whole(store: Shared) {
    let mut big = message(phone("1"), "big");
    big.raw = "x".repeat(3_000_000);
    let raw = big.raw.clone();
    let id = accept(&store, big).await;
    let aside = |reason: &str, length| Aside {
        channel: main_channel(),
        reason: reason.into(),
        body: bytes(length, 1),
        at: NOW,
    };
    for (reason, length) in [("empty", 0), ("long", 3_000_000), ("short", 10)] {
        store.set_aside(aside(reason, length)).await.unwrap();
    }
    let snapshot = store.next_in_lane(&id.lane).await.unwrap().unwrap();
    assert!(snapshot.event.raw == raw, "the raw body differs");
    let asides = store.asides(2).await.unwrap();
    assert!(asides == [aside("short", 10), aside("long", 3_000_000)], "the newest first, whole");
    turn(&store, &id.lane, |_| {}).await;
    assert!(store.next_in_lane(&id.lane).await.unwrap().is_none());
}
