//! The simulator against a bot that is a few lines of axum: what it sends and
//! what it answers.

#[path = "simulator/account.rs"]
mod account;
#[path = "simulator/customers.rs"]
mod customers;
#[path = "simulator/faults.rs"]
mod faults;
#[path = "simulator/session.rs"]
mod session;
#[path = "simulator/templates.rs"]
mod templates;
#[path = "simulator/twilio.rs"]
mod twilio;
#[path = "simulator/world.rs"]
mod world;

use axum::{Router, extract::Query, http::HeaderMap, routing::get};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::HashMap;
use switchboard::simulator::NewPhone;
use tokio::net::TcpListener;
use world::{ANA, PATIENCE, SECRET, TOKEN, World, code};

#[tokio::test]
async fn webhooks_are_signed_over_the_escaped_bytes() {
    let mut world = World::new().await;
    let text = "Grüße 😀 https://x.test/a?b=1";
    world.act(ANA, json!({"kind": "text", "body": text})).await;
    let post = world.next().await;
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&post.raw);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(post.signature, expected);
    assert!(post.raw.is_ascii());
    let raw = String::from_utf8(post.raw).unwrap();
    assert!(raw.contains(r"Gr\u00fc\u00dfe \ud83d\ude00 https:\/\/x.test\/a?b=1"), "{raw}");
    assert_eq!(post.value["messages"][0]["text"]["body"], text);
}

#[tokio::test]
async fn the_webhook_is_verified_at_the_start_and_on_demand() {
    let world = World::new().await;
    let state = world.until("/sim/state", |state| state["verification"].is_object()).await;
    assert_eq!(state["verification"]["ok"], true, "{state}");
    let asked = world.bot.challenges.lock().unwrap()[0].clone();
    assert_eq!(asked["hub.mode"], "subscribe");
    assert_eq!(asked["hub.verify_token"], "a verify token");

    let world = World::with(|config| config.verify_token = "another".into()).await;
    let verification = world.post("/sim/verify", json!({})).await;
    assert_eq!(verification["ok"], false);
    assert!(verification["details"].as_str().unwrap().contains("403"), "{verification}");
}

#[tokio::test]
async fn a_message_is_answered_and_the_receipts_follow_in_order() {
    let mut world = World::new().await;
    let wamid = world.act(ANA, json!({"kind": "text", "body": "hi"})).await;
    let value = world.next().await.value;
    assert_eq!(
        value["metadata"],
        json!({"display_phone_number": "15550001060", "phone_number_id": "1060"})
    );
    let contact = &value["contacts"][0];
    assert_eq!(contact["profile"], json!({"name": "Ana"}));
    assert_eq!(contact["wa_id"], ANA);
    let message = &value["messages"][0];
    assert_eq!(message["from"], ANA);
    assert_eq!(message["from_user_id"], contact["user_id"]);
    assert_eq!(message["id"], *wamid);
    assert_eq!(message["type"], "text");
    assert!(message["timestamp"].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000);

    let send = json!({"to": "+1 650 555 1234", "type": "text", "text": {"body": "hello"},
        "biz_opaque_callback_data": "our id", "context": {"message_id": wamid}});
    let (status, body) = world.send(send).await;
    assert_eq!(status, 200);
    assert_eq!(body["messaging_product"], "whatsapp");
    assert_eq!(body["contacts"][0]["input"], "+1 650 555 1234");
    assert_eq!(body["contacts"][0]["wa_id"], ANA);
    let id = body["messages"][0]["id"].clone();
    assert!(id.as_str().unwrap().starts_with("wamid."));

    for status in ["sent", "delivered"] {
        let value = world.next().await.value;
        let receipt = &value["statuses"][0];
        assert_eq!(receipt["status"], status);
        assert_eq!(receipt["id"], id);
        assert_eq!(receipt["recipient_id"], ANA);
        assert_eq!(receipt["recipient_user_id"], contact["user_id"]);
        assert_eq!(receipt["biz_opaque_callback_data"], "our id");
        assert_eq!(receipt["pricing"]["category"], "service");
        assert_eq!(value["contacts"][0]["wa_id"], ANA);
    }
    let phone = world.get(&format!("/sim/phones/{ANA}")).await;
    assert_eq!(phone["unread"], 1);
    world.post(&format!("/sim/phones/{ANA}/read"), json!({})).await;
    let read = world.receipt().await;
    assert_eq!((&read["status"], &read["id"]), (&json!("read"), &id));
    assert!(read.get("pricing").is_none());

    let history = world.get(&format!("/sim/phones/{ANA}/messages")).await;
    assert_eq!(history["phone"]["unread"], 0);
    assert_eq!(history["messages"][0]["content"]["body"], "hi");
    assert_eq!(history["messages"][1]["content"]["body"], "hello");
    assert_eq!(history["messages"][1]["status"], "read");
    let sent = world.get("/sim/sent").await;
    assert_eq!(sent["total"], 1);
    assert_eq!(sent["messages"][0]["opaque"], "our id");
    assert_eq!(sent["messages"][0]["phone"], ANA);
}

