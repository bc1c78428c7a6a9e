//! Files that customers sent and that the business uploaded: their bytes, as
//! long as WhatsApp keeps them. Bounded in number and in bytes.

use super::state::{DAY_MS, Millis};
use axum::body::Bytes;
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, VecDeque};

/// Files in all; then the oldest are forgotten.
const FILES_MAX: usize = 100_000;
/// Bytes in all, the samples not counted; then the oldest files are forgotten.
const BYTES_MAX: usize = 256 << 20;
/// An upload is kept so long.
const UPLOAD_LIFE_MS: Millis = 30 * DAY_MS;
/// What a customer sent can be had so long.
const INBOUND_LIFE_MS: Millis = 7 * DAY_MS;
/// The address of a file works so long.
pub const LINK_LIFE_MS: Millis = 5 * 60 * 1_000;

#[derive(Clone, Debug)]
pub struct File {
    pub mime_type: String,
    pub bytes: Bytes,
    pub sha256: [u8; 32],
    /// None of our own samples, which take no room.
    ours: bool,
    until: Millis,
}

#[derive(Clone, Debug, Default)]
pub struct Files {
    by_id: HashMap<String, File>,
    oldest_first: VecDeque<String>,
    bytes: usize,
}

impl Files {
    pub fn add(&mut self, id: String, mime_type: &str, bytes: Bytes, uploaded: bool, now: Millis) {
        let life = if uploaded { UPLOAD_LIFE_MS } else { INBOUND_LIFE_MS };
        let sha256 = Sha256::digest(&bytes).into();
        let file =
            File { mime_type: mime_type.into(), bytes, sha256, ours: true, until: now + life };
        self.keep(id, file);
    }

    /// A small file of this kind, as a customer sends it.
    pub fn add_sample(&mut self, id: String, sample: &Sample, now: Millis) {
        self.keep(
            id,
            File {
                mime_type: sample.mime_type.into(),
                bytes: Bytes::from_static(sample.bytes),
                sha256: sample.sha256(),
                ours: false,
                until: now + INBOUND_LIFE_MS,
            },
        );
    }

    fn keep(&mut self, id: String, file: File) {
        self.bytes += size(&file);
        self.oldest_first.push_back(id.clone());
        self.by_id.insert(id, file);
        while self.oldest_first.len() > FILES_MAX || self.bytes > BYTES_MAX {
            let Some(oldest) = self.oldest_first.pop_front() else { return };
            if let Some(gone) = self.by_id.remove(&oldest) {
                self.bytes -= size(&gone);
            }
        }
    }

    /// None if there is no such file, or none any more.
    pub fn find(&self, id: &str, now: Millis) -> Option<&File> {
        self.by_id.get(id).filter(|file| now < file.until)
    }

    /// True if it was there.
    pub fn remove(&mut self, id: &str) -> bool {
        // Its place in the order stays, and is skipped when it comes.
        let gone = self.by_id.remove(id);
        self.bytes -= gone.as_ref().map_or(0, size);
        gone.is_some()
    }
}

fn size(file: &File) -> usize {
    if file.ours { file.bytes.len() } else { 0 }
}

/// A small file that is built in.
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

/// By the kind of message, or by the MIME type if that is asked for.
pub fn sample(kind: &str, mime_type: Option<&str>) -> Sample {
    let (mime_type, bytes): (_, &'static [u8]) = match (kind, mime_type) {
        ("image", Some("image/png")) => ("image/png", include_bytes!("samples/photo.png")),
        ("image", _) => ("image/jpeg", include_bytes!("samples/photo.jpg")),
        ("video", _) => ("video/mp4", include_bytes!("samples/clip.mp4")),
        ("audio", _) => ("audio/ogg; codecs=opus", include_bytes!("samples/note.ogg")),
        ("sticker", _) => ("image/webp", include_bytes!("samples/sticker.webp")),
        (_, _) => ("application/pdf", include_bytes!("samples/paper.pdf")),
    };
    Sample { mime_type, bytes }
}

/// As long as Meta's ids are.
pub fn new_id(serial: u64) -> String {
    format!("7{serial:014}")
}

/// The most that WhatsApp takes of a type; none if it does not take the type.
pub fn most_bytes(mime_type: &str) -> Option<usize> {
    let plain = mime_type.split(';').next().unwrap_or("").trim();
    match plain {
        "image/jpeg" | "image/png" => Some(5 << 20),
        "image/webp" => Some(500 << 10),
        "video/mp4" | "video/3gpp" => Some(16 << 20),
        "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg" => Some(16 << 20),
        other if other.starts_with("text/") || other.starts_with("application/") => Some(100 << 20),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_end_and_the_oldest_make_room() {
        let mut files = Files::default();
        files.add("1".into(), "text/plain", Bytes::from_static(b"abc"), false, 0);
        assert_eq!(files.find("1", INBOUND_LIFE_MS - 1).unwrap().bytes, "abc");
        assert!(files.find("1", INBOUND_LIFE_MS).is_none());
        let big = Bytes::from(vec![0; 100 << 20]);
        for id in ["2", "3", "4"] {
            files.add(id.into(), "text/plain", big.clone(), true, 0);
        }
        assert!(files.find("1", 0).is_none() && files.find("2", 0).is_none());
        assert!(files.find("3", 0).is_some() && files.bytes <= BYTES_MAX);
        assert!(files.remove("3") && !files.remove("3"));
        assert_eq!(files.bytes, 100 << 20);
    }

    #[test]
    fn samples_are_what_they_say() {
        let begins = |kind, mime, bytes: &[u8]| sample(kind, mime).bytes.starts_with(bytes);
        assert!(begins("image", None, b"\xff\xd8\xff"));
        assert!(begins("image", Some("image/png"), b"\x89PNG\r\n"));
        assert!(begins("audio", None, b"OggS"));
        assert!(begins("document", None, b"%PDF-"));
        assert!(begins("sticker", None, b"RIFF"));
        assert_eq!(sample("video", None).bytes.get(4..8), Some(&b"ftyp"[..]));
    }
}
