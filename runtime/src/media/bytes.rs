//! What a file's first bytes say it is, and which types may be named to a
//! browser. Pure.

/// A known type: what it is called, its other names, and whether a beginning
/// is one of its.
struct Known {
    mime_types: &'static [&'static str],
    begins: fn(&[u8]) -> bool,
}

/// Each type that can be told by its beginning. The first name is the one it
/// is called by.
const KNOWN: [Known; 10] = [
    Known { mime_types: &["image/jpeg", "image/jpg"], begins: |b| b.starts_with(b"\xff\xd8\xff") },
    Known { mime_types: &["image/png"], begins: |b| b.starts_with(b"\x89PNG\r\n\x1a\n") },
    Known { mime_types: &["image/webp"], begins: |b| b.starts_with(b"RIFF") && has(b, 8, b"WEBP") },
    Known { mime_types: &["image/gif"], begins: |b| b.starts_with(b"GIF8") },
    Known { mime_types: &["application/pdf"], begins: |b| b.starts_with(b"%PDF-") },
    Known { mime_types: &["audio/ogg", "audio/opus"], begins: |b| b.starts_with(b"OggS") },
    Known {
        // One container for pictures that move and for sound alone.
        mime_types: &[
            "video/mp4",
            "video/3gpp",
            "video/3gp",
            "video/quicktime",
            "audio/mp4",
            "audio/x-m4a",
            "audio/m4a",
            "audio/3gpp",
        ],
        begins: |b| has(b, 4, b"ftyp"),
    },
    Known { mime_types: &["audio/amr"], begins: |b| b.starts_with(b"#!AMR") },
    Known {
        mime_types: &["audio/mpeg", "audio/mp3"],
        begins: |b| b.starts_with(b"ID3") || (mpeg(b) && !adts(b)),
    },
    Known { mime_types: &["audio/aac"], begins: adts },
];

fn has(bytes: &[u8], at: usize, what: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(what))
}

/// The frame mark of MPEG sound: eleven bits.
fn mpeg(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, second, ..] if second & 0xe0 == 0xe0)
}

/// As `mpeg`, with a layer that only AAC has.
fn adts(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, second, ..] if second & 0xf6 == 0xf0)
}

/// A type without its parameters, in small letters.
pub(super) fn bare(mime_type: &str) -> String {
    mime_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Where the bytes are not of the type that they are said to be, what they
/// look like: another type, or `unknown`. None where they are, and where the
/// type can't be told by a beginning.
pub(super) fn looks_like(mime_type: &str, head: &[u8]) -> Option<&'static str> {
    let said = KNOWN.iter().find(|known| known.mime_types.contains(&mime_type));
    if said.is_some_and(|said| (said.begins)(head)) {
        return None;
    }
    let found = KNOWN.iter().find(|known| (known.begins)(head));
    let found = found.and_then(|found| found.mime_types.first().copied());
    match said {
        Some(_) => Some(found.unwrap_or("unknown")),
        // A document may be anything, but a picture is no spreadsheet.
        None => found.filter(|_| mime_type != "application/octet-stream"),
    }
}

/// Whether a browser may be told this type: none of them is run or holds
/// scripts.
pub fn is_safe_to_name(mime_type: &str) -> bool {
    KNOWN.iter().any(|known| known.mime_types.contains(&mime_type)) || mime_type == "text/plain"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_told_by_its_beginning() {
        for (mime_type, head, expected) in [
            ("image/jpeg", &b"\xff\xd8\xff\xe0..JFIF"[..], None),
            ("image/png", b"\x89PNG\r\n\x1a\n", None),
            ("image/webp", b"RIFF\x10\0\0\0WEBPVP8 ", None),
            ("audio/ogg", b"OggS\0", None),
            ("video/mp4", b"\0\0\0\x18ftypmp42", None),
            ("audio/mp4", b"\0\0\0\x18ftypM4A ", None),
            ("audio/aac", b"\xff\xf1\x50", None),
            ("audio/mpeg", b"\xff\xfb\x90", None),
            ("application/pdf", b"%PDF-1.7", None),
            ("text/plain", b"hello", None),
            ("application/vnd.ms-excel", b"\xd0\xcf\x11\xe0", None),
            ("application/octet-stream", b"%PDF-1.7", None),
            ("image/jpeg", b"%PDF-1.7", Some("application/pdf")),
            ("image/jpeg", b"<html><script>", Some("unknown")),
            ("image/png", b"", Some("unknown")),
            ("audio/aac", b"\xff\xfb\x90", Some("audio/mpeg")),
            ("text/plain", b"GIF89a", Some("image/gif")),
        ] {
            assert_eq!(looks_like(mime_type, head), expected, "{mime_type} {head:?}");
        }
    }

    #[test]
    fn only_plain_types_are_named() {
        assert_eq!(bare("Audio/OGG; codecs=opus"), "audio/ogg");
        assert!(is_safe_to_name("image/jpeg") && is_safe_to_name("text/plain"));
        for odd in ["text/html", "image/svg+xml", "application/javascript", "", "text/xml"] {
            assert!(!is_safe_to_name(odd), "{odd}");
        }
    }
}
