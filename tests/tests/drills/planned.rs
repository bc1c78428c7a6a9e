//! Campaigns before they begin: what a dry run tells, and what then happens.

use serde_json::{Value, json};
use std::{process::Command, time::Duration};
use switchboard::simulator::{SimulatorConfig, templates_of};
use switchboard_tests::{
    server::binary,
    shop::text,
    stage::{Line, Stage},
};

/// Great Britain has a price, Germany has none.
const BUDGET: &str =
    "[budget]\ncurrency = \"EUR\"\n[budget.country.44]\nmarketing = 0.05\nutility = 0.01\n\n";
const RULES: &str = r#"
[[promo]]
id = "sorry"
template = "we_are_sorry"
language = "en"
parameters = ["{name}"]
to = { all = ["complaint"], none = ["friend"] }
at = "AT"
zone = "UTC"
hold_out = 30

[[promo.variant]]
name = "a"

[[promo.variant]]
name = "b"
"#;

fn phone(number: u64) -> String {
    match number % 4 {
        0 => (4_915_112_345_100 + number).to_string(),
        _ => (447_700_900_100 + number).to_string(),
    }
}

/// So many customers who complained; some of them want no marketing, and one is
/// in the United States.
async fn shop(phones: u64) -> Stage {
    const SORRY: &str = r#"[{"name": "we_are_sorry", "language": "en", "category": "MARKETING",
        "components": [{"type": "BODY", "text": "We are sorry, {{1}}. Come again!",
                        "example": {"body_text": [["Ann"]]}}]}]"#;
    let known = |config: &mut SimulatorConfig| config.templates = templates_of(SORRY).unwrap();
    let stage = Stage::at(9, Line::Meta, known, |shop| {
        let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
        let account = "business_account_id = \"1020\"\nphone_number_id = ";
        let toml = toml.replace("phone_number_id = ", account);
        shop.write("switchboard.toml", &format!("{BUDGET}{toml}"));
    });
    let stage = stage.await;
    for number in (0..phones).map(phone).chain(["12125550100".to_owned()]) {
        stage.post("/sim/phones", json!({"name": format!("N{number}"), "number": number})).await;
        stage.says(&number, "terrible").await;
        stage.sees(&number, 1).await;
    }
    for number in (0..phones).filter(|number| number % 5 == 0).map(phone) {
        stage.says(&number, "stop").await;
        stage.sees(&number, 2).await;
    }
    stage
}

/// Adds the promotion, an hour ahead, and waits until it is planned.
async fn plan(stage: &Stage) {
    let at = jiff::Timestamp::from_millisecond(stage.now() as i64 + 3_600_000).unwrap();
    let rules = std::fs::read_to_string(stage.shop.path("rules/promo.toml")).unwrap();
    let rules = format!("{rules}{}", RULES.replace("AT", &at.strftime("%FT%T").to_string()));
    stage.shop.replace("rules/promo.toml", &rules);
    let planned = |turns: &Value| turns.to_string().contains("`sorry` is planned");
    stage.until("/api/v1/lanes/@main/turns", planned).await;
}

/// What `switchboard campaign …` prints.
fn campaign(stage: &Stage, arguments: &[&str]) -> Result<String, String> {
    let (command, rest) = arguments.split_first().unwrap();
    let output = Command::new(binary())
        .env("SWITCHBOARD__HTTP__ADMIN", stage.server().admin.strip_prefix("http://").unwrap())
        .args(["campaign", command, text(&stage.shop.folder)])
        .args(rest)
        .output()
        .unwrap();
    let said = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(said(output.stdout)),
        false => Err(said(output.stderr)),
    }
}

fn sum(tally: &Value) -> u64 {
    tally.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_then_happens() {
    let stage = shop(24).await;
    plan(&stage).await;
    let unknown = campaign(&stage, &["dry-run", "summer"]).unwrap_err();
    assert!(unknown.contains("no campaign `summer` is planned; there are `sorry`"), "{unknown}");

    let before = stage.get("/sim/sent?limit=10000").await["messages"].as_array().unwrap().len();
    let told = campaign(&stage, &["dry-run", "sorry", "--json"]).unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["audience"], 25, "{told:#}");
    assert_eq!(told["left_out"]["the contact has stopped marketing messages"], 5, "{told:#}");
    let parts = sum(&told["left_out"]) + sum(&told["refused"]);
    assert_eq!(parts + told["recipients"].as_u64().unwrap(), 25, "{told:#}");
    assert_eq!(sum(&told["variants"]), told["recipients"].as_u64().unwrap());
    let words = campaign(&stage, &["dry-run", "sorry"]).unwrap();
    let lines =
        ["25  contacts in the segment", "would cost 0.", "no price in `[budget]` (+49 mark"];
    assert!(lines.iter().all(|line| words.contains(line)), "{words}");
    // Nothing was written and nothing left.
    assert_eq!(stage.server().admin_get("/api/v1/campaigns").await["campaigns"], json!([]));
    let after = stage.get("/sim/sent?limit=10000").await["messages"].as_array().unwrap().len();
    assert_eq!(before, after);
    let again: Value =
        serde_json::from_str(&campaign(&stage, &["dry-run", "sorry", "--json"]).unwrap()).unwrap();
    assert_eq!(again, told, "it changed what it looks at");

    stage.pass(Duration::from_secs(3_601)).await;
    let id = told["campaign"]["id"].as_str().unwrap();
    let path = format!("/api/v1/campaigns/{}", id.replace(':', "%3A"));
    let arrived = |found: &Value| found["funnel"]["delivered"] == told["recipients"];
    let found = stage.until(&path, arrived).await;
    let funnel = &found["funnel"];
    assert_eq!(funnel["audience"], told["audience"]);
    assert_eq!(funnel["left_out"], told["left_out"]);
    assert_eq!(funnel["charged"], told["cost"]);
    assert_eq!(sum(&funnel["failed"]) + sum(&funnel["queued"]) + sum(&funnel["refused"]), 0);
    for (name, count) in told["variants"].as_object().unwrap() {
        assert_eq!(found["variants"][name]["accepted"], *count, "{found:#}");
    }
}
