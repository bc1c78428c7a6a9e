//! What `switchboard doctor` says of a channel that does not work, beside a
//! WhatsApp in which one thing is wrong.

use super::PARKING;
use serde_json::{Value, json};
use switchboard_tests::{
    server::switchboard,
    shop::{NUMBER_ID, Shop, VERIFY, text},
    stage::{BEN, Line, Stage},
};

/// A shop that says where the world reaches it, and whose its number is.
async fn open(line: Line) -> Stage {
    let settings = |shop: &Shop| {
        let toml = std::fs::read_to_string(shop.path("switchboard.toml")).unwrap();
        let public = toml.lines().find_map(|line| line.strip_prefix("public = \"")).unwrap();
        let more = format!(
            "business_account_id = \"1020\"\npublic_url = \"http://{}\"\nphone_number_id",
            public.trim_end_matches('"')
        );
        // What Meta takes before it raises a number's throughput.
        let toml = toml.replace("messages_per_second = 1000", "messages_per_second = 80");
        let toml = match line {
            Line::Meta => toml.replace("phone_number_id", &more),
            Line::Twilio => toml,
        };
        shop.write("switchboard.toml", &toml);
    };
    Stage::on(line, |_| {}, settings).await
}

/// How the doctor ended, and its one channel's findings.
struct Told {
    code: Option<i32>,
    findings: Vec<Value>,
}

impl Told {
    fn of(&self, check: &str) -> &Value {
        self.findings.iter().find(|one| one["check"] == check).unwrap()
    }

    /// Each that is not good: the check, what was found, what to do.
    fn wrong(&self) -> Vec<[&str; 3]> {
        let wrong = self.findings.iter().filter(|one| one["state"] == "bad");
        wrong.map(|one| ["check", "said", "todo"].map(|name| one[name].as_str().unwrap())).collect()
    }
}

