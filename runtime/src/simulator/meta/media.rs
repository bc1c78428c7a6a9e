//! The Graph API's paths for files: upload, description, download, removal.

use super::{
    graph::{authorise, our_number, version},
    multipart,
    refusal::Refusal,
};
use crate::simulator::{
    Shared, Sim,
    files::{self, LINK_LIFE_MS},
    state::Millis,
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use hmac::{Hmac, Mac as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

/// Where files are downloaded.
pub const LINK: &str = "/whatsapp_business/attachments";

/// `GET /{version}/{media-id}`: where the file is, for five minutes.
pub fn describe(sim: &Sim, id: &str, headers: &HeaderMap) -> Option<Value> {
    let now = sim.now();
    let world = sim.world();
    let file = world.files.find(id, now)?;
    let mut sha256 = file.sha256;
    if world.settings.media.wrong_hash
        && let Some(first) = sha256.first_mut()
    {
        *first ^= 0xff;
    }
    let until = now + LINK_LIFE_MS;
    let (host, proof) = (super::host(headers), proof(sim, id, until));
    Some(json!({
        "messaging_product": "whatsapp",
        "id": id,
        "url": format!("http://{host}{LINK}?mid={id}&ext={until}&hash={proof}"),
        "mime_type": file.mime_type,
        "sha256": hex::encode(sha256),
        "file_size": file.bytes.len(),
    }))
}

/// Ties an address to its file and its end.
fn proof(sim: &Sim, id: &str, until: Millis) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&sim.salt.to_be_bytes()) else {
        return String::new();
    };
    mac.update(format!("{id} {until}").as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[derive(Deserialize)]
pub struct Link {
    mid: String,
    ext: Millis,
    hash: String,
}

/// The file itself; needs the token, as with Meta. A dead address is a 404.
pub async fn download(
    State(sim): State<Shared>,
    Query(link): Query<Link>,
    headers: HeaderMap,
) -> Response {
    let slow = sim.world().settings.media.slow_ms;
    if slow > 0 {
        sim.wait(slow).await;
    }
    if let Err(refusal) = authorise(&sim, &headers) {
        return refusal.into_response(sim.serial());
    }
    let now = sim.now();
    let alive = now < link.ext && link.hash == proof(&sim, &link.mid, link.ext);
    let world = sim.world();
    match world.files.find(&link.mid, now).filter(|_| alive && !world.settings.media.dead) {
        Some(file) => {
            let mime_type = file.mime_type.clone();
            ([(header::CONTENT_TYPE, mime_type)], file.bytes.clone()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "this address does not work any more").into_response(),
    }
}

/// `POST /{version}/{phone-number-id}/media`.
pub async fn upload(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let taken = authorise(&sim, &headers)
        .and_then(|()| our_number(&sim, &version, &id, "post"))
        .and_then(|()| checked(&headers, &body));
    match taken {
        Ok((mime_type, bytes)) => {
            let id = files::new_id(sim.serial());
            let now = sim.now();
            sim.world().files.add(id.clone(), &mime_type, bytes, true, now);
            Json(json!({"id": id})).into_response()
        }
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}

fn checked(headers: &HeaderMap, body: &Bytes) -> Result<(String, Bytes), Refusal> {
    let form = multipart::read(headers, body)
        .ok_or_else(|| Refusal::new(100, "the body must be multipart/form-data"))?;
    let text = |name: &str| {
        let part = form.iter().find(|part| part.name == name)?;
        String::from_utf8(part.bytes.to_vec()).ok()
    };
    if text("messaging_product").as_deref() != Some("whatsapp") {
        return Err(Refusal::new(100, "messaging_product must be \"whatsapp\""));
    }
    let file = form.iter().find(|part| part.name == "file");
    let file = file.ok_or_else(|| Refusal::new(100, "The parameter file is required."))?;
    let mime_type = file.mime_type.clone().or_else(|| text("type"));
    let mime_type =
        mime_type.ok_or_else(|| Refusal::new(100, "The parameter type is required."))?;
    let Some(most) = files::most_bytes(&mime_type) else {
        let why = format!("Param file must be a file with one of the known types, not {mime_type}");
        return Err(Refusal::new(100, why));
    };
    if file.bytes.is_empty() || file.bytes.len() > most {
        let size = file.bytes.len();
        let why = format!("a file of {mime_type} needs 1 to {most} bytes, not {size}");
        return Err(Refusal::new(131053, why));
    }
    Ok((mime_type, file.bytes.clone()))
}

/// `DELETE /{version}/{media-id}`.
pub async fn delete(
    State(sim): State<Shared>,
    Path((number, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let removed =
        authorise(&sim, &headers).and_then(|()| version(&number)).and_then(|()| {
            match sim.world().files.remove(&id) {
                true => Ok(()),
                false => Err(Refusal::no_object("delete", &id)),
            }
        });
    match removed {
        Ok(()) => Json(json!({"success": true})).into_response(),
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}
