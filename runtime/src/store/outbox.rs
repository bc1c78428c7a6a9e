//! The way out: items, each contact's queue of those that are not history, and
//! the heads of the queues by due time. As only heads stand there, a contact's
//! messages leave in order however long one of them takes. An item that a rule
//! holds stands apart from the queue, so that nothing waits behind it; so does
//! one that came back, as what was behind it has left.

mod join;

pub use join::join;

use super::{
    Result, broadcasts,
    codec::corrupt,
    contacts, counts,
    engine::{Order, Span},
    key::{self, Count, Kind, Reader},
    members, merge, pace, spent,
    view::View,
};
use crate::model::*;
use serde::{Deserialize, Serialize};

const WHAT: &str = "outbox item";

#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    item: OutboxItem,
    /// Its number among all that was ever to be sent to the contact.
    place: u64,
    /// Since when it is history: it may come back from there.
    #[serde(default)]
    ended_at: Option<Millis>,
    /// What it costs unless it fails.
    #[serde(default)]
    charge: Option<Charge>,
    /// Whether that is counted.
    #[serde(default)]
    charged: bool,
}

impl Stored {
    fn new(item: OutboxItem, place: u64) -> Self {
        Self { item, place, ended_at: None, charge: None, charged: false }
    }

    fn has(&self, copy: &SentCopy) -> bool {
        self.item.copies.iter().any(|known| known.message_id == copy.message_id)
    }
}

fn read(view: &View<'_>, id: &SendId) -> Result<Option<Stored>> {
    view.read(WHAT, &key::item(id))
}

/// An item, and what it is charged as it stands.
pub fn with_charge(view: &View<'_>, id: &SendId) -> Result<Option<(OutboxItem, Option<Charge>)>> {
    let charge = |stored: &Stored| stored.charge.clone().filter(|_| stored.charged);
    Ok(read(view, id)?.map(|stored| (stored.item.clone(), charge(&stored))))
}

/// The item that the provider knows by this id.
pub fn by_message_id(view: &View<'_>, message_id: &str) -> Result<Option<OutboxItem>> {
    match view.get(&key::message_id(message_id))? {
        Some(pointer) => Ok(Some(pointed_at(view, &pointer)?.item)),
        None => Ok(None),
    }
}

pub fn item(view: &View<'_>, id: &SendId) -> Result<Option<OutboxItem>> {
    Ok(read(view, id)?.map(|stored| stored.item))
}

/// What was sent or is to be sent to a contact and all that it was, the newest
/// first.
pub fn items_of(view: &View<'_>, contact: ContactId, limit: usize) -> Result<Vec<OutboxItem>> {
    let of = |contact| {
        let places = view.range(&key::sent_to(contact), Order::Reverse).take(limit);
        places.map(|place| pointed_at(view, &place?.1).map(|stored| stored.item)).collect()
    };
    let lists = merge::all_of(view, contact)?.into_iter().map(of).collect::<Result<Vec<_>>>()?;
    Ok(merge::newest(lists, limit, |item: &OutboxItem| item.created_at))
}

fn pointed_at(view: &View<'_>, pointer: &[u8]) -> Result<Stored> {
    let id = Reader::of_value(pointer).send().ok_or_else(|| corrupt(WHAT, "a broken pointer"))?;
    read(view, &id)?.ok_or_else(|| corrupt(WHAT, format!("{id} is missing")))
}

/// How long the stored item is that a pointer leads to.
pub fn bytes(view: &View<'_>, pointer: &[u8]) -> Result<u64> {
    let id = Reader::of_value(pointer).send().ok_or_else(|| corrupt(WHAT, "a broken pointer"))?;
    let place = key::item(&id);
    view.get(&place)?.map_or(Ok(0), |head| view.length(&place, &head))
}

// The queue.

pub fn push(view: &mut View<'_>, mut item: OutboxItem) -> Result<()> {
    item.contact = merge::follow(view, item.contact)?;
    let contact = item.contact;
    members::note_sent(view, &item)?;
    let last = view.first(&key::sent_to(contact), Order::Reverse)?;
    let place = 1 + last.and_then(|(key, _)| place_in(&key)).unwrap_or(0);
    let mut stored = Stored::new(item, place);
    let pointer = key::send_value(&stored.item.id);
    view.put(key::sent(contact, place), pointer.clone())?;
    match stored.item.due() {
        Some(due) => {
            if head(view, contact)?.is_none() {
                view.put(key::item_due(due, contact), pointer.clone())?;
                counts::up(view, Count::Outbox)?;
            }
            view.put(key::queue(contact, place), pointer)?;
        }
        None => end(view, &mut stored)?,
    }
    view.write(WHAT, key::item(&stored.item.id), &stored)
}

/// The place of a contact's first queued item, and the pointer to it.
fn head(view: &View<'_>, contact: ContactId) -> Result<Option<(u64, Vec<u8>)>> {
    let first = view.first(&key::queued_for(contact), Order::Forward)?;
    Ok(first.and_then(|(key, pointer)| Some((place_in(&key)?, pointer))))
}