#[tokio::test]
async fn phones_read_by_themselves_if_told_to() {
    let mut world = World::with(|config| config.settings.auto_read = true).await;
    world.hello(ANA).await;
    world.said("a").await;
    assert_eq!(world.statuses(3).await, ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn read_marks_and_typing_show() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    let wamid = world.hello(ANA).await;
    let mark = json!({"status": "read", "message_id": wamid, "typing_indicator": {"type": "text"}});
    assert_eq!(world.send(mark).await, (200, json!({"success": true})));
    let history = world.get(&format!("/sim/phones/{ANA}/messages")).await;
    assert_eq!(history["messages"][0]["status"], "read", "earlier ones too");
    assert_eq!(history["messages"][1]["status"], "read");
    assert!(history["phone"]["typing_until"].as_u64().unwrap() > 0);
    world.said("here").await;
    let phone = world.get(&format!("/sim/phones/{ANA}")).await;
    assert_eq!(phone["typing_until"], 0, "an answer ends it");
    let mark = json!({"status": "read", "message_id": "wamid.nobody"});
    assert_eq!(code(&world.send(mark).await), (400, 131009));
}

#[tokio::test]
async fn buttons_rows_and_quick_replies_can_be_tapped() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.set(json!({"receipts": {"drop": true}})).await;
    let buttons = json!({"to": ANA, "type": "interactive", "interactive": {"type": "button",
        "body": {"text": "Sure?"}, "action": {"buttons": [
            {"type": "reply", "reply": {"id": "yes", "title": "Yes, please"}}]}}});
    let id = world.send(buttons).await.1["messages"][0]["id"].as_str().unwrap().to_owned();
    world.act(ANA, json!({"kind": "tap", "message": id, "id": "yes"})).await;
    let tap = world.message().await;
    assert_eq!(tap["type"], "interactive");
    assert_eq!(
        tap["interactive"],
        json!({"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes, please"}})
    );
    assert_eq!(tap["context"], json!({"from": "15550001060", "id": id}));

    let list = json!({"to": ANA, "type": "interactive", "interactive": {"type": "list",
        "body": {"text": "Which?"}, "action": {"button": "Choose", "sections": [{"rows": [
            {"id": "r1", "title": "One", "description": "the first"}]}]}}});
    let id = world.send(list).await.1["messages"][0]["id"].as_str().unwrap().to_owned();
    world.act(ANA, json!({"kind": "tap", "message": id, "id": "r1"})).await;
    assert_eq!(
        world.message().await["interactive"]["list_reply"],
        json!({"id": "r1", "title": "One", "description": "the first"})
    );

    let template = json!({"to": ANA, "type": "template", "template": {"name": "sale",
        "language": {"code": "en"}, "components": [{"type": "button", "index": "0",
            "sub_type": "quick_reply", "parameters": [{"type": "payload", "payload": "more"}]}]}});
    let id = world.send(template).await.1["messages"][0]["id"].as_str().unwrap().to_owned();
    world.act(ANA, json!({"kind": "tap", "message": id, "id": "more"})).await;
    let tap = world.message().await;
    assert_eq!((&tap["type"], &tap["button"]["payload"]), (&json!("button"), &json!("more")));

    let url = format!("{}/sim/phones/{ANA}/send", world.base);
    let wrong = json!({"kind": "tap", "message": id, "id": "less"});
    let answer = world.http.post(url).json(&wrong).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn media_locations_reactions_and_raw_messages_arrive() {
    let mut world = World::new().await;
    world.act(ANA, json!({"kind": "image", "caption": "look"})).await;
    let image = world.message().await;
    assert_eq!(image["image"]["caption"], "look");
    let id = image["image"]["id"].as_str().unwrap();
    let url = format!("{}/v26.0/{id}", world.base);
    let file: Value =
        world.http.get(url).bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(file["mime_type"], image["image"]["mime_type"]);
    let at = file["url"].as_str().unwrap();
    assert_eq!(world.http.get(at).send().await.unwrap().status(), 401);
    let bytes = world.http.get(at).bearer_auth(TOKEN).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, file["file_size"].as_u64().unwrap());
    assert!(bytes.starts_with(b"\xff\xd8\xff"));

    world.act(ANA, json!({"kind": "document", "filename": "a.pdf"})).await;
    assert_eq!(world.message().await["document"]["filename"], "a.pdf");
    world.act(ANA, json!({"kind": "location", "latitude": 52.5, "longitude": 13.4})).await;
    assert_eq!(world.message().await["location"]["latitude"], 52.5);

    let sent = world.said("nice").await;
    world.statuses(2).await;
    world.act(ANA, json!({"kind": "reaction", "message": sent, "emoji": "👍"})).await;
    assert_eq!(world.message().await["reaction"], json!({"message_id": sent, "emoji": "👍"}));
    world.act(ANA, json!({"kind": "reaction", "message": sent})).await;
    assert_eq!(world.message().await["reaction"], json!({"message_id": sent}));

    let raw = json!({"kind": "raw", "message": {"type": "order", "order": {"catalog_id": "7"}}});
    world.act(ANA, raw).await;
    let order = world.message().await;
    assert_eq!((&order["order"]["catalog_id"], &order["from"]), (&json!("7"), &json!(ANA)));

    world.post("/sim/webhooks", json!({"field": "messages", "value": {"errors": []}})).await;
    assert_eq!(world.next().await.value, json!({"errors": []}));
}

