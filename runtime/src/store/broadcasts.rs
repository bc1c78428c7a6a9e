//! Broadcasts: known for ever, so that none starts twice, how far each has
//! come, and whether it is to go on.

use super::{
    Audience, Result,
    codec::corrupt,
    engine::Order,
    key::{self, Kind},
    lanes, members, merge,
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
    let place = key::broadcast(&broadcast.key());
    if view.get(&place)?.is_some() {
        return Ok(());
    }
    if !broadcast.done {
        view.put(open_key(&place), Vec::new())?;
    }
    view.add(WHAT, place, broadcast)
}

pub fn read(view: &View<'_>, key: &CampaignKey) -> Result<Option<Broadcast>> {
    view.read(WHAT, &key::broadcast(key))
}

pub fn campaign(view: &View<'_>, key: &CampaignKey) -> Result<Option<Campaign>> {
    let Some(broadcast) = read(view, key)? else { return Ok(None) };
    Ok(Some(Campaign { broadcast, past: members::past(view, key)? }))
}

pub fn newest(view: &View<'_>, limit: usize) -> Result<Vec<Broadcast>> {
    let mut all: Vec<Broadcast> =
        view.list(WHAT, &key::all(Kind::Broadcast), Order::Forward, usize::MAX)?;
    all.sort_by_key(|broadcast| std::cmp::Reverse(broadcast.started_at));
    all.truncate(limit);
    Ok(all)
}

/// How it goes from now on; what is stopped stays so.
pub fn steer(view: &mut View<'_>, key: &CampaignKey, going: Going) -> Result<Option<Going>> {
    let Some(mut stored) = read(view, key)? else { return Ok(None) };
    if stored.going == Going::Stopped || stored.going == going {
        return Ok(Some(stored.going));
    }
    stored.going = going;
    let place = key::broadcast(key);
    if going == Going::Stopped && !stored.done {
        stored.done = true;
        view.delete(open_key(&place));
    }
    view.write(WHAT, place, &stored)?;
    Ok(Some(going))
}

/// Those that go on reaching members.
pub fn open(view: &View<'_>) -> Result<Vec<Broadcast>> {
    let entries = view.range(&key::all(Kind::OpenBroadcast), Order::Forward);
    let mut open = Vec::new();
    for entry in entries {
        let (entry, _) = entry?;
        let broadcast = view.read(WHAT, &key::relabelled(Kind::Broadcast, &entry))?;
        let broadcast: Broadcast =
            broadcast.ok_or_else(|| corrupt(WHAT, "it is open and missing"))?;
        if broadcast.going == Going::On {
            open.push(broadcast);
        }
    }
    Ok(open)
}

pub fn fan_out(
    view: &mut View<'_>,
    broadcast: &Broadcast,
    page: Audience,
    now: Millis,
) -> Result<()> {
    let campaign = broadcast.key();
    let place = key::broadcast(&campaign);
    let Some(mut stored) = view.read::<Broadcast>(WHAT, &place)? else { return Ok(()) };
    if stored.done || stored.going != Going::On || stored.cursor != broadcast.cursor {
        return Ok(());
    }
    let mut reached = 0;
    for member in &page.members {
        // It has become an older contact, whose turn in the broadcast was
        // before: twice would be worse than not at all.
        if merge::follow(view, *member)? != *member {
            continue;
        }
        let Broadcast { channel, step, id, payload, .. } = &stored;
        let (step, id, payload) = (step.clone(), id.clone(), payload.clone());
        let carried = Membership { campaign: id.clone(), contact: *member };
        let kind = EventKind::Broadcast { step, id, payload };
        lanes::append_own(view, Lane::Contact(*member), channel, kind, (Some(carried), 0), now)?;
        members::reach(view, &campaign, *member, now)?;
        reached += 1;
    }
    stored.reached += reached;
    stored.next_at = now.saturating_add(stored.terms.pause_ms(page.members.len() as u64));
    stored.cursor = page.next.or(page.members.last().copied()).or(stored.cursor);
    stored.done = page.next.is_none();
    if stored.done {
        view.delete(open_key(&place));
    }
    view.write(WHAT, place, &stored)
}
