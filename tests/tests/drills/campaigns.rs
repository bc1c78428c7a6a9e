//! Campaigns that something happens to while they run.

use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use switchboard::simulator::{SimulatorConfig, templates_of};
use switchboard_tests::{shop::Shop, stage::Stage};

const PHONES: u64 = 24;

fn phone(number: u64) -> String {
    (447_700_900_100 + number).to_string()
}

/// A slow number of an account whose templates are known.
fn slow(shop: &Shop) {
    let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
    let toml = toml
        .replace("messages_per_second = 1000", "messages_per_second = 4")
        .replace("phone_number_id = ", "business_account_id = \"1020\"\nphone_number_id = ");
    shop.write("switchboard.toml", &toml);
}

/// A shop with so many customers who complained, and a campaign to them that
/// begins in a moment.
async fn campaign() -> Stage {
    const SORRY: &str = r#"[{"name": "we_are_sorry", "language": "en", "category": "MARKETING",
        "components": [{"type": "BODY", "text": "We are sorry. Come again!"}]}]"#;
    // There from the start: the account's list is read then, and not again soon.
    let known = |config: &mut SimulatorConfig| config.templates = templates_of(SORRY).unwrap();
    let stage = Stage::with(known, slow).await;
    for number in 0..PHONES {
        let name = format!("Customer {number}");
        stage.post("/sim/phones", json!({"name": name, "number": phone(number)})).await;
        stage.says(&phone(number), "terrible").await;
    }
    for number in 0..PHONES {
        stage.sees(&phone(number), 1).await;
    }
    let keys = "template = \"we_are_sorry\"\ncategory = \"marketing\"\n\
                to = { all = [\"complaint\"] }";
    stage.promote("sorry", keys).await;
    stage
}

/// How many templates each customer got.
async fn templates(stage: &Stage) -> BTreeMap<String, usize> {
    let sent = stage.get("/sim/sent?limit=10000").await;
    let mut got = BTreeMap::new();
    for message in sent["messages"].as_array().unwrap() {
        let arrived = matches!(message["status"].as_str(), Some("sent" | "delivered" | "read"));
        if message["kind"] == "template" && arrived {
            *got.entry(message["phone"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        }
    }
    got
}

async fn until_sent(stage: &Stage, count: usize) {
    for _ in 0..1_500 {
        if templates(stage).await.len() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let why = stage.contact(&phone(0)).await["turns"][0].clone();
    panic!("{count} were to get it, and {} did: {why:#}", templates(stage).await.len());
}

async fn decide(stage: &Stage, status: &str) {
    let decision = json!({"status": status, "reason": "low quality"});
    stage.patch("/sim/templates/we_are_sorry/en", decision).await;
    let wish = status.to_lowercase();
    let is = |list: &Value| list["templates"][0]["status"] == *wish;
    stage.until("/api/v1/templates", is).await;
}

/// The last message's state and reason, of each customer.
async fn last_lines(stage: &Stage) -> Vec<String> {
    let mut lines = Vec::new();
    for number in 0..PHONES {
        lines.extend(stage.messages(&phone(number)).await.pop());
    }
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_is_paused_in_the_middle_and_goes_on() {
    let stage = campaign().await;
    until_sent(&stage, 5).await;
    decide(&stage, "PAUSED").await;
    // What was on its way arrives; then no more do.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let paused_at = templates(&stage).await.len();
    assert!((5..PHONES as usize - 4).contains(&paused_at), "{paused_at}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(templates(&stage).await.len(), paused_at);
    // The operator reads what the rest waits for, and replies still go.
    let held = last_lines(&stage).await;
    let by_rule = |line: &&String| line.contains("is paused") && line.contains("(rule `template`)");
    let waits = held.iter().filter(by_rule);
    assert_eq!(waits.count(), PHONES as usize - paused_at, "{held:#?}");
    let before = stage.saw(&phone(20)).await.len();
    stage.says(&phone(20), "parking").await;
    let saw = stage.sees(&phone(20), before + 1).await;
    assert!(saw.last().unwrap().contains("car park"), "{saw:?}");
    decide(&stage, "APPROVED").await;
    until_sent(&stage, PHONES as usize).await;
    assert!(templates(&stage).await.values().all(|count| *count == 1), "each got it once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_is_disabled_in_the_middle_and_the_rest_is_given_up() {
    let stage = campaign().await;
    until_sent(&stage, 5).await;
    decide(&stage, "DISABLED").await;
    let given_up = async {
        loop {
            let lines = last_lines(&stage).await;
            if lines.iter().all(|line| !line.starts_with("waiting")) {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let lines = tokio::time::timeout(Duration::from_secs(30), given_up).await.unwrap();
    let sent = templates(&stage).await;
    let failed = lines.iter().filter(|line| line.starts_with("failed"));
    assert_eq!(failed.clone().count() + sent.len(), PHONES as usize, "{lines:#?}");
    assert!(failed.clone().count() > 4 && failed.clone().all(|line| line.contains("disabled")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_process_is_killed_in_the_middle_and_each_gets_it_once() {
    let mut stage = campaign().await;
    until_sent(&stage, 6).await;
    stage.kill_and_restart();
    until_sent(&stage, PHONES as usize).await;
    assert!(
        templates(&stage).await.values().all(|count| *count == 1),
        "{:?}",
        templates(&stage).await
    );
}
