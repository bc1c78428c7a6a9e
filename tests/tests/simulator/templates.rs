//! Templates: their review, what a send of one must hold, and what the bot
//! hears of them.

use super::world::{ANA, BEA, TOKEN, World, code};
use serde_json::{Value, json};

fn draft(name: &str, category: &str) -> Value {
    json!({"name": name, "language": "en", "category": category, "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Your order"},
        {"type": "BODY", "text": "Hi {{1}}, {{2}} is on its way."},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thanks"}]}]})
}

fn send(to: &str, name: &str, language: &str, values: &[&str]) -> Value {
    let values: Vec<_> = values.iter().map(|v| json!({"type": "text", "text": v})).collect();
    json!({"to": to, "type": "template", "template": {"name": name, "language": {"code": language},
        "components": [{"type": "body", "parameters": values}]}})
}

impl World {
    async fn graph(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/v26.0/{path}", self.base);
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth(TOKEN);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn decide(&self, name: &str, decision: Value) -> Value {
        let url = format!("{}/sim/templates/{name}/en", self.base);
        let answer = self.http.patch(url).json(&decision).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    }
}

#[tokio::test]
async fn a_template_is_handed_in_reviewed_and_sent() {
    let mut world = World::new().await;
    let (status, made) =
        world.graph("POST", "1020/message_templates", draft("order", "UTILITY")).await;
    assert_eq!(
        (status, &made["status"], &made["category"]),
        (200, &json!("PENDING"), &json!("UTILITY"))
    );
    let pending = world.send(send(ANA, "order", "en", &["Ana", "cake"])).await;
    assert_eq!(code(&pending), (404, 132001));
    world.post("/sim/clock", json!({"advance_ms": 3_000})).await;
    let told = world.next().await;
    assert_eq!(told.field, "message_template_status_update");
    assert_eq!(told.value["event"], "APPROVED");
    assert_eq!(told.value["message_template_name"], "order");
    assert_eq!(told.value["message_template_id"].to_string(), made["id"].as_str().unwrap());

    let (status, _) = world.send(send(ANA, "order", "en", &["Ana", "cake"])).await;
    assert_eq!(status, 200);
    let sent = world.receipt().await;
    assert_eq!(
        (&sent["status"], &sent["pricing"]["category"]),
        (&json!("sent"), &json!("utility"))
    );
    world.receipt().await;
    let sent = world.get("/sim/sent").await["messages"][0].clone();
    assert_eq!(sent["filled"]["body"], "Hi Ana, cake is on its way.");
    assert_eq!(sent["filled"]["header"]["text"], "Your order");
    let tap = json!({"kind": "tap", "message": sent["id"], "id": "Thanks"});
    world.act(ANA, tap).await;
    assert_eq!(world.message().await["button"], json!({"payload": "Thanks", "text": "Thanks"}));
}

#[tokio::test]
async fn values_that_do_not_fit_are_refused() {
    let world = World::new().await;
    let mut new = draft("order", "UTILITY");
    new["status"] = "APPROVED".into();
    world.post("/sim/templates", new).await;
    let cases: [(&str, &[&str], (u16, u64)); 5] = [
        ("de", &["Ana", "cake"], (404, 132001)),
        ("en", &["Ana"], (400, 132000)),
        ("en", &["Ana", ""], (400, 131008)),
        ("en", &["Ana", "a\nb"], (400, 132007)),
        ("en", &["Ana", "cake"], (200, 0)),
    ];
    for (language, values, expected) in cases {
        let answer = world.send(send(ANA, "order", language, values)).await;
        assert_eq!(code(&answer), expected, "{values:?} {answer:?}");
    }
    let long = "x".repeat(1_020);
    let answer = world.send(send(ANA, "order", "en", &["Ana", &long])).await;
    assert_eq!(code(&answer), (400, 132005));
    assert_eq!(world.send(send(ANA, "unknown", "en", &[])).await.0, 200);
    world.set(json!({"any_template": false})).await;
    assert_eq!(code(&world.send(send(ANA, "unknown", "en", &[])).await), (404, 132001));
}

#[tokio::test]
async fn pauses_end_and_a_disabled_one_stays() {
    let mut world = World::new().await;
    let mut new = draft("order", "UTILITY");
    new["status"] = "APPROVED".into();
    world.post("/sim/templates", new).await;
    world.decide("order", json!({"status": "PAUSED", "quality": "RED"})).await;
    let mut fields = [world.next().await.value, world.next().await.value];
    fields.sort_by_key(|value| value["event"].is_null());
    assert_eq!(fields[0]["event"], "PAUSED");
    assert_eq!(fields[1]["new_quality_score"], "RED");
    let order = || send(ANA, "order", "en", &["Ana", "cake"]);
    assert_eq!(code(&world.send(order()).await), (400, 132015));
    world.post("/sim/clock", json!({"advance_ms": 3 * 3_600_000})).await;
    assert_eq!(world.next().await.value["event"], "APPROVED");
    assert_eq!(world.send(order()).await.0, 200);
    world.statuses(2).await;
    world.decide("order", json!({"status": "DISABLED"})).await;
    assert_eq!(world.next().await.value["event"], "DISABLED");
    assert_eq!(code(&world.send(order()).await), (400, 132016));
    world.decide("order", json!({"category": "MARKETING"})).await;
    let told = world.next().await;
    assert_eq!(
        (told.field.as_str(), &told.value["new_category"]),
        ("template_category_update", &json!("MARKETING"))
    );
}

#[tokio::test]
async fn reviews_reject_what_is_malformed() {
    let mut world = World::new().await;
    world.set(json!({"template_review_ms": 0})).await;
    let mut bad = draft("order", "UTILITY");
    bad["components"][1]["text"] = "{{1}}{{2}}".into();
    world.graph("POST", "1020/message_templates", bad).await;
    let told = world.next().await.value;
    assert_eq!((&told["event"], &told["reason"]), (&json!("REJECTED"), &json!("INVALID_FORMAT")));
    let (status, body) =
        world.graph("POST", "1020/message_templates", draft("Bad name", "UTILITY")).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!(100)));
    let id = world.get("/sim/templates").await[0]["id"].as_str().unwrap().to_owned();
    let mend = json!({"components": draft("order", "UTILITY")["components"]});
    assert_eq!(world.graph("POST", &id, mend).await, (200, json!({"success": true})));
    assert_eq!(world.next().await.value["event"], "APPROVED");
    let (_, twice) = world.graph("POST", "1020/message_templates", draft("order", "UTILITY")).await;
    assert_eq!(twice["error"]["code"], 100);
}

