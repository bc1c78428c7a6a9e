//! Meta's side: a Graph API that knows files, gives each a new address for
//! every question, and misbehaves as it is told.

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use switchboard_tests::shop::{NUMBER_ID, TOKEN};
use tokio::net::TcpListener;

/// What is served under one id, and how.
#[derive(Clone, Default)]
pub struct Served {
    pub bytes: Vec<u8>,
    pub mime_type: &'static str,
    /// What Meta says its hash is, if not the true one.
    pub sha256: Option<String>,
    /// Meta says no size, and neither does the answer that is the file.
    pub sizeless: bool,
    /// What Meta says its size is, if not the true one.
    pub size: Option<u64>,
    /// Addresses that are dead when they are used, the first ones.
    pub dead: usize,
    /// The answer comes as late as this.
    pub late: Duration,
    /// After so many bytes nothing more comes, for the first of its answers.
    pub hangs_after: Option<usize>,
    /// Where Meta says it is, instead of here.
    pub url: Option<String>,
    /// Where the first address leads on.
    pub redirect: Option<String>,
    /// Answers to the question for it, the first ones.
    pub refusals: Vec<(u16, u32)>,
}

#[derive(Default)]
struct Shared {
    origin: String,
    files: Mutex<HashMap<String, Served>>,
    /// Each request for the bytes: its path, and whether it bore the token.
    asked: Mutex<Vec<(String, bool)>>,
    questions: AtomicUsize,
    /// Bytes of files that have left.
    given: AtomicUsize,
    said: Mutex<Vec<(String, String)>>,
}

#[derive(Clone)]
pub struct Graph {
    pub url: String,
    shared: Arc<Shared>,
}

impl Graph {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let url = format!("{origin}/v26.0");
        let shared = Arc::new(Shared { origin, ..Shared::default() });
        let app = Router::new()
            .route("/v26.0/{id}", get(place))
            .route("/v26.0/{id}/messages", post(take))
            .route("/files/{id}/{ticket}", get(file))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared }
    }

    pub fn origin(&self) -> &str {
        &self.shared.origin
    }
    pub fn serve(&self, id: &str, served: Served) {
        self.files().insert(id.into(), served);
    }
    /// A file with nothing odd about it.
    pub fn serve_plain(&self, id: &str, mime_type: &'static str, bytes: &[u8]) {
        self.serve(id, Served { bytes: bytes.to_vec(), mime_type, ..Served::default() });
    }
    fn files(&self) -> MutexGuard<'_, HashMap<String, Served>> {
        self.shared.files.lock().unwrap()
    }
    pub fn questions(&self) -> usize {
        self.shared.questions.load(Ordering::SeqCst)
    }
    pub fn asked(&self) -> Vec<(String, bool)> {
        self.shared.asked.lock().unwrap().clone()
    }
    pub fn given(&self) -> usize {
        self.shared.given.load(Ordering::SeqCst)
    }
    /// Whom the bot has written to, and what.
    pub fn said(&self) -> Vec<(String, String)> {
        self.shared.said.lock().unwrap().clone()
    }
}

fn has_token(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|it| it == format!("Bearer {TOKEN}").as_str())
}

fn error(status: u16, code: u32) -> Response {
    let body = json!({ "error": { "message": "no", "code": code } });
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

async fn place(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let question = shared.questions.fetch_add(1, Ordering::SeqCst);
    if !has_token(&headers) {
        return error(401, 190);
    }
    let mut files = shared.files.lock().unwrap();
    let known = query.get("phone_number_id").is_some_and(|number| number == NUMBER_ID);
    let Some(served) = files.get_mut(&id).filter(|_| known) else { return error(400, 100) };
    if !served.refusals.is_empty() {
        let (status, code) = served.refusals.remove(0);
        return error(status, code);
    }
    let hash = hex::encode(Sha256::digest(&served.bytes));
    let here = format!("{}/files/{id}/{question}", shared.origin);
    let mut body = json!({
        "messaging_product": "whatsapp",
        "id": id,
        "url": served.url.clone().unwrap_or(here),
        "mime_type": served.mime_type,
        "sha256": served.sha256.clone().unwrap_or(hash),
        "file_size": served.size.unwrap_or(served.bytes.len() as u64),
    });
    if served.sizeless {
        body.as_object_mut().unwrap().remove("file_size");
    }
    Json(body).into_response()
}

async fn file(
    State(shared): State<Arc<Shared>>,
    Path((id, ticket)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let token = has_token(&headers);
    shared.asked.lock().unwrap().push((format!("{id}/{ticket}"), token));
    let served = {
        let mut files = shared.files.lock().unwrap();
        let served = files.get_mut(&id).unwrap();
        let now = served.clone();
        served.dead = served.dead.saturating_sub(1);
        served.hangs_after = None;
        served.redirect = None;
        now
    };
    tokio::time::sleep(served.late).await;
    // An address that was led to bears its own permission.
    if served.dead > 0 || !(token || ticket == "elsewhere") {
        return StatusCode::NOT_FOUND.into_response();
    }
    if let Some(to) = served.redirect {
        return (StatusCode::FOUND, [("location", to)]).into_response();
    }
    let length = served.bytes.len();
    let hangs_after = served.hangs_after.unwrap_or(length);
    let sent = served.bytes[..hangs_after].chunks(16 * 1024).map(<[u8]>::to_vec);
    let chunks = stream::iter(sent.collect::<Vec<_>>()).then(move |chunk| {
        let shared = Arc::clone(&shared);
        async move {
            shared.given.fetch_add(chunk.len(), Ordering::SeqCst);
            Ok::<_, std::io::Error>(Bytes::from(chunk))
        }
    });
    let body = match hangs_after < length {
        true => Body::from_stream(chunks.chain(stream::pending())),
        false => Body::from_stream(chunks),
    };
    let answer = Response::builder().header("content-type", "application/octet-stream");
    let answer = match served.sizeless {
        true => answer,
        false => answer.header("content-length", length),
    };
    answer.body(body).unwrap()
}

async fn take(State(shared): State<Arc<Shared>>, Json(body): Json<Value>) -> Json<Value> {
    let mut said = shared.said.lock().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if body["type"] == "text" {
        said.push((text(&body["to"]), text(&body["text"]["body"])));
    }
    Json(json!({ "messages": [{ "id": format!("wamid.out{}", said.len()) }] }))
}
