//! Files whose addresses end, and files that are not what they should be.

use serde_json::{Value, json};
use switchboard_tests::stage::{ANN, Stage};

async fn file(stage: &Stage, wish: &str) -> Value {
    let contact = stage.contact(ANN).await;
    let id = contact["contact"]["id"].as_str().unwrap();
    let path = format!("/api/v1/contacts/{id}/media");
    let is = |answer: &Value| answer["media"][0]["state"] == *wish;
    stage.until(&path, is).await["media"][0].clone()
}

async fn known(stage: &Stage) {
    stage.says(ANN, "parking").await;
    stage.sees(ANN, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_file_is_dead_and_is_asked_for_anew() {
    let stage = Stage::start().await;
    known(&stage).await;
    stage.set(json!({"media": {"dead": true}})).await;
    stage.act(ANN, json!({"kind": "image", "caption": "parking"})).await;
    // The customer is answered all the same.
    stage.sees(ANN, 2).await;
    let waiting = file(&stage, "waiting").await;
    assert!(waiting["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{waiting}");
    stage.set(json!({"media": {"dead": false}})).await;
    let here = file(&stage, "here").await;
    assert!(here["bytes"].as_u64() > Some(100) && here["mime_type"] == "image/jpeg", "{here}");
    let id = here["id"].as_str().unwrap();
    let bytes = stage.server().admin_bytes(&format!("/api/v1/media/main/{id}")).await;
    assert!(
        bytes.starts_with(b"\xff\xd8\xff") && Some(bytes.len() as u64) == here["bytes"].as_u64()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_it_should_be_is_not_kept() {
    let stage = Stage::start().await;
    known(&stage).await;
    stage.set(json!({"media": {"wrong_hash": true}})).await;
    stage.act(ANN, json!({"kind": "document", "filename": "a.pdf"})).await;
    let failed = file(&stage, "failed").await;
    assert!(failed["reason"].as_str().unwrap().contains("hash"), "{failed}");
    let kept = std::fs::read_dir(stage.shop.path("data/media")).unwrap().count();
    assert_eq!(kept, 0, "nothing of it is left");
}
