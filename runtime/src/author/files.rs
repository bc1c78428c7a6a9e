//! What is written into a project: the folder `.switchboard`, which belongs to
//! this program, and the component. Whatever has not changed is left alone, so
//! that tools that look at a file's age build nothing again.

use super::{BuildError, Project};
use crate::config::write_whole;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The contract, as in `wit/`.
pub(super) const WIT: [(&str, &str); 4] = [
    ("types.wit", include_str!("../../../wit/types.wit")),
    ("imports.wit", include_str!("../../../wit/imports.wit")),
    ("media.wit", include_str!("../../../wit/media.wit")),
    ("world.wit", include_str!("../../../wit/world.wit")),
];

/// What a project's `.gitignore` should hold.
const IGNORED: &str = "*\n";

/// The folder `.switchboard` of a project.
pub(super) struct Owned(PathBuf);

impl Owned {
    /// Makes it, with the contract inside.
    pub fn prepare(project: &Project) -> Result<Self, BuildError> {
        let owned = Self(project.folder.join(".switchboard"));
        // It ignores itself, whatever the project's own `.gitignore` says.
        owned.put(".gitignore", IGNORED)?;
        for (name, text) in WIT {
            owned.put(&format!("wit/{name}"), text)?;
        }
        Ok(owned)
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.0.join(inside)
    }

    pub fn put(&self, inside: &str, bytes: impl AsRef<[u8]>) -> Result<(), BuildError> {
        put(&self.path(inside), bytes.as_ref()).map(drop)
    }

    /// An empty folder, for what a tool makes anew each time.
    pub fn cleared(&self, inside: &str) -> Result<PathBuf, BuildError> {
        let path = self.path(inside);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(trouble(&path)(error));
            }
            Ok(()) | Err(_) => {}
        }
        fs::create_dir_all(&path).map_err(trouble(&path))?;
        Ok(path)
    }
}

/// Writes a file unless it holds the same. Whether it was written.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<bool, BuildError> {
    if fs::read(path).is_ok_and(|held| held == bytes) {
        return Ok(false);
    }
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(trouble(folder))?;
    write_whole(path, bytes).map(|()| true).map_err(trouble(path))
}

/// Every file under a folder, in order; not what tools keep there.
pub(super) fn sources(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    const MADE: [&str; 5] = ["build", "target", "node_modules", "__pycache__", "dist"];
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(trouble(&folder))? {
            let entry = entry.map_err(trouble(&folder))?;
            let kind = entry.file_type().map_err(trouble(&folder))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            if !kind.is_dir() {
                found.push(entry.path());
            } else if !MADE.contains(&&*name) {
                folders.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// An error of a file, with the file.
pub(super) fn trouble(path: &Path) -> impl FnOnce(io::Error) -> BuildError {
    let path = path.to_owned();
    move |error| BuildError::File { path, error }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(trouble(path))
}