async fn doctor(shop: &Shop, more: &[&str]) -> Told {
    let arguments: Vec<String> = ["doctor", text(&shop.folder), "--json"]
        .iter()
        .chain(more)
        .map(|&word| word.to_owned())
        .collect();
    let run = move || switchboard(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["channels"][0]["findings"].as_array().unwrap().clone();
    Told { code: output.status.code(), findings }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_works_is_well() {
    for line in Line::BOTH {
        let stage = open(line).await;
        let told = doctor(&stage.shop, &[]).await;
        assert_eq!(told.code, Some(0), "{line:?}: {:#?}", told.wrong());
        assert_eq!(told.of("webhook")["state"], "good", "{line:?}: {:?}", told.findings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_comes_in_since_the_app_is_not_subscribed() {
    let stage = open(Line::Meta).await;
    stage.post("/sim/account", json!({"subscribed": false})).await;
    stage.says(BEN, "parking").await;
    let told = doctor(&stage.shop, &[]).await;
    assert_eq!(told.code, Some(1));
    let [[check, said, todo]] = told.wrong()[..] else { panic!("{:#?}", told.wrong()) };
    assert_eq!(check, "subscription");
    assert!(said.contains("none arrives") && todo.contains("doctor --fix"), "{said} {todo}");
    assert_eq!(stage.get("/sim/state").await["counts"]["webhooks_not_subscribed"], 1);
    // What Meta never sent is lost; what is written from now on is answered.
    let told = doctor(&stage.shop, &["--fix"]).await;
    assert_eq!(told.code, Some(0), "{:#?}", told.wrong());
    stage.says(BEN, "parking").await;
    assert_eq!(stage.sees(BEN, 1).await, [PARKING]);
    assert_eq!(stage.contact(BEN).await["contact"]["message_count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_account_is_said_with_what_to_do() {
    let stage = open(Line::Meta).await;
    for (change, back, check, words, todo) in [
        (
            json!({"quality": "RED"}),
            json!({"quality": "GREEN"}),
            "quality",
            "low",
            "write to fewer people",
        ),
        (
            json!({"scopes": ["whatsapp_business_management"]}),
            json!({"scopes": ["whatsapp_business_management", "whatsapp_business_messaging"]}),
            "rights",
            "may not send messages",
            "make a token with `whatsapp_business_messaging`",
        ),
        (
            json!({"display_name": "declined"}),
            json!({"display_name": "approved"}),
            "name",
            "declined",
            "choose another",
        ),
    ] {
        stage.post("/sim/account", change).await;
        let told = doctor(&stage.shop, &[]).await;
        let [[found, said, advice]] = told.wrong()[..] else { panic!("{:#?}", told.wrong()) };
        assert_eq!((found, told.code), (check, Some(1)));
        assert!(said.contains(words) && advice.contains(todo), "{said}: {advice}");
        stage.post("/sim/account", back).await;
    }
    assert_eq!(doctor(&stage.shop, &[]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_rights_says_so_to_the_operator_and_to_the_doctor() {
    let stage = open(Line::Meta).await;
    stage.post("/sim/account", json!({"scopes": []})).await;
    stage.says(BEN, "parking").await;
    let paused = |ready: &Value| ready["paused"].as_array().is_some_and(|all| !all.is_empty());
    stage.until("/readyz", paused).await;
    let reason = stage.until_paused().await;
    assert!(reason.contains("permission") && reason.contains("200"), "{reason}");
    let told = doctor(&stage.shop, &[]).await;
    let rights: Vec<_> =
        told.wrong().iter().filter(|[check, ..]| *check == "rights").copied().collect();
    assert_eq!((rights.len(), told.code), (2, Some(1)), "{:#?}", told.wrong());
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_that_can_not_be_sent_are_named() {
    let stage = open(Line::Meta).await;
    for (name, status) in [("hello", "APPROVED"), ("spring_sale", "APPROVED"), ("old", "REJECTED")]
    {
        let template = json!({
            "name": name, "language": "en", "category": "MARKETING", "status": status,
            "components": [{"type": "BODY", "text": "Come again!"}],
        });
        stage.post("/sim/templates", template).await;
    }
    let told = doctor(&stage.shop, &[]).await;
    let found = told.of("templates");
    assert_eq!((&found["state"], told.code), (&json!("unknown"), Some(0)), "{found}");
    assert_eq!(found["said"], "2 approved, 1 rejected: old (en)");
    assert!(found["todo"].as_str().unwrap().contains("edit or delete it"), "{found}");
    stage.patch("/sim/templates/spring_sale/en", json!({"status": "PAUSED"})).await;
    let told = doctor(&stage.shop, &[]).await;
    let found = told.of("templates");
    assert_eq!((&found["state"], told.code), (&json!("bad"), Some(1)), "{found}");
    assert_eq!(found["said"], "1 approved, 1 paused: spring_sale (en), 1 rejected: old (en)");
    assert!(found["todo"].as_str().unwrap().contains("write to fewer people"), "{found}");
}

/// The same channel with one thing in its settings changed.
fn changed(stage: &Stage, from: &str, to: &str) -> Shop {
    let toml = std::fs::read_to_string(stage.shop.path("switchboard.toml")).unwrap();
    assert!(toml.contains(from), "{from}");
    let other = Shop::new("http://127.0.0.1:9");
    other.write("switchboard.toml", &toml.replace(from, to));
    other
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_is_elsewhere_or_knows_another_verify_token() {
    let stage = open(Line::Meta).await;
    let other = changed(&stage, &format!("\"{VERIFY}\""), "\"another\"");
    let told = doctor(&other, &[]).await;
    let [[check, said, todo]] = told.wrong()[..] else { panic!("{:#?}", told.wrong()) };
    assert_eq!((check, told.code), ("webhook", Some(1)));
    assert!(said.contains("verify token") && todo.contains("`verify_token`"), "{said} {todo}");
    for line in Line::BOTH {
        let stage = open(line).await;
        // Nobody listens there.
        let url = "public_url = \"http://";
        let other = changed(&stage, url, "public_url = \"http://127.0.0.1:9\" # ");
        let told = doctor(&other, &[]).await;
        assert_eq!(told.code, Some(1));
        let address = if line == Line::Meta { "address" } else { "number" };
        let checks: Vec<_> = told.wrong().iter().map(|[check, ..]| *check).collect();
        assert_eq!(checks, [address, "webhook"], "{line:?}: {:#?}", told.wrong());
        let [.., [_, said, todo]] = told.wrong()[..] else { panic!() };
        assert!(said.contains("no answer") && todo.contains("`switchboard serve`"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_is_of_another_account() {
    let stage = open(Line::Meta).await;
    let number = format!("phone_number_id = \"{NUMBER_ID}\"");
    let other = changed(&stage, &number, "phone_number_id = \"4711\"");
    let told = doctor(&other, &[]).await;
    assert_eq!(told.code, Some(1));
    let checks: Vec<_> = told.wrong().iter().map(|[check, ..]| *check).collect();
    assert_eq!(checks, ["number", "account"], "{:#?}", told.wrong());
}

#[tokio::test(flavor = "multi_thread")]
async fn twilios_token_is_wrong() {
    let stage = open(Line::Twilio).await;
    let told = doctor(&changed(&stage, "test-auth-token", "mistyped"), &[]).await;
    let [[check, said, todo]] = told.wrong()[..] else { panic!("{:#?}", told.wrong()) };
    assert_eq!((check, told.code), ("account", Some(1)));
    assert!(said.contains("20003") && todo.contains("`auth_token`"), "{said} {todo}");
    // Replaced in the console while the shop goes on with the old one.
    stage.says(BEN, "parking").await;
    assert_eq!(stage.sees(BEN, 1).await, [PARKING]);
    stage.post("/sim/account", json!({"token": "expired"})).await;
    stage.says(BEN, "parking").await;
    let paused = |ready: &Value| ready["paused"].as_array().is_some_and(|all| !all.is_empty());
    stage.until("/readyz", paused).await;
    assert_eq!(doctor(&stage.shop, &[]).await.code, Some(1));
    assert_eq!(stage.saw(BEN).await, [PARKING], "the customer sees nothing of it");
}
