//! Twilio's side as a test needs it: signed webhooks in, an interface that
//! remembers what was sent and gives states.

use axum::{Form, Json, Router, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "test-auth-token";
pub const NUMBER: &str = "+15550001111";
/// What Twilio calls: a proxy stands between it and the server.
pub const PUBLIC_URL: &str = "https://bot.example.com";
pub const CONTENT: &str = "HX0123456789abcdef0123456789abcdef";

pub type Fields = Vec<(String, String)>;

/// The header for a call of `url` with these fields.
pub fn sign(token: &str, url: &str, fields: &[(String, String)]) -> String {
    let mut sorted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in fields {
        sorted.entry(name).or_default().insert(value);
    }
    let mut text = url.to_owned();
    for (name, values) in sorted {
        values.iter().for_each(|value| text += &format!("{name}{value}"));
    }
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Posts fields as Twilio does. `base` is the server's own address, `path` with
/// its query what Twilio was told behind `PUBLIC_URL`. The status, the type of
/// the answer, and the answer.
pub async fn post_webhook(
    base: &str,
    path: &str,
    fields: &[(String, String)],
) -> Result<(StatusCode, String, String), String> {
    let signature = sign(TOKEN, &format!("{PUBLIC_URL}{path}"), fields);
    let answer = crate::client()
        .post(format!("{base}{path}"))
        .header("x-twilio-signature", signature)
        .form(fields)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    Ok((status, kind.unwrap_or_default(), answer.text().await.unwrap()))
}

pub fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A text message from a phone (digits), with more fields.
pub fn text_from(phone: &str, sid: &str, text: &str, more: &[(&str, &str)]) -> Fields {
    let (from, to) = (format!("whatsapp:+{phone}"), format!("whatsapp:{NUMBER}"));
    let mut all = fields(&[
        ("MessageSid", sid),
        ("SmsMessageSid", sid),
        ("AccountSid", ACCOUNT),
        ("From", &from),
        ("To", &to),
        ("WaId", phone),
        ("ProfileName", "Test"),
        ("Body", text),
        ("NumMedia", "0"),
        ("SmsStatus", "received"),
        ("ApiVersion", "2010-04-01"),
        ("ANewField", ""),
    ]);
    all.extend(fields(more));
    all
}

/// What one request asked for.
#[derive(Clone, Debug)]
pub struct Sent {
    pub sid: String,
    pub path: String,
    pub authorization: String,
    pub fields: HashMap<String, String>,
}

impl Sent {
    pub fn get(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The path with its query to which its states go, behind `PUBLIC_URL`.
    pub fn callback(&self) -> &str {
        self.get("StatusCallback").strip_prefix(PUBLIC_URL).unwrap()
    }

    /// A state of it, as Twilio posts it.
    pub fn state(&self, name: &str, more: &[(&str, &str)]) -> Fields {
        let mut all = fields(&[
            ("MessageSid", &self.sid),
            ("SmsSid", &self.sid),
            ("MessageStatus", name),
            ("SmsStatus", name),
            ("To", self.get("To")),
            ("From", self.get("From")),
            ("AccountSid", ACCOUNT),
            ("ChannelPrefix", "whatsapp"),
        ]);
        all.extend(fields(more));
        all
    }
}

/// Twilio's interface on a free port.
#[derive(Clone)]
pub struct Api {
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    sent: Mutex<Vec<Sent>>,
    /// Answers to give instead, first come.
    failures: Mutex<Vec<(StatusCode, Value)>>,
}

impl Api {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let app = Router::new()
            .route("/2010-04-01/Accounts/{account}/Messages.json", post(take))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared }
    }

    /// The next message gets this answer.
    pub fn fail_next(&self, status: u16, code: u32) {
        let body = json!({ "code": code, "message": "failed", "status": status });
        let status = StatusCode::from_u16(status).unwrap();
        self.shared.failures.lock().unwrap().push((status, body));
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.shared.sent.lock().unwrap().clone()
    }

    /// Waits until at least `count` messages were sent.
    pub async fn wait_for(&self, count: usize) -> Vec<Sent> {
        crate::eventually("the messages to be sent", || self.sent().len() >= count).await;
        self.sent()
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    Form(fields): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let failure = {
        let mut failures = shared.failures.lock().unwrap();
        (!failures.is_empty()).then(|| failures.remove(0))
    };
    if let Some((status, body)) = failure {
        return (status, Json(body));
    }
    let mut sent = shared.sent.lock().unwrap();
    let sid = format!("SM{:032x}", sent.len());
    let authorization = headers["authorization"].to_str().unwrap().to_owned();
    sent.push(Sent { sid: sid.clone(), path: uri.path().into(), authorization, fields });
    let body = json!({ "sid": sid, "status": "queued", "error_code": null });
    (StatusCode::CREATED, Json(body))
}
