//! Contacts: their documents, the identities that point to them, and the index
//! from tag to contact that segments are read from.

use super::{
    Audience, Result, StoreError,
    codec::{corrupt, numbers, read_numbers},
    counts,
    engine::{Order, Span, after},
    key::{self, Count, Kind},
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

/// Contacts behind `start`, in order.
pub fn list(view: &View<'_>, start: Option<ContactId>, limit: usize) -> Result<Vec<Contact>> {
    view.list(
        "contact",
        &behind(key::all(Kind::Contact), start, key::contact),
        Order::Forward,
        limit,
    )
}

/// Stores the contact as a turn leaves it and keeps the tag index in step. A
/// contact that the turn did not change is not written.
pub fn store(view: &mut View<'_>, mut contact: Contact) -> Result<()> {
    let id = contact.id;
    let stored = read(view, id)?;
    if contact.version != stored.as_ref().map_or(0, |stored| stored.version) {
        return Err(StoreError::Conflict { what: format!("the contact {id}") });
    }
    if stored.as_ref() == Some(&contact) {
        return Ok(());
    }
    let old = stored.map(|stored| expiries(&stored)).unwrap_or_default();
    let new = expiries(&contact);
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        view.delete(key::tag(name, id));
    }
    for (name, expires) in new.iter().filter(|(name, expires)| old.get(*name) != Some(expires)) {
        view.put(key::tag(name, id), numbers([*expires]))?;
    }
    contact.version += 1;
    view.write("contact", key::contact(id), &contact)
}

fn expiries(contact: &Contact) -> BTreeMap<String, Millis> {
    contact.tags.iter().map(|tag| (tag.name.clone(), tag.expires.unwrap_or(NEVER))).collect()
}

// Identities.

pub fn find(view: &View<'_>, identity: &Identity) -> Result<Option<ContactId>> {
    match view.get(&key::identity(identity))? {
        Some(value) => read_numbers("identity", &value).map(|[id]| Some(ContactId(id))),
        None => Ok(None),
    }
}

/// The contact that the first known identity points to. The unknown ones point
/// to it from now on; those of another contact are left.
pub fn recognise(view: &mut View<'_>, identities: &[Identity]) -> Result<Option<ContactId>> {
    let mut found = None;
    let mut unknown = Vec::new();
    for identity in identities {
        match find(view, identity)? {
            Some(id) => found = found.or(Some(id)),
            None => unknown.push(identity),
        }
    }
    if let Some(id) = found {
        point(view, &unknown, id)?;
    }
    Ok(found)
}

/// As `recognise`, making a contact if there is none. None without identities.
pub fn recognise_or_make(
    view: &mut View<'_>,
    identities: &[Identity],
) -> Result<Option<ContactId>> {
    let known = recognise(view, identities)?;
    if known.is_some() || identities.is_empty() {
        return Ok(known);
    }
    let id = ContactId(counts::up(view, Count::Contacts)?);
    let identities: Vec<&Identity> = identities.iter().collect();
    point(view, &identities, id)?;
    Ok(Some(id))
}

fn point(view: &mut View<'_>, identities: &[&Identity], id: ContactId) -> Result<()> {
    for identity in identities {
        view.put(key::identity(identity), numbers([id.0]))?;
    }
    Ok(())
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
