//! What stops a whole number, until somebody mends it.

use super::{HOURS, PARKING};
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_tests::{
    server::switchboard,
    shop::text,
    stage::{ANN, BEN, Line, Stage},
};

/// Stops the account, lets a customer ask, and gives what the operator reads.
async fn stopped(by: Value) -> (Stage, String) {
    let stage = Stage::at(9, Line::Meta, |_| {}, |_| {}).await;
    // The window is open and the customer known before.
    stage.says(ANN, "when do you open?").await;
    assert_eq!(stage.sees(ANN, 1).await, [HOURS]);
    stage.post("/sim/account", by).await;
    stage.says(ANN, "parking").await;
    let paused = |ready: &Value| ready["paused"].as_array().is_some_and(|all| !all.is_empty());
    let ready = stage.until("/readyz", paused).await;
    assert_eq!(ready["ready"], true, "what comes in is still taken");
    let waits = |lines: &[String]| lines.len() == 2 && lines[1].starts_with("waiting");
    stage.until_messages(ANN, waits).await;
    assert_eq!(stage.saw(ANN).await.len(), 1, "the customer sees nothing of it");
    let reason = stage.until_paused().await;
    (stage, reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_expires_and_is_renewed() {
    let (stage, reason) = stopped(json!({"token": "expired"})).await;
    assert!(reason.contains("access token has expired"), "{reason}");
    // The doctor says the same.
    let doctor = switchboard(&["doctor", text(&stage.shop.folder)]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.status.code() == Some(1) && said.contains("✗ token"), "{said}");
    // Others ask meanwhile; what is asked is kept.
    stage.says(BEN, "parking").await;
    stage.says(ANN, "when do you open?").await;
    stage.post("/sim/account", json!({"token": "ok"})).await;
    // One message is tried a minute later, and then all leave: in order, once.
    stage.pass(Duration::from_secs(60)).await;
    assert_eq!(stage.sees(ANN, 3).await, [HOURS, PARKING, HOURS]);
    assert_eq!(stage.sees(BEN, 1).await, [PARKING]);
    assert_eq!(stage.paused().await, [""; 0], "it goes on by itself");
    assert_eq!(stage.get("/sim/sent").await["messages"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_stops_the_account_says_what_to_do() {
    for (by, words) in [
        (json!({"payment": "problem"}), "check its payment method"),
        (json!({"display_name": "declined"}), "display name is not approved"),
        (json!({"restricted": "spam"}), "blocked or reported the number"),
    ] {
        let (_, reason) = stopped(by).await;
        assert!(reason.contains(words), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_is_locked_and_reinstated() {
    let mut stage = Stage::start().await;
    stage.says(ANN, "when do you open?").await;
    assert_eq!(stage.sees(ANN, 1).await, [HOURS]);
    stage.post("/sim/account", json!({"restricted": "locked"})).await;
    let paused = |ready: &Value| ready["paused"].as_array().is_some_and(|all| !all.is_empty());
    let ready = stage.until("/readyz", paused).await;
    assert_eq!(ready["paused"][0]["reason"], "meta disabled the account");
    assert_eq!(ready["paused"][0]["stops"], "all");
    stage.says(ANN, "parking").await;
    let waits = |lines: &[String]| lines.len() == 2;
    assert_eq!(stage.until_messages(ANN, waits).await[1], "waiting", "it was not even tried");
    // A new process knows it too.
    stage.kill_and_restart();
    assert_eq!(
        stage.until("/readyz", paused).await["paused"][0]["since"],
        ready["paused"][0]["since"]
    );
    let metrics = stage.server().metrics().await;
    assert!(metrics.contains("switchboard_outbox_paused_channels 1"), "{metrics}");
    stage.post("/sim/account", json!({"restricted": "none"})).await;
    assert_eq!(stage.sees(ANN, 2).await, [HOURS, PARKING]);
    assert_eq!(stage.paused().await, [""; 0]);
}
