//! Files, as far as a bot can tell: ids, their description and some bytes.
//! Nothing is stored: the id says what kind of file it stands for.

use super::{Shared, errors::Refusal, graph};
use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// The largest file that WhatsApp takes, a document.
const FILE_BYTES: usize = 100 << 20;

/// One per kind; the place in this list is the first digit of an id, from 1.
const SAMPLES: [(&str, &str, &[u8]); 4] = [
    ("image", "image/png", PIXEL),
    ("document", "application/pdf", PAPER),
    ("audio", "audio/ogg; codecs=opus", b"OggS"),
    ("upload", "application/octet-stream", b""),
];

/// A PDF with one empty page.
const PAPER: &[u8] = b"%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\ntrailer<</Root 1 0 R>>\n";

/// A PNG with one pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44, 0x41, 0x54,
    0x78, 0x9c, 0x63, 0x50, 0xbd, 0x9c, 0xf6, 0x1f, 0, 4, 0xdd, 2, 0x5e, 0x3b, 0x0b, 0x4e, 0x63, 0,
    0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub mime_type: &'static str,
    pub bytes: &'static [u8],
}

impl Sample {
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.bytes).into()
    }
}

fn place(kind: &str) -> usize {
    SAMPLES.iter().position(|(name, ..)| *name == kind).unwrap_or(SAMPLES.len() - 1)
}

pub fn sample(kind: &str) -> Sample {
    let found = SAMPLES.get(place(kind)).copied();
    let (_, mime_type, bytes) = found.unwrap_or(("", "application/octet-stream", b""));
    Sample { mime_type, bytes }
}

pub fn new_id(kind: &str, serial: u64) -> String {
    format!("{}{serial:014}", place(kind) + 1)
}

/// None if it is not one of ours.
fn of_id(id: &str) -> Option<Sample> {
    let digits = id.len() == 15 && id.bytes().all(|byte| byte.is_ascii_digit());
    let place = usize::try_from(id.chars().next()?.to_digit(10)?).ok()?.checked_sub(1)?;
    let (kind, ..) = SAMPLES.get(place)?;
    digits.then(|| sample(kind))
}

/// `GET /{version}/{media-id}`: where the file is, for five minutes in life.
pub fn describe(id: &str, headers: &HeaderMap) -> Option<Response> {
    let sample = of_id(id)?;
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
    match of_id(&id) {
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
        Ok(()) => Json(json!({"id": new_id("upload", sim.serial())})).into_response(),
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_it_stands_for() {
        assert_eq!(of_id(&new_id("image", 7)).unwrap().mime_type, "image/png");
        assert_eq!(of_id(&new_id("document", 8)).unwrap().mime_type, "application/pdf");
        assert!(of_id("123").is_none());
        assert!(of_id("900000000000001").is_none());
    }
}
