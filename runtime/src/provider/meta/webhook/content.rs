//! What a message holds. Of an unknown type, or of a known one that lacks what
//! we need, the body stays as Meta wrote it.

use super::{
    super::sender::{Ids, sender},
    account::first_error,
    owned, text,
};
use crate::model::{
    CardPhone, Choice, ContactCard, Content, Edit, FlowAnswer, Location, Media, MediaKind, Notice,
    Order, OrderItem, Reaction,
};
use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

pub(super) fn read(message: &Value) -> Content {
    let kind = text(message, "type").unwrap_or("unknown");
    let body = message.get(kind).unwrap_or(&Value::Null);
    known(kind, body).unwrap_or_else(|| match message.get("errors").and_then(first_error) {
        Some((_, reason)) if body.is_null() || kind == "unsupported" => {
            unsupported(kind, body, reason)
        }
        _ if kind == "unsupported" => unsupported(kind, body, String::new()),
        _ => other(kind, body),
    })
}

/// None if a field that we need is missing.
fn known(kind: &str, body: &Value) -> Option<Content> {
    match kind {
        "text" => body.get("body")?.as_str().map(|text| Content::Text(text.to_owned())),
        "button" => {
            let title = text(body, "text").or_else(|| text(body, "payload"))?;
            let id = text(body, "payload").unwrap_or(title);
            Some(Content::Choice(Choice { id: id.to_owned(), title: title.to_owned() }))
        }
        "interactive" => interactive(body),
        "image" => media(MediaKind::Image, body),
        "video" => media(MediaKind::Video, body),
        "audio" => match body.get("voice") {
            Some(Value::Bool(true)) => media(MediaKind::Voice, body),
            _ => media(MediaKind::Audio, body),
        },
        "voice" => media(MediaKind::Voice, body),
        "document" => media(MediaKind::Document, body),
        "sticker" => media(MediaKind::Sticker, body),
        "location" => Some(Content::Location(Location {
            latitude: body.get("latitude")?.as_f64()?,
            longitude: body.get("longitude")?.as_f64()?,
            name: owned(body, "name"),
            address: owned(body, "address"),
        })),
        "reaction" => Some(Content::Reaction(Reaction {
            message_id: owned(body, "message_id")?,
            emoji: owned(body, "emoji"),
        })),
        "contacts" => {
            let cards = body.as_array().filter(|cards| !cards.is_empty())?;
            cards.iter().map(card).collect::<Option<_>>().map(Content::Contacts)
        }
        "order" => order(body).map(Content::Order),
        "system" => notice(body).map(Content::Notice),
        "edit" => match read(body.get("message").filter(|message| message.is_object())?) {
            Content::Edit(_) => None,
            content => {
                let message_id = owned(body, "original_message_id")?;
                Some(Content::Edit(Edit { message_id, content: Box::new(content) }))
            }
        },
        "revoke" => {
            owned(body, "original_message_id").map(|message_id| Content::Revoked { message_id })
        }
        "request_welcome" => Some(Content::Welcome),
        _ => None,
    }
}

fn interactive(body: &Value) -> Option<Content> {
    let kind = text(body, "type")?;
    let reply = body.get(kind)?;
    match kind {
        "button_reply" | "list_reply" => {
            let (id, title) = (text(reply, "id")?, text(reply, "title").unwrap_or_default());
            Some(Content::Choice(Choice { id: id.to_owned(), title: title.to_owned() }))
        }
        "nfm_reply" => {
            let response = match reply.get("response_json")? {
                // JSON within a text; what is none stays the text.
                Value::String(text) => {
                    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
                }
                value => value.clone(),
            };
            Some(Content::Flow(FlowAnswer {
                name: owned(reply, "name"),
                body: owned(reply, "body"),
                response: response.to_string(),
            }))
        }
        _ => None,
    }
}

fn media(kind: MediaKind, body: &Value) -> Option<Content> {
    Some(Content::Media(Media {
        kind,
        id: owned(body, "id")?,
        mime_type: owned(body, "mime_type").unwrap_or_default(),
        caption: owned(body, "caption"),
        filename: owned(body, "filename"),
        url: owned(body, "url"),
        sha256: text(body, "sha256").and_then(sha256),
    }))
}

