//! Campaigns before they begin: what a dry run tells, and what then happens.

use serde_json::{Value, json};
use std::{process::Command, time::Duration};
use switchboard::simulator::{SimulatorConfig, templates_of};
use switchboard_tests::{
    server::binary,
    shop::text,
    stage::{ANN, HOUR, Line, Stage},
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
async fn plan(stage: &Stage, changes: &[(&str, &str)]) {
    let at = jiff::Timestamp::from_millisecond(stage.now() as i64 + 3_600_000).unwrap();
    let rules = std::fs::read_to_string(stage.shop.path("rules/promo.toml")).unwrap();
    let mut promo = RULES.replace("AT", &at.strftime("%FT%T").to_string());
    for (from, to) in changes {
        promo = promo.replace(from, to);
    }
    stage.shop.replace("rules/promo.toml", &format!("{rules}{promo}"));
    let planned = |turns: &Value| turns.to_string().contains("`sorry` is planned");
    stage.until("/api/v1/lanes/@main/turns", planned).await;
}

/// The campaign that has begun, as the API names it.
async fn begun(stage: &Stage) -> String {
    let any = |found: &Value| found["campaigns"][0]["id"].is_string();
    let found = stage.until("/api/v1/campaigns", any).await;
    found["campaigns"][0]["id"].as_str().unwrap().to_owned()
}

fn path_of(id: &str) -> String {
    format!("/api/v1/campaigns/{}", id.replace(':', "%3A"))
}

/// What a command says to programs.
fn json_of(stage: &Stage, arguments: &[&str]) -> Value {
    let said = campaign(stage, &[arguments, &["--json"]].concat()).unwrap();
    serde_json::from_str(&said).unwrap()
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

/// As many as were reached, once everything else has had its turn.
async fn reached(stage: &Stage, id: &str) -> u64 {
    let before = stage.saw(ANN).await.len();
    stage.says(ANN, "parking").await;
    stage.sees(ANN, before + 1).await;
    stage.server().admin_get(&path_of(id)).await["campaign"]["reached"].as_u64().unwrap()
}

async fn until_reached(stage: &Stage, id: &str, count: u64) {
    let so_many = |found: &Value| found["campaign"]["reached"] == count;
    stage.until(&path_of(id), so_many).await;
}

fn sum(tally: &Value) -> u64 {
    tally.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_then_happens() {
    let stage = shop(24).await;
    plan(&stage, &[]).await;
    let unknown = campaign(&stage, &["dry-run", "summer"]).unwrap_err();
    assert!(unknown.contains("no campaign `summer` is planned; there are `sorry`"), "{unknown}");

    let before = stage.get("/sim/sent?limit=10000").await["messages"].as_array().unwrap().len();
    let told = json_of(&stage, &["dry-run", "sorry"]);
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
    assert_eq!(json_of(&stage, &["dry-run", "sorry"]), told, "it changed what it looks at");

    stage.pass(Duration::from_secs(3_601)).await;
    let id = told["campaign"]["id"].as_str().unwrap();
    let path = path_of(id);
    let arrived = |found: &Value| found["funnel"]["delivered"] == told["recipients"];
    let found = stage.until(&path, arrived).await;
    let funnel = &found["funnel"];
    assert_eq!(funnel["audience"], told["audience"]);
    assert_eq!(funnel["left_out"], told["left_out"]);
    assert_eq!(funnel["charged"], told["cost"]);
    assert_eq!(funnel["unpriced"], told["unpriced"]);
    assert_eq!(sum(&funnel["failed"]) + sum(&funnel["queued"]) + sum(&funnel["refused"]), 0);
    for (name, count) in told["variants"].as_object().unwrap() {
        assert_eq!(found["variants"][name]["accepted"], *count, "{found:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_not_get_it_may_get_it_later() {
    let stage = shop(8).await;
    plan(&stage, &[("hold_out = 30", "hold_out = 0")]).await;
    // Spared for a day, be it said at once or later; and one that is no customer's.
    let told = [("error", 131_049, 1), ("failed", 131_049, 2), ("error", 131_026, 3)];
    for (kind, code, number) in told {
        stage.fault(json!({"kind": kind, "code": code, "phone": phone(number)})).await;
    }
    stage.pass(Duration::from_secs(3_601)).await;
    let id = begun(&stage).await;
    let settled = |found: &Value| {
        let funnel = &found["funnel"];
        sum(&funnel["failed"]) == 3 && funnel["delivered"] == 3
    };
    stage.until(&path_of(&id), settled).await;
    let done = json_of(&stage, &["resend", &id]);
    assert_eq!((&done["again"], &done["left"]), (&json!(2), &json!(1)));
    let again = campaign(&stage, &["resend", &id]).unwrap();
    assert!(again.contains("0 failed messages are tried again, 1 are not"), "{again}");
    let funnel = stage.server().admin_get(&path_of(&id)).await["funnel"].clone();
    assert_eq!((&funnel["queued"], sum(&funnel["failed"])), (&json!({"spared": 2}), 1), "{funnel}");
    assert_eq!(funnel["expected"], json!({"EUR": 0.1}), "{funnel}");
    stage.pass(Duration::from_secs(25 * 3_600)).await;
    let arrived = |found: &Value| found["funnel"]["delivered"] == 5;
    stage.until(&path_of(&id), arrived).await;
    for number in 0..8 {
        let chat = stage.arrived(&phone(number)).await;
        let count = chat.iter().filter(|one| one["kind"] == "template").count();
        // Who stopped marketing gets none: the first and the sixth.
        let expected = usize::from(number % 5 != 0 && number != 3);
        assert_eq!(count, expected, "{number}: {chat:#?}");
    }
    let members = campaign(&stage, &["members", &id, "--state", "failed"]).unwrap();
    assert_eq!(members.lines().count(), 1, "{members}");
    assert!(members.contains("(131026)"), "{members}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_an_hour_paused_resumed_and_stopped() {
    let stage = shop(6).await;
    let tagger = std::fs::read_to_string(stage.shop.path("rules/tagger.toml")).unwrap();
    let tagger = format!("{tagger}\n[[tag]]\nname = \"bought\"\nany = [\"bought\"]\n");
    stage.shop.replace("rules/tagger.toml", &tagger);
    let terms = "hold_out = 0\nper_hour = 1\nconverted = { tag = \"bought\", within = \"2 days\" }";
    plan(&stage, &[("hold_out = 30", terms)]).await;
    // The first and the sixth of seven get nothing, nor does the last.
    let told = json_of(&stage, &["dry-run", "sorry"]);
    let moment = |key: &str| told[key].as_u64().unwrap();
    assert_eq!(moment("last_leaves_at") - moment("first_leaves_at"), 3 * 3_600_000, "{told:#}");

    stage.pass(Duration::from_secs(3_601)).await;
    let id = begun(&stage).await;
    until_reached(&stage, &id, 1).await;
    assert_eq!(json_of(&stage, &["pause", &id])["state"], "paused");
    stage.pass(3 * HOUR).await;
    assert_eq!(reached(&stage, &id).await, 1, "it is paused");
    assert_eq!(json_of(&stage, &["resume", &id])["state"], "running");
    until_reached(&stage, &id, 2).await;
    assert_eq!(reached(&stage, &id).await, 2, "the pause is not made up for");
    stage.pass(HOUR).await;
    until_reached(&stage, &id, 3).await;
    let arrived = |found: &Value| found["funnel"]["delivered"] == 2;
    stage.until(&path_of(&id), arrived).await;
    stage.says(&phone(1), "I bought it").await;
    let converted = |found: &Value| found["funnel"]["converted"] == 1;
    stage.until(&path_of(&id), converted).await;
    let words = campaign(&stage, &["show", &id]).unwrap();
    assert!(words.contains("1  reached the goal"), "{words}");

    assert_eq!(json_of(&stage, &["stop", &id])["state"], "stopped");
    stage.pass(3 * HOUR).await;
    assert_eq!(reached(&stage, &id).await, 3);
    for command in ["resume", "resend"] {
        let refused = campaign(&stage, &[command, &id]).unwrap_err();
        assert!(refused.contains("was stopped"), "{command}: {refused}");
    }
    let list = campaign(&stage, &["list"]).unwrap();
    assert!(list.contains(&format!("{id}  stopped, reached 3")), "{list}");
    let members = json_of(&stage, &["members", &id]);
    let states: Vec<_> =
        members["members"].as_array().unwrap().iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["left-out", "delivered", "delivered"]);
}
