//! The account, its limits, and the time.

use super::world::{ANA, BEA, TOKEN, World, code};
use serde_json::{Value, json};

const HOUR: u64 = 3_600_000;

impl World {
    async fn look(&self, path: &str) -> (u16, Value) {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(TOKEN);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn account(&self, changes: Value) {
        self.post("/sim/account", changes).await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_account_is_told_and_refuses_sends() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.account(json!({"token": "expired"})).await;
    assert_eq!(code(&world.say("x").await), (401, 190));
    world.account(json!({"token": "ok", "payment": "problem"})).await;
    assert_eq!(code(&world.say("x").await), (400, 131042));
    world.account(json!({"payment": "ok", "restricted": "all"})).await;
    let told = world.next().await;
    assert_eq!(
        (told.field.as_str(), &told.value["event"]),
        ("account_update", &json!("ACCOUNT_RESTRICTION"))
    );
    assert_eq!(code(&world.say("x").await), (403, 368));
    world.account(json!({"restricted": "spam"})).await;
    assert_eq!(code(&world.say("x").await), (400, 131048));
    world.account(json!({"restricted": "none", "display_name": "declined"})).await;
    assert_eq!(world.next().await.value["decision"], "REJECTED");
    assert_eq!(code(&world.say("x").await), (400, 131037));
    world.account(json!({"display_name": "approved", "quality": "RED"})).await;
    // Two webhooks, told one after the other.
    let (quality, name) = (world.next().await, world.next().await);
    assert_eq!(quality.field, "phone_number_quality_update");
    assert_eq!(quality.value["event"], "FLAGGED");
    assert_eq!(name.value["decision"], "APPROVED");
    assert_eq!(world.say("x").await.0, 200);
    let url = world.base.clone() + "/sim/account";
    let wrong = world.http.post(url).json(&json!({"token": "lost"})).send().await.unwrap();
    assert_eq!(wrong.status(), 400);
}

#[tokio::test]
async fn a_token_ends_at_its_time() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    let now = world.get("/sim/clock").await["now"].as_u64().unwrap();
    world.account(json!({"token_expires_at": now + HOUR})).await;
    assert_eq!(world.say("x").await.0, 200);
    let (_, token) =
        world.look(&format!("/debug_token?input_token={}", TOKEN.replace(' ', "%20"))).await;
    assert_eq!(token["data"]["is_valid"], true);
    assert_eq!(token["data"]["expires_at"], (now + HOUR) / 1_000);
    world.post("/sim/clock", json!({"at": now + HOUR})).await;
    assert_eq!(code(&world.say("x").await), (401, 190));
}

#[tokio::test]
async fn the_objects_of_the_account_can_be_looked_at() {
    let mut world = World::new().await;
    let (_, number) = world.look("/v26.0/1060?fields=quality_rating,throughput,name_status").await;
    assert_eq!(
        number,
        json!({"id": "1060", "quality_rating": "GREEN", "throughput": {"level": "STANDARD"},
            "name_status": "APPROVED"})
    );
    let (_, numbers) = world.look("/v26.0/1020/phone_numbers?fields=display_phone_number").await;
    assert_eq!(numbers["data"], json!([{"id": "1060", "display_phone_number": "15550001060"}]));
    assert_eq!(world.look("/v26.0/1020").await.1["name"], "My shop");
    assert!(world.look("/me").await.1["id"].is_string());
    assert_eq!(world.look("/v26.0/debug_token?input_token=no").await.1["data"]["is_valid"], false);
    let apps = "/v26.0/1020/subscribed_apps";
    assert_eq!(world.look(apps).await.1["data"].as_array().unwrap().len(), 1);

    // Without a subscription the bot hears nothing, as in life.
    world.account(json!({"subscribed": false})).await;
    assert_eq!(world.look(apps).await.1["data"], json!([]));
    world.act(ANA, json!({"kind": "text", "body": "unheard"})).await;
    world.until("/sim/state", |all| all["counts"]["webhooks_not_subscribed"] == 1).await;
    let url = world.base.clone() + apps;
    let answer = world.http.post(url).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"success": true}));
    world.act(ANA, json!({"kind": "text", "body": "heard"})).await;
    assert_eq!(world.message().await["text"]["body"], "heard");
}

