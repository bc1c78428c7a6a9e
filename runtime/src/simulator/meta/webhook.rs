//! Webhooks as Meta writes and signs them.

use crate::simulator::{
    Sim,
    deliver::Parcel,
    errors::Problem,
    message::{Message, Status},
    names,
    phone::Who,
    state::Millis,
};
use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use std::fmt::Write as _;

const HELP: &str = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";

pub fn message(sim: &Sim, who: &Who, message: &Map<String, Value>) -> Parcel {
    let mut value = beginning(sim);
    // A system message comes without its contact.
    if message.get("type").and_then(Value::as_str) != Some("system") {
        value.insert("contacts".into(), json!([contact(who, true)]));
    }
    let id = message.get("id").and_then(Value::as_str).unwrap_or("");
    value.insert("messages".into(), json!([message]));
    parcel(sim, "message", id, "messages", value.into())
}

pub fn account(sim: &Sim, field: &str, value: Value) -> Parcel {
    parcel(sim, "account", "", field, value)
}

pub fn receipt(sim: &Sim, message: &Message, who: Option<&Who>, now: Millis) -> Parcel {
    let failed = message.status == Status::Failed;
    let to = message.to.as_deref().unwrap_or("");
    let to_user = names::is_user_id(to);
    let mut status = Map::new();
    status.insert("id".into(), message.id.clone().into());
    status.insert("status".into(), json!(message.status));
    status.insert("timestamp".into(), (now / 1_000).to_string().into());
    let number = match who {
        Some(who) => who.number.clone(),
        None => names::digits(to),
    };
    if let Some(number) = number {
        status.insert("recipient_id".into(), number.into());
    }
    let user_id = who.map(|who| who.user_id.clone()).or(to_user.then(|| to.to_owned()));
    // A failure of a message to a number does not say whose it is.
    if let Some(user_id) = user_id.filter(|_| !failed || to_user) {
        status.insert("recipient_user_id".into(), user_id.into());
    }
    if let Some(opaque) = &message.opaque {
        status.insert("biz_opaque_callback_data".into(), opaque.clone().into());
    }
    if matches!(message.status, Status::Sent | Status::Delivered) {
        status.insert("pricing".into(), pricing(&message.kind));
    }
    if let Some(problem) = &message.problem {
        status.insert("errors".into(), json!([error(problem)]));
    }
    let mut value = beginning(sim);
    value.insert("statuses".into(), json!([status]));
    if let Some(who) = who.filter(|_| !failed) {
        let with_username = message.status != Status::Sent;
        value.insert("contacts".into(), json!([contact(who, with_username)]));
    }
    parcel(sim, "receipt", &message.id, "messages", value.into())
}

/// An entry of `errors[]`.
fn error(problem: &Problem) -> Value {
    json!({
        "code": problem.code,
        "title": problem.title,
        "message": problem.title,
        "error_data": { "details": problem.details },
        "href": HELP,
    })
}

/// The simulator does not know a template's category: a promotion, say.
fn pricing(kind: &str) -> Value {
    if kind == "template" {
        json!({"billable": true, "pricing_model": "PMP", "type": "regular",
            "category": "marketing"})
    } else {
        json!({"billable": false, "pricing_model": "PMP", "type": "free_customer_service",
            "category": "service"})
    }
}

/// An entry of `contacts[]`.
fn contact(who: &Who, with_username: bool) -> Value {
    let mut profile = Map::new();
    profile.insert("name".into(), who.name.clone().into());
    if let Some(username) = who.username.as_ref().filter(|_| with_username) {
        profile.insert("username".into(), format!("@{username}").into());
    }
    let mut contact = Map::new();
    contact.insert("profile".into(), profile.into());
    contact.insert("user_id".into(), who.user_id.clone().into());
    if let Some(number) = &who.number {
        contact.insert("wa_id".into(), number.clone().into());
    }
    contact.into()
}

/// What every value of the field `messages` begins with.
fn beginning(sim: &Sim) -> Map<String, Value> {
    let mut value = Map::new();
    value.insert("messaging_product".into(), "whatsapp".into());
    value.insert(
        "metadata".into(),
        json!({
            "display_phone_number": sim.config.display_phone_number,
            "phone_number_id": sim.config.phone_number_id,
        }),
    );
    value
}

fn parcel(sim: &Sim, kind: &'static str, message: &str, field: &str, value: Value) -> Parcel {
    let envelope = json!({
        "object": "whatsapp_business_account",
        "entry": [{
            "id": sim.config.business_account_id,
            "changes": [{ "field": field, "value": value }],
        }],
    });
    let body = escape(&envelope.to_string());
    let signature = sign(&sim.config.app_secret, body.as_bytes());
    Parcel {
        kind,
        message: message.into(),
        url: sim.config.webhook_url.clone(),
        content_type: "application/json",
        signature: ("x-hub-signature-256", signature),
        body: body.into(),
    }
}

/// JSON as Meta puts it on the wire: non-ASCII as `\uXXXX` in lower case, and
/// `/` as `\/`. Both occur within strings only, so this needs no parsing.
fn escape(json: &str) -> String {
    let mut text = String::with_capacity(json.len() + json.len() / 8);
    let mut units = [0u16; 2];
    for letter in json.chars() {
        match letter {
            '/' => text.push_str("\\/"),
            ascii if ascii.is_ascii() => text.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut units) {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text
}

fn sign(secret: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_escaped_as_metas_and_mean_the_same() {
        let value = json!({"a": "äöå 😀 https://x.test \"q\" \\ \n"});
        let escaped = escape(&value.to_string());
        assert_eq!(
            escaped,
            r#"{"a":"\u00e4\u00f6\u00e5 \ud83d\ude00 https:\/\/x.test \"q\" \\ \n"}"#
        );
        assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value);
    }

    #[test]
    fn signatures_match_known_ones() {
        let file = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/whatsapp/payloads/meta/signature_vectors.json"
        );
        let Ok(text) = std::fs::read_to_string(file) else {
            eprintln!("skipped: no vectors at {file}");
            return;
        };
        let vectors: Value = serde_json::from_str(&text).unwrap();
        for vector in vectors.as_array().unwrap() {
            let text = |name: &str| vector[name].as_str().unwrap();
            if vector["header"].is_string() {
                assert_eq!(sign(text("app_secret"), text("body").as_bytes()), text("header"));
            }
        }
    }
}
