//! A file under `media/`: whether it may be sent, and its digest.

use crate::model::MediaKind;
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

const KB: u64 = 1024;
const MB: u64 = 1024 * KB;
const STICKER: u64 = 100 * KB;
const ANIMATED: u64 = 500 * KB;
/// As much of a file's beginning as tells what it is.
const HEAD: usize = 64;

/// A file that may be sent.
#[derive(Debug)]
pub(super) struct Found {
    pub path: PathBuf,
    /// As the plugin named it.
    pub name: String,
    pub mime: &'static str,
    pub bytes: u64,
    pub sha256: String,
}

/// A file's digest, with what shows that it is still the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digest {
    bytes: u64,
    changed: Duration,
    sha256: String,
}

/// What a file ending means: the MIME type, and the signs that the file has at
/// a place near its beginning.
struct Form {
    endings: &'static [&'static str],
    mime: &'static str,
    at: usize,
    signs: &'static [u8],
}

const fn form(
    endings: &'static [&'static str],
    mime: &'static str,
    at: usize,
    signs: &'static [u8],
) -> Form {
    Form { endings, mime, at, signs }
}

const IMAGES: [Form; 2] = [
    form(&["jpg", "jpeg"], "image/jpeg", 0, b"\xff\xd8\xff"),
    form(&["png"], "image/png", 0, b"\x89PNG"),
];
const VIDEOS: [Form; 2] =
    [form(&["mp4"], "video/mp4", 4, b"ftyp"), form(&["3gp"], "video/3gpp", 4, b"ftyp")];
