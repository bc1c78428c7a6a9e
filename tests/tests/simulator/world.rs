//! The bot, the simulator, and what a test does with them.

use axum::{
    Router,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use reqwest::Client;
use serde_json::{Value, json};
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

pub const SECRET: &str = "an app secret";
pub const TOKEN: &str = "an access token";
pub const ANA: &str = "16505551234";
/// Not there at the start, and not of the +1 kind.
pub const BEA: &str = "447700900001";
/// A test that waits as long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct Post {
    pub raw: Vec<u8>,
    pub signature: String,
    pub field: String,
    pub value: Value,
}

#[derive(Clone)]
pub struct Bot {
    pub posts: mpsc::UnboundedSender<Post>,
    pub challenges: Arc<Mutex<Vec<HashMap<String, String>>>>,
    /// Webhooks that are still to be answered with 500.
    pub refuse: Arc<Mutex<u32>>,
}

async fn take(State(bot): State<Bot>, headers: HeaderMap, raw: Bytes) -> StatusCode {
    let envelope: Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(envelope["object"], "whatsapp_business_account");
    assert_eq!(envelope["entry"][0]["id"], "1020");
    let change = &envelope["entry"][0]["changes"][0];
    let (field, value) = (change["field"].as_str().unwrap().to_owned(), change["value"].clone());
    let signature = headers["x-hub-signature-256"].to_str().unwrap().to_owned();
    bot.posts.send(Post { raw: raw.to_vec(), signature, field, value }).unwrap();
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

pub struct World {
    pub http: Client,
    pub base: String,
    pub bot: Bot,
    pub posts: mpsc::UnboundedReceiver<Post>,
    pub stop: watch::Sender<bool>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
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
            settings: Settings {
                sent_ms: 0,
                delivered_ms: 0,
                read_ms: 0,
                retry: Retry { first_pause_ms: 1, longest_pause_ms: 4, attempts: 4 },
                ..Settings::default()
            },
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

    pub async fn get(&self, path: &str) -> Value {
        self.http.get(self.base.clone() + path).send().await.unwrap().json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(self.base.clone() + path).json(&body).send().await.unwrap();
        let status = answer.status();
        let body = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    pub async fn set(&self, changes: Value) {
        let url = self.base.clone() + "/sim/settings";
        let answer = self.http.patch(url).json(&changes).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The customer does something; returns the message's id.
    pub async fn act(&self, phone: &str, act: Value) -> String {
        let answer = self.post(&format!("/sim/phones/{phone}/send"), act).await;
        answer["id"].as_str().unwrap().to_owned()
    }

    /// The customer writes and the bot has it: the window is open.
    pub async fn hello(&mut self, phone: &str) -> String {
        let id = self.act(phone, json!({"kind": "text", "body": "hello"})).await;
        assert_eq!(self.message().await["id"], *id);
        id
    }

    /// The business sends: HTTP status and body.
    pub async fn send(&self, body: Value) -> (u16, Value) {
        let mut body = body;
        body["messaging_product"] = "whatsapp".into();
        let url = self.base.clone() + "/v26.0/1060/messages";
        let request = self.http.post(url).bearer_auth(TOKEN).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn say(&self, text: &str) -> (u16, Value) {
        self.send(json!({"to": ANA, "type": "text", "text": {"body": text}})).await
    }

    /// Said and accepted: the message's id.
    pub async fn said(&self, text: &str) -> String {
        let (status, body) = self.say(text).await;
        assert_eq!(status, 200, "{body}");
        body["messages"][0]["id"].as_str().unwrap().to_owned()
    }

    pub async fn next(&mut self) -> Post {
        tokio::time::timeout(PATIENCE, self.posts.recv()).await.expect("no webhook").unwrap()
    }

    pub async fn message(&mut self) -> Value {
        let value = self.next().await.value;
        assert!(value["messages"].is_array(), "{value}");
        value["messages"][0].clone()
    }

    pub async fn receipt(&mut self) -> Value {
        let value = self.next().await.value;
        assert!(value["statuses"].is_array(), "{value}");
        value["statuses"][0].clone()
    }

    /// The statuses of the next receipts.
    pub async fn statuses(&mut self, count: usize) -> Vec<String> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(self.receipt().await["status"].as_str().unwrap().to_owned());
        }
        statuses
    }

    /// That no webhook is under way: a message sent now is the next one.
    pub async fn nothing_more(&mut self) {
        self.hello(ANA).await;
    }

    /// Asks until the answer is as wished.
    pub async fn until(&self, path: &str, wish: impl Fn(&Value) -> bool) -> Value {
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

pub fn code(answer: &(u16, Value)) -> (u16, u64) {
    (answer.0, answer.1["error"]["code"].as_u64().unwrap_or(0))
}