fn is_head(view: &View<'_>, stored: &Stored) -> Result<bool> {
    let head = head(view, stored.item.contact)?;
    Ok(head.is_some_and(|(place, _)| place == stored.place))
}

/// Of keys that end in a contact and a place.
fn place_in(key: &[u8]) -> Option<u64> {
    let mut key = Reader::of_key(key);
    key.u64().and_then(|_| key.u64())
}

/// Writes an item that changed and moves its contact's queue accordingly.
fn update(view: &mut View<'_>, old: &Stored, mut new: Stored) -> Result<()> {
    let (id, contact) = (&old.item.id, old.item.contact);
    match (old.item.due(), new.item.due()) {
        (Some(before), Some(due)) if new.item.apart => {
            if old.item.apart {
                view.delete(key::item_due_apart(before, contact, id));
            } else {
                leave_queue(view, old, before)?;
                counts::up(view, Count::Outbox)?;
            }
            view.put(key::item_due_apart(due, contact, id), key::send_value(id))?;
        }
        (Some(before), Some(due)) if before != due => {
            if is_head(view, &new)? {
                view.delete(key::item_due(before, contact));
                view.put(key::item_due(due, contact), key::send_value(id))?;
            }
        }
        (Some(before), None) => {
            if old.item.apart {
                view.delete(key::item_due_apart(before, contact, id));
                counts::down(view, Count::Outbox)?;
            } else {
                leave_queue(view, old, before)?;
            }
            end(view, &mut new)?;
        }
        // It came back.
        (None, Some(due)) => {
            if let Some(ended_at) = new.ended_at.take() {
                view.delete(key::timed(Kind::ItemAge, ended_at, &key::item(id)));
            }
            view.put(key::item_due_apart(due, contact, id), key::send_value(id))?;
            counts::up(view, Count::Outbox)?;
        }
        // Not moved; or history, which it stays.
        (Some(_), Some(_)) | (None, None) => {}
    }
    for copy in new.item.copies.iter().filter(|copy| !old.has(copy)) {
        // Lets receipts find the item by this id.
        view.put(key::message_id(&copy.message_id), key::send_value(id))?;
    }
    view.write(WHAT, key::item(id), &new)
}

fn leave_queue(view: &mut View<'_>, old: &Stored, due: Millis) -> Result<()> {
    let contact = old.item.contact;
    let was_head = is_head(view, old)?;
    view.delete(key::queue(contact, old.place));
    if was_head {
        view.delete(key::item_due(due, contact));
        promote(view, contact)?;
    }
    Ok(())
}

/// Makes the first that is left the one that is due.
fn promote(view: &mut View<'_>, contact: ContactId) -> Result<()> {
    let Some((_, pointer)) = head(view, contact)? else {
        return counts::down(view, Count::Outbox);
    };
    let due = pointed_at(view, &pointer)?.item.due();
    let due = due.ok_or_else(|| corrupt(WHAT, "history stands in a queue"))?;
    view.put(key::item_due(due, contact), pointer)
}

/// It is history from now on.
fn end(view: &mut View<'_>, stored: &mut Stored) -> Result<()> {
    let at = stored.item.updated_at;
    stored.ended_at = Some(at);
    view.put(key::timed(Kind::ItemAge, at, &key::item(&stored.item.id)), Vec::new())
}

pub fn due(view: &View<'_>, now: Millis, limit: usize) -> Result<Vec<OutboxItem>> {
    listed(view, &key::until(Kind::ItemDue, now), limit)
}

pub fn later(view: &View<'_>, after: Millis, limit: usize) -> Result<Vec<OutboxItem>> {
    listed(view, &key::since(Kind::ItemDue, after.saturating_add(1)), limit)
}

fn listed(view: &View<'_>, span: &Span, limit: usize) -> Result<Vec<OutboxItem>> {
    let entries = view.range(span, Order::Forward).take(limit);
    entries.map(|entry| current(view, pointed_at(view, &entry?.1)?)).collect()
}

/// The item, of whoever its contact is by now: one apart from the queue stays
/// where it stands when two contacts become one.
fn current(view: &View<'_>, Stored { mut item, .. }: Stored) -> Result<OutboxItem> {
    if item.apart {
        item.contact = merge::follow(view, item.contact)?;
    }
    Ok(item)
}

pub fn next(view: &View<'_>) -> Result<Option<Millis>> {
    let first = view.first(&key::all(Kind::ItemDue), Order::Forward)?;
    Ok(first.and_then(|(entry, _)| Reader::of_key(&entry).u64()))
}

// Attempts and receipts.

