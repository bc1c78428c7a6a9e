//! When a plugin's sources have changed. Compares files, as seldom as a person
//! needs: what builds make themselves is left out.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How often files are compared.
const PERIOD: Duration = Duration::from_millis(300);
/// Folders that builds and package managers write; those whose names begin
/// with a dot are left out as well.
const MADE: [&str; 4] = ["build", "target", "node_modules", "__pycache__"];
/// Folders within folders that are looked into.
const DEPTH: usize = 8;

/// The state of a folder's files.
pub struct Sources {
    folder: PathBuf,
    state: u64,
}

impl Sources {
    pub fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), state: state(folder) }
    }

    /// Returns once a file has been changed, added or removed, and the edit
    /// has come to rest.
    pub fn wait_for_change(&self) {
        let mut last = self.state;
        loop {
            thread::sleep(PERIOD);
            let now = state(&self.folder);
            if now != self.state && now == last {
                return;
            }
            last = now;
        }
    }
}

fn state(folder: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    add(folder, DEPTH, &mut hasher);
    hasher.finish()
}

fn add(folder: &Path, depth: usize, hasher: &mut DefaultHasher) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| entry.ok().map(|it| it.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || MADE.contains(&name.as_str()) {
            continue;
        }
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() {
            if depth > 0 {
                add(&path, depth - 1, hasher);
            }
            continue;
        }
        path.hash(hasher);
        (metadata.len(), metadata.modified().ok()).hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_a_change_and_a_build_is_none() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("src")).unwrap();
        fs::create_dir_all(root.path().join("build")).unwrap();
        fs::write(root.path().join("src/a"), "one").unwrap();
        let before = state(root.path());
        fs::write(root.path().join("build/a.wasm"), "made").unwrap();
        assert_eq!(state(root.path()), before);
        fs::write(root.path().join("src/a"), "other").unwrap();
        let edited = state(root.path());
        assert_ne!(edited, before);
        fs::write(root.path().join("src/b"), "").unwrap();
        assert_ne!(state(root.path()), edited);
    }
}
