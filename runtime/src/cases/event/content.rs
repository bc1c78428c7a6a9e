//! What a message holds, under its key: the JSON that plugins see of it
//! (`Content::body`), with what may be left out left out.

use super::super::effect::ButtonForm;
use crate::model::{
    Choice, ContactCard, Content, Edit, FlowAnswer, Location, Media, MediaKind, Notice, Order,
    Reaction,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Error: what is wrong with it, beginning with the key.
pub fn read(kind: &str, body: Value) -> Result<Content, String> {
    Ok(match kind {
        "text" => Content::Text(strictly("message.text", body)?),
        "choice" => {
            let ButtonForm { id, title } = strictly("message.choice", body)?;
            Content::Choice(Choice { id, title })
        }
        "media" => {
            let MediaForm { kind, id, mime_type, caption, filename, url, sha256 } =
                strictly("message.media", body)?;
            Content::Media(Media { kind, id, mime_type, caption, filename, url, sha256 })
        }
        "location" => Content::Location(strictly::<Location>("message.location", body)?),
        "reaction" => Content::Reaction(strictly::<Reaction>("message.reaction", body)?),
        "contacts" => Content::Contacts(strictly::<Vec<ContactCard>>("message.contacts", body)?),
        "order" => Content::Order(strictly::<Order>("message.order", body)?),
        "flow" => {
            let FlowForm { name, body, response } = strictly("message.flow", body)?;
            Content::Flow(FlowAnswer { name, body, response: response.to_string() })
        }
        "notice" => Content::Notice(strictly::<Notice>("message.notice", body)?),
        "edit" => Content::Edit(edit(strictly("message.edit", body)?)?),
        "revoked" => {
            let RevokedForm { message_id } = strictly("message.revoked", body)?;
            Content::Revoked { message_id }
        }
        "welcome" => {
            let Nothing {} = strictly("message.welcome", body)?;
            Content::Welcome
        }
        "unsupported" => {
            let UnsupportedForm { kind, reason } = strictly("message.unsupported", body)?;
            Content::Unsupported { kind, reason }
        }
        _ => Content::Other { kind: kind.into(), json: body.to_string() },
    })
}

/// The key and what stands under it.
pub fn written(content: &Content) -> (String, Value) {
    let body = match content {
        // Their JSON is somebody else's.
        Content::Flow(_) | Content::Other { .. } => content.body(),
        _ => without_nulls(content.body()),
    };
    (content.key().to_owned(), body)
}

/// What is no JSON after all stays text.
pub fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.into()))
}

pub fn take<T: Serialize + DeserializeOwned>(
    map: &mut Map<String, Value>,
    whole: &str,
    key: &str,
) -> Result<Option<T>, String> {
    match map.remove(key) {
        Some(Value::Null) | None => Ok(None),
        Some(value) => strictly(&format!("{whole}.{key}"), value).map(Some),
    }
}

/// A value of which every key is one that the type has.
pub fn strictly<T: Serialize + DeserializeOwned>(path: &str, value: Value) -> Result<T, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{path}: {error}");
    let read: T = serde_json::from_value(value.clone()).map_err(|error| wrong(&error))?;
    let known = serde_json::to_value(&read).map_err(|error| wrong(&error))?;
    match unknown(&value, &known) {
        Some(name) => Err(wrong(&format_args!("unknown field `{name}`"))),
        None => Ok(read),
    }
}

/// The first key of `given` that was not read into `known`.
fn unknown(given: &Value, known: &Value) -> Option<String> {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            // What is none or false may be left out when it is written again.
            let said = |value: &Value| !value.is_null() && *value != Value::Bool(false);
            given.iter().filter(|(_, value)| said(value)).find_map(|(key, value)| {
                match known.get(key) {
                    Some(known) => unknown(value, known),
                    None => Some(key.clone()),
                }
            })
        }
        (Value::Array(given), Value::Array(known)) => {
            given.iter().zip(known).find_map(|(given, known)| unknown(given, known))
        }
        _ => None,
    }
}

pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let said = map.into_iter().filter(|(_, value)| !value.is_null());
            said.map(|(key, value)| (key, without_nulls(value))).collect()
        }
        Value::Array(list) => list.into_iter().map(without_nulls).collect(),
        plain => plain,
    }
}

fn edit(mut map: Map<String, Value>) -> Result<Edit, String> {
    let message_id = take(&mut map, "message.edit", "message_id")?;
    let message_id = message_id.ok_or("message.edit: has no `message_id`")?;
    let mut contents = map.into_iter();
    match (contents.next(), contents.next()) {
        (Some((kind, body)), None) if kind != "edit" => {
            Ok(Edit { message_id, content: Box::new(read(&kind, body)?) })
        }
        _ => Err("message.edit: has one content, such as `text`, beside `message_id`".into()),
    }
}

#[derive(Serialize, Deserialize)]
struct MediaForm {
    kind: MediaKind,
    #[serde(default = "media_id")]
    id: String,
    #[serde(default = "mime_type")]
    mime_type: String,
    caption: Option<String>,
    filename: Option<String>,
    url: Option<String>,
    sha256: Option<String>,
}

fn media_id() -> String {
    "media.1".into()
}
fn mime_type() -> String {
    "application/octet-stream".into()
}

#[derive(Serialize, Deserialize)]
struct FlowForm {
    name: Option<String>,
    body: Option<String>,
    response: Value,
}

#[derive(Serialize, Deserialize)]
struct RevokedForm {
    message_id: String,
}

#[derive(Serialize, Deserialize)]
struct UnsupportedForm {
    kind: Option<String>,
    #[serde(default)]
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Nothing {}
