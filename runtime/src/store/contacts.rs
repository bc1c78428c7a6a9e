//! Contacts: their documents, and the index from tag to contact that segments
//! are read from. Who an event is from, `identity` finds out.

use super::{
    Audience, Result, StoreError,
    codec::{corrupt, numbers, read_numbers},
    engine::{Order, Span, after},
    key::{self, Kind},
    merge,
    view::View,
};
use crate::model::*;
use std::collections::BTreeMap;

/// Candidates looked at for one page of a segment, so that a rare segment of a
/// large business takes many short reads and not one long one.
const CANDIDATES: usize = 2_000;
/// For tags without an expiry.
const NEVER: Millis = Millis::MAX;

pub fn read(view: &View<'_>, id: ContactId) -> Result<Option<Contact>> {
    view.read("contact", &key::contact(id))
}

/// As `read`, of whoever the contact has become.
pub fn of(view: &View<'_>, id: ContactId) -> Result<Option<Contact>> {
    read(view, merge::follow(view, id)?)
}

/// Contacts behind `start`, in order.
pub fn list(view: &View<'_>, start: Option<ContactId>, limit: usize) -> Result<Vec<Contact>> {
    view.list(
        "contact",
        &behind(key::all(Kind::Contact), start, key::contact),
        Order::Forward,
        limit,
    )
}

/// Stores the contact as a turn leaves it. Its ids stay as they are stored. A
/// contact that the turn did not change is not written.
pub fn store(view: &mut View<'_>, mut contact: Contact) -> Result<()> {
    let id = contact.id;
    let stored = read(view, id)?;
    if contact.version != stored.as_ref().map_or(0, |stored| stored.version) {
        return Err(StoreError::Conflict { what: format!("the contact {id}") });
    }
    if let Some(stored) = &stored {
        contact.keep_ids(stored);
    }
    if stored.as_ref() == Some(&contact) {
        return Ok(());
    }
    contact.version += 1;
    write(view, stored.as_ref(), &contact)
}

/// Keeps what another contact's turn asks this one. A turn of its own that runs
/// meanwhile is in conflict, and runs again.
pub fn ask(view: &mut View<'_>, id: ContactId, asked: Option<Asked>) -> Result<()> {
    match of(view, id)? {
        Some(stored) if stored.asked != asked => {
            let contact = Contact { asked, version: stored.version + 1, ..stored.clone() };
            write(view, Some(&stored), &contact)
        }
        _ => Ok(()),
    }
}

/// Writes the contact in the place of `stored` and keeps the tag index in step.
pub fn write(view: &mut View<'_>, stored: Option<&Contact>, contact: &Contact) -> Result<()> {
    let id = contact.id;
    let old = stored.map(expiries).unwrap_or_default();
    let new = expiries(contact);
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        view.delete(key::tag(name, id));
    }
    for (name, expires) in new.iter().filter(|(name, expires)| old.get(*name) != Some(expires)) {
        view.put(key::tag(name, id), numbers([*expires]))?;
    }
    view.write("contact", key::contact(id), contact)
}

/// Removes the document and its tags.
pub fn remove(view: &mut View<'_>, contact: &Contact) -> Result<()> {
    for tag in &contact.tags {
        view.delete(key::tag(&tag.name, contact.id));
    }
    view.delete_long(key::contact(contact.id))
}

fn expiries(contact: &Contact) -> BTreeMap<String, Millis> {
    contact.tags.iter().map(|tag| (tag.name.clone(), tag.expires.unwrap_or(NEVER))).collect()
}

// Segments.

/// A page may be short, or even empty, and still have a next one.
pub fn audience(
    view: &View<'_>,
    segment: &Segment,
    start: Option<ContactId>,
    limit: usize,
    now: Millis,
) -> Result<Audience> {
    let mut page = Audience::default();
    let mut at = start;
    for _ in 0..CANDIDATES {
        let Some(candidate) = candidate(view, segment, at)? else { return Ok(page) };
        if page.members.len() >= limit {
            break;
        }
        if belongs(view, segment, candidate, now)? {
            page.members.push(candidate);
        }
        at = Some(candidate);
    }
    page.next = at;
    Ok(page)
}

/// The next contact behind `at` that the most telling list of tags allows.
fn candidate(
    view: &View<'_>,
    segment: &Segment,
    at: Option<ContactId>,
) -> Result<Option<ContactId>> {
    let tagged = |name: &String| {
        let span = behind(key::tagged(name), at, |id| key::tag(name, id));
        first_contact(view, &span)
    };
    match segment.all.first() {
        Some(name) => tagged(name),
        None if segment.any.is_empty() => {
            first_contact(view, &behind(key::all(Kind::Contact), at, key::contact))
        }
        None => {
            let mut nearest = None;
            for name in &segment.any {
                let found = tagged(name)?;
                nearest = [nearest, found].into_iter().flatten().min();
            }
            Ok(nearest)
        }
    }
}

/// Of a span whose keys end in a contact.
fn first_contact(view: &View<'_>, span: &Span) -> Result<Option<ContactId>> {
    let Some((found, _)) = view.first(span, Order::Forward)? else { return Ok(None) };
    let id = found.last_chunk().ok_or_else(|| corrupt("contact", "a broken key"))?;
    Ok(Some(ContactId(u64::from_be_bytes(*id))))
}

fn belongs(view: &View<'_>, segment: &Segment, id: ContactId, now: Millis) -> Result<bool> {
    let has = |name: &String| match view.get(&key::tag(name, id))? {
        Some(value) => read_numbers("tag", &value).map(|[expires]| expires > now),
        None => Ok(false),
    };
    for name in &segment.all {
        if !has(name)? {
            return Ok(false);
        }
    }
    for name in &segment.none {
        if has(name)? {
            return Ok(false);
        }
    }
    for name in &segment.any {
        if has(name)? {
            return Ok(true);
        }
    }
    Ok(segment.any.is_empty())
}

fn behind(all: Span, start: Option<ContactId>, key: impl Fn(ContactId) -> Vec<u8>) -> Span {
    match start {
        Some(id) => Span { from: after(&key(id)), to: all.to },
        None => all,
    }
}
