//! What the Graph API checks in the body of a send, before it looks at
//! anything else. Pure.

use super::refusal::Refusal;
use crate::simulator::{
    names,
    sends::{Send, Target},
};
use serde_json::{Map, Value};

mod interactive;

/// A well-formed body of `POST /messages`.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    Send(Send),
    /// Marks this message and all before it as read.
    Read {
        message_id: String,
        typing: bool,
    },
}

type Checked<T> = Result<T, Refusal>;

const TEXT_CHARS: usize = 4_096;
const CAPTION_CHARS: usize = 1_024;
const OPAQUE_CHARS: usize = 512;
const TEMPLATE_NAME_CHARS: usize = 512;

/// # Errors
/// The error that Meta would answer with.
pub fn body(bytes: &[u8]) -> Checked<Body> {
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(bytes) else {
        return Err(Refusal::new(100, "the body must be a JSON object"));
    };
    if body.get("messaging_product").and_then(Value::as_str) != Some("whatsapp") {
        return Err(Refusal::new(100, "messaging_product must be \"whatsapp\""));
    }
    if let Some(status) = body.get("status") {
        return read(status, &body);
    }
    match body.get("recipient_type").map(|kind| kind.as_str().unwrap_or("")) {
        None | Some("individual") => {}
        Some("group") => return Err(Refusal::new(100, "the simulator has no groups")),
        Some(_) => return Err(wrong("recipient_type", "must be individual or group")),
    }
    let (target, input) = target(&body)?;
    let kind = body.get("type").map_or(Some("text"), Value::as_str).unwrap_or("");
    let opaque = optional(&body, "biz_opaque_callback_data", OPAQUE_CHARS)?;
    let reply_to = match body.get("context") {
        None => None,
        Some(quoted) => Some(required(object(quoted, "context")?, "message_id", 1_000)?),
    };
    let content = body.get(kind).unwrap_or(&Value::Null);
    check_kind(kind, content)?;
    let kind = kind.to_owned();
    Ok(Body::Send(Send { kind, content: content.clone(), target, input, opaque, reply_to }))
}

fn read(status: &Value, body: &Map<String, Value>) -> Checked<Body> {
    if status != "read" {
        return Err(wrong("status", "must be read"));
    }
    let message_id = required(body, "message_id", 1_000)?;
    let typing = match body.get("typing_indicator") {
        None => false,
        Some(typing) if typing.get("type").and_then(Value::as_str) == Some("text") => true,
        Some(_) => return Err(wrong("typing_indicator.type", "must be text")),
    };
    Ok(Body::Read { message_id, typing })
}

/// `to` wins if both are there.
fn target(body: &Map<String, Value>) -> Checked<(Target, String)> {
    let text = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.clone())),
        // Meta takes numbers for strings.
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(wrong(name, "must be a phone number or a user id")),
    };
    if let Some(to) = text("to")? {
        return match names::digits(&to) {
            Some(digits) => Ok((Target::Number(digits), to)),
            None if names::is_user_id(&to) => Ok((Target::Lost, to)),
            None => Err(wrong("to", "is not a phone number")),
        };
    }
    match text("recipient")? {
        Some(user) if names::is_user_id(&user) => Ok((Target::User(user.clone()), user)),
        Some(_) => Err(wrong("recipient", "is not a business-scoped user id")),
        None => Err(Refusal::new(100, "The parameter to is required.")),
    }
}

fn check_kind(kind: &str, content: &Value) -> Checked<()> {
    match kind {
        "text" => {
            required(object(content, kind)?, "body", TEXT_CHARS)?;
            Ok(())
        }
        "image" | "video" | "audio" | "document" | "sticker" => media(kind, content),
        "location" => location(object(content, kind)?),
        "contacts" => contacts(content),
        "reaction" => {
            let reaction = object(content, kind)?;
            required(reaction, "message_id", 1_000)?;
            match reaction.get("emoji") {
                Some(Value::String(_)) => Ok(()),
                Some(_) | None => Err(missing("emoji")),
            }
        }
        "interactive" => interactive::check(object(content, kind)?),
        "template" => template(object(content, kind)?),
        _ => Err(Refusal::new(131051, format!("type {kind:?} is not known"))),
    }
}

