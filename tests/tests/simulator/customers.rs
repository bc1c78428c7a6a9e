//! Everything that a customer can do, in the form in which WhatsApp tells it.

use super::world::{ANA, BEA, TOKEN, World, code};
use serde_json::{Value, json};

#[tokio::test]
async fn every_kind_of_message_has_metas_form() {
    let mut world = World::new().await;
    let first = world.hello(ANA).await;
    let cases = [
        (json!({"kind": "video", "caption": "c"}), "/video/caption", json!("c")),
        (json!({"kind": "audio"}), "/audio/voice", json!(true)),
        (json!({"kind": "audio", "voice": false}), "/audio/voice", json!(false)),
        (json!({"kind": "sticker", "animated": true}), "/sticker/animated", json!(true)),
        (json!({"kind": "contacts"}), "/contacts/0/name/first_name", json!("Sam")),
        (
            json!({"kind": "order", "catalog_id": "7", "items": [{"quantity": 2}]}),
            "/order/product_items/0/quantity",
            json!(2),
        ),
        (
            json!({"kind": "enquiry", "body": "?", "catalog_id": "7", "product": "cake"}),
            "/context/referred_product/product_retailer_id",
            json!("cake"),
        ),
        (json!({"kind": "request_welcome"}), "/type", json!("request_welcome")),
        (json!({"kind": "unsupported"}), "/errors/0/code", json!(131051)),
        (json!({"kind": "unsupported", "of": "pin"}), "/unsupported/type", json!("pin")),
        (
            json!({"kind": "edit", "message": first, "body": "new"}),
            "/edit/message/text/body",
            json!("new"),
        ),
        (json!({"kind": "revoke", "message": first}), "/revoke/original_message_id", json!(first)),
        (
            json!({"kind": "text", "body": "a", "forwarded": "often"}),
            "/context",
            json!({"frequently_forwarded": true}),
        ),
        (
            json!({"kind": "flow", "response": {"a": 1}}),
            "/interactive/nfm_reply/name",
            json!("flow"),
        ),
    ];
    for (act, pointer, expected) in cases {
        world.act(ANA, act.clone()).await;
        let message = world.message().await;
        assert_eq!(message.pointer(pointer), Some(&expected), "{act}: {message}");
        assert_eq!(message["from"], ANA);
    }
}

#[tokio::test]
async fn a_flow_is_filled_in_with_its_token() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.set(json!({"receipts": {"drop": true}})).await;
    let flow = json!({"to": ANA, "type": "interactive", "interactive": {"type": "flow",
        "body": {"text": "Book"}, "action": {"name": "flow", "parameters": {
            "flow_message_version": "3", "flow_id": "1", "flow_cta": "Go", "flow_token": "t7"}}}});
    let id = world.send(flow).await.1["messages"][0]["id"].clone();
    world.act(ANA, json!({"kind": "flow", "message": id, "response": {"day": "Monday"}})).await;
    let message = world.message().await;
    assert_eq!(message["context"]["id"], id);
    let response = message["interactive"]["nfm_reply"]["response_json"].as_str().unwrap();
    let response: Value = serde_json::from_str(response).unwrap();
    assert_eq!(response, json!({"day": "Monday", "flow_token": "t7"}));
}

