//! The store's contract as cases, each run on every back-end; and what must
//! hold of any store at any time.

mod alike;
mod campaigns;
mod contacts;
mod files;
mod identities;
mod inbox;
mod leaving;
mod merging;
mod outbox;
mod questions;
mod returned;
mod timed;
mod turns;
mod usage;

pub use alike::{Action, actions, compare};
pub use campaigns::*;
pub use contacts::*;
pub use files::*;
pub use identities::*;
pub use inbox::*;
pub use leaving::*;
pub use merging::*;
pub use outbox::*;
pub use questions::*;
pub use returned::*;
pub use timed::*;
pub use turns::*;
pub use usage::*;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use switchboard::{model::*, store::Store};

pub type Shared = Arc<dyn Store>;

/// When the cases take place.
pub const NOW: Millis = 1_700_000_000_000;

pub fn main_channel() -> ChannelId {
    ChannelId::new("main")
}

pub fn phone(digits: &str) -> Sender {
    Sender { phone: Some(digits.into()), ..Sender::default() }
}

pub fn bsuid(id: &str) -> Sender {
    Sender { bsuid: Some(id.into()), ..Sender::default() }
}

pub fn both(digits: &str, id: &str) -> Sender {
    Sender { bsuid: Some(id.into()), ..phone(digits) }
}

/// In the default portfolio.
pub async fn find(store: &Shared, identity: &Identity) -> Option<ContactId> {
    store.find_contact(&Portfolio::default(), identity).await.unwrap()
}

/// A message of a sender, whose key is its text.
pub fn message(sender: Sender, text: &str) -> Happening {
    Happening {
        channel: main_channel(),
        dedup: text.into(),
        sender: Some(sender),
        kind: EventKind::Message(Message {
            id: format!("wamid.{text}"),
            sent_at: NOW,
            content: Content::Text(text.into()),
            replies_to: None,
            referral: None,
            forwarded: false,
            product: None,
        }),
        raw: "{}".into(),
    }
}

/// Something of the channel, whose key is `dedup`.
pub fn account(dedup: &str) -> Happening {
    let kind = EventKind::Account { field: "quality".into(), news: Default::default() };
    Happening { channel: main_channel(), dedup: dedup.into(), sender: None, kind, raw: "{}".into() }
}

pub fn receipt(message_id: &str, send: Option<&SendId>, state: ReceiptState) -> Receipt {
    Receipt {
        message_id: message_id.into(),
        send: send.cloned(),
        state,
        at: NOW,
        error: None,
        pricing: None,
        free_until: None,
    }
}

pub fn receipt_of(sender: Option<Sender>, receipt: Receipt) -> Happening {
    let dedup = format!("{}/{}", receipt.message_id, receipt.state.name());
    let kind = EventKind::Receipt(receipt);
    Happening { channel: main_channel(), dedup, sender, kind, raw: "{}".into() }
}

pub async fn accept(store: &Shared, happening: Happening) -> EventId {
    match store.accept(vec![happening], NOW).await.unwrap().remove(0) {
        Accepted::New(id) => id,
        Accepted::Duplicate => panic!("a duplicate"),
    }
}

/// A contact with one message, already dealt with.
pub async fn contact(store: &Shared, digits: &str) -> ContactId {
    let event = accept(store, message(phone(digits), &format!("hello from {digits}"))).await;
    turn(store, &event.lane, |_| {}).await;
    event.lane.contact().unwrap()
}

/// Runs a turn on the lane's next event, which commits.
pub async fn turn(store: &Shared, lane: &Lane, fill: impl FnOnce(&mut TurnCommit)) -> TurnId {
    let commit = draft(store, lane, fill).await;
    let id = commit.turn.clone();
    assert!(store.commit(commit, NOW).await.unwrap(), "{id} had committed");
    id
}

/// A turn's commit on the lane's next event, with the contact as it stands.
pub async fn draft(store: &Shared, lane: &Lane, fill: impl FnOnce(&mut TurnCommit)) -> TurnCommit {
    let snapshot = store.next_in_lane(lane).await.unwrap().expect("an event");
    let mut commit = TurnCommit::new(snapshot.event.id);
    commit.contact = snapshot.contact;
    fill(&mut commit);
    commit
}