/// Only what is due at `since` may be attempted: so an item that another
/// attempt has just begun with is not sent twice. It goes to where the contact
/// is reached now; one that lost its last address is not attempted.
pub fn begin(view: &mut View<'_>, attempts: Vec<Attempt>) -> Result<Vec<OutboxItem>> {
    let mut begun = Vec::new();
    for attempt in attempts {
        let Some(mut stored) = read(view, &attempt.id)? else { continue };
        let may_begin = stored.item.may_begin(attempt.since) && goes_on(view, &stored.item)?;
        if may_begin && (stored.item.apart || is_head(view, &stored)?) {
            let old = stored.clone();
            if let Some(contact) = contacts::of(view, old.item.contact)? {
                if !contact.is_reachable() {
                    continue;
                }
                stored.item.to = contact.address();
            }
            stored.item.begin(&attempt);
            charge(view, &mut stored, attempt.charge.clone())?;
            update(view, &old, stored.clone())?;
            let item = current(view, stored)?;
            pace::note(view, &item, &attempt)?;
            begun.push(item);
        }
    }
    Ok(begun)
}

/// Whether its campaign does, if it is of one.
fn goes_on(view: &View<'_>, item: &OutboxItem) -> Result<bool> {
    let Some(campaign) = item.campaign() else { return Ok(true) };
    let broadcast = broadcasts::read(view, &campaign)?;
    Ok(broadcast.is_none_or(|broadcast| broadcast.going == Going::On))
}

pub fn record(view: &mut View<'_>, records: Vec<DeliveryRecord>) -> Result<()> {
    for record in records {
        let Some(mut stored) = read(view, &record.id)? else { continue };
        let old = stored.clone();
        stored.item.record(&record);
        count_charge(view, &mut stored)?;
        update(view, &old, stored)?;
    }
    Ok(())
}

/// Lets those go again that have failed, each from a moment on. Returns which.
pub fn revive(
    view: &mut View<'_>,
    failed: Vec<(SendId, Millis)>,
    now: Millis,
) -> Result<Vec<SendId>> {
    let mut revived = Vec::new();
    for (id, due) in failed {
        let Some(mut stored) = read(view, &id)? else { continue };
        let old = stored.clone();
        if stored.item.revive(due, now) {
            update(view, &old, stored)?;
            revived.push(id);
        }
    }
    Ok(revived)
}

/// Puts what an attempt costs in the place of what the one before did, and
/// counts it from now on: its end may never be known.
fn charge(view: &mut View<'_>, stored: &mut Stored, charge: Option<Charge>) -> Result<()> {
    if let Some(before) = &stored.charge
        && std::mem::take(&mut stored.charged)
    {
        spent::count(view, &stored.item.channel, before, false)?;
    }
    stored.charge = charge;
    count_charge(view, stored)
}

/// Counts what a message costs while it may have been taken, and takes it back
/// if it was not, or failed after all: each once.
fn count_charge(view: &mut View<'_>, stored: &mut Stored) -> Result<()> {
    let owed = matches!(stored.item.state, SendState::Sent | SendState::Attempting { .. });
    let Some(charge) = &stored.charge else { return Ok(()) };
    if owed != stored.charged {
        spent::count(view, &stored.item.channel, charge, owed)?;
        stored.charged = owed;
    }
    Ok(())
}

pub fn receive(
    view: &mut View<'_>,
    receipt: &Receipt,
    failure: Option<Failure>,
    now: Millis,
) -> Result<()> {
    let Some(mut stored) = find(view, receipt)? else { return Ok(()) };
    let old = stored.clone();
    stored.item.receive(&receipt.message_id, receipt.state, failure, now);
    if receipt.pricing.as_ref().is_some_and(|pricing| !pricing.billable)
        && let Some(charge) = &mut stored.charge
    {
        // The provider says so itself.
        if std::mem::take(&mut stored.charged) {
            spent::count(view, &stored.item.channel, charge, false)?;
        }
        charge.micros = 0;
    }
    count_charge(view, &mut stored)?;
    update(view, &old, stored)
}

/// The item that a receipt is about, if we know it.
pub fn of_receipt(view: &View<'_>, receipt: &Receipt) -> Result<Option<OutboxItem>> {
    Ok(find(view, receipt)?.map(|stored| stored.item))
}

fn find(view: &View<'_>, receipt: &Receipt) -> Result<Option<Stored>> {
    if let Some(id) = &receipt.send
        && let Some(stored) = read(view, id)?
    {
        return Ok(Some(stored));
    }
    match view.get(&key::message_id(&receipt.message_id))? {
        Some(pointer) => pointed_at(view, &pointer).map(Some),
        None => Ok(None),
    }
}

/// Removes an item that is history, with all that points to it.
pub fn forget(view: &mut View<'_>, key: &[u8]) -> Result<()> {
    let Some(stored) = view.read::<Stored>(WHAT, key)? else { return Ok(()) };
    members::before_forgotten(view, &stored.item)?;
    for copy in &stored.item.copies {
        view.delete(key::message_id(&copy.message_id));
    }
    view.delete(key::sent(stored.item.contact, stored.place));
    view.delete_long(key.to_vec())
}
