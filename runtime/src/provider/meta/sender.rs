//! Who an update is from, put together from what Meta says in several places.
//! A wrong guess here would show one customer's conversation to another, so
//! only ids that match are joined.

use super::webhook::text;
use crate::model::{Sender, same_phone};
use serde_json::Value;

/// The ids that an update itself bears.
#[derive(Clone, Copy, Default)]
pub(super) struct Ids<'a> {
    pub phone: Option<&'a str>,
    pub bsuid: Option<&'a str>,
    pub parent: Option<&'a str>,
}

impl<'a> Ids<'a> {
    /// Reads the ids from an update's fields of these names.
    pub fn of(update: &'a Value, phone: &str, bsuid: &str, parent: &str) -> Self {
        let (phone, bsuid) = (text(update, phone), text(update, bsuid));
        Self { phone, bsuid, parent: text(update, parent) }
    }
}

/// The sender, with the rest of what the `contacts` say of the same person.
/// None if there is neither a phone number nor a user id.
pub(super) fn sender(ids: Ids<'_>, contacts: Option<&Value>) -> Option<Sender> {
    let (phone, strange) = match ids.phone.map(|phone| phone.trim_start_matches('+')) {
        Some(phone) if phone.bytes().all(|byte| byte.is_ascii_digit()) => (Some(phone), None),
        // A user id where a number belongs.
        Some(other) => (None, is_bsuid(other).then_some(other)),
        None => (None, None),
    };
    let bsuid = ids.bsuid.or(strange);
    let contact = contacts
        .and_then(Value::as_array)
        .and_then(|all| all.iter().find(|contact| is_of(contact, phone, bsuid)));
    let known = |name: &str| contact.and_then(|contact| text(contact, name));
    let profile = |name: &str| text(contact?.get("profile")?, name);
    let sender = Sender {
        phone: phone.or(known("wa_id")).map(str::to_owned),
        bsuid: bsuid.or(known("user_id")).map(str::to_owned),
        parent_bsuid: ids.parent.or(known("parent_user_id")).map(str::to_owned),
        name: profile("name").map(str::to_owned),
        username: profile("username").map(|name| name.trim_start_matches('@').to_owned()),
        ..Sender::default()
    };
    (!sender.identities().is_empty()).then_some(sender)
}

/// A country code, a dot and the rest: `US.13491208655302741918`.
pub(in crate::provider) fn is_bsuid(id: &str) -> bool {
    let parts = id.split_once('.');
    parts.is_some_and(|(country, rest)| {
        country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_uppercase())
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    })
}

/// Whether an entry of `contacts` is of this person: by user id where both have
/// one, else by number.
fn is_of(contact: &Value, phone: Option<&str>, bsuid: Option<&str>) -> bool {
    match (bsuid, text(contact, "user_id")) {
        (Some(bsuid), Some(user)) => bsuid == user,
        _ => {
            phone.zip(text(contact, "wa_id")).is_some_and(|(phone, wa_id)| same_phone(phone, wa_id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ids<'a>(phone: Option<&'a str>, bsuid: Option<&'a str>) -> Ids<'a> {
        Ids { phone, bsuid, parent: None }
    }

    #[test]
    fn contacts_are_matched_by_id_and_not_by_place() {
        let contacts = json!([
            {"profile": {"name": "Bo"}, "wa_id": "15550000002", "user_id": "US.2"},
            {"profile": {"name": "Al", "username": "@al"}, "wa_id": "15550000001",
             "user_id": "US.1", "parent_user_id": "US.ENT.1"},
        ]);
        let al = sender(ids(Some("15550000001"), None), Some(&contacts)).unwrap();
        assert_eq!(al.name.as_deref(), Some("Al"));
        assert_eq!(al.username.as_deref(), Some("al"));
        assert_eq!(al.bsuid.as_deref(), Some("US.1"));
        assert_eq!(al.parent_bsuid.as_deref(), Some("US.ENT.1"));
        let bo = sender(ids(None, Some("US.2")), Some(&contacts)).unwrap();
        assert_eq!(bo.phone.as_deref(), Some("15550000002"));
        // A stranger gets nothing of theirs, alone in the list or not.
        let stranger = sender(ids(Some("15550000009"), None), Some(&contacts)).unwrap();
        assert_eq!((stranger.name, stranger.bsuid), (None, None));
        // The number was theirs, the user id says otherwise.
        let heir = sender(ids(Some("15550000001"), Some("US.7")), Some(&contacts)).unwrap();
        assert_eq!((heir.name, heir.bsuid.as_deref()), (None, Some("US.7")));
    }

    #[test]
    fn a_contact_in_the_other_form_of_the_number_is_theirs() {
        for (from, wa_id, same) in [
            ("5511987654321", "551187654321", true),
            ("551187654321", "5511987654321", true),
            ("5511987654321", "551187654322", false),
            // A landline, and a mobile that never had eight digits.
            ("551131234567", "5511931234567", false),
        ] {
            let contacts = json!([{"profile": {"name": "Al"}, "wa_id": wa_id}]);
            let sender = sender(ids(Some(from), None), Some(&contacts)).unwrap();
            assert_eq!(sender.name.is_some(), same, "{from} {wa_id}");
        }
    }

    #[test]
    fn empty_and_odd_ids_are_no_one() {
        assert_eq!(sender(Ids::default(), None), None);
        assert_eq!(sender(ids(Some("business"), None), None), None);
        let update = json!({"from": "", "from_user_id": "US.1"});
        let ids = Ids::of(&update, "from", "from_user_id", "from_parent_user_id");
        let sender = sender(ids, None).unwrap();
        assert_eq!((sender.phone, sender.bsuid.as_deref()), (None, Some("US.1")));
        assert!(is_bsuid("US.ENT.118") && !is_bsuid("us.1") && !is_bsuid("1.2") && !is_bsuid("US"));
    }

    #[test]
    fn a_user_id_in_the_place_of_the_number_is_one() {
        let sender = sender(ids(Some("US.1349"), None), None).unwrap();
        assert_eq!((sender.phone, sender.bsuid.as_deref()), (None, Some("US.1349")));
    }
}