#[tokio::test]
async fn a_changed_number_is_told_and_the_old_one_is_dead() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    let old_id = world.get(&format!("/sim/phones/{ANA}")).await["user_id"].clone();
    world.act(ANA, json!({"kind": "change_number", "number": BEA})).await;
    let value = world.next().await.value;
    assert!(value.get("contacts").is_none());
    let message = &value["messages"][0];
    assert_eq!((&message["type"], &message["from"]), (&json!("system"), &json!(ANA)));
    let system = &message["system"];
    assert_eq!((&system["type"], &system["wa_id"]), (&json!("user_changed_number"), &json!(BEA)));
    assert_eq!(system["previous_user_id"], old_id);
    assert_ne!(system["user_id"], old_id);
    world.said("to the old number").await;
    assert_eq!(world.receipt().await["errors"][0]["code"], 131026);
    let new = json!({"to": BEA, "text": {"body": "to the new one"}});
    assert_eq!(world.send(new).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    let taken = json!({"kind": "change_number", "number": "x"});
    let url = format!("{}/sim/phones/{BEA}/send", world.base);
    assert_eq!(world.http.post(url).json(&taken).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_hidden_number_leaves_the_user_id_alone() {
    let mut world = World::new().await;
    world.act(ANA, json!({"kind": "hide_number", "username": "@ana"})).await;
    let value = world.next().await.value;
    let message = &value["messages"][0];
    assert!(message.get("from").is_none() && value["contacts"][0].get("wa_id").is_none());
    assert_eq!(value["contacts"][0]["profile"]["username"], "@ana");
    let user = message["from_user_id"].as_str().unwrap().to_owned();
    let (_, body) = world.send(json!({"recipient": user, "text": {"body": "hi"}})).await;
    assert_eq!(body["contacts"], json!([{"input": user, "user_id": user}]));
    let sent = world.receipt().await;
    assert!(sent.get("recipient_id").is_none());
    world.receipt().await;

    let ask = json!({"recipient": user, "type": "interactive", "interactive": {
        "type": "contact_request", "body": {"text": "Your number?"},
        "action": {"name": "request_contact_info"}}});
    let id = world.send(ask).await.1["messages"][0]["id"].clone();
    world.statuses(2).await;
    world.act(ANA, json!({"kind": "share_number", "message": id})).await;
    let card = world.message().await;
    assert_eq!(card["contacts"][0]["phones"][0]["wa_id"], ANA);
    assert_eq!(card["contacts"][0]["origin"], "contact_request");
    assert_eq!(card["context"]["id"], id);

    world.act(ANA, json!({"kind": "change_user_id"})).await;
    let system = world.message().await;
    assert!(system.get("from").is_none() && system.get("from_user_id").is_none());
    assert_eq!(system["system"]["previous_user_id"], *user);
    world.act(ANA, json!({"kind": "show_number"})).await;
    assert_eq!(world.message().await["from"], ANA);
    world.act(ANA, json!({"kind": "change_device"})).await;
    assert_eq!(world.message().await["system"]["type"], "customer_identity_changed");
}

#[tokio::test]
async fn calls_and_echoes_come_in_fields_of_their_own() {
    let mut world = World::new().await;
    let id = world.act(ANA, json!({"kind": "call"})).await;
    for event in ["connect", "terminate"] {
        let told = world.next().await;
        assert_eq!(told.field, "calls");
        let call = &told.value["calls"][0];
        assert_eq!((&call["event"], &call["id"]), (&json!(event), &json!(id)));
    }
    assert_eq!(world.say("you called?").await.0, 200, "a call opens the window");
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    let echo = world.post("/sim/echo", json!({"phone": ANA, "body": "I will call back"})).await;
    let told = world.next().await;
    assert_eq!(told.field, "smb_message_echoes");
    let said = &told.value["message_echoes"][0];
    assert_eq!((&said["to"], &said["from"]), (&json!(ANA), &json!("15550001060")));
    assert_eq!(said["text"]["body"], "I will call back");
    world.post("/sim/echo", json!({"phone": ANA, "revoke": echo["id"]})).await;
    let said = world.next().await.value["message_echoes"][0].clone();
    assert_eq!(said["revoke"]["original_message_id"], echo["id"]);
    assert_eq!(world.get("/sim/sent").await["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn files_have_bytes_and_their_addresses_die() {
    let mut world = World::new().await;
    let data = "aGVsbG8gd29ybGQ=";
    world.act(ANA, json!({"kind": "document", "data": data, "mime_type": "text/plain"})).await;
    let message = world.message().await;
    let id = message["document"]["id"].as_str().unwrap().to_owned();
    let about = async |world: &World| -> Value {
        let request = world.http.get(format!("{}/v26.0/{id}", world.base)).bearer_auth(TOKEN);
        request.send().await.unwrap().json().await.unwrap()
    };
    let fetch = async |world: &World, file: &Value| {
        let request = world.http.get(file["url"].as_str().unwrap()).bearer_auth(TOKEN);
        request.send().await.unwrap()
    };
    let file = about(&world).await;
    assert_eq!((&file["mime_type"], &file["file_size"]), (&json!("text/plain"), &json!(11)));
    assert_eq!(fetch(&world, &file).await.text().await.unwrap(), "hello world");
    world.post("/sim/clock", json!({"advance_ms": 5 * 60_000})).await;
    assert_eq!(fetch(&world, &file).await.status(), 404);
    let file = about(&world).await;
    assert_eq!(fetch(&world, &file).await.status(), 200, "a new address works");
    let altered = json!({"url": file["url"].as_str().unwrap().replace("ext=", "ext=9")});
    assert_eq!(fetch(&world, &altered).await.status(), 404);
    world.set(json!({"media": {"wrong_hash": true, "dead": true}})).await;
    assert_ne!(about(&world).await["sha256"], file["sha256"]);
    assert_eq!(fetch(&world, &about(&world).await).await.status(), 404);
    world.set(json!({"media": {"wrong_hash": false, "dead": false}})).await;
    world.post("/sim/clock", json!({"advance_ms": 7 * 86_400_000_u64})).await;
    assert_eq!(about(&world).await["error"]["code"], 100);
}

#[tokio::test]
async fn uploads_are_kept_and_sends_check_their_ids() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    let upload = async |mime: &str, bytes: Vec<u8>| -> (u16, Value) {
        let part = reqwest::multipart::Part::bytes(bytes).file_name("a").mime_str(mime).unwrap();
        let form = reqwest::multipart::Form::new()
            .text("messaging_product", "whatsapp")
            .part("file", part);
        let url = format!("{}/v26.0/1060/media", world.base);
        let answer = world.http.post(url).bearer_auth(TOKEN).multipart(form).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    };
    let (status, body) = upload("image/png", vec![7; 100]).await;
    assert_eq!(status, 200, "{body}");
    let id = body["id"].as_str().unwrap();
    assert_eq!(code(&upload("image/png", vec![7; (5 << 20) + 1]).await), (400, 131053));
    assert_eq!(code(&upload("image/tiff", vec![7; 10]).await), (400, 100));
    let image = |id: &str| json!({"to": ANA, "type": "image", "image": {"id": id}});
    assert_eq!(world.send(image(id)).await.0, 200);
    assert_eq!(code(&world.send(image("799")).await), (400, 131009));
    let removed = world.http.delete(format!("{}/v26.0/{id}", world.base)).bearer_auth(TOKEN);
    assert_eq!(removed.send().await.unwrap().status(), 200);
    assert_eq!(code(&world.send(image(id)).await), (400, 131009));
}
