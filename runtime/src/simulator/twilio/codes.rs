//! Twilio's error codes, what stands for the world's in them, and a refusal as
//! the interface words it. Pure.

use crate::simulator::errors::Problem;
use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// Code, the HTTP status of a refusal with it, and Twilio's words.
const KNOWN: &[(u32, u16, &str)] = &[
    (20_003, 401, "Authenticate"),
    (20_404, 404, "The requested resource was not found"),
    (20_422, 400, "Invalid parameter"),
    (20_429, 429, "Too many requests"),
    (20_500, 500, "Internal server error"),
    (20_503, 503, "Service unavailable"),
    (21_211, 400, "The 'To' number is not a valid phone number"),
    (21_408, 400, "Permission to send to the region has not been enabled"),
    (21_603, 400, "A 'From' or 'MessagingServiceSid' parameter is required"),
    (21_604, 400, "A 'To' phone number is required"),
    (21_609, 400, "The 'StatusCallback' URL is not a valid URL"),
    (21_610, 400, "Attempt to send to unsubscribed recipient"),
    (21_617, 400, "The concatenated message body exceeds the 1600 character limit"),
    (21_619, 400, "A text message body or media urls must be specified"),
    (21_620, 400, "Invalid media URL(s)"),
    (21_623, 400, "The number of media files exceeds the limit"),
    (21_655, 400, "The ContentSid is invalid"),
    (21_656, 400, "The ContentVariables parameter is invalid"),
    (21_701, 400, "The Messaging Service does not exist"),
    (21_910, 400, "Invalid 'From' and 'To' pair: both should be of the same channel"),
    (30_002, 400, "Account suspended"),
    (30_008, 400, "Unknown error"),
    (63_003, 400, "Channel could not find To address"),
    (63_005, 400, "Channel did not accept given content"),
    (63_007, 400, "Twilio could not find a Channel with the specified From address"),
    (63_012, 400, "Channel provider returned an internal service error"),
    (63_013, 400, "This message send failed because it violates the channel provider's policy"),
    (63_016, 400, "Failed to send freeform message because you are outside the allowed window"),
    (63_018, 429, "Rate limit exceeded for Channel"),
    (63_019, 400, "Media failed to download"),
    (63_020, 400, "Twilio encountered a business account error"),
    (63_024, 400, "Invalid message recipient"),
    (63_027, 400, "Template does not exist for a language and locale"),
    (63_028, 400, "Number of parameters provided does not match the expected number"),
    (63_030, 400, "Unsupported parameter for type of channels template"),
    (63_031, 400, "Channels message cannot have same From and To"),
    (63_032, 400, "We cannot send this message to this user because of a WhatsApp limitation"),
    (63_041, 400, "Template paused"),
    (63_042, 400, "Template disabled"),
    (63_049, 400, "Meta chose not to deliver this WhatsApp marketing message"),
    (63_051, 400, "WhatsApp Business Account is locked"),
];

/// The world speaks in Meta's codes.
const OF_META: &[(u32, u32)] = &[
    (4, 20_429),
    (190, 20_003),
    (368, 63_051),
    (80_007, 20_429),
    (130_429, 63_018),
    (130_472, 63_032),
    (130_497, 21_408),
    (131_008, 63_028),
    (131_021, 63_031),
    (131_026, 63_024),
    (131_031, 63_051),
    (131_042, 63_020),
    (131_047, 63_016),
    (131_048, 63_018),
    (131_049, 63_049),
    (131_050, 21_610),
    (131_051, 63_005),
    (131_052, 63_019),
    (131_053, 63_019),
    (131_056, 63_018),
    (132_000, 63_028),
    (132_001, 63_027),
    (132_012, 63_030),
    (132_015, 63_041),
    (132_016, 63_042),
];
/// For what Twilio does not tell apart.
const OTHER: u32 = 63_012;

fn find(code: u32) -> Option<&'static (u32, u16, &'static str)> {
    KNOWN.iter().find(|(known, ..)| *known == code)
}

/// Whether a fault may ask for this code of Twilio's.
pub fn is_known(code: u32) -> bool {
    find(code).is_some()
}

/// Twilio's code and its words for a problem of the world's.
pub fn of_problem(problem: &Problem) -> (u32, &'static str) {
    let of_meta = || OF_META.iter().find(|(meta, _)| *meta == problem.code).map(|(_, own)| *own);
    let code = if is_known(problem.code) { problem.code } else { of_meta().unwrap_or(OTHER) };
    (code, find(code).map_or("Unknown error", |(.., words)| words))
}

/// A refusal of Twilio's interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub code: u32,
    pub message: String,
}

impl Refusal {
    /// With Twilio's words, and more where `more` is not empty.
    pub fn new(code: u32, more: impl AsRef<str>) -> Self {
        let words = find(code).map_or("Unknown error", |(.., words)| words);
        let message = match more.as_ref() {
            "" => words.to_owned(),
            more => format!("{words}: {more}"),
        };
        Self { code, message }
    }

    pub fn of(problem: &Problem) -> Self {
        Self::new(of_problem(problem).0, "")
    }

    pub fn into_answer(self) -> Response {
        let status = find(self.code).map_or(400, |(_, status, _)| *status);
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": status,
        });
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::errors;

    #[test]
    fn codes_are_listed_once_and_lead_to_one_that_is_known() {
        assert!(KNOWN.is_sorted_by(|a, b| a.0 < b.0));
        assert!(OF_META.is_sorted_by(|a, b| a.0 < b.0));
        for (meta, own) in OF_META {
            assert!(errors::find(*meta).is_some() && is_known(*own), "{meta} {own}");
        }
        assert_eq!(of_problem(&Problem::new(131_047, "")).0, 63_016);
        assert_eq!(of_problem(&Problem::new(131_000, "")).0, OTHER);
        assert_eq!(of_problem(&Problem::new(21_610, "")).0, 21_610);
    }
}
