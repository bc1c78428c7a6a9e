//! What is no message, through the real binary: changes of the account, which
//! the operator reads, and people at the business who answer on the phone.

use axum::http::StatusCode;
use serde_json::{Value, json};
use switchboard_tests::{
    meta::{Graph, post_webhook, text_from},
    server::Server,
    shop::{NUMBER_ID, Shop},
};

async fn post(server: &Server, field: &str, value: Value) {
    let change = json!({ "field": field, "value": value });
    let entry = json!([{ "id": "1020", "time": 1_790_000_000, "changes": [change] }]);
    let body = json!({ "object": "whatsapp_business_account", "entry": entry }).to_string();
    let taken = post_webhook(&server.public, "main", body.as_bytes()).await;
    assert_eq!(taken, Ok(StatusCode::OK));
}

async fn events(server: &Server, limit: usize) -> Vec<Value> {
    let path = format!("/api/v1/account-events?limit={limit}");
    server.admin_get(&path).await["account_events"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_reads_what_changed() {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let server = Server::start(&shop);
    let template = json!({ "event": "PAUSED", "message_template_name": "sale",
        "message_template_language": "de", "reason": "NONE" });
    post(&server, "message_template_status_update", template.clone()).await;
    post(&server, "account_update", json!({ "event": "ACCOUNT_DELETED" })).await;
    let long = json!({ "history": [{ "threads": ["x".repeat(300_000)] }] });
    post(&server, "history", long).await;
    let mut seen = Vec::new();
    for _ in 0..500 {
        seen = events(&server, 50).await;
        if seen.len() == 3 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The newest first, in words, with Meta's own; of what is very long, a part.
    let fields: Vec<_> = seen.iter().map(|event| event["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["history", "account_update", "message_template_status_update"]);
    assert_eq!(seen[2]["news"], "template `sale` (de): PAUSED");
    assert_eq!(seen[1]["news"], "sending is stopped: the account was deleted");
    let raw: Value = serde_json::from_str(seen[2]["raw"].as_str().unwrap()).unwrap();
    assert_eq!((raw, &seen[2]["channel"]), (template, &json!("main")));
    assert_eq!(seen[0]["raw"].as_str().unwrap().len(), 256 * 1024);
    assert!(seen[0]["raw_bytes"].as_u64().unwrap() > 300_000);
    assert_eq!(events(&server, 1).await, seen[..1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_keeps_silent_when_a_person_answers_on_the_phone() {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let server = Server::start(&shop);
    let echo = json!({
        "metadata": { "display_phone_number": "15550001111", "phone_number_id": NUMBER_ID },
        "message_echoes": [{ "id": "wamid.P1", "from": "15550001111", "to": "15550000001",
            "timestamp": "1790000000", "type": "text", "text": { "body": "I see to it." } }],
    });
    post(&server, "smb_message_echoes", echo).await;
    let (mut contact, mut turns) = (Value::Null, Value::Null);
    for _ in 0..500 {
        contact = server.admin_get("/api/v1/contacts?limit=1").await["contacts"][0].clone();
        if !contact["handoff"].is_null() {
            turns = server.lookup("15550000001").await["turns"].take();
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(contact["handoff"]["reason"], "answered from the phone app");
    assert_eq!(turns[0]["remarks"][0], "a person used the phone app: text");

    let question = text_from("15550000001", "wamid.1", "When do you open?");
    assert_eq!(post_webhook(&server.public, "main", &question).await, Ok(StatusCode::OK));
    for _ in 0..500 {
        turns = server.lookup("15550000001").await["turns"].take();
        if turns[0]["event"] == "message" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!((&turns[0]["event"], &turns[0]["sends"]), (&json!("message"), &json!([])));
    // Another's is answered.
    let other = text_from("15550000002", "wamid.2", "When do you open?");
    assert_eq!(post_webhook(&server.public, "main", &other).await, Ok(StatusCode::OK));
    let sent = graph.wait_for(1).await;
    assert_eq!(sent[0].to, "15550000002");
}
