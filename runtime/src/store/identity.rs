//! Who an event is from. Ids point to contacts, within a portfolio; what an
//! event says of them is taken in here, before its turn, and nowhere else.
//!
//! A user id (BSUID) is one person's, and another one after a change of number;
//! a phone number may pass to another person; a parent user id counts like a
//! phone number here. A number is looked up in each of its forms, and kept as
//! WhatsApp gave it. What becomes of a pair of ids:
//!
//! | phone of | user id of | then |
//! |---|---|---|
//! | nobody | nobody | a new contact, if it is a message |
//! | A | not given | A |
//! | not given | B | B |
//! | A | A | A |
//! | A, without a user id | nobody | A, who learns the user id |
//! | A, with another one | nobody | the number has passed on: a new contact, and A loses it |
//! | nobody | B | B, who learns the number; the former one leads nowhere |
//! | A, without a user id | B, without a number | one person: the two are merged |
//! | A, without a user id | B, with another number | the number has passed on: A loses it to B |
//! | A, with another one | B | the number has passed on: A loses it to B |
//!
//! A receipt only adds what is missing, as it may speak of a number of before.
//! WhatsApp's notice of a change says that old and new ids are one person's:
//!
//! | known by the old ids | by the new user id | then |
//! |---|---|---|
//! | nobody | nobody | nothing: no contact is made |
//! | A | nobody | A with the new ids; the former number leads nowhere |
//! | nobody | B | B |
//! | A | B | one person: the two are merged |
//!
//! A new number that is still another contact's is taken from it. What the
//! notice does not say (the number is not shown, or no user id is given) is
//! unknown from then on.
//!
//! Events come late, by up to a week, and numbers are given to others. So each
//! number bears when its contact took it, and an event of before that moment
//! says nothing about who has it now:
//!
//! | late event, of a number that A took later | then |
//! |---|---|
//! | with a user id | as if no number were given: the user id decides |
//! | a message without one | A: there is nothing else to go by |
//! | a notice, as its former number | as if it were not given: A is not moved, and merged with nobody |
//! | a notice, as its new number | A keeps it; whom the notice is about has none |
//! | any, of a former number of A itself | A's ids stay as they are |

use super::{
    Result,
    codec::{numbers, read_numbers},
    contacts, counts,
    key::{self, Count},
    merge,
    view::View,
};
use crate::model::*;

/// The notices after which the ids are others.
const CHANGES: [&str; 3] =
    ["user_changed_number", "user_changed_user_id", "customer_changed_number"];

/// What becomes of those whom nobody knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    Make,
    Leave,
}

/// The two moments of an event.
#[derive(Clone, Copy)]
pub struct When {
    /// When it happened, in whole seconds: WhatsApp gives no more.
    pub at: Millis,
    pub now: Millis,
}

/// The contact of an identity, a phone number in whatever form.
pub fn find(
    view: &View<'_>,
    portfolio: &Portfolio,
    identity: &Identity,
) -> Result<Option<ContactId>> {
    Ok(claim(view, portfolio, identity)?.map(|(contact, _)| contact))
}

/// The contact, and since when the identity has been its.
fn claim(
    view: &View<'_>,
    portfolio: &Portfolio,
    identity: &Identity,
) -> Result<Option<(ContactId, Millis)>> {
    for form in forms(identity) {
        let Some(value) = view.get(&key::identity(portfolio, &form))? else { continue };
        let [id, since] = match value.len() {
            // Written before there were moments.
            8 => read_numbers("identity", &value).map(|[id]| [id, 0])?,
            _ => read_numbers("identity", &value)?,
        };
        return Ok(Some((merge::follow(view, ContactId(id))?, since)));
    }
    Ok(None)
}

/// Whether whoever has the number took it after `at`.
fn is_taken_since(
    view: &View<'_>,
    portfolio: &Portfolio,
    phone: Option<&String>,
    at: Millis,
) -> Result<bool> {
    let Some(phone) = phone else { return Ok(false) };
    let claim = claim(view, portfolio, &Identity::Phone(phone.clone()))?;
    Ok(claim.is_some_and(|(_, since)| since > at))
}

fn forms(identity: &Identity) -> Vec<Identity> {
    match identity {
        Identity::Phone(phone) => phone_forms(phone).into_iter().map(Identity::Phone).collect(),
        Identity::Bsuid(_) | Identity::ParentBsuid(_) => vec![identity.clone()],
    }
}

