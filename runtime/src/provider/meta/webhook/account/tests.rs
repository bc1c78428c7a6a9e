//! Calls, echoes and changes of the account, as Meta sends them.

use super::super::tests::{envelope, field, news, read};
use crate::model::{AccountNews, Content, Happening, Message, News};
use serde_json::{Value, json};

fn call(extra: Value) -> Happening {
    let mut whole = json!({"id": "wacid.1", "from": "15551", "to": "15550", "event": "connect",
        "direction": "USER_INITIATED", "timestamp": "9"});
    whole.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let metadata = json!({"phone_number_id": "1", "display_phone_number": "+1 5550"});
    read(&envelope("calls", json!({"metadata": metadata, "calls": [whole]}))).remove(0)
}

#[test]
fn calls_are_told_in_the_lane_of_who_called() {
    let phone = |happening: &Happening| happening.sender.clone().and_then(|sender| sender.phone);
    let rings = call(json!({}));
    assert_eq!(phone(&rings).as_deref(), Some("15551"));
    let expected = News::Call { id: "wacid.1".into(), at: 9_000, missed: false };
    assert_eq!(news(&rings), &expected);
    let missed = call(json!({"event": "terminate", "status": "FAILED"}));
    assert_eq!(news(&missed), &News::Call { id: "wacid.1".into(), at: 9_000, missed: true });
    // It counts from its beginning.
    let answered = call(json!({"event": "terminate", "start_time": "3", "duration": 6}));
    assert_eq!(news(&answered), &News::Call { id: "wacid.1".into(), at: 3_000, missed: false });
    let ours = call(json!({"direction": "BUSINESS_INITIATED", "from": "15550", "to": "15551"}));
    assert_eq!(phone(&ours).as_deref(), Some("15551"));
    assert_eq!(news(&ours), &News::Remark("a call to a contact: connect".into()));
    // Without a direction, and with the ends the wrong way round.
    let bare = call(json!({"direction": null}));
    assert_eq!(news(&bare), &expected);
    assert_eq!(phone(&call(json!({"from": "15550"}))), None);
    let value = json!({"statuses": [{"status": "RINGING", "type": "call", "recipient_id": "15551"}],
        "errors": [{"code": 1, "message": "m"}]});
    let all = read(&envelope("calls", value));
    let told: Vec<_> = all.iter().map(|one| (field(one), news(one).in_words())).collect();
    let reported = "meta reports error 1: m".to_owned();
    let rang = "a call to a contact: ringing".to_owned();
    assert_eq!(told, [("errors", reported), ("calls.status", rang)]);
}

#[test]
fn echoes_go_to_the_contact_and_never_to_the_business() {
    let echo = |from: &str, to: Value| {
        let one = json!({"id": "wamid.7", "from": from, "to": to, "to_user_id": "US.1",
            "timestamp": "9", "type": "text", "text": {"body": "on my way"}});
        let metadata = json!({"phone_number_id": "1", "display_phone_number": "15550"});
        let value = json!({"metadata": metadata, "message_echoes": [one]});
        read(&envelope("smb_message_echoes", value)).remove(0)
    };
    let said = Message::new("wamid.7", 9_000, Content::Text("on my way".into()));
    for (from, to, phone) in [
        ("15550", json!("15551"), Some("15551")),
        ("15551", json!("15550"), Some("15551")),
        ("15550", json!(null), None),
    ] {
        let told = echo(from, to);
        assert_eq!(told.sender.as_ref().unwrap().phone.as_deref(), phone);
        assert_eq!(news(&told), &News::Echo(Box::new(said.clone())));
        assert_eq!(told.dedup, "echo:wamid.7:text");
    }
    let odd = json!({"message_echoes": [{"id": "w", "to": "1", "group_id": "g"}, {"to": "1"}, 7]});
    let all = read(&envelope("smb_message_echoes", odd));
    assert!(all.iter().all(|one| news(one) == &News::Other));
    assert_eq!(all.iter().filter(|one| one.sender.is_some()).count(), 1);
}

/// A field, what stands in it, and what it is told as.
type Told = (&'static str, Value, &'static str);

fn templates_and_numbers() -> Vec<Told> {
    let template = |more: Value| {
        let mut value = json!({"message_template_name": "sale", "message_template_language": "de"});
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        value
    };
    vec![
        (
            "message_template_status_update",
            template(json!({"event": "REJECTED", "reason": "ABUSIVE_CONTENT",
                "rejection_info": {"reason": "too loud"}})),
            "template `sale` (de): REJECTED, because: too loud",
        ),
        (
            "message_template_status_update",
            template(json!({"event": "APPROVED", "reason": "NONE"})),
            "template `sale` (de): APPROVED",
        ),
        (
            "message_template_status_update",
            json!({"event": "APPROVED"}),
            "something that means nothing to the bot",
        ),
        (
            "message_template_quality_update",
            template(json!({"new_quality_score": "RED"})),
            "template `sale` (de): quality RED",
        ),
        (
            "template_category_update",
            template(json!({"new_category": "MARKETING"})),
            "template `sale` (de): category MARKETING",
        ),
        (
            "message_template_components_update",
            template(json!({})),
            "template `sale` (de): its text changed",
        ),
        (
            "phone_number_quality_update",
            json!({"event": "UPGRADE", "current_limit": "TIER_10K"}),
            "the number: UPGRADE, 10000 contacts to write to first in 24 hours",
        ),
        (
            "business_capability_update",
            json!({"max_daily_conversations_per_business": -1}),
            "the number: no limit of contacts to write to first",
        ),
        (
            "business_capability_update",
            json!({"max_daily_conversations_per_business": "TIER_UNLIMITED"}),
            "the number: no limit of contacts to write to first",
        ),
    ]
}

