//! Meta's error codes: what each means for us, and its words for the owner.

use crate::provider::ErrorClass::{self, *};

/// The class and the words of a code; none if it is not in the list.
pub(super) fn lookup(code: u32) -> Option<(ErrorClass, &'static str)> {
    let found = TABLE.binary_search_by(|(from, to, ..)| match code {
        code if code < *from => std::cmp::Ordering::Greater,
        code if code > *to => std::cmp::Ordering::Less,
        _ => std::cmp::Ordering::Equal,
    });
    let (_, _, class, words) = TABLE.get(found.ok()?)?;
    Some((*class, words))
}

/// From, to (inclusive), class, words. In order of code.
const TABLE: &[(u32, u32, ErrorClass, &str)] = &[
    (0, 0, PauseChannel, "Meta does not accept the access token: set a new one"),
    (1, 2, Retry, "Meta has a passing fault: it is tried again"),
    (3, 3, PauseChannel, "the app may not do this: check its permissions at Meta"),
    (4, 4, RetrySlow, "the app has made too many calls this hour: it is tried again"),
    (
        10,
        10,
        PauseChannel,
        "the access token lacks a permission: grant whatsapp_business_messaging to the app",
    ),
    (33, 33, Permanent, "the business number has been deleted: check `phone_number_id`"),
    (100, 100, Permanent, "Meta does not accept a part of the message: it must be changed"),
    (190, 190, PauseChannel, "the access token has expired: set a new one"),
    (
        200,
        299,
        PauseChannel,
        "the access token lacks a permission: grant whatsapp_business_messaging to the app",
    ),
    (
        368,
        368,
        PauseChannel,
        "the account is blocked for breaking a WhatsApp policy: see the account's quality page at Meta",
    ),
    (80_007, 80_007, RetrySlow, "the account has made too many calls: it is tried again"),
    (
        130_429,
        130_429,
        Retry,
        "the number sends faster than Meta allows: it is tried again; lower `messages_per_second`",
    ),
    (
        130_472,
        130_472,
        Permanent,
        "Meta withholds marketing from this contact as part of an experiment: nothing can be done",
    ),
    (
        130_497,
        130_497,
        Permanent,
        "Meta does not let this business write to the contact's country: check your messaging country settings",
    ),
    (
        131_000,
        131_000,
        Retry,
        "Meta could not send it for a reason unknown to it: it is tried again",
    ),
    (
        131_005,
        131_005,
        PauseChannel,
        "the access token lacks a permission: grant whatsapp_business_messaging to the app",
    ),
    (131_008, 131_008, Permanent, "the message lacks a part that Meta needs: it must be changed"),
    (131_009, 131_009, Permanent, "a part of the message has a wrong value: it must be changed"),
    (131_016, 131_016, Retry, "WhatsApp is unavailable for the moment: it is tried again"),
    (131_021, 131_021, Permanent, "the message was to the business's own number"),
    (
        131_026,
        131_026,
        Permanent,
        "the message can't reach the contact: not on WhatsApp, an old version of the app, or its terms not accepted",
    ),
    (
        131_030,
        131_030,
        Permanent,
        "a test number can only write to allowed numbers: add this one at Meta, or use a real number",
    ),
    (
        131_031,
        131_031,
        PauseChannel,
        "the account is locked for breaking a WhatsApp policy: see the account's quality page at Meta",
    ),
    (
        131_035,
        131_035,
        Permanent,
        "Meta could not deliver some webhooks in time and has dropped them: some messages never came",
    ),
    (
        131_037,
        131_037,
        PauseChannel,
        "the number's display name is not approved: set one at Meta and wait for approval",
    ),
    (
        131_042,
        131_042,
        PauseChannel,
        "Meta has a payment problem with the account: check its payment method at Meta",
    ),
    (131_045, 131_045, PauseChannel, "the number is not registered: register it at Meta"),
    (
        131_047,
        131_047,
        Permanent,
        "more than 24 hours have passed since the contact's last message: only a template may be sent",
    ),
    (
        131_048,
        131_048,
        PauseChannel,
        "too many contacts blocked or reported the number, so Meta limits it: send less and see its quality at Meta",
    ),
    (
        131_049,
        131_049,
        Permanent,
        "Meta chose not to deliver this marketing message, to spare the contact: wait for a day or more",
    ),
    (131_050, 131_050, OptedOut, "the contact has stopped marketing messages from this business"),
    (131_051, 131_051, Permanent, "Meta does not know this type of message"),
    (
        131_052,
        131_052,
        Permanent,
        "Meta could not fetch the media that the contact sent: ask for it again",
    ),
    (
        131_053,
        131_053,
        RetryOnce,
        "Meta could not take the media: check that its link can be reached, its type and its size",
    ),
    (
        131_056,
        131_056,
        PairLimit,
        "too many messages to this one contact in a short time: it is tried again after a pause",
    ),
    (131_057, 131_057, Retry, "the account is in maintenance for a moment: it is tried again"),
    (
        131_062,
        131_062,
        Permanent,
        "this message needs the contact's phone number, and we know the user id alone: ask for the number",
    ),
    (
        131_063,
        131_063,
        Permanent,
        "marketing templates are switched off for this interface: send them by Meta's marketing interface, or switch them on",
    ),
    (
        131_064,
        131_064,
        RetrySlow,
        "the daily number of contacts to whom the business may write first is used up: it is tried again",
    ),
    (
        132_000,
        132_000,
        Permanent,
        "the number of parameters is not what the template has: compare the rules with the template",
    ),
    (
        132_001,
        132_001,
        Permanent,
        "there is no approved template of this name in this language: check both at Meta",
    ),
    (132_005, 132_005, Permanent, "the template's text gets too long with these parameters"),
    (132_007, 132_007, Permanent, "the template's text breaks a WhatsApp policy: change it"),
    (132_008, 132_008, Permanent, "a template parameter has a value that Meta does not take"),
    (132_012, 132_012, Permanent, "a template parameter is not in the form that the template asks"),
    (
        132_015,
        132_015,
        Permanent,
        "the template is paused for its low quality: wait, or change it at Meta",
    ),
    (132_016, 132_016, Permanent, "the template was disabled for its low quality: make another"),
    (132_068, 132_068, Permanent, "the flow is blocked: mend it at Meta"),
    (
        132_069,
        132_069,
        RetrySlow,
        "the flow is throttled to 10 messages an hour: it is tried again",
    ),
    (133_000, 133_003, Permanent, "the number's registration is not complete: finish it at Meta"),
    (133_004, 133_004, Retry, "WhatsApp is unavailable for the moment: it is tried again"),
    (133_005, 133_009, Permanent, "the number's registration is not complete: finish it at Meta"),
    (133_010, 133_010, PauseChannel, "the number is not registered: register it at Meta"),
    (133_011, 133_016, Permanent, "the number's registration is not complete: finish it at Meta"),
    (134_011, 134_011, Permanent, "the terms of WhatsApp payments are not accepted: accept them"),
    (
        134_100,
        134_199,
        Permanent,
        "Meta's marketing interface refused it: a new template needs 10 minutes to be known there",
    ),
    (135_000, 135_000, Permanent, "Meta does not accept the message, without saying why"),
    (
        137_000,
        137_000,
        Permanent,
        "the contact's phone or app changed, and the change is not acknowledged yet: acknowledge it at Meta",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_row_is_found() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{} {}", pair[0].1, pair[1].0);
        }
        for (from, to, class, words) in TABLE {
            assert!(from <= to);
            for code in [from, to] {
                assert_eq!(lookup(*code), Some((*class, *words)));
            }
            assert!(words.len() > 20 && !words.ends_with('.'), "{words}");
            assert!(!words.contains("(error"), "{words}");
        }
    }

    #[test]
    fn what_is_between_the_rows_is_unknown() {
        for code in [5, 11, 300, 130_000, 131_065, 133_017, 999_999, u32::MAX] {
            assert_eq!(lookup(code), None, "{code}");
        }
    }

    /// The channel must stop for what a person has to mend, and only for that:
    /// a row put into the wrong class loses messages or stops a shop.
    #[test]
    fn the_codes_that_stop_a_channel() {
        let stops = |code: &u32| lookup(*code).is_some_and(|(class, _)| class == PauseChannel);
        let codes: Vec<u32> = (0..140_000).filter(stops).collect();
        let mut expected = vec![0, 3, 10, 190];
        expected.extend(200..=299);
        expected.extend([368, 131_005, 131_031, 131_037, 131_042, 131_045, 131_048, 133_010]);
        assert_eq!(codes, expected);
        let tried_again: Vec<u32> = (0..140_000)
            .filter(|code| matches!(lookup(*code), Some((Retry | RetrySlow | PairLimit, _))))
            .collect();
        let expected = [
            1, 2, 4, 80_007, 130_429, 131_000, 131_016, 131_056, 131_057, 131_064, 132_069, 133_004,
        ];
        assert_eq!(tried_again, expected);
    }
}
