//! Drills: what goes wrong with WhatsApp, and what the customer and the
//! operator see of it. The real server with the real plugins against the
//! simulator.

#[path = "drills/account.rs"]
mod account;
#[path = "drills/campaigns.rs"]
mod campaigns;
#[path = "drills/crowd.rs"]
mod crowd;
#[path = "drills/days.rs"]
mod days;
#[path = "drills/doctor.rs"]
mod doctor;
#[path = "drills/late.rs"]
mod late;
#[path = "drills/media.rs"]
mod media;
#[path = "drills/pace.rs"]
mod pace;
#[path = "drills/people.rs"]
mod people;
#[path = "drills/planned.rs"]
mod planned;
#[path = "drills/tags.rs"]
mod tags;

use serde_json::json;
use switchboard_tests::stage::{ANN, BEN, Stage};

const HOURS: &str = "We are open 9 to 18.";
const PARKING: &str = "There is a car park behind the shop.";

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_comes_many_times() {
    let stage = Stage::start().await;
    stage.act(ANN, json!({"kind": "text", "body": "parking", "copies": 30})).await;
    stage.sees(ANN, 1).await;
    // Whatever comes after all copies is answered after them.
    stage.says(ANN, "when do you open?").await;
    assert_eq!(stage.sees(ANN, 2).await, [PARKING, HOURS]);
    let contact = stage.contact(ANN).await;
    assert_eq!(contact["contact"]["message_count"], 2, "{contact}");
    let metrics = stage.server().metrics().await;
    assert!(metrics.contains("switchboard_webhook_duplicates_total 29"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_comes_a_day_late() {
    let stage = Stage::start().await;
    let late = 25 * 3_600;
    stage.act(ANN, json!({"kind": "text", "body": "parking", "seconds_ago": late})).await;
    let contact = format!("/api/v1/contacts/lookup?phone={ANN}");
    let turns =
        |seen: &serde_json::Value| seen["turns"].as_array().is_some_and(|all| !all.is_empty());
    let seen = stage.until(&contact, turns).await;
    // The window has closed: an answer would be refused, and cost its price in
    // trust. The operator reads why.
    assert!(seen.to_string().contains("24-hour window"), "{seen}");
    assert_eq!(stage.saw(ANN).await, [""; 0]);
    // A message of now opens it again.
    stage.says(ANN, "parking").await;
    assert_eq!(stage.sees(ANN, 1).await, [PARKING]);
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_come_in_the_wrong_order_and_twice() {
    let stage = Stage::start().await;
    stage.set(json!({"receipts": {"reorder": true, "copies": 3}, "auto_read": true})).await;
    stage.says(ANN, "parking").await;
    stage.sees(ANN, 1).await;
    let read = |lines: &[String]| lines == ["read"];
    assert_eq!(stage.until_messages(ANN, read).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_sends_too_fast_for_a_moment() {
    let stage = Stage::start().await;
    stage.fault(json!({"kind": "error", "code": 130_429, "count": 2})).await;
    stage.says(ANN, "parking").await;
    assert_eq!(stage.sees(ANN, 1).await, [PARKING]);
    let lines = stage.until_messages(ANN, |lines| lines[0].contains("delivered")).await;
    assert_eq!(lines, ["delivered"]);
    assert_eq!(stage.paused().await, [""; 0], "nobody has to act");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_fails_for_a_moment() {
    let stage = Stage::start().await;
    stage.fault(json!({"kind": "http_500", "count": 2})).await;
    stage.says(ANN, "parking").await;
    stage.says(BEN, "when do you open?").await;
    assert_eq!(stage.sees(ANN, 1).await, [PARKING]);
    assert_eq!(stage.sees(BEN, 1).await, [HOURS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatsapp_takes_a_message_and_does_not_answer() {
    let stage = Stage::start().await;
    stage.fault(json!({"kind": "timeout", "hang_ms": 60_000})).await;
    stage.says(ANN, "parking").await;
    // It is on the phone at once; its receipt names it, so it is not sent again,
    // and what comes behind it does not wait for the answer that never comes.
    assert_eq!(stage.sees(ANN, 1).await, [PARKING]);
    stage.until_messages(ANN, |lines| lines == ["delivered"]).await;
    stage.says(ANN, "when do you open?").await;
    assert_eq!(stage.sees(ANN, 2).await, [PARKING, HOURS]);
}