#[tokio::test]
async fn only_so_many_people_are_written_to_first() {
    let mut world = World::new().await;
    world.account(json!({"daily_contacts": 1})).await;
    let told = [world.next().await, world.next().await];
    assert_eq!(told[0].value["event"], "DOWNGRADE");
    assert_eq!(told[1].field, "business_capability_update");
    assert_eq!(told[1].value["max_daily_conversations_per_business"], 1);
    world.post("/sim/phones", json!({"number": BEA})).await;
    let template = |to: &str| {
        json!({"to": to, "type": "template",
        "template": {"name": "any", "language": {"code": "en"}}})
    };
    assert_eq!(world.send(template(ANA)).await.0, 200);
    assert_eq!(world.send(template(ANA)).await.0, 200, "people are counted, not messages");
    assert_eq!(code(&world.send(template(BEA)).await), (400, 131064));
    world.statuses(4).await;
    world.hello(BEA).await;
    assert_eq!(world.send(template(BEA)).await.0, 200, "a customer who wrote is not counted");
    assert_eq!(world.get("/sim/account").await["contacted_today"], 1);
}

#[tokio::test]
async fn the_window_closes_by_the_simulators_clock() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    let before = world.get("/sim/clock").await;
    let moved = world.post("/sim/clock", json!({"advance_ms": 25 * HOUR})).await;
    assert_eq!(moved["ahead_ms"], 25 * HOUR);
    assert!(moved["now"].as_u64().unwrap() >= before["now"].as_u64().unwrap() + 25 * HOUR);
    world.said("late").await;
    assert_eq!(world.receipt().await["errors"][0]["code"], 131047);
    // What is late for WhatsApp is written then.
    world.act(ANA, json!({"kind": "text", "body": "later"})).await;
    let written: u64 = world.message().await["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(written >= moved["now"].as_u64().unwrap() / 1_000);
    let back = json!({"at": before["now"]});
    let url = world.base.clone() + "/sim/clock";
    assert_eq!(world.http.post(url).json(&back).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn an_answer_to_an_advertisement_is_free_for_three_days() {
    let mut world = World::new().await;
    world.act(ANA, json!({"kind": "text", "body": "hi", "referral": {"headline": "Cakes"}})).await;
    let message = world.message().await;
    assert_eq!(message["referral"]["headline"], "Cakes");
    assert_eq!(message["referral"]["source_type"], "ad");
    world.said("welcome").await;
    let sent = world.receipt().await;
    assert_eq!(
        sent["pricing"],
        json!({"billable": false, "pricing_model": "PMP", "type": "free_entry_point",
            "category": "referral_conversion"})
    );
    assert_eq!(sent["conversation"]["origin"]["type"], "referral_conversion");
    world.receipt().await;
    let template = json!({"to": ANA, "type": "template",
        "template": {"name": "any", "language": {"code": "en"}}});
    world.post("/sim/clock", json!({"advance_ms": 71 * HOUR})).await;
    world.send(template.clone()).await;
    assert_eq!(world.receipt().await["pricing"]["type"], "free_entry_point");
    world.receipt().await;
    world.post("/sim/clock", json!({"advance_ms": HOUR})).await;
    world.send(template).await;
    let sent = world.receipt().await;
    assert_eq!(
        (&sent["pricing"]["type"], &sent["pricing"]["billable"]),
        (&json!("regular"), &json!(true))
    );
    assert!(sent.get("conversation").is_none());
}

#[tokio::test]
async fn what_is_sent_to_a_phone_out_of_reach_waits_and_is_dropped_in_the_end() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    let presence = format!("/sim/phones/{ANA}/presence");
    world.post(&presence, json!({"online": false})).await;
    let first = world.said("waits").await;
    assert_eq!(world.statuses(1).await, ["sent"]);
    let back = world.post(&presence, json!({"online": true})).await;
    assert_eq!(back["delivered"], 1);
    let receipt = world.receipt().await;
    assert_eq!((&receipt["status"], &receipt["id"]), (&json!("delivered"), &json!(first)));

    world.post(&presence, json!({"online": false})).await;
    world.said("too late").await;
    assert_eq!(world.statuses(1).await, ["sent"]);
    world.post("/sim/clock", json!({"advance_ms": 31 * 24 * HOUR})).await;
    assert_eq!(world.post(&presence, json!({"online": true})).await["delivered"], 0);
}
