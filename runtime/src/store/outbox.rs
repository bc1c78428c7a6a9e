//! The way out: items, each contact's queue of those that are not history, and
//! the heads of the queues by due time. As only heads stand there, a contact's
//! messages leave in order however long one of them takes. An item that a rule
//! holds stands apart from the queue, so that nothing waits behind it.

mod join;

pub use join::join;

use super::{
    Result,
    codec::corrupt,
    contacts, counts,
    engine::Order,
    key::{self, Count, Kind, Reader},
    merge, pace, spent,
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
    /// Every id the provider gave it: an item that was sent again after an
    /// attempt whose end was unknown may have two.
    message_ids: Vec<String>,
    /// A rule has held it: it is in no queue, and due by itself.
    #[serde(default)]
    apart: bool,
    /// What it costs unless it fails.
    #[serde(default)]
    charge: Option<Charge>,
    /// Whether that is counted.
    #[serde(default)]
    charged: bool,
}

impl Stored {
    fn new(item: OutboxItem, place: u64) -> Self {
        let (message_ids, charge) = (Vec::new(), None);
        Self { item, place, message_ids, apart: false, charge, charged: false }
    }
}

fn read(view: &View<'_>, id: &SendId) -> Result<Option<Stored>> {
    view.read(WHAT, &key::item(id))
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
        None => remember_age(view, &stored.item)?,
    }
    if let Some(id) = stored.item.message_id.clone() {
        learn_id(view, &mut stored, &id)?;
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
fn update(view: &mut View<'_>, old: &Stored, new: &Stored) -> Result<()> {
    let (id, contact) = (&old.item.id, old.item.contact);
    match (old.item.due(), new.item.due()) {
        (Some(before), Some(due)) if new.apart => {
            if old.apart {
                view.delete(key::item_due_apart(before, contact, id));
            } else {
                leave_queue(view, old, before)?;
                counts::up(view, Count::Outbox)?;
            }
            view.put(key::item_due_apart(due, contact, id), key::send_value(id))?;
        }
        (Some(before), Some(due)) if before != due => {
            if is_head(view, new)? {
                view.delete(key::item_due(before, contact));
                view.put(key::item_due(due, contact), key::send_value(id))?;
            }
        }
        (Some(before), None) => {
            if old.apart {
                view.delete(key::item_due_apart(before, contact, id));
                counts::down(view, Count::Outbox)?;
            } else {
                leave_queue(view, old, before)?;
            }
            remember_age(view, &new.item)?;
        }
        // Not moved; or history, which stays history.
        (Some(_), Some(_)) | (None, _) => {}
    }
    view.write(WHAT, key::item(id), new)
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

fn remember_age(view: &mut View<'_>, item: &OutboxItem) -> Result<()> {
    view.put(key::timed(Kind::ItemAge, item.updated_at, &key::item(&item.id)), Vec::new())
}

pub fn due(view: &View<'_>, now: Millis, limit: usize) -> Result<Vec<OutboxItem>> {
    let entries = view.range(&key::until(Kind::ItemDue, now), Order::Forward).take(limit);
    entries.map(|entry| current(view, pointed_at(view, &entry?.1)?)).collect()
}

/// The item, of whoever its contact is by now: one apart from the queue stays
/// where it stands when two contacts become one.
fn current(view: &View<'_>, Stored { mut item, apart, .. }: Stored) -> Result<OutboxItem> {
    if apart {
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
        let due = stored.item.due().is_some_and(|due| due <= attempt.since);
        if due && (stored.apart || is_head(view, &stored)?) {
            let old = stored.clone();
            if let Some(contact) = contacts::of(view, old.item.contact)? {
                if !contact.is_reachable() {
                    continue;
                }
                stored.item.to = contact.address();
            }
            stored.item.begin(&attempt);
            charge(view, &mut stored, attempt.charge.clone())?;
            update(view, &old, &stored)?;
            let item = current(view, stored)?;
            pace::note(view, &item, &attempt)?;
            begun.push(item);
        }
    }
    Ok(begun)
}

pub fn record(view: &mut View<'_>, records: Vec<DeliveryRecord>) -> Result<()> {
    for record in records {
        let Some(mut stored) = read(view, &record.id)? else { continue };
        let old = stored.clone();
        stored.item.record(&record);
        match &record.delivery {
            Delivery::Sent { message_id } => learn_id(view, &mut stored, message_id)?,
            Delivery::Held { .. } => stored.apart |= old.item.due().is_some(),
            Delivery::RetryAfter { .. }
            | Delivery::Rejected { .. }
            | Delivery::Refused { .. }
            | Delivery::Unknown { .. } => {}
        }
        count_charge(view, &mut stored)?;
        update(view, &old, &stored)?;
    }
    Ok(())
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
    reason: Option<String>,
    now: Millis,
) -> Result<()> {
    let Some(mut stored) = find(view, receipt)? else { return Ok(()) };
    let old = stored.clone();
    let code = receipt.error.as_ref().map(|(code, _)| *code);
    stored.item.receive(&receipt.message_id, receipt.state, (code, reason), now);
    learn_id(view, &mut stored, &receipt.message_id)?;
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
    update(view, &old, &stored)
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

/// Lets receipts find the item by this id.
fn learn_id(view: &mut View<'_>, stored: &mut Stored, id: &str) -> Result<()> {
    if stored.message_ids.iter().any(|known| known == id) {
        return Ok(());
    }
    stored.message_ids.push(id.into());
    view.put(key::message_id(id), key::send_value(&stored.item.id))
}

/// Removes an item that is history, with all that points to it.
pub fn forget(view: &mut View<'_>, key: &[u8]) -> Result<()> {
    let Some(stored) = view.read::<Stored>(WHAT, key)? else { return Ok(()) };
    for id in &stored.message_ids {
        view.delete(key::message_id(id));
    }
    view.delete(key::sent(stored.item.contact, stored.place));
    view.delete_long(key.to_vec())
}
