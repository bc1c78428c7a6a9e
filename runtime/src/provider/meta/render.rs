//! The body of a send request.

mod interactive;
mod media;
mod template;

use crate::model::{Address, CardPhone, ContactCard, Location, OutboxItem, Outgoing};
use serde::Serialize;
use serde_json::{Value, json};

/// The endpoint under the number's id that takes the message.
pub(super) fn endpoint(message: &Outgoing) -> &'static str {
    match message {
        Outgoing::Template(template) if template.marketing_interface => "marketing_messages",
        _ => "messages",
    }
}

pub(super) fn body(item: &OutboxItem) -> Value {
    let (kind, content) = match &item.message {
        Outgoing::Read { message_id, typing } => return read(message_id, *typing),
        Outgoing::Text(text) | Outgoing::Numbered { text, .. } => ("text", self::text(text)),
        Outgoing::Template(form) => ("template", template::form(form)),
        Outgoing::Media(media) => media::form(media),
        Outgoing::Location(place) => ("location", location(place)),
        Outgoing::Contacts(cards) => ("contacts", cards.iter().map(card).collect()),
        Outgoing::Reaction { message_id, emoji } => {
            ("reaction", json!({"message_id": message_id, "emoji": emoji}))
        }
        Outgoing::Buttons { .. }
        | Outgoing::List { .. }
        | Outgoing::Link(_)
        | Outgoing::Flow(_)
        | Outgoing::Request { .. }
        | Outgoing::Product { .. }
        | Outgoing::Products(_)
        | Outgoing::Catalog { .. }
        | Outgoing::Carousel { .. }
        | Outgoing::Interactive(_) => ("interactive", interactive::form(&item.message)),
    };
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": item.id.to_string(),
        "type": kind,
        kind: content,
    });
    if let Some((name, value)) = address(&item.to) {
        insert(&mut body, name, Some(value));
    }
    // A reaction names its message itself.
    let quote = item.quote.as_ref().filter(|_| kind != "reaction");
    insert(&mut body, "context", quote.map(|id| json!({"message_id": id})));
    body
}

/// A user id put into `to` is silently lost, so it has a field of its own.
fn address(to: &Address) -> Option<(&'static str, String)> {
    let phone = to.phone.as_ref().map(|phone| {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        ("to", digits)
    });
    let bsuid = to.bsuid.as_ref().map(|bsuid| ("recipient", bsuid.clone()));
    phone.filter(|(_, digits)| !digits.is_empty()).or(bsuid)
}

fn read(message_id: &str, typing: bool) -> Value {
    let mut body =
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": message_id});
    if typing {
        insert(&mut body, "typing_indicator", Some(json!({"type": "text"})));
    }
    body
}

/// The first address in a text is shown with a picture of its page.
fn text(text: &str) -> Value {
    let linked = text.contains("https://") || text.contains("http://");
    json!({"body": text, "preview_url": linked})
}

fn location(place: &Location) -> Value {
    let mut form = json!({"latitude": place.latitude, "longitude": place.longitude});
    insert(&mut form, "name", place.name.as_ref());
    insert(&mut form, "address", place.address.as_ref());
    form
}

/// Meta asks for one part of the name besides the whole. How a name divides
/// differs between peoples, so that part is the whole again.
fn card(card: &ContactCard) -> Value {
    let name = card.name.as_deref().or(card.organization.as_deref()).unwrap_or_default();
    let mut form = json!({"name": {"formatted_name": name, "first_name": name}});
    let phone = |CardPhone { phone, wa_id }: &CardPhone| {
        let mut form = json!({"phone": phone});
        insert(&mut form, "wa_id", wa_id.as_ref());
        form
    };
    let phones: Vec<Value> = card.phones.iter().map(phone).collect();
    let emails: Vec<Value> = card.emails.iter().map(|email| json!({"email": email})).collect();
    insert(&mut form, "phones", (!phones.is_empty()).then_some(phones));
    insert(&mut form, "emails", (!emails.is_empty()).then_some(emails));
    insert(&mut form, "org", card.organization.as_ref().map(|name| json!({"company": name})));
    form
}

/// Adds a field, if it has a value.
fn insert(form: &mut Value, name: &str, value: Option<impl Serialize>) {
    if let (Some(form), Some(value)) = (form.as_object_mut(), value) {
        form.insert(name.to_owned(), json!(value));
    }
}

#[cfg(test)]
pub(super) mod tests;
