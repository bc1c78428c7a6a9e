//! Meta's wire: the Graph API that a bot calls, and webhooks as Meta writes
//! and signs them. It reads and writes bytes; what they do to the world is
//! the world's.

mod account;
mod check;
mod graph;
mod media;
mod multipart;
mod object;
mod refusal;
mod templates;
pub mod verify;
pub mod webhook;

use super::Shared;
use axum::{
    Json, Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;

/// What a bot may upload, with its form around it: a document of 100 MB.
const UPLOAD_BYTES: usize = (100 << 20) + (64 << 10);

pub fn routes() -> Router<Shared> {
    let template_paths = get(templates::list).post(templates::create).delete(templates::delete);
    let apps = get(account::subscribed_apps)
        .post(account::subscribed_apps)
        .delete(account::subscribed_apps);
    let upload = post(media::upload).layer(DefaultBodyLimit::max(UPLOAD_BYTES));
    Router::new()
        .route("/me", get(object::bare))
        .route("/debug_token", get(object::bare))
        .route("/{version}/{id}", get(object::object).post(templates::edit).delete(media::delete))
        .route("/{version}/{id}/messages", post(graph::send))
        .route("/{version}/{id}/marketing_messages", post(graph::send))
        .route("/{version}/{id}/media", upload)
        .route("/{version}/{id}/message_templates", template_paths)
        .route("/{version}/{id}/phone_numbers", get(account::phone_numbers))
        .route("/{version}/{id}/subscribed_apps", apps)
        .route(media::LINK, get(media::download))
        .fallback(unknown_path)
}

/// The address that the bot called us by.
fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost")
}

async fn unknown_path(uri: Uri) -> Response {
    let why = format!("the simulator has nothing at {}", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({"error": {"message": why, "code": 2500}}))).into_response()
}
