//! What the error codes of all providers have in common: words around a reason,
//! and the HTTP status, which decides where a code is in no list.

use super::{Answer, ErrorClass};
use serde_json::Value;

pub const UNAUTHORIZED: u16 = 401;

/// A code's class and its words for the owner; none if it is in no list.
pub type Meaning = Option<(ErrorClass, &'static str)>;

/// The class and plain words, with the provider's own text behind them.
pub fn explain(provider: &str, code: u32, meaning: Meaning, text: &str) -> (ErrorClass, String) {
    let (class, words) = match meaning {
        Some((class, words)) => (class, words.to_owned()),
        None => (
            ErrorClass::Permanent,
            format!("{provider} refused the message for a reason that is not in our list"),
        ),
    };
    let text = text.trim();
    let more = if text.is_empty() { String::new() } else { format!(": {text}") };
    (class, format!("{words} (error {code}{more})"))
}

/// What an answer with a code means.
pub fn refused(provider: &str, status: u16, code: u32, meaning: Meaning, text: &str) -> Answer {
    let (class, reason) = explain(provider, code, meaning, text);
    let class = match (meaning, status) {
        (None, UNAUTHORIZED) => ErrorClass::PauseChannel,
        (None, status) if passing(status) => ErrorClass::Retry,
        (Some(_) | None, _) => class,
    };
    Answer::Refused { class, code: Some(code), reason }
}

/// Whether an HTTP status speaks of passing trouble.
pub fn passing(status: u16) -> bool {
    const TIMEOUT: u16 = 408;
    const TOO_MANY: u16 = 429;
    matches!(status, TIMEOUT | TOO_MANY | 500..)
}

/// A code that may be written as a text.
pub fn number(value: Option<&Value>) -> Option<u32> {
    let value = value?;
    match value.as_str() {
        Some(text) => text.parse().ok(),
        None => value.as_u64().and_then(|code| code.try_into().ok()),
    }
}
