//! WhatsApp's limits of rate: the simulator keeps them as strictly, and is
//! never given a reason to refuse.

use super::{HOURS, PARKING};
use serde_json::{Value, json};
use std::time::Duration;
use switchboard::simulator::SimulatorConfig;
use switchboard_tests::{
    shop::Shop,
    stage::{BEN, Line, Stage},
};

/// What was refused, or failed, for want of patience.
async fn refused(stage: &Stage) -> Value {
    let sent = stage.get("/sim/sent?limit=10000").await;
    let failed: Vec<_> = sent["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["problem"]["code"].as_u64())
        .collect();
    let state = stage.get("/sim/state").await;
    json!({"at once": state["counts"]["refused"], "later": failed})
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_answers_to_one_customer_leave_in_order_and_none_too_soon() {
    for line in Line::BOTH {
        let stage = Stage::at(9, line, |_| {}, |_| {}).await;
        let mut wished = Vec::new();
        for number in 0..60 {
            let (ask, answer) = match number % 3 {
                0 => ("parking", PARKING),
                _ => ("when do you open?", HOURS),
            };
            stage.told(BEN, ask).await;
            wished.push(answer);
        }
        // A burst, and then one in six seconds.
        stage.sees(BEN, 45).await;
        for _ in 45..60 {
            stage.pass(Duration::from_secs(6)).await;
        }
        assert_eq!(stage.sees(BEN, 60).await, wished, "{line:?}");
        assert_eq!(refused(&stage).await, json!({"at once": {}, "later": []}), "{line:?}");
        let delivered = |lines: &[String]| lines.iter().all(|line| line == "delivered");
        stage.until_messages(BEN, delivered).await;
    }
}

/// Messages a second, fewer than most numbers may send: the limit bites.
const RATE: u32 = 50;
/// What WhatsApp takes: a little more, as on a busy machine some are longer on
/// their way than those of the next second.
const TAKEN: u32 = 60;

/// A shop of so many messages a second that answers only what it knows.
fn slow(shop: &Shop) {
    let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
    let rate = format!("messages_per_second = {RATE}");
    shop.write("switchboard.toml", &toml.replace("messages_per_second = 1000", &rate));
    let faq = std::fs::read_to_string(shop.path("rules/faq.toml")).unwrap();
    let silent = faq.replace("fallback = \"Sorry, I did not understand.\"", "");
    shop.write("rules/faq.toml", &silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_offers_keep_the_numbers_rate_and_an_answer_passes_them() {
    const PHONES: u64 = 300;
    let phone = |number: u64| (447_700_900_100 + number).to_string();
    let strict = |config: &mut SimulatorConfig| config.settings.messages_per_second = TAKEN;
    let stage = Stage::with(strict, slow).await;
    let mut hellos = Vec::new();
    for number in 0..PHONES {
        let name = format!("Customer {number}");
        stage.post("/sim/phones", json!({"name": name, "number": phone(number)})).await;
        hellos.push(json!({"phone": phone(number), "kind": "text", "body": "terrible"}));
    }
    stage.post("/sim/batch", Value::from(hellos)).await;
    let known = |contacts: &Value| contacts.to_string().matches("\"complaint\"").count() as u64;
    let all = |contacts: &Value| known(contacts) == PHONES;
    stage.until("/api/v1/contacts?limit=500", all).await;
    let keys = "template = \"we_are_sorry\"\nto = { all = [\"complaint\"] }";
    stage.promote("sorry", keys).await;
    until_sent(&stage, 60).await;
    stage.says(BEN, "parking").await;
    assert_eq!(stage.sees(BEN, 1).await, [PARKING]);
    until_sent(&stage, PHONES as usize + 1).await;
    // It did not wait for those that were due before it was asked for.
    let place = place_of_answer(&stage).await;
    assert!(place < PHONES as usize - 50, "the answer was number {place}");
    assert_eq!(refused(&stage).await, json!({"at once": {}, "later": []}));
}

async fn sent(stage: &Stage) -> usize {
    stage.get("/sim/sent?limit=1").await["total"].as_u64().unwrap() as usize
}

async fn until_sent(stage: &Stage, count: usize) {
    for _ in 0..1_500 {
        if sent(stage).await >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{count} were to be sent, and {} were", sent(stage).await);
}

/// After how many messages the one answer left.
async fn place_of_answer(stage: &Stage) -> usize {
    let sent = stage.get("/sim/sent?limit=10000").await;
    let sent = sent["messages"].as_array().unwrap();
    sent.iter().position(|one| one["kind"] == "text").unwrap()
}
