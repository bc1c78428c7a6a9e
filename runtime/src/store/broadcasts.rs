//! Broadcasts: known for ever, so that none starts twice, and how far each has
//! come.

use super::{
    Audience, Result,
    codec::corrupt,
    engine::Order,
    key::{self, Kind},
    lanes, merge,
    view::View,
};
use crate::model::*;

const WHAT: &str = "broadcast";

/// The entry of a broadcast in the list of open ones.
fn open_key(broadcast: &[u8]) -> Vec<u8> {
    key::relabelled(Kind::OpenBroadcast, broadcast)
}

/// Begins it, unless it was begun before.
pub fn start(view: &mut View<'_>, broadcast: &Broadcast) -> Result<()> {
    let place = key::broadcast(broadcast);
    if view.get(&place)?.is_some() {
        return Ok(());
    }
    if !broadcast.done {
        view.put(open_key(&place), Vec::new())?;
    }
    view.add(WHAT, place, broadcast)
}

pub fn open(view: &View<'_>) -> Result<Vec<Broadcast>> {
    let entries = view.range(&key::all(Kind::OpenBroadcast), Order::Forward);
    entries
        .map(|entry| {
            let (entry, _) = entry?;
            let broadcast = view.read(WHAT, &key::relabelled(Kind::Broadcast, &entry))?;
            broadcast.ok_or_else(|| corrupt(WHAT, "it is open and missing"))
        })
        .collect()
}

pub fn fan_out(
    view: &mut View<'_>,
    broadcast: &Broadcast,
    page: Audience,
    now: Millis,
) -> Result<()> {
    let place = key::broadcast(broadcast);
    let Some(mut stored) = view.read::<Broadcast>(WHAT, &place)? else { return Ok(()) };
    if stored.done || stored.cursor != broadcast.cursor {
        return Ok(());
    }
    for member in &page.members {
        // It has become an older contact, whose turn in the broadcast was
        // before: twice would be worse than not at all.
        if merge::follow(view, *member)? != *member {
            continue;
        }
        let Broadcast { channel, step, id, payload, .. } = &stored;
        let (step, id, payload) = (step.clone(), id.clone(), payload.clone());
        let kind = EventKind::Broadcast { step, id, payload };
        lanes::append_own(view, Lane::Contact(*member), channel, kind, now)?;
    }
    stored.reached += page.members.len() as u64;
    stored.cursor = page.next.or(page.members.last().copied()).or(stored.cursor);
    stored.done = page.next.is_none();
    if stored.done {
        view.delete(open_key(&place));
    }
    view.write(WHAT, place, &stored)
}