/// Leads the identity to a contact, in the one form.
fn point(
    view: &mut View<'_>,
    portfolio: &Portfolio,
    identity: &Identity,
    to: ContactId,
    since: Millis,
) -> Result<()> {
    forget(view, portfolio, identity);
    view.put(key::identity(portfolio, identity), numbers([to.0, since]))
}

fn forget(view: &mut View<'_>, portfolio: &Portfolio, identity: &Identity) {
    for form in forms(identity) {
        view.delete(key::identity(portfolio, &form));
    }
}

/// Leads all ids of a contact's document to another one.
pub fn repoint(view: &mut View<'_>, contact: &Contact, to: ContactId) -> Result<()> {
    let ids = Sender {
        phone: contact.phone.clone(),
        bsuid: contact.bsuid.clone(),
        parent_bsuid: contact.parent_bsuid.clone(),
        ..Sender::default()
    };
    for identity in ids.identities() {
        let since = claim(view, &contact.portfolio, &identity)?.map_or(0, |(_, since)| since);
        point(view, &contact.portfolio, &identity, to, since)?;
    }
    Ok(())
}

/// With the number that the contact sent as its own, when asked for it. A card
/// that was not asked for may be anyone's.
pub fn with_own_phone(sender: &Sender, cards: &[ContactCard]) -> Sender {
    let mut sender = sender.clone();
    let own: Vec<&CardPhone> =
        cards.iter().filter(|card| card.own).flat_map(|card| &card.phones).collect();
    let on_whatsapp: Vec<&str> = own.iter().filter_map(|phone| phone.wa_id.as_deref()).collect();
    let phone = match (on_whatsapp.as_slice(), own.as_slice()) {
        ([one], _) => digits(one),
        ([], [one]) => digits(&one.phone),
        _ => return sender,
    };
    if sender.phone.is_none() && !phone.is_empty() {
        sender.phone = Some(phone);
    }
    sender
}

/// The contact that the sender is, by the first table. Takes in what is new.
pub fn recognise(
    view: &mut View<'_>,
    sender: &Sender,
    strangers: Strangers,
    when: When,
) -> Result<Option<ContactId>> {
    if let Some(id) = sender.contact {
        return merge::follow(view, id).map(Some);
    }
    let sender = &match sender.bsuid {
        Some(_) => as_of(view, sender, when.at)?,
        None => sender.clone(),
    };
    let portfolio = &sender.portfolio;
    let identities = sender.identities();
    let mut owner: Option<Contact> = None;
    let mut passed_on = Vec::new();
    for identity in &identities {
        let Some(found) = find(view, portfolio, identity)? else { continue };
        let found = read(view, portfolio, found)?;
        owner = match owner {
            Some(owner) if owner.id == found.id => Some(owner),
            None if is_theirs(sender, &found, identity) => Some(found),
            Some(owner) if is_same(sender, &owner, &found, identity) => {
                match merge::merge(view, owner.id, found.id, when.now)? {
                    Some(one) => Some(read(view, portfolio, one)?),
                    // Another time. Till then the number stays where it is.
                    None => return Ok(Some(owner.id)),
                }
            }
            other => {
                passed_on.push((found.id, identity));
                other
            }
        };
    }
    let owner = match (owner, strangers) {
        (Some(owner), _) => owner,
        (None, Strangers::Make) if !identities.is_empty() => {
            let id = ContactId(counts::up(view, Count::Contacts)?);
            Contact { portfolio: portfolio.clone(), ..Contact::new(id) }
        }
        (None, _) => return Ok(None),
    };
    for (id, identity) in passed_on {
        lose(view, portfolio, id, identity)?;
    }
    let id = owner.id;
    if !is_taken_since(view, portfolio, owner.phone.as_ref(), when.at)? {
        teach(view, owner, sender, when.at)?;
    }
    Ok(Some(id))
}

/// The sender without a number that somebody took after `at`.
fn as_of(view: &View<'_>, sender: &Sender, at: Millis) -> Result<Sender> {
    let mut sender = sender.clone();
    if is_taken_since(view, &sender.portfolio, sender.phone.as_ref(), at)? {
        sender.phone = None;
    }
    Ok(sender)
}

