//! WhatsApp's errors by Meta's codes: titles, HTTP statuses, plain words. Pure.

use serde::Serialize;

/// A code, the HTTP status it comes with, and Meta's title.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub code: u32,
    pub http: u16,
    pub title: &'static str,
    /// In plain words, for the page.
    pub plain: &'static str,
}

const fn known(code: u32, http: u16, title: &'static str, plain: &'static str) -> Known {
    Known { code, http, title, plain }
}

/// Every code that an answer or a `failed` receipt may hold. Throttling comes
/// as 400, not 429.
pub const KNOWN: &[Known] = &[
    known(0, 401, "AuthException", "the access token was not accepted"),
    known(1, 400, "API Unknown", "an unknown error"),
    known(2, 503, "API Service", "WhatsApp is down for a while"),
    known(3, 500, "API Method", "the app may not use this call"),
    known(4, 400, "API Too Many Calls", "too many calls by the app"),
    known(10, 403, "Permission Denied", "the app lacks a permission"),
    known(33, 400, "Parameter value is not valid", "the business number was deleted"),
    known(100, 400, "Invalid parameter", "a parameter is wrong"),
    known(190, 401, "Access token has expired", "the access token has expired"),
    known(200, 403, "API Permission", "the app lacks a permission"),
    known(368, 403, "Temporarily blocked for policies violations", "blocked for its behaviour"),
    known(80007, 400, "Rate limit issues", "too many calls for the business account"),
    known(130429, 400, "Rate limit hit", "too many messages in a second"),
    known(130472, 400, "User's number is part of an experiment", "part of an experiment"),
    known(
        130497,
        403,
        "Business account is restricted from messaging users in this country",
        "not allowed in that country",
    ),
    known(131000, 500, "Something went wrong", "something went wrong at WhatsApp"),
    known(131005, 403, "Access denied", "the app lacks a permission"),
    known(131008, 400, "Required parameter is missing", "a parameter is missing"),
    known(131009, 400, "Parameter value is not valid", "a parameter is wrong"),
    known(131016, 500, "Service unavailable", "WhatsApp is down for a while"),
    known(131021, 400, "Recipient cannot be sender", "the business wrote to itself"),
    known(131026, 400, "Message undeliverable", "no WhatsApp there, or the business is blocked"),
    known(
        131030,
        400,
        "Recipient phone number not in allowed list",
        "a test number may only write to listed phones",
    ),
    known(131031, 403, "Account has been locked", "the business account is locked"),
    known(
        131037,
        400,
        "WhatsApp provided number needs display name approval before message can be sent",
        "the display name is not approved",
    ),
    known(131042, 400, "Business eligibility payment issue", "a payment problem of the business"),
    known(131045, 500, "Incorrect certificate", "the business number is not registered"),
    known(
        131047,
        400,
        "Re-engagement message",
        "more than 24 hours since the customer last wrote: only a template may be sent",
    ),
    known(131048, 400, "Spam rate limit hit", "too many people blocked or reported the business"),
    known(
        131049,
        400,
        "Message failed to send to maintain healthy ecosystem engagement",
        "WhatsApp chose not to deliver this promotion",
    ),
    known(
        131050,
        400,
        "User has stopped marketing messages from this business",
        "the customer has stopped promotions",
    ),
    known(131051, 400, "Unsupported message type", "WhatsApp does not know this kind of message"),
    known(131052, 400, "Media download error", "the file could not be downloaded"),
    known(131053, 400, "Media upload error", "the file could not be uploaded"),
    known(
        131056,
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "too many messages to this customer in a short time",
    ),
    known(131057, 500, "Account in maintenance mode", "the business account is in maintenance"),
    known(
        131062,
        400,
        "Business-scoped user ID is not allowed for this message",
        "this message needs a phone number, not a user id",
    ),
    known(
        131063,
        400,
        "Marketing templates are not allowed on Cloud API",
        "promotions are switched off here",
    ),
    known(131064, 400, "Messaging limit reached", "too many new conversations in 24 hours"),
    known(
        132000,
        400,
        "Template Param Count Mismatch",
        "the template wants another number of parameters",
    ),
    known(132001, 404, "Template does not exist", "no such template in this language"),
    known(132005, 400, "Template Hydrated Text Too Long", "the filled-in template is too long"),
    known(132007, 400, "Template Format Character Policy Violated", "the template breaks a policy"),
    known(132008, 400, "Template Parameter Value Not Valid", "a template parameter is wrong"),
    known(
        132012,
        400,
        "Template Parameter Format Mismatch",
        "a template parameter has the wrong format",
    ),
    known(132015, 400, "Template is Paused", "the template is paused for low quality"),
    known(132016, 400, "Template is Disabled", "the template is disabled for good"),
    known(132068, 400, "Flow is blocked", "the flow is blocked"),
    known(132069, 400, "Flow is throttled", "the flow is throttled"),
    known(133000, 500, "Incomplete Deregistration", "an earlier deregistration failed"),
    known(133004, 503, "Server Temporarily Unavailable", "WhatsApp is down for a while"),
    known(133005, 400, "Two step verification PIN Mismatch", "wrong PIN"),
    known(133006, 400, "Phone number re-verification needed", "the number must be verified again"),
    known(133008, 400, "Too Many two step verification PIN Guesses", "too many wrong PINs"),
    known(133009, 400, "Two step verification PIN Guessed Too Fast", "PINs entered too fast"),
    known(133010, 400, "Phone number Not Registered", "the business number is not registered"),
    known(
        133015,
        400,
        "Please wait a few minutes before attempting to register this phone number",
        "the number was deleted a moment ago",
    ),
    known(133016, 400, "Account register/deregister rate limit exceeded", "too many registrations"),
    known(
        134011,
        400,
        "WhatsApp Payments terms of service has not been accepted",
        "the payment terms are not accepted",
    ),
    known(134101, 400, "Template is syncing", "the template is new and not ready yet"),
    known(135000, 400, "Generic user error", "something is wrong with the request"),
    known(137000, 400, "Identity key mismatch", "the customer has a new phone: confirm it first"),
];

pub fn find(code: u32) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.code == code)
}

/// An error as a receipt holds it, and as the page shows it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Problem {
    pub code: u32,
    pub title: String,
    pub details: String,
}

impl Problem {
    /// With Meta's title, and our plain words where `details` is empty.
    pub fn new(code: u32, details: &str) -> Self {
        let (title, plain) = find(code).map_or(("Unknown", ""), |one| (one.title, one.plain));
        let details = if details.is_empty() { plain } else { details };
        Self { code, title: title.into(), details: details.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_once_and_in_order() {
        assert!(KNOWN.is_sorted_by(|a, b| a.code < b.code));
    }
}