/// Meta writes it in base64 mostly, in hexadecimal now and then.
fn sha256(text: &str) -> Option<String> {
    const BYTES: usize = 32;
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let bytes = hex::decode(text).or_else(|_| BASE64.decode(text).map_err(drop)).ok()?;
    (bytes.len() == BYTES).then(|| hex::encode(bytes))
}

/// None if it is no card at all.
fn card(card: &Value) -> Option<ContactCard> {
    let card_name = card.get("name");
    let part = |name: &str| card_name.and_then(|all| text(all, name));
    let name = part("formatted_name").map(str::to_owned).or_else(|| {
        let parts: Vec<&str> = ["first_name", "last_name"].into_iter().filter_map(part).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    });
    let list = |name: &str| card.get(name).and_then(Value::as_array).into_iter().flatten();
    card.as_object()?;
    Some(ContactCard {
        name,
        phones: list("phones").filter_map(phone).collect(),
        emails: list("emails").filter_map(|email| owned(email, "email")).collect(),
        organization: card.get("org").and_then(|org| owned(org, "company")),
        own: text(card, "origin") == Some("contact_request"),
    })
}

fn phone(phone: &Value) -> Option<CardPhone> {
    let wa_id = owned(phone, "wa_id");
    let shown = owned(phone, "phone").or_else(|| wa_id.as_ref().map(|id| format!("+{id}")))?;
    Some(CardPhone { phone: shown, wa_id })
}

fn order(body: &Value) -> Option<Order> {
    let items = body.get("product_items")?.as_array()?;
    Some(Order {
        catalog: owned(body, "catalog_id")?,
        text: owned(body, "text"),
        items: items.iter().map(item).collect::<Option<_>>()?,
    })
}

fn item(item: &Value) -> Option<OrderItem> {
    const MOST: f64 = 1e15;
    let quantity = number(item.get("quantity")?)?;
    let whole = quantity.fract() == 0.0 && (0.0..MOST).contains(&quantity);
    Some(OrderItem {
        product: owned(item, "product_retailer_id")?,
        quantity: whole.then_some(quantity as u64)?,
        price: number(item.get("item_price")?)?,
        currency: owned(item, "currency")?,
    })
}

/// Of a number, or of a text that is one.
fn number(value: &Value) -> Option<f64> {
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok()?,
        None => value.as_f64()?,
    };
    f64::is_finite(number).then_some(number)
}

fn notice(body: &Value) -> Option<Notice> {
    let kind = match text(body, "type")? {
        // As older versions of the API say it.
        "customer_changed_number" => "user_changed_number",
        kind => kind,
    };
    let ids = Ids::of(body, "wa_id", "user_id", "parent_user_id");
    let now = Ids { phone: ids.phone.or_else(|| text(body, "new_wa_id")), ..ids };
    Some(Notice {
        kind: kind.to_owned(),
        text: owned(body, "body").unwrap_or_default(),
        now: sender(now, None).unwrap_or_default(),
    })
}

/// What Meta shows to people alone, or could not hand on: too large a video.
fn unsupported(kind: &str, body: &Value, reason: String) -> Content {
    let kind = match kind {
        "unsupported" | "unknown" => owned(body, "type"),
        kind => Some(kind.to_owned()),
    };
    Content::Unsupported { kind, reason }
}

/// Any other type by its name, the finer one where there are two, with its
/// body.
fn other(kind: &str, body: &Value) -> Content {
    let (kind, body) = match (kind, text(body, "type")) {
        ("interactive", Some(finer)) => (finer.to_owned(), body.get(finer).unwrap_or(body)),
        ("system", Some(finer)) => (format!("system.{finer}"), body),
        _ => (kind.to_owned(), body),
    };
    let json = match body {
        Value::Null => "{}".to_owned(),
        body => body.to_string(),
    };
    Content::Other { kind, json }
}