/// Whether the contact that a single id leads to is the sender.
fn is_theirs(sender: &Sender, found: &Contact, identity: &Identity) -> bool {
    let surest = matches!(identity, Identity::Bsuid(_));
    surest || sender.bsuid.is_none() || found.bsuid.is_none() || found.bsuid == sender.bsuid
}

/// Whether the contact of a lesser id is the one of a surer id too.
fn is_same(sender: &Sender, owner: &Contact, found: &Contact, identity: &Identity) -> bool {
    let user = sender.bsuid.as_ref().or(owner.bsuid.as_ref());
    let other_user = matches!((user, &found.bsuid), (Some(a), Some(b)) if a != b);
    let other_phone = match (identity, &owner.phone) {
        (Identity::Phone(phone), Some(known)) => !same_phone(phone, known),
        _ => false,
    };
    !other_user && !other_phone
}

fn read(view: &View<'_>, portfolio: &Portfolio, id: ContactId) -> Result<Contact> {
    let stored = contacts::read(view, id)?;
    Ok(stored.unwrap_or_else(|| Contact { portfolio: portfolio.clone(), ..Contact::new(id) }))
}

/// The identity leads nowhere, and the contact does not have it any more.
fn lose(
    view: &mut View<'_>,
    portfolio: &Portfolio,
    id: ContactId,
    identity: &Identity,
) -> Result<()> {
    forget(view, portfolio, identity);
    let before = read(view, portfolio, id)?;
    let mut contact = before.clone();
    match identity {
        Identity::Phone(phone) => {
            contact.phone = contact.phone.filter(|known| !same_phone(known, phone));
        }
        Identity::Bsuid(bsuid) => contact.bsuid = contact.bsuid.filter(|known| known != bsuid),
        Identity::ParentBsuid(parent) => {
            contact.parent_bsuid = contact.parent_bsuid.filter(|known| known != parent);
        }
    }
    match contact == before {
        true => Ok(()),
        false => contacts::write(view, Some(&before), &contact),
    }
}

/// Writes into the contact's document which ids it has, and leads them to it.
/// A former number leads nowhere; a former user id still means the contact, as
/// nobody else will ever have it.
fn teach(view: &mut View<'_>, before: Contact, sender: &Sender, at: Millis) -> Result<()> {
    let portfolio = &sender.portfolio;
    let mut contact = before.clone();
    if let Some(phone) = &sender.phone {
        let former = contact.phone.replace(phone.clone());
        if let Some(former) = former.filter(|former| !same_phone(former, phone)) {
            forget_own(view, portfolio, &Identity::Phone(former), contact.id)?;
        }
    }
    contact.bsuid = sender.bsuid.clone().or(contact.bsuid);
    contact.parent_bsuid = sender.parent_bsuid.clone().or(contact.parent_bsuid);
    for identity in sender.identities() {
        if find(view, portfolio, &identity)? != Some(contact.id) {
            point(view, portfolio, &identity, contact.id, at)?;
        }
    }
    match contact == before && contacts::read(view, contact.id)?.is_some() {
        true => Ok(()),
        false => contacts::write(view, Some(&before), &contact),
    }
}

fn forget_own(
    view: &mut View<'_>,
    portfolio: &Portfolio,
    identity: &Identity,
    owner: ContactId,
) -> Result<()> {
    if find(view, portfolio, identity)? == Some(owner) {
        forget(view, portfolio, identity);
    }
    Ok(())
}

/// The contact that a receipt is about: the one that its message was sent to.
/// Takes in an id that is missing, if the receipt is plainly of now.
pub fn confirm(
    view: &mut View<'_>,
    contact: ContactId,
    sender: &Sender,
    when: When,
) -> Result<ContactId> {
    let contact = merge::follow(view, contact)?;
    let known = read(view, &sender.portfolio, contact)?;
    let same_phone = match (&sender.phone, &known.phone) {
        (Some(phone), Some(known)) => same_phone(phone, known),
        _ => false,
    };
    let of_now = match (&sender.bsuid, &known.bsuid) {
        (Some(bsuid), Some(user)) => bsuid == user && (same_phone || known.phone.is_none()),
        (Some(_), None) => same_phone,
        (None, _) => false,
    };
    if of_now && sender.contact.is_none() {
        recognise(view, sender, Strangers::Leave, when)?;
    }
    merge::follow(view, contact)
}

