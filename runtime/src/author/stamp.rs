//! Whether a component is still the one that its sources make: a digest of
//! everything that went into it, kept beside what was built.

use super::{BuildError, Language, Project, fetch, files, files::Owned};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

const FILE: &str = "built";

/// The digest of the sources, the cases, the toolchain and this program's part
/// in it. None where the language's own tool knows better: cargo.
pub(super) fn of(project: &Project, cases: Option<&[u8]>) -> Result<Option<String>, BuildError> {
    if project.language == Language::Rust {
        return Ok(None);
    }
    let mut digest = Sha256::new();
    let mut add = |name: &[u8], bytes: &[u8]| {
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name);
        digest.update((bytes.len() as u64).to_be_bytes());
        digest.update(bytes);
    };
    for path in files::sources(&project.folder)? {
        add(path.as_os_str().as_encoded_bytes(), &files::read(&path)?);
    }
    if let Some(cases) = cases {
        add(b"cases", cases);
    }
    for (name, text) in files::WIT {
        add(name.as_bytes(), text.as_bytes());
    }
    for (name, text) in kit(project.language) {
        add(name.as_bytes(), text.as_bytes());
    }
    for tool in fetch::PINNED {
        add(tool.name.as_bytes(), tool.packages.join(" ").as_bytes());
    }
    add(b"program", env!("CARGO_PKG_VERSION").as_bytes());
    Ok(Some(hex::encode(digest.finalize())))
}

/// What this program adds to a project of the language.
fn kit(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::C => &super::c::KIT,
        Language::Go => &super::go::KIT,
        Language::Typescript => &super::typescript::KIT,
        Language::Rust | Language::Python => &[],
    }
}

/// Whether the component is there, unaltered, and made of the same.
pub(super) fn fits(owned: &Owned, component: &Path, stamp: &Option<String>) -> bool {
    let (Some(stamp), Ok(bytes)) = (stamp, fs::read(component)) else { return false };
    fs::read_to_string(owned.path(FILE)).is_ok_and(|held| held == line(stamp, &bytes))
}

pub(super) fn put(owned: &Owned, bytes: &[u8], stamp: &Option<String>) -> Result<(), BuildError> {
    match stamp {
        Some(stamp) => owned.put(FILE, line(stamp, bytes)),
        None => Ok(()),
    }
}

fn line(stamp: &str, component: &[u8]) -> String {
    format!("{stamp} {}\n", hex::encode(Sha256::digest(component)))
}
