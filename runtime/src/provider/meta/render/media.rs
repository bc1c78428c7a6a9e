//! Pictures, videos, sounds and files, on their own, in headers and on cards.

use super::insert;
use crate::model::{Header, MediaKind, MediaSource, OutgoingMedia};
use serde_json::{Value, json};

/// A message of its own: its type and what stands under it.
pub(super) fn form(media: &OutgoingMedia) -> (&'static str, Value) {
    let (kind, mut form) = bare(media);
    insert(&mut form, "caption", media.caption.as_ref());
    let voice = (media.kind == MediaKind::Voice).then_some(true);
    insert(&mut form, "voice", voice);
    (kind, form)
}

/// As a header and as a template's parameter: `{"type": "image", "image": …}`.
pub(super) fn typed(media: &OutgoingMedia) -> Value {
    let (kind, form) = bare(media);
    json!({"type": kind, kind: form})
}

pub(super) fn header(header: &Header) -> Value {
    match header {
        Header::Text(text) => json!({"type": "text", "text": text}),
        Header::Media(media) => typed(media),
    }
}

fn bare(media: &OutgoingMedia) -> (&'static str, Value) {
    let kind = match media.kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio | MediaKind::Voice => "audio",
        MediaKind::Document => "document",
        MediaKind::Sticker => "sticker",
    };
    let mut form = match &media.source {
        MediaSource::Id(id) => json!({"id": id}),
        // A file is uploaded before this and has an id then.
        MediaSource::Link(link) | MediaSource::File(link) => json!({"link": link}),
    };
    insert(&mut form, "filename", media.filename.as_ref());
    (kind, form)
}
