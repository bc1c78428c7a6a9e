//! What Twilio checks in the form of a send, before it looks at anything else,
//! and the message in the world's form. Pure.

use super::{Account, codes::Refusal, contents};
use crate::simulator::{
    names,
    sends::{Send, Target},
    templates::Template,
};
use axum::http::Uri;
use serde_json::{Map, Value, json};

const TEXT_CHARS: usize = 1_600;
const FILES_MAX: usize = 10;
const PREFIX: &str = "whatsapp:";

/// The fields of a send; those of the name `MediaUrl` may be several.
pub struct Form(Vec<(String, String)>);

impl Form {
    pub fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = move |(one, value): &&(String, String)| one == name && !value.is_empty();
        self.0.iter().filter(of_name).map(|(_, value)| value.as_str())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(one, value)| one == name && !value.is_empty()).map(|(_, v)| v.as_str())
    }
}

/// A well-formed send. What the bot wants back with each state is the address
/// that they go to.
///
/// # Errors
/// What Twilio would answer.
pub fn send(
    form: &Form,
    account: &Account,
    number: &str,
    find: &dyn Fn(&str) -> Option<Template>,
) -> Result<Send, Refusal> {
    let to = form.get("To").ok_or_else(|| Refusal::new(21_604, ""))?;
    sender(form, account, number)?;
    let target = target(to)?;
    let callback = form.get("StatusCallback");
    if callback.is_some_and(|url| !is_address(url)) {
        return Err(Refusal::new(21_609, ""));
    }
    let (kind, content) = match form.get("ContentSid") {
        Some(sid) => ("template", template(form, sid, find)?),
        None => free(form)?,
    };
    Ok(Send {
        kind: kind.into(),
        content,
        target,
        input: to.into(),
        opaque: callback.map(str::to_owned),
        reply_to: None,
        marketing_api: false,
    })
}

fn sender(form: &Form, account: &Account, number: &str) -> Result<(), Refusal> {
    let service = form.get("MessagingServiceSid");
    if service.is_some_and(|sid| account.messaging_service_sid.as_deref() != Some(sid)) {
        return Err(Refusal::new(21_701, ""));
    }
    match form.get("From") {
        None if service.is_some() => Ok(()),
        None => Err(Refusal::new(21_603, "")),
        Some(from) if from == format!("{PREFIX}+{number}") => Ok(()),
        Some(_) => Err(Refusal::new(63_007, "")),
    }
}

/// A number has a `+`, a user id has none.
fn target(to: &str) -> Result<Target, Refusal> {
    let Some(id) = to.strip_prefix(PREFIX) else {
        return Err(Refusal::new(21_910, ""));
    };
    let digits = id.strip_prefix('+').and_then(names::digits);
    match digits {
        Some(digits) => Ok(Target::Number(digits)),
        None if names::is_user_id(id) => Ok(Target::User(id.to_owned())),
        None => Err(Refusal::new(21_211, to)),
    }
}

/// What needs an open window.
fn free(form: &Form) -> Result<(&'static str, Value), Refusal> {
    let body = form.get("Body").unwrap_or_default();
    if body.chars().count() > TEXT_CHARS {
        return Err(Refusal::new(21_617, ""));
    }
    let files: Vec<&str> = form.all("MediaUrl").collect();
    if files.len() > FILES_MAX {
        return Err(Refusal::new(21_623, ""));
    }
    if files.iter().any(|file| !is_address(file)) {
        return Err(Refusal::new(21_620, ""));
    }
    if let Some(place) = form.get("PersistentAction").and_then(|action| action.strip_prefix("geo:"))
    {
        return location(place, body).ok_or_else(|| Refusal::new(20_422, "PersistentAction"));
    }
    match files.first() {
        Some(file) => {
            let mut content = json!({"link": file});
            if let (Some(content), false) = (content.as_object_mut(), body.is_empty()) {
                content.insert("caption".into(), body.into());
            }
            Ok((kind_of_file(file), content))
        }
        None if body.is_empty() => Err(Refusal::new(21_619, "")),
        None => Ok(("text", json!({"body": body}))),
    }
}

fn location(place: &str, name: &str) -> Option<(&'static str, Value)> {
    let (point, label) = place.split_once('|').unwrap_or((place, ""));
    let (latitude, longitude) = point.split_once(',')?;
    let within = |text: &str, most: f64| {
        let degrees: f64 = text.trim().parse().ok()?;
        (degrees.abs() <= most).then_some(degrees)
    };
    let (latitude, longitude) = (within(latitude, 90.0)?, within(longitude, 180.0)?);
    let content =
        json!({"latitude": latitude, "longitude": longitude, "name": name, "address": label});
    Some(("location", content))
}

