//! Pictures, videos, sounds and files.

use super::{
    Fitted, fit_text,
    limits::{filled, label, length, optional, web},
};
use crate::model::{Header, MediaKind, MediaSource, Outgoing, OutgoingMedia};

const CAPTION_MAX: usize = 1024;
const HEADER_MAX: usize = 60;
const FILENAME_MAX: usize = 240;

pub(super) fn media(media: OutgoingMedia) -> Fitted {
    let (mut media, caption) = bare(media)?;
    let captions = match media.kind {
        MediaKind::Image | MediaKind::Video | MediaKind::Document => true,
        MediaKind::Audio | MediaKind::Voice | MediaKind::Sticker => false,
    };
    let mut messages = Vec::new();
    match caption {
        Some(caption) if captions && length(&caption) <= CAPTION_MAX => {
            media.caption = Some(caption);
        }
        Some(caption) => messages = fit_text(&caption)?,
        None => {}
    }
    messages.insert(0, Outgoing::Media(media));
    Ok(messages)
}

/// What stands above a body: text, an image, a video or a document.
pub(super) fn header(header: Option<Header>) -> Result<Option<Header>, String> {
    match header {
        Some(Header::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(Header::Text(text)) => {
            label("header", &text, HEADER_MAX)?;
            Ok(Some(Header::Text(text)))
        }
        Some(Header::Media(picture)) => {
            let kinds = [MediaKind::Image, MediaKind::Video, MediaKind::Document];
            shown("a header", picture, &kinds).map(|picture| Some(Header::Media(picture)))
        }
        None => Ok(None),
    }
}

/// Media in a place that takes some kinds, and no caption.
pub(super) fn shown(
    place: &str,
    media: OutgoingMedia,
    kinds: &[MediaKind],
) -> Result<OutgoingMedia, String> {
    if !kinds.contains(&media.kind) {
        let allowed: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let (kind, allowed) = (media.kind.name(), allowed.join(", "));
        return Err(format!("{place} can't be of the kind {kind}; allowed here: {allowed}"));
    }
    let (media, caption) = bare(media)?;
    match caption {
        Some(_) => Err(format!("the {} in {place} can't have a caption", media.kind.name())),
        None => Ok(media),
    }
}

/// Checked, with its caption apart.
fn bare(mut media: OutgoingMedia) -> Result<(OutgoingMedia, Option<String>), String> {
    let kind = media.kind.name();
    match &media.source {
        MediaSource::Id(id) => filled(&format!("the id of the {kind}"), id)?,
        MediaSource::Link(link) => {
            let what = format!("{kind} link");
            filled(&format!("the link of the {kind}"), link)?;
            if !link.starts_with("https://") {
                return Err(format!("{what} `{link}` must begin with `https://`"));
            }
            web(&what, link)?;
        }
        MediaSource::File(file) => inside(kind, file)?,
    }
    media.filename = match media.kind {
        MediaKind::Document => optional(media.filename),
        _ => None,
    };
    if let Some(name) = &media.filename {
        label("filename", name, FILENAME_MAX)?;
    }
    let caption = optional(media.caption.take());
    Ok((media, caption))
}

/// A path that stays under `media/`.
fn inside(kind: &str, file: &str) -> Result<(), String> {
    filled(&format!("the file of the {kind}"), file)?;
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0', ':']);
    match file.split('/').all(plain) {
        true => label("name of the file", file, FILENAME_MAX),
        false => Err(format!(
            "the file `{file}` of the {kind} must be a path under `media/`, such as `menu.pdf`"
        )),
    }
}
