//! Failures that come late: WhatsApp has taken the message, and says afterwards
//! that it did not arrive.

use super::{HOURS, PARKING};
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_tests::stage::{ANN, BEN, Line, Stage};

/// A code that may pass, on each wire, and one that is final.
fn codes(line: Line) -> [u32; 2] {
    match line {
        Line::Meta => [131_016, 131_026],
        Line::Twilio => [63_018, 63_024],
    }
}

async fn on(line: Line) -> Stage {
    Stage::on(line, |_| {}, |_| {}).await
}

async fn fail(stage: &Stage, code: u32, count: u32) {
    stage.fault(json!({"kind": "failed", "code": code, "count": count, "phone": ANN})).await;
}

/// All that left for the customer, with how far it got, the oldest first.
async fn left(stage: &Stage) -> Vec<(String, String)> {
    let sent = stage.get("/sim/sent?limit=1000").await;
    let messages = sent["messages"].as_array().unwrap().iter();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = messages.filter(|one| one["kind"] == "text" && one["phone"] == ANN);
    texts.map(|one| (word(&one["content"]["body"]), word(&one["status"]))).collect()
}

fn is(lines: &[String], states: &[&str]) -> bool {
    lines.len() == states.len() && lines.iter().zip(states).all(|(line, is)| line.starts_with(is))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_late_is_sent_again_and_arrives_once() {
    for line in Line::BOTH {
        let stage = on(line).await;
        fail(&stage, codes(line)[0], 2).await;
        stage.says(ANN, "parking").await;
        let waits = |lines: &[String]| is(lines, &["waiting: "]);
        let said = stage.until_messages(ANN, waits).await.remove(0);
        let code = codes(line)[0].to_string();
        assert!(said.contains("it is tried again") && said.contains(&code), "{said}");
        assert_eq!(stage.saw(ANN).await, [""; 0]);
        assert_eq!(stage.sees(ANN, 1).await, [PARKING]);
        let arrived = |lines: &[String]| is(lines, &["delivered"]);
        let lines = stage.until_messages(ANN, arrived).await;
        assert_eq!(lines, ["delivered"], "the reason is gone");
        let copies = ["failed", "failed", "delivered"].map(|how| (PARKING.into(), how.into()));
        assert_eq!(left(&stage).await, copies, "{line:?}");
        // What is asked later comes later, and nothing comes twice.
        stage.says(ANN, "when do you open?").await;
        assert_eq!(stage.sees(ANN, 2).await, [PARKING, HOURS]);
        assert_eq!(left(&stage).await.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_for_good_late_stays_failed() {
    for line in Line::BOTH {
        let stage = on(line).await;
        fail(&stage, codes(line)[1], 1).await;
        stage.says(ANN, "parking").await;
        let said = stage.until_messages(ANN, |lines| is(lines, &["failed: "])).await.remove(0);
        assert!(said.contains(&codes(line)[1].to_string()), "{said}");
        // What is asked next is answered, and the first stays where it is.
        stage.says(ANN, "when do you open?").await;
        assert_eq!(stage.sees(ANN, 1).await, [HOURS]);
        stage.until_messages(ANN, |lines| is(lines, &["failed: ", "delivered"])).await;
        assert_eq!(left(&stage).await.len(), 2);
    }
}

/// The last state of a message of ours, as WhatsApp would tell it.
async fn told(stage: &Stage, id: &str, status: Value) {
    let mut one = json!({"id": id, "timestamp": "1790000000", "recipient_id": ANN});
    one.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "1060"},
        "statuses": [one],
    });
    stage.post("/sim/webhooks", json!({"field": "messages", "value": value})).await;
}

async fn id_of_last(stage: &Stage) -> String {
    let sent = stage.get("/sim/sent?limit=1000").await;
    let last = sent["messages"].as_array().unwrap().iter().rfind(|one| one["phone"] == ANN);
    last.unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_after_all_is_not_sent_again() {
    let stage = Stage::start().await;
    // An hour's limit: it would be tried again in a minute.
    fail(&stage, 132_069, 1).await;
    stage.says(ANN, "parking").await;
    stage.until_messages(ANN, |lines| is(lines, &["waiting: "])).await;
    let id = id_of_last(&stage).await;
    told(&stage, &id, json!({"status": "sent"})).await;
    told(&stage, &id, json!({"status": "delivered"})).await;
    let lines = stage.until_messages(ANN, |lines| is(lines, &["delivered"])).await;
    assert_eq!(lines, ["delivered"]);
    // A second phone of the customer, which has not got it.
    let errors = json!([{"code": 131_016, "title": "Service unavailable"}]);
    told(&stage, &id, json!({"status": "failed", "errors": errors})).await;
    stage.says(ANN, "when do you open?").await;
    stage.sees(ANN, 1).await;
    let lines = stage.until_messages(ANN, |lines| is(lines, &["delivered", "delivered"])).await;
    assert_eq!(lines, ["delivered", "delivered"]);
    let texts: Vec<_> = left(&stage).await.into_iter().map(|(text, _)| text).collect();
    assert_eq!(texts, [PARKING, HOURS], "each left once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_ends_before_it_hears_of_the_failure() {
    let mut stage = Stage::start().await;
    stage.set(json!({"receipts": {"hold": true}})).await;
    fail(&stage, 131_016, 1).await;
    stage.says(ANN, "parking").await;
    stage.until_messages(ANN, |lines| is(lines, &["accepted"])).await;
    stage.set(json!({"receipts": {"hold": false}})).await;
    stage.post("/sim/receipts/release", json!({})).await;
    stage.kill_and_restart();
    assert_eq!(stage.sees(ANN, 1).await, [PARKING]);
    stage.until_messages(ANN, |lines| is(lines, &["delivered"])).await;
    assert_eq!(left(&stage).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_stops_late_says_why_and_keeps_all() {
    for line in Line::BOTH {
        let stage = on(line).await;
        stage.says(BEN, "when do you open?").await;
        assert_eq!(stage.sees(BEN, 1).await, [HOURS]);
        let (code, words) = match line {
            Line::Meta => (131_042, "payment method"),
            Line::Twilio => (63_020, "Twilio's invitation"),
        };
        fail(&stage, code, 1).await;
        stage.says(ANN, "parking").await;
        stage.until_messages(ANN, |lines| is(lines, &["waiting: "])).await;
        let reason = stage.until_paused().await;
        assert!(reason.contains(words), "{reason}");
        stage.says(BEN, "parking").await;
        stage.until_messages(BEN, |lines| is(lines, &["delivered", "waiting"])).await;
        assert_eq!(stage.saw(BEN).await, [HOURS], "nothing leaves");
        // One is tried a minute later, and then all leave.
        tokio::time::sleep(Duration::from_secs(45)).await;
        assert_eq!(stage.sees(ANN, 1).await, [PARKING]);
        assert_eq!(stage.sees(BEN, 2).await, [HOURS, PARKING]);
        assert_eq!(stage.paused().await, [""; 0]);
    }
}