fn media(kind: &str, content: &Value) -> Checked<()> {
    let media = object(content, kind)?;
    let id = optional(media, "id", 1_000)?;
    let link = optional(media, "link", 10_000)?;
    match (id, link) {
        (None, None) => return Err(missing(&format!("{kind}.id or {kind}.link"))),
        (_, Some(link)) if !link.starts_with("http://") && !link.starts_with("https://") => {
            return Err(wrong("link", "must begin with http:// or https://"));
        }
        (Some(_), _) | (None, Some(_)) => {}
    }
    if matches!(kind, "audio" | "sticker") && media.contains_key("caption") {
        return Err(wrong("caption", "is not allowed here"));
    }
    optional(media, "caption", CAPTION_CHARS)?;
    Ok(())
}

fn location(location: &Map<String, Value>) -> Checked<()> {
    for (name, most) in [("latitude", 90.0), ("longitude", 180.0)] {
        let degrees = match location.get(name) {
            None | Some(Value::Null) => return Err(missing(name)),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_f64(),
        };
        if !degrees.is_some_and(|degrees: f64| degrees.abs() <= most) {
            return Err(wrong(name, &format!("must be between -{most} and {most}")));
        }
    }
    Ok(())
}

fn contacts(content: &Value) -> Checked<()> {
    let Some(cards) = content.as_array().filter(|cards| !cards.is_empty()) else {
        return Err(missing("contacts"));
    };
    for card in cards {
        let name = object(card.get("name").unwrap_or(&Value::Null), "contacts.name")?;
        required(name, "formatted_name", 1_000)?;
        let parts = ["first_name", "last_name", "middle_name", "suffix", "prefix"];
        if !parts.iter().any(|part| name.contains_key(*part)) {
            return Err(wrong("contacts.name", "needs one more part, e.g. first_name"));
        }
    }
    Ok(())
}

fn template(template: &Map<String, Value>) -> Checked<()> {
    let name = required(template, "name", TEMPLATE_NAME_CHARS)?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !name.chars().all(plain) {
        return Err(Refusal::new(132001, format!("template name ({name}) does not exist")));
    }
    let language = object(template.get("language").unwrap_or(&Value::Null), "template.language")?;
    required(language, "code", 20)?;
    let none = Vec::new();
    let components = template.get("components").and_then(Value::as_array).unwrap_or(&none);
    for component in components {
        let component = object(component, "template.components")?;
        let kind = required(component, "type", 100)?.to_ascii_lowercase();
        let known =
            ["header", "body", "button", "carousel", "limited_time_offer", "footer", "order"];
        if !known.contains(&kind.as_str()) {
            return Err(wrong("template.components.type", "is not known"));
        }
        if kind == "button" {
            required(component, "sub_type", 100)?;
        }
        let parameters = component.get("parameters").and_then(Value::as_array).unwrap_or(&none);
        for parameter in parameters {
            template_parameter(object(parameter, "template.components.parameters")?)?;
        }
    }
    Ok(())
}

fn template_parameter(parameter: &Map<String, Value>) -> Checked<()> {
    let kind = required(parameter, "type", 100)?;
    let text = parameter.get("text").unwrap_or(&Value::Null);
    if kind == "text" && (text.is_null() || text == "") {
        // Meta takes no empty texts.
        return Err(missing("text"));
    }
    if parameter.get("parameter_name").is_some_and(|name| name.as_str().is_none_or(str::is_empty)) {
        return Err(Refusal::new(100, "Parameter name is missing or empty"));
    }
    Ok(())
}

fn object<'a>(value: &'a Value, name: &str) -> Checked<&'a Map<String, Value>> {
    match value {
        Value::Object(object) => Ok(object),
        Value::Null => Err(missing(name)),
        _ => Err(wrong(name, "must be an object")),
    }
}

/// A text that must be there and not empty.
fn required(object: &Map<String, Value>, name: &str, chars: usize) -> Checked<String> {
    optional(object, name, chars)?.filter(|text| !text.is_empty()).ok_or_else(|| missing(name))
}

fn optional(object: &Map<String, Value>, name: &str, chars: usize) -> Checked<Option<String>> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= chars => Ok(Some(text.clone())),
        Some(Value::String(_)) => Err(wrong(name, &format!("must be at most {chars} characters"))),
        Some(_) => Err(wrong(name, "must be a string")),
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::new(131008, format!("{name} is required"))
}

fn wrong(name: &str, why: &str) -> Refusal {
    Refusal::new(131009, format!("{name} {why}"))
}

#[cfg(test)]
mod tests;
