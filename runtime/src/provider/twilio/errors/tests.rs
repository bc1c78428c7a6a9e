//! Every code of Twilio's that we know, and answers without one.

use super::{
    table::{TABLE, lookup},
    *,
};
use serde_json::json;

fn class(status: u16, body: &str) -> (ErrorClass, Option<u32>) {
    match classify(status, body.as_bytes()) {
        Answer::Refused { class, code, .. } => (class, code),
        Answer::Sent { .. } => panic!("{status} {body} is sent"),
    }
}

#[test]
fn a_sid_or_a_success_is_sent() {
    let sent = |status, body: &str| classify(status, body.as_bytes());
    let queued = r#"{"sid":"SM1","status":"queued","error_code":null,"error_message":null}"#;
    assert_eq!(sent(201, queued), Answer::Sent { message_id: "SM1".into() });
    assert_eq!(sent(200, r#"{"success":true}"#), Answer::Sent { message_id: "".into() });
}

#[test]
fn a_success_without_a_sid_is_uncertain() {
    for body in ["", "<html>", "{}", r#"{"sid":""}"#, r#"{"success":false}"#] {
        assert_eq!(class(201, body), (ErrorClass::Retry, None), "{body}");
    }
}

#[test]
fn a_message_that_failed_at_once_is_refused() {
    let body = r#"{"sid":"SM1","status":"failed","error_code":63016,"error_message":"m"}"#;
    assert_eq!(class(201, body), (ErrorClass::NeedsTemplate, Some(63_016)));
}

#[test]
fn every_code_has_its_class_and_words() {
    use ErrorClass::*;
    let body = |code: u32| json!({"code": code, "message": "m", "status": 400}).to_string();
    #[rustfmt::skip]
    let expected: &[(ErrorClass, &[u32])] = &[
        (Retry, &[20_429, 20_500, 20_503, 63_008, 63_009, 63_010, 63_012, 63_023]),
        (Throttled, &[63_017, 63_018]),
        (RetryOnce, &[30_008]),
        (RetrySlow, &[21_611, 30_001, 63_038]),
        (PauseChannel, &[
            20_003, 20_005, 20_006, 20_008, 20_404, 21_212, 21_603, 21_606, 21_701, 21_703, 30_002,
            63_001, 63_002, 63_007, 63_020, 63_022, 63_051,
        ]),
        (PauseTemplate, &[63_041]),
        (Permanent, &[
            20_001, 20_422, 21_211, 21_408, 21_602, 21_604, 21_609, 21_612, 21_614, 21_617,
            21_619, 21_620, 21_623, 21_654, 21_655, 21_656, 21_910, 30_003, 30_004, 30_005, 30_006,
            30_007, 63_003, 63_005, 63_006, 63_013, 63_014, 63_015, 63_019, 63_021, 63_024,
            63_025, 63_027, 63_028, 63_029, 63_030, 63_031, 63_032, 63_033, 63_036, 63_040,
            63_042,
        ]),
        (NeedsTemplate, &[63_016]),
        (MarketingCap, &[63_049]),
        (OptedOut, &[21_610]),
    ];
    let mut count = 0;
    for (class_of, codes) in expected {
        for code in *codes {
            assert_eq!(class(400, &body(*code)), (*class_of, Some(*code)), "{code}");
            let (_, reason) = explain(*code, "m");
            assert!(reason.ends_with(&format!("(error {code}: m)")), "{reason}");
            assert!(reason.is_ascii() && reason.len() > 40, "{reason}");
            count += 1;
        }
    }
    assert_eq!(count, TABLE.len(), "a code of the table is not in this list");
    assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn an_unknown_code_goes_by_the_status() {
    let body = r#"{"code":99999,"message":"m"}"#;
    assert_eq!(lookup(99_999), None);
    for (status, expected) in [
        (400, ErrorClass::Permanent),
        (401, ErrorClass::PauseChannel),
        (429, ErrorClass::Retry),
        (503, ErrorClass::Retry),
    ] {
        assert_eq!(class(status, body), (expected, Some(99_999)), "{status}");
    }
    assert_eq!(class(401, r#"{"code":"20003"}"#), (ErrorClass::PauseChannel, Some(20_003)));
}

#[test]
fn without_a_code_the_status_decides_and_nothing_is_lost() {
    for (status, expected) in [
        (500, ErrorClass::Retry),
        (502, ErrorClass::Retry),
        (429, ErrorClass::Retry),
        (408, ErrorClass::Retry),
        (401, ErrorClass::PauseChannel),
        (404, ErrorClass::PauseChannel),
        (302, ErrorClass::PauseChannel),
    ] {
        assert_eq!(class(status, "<html>"), (expected, None), "{status}");
    }
    assert_eq!(class(400, r#"{"message":"m"}"#), (ErrorClass::Permanent, None));
    assert_eq!(class(401, r#"{"message":"m"}"#), (ErrorClass::PauseChannel, None));
}