/// The contact that one of WhatsApp's notices is about, by the second table.
pub fn change(
    view: &mut View<'_>,
    sender: &Sender,
    notice: &Notice,
    when: When,
) -> Result<Option<ContactId>> {
    let portfolio = &sender.portfolio;
    let mut new = Sender { portfolio: portfolio.clone(), contact: None, ..notice.now.clone() };
    // Another phone in the hand, a number that is the same: nothing moves.
    let moves = CHANGES.contains(&notice.kind.as_str());
    if !moves || (new.phone.is_none() && new.bsuid.is_none()) {
        return recognise(view, sender, Strangers::Leave, when);
    }
    let mut old = as_of(view, sender, when.at)?;
    let former = known_as(view, &old)?;
    if let (Some(former), None) = (former, &old.phone) {
        old.phone = read(view, portfolio, former)?.phone;
        old = as_of(view, &old, when.at)?;
    }
    let later = match &new.bsuid {
        Some(bsuid) => find(view, portfolio, &Identity::Bsuid(bsuid.clone()))?,
        None => None,
    };
    if let Some(later) = later {
        // Who has written from the new number already has shown it.
        new.phone = new.phone.or(read(view, portfolio, later)?.phone);
    }
    let owner = match (former, later) {
        (None, None) => return Ok(None),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(a), Some(b)) if a == b => a,
        (Some(a), Some(b)) => match merge::merge(view, a, b, when.now)? {
            Some(one) => one,
            None => return Ok(Some(b)),
        },
    };
    let stays = matches!((&old.phone, &new.phone), (Some(old), Some(new)) if same_phone(old, new));
    if let Some(phone) = old.phone.filter(|_| !stays).map(Identity::Phone)
        && find(view, portfolio, &phone)? == Some(owner)
    {
        lose(view, portfolio, owner, &phone)?;
    }
    let phone = read(view, portfolio, owner)?.phone;
    if is_taken_since(view, portfolio, phone.as_ref(), when.at)? {
        return Ok(Some(owner));
    }
    if let Some(phone) = new.phone.clone().map(Identity::Phone)
        && let Some((other, since)) = claim(view, portfolio, &phone)?
        && other != owner
    {
        match since > when.at {
            true => new.phone = None,
            false => lose(view, portfolio, other, &phone)?,
        }
    }
    replace(view, owner, new, when.at)?;
    Ok(Some(owner))
}

/// The ids that the notice gives are all that there are now.
fn replace(view: &mut View<'_>, owner: ContactId, new: Sender, at: Millis) -> Result<()> {
    let portfolio = &new.portfolio;
    let mut contact = read(view, portfolio, owner)?;
    let moved = match (&new.phone, &contact.phone) {
        (Some(new), Some(old)) => !same_phone(new, old),
        _ => new.bsuid != contact.bsuid,
    };
    if moved {
        if let Some(phone) = contact.phone.clone() {
            forget_own(view, portfolio, &Identity::Phone(phone), owner)?;
        }
        let before = contact.clone();
        (contact.phone, contact.bsuid, contact.parent_bsuid) = (None, None, None);
        contacts::write(view, Some(&before), &contact)?;
    }
    teach(view, contact, &new, at)
}

/// Whom the ids are known to be, without learning from it.
fn known_as(view: &View<'_>, sender: &Sender) -> Result<Option<ContactId>> {
    for identity in sender.identities() {
        let Some(found) = find(view, &sender.portfolio, &identity)? else { continue };
        if is_theirs(sender, &read(view, &sender.portfolio, found)?, &identity) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::MemoryEngine;

    #[test]
    fn what_was_written_before_there_were_moments_is_read() {
        let engine = MemoryEngine::default();
        let mut view = View::new(&engine);
        let (portfolio, id) = (Portfolio::default(), Identity::Phone("15550001".into()));
        view.put(key::identity(&portfolio, &id), numbers([7])).unwrap();
        assert_eq!(claim(&view, &portfolio, &id).unwrap(), Some((ContactId(7), 0)));
        point(&mut view, &portfolio, &id, ContactId(8), 5).unwrap();
        assert_eq!(claim(&view, &portfolio, &id).unwrap(), Some((ContactId(8), 5)));
    }
}
