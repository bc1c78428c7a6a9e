//! The files that customers send: how far each has got, and its bytes, as
//! something to be saved and never shown in place.

use super::{Answer, Failure, Page, Shared, bad};
use crate::{
    media::is_safe_to_name,
    model::{ChannelId, ContactId, Lane, MediaFile, MediaHere, MediaState, Trace},
    store::{Store, StoreError},
};
use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use serde_json::{Value, json};
use tokio::{fs::File, io::AsyncReadExt};

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;
/// A name is cut after this many characters.
const NAME_CHARS: usize = 100;

/// How far the host has got with a file.
pub async fn state(State(console): Shared, Path((channel, id)): Path<(String, String)>) -> Answer {
    let file = console.store.media(&ChannelId::new(&channel), &id).await?;
    let file = file.ok_or_else(|| missing(&channel, &id))?;
    Ok(Json(view(&file)).into_response())
}

/// The files of a contact's messages, the newest first.
pub async fn of_contact(
    State(console): Shared,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    let contact: ContactId = id.parse().map_err(bad)?;
    let files = console.store.media_of(&Lane::Contact(contact), page.limit()).await?;
    Ok(Json(json!({ "media": files.iter().map(view).collect::<Vec<_>>() })).into_response())
}

/// The bytes of a file.
pub async fn file(State(console): Shared, Path((channel, id)): Path<(String, String)>) -> Answer {
    let file = console.store.media(&ChannelId::new(&channel), &id).await?;
    let file = file.ok_or_else(|| missing(&channel, &id))?;
    let here = match &file.state {
        MediaState::Here(here) => here,
        MediaState::Waiting { .. } => {
            return Err(Failure(StatusCode::CONFLICT, "the file is not here yet".into()));
        }
        MediaState::Failed { reason, .. } => {
            let words = format!("the file is not to be had: {reason}");
            return Err(Failure(StatusCode::GONE, words));
        }
        MediaState::Expired { .. } => {
            let words = "the file was here, and its time is over (`media.days`)";
            return Err(Failure(StatusCode::GONE, words.into()));
        }
    };
    let opened = console.shelf.file(&here.sha256).await.map_err(|error| {
        let words = format!("the file can't be read: {}", error.kind());
        Failure(StatusCode::INTERNAL_SERVER_ERROR, words)
    })?;
    Ok(saved(&file, here, opened))
}

fn saved(file: &MediaFile, here: &MediaHere, opened: File) -> Response {
    // Bytes that are not what they are said to be get no name at all.
    let safe = here.looks_like.is_none() && is_safe_to_name(&here.mime_type);
    let mime_type = if safe { here.mime_type.as_str() } else { "application/octet-stream" };
    let headers = [
        (header::CONTENT_TYPE, mime_type.to_owned()),
        (header::CONTENT_LENGTH, here.bytes.to_string()),
        (header::CONTENT_DISPOSITION, disposition(file)),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    (headers, Body::from_stream(chunks(opened))).into_response()
}

fn chunks(file: File) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send {
    stream::try_unfold(file, |mut file| async move {
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).await?;
        Ok((!chunk.is_empty()).then(|| (Bytes::from(chunk), file)))
    })
}

/// To be saved, under the customer's own name for it: only what every browser
/// and shell takes for plain text is left of that.
fn disposition(file: &MediaFile) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ');
    let name = file.media.filename.as_deref().unwrap_or(file.media.kind.name());
    let name: String =
        name.chars().map(|c| if plain(c) { c } else { '_' }).take(NAME_CHARS).collect();
    format!("attachment; filename=\"{}\"", name.trim_start_matches('.'))
}

fn missing(channel: &str, id: &str) -> Failure {
    Failure(StatusCode::NOT_FOUND, format!("no message on {channel} has brought a file `{id}`"))
}

/// A turn as the API gives it out, with the state of the file that its message
/// bore.
pub async fn with_state(store: &dyn Store, trace: &Trace) -> Result<Value, StoreError> {
    let mut turn = super::view::trace(trace);
    if let (Some(id), Value::Object(shown)) = (&trace.media, &mut turn) {
        let file = store.media(&trace.channel, id).await?;
        let file = file.map_or(json!({ "id": id, "state": "forgotten" }), |file| view(&file));
        shown.insert("media".into(), file);
    }
    Ok(turn)
}

fn view(file: &MediaFile) -> Value {
    let mut shown = json!({
        "channel": file.channel,
        "id": file.media.id,
        "kind": file.media.kind.name(),
        "said_type": file.media.mime_type,
        "filename": file.media.filename,
        "accepted_at": file.accepted_at,
        "tries": file.tries,
        "state": file.state.name(),
    });
    let more = match &file.state {
        MediaState::Waiting { due, reason } => json!({ "due": due, "reason": reason }),
        MediaState::Failed { reason, at } => json!({ "reason": reason, "at": at }),
        MediaState::Expired { at } => json!({ "at": at }),
        MediaState::Here(here) => json!(here),
    };
    if let (Value::Object(shown), Value::Object(more)) = (&mut shown, more) {
        shown.extend(more);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Media, MediaKind};

    #[test]
    fn a_name_is_only_a_name() {
        let named = |name: Option<&str>| {
            let media = Media {
                kind: MediaKind::Document,
                id: "1".into(),
                mime_type: String::new(),
                caption: None,
                filename: name.map(str::to_owned),
                url: None,
                sha256: None,
            };
            let state = MediaState::Expired { at: 0 };
            let channel = ChannelId::new("main");
            let (lanes, accepted_at, tries) = (Vec::new(), 0, 0);
            disposition(&MediaFile { channel, media, lanes, accepted_at, tries, state })
        };
        assert_eq!(named(None), "attachment; filename=\"document\"");
        assert_eq!(named(Some("Bill 7.pdf")), "attachment; filename=\"Bill 7.pdf\"");
        let odd = named(Some("../\"a\"\r\nSet-Cookie: b;é.exe"));
        assert_eq!(odd, "attachment; filename=\"__a___Set-Cookie_ b__.exe\"");
    }
}
