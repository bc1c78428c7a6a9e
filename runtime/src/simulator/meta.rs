//! Meta's wire: the Graph API that a bot calls, and webhooks as Meta writes
//! and signs them. It reads and writes bytes; what they do to the world is
//! the world's.

mod check;
mod graph;
mod media;
mod object;
mod refusal;
pub mod verify;
pub mod webhook;

use super::Shared;
use axum::{
    Json, Router,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/{version}/{id}", get(object::object))
        .route("/{version}/{id}/messages", post(graph::send))
        .route("/{version}/{id}/media", post(media::upload))
        .route("/sim/media/{id}", get(media::download))
        .fallback(unknown_path)
}

async fn unknown_path(uri: Uri) -> Response {
    let why = format!("the simulator has nothing at {}", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({"error": {"message": why, "code": 2500}}))).into_response()
}
