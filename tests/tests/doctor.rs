//! `switchboard doctor` beside a Meta and a Twilio of which one thing after the
//! other is broken.

#[path = "doctor/stage.rs"]
mod stage;

use serde_json::json;
use stage::{ACCOUNT, SERVICE, SID, Stage, World, refusal};
use switchboard_tests::shop::{NUMBER_ID, TOKEN};

type Break = Box<dyn FnOnce(&mut World)>;

fn broken(change: impl FnOnce(&mut World) + 'static) -> Break {
    Box::new(change)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_well_is_told_so() {
    let stage = Stage::start().await;
    let told = stage.told(&[]).await;
    assert_eq!(told.code, Some(0));
    let words: Vec<String> = told
        .findings
        .iter()
        .map(|(check, (state, said))| format!("{state} {check}: {said}"))
        .collect();
    let words = words.join("\n").replace(&stage.base, "BASE");
    insta::assert_snapshot!("doctor_of_a_well_channel", words);
    let (code, printed) = stage.printed(&[]).await;
    assert_eq!(code, Some(0));
    assert!(printed.starts_with("main (meta)\n  ✓ version: v26.0"), "{printed}");
    assert!(printed.ends_with("ok: nothing is wrong, 0 could not be told\n"), "{printed}");
}

/// A break with the check that tells of it, how, and a word of it.
type Broken = (Break, &'static str, &'static str, &'static str);

fn of_the_token() -> Vec<Broken> {
    let token = |pointer: &'static str, value: serde_json::Value| {
        broken(move |world| world.set("debug_token", pointer, value))
    };
    let soon = switchboard_tests::now_seconds() + 5 * 3_600 + 600;
    vec![
        (token("/data/is_valid", json!(false)), "token", "bad", "taken back"),
        (token("/data/expires_at", json!(1)), "token", "bad", "ended on 1970-01-01"),
        (token("/data/expires_at", json!(soon)), "token", "bad", "ends in 5 hours"),
        (token("/data/expires_at", json!(4_000_000_000_u64)), "token", "good", "until 2096"),
        (
            token("/data/scopes", json!(["whatsapp_business_messaging"])),
            "rights",
            "bad",
            "whatsapp_business_management",
        ),
        (
            broken(|world| {
                let words = format!("Malformed access token {TOKEN}");
                world.answer("debug_token", 400, refusal(190, &words));
            }),
            "token",
            "bad",
            "Malformed access token …",
        ),
        (
            broken(|world| world.answer("debug_token", 400, refusal(100, "not for this token"))),
            "token",
            "good",
            "Meta does not say",
        ),
        (
            broken(|world| {
                world.answer("debug_token", 400, refusal(100, "not for this token"));
                world.answer("me", 401, refusal(190, "Session has expired"));
            }),
            "token",
            "bad",
            "Session has expired",
        ),
        (
            broken(|world| world.date = Some("Sat, 01 Jan 2022 00:00:00 GMT")),
            "clock",
            "bad",
            "seconds off",
        ),
    ]
}

fn many_paused() -> serde_json::Value {
    let one = |number: u32| {
        let name = format!("a{number}");
        json!({"name": name, "language": "en", "status": "PAUSED"})
    };
    json!({"data": (0..7).map(one).collect::<Vec<_>>()})
}

fn of_the_number_and_the_account() -> Vec<Broken> {
    let number = |pointer: &'static str, value: serde_json::Value| {
        broken(move |world| world.set(NUMBER_ID, pointer, value))
    };
    let of_account = |list: &str, status: u16, body: serde_json::Value| {
        let path = format!("{ACCOUNT}/{list}");
        broken(move |world| world.answer(&path, status, body))
    };
    let denied = || refusal(200, "Permissions error");
    vec![
        (
            broken(|world| world.answer(NUMBER_ID, 400, refusal(33, "does not exist"))),
            "number",
            "bad",
            "refused: 33",
        ),
        (
            broken(|world| world.answer("old", 200, json!({}))),
            "number",
            "good",
            "+1 555-000-1111, Shop",
        ),
        (number("/quality_rating", json!("RED")), "quality", "bad", "low"),
        (number("/name_status", json!("DECLINED")), "name", "bad", "declined"),
        (
            number("/code_verification_status", json!("NOT_VERIFIED")),
            "verification",
            "bad",
            "not verified",
        ),
        (
            number("/webhook_configuration/application", json!("https://old.example/hook")),
            "address",
            "bad",
            "https://old.example/hook",
        ),
        (of_account("phone_numbers", 200, json!({"data": []})), "account", "bad", "none of them"),
        (of_account("phone_numbers", 403, denied()), "account", "bad", "refused: 200"),
        (broken(|world| world.subscribed = false), "subscription", "bad", "none arrives"),
        (
            broken(|world| world.answer("subscribed_apps", 403, refusal(10, "No"))),
            "subscription",
            "bad",
            "refused: 10",
        ),
        (of_account("message_templates", 403, denied()), "templates", "bad", "refused: 200"),
        (of_account("message_templates", 200, json!({"data": []})), "templates", "good", "none"),
        (
            of_account("message_templates", 200, many_paused()),
            "templates",
            "bad",
            "7 paused: a0 (en), a1 (en), a2 (en), a3 (en), a4 (en), …",
        ),
        (broken(|world| world.verify_token = "another"), "webhook", "bad", "verify token"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_broken_at_meta_is_named() {
    let stage = Stage::start().await;
    for (change, check, state, said) in
        of_the_token().into_iter().chain(of_the_number_and_the_account())
    {
        stage.world(change);
        let told = stage.told(&[]).await;
        let found = told.findings.get(check);
        let found = found.unwrap_or_else(|| panic!("{check}: {:?}", told.findings));
        assert_eq!(found.0, state, "{check}: {found:?}");
        assert!(found.1.contains(said), "{check}: {said}: {found:?}");
        assert_eq!(told.code, Some(i32::from(state == "bad")), "{check} {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_folder_says_wrong_is_named() {
    let stage = Stage::start().await;
    stage.world(|world| world.set(NUMBER_ID, "/throughput/level", json!("STANDARD")));
    stage.meta("messages_per_second = 200\n");
    assert_eq!(stage.told(&[]).await.findings["throughput"].0, "bad");
    // Nobody listens there.
    stage.meta("public_url = \"http://127.0.0.1:9\"\n");
    let told = stage.told(&[]).await;
    assert!(told.findings["webhook"].1.contains("no answer"), "{:?}", told.findings);
    assert_eq!(told.findings["address"].0, "bad");
    stage.world(|world| world.answer("debug_token", 400, refusal(190, "no")));
    let told = stage.told(&[]).await;
    assert_eq!(told.findings["subscription"].1, "not asked: the token does not work");
    assert_eq!(stage.asked(), ["debug_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_mended_if_that_is_wished() {
    let stage = Stage::start().await;
    stage.world(|world| world.subscribed = false);
    assert_eq!(stage.told(&[]).await.code, Some(1));
    assert!(!stage.asked().contains(&"POST subscribed_apps".to_owned()));
    let told = stage.told(&["--fix"]).await;
    assert_eq!(told.code, Some(0));
    assert!(told.findings["subscription"].1.starts_with("mended"), "{:?}", told.findings);
    assert!(stage.asked().contains(&"POST subscribed_apps".to_owned()));
    assert_eq!(stage.told(&[]).await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_broken_at_twilio_is_named() {
    let stage = Stage::start().await;
    let number = "number = \"+15550001111\"";
    let service = &*format!("messaging_service_sid = \"{SERVICE}\"");
    let account = format!("2010-04-01/Accounts/{SID}.json");
    let senders = "v2/Channels/Senders";
    let closed = account.clone();
    let cases: Vec<(&str, Break, &str, &str, &str)> = vec![
        (number, broken(|_| {}), "number", "good", "/webhooks/main"),
        (service, broken(|_| {}), "number", "good", "/webhooks/main"),
        (number, broken(|_| {}), "webhook", "good", "asks for a signature"),
        (
            number,
            broken(move |world| world.set(&closed, "/status", json!("suspended"))),
            "account",
            "bad",
            "suspended",
        ),
        (
            number,
            broken(move |world| world.answer(&account, 401, json!({"code": 20003}))),
            "account",
            "bad",
            "20003",
        ),
        (
            number,
            broken(move |world| {
                let hook = "/senders/0/webhook/callback_url";
                world.set(senders, hook, json!("https://old.example"));
            }),
            "number",
            "bad",
            "https://old.example",
        ),
        (
            number,
            broken(move |world| world.set(senders, "/senders", json!([]))),
            "number",
            "bad",
            "none of the account's senders",
        ),
        (
            number,
            broken(move |world| world.answer(senders, 404, json!({}))),
            "number",
            "unknown",
            "senders can't be read",
        ),
        ("number = \"+14155238886\"", broken(|_| {}), "number", "unknown", "sandbox"),
        (
            service,
            broken(|world| {
                world.set(&format!("v1/Services/{SERVICE}"), "/inbound_request_url", json!(""))
            }),
            "number",
            "bad",
            "nowhere",
        ),
    ];
    for (keys, change, check, state, said) in cases {
        stage.twilio(keys);
        stage.world(change);
        let told = stage.told(&[]).await;
        let found = &told.findings[check];
        assert!(found.0 == state && found.1.contains(said), "{check} {state} {said}: {found:?}");
        assert_eq!(told.code, Some(i32::from(state == "bad")), "{:?}", told.findings);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twilio_s_templates_are_counted() {
    let stage = Stage::start().await;
    stage.twilio("number = \"+15550001111\"");
    let templates = async || stage.told(&[]).await.findings["templates"].clone();
    let counted = "1 approved, 1 unsubmitted".to_owned();
    assert_eq!(templates().await, ("good".into(), counted));
    let paused = json!({"friendly_name": "sale", "language": "en",
        "approval_requests": {"status": "paused"}});
    stage.world(move |world| world.set("v1/ContentAndApprovals", "/contents/0", paused));
    let named = "1 paused: sale (en), 1 unsubmitted".to_owned();
    assert_eq!(templates().await, ("bad".into(), named));
    stage.world(|world| world.answer("v1/ContentAndApprovals", 401, json!({"code": 20003})));
    let (state, said) = templates().await;
    assert!(state == "bad" && said.contains("can't be read") && said.contains("20003"), "{said}");
}
