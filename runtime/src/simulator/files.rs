//! Files, as far as a bot can tell: ids, their description and some bytes.
//! Nothing is stored: the id says what kind of file it stands for. Pure.

use sha2::{Digest as _, Sha256};

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
pub fn of_id(id: &str) -> Option<Sample> {
    let digits = id.len() == 15 && id.bytes().all(|byte| byte.is_ascii_digit());
    let place = usize::try_from(id.chars().next()?.to_digit(10)?).ok()?.checked_sub(1)?;
    let (kind, ..) = SAMPLES.get(place)?;
    digits.then(|| sample(kind))
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
