//! What Twilio's answers and codes mean, and what the owner can do about them.

mod table;

use crate::provider::{Answer, ErrorClass};
use serde_json::Value;
use table::lookup;

/// What an HTTP answer to a send means. An answer of success without the
/// message's sid is refused without a code: it may have been sent.
pub(super) fn classify(status: u16, body: &[u8]) -> Answer {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if (200..300).contains(&status) {
        return taken(status, &body);
    }
    let code = number(&body, "code");
    let text = body.get("message").and_then(Value::as_str).unwrap_or_default();
    let Some(code) = code else {
        return without_code(status, text);
    };
    let (class, reason) = explain(code, text);
    let class = match (lookup(code), status) {
        (Some(_), _) => class,
        (None, UNAUTHORIZED) => ErrorClass::PauseChannel,
        (None, status) if passing(status) => ErrorClass::Retry,
        (None, _) => class,
    };
    Answer::Refused { class, code: Some(code), reason }
}

/// A code's class and plain words, with Twilio's own text behind them.
pub(super) fn explain(code: u32, text: &str) -> (ErrorClass, String) {
    let (class, words) = lookup(code).unwrap_or((
        ErrorClass::Permanent,
        "Twilio refused the message for a reason that is not in our list",
    ));
    let text = text.trim();
    let more = if text.is_empty() { String::new() } else { format!(": {text}") };
    (class, format!("{words} (error {code}{more})"))
}

const UNAUTHORIZED: u16 = 401;

fn taken(status: u16, body: &Value) -> Answer {
    if let Some(code) = number(body, "error_code").filter(|code| *code != 0) {
        let text = body.get("error_message").and_then(Value::as_str).unwrap_or_default();
        let (class, reason) = explain(code, text);
        return Answer::Refused { class, code: Some(code), reason };
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

/// A number that may be written as a text.
fn number(body: &Value, name: &str) -> Option<u32> {
    let value = body.get(name)?;
    match value.as_str() {
        Some(text) => text.parse().ok(),
        None => value.as_u64().and_then(|code| code.try_into().ok()),
    }
}

/// Whether an HTTP status speaks of passing trouble.
fn passing(status: u16) -> bool {
    const TIMEOUT: u16 = 408;
    const TOO_MANY: u16 = 429;
    matches!(status, TIMEOUT | TOO_MANY | 500..)
}

#[cfg(test)]
mod tests;