/// Twilio asks the file's server; here its ending must do.
fn kind_of_file(address: &str) -> &'static str {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "png" => "image",
        "mp4" | "3gp" => "video",
        "ogg" | "mp3" | "amr" | "aac" | "m4a" => "audio",
        "webp" => "sticker",
        _ => "document",
    }
}

fn template(
    form: &Form,
    sid: &str,
    find: &dyn Fn(&str) -> Option<Template>,
) -> Result<Value, Refusal> {
    let template = find(sid).ok_or_else(|| Refusal::new(21_655, ""))?;
    let variables: Map<String, Value> = match form.get("ContentVariables") {
        None => Map::new(),
        Some(text) => serde_json::from_str(text).map_err(|_| Refusal::new(21_656, ""))?,
    };
    let empty = |value: &Value| value.as_str().is_none_or(str::is_empty);
    if let Some((name, _)) = variables.iter().find(|(_, value)| empty(value)) {
        return Err(Refusal::new(21_656, name));
    }
    Ok(contents::message(&template, &variables))
}

fn is_address(text: &str) -> bool {
    let web = text.starts_with("https://") || text.starts_with("http://");
    web && text.parse::<Uri>().is_ok_and(|uri| uri.host().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account {
            sid: "AC1".into(),
            auth_token: "t".into(),
            messaging_service_sid: Some("MG1".into()),
        }
    }

    /// One template.
    fn find(sid: &str) -> Option<Template> {
        let sale = serde_json::json!({
            "name": "sale", "language": "en", "category": "MARKETING",
            "components": [{"type": "BODY", "text": "Hello {{1}}"}],
        });
        let draft = serde_json::from_value(sale).unwrap();
        let template =
            crate::simulator::templates::Templates::default().add(draft).unwrap().clone();
        (sid == "HX1").then_some(template)
    }

    fn check(more: &str) -> Result<Send, u32> {
        let form = format!("To=whatsapp%3A%2B15551234567&From=whatsapp%3A%2B1555000&{more}");
        check_all(&form)
    }

    fn check_all(form: &str) -> Result<Send, u32> {
        send(&Form::read(form.as_bytes()), &account(), "1555000", &find)
            .map_err(|refusal| refusal.code)
    }

    #[test]
    fn each_kind_has_the_worlds_form() {
        let of = |more: &str| check(more).map(|send| (send.kind, send.content)).unwrap();
        assert_eq!(of("Body=hi"), ("text".into(), json!({"body": "hi"})));
        let picture = json!({"link": "https://x/a.PNG?b=1", "caption": "c"});
        assert_eq!(of("MediaUrl=https://x/a.PNG%3Fb=1&Body=c"), ("image".into(), picture));
        let place = json!({"latitude": 1.5, "longitude": -2.0, "name": "n", "address": "l"});
        assert_eq!(of("PersistentAction=geo:1.5,-2|l&Body=n"), ("location".into(), place));
        let (kind, content) = of("ContentSid=HX1&ContentVariables={\"1\":\"Ann\"}");
        assert_eq!((kind.as_str(), &content["name"]), ("template", &json!("sale")));
        assert_eq!(content["components"][0]["parameters"][0]["text"], "Ann");
    }

    #[test]
    fn mistakes_get_twilios_codes() {
        let long = format!("Body={}", "x".repeat(1_601));
        let many = "MediaUrl=https://x/1&".repeat(11);
        for (more, code) in [
            ("", 21_619),
            ("Body=", 21_619),
            (&*long, 21_617),
            (&*many, 21_623),
            ("MediaUrl=file:///etc/passwd", 21_620),
            ("PersistentAction=geo:91,0&Body=x", 20_422),
            ("ContentSid=HX2", 21_655),
            ("ContentSid=HX1&ContentVariables=[1]", 21_656),
            ("ContentSid=HX1&ContentVariables={\"1\":\"\"}", 21_656),
            ("Body=x&StatusCallback=nowhere", 21_609),
            ("Body=x&MessagingServiceSid=MG2", 21_701),
        ] {
            assert_eq!(check(more).unwrap_err(), code, "{more}");
        }
        for (form, code) in [
            ("From=whatsapp:%2B1555000&Body=x", 21_604),
            ("To=whatsapp:%2B15551234567&Body=x", 21_603),
            ("To=whatsapp:%2B15551234567&From=whatsapp:%2B1&Body=x", 63_007),
            ("To=%2B15551234567&From=whatsapp:%2B1555000&Body=x", 21_910),
            ("To=whatsapp:15551234567&From=whatsapp:%2B1555000&Body=x", 21_211),
        ] {
            assert_eq!(check_all(form).unwrap_err(), code, "{form}");
        }
        let by_service = "To=whatsapp:US.1349&MessagingServiceSid=MG1&Body=x";
        assert_eq!(check_all(by_service).unwrap().target, Target::User("US.1349".into()));
    }
}
