//! The Graph API's paths for files: upload, description, download.

use super::{graph, refusal::Refusal};
use crate::simulator::{Shared, files};
use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// The largest file that WhatsApp takes, a document.
const FILE_BYTES: usize = 100 << 20;

/// `GET /{version}/{media-id}`: where the file is, for five minutes in life.
pub fn describe(id: &str, headers: &HeaderMap) -> Option<Response> {
    let sample = files::of_id(id)?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let body = json!({
        "messaging_product": "whatsapp",
        "id": id,
        "url": format!("http://{host}/sim/media/{id}"),
        "mime_type": sample.mime_type,
        "sha256": hex::encode(sample.sha256()),
        "file_size": sample.bytes.len(),
    });
    Some(Json(body).into_response())
}

/// `GET /sim/media/{id}`: the file itself; needs the token, as with Meta.
pub async fn download(
    State(sim): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = graph::authorise(&sim, &headers) {
        return refusal.into_response(sim.serial());
    }
    match files::of_id(&id) {
        Some(sample) => ([(header::CONTENT_TYPE, sample.mime_type)], sample.bytes).into_response(),
        None => Refusal::no_object("get", &id).into_response(sim.serial()),
    }
}

/// `POST /{version}/{phone-number-id}/media`: takes any file, keeps none.
pub async fn upload(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    // Read to the end: a client that is not listened to takes it for a fault.
    let _ = to_bytes(body, FILE_BYTES).await;
    let allowed = graph::authorise(&sim, &headers)
        .and_then(|()| graph::our_number(&sim, &version, &id, "post"));
    match allowed {
        Ok(()) => Json(json!({"id": files::new_id("upload", sim.serial())})).into_response(),
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}
