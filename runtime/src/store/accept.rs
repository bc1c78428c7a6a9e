//! The way in: each happening is de-duplicated and finds its lane.

use super::{
    DEDUP_MS, Result,
    codec::{numbers, read_numbers},
    contacts,
    key::{self, Kind},
    lanes, media, outbox,
    view::View,
};
use crate::model::*;

pub fn accept(view: &mut View<'_>, batch: Vec<Happening>, now: Millis) -> Result<Vec<Accepted>> {
    batch.into_iter().map(|happening| accept_one(view, happening, now)).collect()
}

fn accept_one(view: &mut View<'_>, happening: Happening, now: Millis) -> Result<Accepted> {
    if !remember(view, &happening, now)? {
        return Ok(Accepted::Duplicate);
    }
    let lane = match addressee(view, &happening)? {
        Some(contact) => Lane::Contact(contact),
        None => Lane::Channel(happening.channel.clone()),
    };
    media::expect(view, &lane, &happening, now)?;
    lanes::append(view, lane, happening, now).map(Accepted::New)
}

/// False if it was remembered already.
fn remember(view: &mut View<'_>, happening: &Happening, now: Millis) -> Result<bool> {
    let seen = key::dedup(&happening.channel, &happening.dedup);
    if let Some(value) = view.get(&seen)? {
        let [until] = read_numbers("key of a happening", &value)?;
        if until > now {
            return Ok(false);
        }
        view.delete(key::timed(Kind::DedupEnd, until, &seen));
    }
    let until = now.saturating_add(DEDUP_MS);
    view.put(key::timed(Kind::DedupEnd, until, &seen), Vec::new())?;
    view.put(seen, numbers([until]))?;
    Ok(true)
}

fn addressee(view: &mut View<'_>, happening: &Happening) -> Result<Option<ContactId>> {
    let identities = happening.sender.as_ref().map(Sender::identities).unwrap_or_default();
    match &happening.kind {
        EventKind::Message(_) => contacts::recognise_or_make(view, &identities),
        EventKind::Receipt(receipt) => match outbox::of_receipt(view, receipt)? {
            Some(item) => Ok(Some(item.contact)),
            None => contacts::recognise(view, &identities),
        },
        EventKind::TimerFired { .. }
        | EventKind::Broadcast { .. }
        | EventKind::Operator(_)
        | EventKind::Account { .. } => contacts::recognise(view, &identities),
    }
}