fn accounts() -> Vec<Told> {
    let ban =
        |state: &str| json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": state}});
    let restricted = |kind: &str| {
        json!({"event": "ACCOUNT_RESTRICTION", "restriction_info":
            [{"restriction_type": kind, "expiration": 1_641_330_498}]})
    };
    vec![
        ("account_update", ban("DISABLE"), "sending is stopped: meta disabled the account"),
        ("account_update", ban("REINSTATE"), "sending is possible: meta reinstated the account"),
        (
            "account_update",
            ban("SCHEDULE_FOR_DISABLE"),
            "the account: schedule for disable on a date that is not said",
        ),
        (
            "account_update",
            json!({"event": "ACCOUNT_DELETED"}),
            "sending is stopped: the account was deleted",
        ),
        (
            "account_update",
            json!({"event": "ACCOUNT_RECONNECTED"}),
            "sending is possible: the business is back on the API",
        ),
        (
            "account_update",
            json!({"event": "PARTNER_REMOVED", "disconnection_info": {"reason": "PRIMARY_INACTIVITY"}}),
            "sending is stopped: the number was disconnected: primary inactivity",
        ),
        (
            "account_update",
            restricted("RESTRICTED_BIZ_INITIATED_MESSAGING"),
            "sending templates is stopped: meta restricts the account: no messages to contacts who have not \
             written until 2022-01-04T21:08:18Z",
        ),
        (
            "account_update",
            restricted("RESTRICTED_ADD_PHONE_NUMBER_ACTION"),
            "meta restricts the account: restricted add phone number action until \
             2022-01-04T21:08:18Z",
        ),
        ("account_update", json!({"event": "AD_ACCOUNT_LINKED"}), "ad account linked"),
    ]
}

fn others() -> Vec<Told> {
    vec![
        (
            "account_alerts",
            json!({"alert_info": {"alert_severity": "CRITICAL", "alert_description": "Pay."}}),
            "an alert of meta: critical, Pay.",
        ),
        (
            "phone_number_name_update",
            json!({"decision": "APPROVED"}),
            "the display name was reviewed: approved",
        ),
        (
            "business_username_updates",
            json!({"username": "shop", "status": "approved"}),
            "the business's username is `shop`",
        ),
        (
            "business_username_update",
            json!({"status": "deleted"}),
            "the business has no username any more",
        ),
        (
            "history",
            json!({"history": [{"errors": [{"code": 2_593_109, "message": "declined"}]}]}),
            "the phone app's history is not shared: 2593109: declined",
        ),
        (
            "history",
            json!({"history": [{"metadata": {"phase": 0, "chunk_order": 1, "progress": 55}}]}),
            "the phone app's history: phase 0, piece 1, per cent 55",
        ),
        ("hologram", json!({"event": "X"}), "something that means nothing to the bot"),
    ]
}

/// In words, which name all that is in them.
#[test]
fn account_fields_are_told_in_words() {
    let all = [templates_and_numbers(), accounts(), others()];
    for (field, value, told) in all.into_iter().flatten() {
        let all = read(&envelope(field, value.clone()));
        assert_eq!((all.len(), news(&all[0]).in_words().as_str()), (1, told), "{field} {value}");
        assert_eq!(all[0].raw, value.to_string());
    }
}

#[test]
fn a_restriction_says_what_it_stops_and_until_when() {
    let told = |kinds: &[(&str, u64)]| {
        let one = |(kind, until): &(&str, u64)| json!({"restriction_type": format!("RESTRICTED_{kind}"), "expiration": until});
        let all: Vec<Value> = kinds.iter().map(one).collect();
        let value = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": all});
        match news(&read(&envelope("account_update", value)).remove(0)) {
            News::Account(AccountNews { stopped, templates_only, until, account, .. }) => {
                Some((*stopped, *templates_only, *until, account.clone()))
            }
            _ => None,
        }
    };
    let (first, answers) = ("BIZ_INITIATED_MESSAGING", "CUSTOMER_INITIATED_MESSAGING");
    let of = |templates_only, until| Some((true, templates_only, Some(until), Some("9".into())));
    assert_eq!(told(&[(first, 5), ("ADD_PHONE_NUMBER_ACTION", 9)]), of(true, 5_000));
    assert_eq!(told(&[(first, 5), (answers, 7)]), of(false, 7_000));
    assert_eq!(told(&[(answers, 7), (first, 5)]), of(false, 7_000));
    assert_eq!(told(&[("ADD_PHONE_NUMBER_ACTION", 9)]), None);
}
