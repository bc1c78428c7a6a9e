//! Meta's side as a test needs it: signed webhooks in, a Graph API that
//! remembers what was sent and gives receipts.

use crate::shop::{NUMBER_ID, SECRET};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

pub fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Posts a body as Meta does. `base` is the server's public address.
pub async fn post_webhook(base: &str, channel: &str, body: &[u8]) -> Result<StatusCode, String> {
    let answer = crate::client()
        .post(format!("{base}/webhooks/{channel}"))
        .header("content-type", "application/json")
        .header("x-hub-signature-256", sign(SECRET, body))
        .body(body.to_vec())
        .send()
        .await
        .map_err(|error| error.to_string())?;
    Ok(StatusCode::from_u16(answer.status().as_u16()).unwrap())
}

pub fn envelope(value: Value) -> Vec<u8> {
    let metadata = json!({ "display_phone_number": "15550001111", "phone_number_id": NUMBER_ID });
    let mut value = value;
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] = metadata;
    let change = json!({ "field": "messages", "value": value });
    let entry = json!([{ "id": "1020", "changes": [change] }]);
    serde_json::to_vec(&json!({ "object": "whatsapp_business_account", "entry": entry })).unwrap()
}

/// A text message from a phone.
pub fn text_from(phone: &str, id: &str, text: &str) -> Vec<u8> {
    let now = crate::now_seconds().to_string();
    envelope(json!({
        "contacts": [{ "profile": { "name": "Test" }, "wa_id": phone }],
        "messages": [{
            "from": phone, "id": id, "timestamp": now, "type": "text", "text": { "body": text }
        }],
    }))
}

/// A text message from a person whose phone number is not shown.
pub fn text_from_bsuid(bsuid: &str, id: &str, text: &str) -> Vec<u8> {
    let now = crate::now_seconds().to_string();
    envelope(json!({
        "contacts": [{ "profile": { "name": "Test", "username": "@test" }, "user_id": bsuid }],
        "messages": [{
            "from_user_id": bsuid, "id": id, "timestamp": now, "type": "text",
            "text": { "body": text }
        }],
    }))
}

/// What one request to the Graph API asked for.
#[derive(Clone, Debug)]
pub struct Sent {
    /// `to`, or `recipient` where there is no phone.
    pub to: String,
    pub opaque: String,
    pub message_id: String,
    /// When it came.
    pub at: Instant,
    pub body: Value,
}

impl Sent {
    pub fn text(&self) -> &str {
        self.body["text"]["body"].as_str().unwrap_or_default()
    }
}

/// A Graph API on a free port.
#[derive(Clone)]
pub struct Graph {
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    sent: Mutex<Vec<Sent>>,
    count: AtomicU64,
    /// Where receipts go; none: no receipts.
    receipts_to: Mutex<Option<String>>,
    /// Answers to give instead, first come.
    failures: Mutex<Vec<(StatusCode, Value)>>,
}

impl Graph {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v26.0", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let app = Router::new()
            .route("/v26.0/{number}/messages", post(take))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared }
    }

    /// Sends a `sent` receipt for each message from now on, until it is taken.
    pub fn give_receipts(&self, server: &str) {
        *self.shared.receipts_to.lock().unwrap() = Some(server.to_owned());
    }

    /// The next request gets this answer.
    pub fn fail_next(&self, status: u16, code: u32) {
        let status = StatusCode::from_u16(status).unwrap();
        let body = json!({ "error": { "message": "failed", "code": code } });
        self.shared.failures.lock().unwrap().push((status, body));
    }

    pub fn sent(&self) -> Vec<Sent> {
        self.shared.sent.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.shared.sent.lock().unwrap().len()
    }

    /// How many messages each recipient got with each text.
    pub fn tally(&self) -> BTreeMap<(String, String), usize> {
        let mut tally = BTreeMap::new();
        for sent in self.sent() {
            *tally.entry((sent.to.clone(), sent.text().to_owned())).or_insert(0) += 1;
        }
        tally
    }

    /// Waits until at least `count` messages were sent.
    pub async fn wait_for(&self, count: usize) -> Vec<Sent> {
        crate::eventually("the messages to be sent", || self.count() >= count).await;
        self.sent()
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    if body["status"] == "read" {
        return (StatusCode::OK, Json(json!({ "success": true })));
    }
    let failure = {
        let mut failures = shared.failures.lock().unwrap();
        (!failures.is_empty()).then(|| failures.remove(0))
    };
    if let Some((status, body)) = failure {
        return (status, Json(body));
    }
    let count = shared.count.fetch_add(1, Ordering::SeqCst);
    let message_id = format!("wamid.out{count}");
    let to = body["to"].as_str().or(body["recipient"].as_str()).unwrap_or_default().to_owned();
    let opaque = body["biz_opaque_callback_data"].as_str().unwrap_or_default().to_owned();
    let at = Instant::now();
    let sent = Sent { to: to.clone(), opaque, message_id: message_id.clone(), at, body };
    shared.sent.lock().unwrap().push(sent.clone());
    tokio::spawn(receipt(Arc::clone(&shared), sent));
    let answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": to, "wa_id": to }],
        "messages": [{ "id": message_id }],
    });
    (StatusCode::OK, Json(answer))
}

async fn receipt(shared: Arc<Shared>, sent: Sent) {
    let body = envelope(json!({ "statuses": [{
        "id": sent.message_id, "status": "sent", "recipient_id": sent.to,
        "timestamp": crate::now_seconds().to_string(),
        "biz_opaque_callback_data": sent.opaque,
    }] }));
    // As Meta: again until it is taken, wherever the server is by then.
    for _ in 0..600 {
        let Some(server) = shared.receipts_to.lock().unwrap().clone() else { return };
        if post_webhook(&server, "main", &body).await == Ok(StatusCode::OK) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
