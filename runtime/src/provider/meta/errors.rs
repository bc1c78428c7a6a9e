//! What Meta's answers mean, and what the owner can do about them. Builds on
//! the code alone: Meta's titles and HTTP statuses are unreliable (too many
//! requests come as 400).

mod table;

use crate::provider::{
    Answer, ErrorClass,
    codes::{self, passing},
};
use serde_json::Value;
use table::lookup;

/// What an HTTP answer to a send means. An answer of success without the
/// message's id is refused without a code: it may have been sent.
pub(super) fn classify(status: u16, body: &[u8]) -> Answer {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(error) = body.get("error") {
        return refused(status, error);
    }
    if (200..300).contains(&status) {
        let sent = |message_id: &str| Answer::Sent { message_id: message_id.to_owned() };
        let id = body.pointer("/messages/0/id").and_then(Value::as_str);
        return match (id, body.get("success")) {
            (Some(id), _) => sent(id),
            (None, Some(Value::Bool(true))) => sent(""),
            (None, _) => Answer::Refused {
                class: ErrorClass::Retry,
                code: None,
                reason: format!("the answer with status {status} names no message"),
            },
        };
    }
    let (class, reason) = match passing(status) {
        true => (ErrorClass::Retry, format!("Meta answered with status {status} and no reason")),
        false => (
            ErrorClass::PauseChannel,
            format!(
                "something other than WhatsApp's interface answered, with status {status}: check the channel's `api_url` and any proxy"
            ),
        ),
    };
    Answer::Refused { class, code: None, reason }
}

/// What an HTTP answer to an upload means: `Sent` bears the id of the media.
pub(super) fn uploaded(status: u16, body: &[u8]) -> Answer {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match answer.get("id").and_then(Value::as_str) {
        Some(id) if (200..300).contains(&status) && !id.is_empty() => {
            Answer::Sent { message_id: id.to_owned() }
        }
        // An answer to a send names no media.
        _ => match classify(status, body) {
            Answer::Sent { .. } => Answer::Refused {
                class: ErrorClass::Retry,
                code: None,
                reason: format!("the answer with status {status} names no media"),
            },
            refused @ Answer::Refused { .. } => refused,
        },
    }
}

/// Whether Meta refuses so what has the id of a file that is gone. It says 100
/// of an id that it does not know; the others are as unclear.
pub(super) fn blames_upload(code: u32) -> bool {
    matches!(code, 100 | 131_009 | 131_053)
}

/// A code's class and plain words, with Meta's own text behind them.
pub(super) fn explain(code: u32, text: &str) -> (ErrorClass, String) {
    codes::explain("Meta", code, lookup(code), text)
}

fn refused(status: u16, error: &Value) -> Answer {
    let words = [error.pointer("/error_data/details"), error.get("message")];
    let text = words.into_iter().flatten().find_map(Value::as_str).unwrap_or_default();
    let Some(code) = codes::number(error.get("code")) else {
        let class = if passing(status) { ErrorClass::Retry } else { ErrorClass::Permanent };
        let reason = format!("Meta refused the message with status {status}: {text}");
        return Answer::Refused { class, code: None, reason };
    };
    codes::refused("Meta", status, code, lookup(code), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn class(status: u16, body: &str) -> ErrorClass {
        match classify(status, body.as_bytes()) {
            Answer::Refused { class, .. } => class,
            Answer::Sent { .. } => panic!("{status} {body} is sent"),
        }
    }

    #[test]
    fn an_id_or_a_success_is_sent() {
        let sent = |body: &str| classify(200, body.as_bytes());
        let with_id = sent(r#"{"contacts":[],"messages":[{"id":"wamid.1"}]}"#);
        assert_eq!(with_id, Answer::Sent { message_id: "wamid.1".into() });
        assert_eq!(sent(r#"{"success":true}"#), Answer::Sent { message_id: "".into() });
    }

    #[test]
    fn a_success_without_an_id_is_uncertain() {
        for body in ["", "<html>", "{}", r#"{"messages":[]}"#, r#"{"success":false}"#] {
            let Answer::Refused { class, code, .. } = classify(200, body.as_bytes()) else {
                panic!("{body}");
            };
            assert_eq!((class, code), (ErrorClass::Retry, None), "{body}");
        }
    }

    #[test]
    fn the_code_counts_and_not_the_status() {
        let body = |code: u32| json!({"error": {"code": code, "message": "m"}}).to_string();
        for (status, code, expected) in [
            (400, 130_429, ErrorClass::Throttled),
            (500, 131_000, ErrorClass::RetryFew),
            (400, 4, ErrorClass::CallLimit),
            (400, 80_007, ErrorClass::CallLimit),
            (400, 131_056, ErrorClass::PairLimit),
            (401, 190, ErrorClass::PauseChannel),
            (403, 250, ErrorClass::PauseChannel),
            (200, 368, ErrorClass::PauseChannel),
            (400, 131_047, ErrorClass::NeedsTemplate),
            (500, 131_026, ErrorClass::Permanent),
            (400, 131_050, ErrorClass::OptedOut),
            (400, 999_999, ErrorClass::Permanent),
            (401, 999_999, ErrorClass::PauseChannel),
            (429, 999_999, ErrorClass::Retry),
            (503, 999_999, ErrorClass::Retry),
        ] {
            assert_eq!(class(status, &body(code)), expected, "{status} {code}");
        }
        assert_eq!(class(400, r#"{"error":{"code":"131056"}}"#), ErrorClass::PairLimit);
    }

    #[test]
    fn without_a_code_the_status_decides_and_nothing_is_lost() {
        for (status, expected) in [
            (500, ErrorClass::Retry),
            (502, ErrorClass::Retry),
            (429, ErrorClass::Retry),
            (408, ErrorClass::Retry),
            (404, ErrorClass::PauseChannel),
            (302, ErrorClass::PauseChannel),
        ] {
            assert_eq!(class(status, "<html>"), expected, "{status}");
        }
        assert_eq!(class(400, r#"{"error":{"message":"m"}}"#), ErrorClass::Permanent);
    }

    #[test]
    fn the_reason_says_what_to_do_with_code_and_details() {
        let (_, reason) = explain(131_047, "Re-engagement message");
        assert!(reason.contains("template"), "{reason}");
        assert!(reason.ends_with("(error 131047: Re-engagement message)"), "{reason}");
        let body = r#"{"error":{"code":100,"message":"(#100)","error_data":{"details":"name"}}}"#;
        let Answer::Refused { reason, .. } = classify(400, body.as_bytes()) else { panic!() };
        assert!(reason.ends_with("(error 100: name)"), "{reason}");
    }
}
