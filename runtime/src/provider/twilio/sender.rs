//! Who a webhook is about.

use super::fields::Fields;
use crate::{
    model::{Address, Sender},
    provider::meta::sender::is_bsuid,
};

const PREFIX: &str = "whatsapp:";

/// The person whose address is in the field `name`. None: it is no WhatsApp
/// address (a text message by the mobile network has none).
pub(super) fn sender(fields: &Fields, name: &str) -> Option<Sender> {
    let address = address(fields.get(name)?)?;
    let user = |name: &str| {
        let id = fields.get(name)?;
        let id = id.strip_prefix(PREFIX).unwrap_or(id);
        is_bsuid(id).then(|| id.to_owned())
    };
    let own = name == "From";
    Some(Sender {
        phone: address.phone.or_else(|| digits(fields.get("WaId").filter(|_| own)?)),
        bsuid: address.bsuid.or_else(|| user("ExternalUserId")),
        parent_bsuid: user("ParentExternalUserId"),
        name: fields.get("ProfileName").filter(|_| own).map(str::to_owned),
        username: None,
    })
}

/// `whatsapp:+15551234567` or `whatsapp:US.1349…`.
pub(super) fn address(text: &str) -> Option<Address> {
    let id = text.strip_prefix(PREFIX)?;
    match (digits(id), is_bsuid(id)) {
        (Some(phone), _) => Some(Address { phone: Some(phone), bsuid: None }),
        (None, true) => Some(Address { phone: None, bsuid: Some(id.to_owned()) }),
        (None, false) => None,
    }
}

/// The number of the business as the configuration has it, `+15551234567`.
pub(super) fn business(text: &str) -> &str {
    text.strip_prefix(PREFIX).unwrap_or(text)
}

/// A phone number without its `+`. A space stands where a form was written
/// without care for the `+`.
fn digits(text: &str) -> Option<String> {
    let digits = text.trim().trim_start_matches('+');
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(form: &str) -> Option<Sender> {
        sender(&Fields::form(form.as_bytes()), "From")
    }

    #[test]
    fn people_are_known_by_number_and_by_user_id() {
        let ann = of("From=whatsapp%3A%2B15551234567&WaId=15551234567&ProfileName=Ann\
                      &ExternalUserId=whatsapp%3AUS.1&ParentExternalUserId=whatsapp%3AUS.ENT.2");
        let ann = ann.unwrap();
        assert_eq!(ann.phone.as_deref(), Some("15551234567"));
        assert_eq!(ann.bsuid.as_deref(), Some("US.1"));
        assert_eq!(ann.parent_bsuid.as_deref(), Some("US.ENT.2"));
        assert_eq!(ann.name.as_deref(), Some("Ann"));
        let shy = of("From=whatsapp%3AUS.13491208655302741918").unwrap();
        assert_eq!((shy.phone, shy.bsuid.as_deref()), (None, Some("US.13491208655302741918")));
        assert_eq!(of("From=whatsapp:+15551").unwrap().phone.as_deref(), Some("15551"));
    }

    #[test]
    fn what_is_no_whatsapp_address_is_no_one() {
        for form in ["From=%2B15551234567", "From=whatsapp%3A", "From=whatsapp%3Ashop", "To=x"] {
            assert_eq!(of(form), None, "{form}");
        }
    }
}
