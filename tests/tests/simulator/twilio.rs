//! Twilio's wire, against a bot that is a few lines of axum: each webhook is
//! checked to be signed as Twilio signs.

use super::world::{ANA, PATIENCE};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, Uri},
    routing::post,
};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::HashMap;
use switchboard::simulator::{
    self, NewPhone, Retry, Settings, SimulatorConfig, TwilioAccount, Wire,
};
use switchboard_tests::twilio::{ACCOUNT, TOKEN, sign};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

type Fields = HashMap<String, String>;

/// What a webhook said, and the path and query that it came to.
struct Post {
    to: String,
    fields: Fields,
}

struct Twilio {
    http: Client,
    base: String,
    bot: String,
    posts: mpsc::UnboundedReceiver<Post>,
    stop: watch::Sender<bool>,
}

async fn take(
    State((host, posts)): State<(String, mpsc::UnboundedSender<Post>)>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> &'static str {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let expected = sign(TOKEN, &format!("{host}{uri}"), &pairs);
    assert_eq!(headers["x-twilio-signature"].to_str().unwrap(), expected, "{uri} {body}");
    let count = pairs.len();
    let fields: Fields = pairs.into_iter().collect();
    assert_eq!(fields.len(), count, "a field is there twice: {body}");
    assert_eq!(
        (fields["AccountSid"].as_str(), fields["ApiVersion"].as_str()),
        (ACCOUNT, "2010-04-01")
    );
    posts.send(Post { to: uri.to_string(), fields }).unwrap();
    "<Response/>"
}

impl Twilio {
    async fn new() -> Self {
        let (sender, posts) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bot = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new().route("/in", post(take)).route("/status", post(take));
        let routes = routes.with_state((bot.clone(), sender));
        tokio::spawn(axum::serve(listener, routes).into_future());
        let config = SimulatorConfig {
            wire: Wire::Twilio(TwilioAccount {
                sid: ACCOUNT.into(),
                auth_token: TOKEN.into(),
                messaging_service_sid: None,
            }),
            webhook_url: format!("{bot}/in"),
            phones: vec![NewPhone {
                name: "Ana".into(),
                number: Some(ANA.into()),
                ..NewPhone::default()
            }],
            settings: Settings {
                sent_ms: 0,
                delivered_ms: 0,
                read_ms: 0,
                retry: Retry { first_pause_ms: 1, longest_pause_ms: 4, attempts: 4 },
                ..Settings::default()
            },
            ..SimulatorConfig::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move { simulator::run(config, listener, stopped).await.unwrap() });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder().no_proxy().build().unwrap();
        Self { http, base, bot, posts, stop }
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(self.base.clone() + path).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        answer.json().await.unwrap()
    }

    async fn act(&self, phone: &str, act: Value) -> String {
        let answer = self.control(&format!("/sim/phones/{phone}/send"), act).await;
        answer["id"].as_str().unwrap().to_owned()
    }