const VOICES: [Form; 1] = [form(&["ogg"], "audio/ogg", 28, b"OpusHead")];
const SOUNDS: [Form; 5] = [
    form(&["aac"], "audio/aac", 0, b""),
    form(&["amr"], "audio/amr", 0, b"#!AMR"),
    form(&["mp3"], "audio/mpeg", 0, b""),
    form(&["m4a"], "audio/mp4", 4, b"ftyp"),
    form(&["ogg"], "audio/ogg", 28, b"OpusHead"),
];
const STICKERS: [Form; 1] = [form(&["webp"], "image/webp", 8, b"WEBP")];
const DOCUMENTS: [Form; 8] = [
    form(&["pdf"], "application/pdf", 0, b"%PDF"),
    form(&["txt", "csv"], "text/plain", 0, b""),
    form(&["doc"], "application/msword", 0, b""),
    form(&["xls"], "application/vnd.ms-excel", 0, b""),
    form(&["ppt"], "application/vnd.ms-powerpoint", 0, b""),
    form(
        &["docx"],
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        0,
        b"PK",
    ),
    form(&["xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 0, b"PK"),
    form(
        &["pptx"],
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        0,
        b"PK",
    ),
];

/// What a kind may be, and how large.
fn allowed(kind: MediaKind) -> (&'static [Form], u64) {
    match kind {
        MediaKind::Image => (&IMAGES, 5 * MB),
        MediaKind::Video => (&VIDEOS, 16 * MB),
        MediaKind::Audio => (&SOUNDS, 16 * MB),
        MediaKind::Voice => (&VOICES, 16 * MB),
        MediaKind::Document => (&DOCUMENTS, 100 * MB),
        MediaKind::Sticker => (&STICKERS, ANIMATED),
    }
}

/// Looks at the file `name` under `folder`. Its digest is taken from `known` if
/// it has not changed since. Error: why it can't be sent, for the owner.
pub(super) fn look(
    folder: &Path,
    name: &str,
    kind: MediaKind,
    known: Option<Digest>,
) -> Result<(Found, Digest), String> {
    let unread = |error: io::Error| format!("the file `media/{name}` can't be read: {error}");
    let path = folder.join(name).canonicalize().map_err(unread)?;
    if !path.starts_with(folder.canonicalize().map_err(unread)?) {
        return Err(format!("the file `media/{name}` is not within `media/`"));
    }
    let mut file = File::open(&path).map_err(unread)?;
    let about = file.metadata().map_err(unread)?;
    if !about.is_file() {
        return Err(format!("`media/{name}` is no file"));
    }
    let mut head = Vec::new();
    (&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(unread)?;
    let mime = mime(name, kind, &head)?;
    check_size(name, kind, about.len(), &head)?;
    let bytes = about.len();
    let sha256 = match (changed(&about), known) {
        (Some(changed), Some(known)) if (bytes, changed) == (known.bytes, known.changed) => {
            known.sha256
        }
        _ => digest(&head, file).map_err(unread)?,
    };
    let changed = changed(&about).unwrap_or_default();
    let digest = Digest { bytes, changed, sha256: sha256.clone() };
    Ok((Found { path, name: name.to_owned(), mime, bytes, sha256 }, digest))
}

fn changed(about: &fs::Metadata) -> Option<Duration> {
    about.modified().ok()?.duration_since(UNIX_EPOCH).ok()
}

fn mime(name: &str, kind: MediaKind, head: &[u8]) -> Result<&'static str, String> {
    let (forms, _) = allowed(kind);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let ending = ending.unwrap_or_default();
    let Some(form) = forms.iter().find(|form| form.endings.contains(&ending.as_str())) else {
        let endings: Vec<&str> =
            forms.iter().flat_map(|form| form.endings.iter().copied()).collect();
        let (kind, endings) = (kind.name(), endings.join(", "));
        return Err(format!(
            "the file `media/{name}` can't be sent as {kind}: allowed are {endings}"
        ));
    };
    let there = head.get(form.at..).unwrap_or_default();
    match there.starts_with(form.signs) {
        true => Ok(form.mime),
        false => {
            Err(format!("the file `media/{name}` is not what its ending says ({})", form.mime))
        }
    }
}

fn check_size(name: &str, kind: MediaKind, bytes: u64, head: &[u8]) -> Result<(), String> {
    let (_, limit) = allowed(kind);
    let limit = match kind {
        MediaKind::Sticker if !animated(head) => STICKER,
        _ => limit,
    };
    if bytes == 0 {
        return Err(format!("the file `media/{name}` is empty"));
    }
    match bytes > limit {
        true => Err(format!(
            "the file `media/{name}` has {} KB, and {} KB are allowed for {}",
            bytes.div_ceil(KB),
            limit / KB,
            kind.name()
        )),
        false => Ok(()),
    }
}

/// A WebP in the extended form says so in its flags.
fn animated(head: &[u8]) -> bool {
    const FLAGS: usize = 20;
    const ANIMATION: u8 = 2;
    let extended = head.get(12..).is_some_and(|rest| rest.starts_with(b"VP8X"));
    extended && head.get(FLAGS).is_some_and(|flags| flags & ANIMATION != 0)
}

fn digest(head: &[u8], mut rest: File) -> io::Result<String> {
    const PIECE: usize = 64 * 1024;
    let mut digest = Sha256::new();
    digest.update(head);
    let mut piece = vec![0; PIECE];
    loop {
        match rest.read(&mut piece)? {
            0 => return Ok(hex::encode(digest.finalize())),
            read => digest.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(folder: &Path, name: &str, kind: MediaKind) -> String {
        look(folder, name, kind, None).unwrap_err()
    }

    #[test]
    fn a_file_is_what_it_says_and_within_its_limit() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("media");
        fs::create_dir_all(folder.join("bread")).unwrap();
        let put = |name: &str, head: &[u8], bytes: usize| {
            let mut content = head.to_vec();
            content.resize(bytes, 0);
            fs::write(folder.join(name), content).unwrap();
        };
        put("menu.pdf", b"%PDF-1.7", 1_000);
        put("bread/rye.JPG", b"\xff\xd8\xff", 5 * 1024 * 1024);
        put("big.png", b"\x89PNG", 5 * 1024 * 1024 + 1);
        put("fake.png", b"%PDF", 10);
        put("empty.txt", b"", 0);
        put("still.webp", b"RIFF....WEBPVP8 ", 101 * 1024);
        put("moving.webp", b"RIFF....WEBPVP8X....\x02", 101 * 1024);
        put("vorbis.ogg", b"OggS", 100);
        fs::write(home.path().join("secret.txt"), "s").unwrap();
        std::os::unix::fs::symlink(home.path().join("secret.txt"), folder.join("out.txt")).unwrap();

        let (found, digest) = look(&folder, "menu.pdf", MediaKind::Document, None).unwrap();
        assert_eq!((found.mime, found.bytes), ("application/pdf", 1_000));
        let mut content = b"%PDF-1.7".to_vec();
        content.resize(1_000, 0);
        assert_eq!(found.sha256, hex::encode(Sha256::digest(&content)));
        // Not read again while it is the same, and read when it is not.
        let known = Digest { sha256: "known".into(), ..digest };
        let again = look(&folder, "menu.pdf", MediaKind::Document, Some(known.clone())).unwrap();
        assert_eq!(again.0.sha256, "known");
        put("menu.pdf", b"%PDF-1.7", 1_001);
        let changed = look(&folder, "menu.pdf", MediaKind::Document, Some(known)).unwrap();
        assert_ne!(changed.0.sha256, "known");

        assert!(look(&folder, "bread/rye.JPG", MediaKind::Image, None).is_ok());
        assert!(look(&folder, "moving.webp", MediaKind::Sticker, None).is_ok());
        for (name, kind, words) in [
            ("none.pdf", MediaKind::Document, "can't be read"),
            ("bread", MediaKind::Document, "is no file"),
            ("out.txt", MediaKind::Document, "is not within `media/`"),
            ("../secret.txt", MediaKind::Document, "is not within `media/`"),
            ("menu.pdf", MediaKind::Image, "can't be sent as image: allowed are jpg, jpeg, png"),
            ("big.png", MediaKind::Image, "has 5121 KB, and 5120 KB are allowed for image"),
            ("fake.png", MediaKind::Image, "is not what its ending says (image/png)"),
            ("empty.txt", MediaKind::Document, "is empty"),
            ("still.webp", MediaKind::Sticker, "has 101 KB, and 100 KB are allowed for sticker"),
            ("vorbis.ogg", MediaKind::Voice, "is not what its ending says (audio/ogg)"),
        ] {
            let said = refused(&folder, name, kind);
            assert!(said.contains(words), "{name}: {said}");
        }
    }
}
