//! The simulator against a bot that is a few lines of axum: what it sends,
//! what it answers, and each fault it can make.

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use hmac::{Hmac, Mac as _};
use reqwest::Client;
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use switchboard::simulator::{self, NewPhone, Retry, Settings, SimulatorConfig};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

const SECRET: &str = "an app secret";
const TOKEN: &str = "an access token";
const ANA: &str = "16505551234";
/// A test that waits as long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

struct Post {
    raw: Vec<u8>,
    signature: String,
    value: Value,
}

#[derive(Clone)]
struct Bot {
    posts: mpsc::UnboundedSender<Post>,
    challenges: Arc<Mutex<Vec<HashMap<String, String>>>>,
    /// Webhooks that are still to be answered with 500.
    refuse: Arc<Mutex<u32>>,
}

async fn take(State(bot): State<Bot>, headers: HeaderMap, raw: Bytes) -> StatusCode {
    let envelope: Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(envelope["object"], "whatsapp_business_account");
    assert_eq!(envelope["entry"][0]["id"], "1020");
    let value = envelope["entry"][0]["changes"][0]["value"].clone();
    let signature = headers["x-hub-signature-256"].to_str().unwrap().to_owned();
    bot.posts.send(Post { raw: raw.to_vec(), signature, value }).unwrap();
    let mut refuse = bot.refuse.lock().unwrap();
    if *refuse > 0 {
        *refuse -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    StatusCode::OK
}

async fn verify(
    State(bot): State<Bot>,
    Query(asked): Query<HashMap<String, String>>,
) -> (StatusCode, String) {
    let status = match asked["hub.verify_token"] == "a verify token" {
        true => StatusCode::OK,
        false => StatusCode::FORBIDDEN,
    };
    let challenge = asked["hub.challenge"].clone();
    bot.challenges.lock().unwrap().push(asked);
    (status, challenge)
}

struct World {
    http: Client,
    base: String,
    bot: Bot,
    posts: mpsc::UnboundedReceiver<Post>,
    stop: watch::Sender<bool>,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let (sender, posts) = mpsc::unbounded_channel();
        let bot = Bot { posts: sender, challenges: Arc::default(), refuse: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook_url = format!("http://{}/webhook", listener.local_addr().unwrap());
        let routes = Router::new().route("/webhook", get(verify).post(take));
        tokio::spawn(axum::serve(listener, routes.with_state(bot.clone())).into_future());

        let mut config = SimulatorConfig {
            webhook_url,
            app_secret: SECRET.into(),
            verify_token: "a verify token".into(),
            access_token: TOKEN.into(),
            phones: vec![NewPhone {
                name: "Ana".into(),
                number: Some(ANA.into()),
                ..NewPhone::default()
            }],
            settings: Settings { sent_ms: 0, delivered_ms: 0, read_ms: 0, ..Settings::default() },
            retry: Retry { first_pause_ms: 1, longest_pause_ms: 4, attempts: 4 },
            ..SimulatorConfig::default()
        };
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move { simulator::run(config, listener, stopped).await.unwrap() });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { http, base, bot, posts, stop }
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(self.base.clone() + path).send().await.unwrap().json().await.unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(self.base.clone() + path).json(&body).send().await.unwrap();
        let status = answer.status();
        let body = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    async fn set(&self, changes: Value) {
        let url = self.base.clone() + "/sim/settings";
        let answer = self.http.patch(url).json(&changes).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The customer does something; returns the message's id.
    async fn act(&self, phone: &str, act: Value) -> String {
        let answer = self.post(&format!("/sim/phones/{phone}/send"), act).await;
        answer["id"].as_str().unwrap().to_owned()
    }

    /// The customer writes and the bot has it: the window is open.
    async fn hello(&mut self, phone: &str) -> String {
        let id = self.act(phone, json!({"kind": "text", "body": "hello"})).await;
        assert_eq!(self.message().await["id"], *id);
        id
    }

    /// The business sends: HTTP status and body.
    async fn send(&self, body: Value) -> (u16, Value) {
        let mut body = body;
        body["messaging_product"] = "whatsapp".into();
        let url = self.base.clone() + "/v26.0/1060/messages";
        let request = self.http.post(url).bearer_auth(TOKEN).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn say(&self, text: &str) -> (u16, Value) {
        self.send(json!({"to": ANA, "type": "text", "text": {"body": text}})).await
    }

    /// Said and accepted: the message's id.
    async fn said(&self, text: &str) -> String {
        let (status, body) = self.say(text).await;
        assert_eq!(status, 200, "{body}");
        body["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn next(&mut self) -> Post {
        tokio::time::timeout(PATIENCE, self.posts.recv()).await.expect("no webhook").unwrap()
    }

    async fn message(&mut self) -> Value {
        let value = self.next().await.value;
        assert!(value["messages"].is_array(), "{value}");
        value["messages"][0].clone()
    }

    async fn receipt(&mut self) -> Value {
        let value = self.next().await.value;
        assert!(value["statuses"].is_array(), "{value}");
        value["statuses"][0].clone()
    }

    /// The statuses of the next receipts.
    async fn statuses(&mut self, count: usize) -> Vec<String> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(self.receipt().await["status"].as_str().unwrap().to_owned());
        }
        statuses
    }

    /// That no webhook is under way: a message sent now is the next one.
    async fn nothing_more(&mut self) {
        self.hello(ANA).await;
    }

    /// Asks until the answer is as wished.
    async fn until(&self, path: &str, wish: impl Fn(&Value) -> bool) -> Value {
        let ask = async {
            loop {
                let answer = self.get(path).await;
                if wish(&answer) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ask).await.expect("never as wished")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

fn code(answer: &(u16, Value)) -> (u16, u64) {
    (answer.0, answer.1["error"]["code"].as_u64().unwrap_or(0))
}

#[tokio::test]
async fn webhooks_are_signed_over_the_escaped_bytes() {
    let mut world = World::new().await;
    let text = "Grüße 😀 https://x.test/a?b=1";
    world.act(ANA, json!({"kind": "text", "body": text})).await;
    let post = world.next().await;
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&post.raw);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(post.signature, expected);
    assert!(post.raw.is_ascii());
    let raw = String::from_utf8(post.raw).unwrap();
    assert!(raw.contains(r"Gr\u00fc\u00dfe \ud83d\ude00 https:\/\/x.test\/a?b=1"), "{raw}");
    assert_eq!(post.value["messages"][0]["text"]["body"], text);
}

#[tokio::test]
async fn the_webhook_is_verified_at_the_start_and_on_demand() {
    let world = World::new().await;
    let state = world.until("/sim/state", |state| state["verification"].is_object()).await;
    assert_eq!(state["verification"]["ok"], true, "{state}");
    let asked = world.bot.challenges.lock().unwrap()[0].clone();
    assert_eq!(asked["hub.mode"], "subscribe");
    assert_eq!(asked["hub.verify_token"], "a verify token");

    let world = World::with(|config| config.verify_token = "another".into()).await;
    let verification = world.post("/sim/verify", json!({})).await;
    assert_eq!(verification["ok"], false);
    assert!(verification["details"].as_str().unwrap().contains("403"), "{verification}");
}

#[tokio::test]
async fn a_message_is_answered_and_the_receipts_follow_in_order() {
    let mut world = World::new().await;
    let wamid = world.act(ANA, json!({"kind": "text", "body": "hi"})).await;
    let value = world.next().await.value;
    assert_eq!(
        value["metadata"],
        json!({"display_phone_number": "15550001060", "phone_number_id": "1060"})
    );
    let contact = &value["contacts"][0];
    assert_eq!(contact["profile"], json!({"name": "Ana"}));
    assert_eq!(contact["wa_id"], ANA);
    let message = &value["messages"][0];
    assert_eq!(message["from"], ANA);
    assert_eq!(message["from_user_id"], contact["user_id"]);
    assert_eq!(message["id"], *wamid);
    assert_eq!(message["type"], "text");
    assert!(message["timestamp"].as_str().unwrap().parse::<u64>().unwrap() > 1_700_000_000);

    let send = json!({"to": "+1 650 555 1234", "type": "text", "text": {"body": "hello"},
        "biz_opaque_callback_data": "our id", "context": {"message_id": wamid}});
    let (status, body) = world.send(send).await;
    assert_eq!(status, 200);
    assert_eq!(body["messaging_product"], "whatsapp");
    assert_eq!(body["contacts"][0]["input"], "+1 650 555 1234");
    assert_eq!(body["contacts"][0]["wa_id"], ANA);
    let id = body["messages"][0]["id"].clone();
    assert!(id.as_str().unwrap().starts_with("wamid."));

    for status in ["sent", "delivered"] {
        let value = world.next().await.value;
        let receipt = &value["statuses"][0];
        assert_eq!(receipt["status"], status);
        assert_eq!(receipt["id"], id);
        assert_eq!(receipt["recipient_id"], ANA);
        assert_eq!(receipt["recipient_user_id"], contact["user_id"]);
        assert_eq!(receipt["biz_opaque_callback_data"], "our id");
        assert_eq!(receipt["pricing"]["category"], "service");
        assert_eq!(value["contacts"][0]["wa_id"], ANA);
    }
    let phone = world.get(&format!("/sim/phones/{ANA}")).await;
    assert_eq!(phone["unread"], 1);
    world.post(&format!("/sim/phones/{ANA}/read"), json!({})).await;
    let read = world.receipt().await;
    assert_eq!((&read["status"], &read["id"]), (&json!("read"), &id));
    assert!(read.get("pricing").is_none());

    let history = world.get(&format!("/sim/phones/{ANA}/messages")).await;
    assert_eq!(history["phone"]["unread"], 0);
    assert_eq!(history["messages"][0]["content"]["body"], "hi");
    assert_eq!(history["messages"][1]["content"]["body"], "hello");
    assert_eq!(history["messages"][1]["status"], "read");
    let sent = world.get("/sim/sent").await;
    assert_eq!(sent["total"], 1);
    assert_eq!(sent["messages"][0]["opaque"], "our id");
    assert_eq!(sent["messages"][0]["phone"], ANA);
}

#[tokio::test]
async fn phones_read_by_themselves_if_told_to() {
    let mut world = World::with(|config| config.settings.auto_read = true).await;
    world.hello(ANA).await;
    world.said("a").await;
    assert_eq!(world.statuses(3).await, ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn read_marks_and_typing_show() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    let wamid = world.hello(ANA).await;
    let mark = json!({"status": "read", "message_id": wamid, "typing_indicator": {"type": "text"}});
    assert_eq!(world.send(mark).await, (200, json!({"success": true})));
    let history = world.get(&format!("/sim/phones/{ANA}/messages")).await;
    assert_eq!(history["messages"][0]["status"], "read", "earlier ones too");
    assert_eq!(history["messages"][1]["status"], "read");
    assert!(history["phone"]["typing_until"].as_u64().unwrap() > 0);
    world.said("here").await;
    let phone = world.get(&format!("/sim/phones/{ANA}")).await;
    assert_eq!(phone["typing_until"], 0, "an answer ends it");
    let mark = json!({"status": "read", "message_id": "wamid.nobody"});
    assert_eq!(code(&world.send(mark).await), (400, 131009));
}

#[tokio::test]
async fn buttons_rows_and_quick_replies_can_be_tapped() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.set(json!({"receipts": {"drop": true}})).await;
    let buttons = json!({"to": ANA, "type": "interactive", "interactive": {"type": "button",
        "body": {"text": "Sure?"}, "action": {"buttons": [
            {"type": "reply", "reply": {"id": "yes", "title": "Yes, please"}}]}}});
    let id = world.send(buttons).await.1["messages"][0]["id"].as_str().unwrap().to_owned();
    world.act(ANA, json!({"kind": "tap", "message": id, "id": "yes"})).await;
    let tap = world.message().await;
    assert_eq!(tap["type"], "interactive");
    assert_eq!(
        tap["interactive"],
        json!({"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes, please"}})
    );
    assert_eq!(tap["context"], json!({"from": "15550001060", "id": id}));

    let list = json!({"to": ANA, "type": "interactive", "interactive": {"type": "list",
        "body": {"text": "Which?"}, "action": {"button": "Choose", "sections": [{"rows": [
            {"id": "r1", "title": "One", "description": "the first"}]}]}}});
    let id = world.send(list).await.1["messages"][0]["id"].as_str().unwrap().to_owned();
    world.act(ANA, json!({"kind": "tap", "message": id, "id": "r1"})).await;
    assert_eq!(
        world.message().await["interactive"]["list_reply"],
        json!({"id": "r1", "title": "One", "description": "the first"})
    );

    let template = json!({"to": ANA, "type": "template", "template": {"name": "sale",
        "language": {"code": "en"}, "components": [{"type": "button", "index": "0",
            "sub_type": "quick_reply", "parameters": [{"type": "payload", "payload": "more"}]}]}});
    let id = world.send(template).await.1["messages"][0]["id"].as_str().unwrap().to_owned();
    world.act(ANA, json!({"kind": "tap", "message": id, "id": "more"})).await;
    let tap = world.message().await;
    assert_eq!((&tap["type"], &tap["button"]["payload"]), (&json!("button"), &json!("more")));

    let url = format!("{}/sim/phones/{ANA}/send", world.base);
    let wrong = json!({"kind": "tap", "message": id, "id": "less"});
    let answer = world.http.post(url).json(&wrong).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn media_locations_reactions_and_raw_messages_arrive() {
    let mut world = World::new().await;
    world.act(ANA, json!({"kind": "image", "caption": "look"})).await;
    let image = world.message().await;
    assert_eq!(image["image"]["caption"], "look");
    let id = image["image"]["id"].as_str().unwrap();
    let url = format!("{}/v26.0/{id}", world.base);
    let file: Value =
        world.http.get(url).bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!(file["mime_type"], image["image"]["mime_type"]);
    let at = file["url"].as_str().unwrap();
    assert_eq!(world.http.get(at).send().await.unwrap().status(), 401);
    let bytes = world.http.get(at).bearer_auth(TOKEN).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, file["file_size"].as_u64().unwrap());
    assert!(bytes.starts_with(b"\x89PNG"));

    world.act(ANA, json!({"kind": "document", "filename": "a.pdf"})).await;
    assert_eq!(world.message().await["document"]["filename"], "a.pdf");
    world.act(ANA, json!({"kind": "location", "latitude": 52.5, "longitude": 13.4})).await;
    assert_eq!(world.message().await["location"]["latitude"], 52.5);

    let sent = world.said("nice").await;
    world.statuses(2).await;
    world.act(ANA, json!({"kind": "reaction", "message": sent, "emoji": "👍"})).await;
    assert_eq!(world.message().await["reaction"], json!({"message_id": sent, "emoji": "👍"}));
    world.act(ANA, json!({"kind": "reaction", "message": sent})).await;
    assert_eq!(world.message().await["reaction"], json!({"message_id": sent}));

    let raw = json!({"kind": "raw", "message": {"type": "order", "order": {"catalog_id": "7"}}});
    world.act(ANA, raw).await;
    let order = world.message().await;
    assert_eq!((&order["order"]["catalog_id"], &order["from"]), (&json!("7"), &json!(ANA)));

    world.post("/sim/webhooks", json!({"field": "messages", "value": {"errors": []}})).await;
    assert_eq!(world.next().await.value, json!({"errors": []}));
}

#[tokio::test]
async fn outside_the_window_only_templates_arrive() {
    let mut world = World::new().await;
    let template = json!({"to": ANA, "type": "template",
        "template": {"name": "sale", "language": {"code": "en"}}});
    assert_eq!(world.send(template.clone()).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    world.hello(ANA).await;
    world.said("inside").await;
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);

    let later = format!("/sim/phones/{ANA}/window");
    world.post(&later, json!({"hours": 25})).await;
    let id = world.said("outside").await;
    let failed = world.receipt().await;
    assert_eq!((&failed["status"], &failed["id"]), (&json!("failed"), &json!(id)));
    assert_eq!(failed["errors"][0]["code"], 131047);
    assert_eq!(failed["errors"][0]["title"], "Re-engagement message");
    assert_eq!(failed["recipient_id"], ANA);
    assert!(failed.get("recipient_user_id").is_none());
    assert_eq!(world.send(template).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);

    world.set(json!({"window_error": "sync"})).await;
    assert_eq!(code(&world.say("outside").await), (400, 131047));
    world.hello(ANA).await;
    assert_eq!(world.say("inside again").await.0, 200);
}

#[tokio::test]
async fn the_46th_message_at_once_to_one_person_is_refused() {
    let mut world = World::with(|config| config.settings.messages_per_second = 0).await;
    world.hello(ANA).await;
    for n in 0..45 {
        assert_eq!(world.say("x").await.0, 200, "{n}");
    }
    assert_eq!(code(&world.say("x").await), (400, 131056));
    world.post("/sim/phones", json!({"number": "16505550000"})).await;
    let other = json!({"to": "16505550000", "text": {"body": "x"}});
    assert_eq!(world.send(other).await.0, 200, "another person has a limit of their own");
    world.set(json!({"pair_limit": false})).await;
    assert_eq!(world.say("x").await.0, 200);
}

#[tokio::test]
async fn more_messages_than_a_second_holds_are_refused() {
    // So slow that the test cannot be.
    let mut world = World::with(|config| config.settings.messages_per_second = 1).await;
    world.hello(ANA).await;
    let mut refused = 0;
    for _ in 0..10 {
        let answer = world.say("x").await;
        if answer.0 != 200 {
            assert_eq!(code(&answer), (400, 130429));
            refused += 1;
        }
    }
    assert!(refused >= 1);
}

#[tokio::test]
async fn every_error_code_comes_with_its_status_and_body() {
    let mut world = World::with(|config| config.settings.pair_limit = false).await;
    world.hello(ANA).await;
    let state = world.get("/sim/state").await;
    let codes = state["codes"].as_array().unwrap();
    assert!(codes.len() > 50);
    for known in codes {
        let fault = json!({"kind": "error", "code": known["code"], "count": 1});
        world.post("/sim/faults", fault).await;
        let (status, body) = world.say("x").await;
        assert_eq!(u64::from(status), known["http"].as_u64().unwrap(), "{known}");
        let error = &body["error"];
        assert_eq!(error["code"], known["code"]);
        assert_eq!(error["type"], "OAuthException");
        assert!(error["fbtrace_id"].is_string());
        if ![0, 190].contains(&known["code"].as_u64().unwrap()) {
            assert_eq!(error["error_data"]["messaging_product"], "whatsapp");
        }
    }
    for (code, http) in [(190, 401), (130429, 400), (131056, 400), (131057, 500), (132001, 404)] {
        let known = codes.iter().find(|known| known["code"] == code).unwrap();
        assert_eq!(known["http"], http, "{code}");
    }
    assert_eq!(world.get("/sim/sent").await["total"], 0, "nothing was accepted");
    assert_eq!(world.say("fine").await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
}

#[tokio::test]
async fn a_fault_spoils_as_many_sends_as_told() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.post("/sim/faults", json!({"kind": "error", "code": 131016, "count": 2})).await;
    world.post("/sim/faults", json!({"kind": "http_500"})).await;
    assert_eq!(code(&world.say("x").await), (500, 131016));
    assert_eq!(code(&world.say("x").await), (500, 131016));
    assert_eq!(world.say("x").await, (500, Value::Null));
    assert_eq!(world.say("x").await.0, 200);
    world.statuses(2).await;

    world.post("/sim/faults", json!({"kind": "failed", "code": 131049})).await;
    world.said("promotion").await;
    let failed = world.receipt().await;
    assert_eq!(
        (&failed["status"], &failed["errors"][0]["code"]),
        (&json!("failed"), &json!(131049))
    );

    let fault = json!({"kind": "error", "code": 131056, "phone": "16505550000", "count": 5});
    world.post("/sim/faults", fault).await;
    assert_eq!(world.say("not for this phone").await.0, 200);
    world.http.delete(world.base.clone() + "/sim/faults").send().await.unwrap();
    assert_eq!(world.get("/sim/faults").await, json!([]));
}

#[tokio::test]
async fn a_time_out_comes_after_the_message_was_taken() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.post("/sim/faults", json!({"kind": "timeout"})).await;
    let body = json!({"messaging_product": "whatsapp", "to": ANA, "text": {"body": "x"},
        "biz_opaque_callback_data": "s1"});
    let url = world.base.clone() + "/v26.0/1060/messages";
    let request = world.http.post(url).bearer_auth(TOKEN).json(&body);
    let error = request.timeout(Duration::from_millis(300)).send().await.unwrap_err();
    assert!(error.is_timeout());
    let sent = world.receipt().await;
    assert_eq!(
        (&sent["status"], &sent["biz_opaque_callback_data"]),
        (&json!("sent"), &json!("s1"))
    );
}

#[tokio::test]
async fn receipts_can_be_held_turned_doubled_and_dropped() {
    let mut world = World::new().await;
    world.hello(ANA).await;
    world.set(json!({"receipts": {"hold": true}})).await;
    world.said("a").await;
    world.until("/sim/state", |state| state["held"] == 2).await;
    world.nothing_more().await;
    world.post("/sim/receipts/release", json!({"newest_first": true})).await;
    assert_eq!(world.statuses(2).await, ["delivered", "sent"]);

    world.set(json!({"receipts": {"hold": false, "reorder": true}})).await;
    world.said("b").await;
    assert_eq!(world.statuses(2).await, ["delivered", "sent"]);

    world.set(json!({"receipts": {"reorder": false, "copies": 3}})).await;
    world.said("c").await;
    let expected = ["sent", "sent", "sent", "delivered", "delivered", "delivered"];
    assert_eq!(world.statuses(6).await, expected);

    world.set(json!({"receipts": {"copies": 1, "drop": true}})).await;
    let id = world.said("d").await;
    let path = format!("/sim/phones/{ANA}/messages");
    world
        .until(&path, |history| {
            let messages = history["messages"].as_array().unwrap();
            messages.iter().any(|m| m["id"] == *id && m["status"] == "delivered")
        })
        .await;
    world.nothing_more().await;
}

#[tokio::test]
async fn a_message_can_arrive_many_times_at_once() {
    let mut world = World::new().await;
    let id = world.act(ANA, json!({"kind": "text", "body": "hi", "copies": 5})).await;
    let first = world.next().await.raw;
    for _ in 0..4 {
        assert_eq!(world.next().await.raw, first);
    }
    assert!(String::from_utf8(first).unwrap().contains(&id.replace('/', "\\/")));
    let history = world.get(&format!("/sim/phones/{ANA}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_customer_without_a_number_is_reached_by_user_id() {
    let mut world = World::new().await;
    let phone = json!({"name": "Zoé", "username": "@zoe"});
    let phone = world.post("/sim/phones", phone).await;
    let user = phone["user_id"].as_str().unwrap().to_owned();
    assert_eq!(phone["id"], *user);
    world.act(&user, json!({"kind": "text", "body": "hi"})).await;
    let value = world.next().await.value;
    let contact = &value["contacts"][0];
    assert_eq!(contact["profile"], json!({"name": "Zoé", "username": "@zoe"}));
    assert!(contact.get("wa_id").is_none());
    let message = &value["messages"][0];
    assert!(message.get("from").is_none());
    assert_eq!(message["from_user_id"], *user);

    let (status, body) = world.send(json!({"recipient": user, "text": {"body": "hi Zoé"}})).await;
    assert_eq!(status, 200);
    assert_eq!(body["contacts"], json!([{"input": user, "user_id": user}]));
    for status in ["sent", "delivered"] {
        let receipt = world.receipt().await;
        assert_eq!(receipt["status"], status);
        assert_eq!(receipt["recipient_user_id"], *user);
        assert!(receipt.get("recipient_id").is_none());
    }
    // In `to` a user id is taken, and nobody ever hears of it.
    assert_eq!(world.send(json!({"to": user, "text": {"body": "lost"}})).await.0, 200);
    world.nothing_more().await;
    let history = world.get(&format!("/sim/phones/{user}/messages")).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn bad_sends_get_metas_errors() {
    let world = World::new().await;
    let fine = json!({"messaging_product": "whatsapp", "to": ANA, "text": {"body": "x"}});
    let url = world.base.clone() + "/v26.0/1060/messages";
    let answer = world.http.post(&url).bearer_auth("wrong").json(&fine).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], 190);
    let other = world.base.clone() + "/v26.0/999/messages";
    let answer = world.http.post(other).bearer_auth(TOKEN).json(&fine).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (&body["error"]["code"], &body["error"]["error_subcode"]),
        (&json!(100), &json!(33))
    );
    let answer = world.http.post(&url).bearer_auth(TOKEN).body("{").send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], 100);

    let cases = [
        (json!({"text": {"body": "x"}}), 100),
        (json!({"to": "me", "text": {"body": "x"}}), 131009),
        (json!({"to": "15550001060", "text": {"body": "x"}}), 131021),
        (json!({"to": ANA, "text": {"body": "x".repeat(4_097)}}), 131009),
        (json!({"to": ANA, "type": "image", "image": {}}), 131008),
        (json!({"to": ANA, "type": "fax", "fax": {}}), 131051),
        (
            json!({"to": ANA, "text": {"body": "x"}, "biz_opaque_callback_data": "x".repeat(513)}),
            131009,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(code(&world.send(body.clone()).await), (400, expected), "{body}");
    }
    let url = world.base.clone() + "/v26.0/1060";
    let number: Value =
        world.http.get(url).bearer_auth(TOKEN).send().await.unwrap().json().await.unwrap();
    assert_eq!((&number["id"], &number["quality_rating"]), (&json!("1060"), &json!("GREEN")));
}

#[tokio::test]
async fn a_number_without_whatsapp_fails_or_is_given_a_phone() {
    let mut world = World::new().await;
    let send = json!({"to": "16505550000", "text": {"body": "x"}});
    assert_eq!(world.send(send.clone()).await.0, 200);
    let failed = world.receipt().await;
    assert_eq!(failed["errors"][0]["code"], 131026);
    assert_eq!(failed["recipient_id"], "16505550000");
    world.set(json!({"unknown_numbers": "create"})).await;
    let template = json!({"to": "16505550000", "type": "template",
        "template": {"name": "sale", "language": {"code": "en"}}});
    assert_eq!(world.send(template).await.0, 200);
    assert_eq!(world.statuses(2).await, ["sent", "delivered"]);
    assert_eq!(world.get("/sim/phones").await["total"], 2);
}

#[tokio::test]
async fn webhooks_come_again_until_they_are_taken_or_given_up() {
    let mut world = World::new().await;
    *world.bot.refuse.lock().unwrap() = 2;
    let id = world.act(ANA, json!({"kind": "text", "body": "hi"})).await;
    let first = world.next().await.raw;
    assert_eq!(world.next().await.raw, first);
    assert_eq!(world.next().await.raw, first);
    let path = format!("/sim/phones/{ANA}/messages");
    world.until(&path, |history| history["messages"][0]["status"] == "delivered").await;
    let log = world.get("/sim/webhooks").await;
    let attempts = log["attempts"].as_array().unwrap();
    let seen: Vec<_> = attempts.iter().map(|a| (&a["attempt"], &a["status"])).collect();
    assert_eq!(
        seen,
        [(&json!(3), &json!(200)), (&json!(2), &json!(500)), (&json!(1), &json!(500))]
    );
    assert_eq!(attempts[0]["message"], *id);
    assert_eq!(attempts[0]["body"].as_str().unwrap().as_bytes(), first);
    assert!(attempts[1]["retry_at"].is_u64());

    *world.bot.refuse.lock().unwrap() = u32::MAX;
    world.act(ANA, json!({"kind": "text", "body": "hi"})).await;
    for _ in 0..4 {
        world.next().await;
    }
    let history = world.until(&path, |all| all["messages"][1]["status"] == "failed").await;
    let why = &history["messages"][1]["problem"]["details"];
    assert_eq!(why, "the bot answered 500");
    assert_eq!(world.get("/sim/state").await["counts"]["webhooks_given_up"], 1);
}

#[tokio::test]
async fn the_page_is_served_and_kept_from_other_sites() {
    let world = World::new().await;
    for (path, kind) in
        [("/", "text/html"), ("/chat.js", "text/javascript"), ("/chat.css", "text/css")]
    {
        let answer = world.http.get(world.base.clone() + path).send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind));
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"));
        assert!(answer.text().await.unwrap().len() > 500);
    }
    let request = world.http.get(world.base.clone() + "/sim/state").header("origin", "https://a.b");
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn the_page_hears_of_what_happens_and_the_stream_ends_with_the_simulator() {
    let mut world = World::new().await;
    let mut stream = world.http.get(world.base.clone() + "/sim/events").send().await.unwrap();
    world.hello(ANA).await;
    let mut heard = String::new();
    while !heard.contains(r#""status":"delivered""#) {
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.unwrap().unwrap();
        heard.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    assert!(heard.contains(r#""type":"message""#), "{heard}");
    world.stop.send(true).unwrap();
    let end = async { while stream.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.expect("the stream must end");
}

#[tokio::test]
async fn the_runtime_is_asked_about_a_phone() {
    async fn lookup(
        headers: HeaderMap,
        Query(asked): Query<HashMap<String, String>>,
    ) -> axum::Json<Value> {
        axum::Json(json!({"asked": asked, "token": headers["authorization"].to_str().unwrap()}))
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let routes = Router::new().route("/api/v1/contacts/lookup", get(lookup));
    tokio::spawn(axum::serve(listener, routes).into_future());
    let world = World::with(|config| {
        config.inspect_url = Some(url);
        config.inspect_token = Some("secret".into());
        config.phones.push(NewPhone { username: Some("zoe".into()), ..NewPhone::default() });
    })
    .await;
    let answer = world.get(&format!("/sim/inspect?phone={ANA}")).await;
    assert_eq!(answer, json!({"asked": {"phone": ANA}, "token": "Bearer secret"}));
    let phones = world.get("/sim/phones").await;
    let user = phones["phones"][1]["user_id"].as_str().unwrap();
    let answer = world.get(&format!("/sim/inspect?phone={user}")).await;
    assert_eq!(answer["asked"], json!({"bsuid": user}));
}

#[tokio::test]
async fn a_batch_is_delivered_and_clearing_forgets_it() {
    let mut world = World::new().await;
    let batch: Vec<Value> =
        (0..500).map(|n| json!({"phone": ANA, "kind": "text", "body": n.to_string()})).collect();
    let ids = world.post("/sim/batch", batch.into()).await["ids"].as_array().unwrap().clone();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..500 {
        seen.insert(world.message().await["id"].clone());
    }
    assert!(ids.iter().all(|id| seen.contains(id)));
    world.until("/sim/state", |state| state["counts"]["webhooks_delivered"] == 500).await;
    world.post("/sim/clear", json!({})).await;
    let history = world.get(&format!("/sim/phones/{ANA}/messages")).await;
    assert_eq!(history["messages"], json!([]));
    assert_eq!(history["phone"]["last_inbound"], Value::Null);
}