#[tokio::test]
async fn lists_come_in_pages_and_templates_can_be_removed() {
    let world = World::new().await;
    for number in 0..5 {
        let mut new = draft(&format!("order_{number}"), "UTILITY");
        new["status"] = (if number == 3 { "PAUSED" } else { "APPROVED" }).into();
        world.post("/sim/templates", new).await;
    }
    let mut seen = Vec::new();
    let mut path = "1020/message_templates?limit=2&fields=name,status".to_owned();
    loop {
        let (_, page) = world.graph("GET", &path, Value::Null).await;
        for one in page["data"].as_array().unwrap() {
            assert_eq!(one.as_object().unwrap().len(), 3, "{one}");
            seen.push(one["name"].as_str().unwrap().to_owned());
        }
        if page["paging"]["next"].is_null() {
            break;
        }
        let after = page["paging"]["cursors"]["after"].as_str().unwrap();
        path = format!("1020/message_templates?limit=2&fields=name,status&after={after}");
    }
    assert_eq!(seen, ["order_0", "order_1", "order_2", "order_3", "order_4"]);
    let (_, paused) = world.graph("GET", "1020/message_templates?status=PAUSED", Value::Null).await;
    assert_eq!(paused["data"][0]["name"], "order_3");
    assert_eq!(paused["data"][0]["quality_score"], json!({"score": "UNKNOWN"}));
    assert_eq!(paused["data"][0]["parameter_format"], "POSITIONAL");
    let gone = world.graph("DELETE", "1020/message_templates?name=order_3", Value::Null).await;
    assert_eq!(gone, (200, json!({"success": true})));
    assert_eq!(world.get("/sim/templates").await.as_array().unwrap().len(), 4);
    let (status, _) =
        world.graph("DELETE", "1020/message_templates?name=order_3", Value::Null).await;
    assert_eq!(status, 400);
    assert_eq!(world.graph("GET", "999/message_templates", Value::Null).await.0, 400);
}

#[tokio::test]
async fn promotions_meet_the_limits_of_promotions() {
    let mut world = World::new().await;
    let mut new = draft("sale", "MARKETING");
    new["status"] = "APPROVED".into();
    world.post("/sim/templates", new).await;
    world.post("/sim/phones", json!({"number": BEA})).await;
    let sale = |to: &str| send(to, "sale", "en", &["Bea", "cake"]);
    // A number of the +1 kind gets none.
    assert_eq!(world.send(sale(ANA)).await.0, 200);
    assert_eq!(world.receipt().await["errors"][0]["code"], 131049);
    assert_eq!(world.send(sale(BEA)).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    // The customer stops them.
    let preferences = format!("/sim/phones/{BEA}/preferences");
    world.post(&preferences, json!({"marketing": "stop"})).await;
    let told = world.next().await;
    assert_eq!(told.field, "user_preferences");
    assert_eq!(told.value["user_preferences"][0]["value"], "stop");
    assert_eq!(told.value["user_preferences"][0]["wa_id"], BEA);
    assert_eq!(world.send(sale(BEA)).await.0, 200);
    assert_eq!(world.receipt().await["errors"][0]["code"], 131050);
    world.post(&preferences, json!({"marketing": "resume"})).await;
    world.next().await;
    // WhatsApp's own cap, until a day has passed.
    world.set(json!({"marketing_per_day": 1})).await;
    assert_eq!(world.send(sale(BEA)).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    assert_eq!(world.send(sale(BEA)).await.0, 200);
    assert_eq!(world.receipt().await["errors"][0]["code"], 131049);
    world.post("/sim/clock", json!({"advance_ms": 86_400_000})).await;
    assert_eq!(world.send(sale(BEA)).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    // Promotions may have to go by their own path.
    world.post("/sim/account", json!({"marketing": false})).await;
    world.post("/sim/clock", json!({"advance_ms": 86_400_000})).await;
    assert_eq!(code(&world.send(sale(BEA)).await), (400, 131063));
    let mut body = sale(BEA);
    body["messaging_product"] = "whatsapp".into();
    assert_eq!(world.graph("POST", "1060/marketing_messages", body).await.0, 200);
}
