//! One inbound message.

use super::super::sender::{Ids, is_bsuid, sender};
use super::{Change, text, timestamp};
use crate::model::{
    Choice, Content, EventKind, Happening, Location, Media, MediaKind, Message, Reaction, Sender,
};
use serde_json::Value;

pub(super) fn read(change: &Change<'_>, message: &Value) -> Happening {
    if message.get("group_id").is_some_and(|group| !group.is_null()) {
        // Its sender is one of several in a group: an answer would go to that
        // person alone, out of the blue. So it is nobody's message.
        return change.account("group_message".into(), message, None);
    }
    let sender = match text(message, "type") {
        Some("system") => former_sender(change, message),
        _ => {
            let ids = Ids::of(message, "from", "from_user_id", "from_parent_user_id");
            sender(ids, change.contacts())
        }
    };
    let Some(id) = text(message, "id") else {
        return change.account("message_without_id".into(), message, sender);
    };
    if sender.is_none() {
        return change.account("message_without_sender".into(), message, None);
    }
    let context = message.get("context");
    let flag = |name| context.and_then(|context| context.get(name)) == Some(&Value::Bool(true));
    let kind = EventKind::Message(Message {
        id: id.to_owned(),
        sent_at: timestamp(message),
        content: content(message),
        replies_to: context.and_then(|context| text(context, "id")).map(str::to_owned),
        referral: message.get("referral").map(Value::to_string),
        forwarded: flag("forwarded") || flag("frequently_forwarded"),
        product: None,
    });
    change.happening(id.to_owned(), sender, kind, message)
}

/// Who a system message is about, by the ids from before the change: those are
/// the ones we know the contact by.
fn former_sender(change: &Change<'_>, message: &Value) -> Option<Sender> {
    let ids = Ids::of(message, "from", "from_user_id", "from_parent_user_id");
    let Some(system) = message.get("system") else {
        return sender(ids, change.contacts());
    };
    let new = text(system, "user_id");
    let old = text(system, "previous_user_id").or_else(|| id_in_words(system));
    let ids = Ids {
        phone: ids.phone,
        bsuid: old.or(ids.bsuid.filter(|bsuid| Some(*bsuid) != new)),
        parent: text(system, "previous_parent_user_id").or(ids.parent),
    };
    sender(ids, change.contacts())
}

/// Until August 2026 the former user id stood in the words alone: `User A
/// changed from US.1 to US.2`.
fn id_in_words(system: &Value) -> Option<&str> {
    let (before, _) = text(system, "body")?.rsplit_once(" to ")?;
    let (_, id) = before.rsplit_once(" from ")?;
    is_bsuid(id).then_some(id)
}

fn content(message: &Value) -> Content {
    let kind = text(message, "type").unwrap_or("unknown");
    let body = message.get(kind).unwrap_or(&Value::Null);
    known(kind, body).unwrap_or_else(|| other(kind, body, message))
}

/// None if a field that we need is missing.
fn known(kind: &str, body: &Value) -> Option<Content> {
    match kind {
        "text" => body.get("body")?.as_str().map(|text| Content::Text(text.to_owned())),
        "button" => {
            let title = text(body, "text")?;
            let id = text(body, "payload").unwrap_or(title);
            Some(Content::Choice(Choice { id: id.to_owned(), title: title.to_owned() }))
        }
        "interactive" => {
            let reply = match text(body, "type")? {
                kind @ ("button_reply" | "list_reply") => body.get(kind)?,
                _ => return None,
            };
            let (id, title) = (text(reply, "id")?, text(reply, "title").unwrap_or_default());
            Some(Content::Choice(Choice { id: id.to_owned(), title: title.to_owned() }))
        }
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
            name: text(body, "name").map(str::to_owned),
            address: text(body, "address").map(str::to_owned),
        })),
        "reaction" => Some(Content::Reaction(Reaction {
            message_id: text(body, "message_id")?.to_owned(),
            emoji: text(body, "emoji").map(str::to_owned),
        })),
        _ => None,
    }
}

fn media(kind: MediaKind, body: &Value) -> Option<Content> {
    Some(Content::Media(Media {
        kind,
        id: text(body, "id")?.to_owned(),
        mime_type: text(body, "mime_type").unwrap_or_default().to_owned(),
        caption: text(body, "caption").map(str::to_owned),
        filename: text(body, "filename").map(str::to_owned),
        url: text(body, "url").map(str::to_owned),
        sha256: None,
    }))
}

/// Any other type by its name, the finer one where there are two, with its
/// body; without a body, with the errors that Meta gave instead.
fn other(kind: &str, body: &Value, message: &Value) -> Content {
    let finer = text(body, "type");
    let (kind, body) = match (kind, finer) {
        ("interactive", Some(finer)) => (finer.to_owned(), body.get(finer).unwrap_or(body)),
        ("system", Some(finer)) => (format!("system.{finer}"), body),
        _ => (kind.to_owned(), body),
    };
    let body = match body {
        Value::Null => message.get("errors").unwrap_or(&Value::Null),
        body => body,
    };
    let json = match body {
        Value::Null => "{}".to_owned(),
        body => body.to_string(),
    };
    Content::Other { kind, json }
}
