//! Meta's list of templates, in pages, and the place to which messages go.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

#[derive(Default)]
pub struct Shared {
    pub templates: Mutex<Vec<Value>>,
    /// Templates of one page, whatever the request asks for; 0: all.
    pub page: Mutex<usize>,
    /// What the next requests for a page get instead.
    pub failure: Mutex<Option<(u16, u32)>>,
    /// The query of each request for a page.
    pub asked: Mutex<Vec<HashMap<String, String>>>,
    pub sent: Mutex<Vec<Value>>,
}

/// On a free port.
#[derive(Clone)]
pub struct Graph {
    pub url: String,
    pub shared: Arc<Shared>,
}

impl Graph {
    pub async fn start(templates: Vec<Value>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v26.0", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        *shared.templates.lock().unwrap() = templates;
        let app = Router::new()
            .route("/v26.0/1020/message_templates", get(page))
            .route("/v26.0/1060/messages", post(take))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared }
    }

    pub fn calls(&self) -> usize {
        self.shared.asked.lock().unwrap().len()
    }

    pub fn sent(&self) -> Vec<Value> {
        self.shared.sent.lock().unwrap().clone()
    }

    pub fn fail(&self, failure: Option<(u16, u32)>) {
        *self.shared.failure.lock().unwrap() = failure;
    }
}

/// A template as Meta lists it.
pub fn template(name: &str, language: &str, status: &str, category: &str, body: &str) -> Value {
    json!({
        "id": "1", "name": name, "language": language, "status": status, "category": category,
        "components": [{ "type": "BODY", "text": body }],
    })
}

async fn page(
    State(graph): State<Arc<Shared>>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let from: usize = query.get("after").map_or(0, |after| after.parse().unwrap());
    graph.asked.lock().unwrap().push(query);
    if let Some((status, code)) = *graph.failure.lock().unwrap() {
        let body = json!({ "error": { "code": code, "message": "no" } });
        return (StatusCode::from_u16(status).unwrap(), Json(body)).into_response();
    }
    let all = graph.templates.lock().unwrap().clone();
    let size = Some(*graph.page.lock().unwrap()).filter(|size| *size > 0).unwrap_or(all.len());
    let to = (from + size).min(all.len());
    let mut paging = json!({ "cursors": { "before": "0", "after": to.to_string() } });
    if to < all.len() {
        paging["next"] = "https://graph.example/next".into();
    }
    Json(json!({ "data": all[from..to], "paging": paging })).into_response()
}

async fn take(State(graph): State<Arc<Shared>>, Json(body): Json<Value>) -> Json<Value> {
    let mut sent = graph.sent.lock().unwrap();
    sent.push(body);
    Json(json!({ "messages": [{ "id": format!("wamid.{}", sent.len()) }] }))
}
