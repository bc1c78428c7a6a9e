//! Tags that nobody's message sets: an operator's, and those of rules that came
//! after the contact did.

use super::PARKING;
use serde_json::{Value, json};
use switchboard_tests::{
    client,
    shop::{Shop, TAGGER},
    stage::{ANN, DAY, Line, Stage},
};

const CALL_BACK: &str = r#"
[[tag]]
name = "call-back"
has = ["vip", "complaint"]
only_while = true
"#;

async fn tags_of(stage: &Stage, phone: &str) -> String {
    let contact = stage.contact(phone).await;
    format!("/api/v1/contacts/{}/tags", contact["contact"]["id"].as_str().unwrap())
}

fn names(seen: &Value) -> Vec<&str> {
    let tags = seen["tags"].as_array().unwrap();
    tags.iter().map(|tag| tag["name"].as_str().unwrap()).collect()
}

/// The status and what was said.
async fn put(stage: &Stage, path: &str, body: Value) -> (u16, String) {
    let url = format!("{}{path}", stage.server().admin);
    let answer = client().put(url).body(body.to_string()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn delete(stage: &Stage, path: &str) -> u16 {
    let url = format!("{}{path}", stage.server().admin);
    client().delete(url).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_tags_and_the_rules_settle_in_the_same_turn() {
    let rules = |shop: &Shop| shop.write("rules/tagger.toml", &format!("{TAGGER}{CALL_BACK}"));
    let stage = Stage::with(|_| {}, rules).await;
    stage.says(ANN, "terrible parking").await;
    stage.sees(ANN, 1).await;
    let path = tags_of(&stage, ANN).await;
    let vip = format!("{path}/vip");

    let until = stage.now() + 7 * DAY.as_millis() as u64;
    let body = json!({"why": "paid in advance", "expires": until});
    assert_eq!(put(&stage, &vip, body).await.0, 202);
    let seen = stage.until(&path, |seen| names(seen).contains(&"vip")).await;
    assert_eq!(names(&seen), ["call-back", "complaint", "vip"], "settled at once");
    let tag = &seen["tags"][2];
    assert_eq!((&tag["by"], &tag["why"]), (&json!("operator"), &json!("paid in advance")));
    assert_eq!(tag["expires"], until);
    let changes = [&seen["history"][0], &seen["history"][1]];
    let of =
        |at: usize| (changes[at]["name"].as_str().unwrap(), changes[at]["by"].as_str().unwrap());
    assert_eq!((of(0), of(1)), (("call-back", "tagger"), ("vip", "operator")));
    let turn = stage.contact(ANN).await["turns"][0].clone();
    assert_eq!(turn["event"], "operator");
    assert!(turn.to_string().contains("tagged `vip` by operator: paid in advance"), "{turn}");

    assert_eq!(delete(&stage, &format!("{vip}?why=a%20mistake")).await, 202);
    let seen = stage.until(&path, |seen| names(seen) == ["complaint"]).await;
    let removed = seen["history"].as_array().unwrap().iter().find(|it| it["name"] == "vip");
    assert_eq!(
        (&removed.unwrap()["change"], &removed.unwrap()["why"]),
        (&json!("removed"), &json!("a mistake"))
    );
    assert_eq!(delete(&stage, &vip).await, 404);

    for (place, body, words) in [
        (&vip, json!({"until": 1}), "expected one of `why`, `expires_days`, `expires`"),
        (&vip, json!({"expires": 1}), "`expires` has passed"),
        (&vip, json!({"expires_days": 0}), "from 1 to 3650"),
        (&vip, json!({"expires_days": 1, "expires": until}), "either"),
        (&format!("{path}/{}", "x".repeat(65)), json!({}), "65 bytes, and 64 are allowed"),
        (&format!("{path}/%09"), json!({}), "without control characters"),
    ] {
        let (status, said) = put(&stage, place, body).await;
        assert!(status == 400 && said.contains(words), "{status} {said}");
    }
    assert_eq!(put(&stage, "/api/v1/contacts/c999/tags/vip", json!({})).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_finds_those_who_were_silent_before_it_came() {
    let stage = Stage::at(9, Line::Meta, |_| {}, |_| {}).await;
    stage.says(ANN, "parking").await;
    assert_eq!(stage.sees(ANN, 1).await, [PARKING]);
    stage.pass(10 * DAY).await;
    // Only now the owner thinks of it; Ann does not write any more.
    let silent = format!("{TAGGER}\n[[tag]]\nname = \"inactive\"\nsilent_days = 30\n");
    stage.shop.replace("rules/tagger.toml", &silent);
    let swept = |seen: &Value| seen["turns"][0]["event"] == "broadcast";
    stage.until(&format!("/api/v1/contacts/lookup?phone={ANN}"), swept).await;
    let path = tags_of(&stage, ANN).await;
    stage.pass(19 * DAY).await;
    assert_eq!(names(&stage.server().admin_get(&path).await), [""; 0]);
    stage.pass(DAY).await;
    let seen = stage.until(&path, |seen| names(seen) == ["inactive"]).await;
    assert_eq!(seen["tags"][0]["why"], "+ inactive: no message for 30 days");
    assert_eq!(stage.saw(ANN).await, [PARKING], "she hears nothing of it");
}