    async fn contents(&self, query: &str) -> Value {
        let url = format!("{}/v1/ContentAndApprovals{query}", self.base);
        let list = self.http.get(url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
        list.json().await.unwrap()
    }

    /// The customer writes and the bot has it: the window is open.
    async fn hello(&mut self) -> String {
        let id = self.act(ANA, json!({"kind": "text", "body": "hello"})).await;
        assert_eq!(self.next().await.fields["MessageSid"], id);
        id
    }

    /// The business sends with its number, and asks to be told.
    async fn send(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let callback = format!("{}/status?send=c1-1-0", self.bot);
        let mut all = vec![("From", "whatsapp:+15550001060"), ("StatusCallback", &callback)];
        if !fields.iter().any(|(name, _)| *name == "To") {
            all.push(("To", "whatsapp:+16505551234"));
        }
        all.extend(fields);
        self.request(ACCOUNT, TOKEN, &all).await
    }

    async fn request(&self, account: &str, token: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let url = format!("{}/2010-04-01/Accounts/{account}/Messages.json", self.base);
        let request = self.http.post(url).basic_auth(ACCOUNT, Some(token)).form(fields);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Taken: the sid.
    async fn sent(&self, fields: &[(&str, &str)]) -> String {
        let (status, body) = self.send(fields).await;
        assert_eq!((status, &body["status"]), (201, &json!("queued")), "{body}");
        body["sid"].as_str().unwrap().to_owned()
    }

    async fn next(&mut self) -> Post {
        tokio::time::timeout(PATIENCE, self.posts.recv()).await.expect("no webhook").unwrap()
    }

    /// The next state of this message, and its code.
    async fn state(&mut self, sid: &str) -> (String, Option<String>) {
        let Post { to, mut fields } = self.next().await;
        assert_eq!(to, "/status?send=c1-1-0");
        assert_eq!(fields["MessageSid"], sid);
        assert_eq!(fields["ChannelPrefix"], "whatsapp");
        (fields.remove("MessageStatus").unwrap(), fields.remove("ErrorCode"))
    }

    async fn failed(&mut self, sid: &str, code: &str) {
        assert_eq!(self.state(sid).await, ("undelivered".into(), Some(code.into())));
    }

    /// Sent and delivered.
    async fn arrived(&mut self, sid: &str) {
        assert_eq!(self.state(sid).await, ("sent".into(), None));
        assert_eq!(self.state(sid).await, ("delivered".into(), None));
    }
}

impl Drop for Twilio {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

#[tokio::test]
async fn a_message_is_answered_and_its_states_follow() {
    let mut twilio = Twilio::new().await;
    let text = "Grüße + 😀 & more";
    let id = twilio.act(ANA, json!({"kind": "text", "body": text})).await;
    let Post { to, fields } = twilio.next().await;
    assert_eq!((to.as_str(), fields["Body"].as_str()), ("/in", text));
    assert_eq!((id.len(), &id[..2], &fields["MessageSid"]), (34, "SM", &id));
    assert_eq!((fields["From"].as_str(), fields["WaId"].as_str()), ("whatsapp:+16505551234", ANA));
    assert_eq!(
        (fields["To"].as_str(), fields["ProfileName"].as_str()),
        ("whatsapp:+15550001060", "Ana")
    );
    assert!(fields["ExternalUserId"].starts_with("whatsapp:US."));
    assert_eq!((fields["NumMedia"].as_str(), fields["SmsStatus"].as_str()), ("0", "received"));

    let sid = twilio.sent(&[("Body", "hi Ana")]).await;
    twilio.arrived(&sid).await;
    twilio.control(&format!("/sim/phones/{ANA}/read"), json!({})).await;
    assert_eq!(twilio.state(&sid).await.0, "read");
    let history = twilio.http.get(format!("{}/sim/phones/{ANA}/messages", twilio.base));
    let history: Value = history.send().await.unwrap().json().await.unwrap();
    assert_eq!(history["messages"][1]["content"], json!({"body": "hi Ana"}));
    // Nobody is told of what nobody asked about.
    let fields =
        [("From", "whatsapp:+15550001060"), ("To", "whatsapp:+16505551234"), ("Body", "x")];
    assert_eq!(twilio.request(ACCOUNT, TOKEN, &fields).await.0, 201);
    twilio.hello().await;
}

#[tokio::test]
async fn only_the_account_may_send() {
    let mut twilio = Twilio::new().await;
    twilio.hello().await;
    let fields =
        [("From", "whatsapp:+15550001060"), ("To", "whatsapp:+16505551234"), ("Body", "x")];
    let (status, body) = twilio.request(ACCOUNT, "wrong", &fields).await;
    assert_eq!((status, &body["code"], &body["status"]), (401, &json!(20003), &json!(401)));
    let other = "AC00000000000000000000000000000000";
    assert_eq!(twilio.request(other, TOKEN, &fields).await.1["code"], 20404);
    assert_eq!(twilio.send(&[("To", "+16505551234"), ("Body", "x")]).await.1["code"], 21910);
    assert_eq!(
        twilio.send(&[("Body", "")]).await,
        (
            400,
            json!({
                "code": 21619, "message": "A text message body or media urls must be specified",
                "more_info": "https://www.twilio.com/docs/errors/21619", "status": 400,
            })
        )
    );
}

#[tokio::test]
async fn outside_the_window_only_contents_arrive() {
    let mut twilio = Twilio::new().await;
    let sid = twilio.sent(&[("Body", "too early")]).await;
    twilio.failed(&sid, "63016").await;
    let buttons = json!({"type": "BUTTONS", "buttons": [
        {"type": "URL", "text": "Look", "url": "https://x.test/{{1}}"}]});
    let sale = json!({"name": "sale", "language": "en", "category": "UTILITY",
        "status": "APPROVED", "components": [{"type": "BODY", "text": "Hello {{1}}!"}, buttons]});
    twilio.control("/sim/templates", sale).await;
    let content = twilio.contents("").await["contents"][0].clone();
    assert_eq!(content["friendly_name"], "sale");
    assert_eq!(content["variables"], json!({"1": "", "2": ""}));
    let action = &content["types"]["twilio/call-to-action"]["actions"][0];
    assert_eq!(action["url"], "https://x.test/{{2}}");
    assert_eq!(content["approval_requests"]["status"], "approved");
    let content = content["sid"].as_str().unwrap();
    let send = async |variables: &str| {
        twilio.send(&[("ContentSid", content), ("ContentVariables", variables)]).await
    };
    let (_, sent) = send(r#"{"1":"Ana","2":"tea"}"#).await;
    let sid = sent["sid"].as_str().unwrap().to_owned();
    assert_eq!(send(r#"{"1":"Ana"}"#).await.1["code"], 63028);
    assert_eq!(send("[1]").await.1["code"], 21656);
    assert_eq!(twilio.send(&[("ContentSid", ACCOUNT)]).await.1["code"], 21655);
    // What moderation does stands in the list, and stops a send.
    let url = format!("{}/sim/templates/sale/en", twilio.base);
    let paused = twilio.http.patch(url).json(&json!({"status": "PAUSED"})).send().await.unwrap();
    assert!(paused.status().is_success());
    let list = twilio.contents("").await;
    assert_eq!(list["contents"][0]["approval_requests"]["status"], "paused");
    assert_eq!(send(r#"{"1":"Ana","2":"tea"}"#).await.1["code"], 63041);
    twilio.arrived(&sid).await;
}

#[tokio::test]
async fn contents_come_in_pages() {
    let twilio = Twilio::new().await;
    for number in 0..5 {
        let new = json!({"name": format!("t{number}"), "language": "en", "category": "UTILITY",
            "components": [{"type": "BODY", "text": "Hello"}]});
        twilio.control("/sim/templates", new).await;
    }
    let (mut names, mut query) = (Vec::new(), "?PageSize=2".to_owned());
    loop {
        let page = twilio.contents(&query).await;
        let all = page["contents"].as_array().unwrap();
        names.extend(all.iter().map(|one| one["friendly_name"].as_str().unwrap().to_owned()));
        let Some(next) = page["meta"]["next_page_url"].as_str() else { break };
        query =
            next.strip_prefix(&format!("{}/v1/ContentAndApprovals", twilio.base)).unwrap().into();
    }
    assert_eq!(names, ["t0", "t1", "t2", "t3", "t4"]);
    let odd = twilio.contents("?PageToken=x").await;
    assert_eq!(odd["code"], 20422);
    let url = format!("{}/v1/ContentAndApprovals", twilio.base);
    let denied = twilio.http.get(url).basic_auth(ACCOUNT, Some("no")).send().await.unwrap();
    assert_eq!(denied.status().as_u16(), 401);
}

#[tokio::test]
async fn limits_unknown_numbers_and_faults_have_twilios_codes() {
    let mut twilio = Twilio::new().await;
    twilio.hello().await;
    let sid = twilio.sent(&[("To", "whatsapp:+16505550000"), ("Body", "x")]).await;
    twilio.failed(&sid, "63024").await;
    let fault = |kind: &str, code: u32| json!({"kind": kind, "code": code});
    for (code, status, own) in
        [(21_610, 400, 21_610), (131_049, 400, 63_049), (131_016, 400, 63_012)]
    {
        twilio.control("/sim/faults", fault("error", code)).await;
        let (answer, body) = twilio.send(&[("Body", "x")]).await;
        assert_eq!((answer, &body["code"]), (status, &json!(own)), "{code}");
    }
    twilio.control("/sim/faults", fault("failed", 131_026)).await;
    let sid = twilio.sent(&[("Body", "x")]).await;
    twilio.failed(&sid, "63024").await;
    twilio.control("/sim/faults", json!({"kind": "http_500"})).await;
    assert_eq!(twilio.send(&[("Body", "x")]).await.0, 500);
    // The 46th message at once to one person is taken, and fails.
    let mut limited = false;
    for _ in 0..46 {
        let sid = twilio.sent(&[("Body", "x")]).await;
        let (state, code) = twilio.state(&sid).await;
        if state == "undelivered" {
            assert_eq!(code.as_deref(), Some("63018"));
            limited = true;
            break;
        }
        assert_eq!(twilio.state(&sid).await.0, "delivered");
    }
    assert!(limited);
}

#[tokio::test]
async fn files_places_taps_and_people_without_a_number() {
    let mut twilio = Twilio::new().await;
    let id = twilio.act(ANA, json!({"kind": "image", "caption": "look"})).await;
    let image = twilio.next().await.fields;
    assert_eq!(
        (image["NumMedia"].as_str(), image["MediaContentType0"].as_str()),
        ("1", "image/jpeg")
    );
    assert_eq!((&image["MessageSid"], image["Body"].as_str()), (&id, "look"));
    let url = &image["MediaUrl0"];
    assert!(url.starts_with(&twilio.base), "{url}");
    assert_eq!(twilio.http.get(url).send().await.unwrap().status(), 401);
    let file = twilio.http.get(url).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert!(file.bytes().await.unwrap().starts_with(b"\xff\xd8\xff"));

    twilio
        .act(ANA, json!({"kind": "location", "latitude": 52.5, "longitude": 13, "name": "A"}))
        .await;
    let place = twilio.next().await.fields;
    assert_eq!((place["Latitude"].as_str(), place["Longitude"].as_str()), ("52.5", "13"));
    assert_eq!(place["Label"], "A");
    let raw = json!({"type": "button", "button": {"payload": "yes", "text": "Yes!"}});
    twilio.act(ANA, json!({"kind": "raw", "message": raw, "reply_to": "SM0"})).await;
    let tap = twilio.next().await.fields;
    assert_eq!((tap["ButtonPayload"].as_str(), tap["ButtonText"].as_str()), ("yes", "Yes!"));
    assert_eq!(tap["OriginalRepliedMessageSid"], "SM0");

    let zoe = twilio.control("/sim/phones", json!({"name": "Zoé", "username": "zoe"})).await;
    let user = zoe["user_id"].as_str().unwrap().to_owned();
    twilio.act(&user, json!({"kind": "text", "body": "hi"})).await;
    let hidden = twilio.next().await.fields;
    assert_eq!((hidden["From"].as_str(), hidden.get("WaId")), (&*format!("whatsapp:{user}"), None));
    let to = format!("whatsapp:{user}");
    let sid = twilio.sent(&[("To", &to), ("Body", "hi Zoé")]).await;
    twilio.arrived(&sid).await;
}

#[tokio::test]
async fn typing_marks_as_read() {
    let mut twilio = Twilio::new().await;
    let id = twilio.hello().await;
    let typing = async |body: Value| {
        let request = twilio.http.post(twilio.base.clone() + "/v3/Indicators/Typing.json");
        let answer = request.basic_auth(ACCOUNT, Some(TOKEN)).json(&body).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(typing(json!({"channel": "WHATSAPP", "messageId": id})).await, 200);
    assert_eq!(typing(json!({"channel": "WHATSAPP", "messageId": "SM0"})).await, 404);
    assert_eq!(typing(json!({"messageId": id})).await, 400);
    let history = twilio.http.get(format!("{}/sim/phones/{ANA}/messages", twilio.base));
    let history: Value = history.send().await.unwrap().json().await.unwrap();
    assert_eq!(history["messages"][0]["status"], "read");
    assert!(history["phone"]["typing_until"].as_u64().unwrap() > 0);
}