/// The next message of the turn, due at `due`.
pub fn item(commit: &TurnCommit, contact: ContactId, due: Millis) -> OutboxItem {
    OutboxItem {
        state: SendState::Waiting { due },
        ..OutboxItem::new(
            SendId { turn: commit.turn.clone(), index: commit.outbox.len() as u32 },
            (main_channel(), contact, Address { phone: Some("15550001111".into()), bsuid: None }),
            Outgoing::Text("hello".into()),
            "faq",
            NOW,
        )
    }
}

pub fn trace(turn: &TurnId, at: Millis) -> Trace {
    Trace {
        turn: turn.clone(),
        channel: main_channel(),
        event: "message".into(),
        text: Some("hello".into()),
        media: None,
        at,
        generation: 1,
        steps: Vec::new(),
        sends: Vec::new(),
        remarks: vec!["a remark".into()],
        duration_us: 7,
        recording: Default::default(),
        account: None,
    }
}

pub fn timer(lane: &Lane, name: &str, due: Millis) -> Timer {
    let key = TimerKey { lane: lane.clone(), step: "nudge".into(), name: name.into() };
    let payload = format!("{name} at {due}");
    Timer { key, channel: main_channel(), due, payload, member: None, retry: None }
}

pub fn bytes(length: usize, salt: usize) -> Vec<u8> {
    (0..length).map(|n| ((n * 7 + salt) % 251) as u8).collect()
}

/// What must hold of any store at any time, as far as its readers can tell.
pub async fn check_invariants(store: &Shared) {
    const ALL: usize = usize::MAX;
    let depths = store.depths().await.unwrap();

    let ready = store.ready_lanes(None, ALL).await.unwrap();
    assert_eq!(ready.len() as u64, depths.lanes, "ready lanes");
    let mut reached: BTreeSet<ContactId> = BTreeSet::new();
    for lane in &ready {
        let snapshot = store.next_in_lane(lane).await.unwrap().expect("a ready lane has an event");
        assert_eq!(snapshot.event.id.lane, *lane);
        reached.extend(lane.contact());
    }

    let contacts = store.contacts(None, ALL).await.unwrap();
    reached.extend(contacts.iter().map(|contact| contact.id));
    let mut tagged: BTreeMap<&str, Vec<ContactId>> = BTreeMap::new();
    for contact in &contacts {
        for tag in contact.tags_at(0) {
            tagged.entry(&tag.name).or_default().push(contact.id);
        }
    }
    for (name, members) in tagged {
        let segment = Segment { all: vec![name.into()], ..Segment::default() };
        let found = store.audience(&segment, None, 1_000, 0).await.unwrap();
        assert_eq!(found.members, members, "contacts tagged {name}");
    }

    let due = store.due_outbox(Millis::MAX, ALL).await.unwrap();
    assert_eq!(due.len() as u64, depths.outbox, "queues");
    reached.extend(due.iter().map(|item| item.contact));
    let dues: Vec<_> = due.iter().map(|item| item.due().expect("due items are queued")).collect();
    assert!(dues.is_sorted(), "the earliest first: {dues:?}");
    assert_eq!(store.next_outbox().await.unwrap(), dues.first().copied());
    for contact in reached {
        let mut items = store.outbox_of(contact, ALL).await.unwrap();
        items.reverse();
        let queued = || items.iter().filter(|item| item.due().is_some());
        // What was taken and has not failed is sent no more.
        let lives = |item: &OutboxItem| item.copies.iter().any(|copy| !copy.failed);
        assert!(!queued().any(lives), "{contact}");
        let apart = |item: &&OutboxItem| item.apart;
        let first = queued().find(|item| !apart(item));
        let mut expected: Vec<_> =
            queued().filter(apart).chain(first).map(|item| &item.id).collect();
        expected.sort();
        let here = due.iter().filter(|item| item.contact == contact);
        let mut here: Vec<_> = here.map(|item| &item.id).collect();
        here.sort();
        assert_eq!(here, expected, "the first queued item of {contact} and those apart are due");
    }

    let timers = store.due_timers(Millis::MAX, ALL).await.unwrap();
    assert_eq!(timers.len() as u64, depths.timers, "timers");
    assert!(timers.is_sorted_by_key(|timer| timer.due));
    assert_eq!(store.next_timer().await.unwrap(), timers.first().map(|timer| timer.due));
    assert!(store.open_broadcasts().await.unwrap().iter().all(|broadcast| !broadcast.done));
}
