//! Two contacts turn out to be one person. The one that was there first stays;
//! what waits for the other and what is kept of it moves over, in the one batch
//! of the event that showed it; its id becomes a pointer.
//!
//! | of the other contact | becomes of it |
//! |---|---|
//! | ids, also those not in its document | lead to the one that stays |
//! | document | `Contact::absorb` |
//! | waiting events | behind those of the one that stays, in order |
//! | queue of messages | one queue, by the time they were asked for; what may have left is first |
//! | history of tags | one history, by time |
//! | key-values, timers | move, unless the one that stays has one of that name |
//! | traces, files, sent messages, held ones, what was put aside | stay under the old id, and are shown with the others |
//!
//! A turn that runs meanwhile in the other's lane finds its event gone and does
//! not commit; the event runs again where it is now. One that runs in the lane
//! that stays and changes the contact is in conflict and runs again.
//!
//! All of it is one write, so it is bounded: where more waits than that, the
//! two stay apart until an event shows it again.

use super::{
    Result,
    codec::{numbers, read_numbers},
    contacts,
    engine::{Order, Span},
    identity, key, kv, lanes, members, outbox, tags, timers,
    view::View,
};
use crate::model::*;
use std::collections::VecDeque;

/// Events, key-values, timers and messages that one merger moves: a write of
/// some thousand keys keeps the others waiting for some tens of milliseconds.
const MOVED_MAX: usize = 2_000;
/// Bytes of all that, held in memory: as much as a group of writes.
const MOVED_BYTES: u64 = 8 * 1024 * 1024;

/// Who the contact has become: itself, mostly.
pub fn follow(view: &View<'_>, id: ContactId) -> Result<ContactId> {
    match view.get(&key::merged(id))? {
        Some(value) => read_numbers("merged contact", &value).map(|[id]| ContactId(id)),
        None => Ok(id),
    }
}

/// Whoever the contact has become, and all others that did.
pub fn all_of(view: &View<'_>, id: ContactId) -> Result<Vec<ContactId>> {
    let id = follow(view, id)?;
    let merged = contacts::read(view, id)?.map(|contact| contact.merged).unwrap_or_default();
    Ok(std::iter::once(id).chain(merged).collect())
}

/// The newest of several lists, each of which has its newest first and keeps
/// its order.
pub fn newest<T>(lists: Vec<Vec<T>>, limit: usize, at: impl Fn(&T) -> Millis) -> Vec<T> {
    let mut lists: Vec<VecDeque<T>> = lists.into_iter().map(VecDeque::from).collect();
    let mut found = Vec::new();
    while found.len() < limit {
        // Of equals, the first list's.
        let newest = lists.iter_mut().rev().max_by_key(|list| list.front().map(&at));
        match newest.and_then(VecDeque::pop_front) {
            Some(one) => found.push(one),
            None => break,
        }
    }
    found
}

/// Makes both one and says which stays. None, with nothing changed: more is to
/// be moved than one write may hold.
pub fn merge(
    view: &mut View<'_>,
    a: ContactId,
    b: ContactId,
    now: Millis,
) -> Result<Option<ContactId>> {
    let (stays, goes) = (a.min(b), a.max(b));
    let before = contacts::read(view, stays)?.unwrap_or_else(|| Contact::new(stays));
    let other = contacts::read(view, goes)?.unwrap_or_else(|| Contact::new(goes));
    let (from, to) = (Lane::Contact(goes), Lane::Contact(stays));
    if !before.has_room_for(&other) || !fits(view, goes, stays)? {
        tracing::warn!(contact.id = %stays, other.id = %goes, "too much to make them one now");
        return Ok(None);
    }
    for id in other.merged.iter().chain([&goes]) {
        view.put(key::merged(*id), numbers([stays.0]))?;
    }
    identity::repoint(view, &other, stays)?;
    lanes::join(view, &from, &to)?;
    timers::join(view, &from, &to)?;
    kv::join(view, &from, &to, now)?;
    outbox::join(view, goes, stays)?;
    tags::join(view, goes, stays)?;
    members::join(view, goes, stays)?;
    contacts::remove(view, &other)?;
    let mut one = before.clone();
    one.absorb(other);
    contacts::write(view, Some(&before), &one)?;
    tracing::info!(contact.id = %stays, other.id = %goes, "two contacts turned out to be one");
    Ok(Some(stays))
}

/// Whether what is to be moved is within the bounds.
fn fits(view: &View<'_>, goes: ContactId, stays: ContactId) -> Result<bool> {
    let lane = Lane::Contact(goes);
    let mut room = Room { left: MOVED_MAX, bytes: MOVED_BYTES };
    for span in [key::events_of(&lane), key::kv_of(&lane), key::timers_in(&lane)] {
        if !room.takes(view, &span, |key, head| view.length(key, head))? {
            return Ok(false);
        }
    }
    for contact in [goes, stays] {
        let queue = key::queued_for(contact);
        if !room.takes(view, &queue, |_, pointer| outbox::bytes(view, pointer))? {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Room {
    left: usize,
    bytes: u64,
}

impl Room {
    /// Whether it takes all of a span too; `bytes` says what a pair comes to.
    fn takes(
        &mut self,
        view: &View<'_>,
        span: &Span,
        bytes: impl Fn(&[u8], &[u8]) -> Result<u64>,
    ) -> Result<bool> {
        for pair in view.range(span, Order::Forward) {
            let (key, value) = pair?;
            let bytes = bytes(&key, &value)?;
            match (self.left.checked_sub(1), self.bytes.checked_sub(bytes)) {
                (Some(left), Some(rest)) => *self = Self { left, bytes: rest },
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_order_among_each_other() {
        let lists = vec![vec![(9, 'a'), (3, 'b'), (5, 'c')], vec![(9, 'd'), (4, 'e')], vec![]];
        let all: String = newest(lists.clone(), 9, |one| one.0).iter().map(|one| one.1).collect();
        assert_eq!(all, "adebc");
        assert_eq!(newest(lists, 2, |one| one.0).len(), 2);
    }
}
