//! What Twilio's answers and codes mean, and what the owner can do about them.

mod table;

use crate::provider::{
    Answer, ErrorClass,
    codes::{self, UNAUTHORIZED, number, passing},
};
use serde_json::Value;
use table::lookup;

/// What an HTTP answer to a send means. An answer of success without the
/// message's sid is refused without a code: it may have been sent.
pub(super) fn classify(status: u16, body: &[u8]) -> Answer {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if (200..300).contains(&status) {
        return taken(status, &body);
    }
    let text = body.get("message").and_then(Value::as_str).unwrap_or_default();
    match number(body.get("code")) {
        Some(code) => codes::refused("Twilio", status, code, lookup(code), text),
        None => without_code(status, text),
    }
}

/// A code's class and plain words, with Twilio's own text behind them.
pub(super) fn explain(code: u32, text: &str) -> (ErrorClass, String) {
    codes::explain("Twilio", code, lookup(code), text)
}

fn taken(status: u16, body: &Value) -> Answer {
    if let Some(code) = number(body.get("error_code")).filter(|code| *code != 0) {
        let text = body.get("error_message").and_then(Value::as_str).unwrap_or_default();
        return codes::refused("Twilio", status, code, lookup(code), text);
    }
    let sid = body.get("sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
    match (sid, body.get("success")) {
        (Some(sid), _) => Answer::Sent { message_id: sid.to_owned() },
        // Of a typing bubble.
        (None, Some(Value::Bool(true))) => Answer::Sent { message_id: String::new() },
        (None, _) => Answer::Refused {
            class: ErrorClass::Retry,
            code: None,
            reason: format!("the answer with status {status} names no message"),
        },
    }
}

fn without_code(status: u16, text: &str) -> Answer {
    let more = if text.is_empty() { String::new() } else { format!(": {text}") };
    let (class, reason) = match (status, text) {
        (status, _) if passing(status) => {
            (ErrorClass::Retry, format!("Twilio answered with status {status}{more}"))
        }
        (UNAUTHORIZED, _) | (_, "") => (
            ErrorClass::PauseChannel,
            format!(
                "something other than Twilio's interface answered, or it does not know the \
                 account, with status {status}{more}: check the channel's `api_url`, \
                 `account_sid` and `auth_token`, and any proxy"
            ),
        ),
        (_, text) => (
            ErrorClass::Permanent,
            format!("Twilio refused the message with status {status}: {text}"),
        ),
    };
    Answer::Refused { class, code: None, reason }
}

#[cfg(test)]
mod tests;
