//! Customers who change their number, or turn out to be one.

use super::{HOURS, PARKING};
use serde_json::json;
use switchboard_tests::stage::{ANN, BEN, Stage};

const NEW: &str = "447700900099";

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_changes_the_number_while_an_answer_waits() {
    let stage = Stage::start().await;
    stage.says(ANN, "terrible! where can I park?").await;
    stage.sees(ANN, 1).await;
    let before = stage.contact(ANN).await["contact"].clone();
    assert_eq!(before["tags"][0]["name"], "complaint");
    // WhatsApp is too busy for the answer until the number has changed.
    stage.fault(json!({"kind": "error", "code": 131_016, "count": 2})).await;
    stage.told(ANN, "when do you open?").await;
    stage.act(ANN, json!({"kind": "change_number", "number": NEW})).await;
    // The answer goes to where the customer is now.
    let saw = stage.sees(NEW, 2).await;
    assert_eq!(saw.last().map(String::as_str), Some(HOURS), "{saw:?}");
    let known = format!("/api/v1/contacts/lookup?phone={NEW}");
    let now = stage.until(&known, |seen| seen["contact"]["id"] == before["id"]).await;
    assert_eq!(now["contact"]["tags"][0]["name"], "complaint", "the contact is the same");
    let gone = stage.server().admin_get(&format!("/api/v1/contacts/lookup?phone={ANN}")).await;
    assert!(gone["contact"].is_null(), "{gone}");
    // And what is written from there is the same person's.
    stage.says(NEW, "parking").await;
    assert_eq!(stage.sees(NEW, 3).await.last().map(String::as_str), Some(PARKING));
    assert_eq!(stage.contact(NEW).await["contact"]["id"], before["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_hides_the_number_and_is_still_the_same() {
    let stage = Stage::start().await;
    stage.says(BEN, "parking").await;
    stage.sees(BEN, 1).await;
    let id = stage.contact(BEN).await["contact"]["id"].clone();
    stage.act(BEN, json!({"kind": "hide_number", "username": "ben.hides"})).await;
    let path = format!("/api/v1/contacts/lookup?phone={BEN}");
    let seen = stage.until(&path, |seen| seen["contact"]["username"].is_string()).await;
    assert_eq!(seen["contact"]["id"], id);
    assert!(seen["contact"]["username"].as_str().unwrap().contains("ben.hides"), "{seen}");
}