#[tokio::test]
async fn a_customer_without_a_number_is_reached_by_user_id() {
    let mut world = World::new().await;
    let phone = json!({"name": "Zoé", "username": "@zoe"});
    let phone = world.post("/sim/phones", phone).await;
    let user = phone["user_id"].as_str().unwrap().to_owned();
    assert_eq!(phone["id"], *user);
    world.act(&user, json!({"kind": "text", "body": "hi"})).await;
    let value = world.next().await.value;
    let contact = &value["contacts"][0];
    assert_eq!(contact["profile"], json!({"name": "Zoé", "username": "@zoe"}));
    assert!(contact.get("wa_id").is_none());
    let message = &value["messages"][0];
    assert!(message.get("from").is_none());
    assert_eq!(message["from_user_id"], *user);

    let (status, body) = world.send(json!({"recipient": user, "text": {"body": "hi Zoé"}})).await;
    assert_eq!(status, 200);
    assert_eq!(body["contacts"], json!([{"input": user, "user_id": user}]));
    for status in ["sent", "delivered"] {
        let receipt = world.receipt().await;
        assert_eq!(receipt["status"], status);
        assert_eq!(receipt["recipient_user_id"], *user);
        assert!(receipt.get("recipient_id").is_none());
    }
    // In `to` a user id is taken, and nobody ever hears of it.
    assert_eq!(world.send(json!({"to": user, "text": {"body": "lost"}})).await.0, 200);
    world.nothing_more().await;
    let history = world.get(&format!("/sim/phones/{user}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_page_is_served_and_kept_from_other_sites() {
    let world = World::new().await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/chat.js", "text/javascript"),
        ("/whatsapp.js", "text/javascript"),
        ("/chat.css", "text/css"),
    ] {
        let answer = world.http.get(world.base.clone() + path).send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind));
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"));
        assert!(answer.text().await.unwrap().len() > 500);
    }
    let request = world.http.get(world.base.clone() + "/sim/state").header("origin", "https://a.b");
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_page_hears_of_what_happens_and_the_stream_ends_with_the_simulator() {
    let mut world = World::new().await;
    let mut stream = world.http.get(world.base.clone() + "/sim/events").send().await.unwrap();
    world.hello(ANA).await;
    let mut heard = String::new();
    while !heard.contains(r#""status":"delivered""#) {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.unwrap().unwrap();
        heard.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    assert!(heard.contains(r#""type":"message""#), "{heard}");
    world.stop.send(true).unwrap();
    let end = async { while stream.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.expect("the stream must end");
}

#[tokio::test]
async fn the_runtime_is_asked_about_a_phone() {
    async fn lookup(
        headers: HeaderMap,
        Query(asked): Query<HashMap<String, String>>,
    ) -> axum::Json<Value> {
        axum::Json(json!({"asked": asked, "token": headers["authorization"].to_str().unwrap()}))
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let routes = Router::new().route("/api/v1/contacts/lookup", get(lookup));
    tokio::spawn(axum::serve(listener, routes).into_future());
    let world = World::with(|config| {
        config.inspect_url = Some(url);
        config.inspect_token = Some("secret".into());
        config.phones.push(NewPhone { username: Some("zoe".into()), ..NewPhone::default() });
    })
    .await;
    let answer = world.get(&format!("/sim/inspect?phone={ANA}")).await;
    assert_eq!(answer, json!({"asked": {"phone": ANA}, "token": "Bearer secret"}));
    let phones = world.get("/sim/phones").await;
    let user = phones["phones"][1]["user_id"].as_str().unwrap();
    let answer = world.get(&format!("/sim/inspect?phone={user}")).await;
    assert_eq!(answer["asked"], json!({"bsuid": user}));
}

#[tokio::test]
async fn a_batch_is_delivered_and_clearing_forgets_it() {
    let mut world = World::new().await;
    let batch: Vec<Value> =
        (0..500).map(|n| json!({"phone": ANA, "kind": "text", "body": n.to_string()})).collect();
    let ids = world.post("/sim/batch", batch.into()).await["ids"].as_array().unwrap().clone();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..500 {
        seen.insert(world.message().await["id"].clone());
    }
    assert!(ids.iter().all(|id| seen.contains(id)));
    world.until("/sim/state", |state| state["counts"]["webhooks_delivered"] == 500).await;
    world.post("/sim/clear", json!({})).await;
    let history = world.get(&format!("/sim/phones/{ANA}/messages")).await;
    assert_eq!(history["messages"], json!([]));
    assert_eq!(history["phone"]["last_inbound"], Value::Null);
}
