//! The way in: each happening is de-duplicated and finds its lane.

use super::{
    DEDUP_MS, Result,
    codec::{numbers, read_numbers},
    identity::{self, Strangers, When},
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
    let lane = match addressee(view, &happening, now)? {
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

fn addressee(view: &mut View<'_>, happening: &Happening, now: Millis) -> Result<Option<ContactId>> {
    let nobody = Sender::default();
    let sender = happening.sender.as_ref().unwrap_or(&nobody);
    let when = When { at: happened(&happening.kind, now), now };
    match &happening.kind {
        EventKind::Message(message) => match &message.content {
            Content::Notice(notice) => identity::change(view, sender, notice, when),
            Content::Contacts(cards) => {
                let sender = identity::with_own_phone(sender, cards);
                identity::recognise(view, &sender, Strangers::Make, when)
            }
            _ => identity::recognise(view, sender, Strangers::Make, when),
        },
        EventKind::Receipt(receipt) => match outbox::of_receipt(view, receipt)? {
            Some(item) => identity::confirm(view, item.contact, sender, when).map(Some),
            None => identity::recognise(view, sender, Strangers::Leave, when),
        },
        EventKind::Account { news, .. } if news.makes_contact() => {
            identity::recognise(view, sender, Strangers::Make, when)
        }
        EventKind::TimerFired { .. }
        | EventKind::Broadcast { .. }
        | EventKind::Operator(_)
        | EventKind::Account { .. } => identity::recognise(view, sender, Strangers::Leave, when),
    }
}

/// When it happened, as the provider says; now where it says nothing.
fn happened(kind: &EventKind, now: Millis) -> Millis {
    let at = match kind {
        EventKind::Message(message) => message.sent_at,
        EventKind::Receipt(receipt) => receipt.at,
        EventKind::Account { news: News::Echo(message), .. } => message.sent_at,
        EventKind::Account { news: News::Call { at, .. }, .. } => *at,
        EventKind::TimerFired { .. }
        | EventKind::Broadcast { .. }
        | EventKind::Operator(_)
        | EventKind::Account { .. } => 0,
    };
    const SECOND: Millis = 1000;
    let at = if at == 0 { now } else { at.min(now) };
    at / SECOND * SECOND
}
