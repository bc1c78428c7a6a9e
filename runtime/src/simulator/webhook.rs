//! A webhook as Meta writes and signs it. Pure.

use super::state::Millis;
use axum::body::Bytes;
use hmac::{Hmac, Mac as _};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::fmt::Write as _;

/// A signed body, ready to be sent as often as needed.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// `message`, `receipt` or `account`.
    pub kind: &'static str,
    /// The message that it is about; empty for account webhooks.
    pub message: String,
    pub body: Bytes,
    /// The value of `X-Hub-Signature-256`.
    pub signature: String,
}

impl Parcel {
    pub fn new(kind: &'static str, message: &str, envelope: &Value, secret: &str) -> Self {
        let body = escape(&envelope.to_string());
        let signature = sign(secret, body.as_bytes());
        Self { kind, message: message.into(), body: body.into(), signature }
    }
}

/// One attempt to deliver, for the log.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub number: u64,
    pub at: Millis,
    pub kind: &'static str,
    pub message: String,
    /// From 1.
    pub attempt: u32,
    /// What the bot answered; none if it did not.
    pub status: Option<u16>,
    pub error: Option<String>,
    pub duration_us: u64,
    /// When it is tried again; none if it arrived or was given up.
    pub retry_at: Option<Millis>,
    pub signature: String,
    #[serde(serialize_with = "as_text")]
    pub body: Bytes,
}

fn as_text<S: serde::Serializer>(body: &Bytes, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&String::from_utf8_lossy(body))
}

/// How the bot answered the verification request.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Verification {
    pub ok: bool,
    pub at: Millis,
    pub details: String,
}

/// What is around the value of any change.
pub fn envelope(business_account: &str, field: &str, value: Value) -> Value {
    json!({
        "object": "whatsapp_business_account",
        "entry": [{
            "id": business_account,
            "changes": [{ "field": field, "value": value }],
        }],
    })
}

/// JSON as Meta puts it on the wire: non-ASCII as `\uXXXX` in lower case, and
/// `/` as `\/`. Both occur within strings only, so this needs no parsing.
pub fn escape(json: &str) -> String {
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

pub fn sign(secret: &str, body: &[u8]) -> String {
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
