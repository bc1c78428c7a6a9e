//! Whether the files of a business folder may have changed. The system's
//! notices are only a hint to look; what counts is the files' fingerprint.

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use std::{
    collections::BTreeSet,
    fs::DirEntry,
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::Notify;

/// Only these hold rules, chains and plugins. Editors' temporary files end
/// otherwise.
const ENDINGS: [&str; 7] = ["toml", "json", "wasm", "lock", "pub", "pem", "ics"];
/// Folders within folders are followed this deep.
const DEPTH: usize = 8;

pub(super) struct Watch {
    folder: PathBuf,
    /// Where state is kept, which is written all the time.
    state: PathBuf,
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    changed: Arc<Notify>,
}

impl Watch {
    /// Watches `folder` but for `state`, a path within it. Where watching is
    /// not possible a warning is logged, and only the fingerprint serves.
    pub(super) fn start(folder: &Path, state: &str) -> Self {
        let changed = Arc::new(Notify::new());
        let hint = Arc::clone(&changed);
        let concerns = |event: &notify::Event| {
            !event.kind.is_access() && event.paths.iter().any(|path| is_of_business(path))
        };
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // An error may mean that notices were lost.
            if event.as_ref().map_or(true, concerns) {
                hint.notify_one();
            }
        });
        let watcher = watcher.inspect_err(warn).ok();
        let state = folder.join(state);
        let watched = BTreeSet::new();
        let mut watch = Self { folder: folder.into(), state, watcher, watched, changed };
        watch.follow_folders();
        watch
    }

    /// Returns when something may have changed.
    pub(super) async fn hint(&self) {
        self.changed.notified().await;
    }

    /// Each folder is watched by itself, so that the one with the state is not.
    pub(super) fn follow_folders(&mut self) {
        let Some(watcher) = &mut self.watcher else { return };
        let mut folders = BTreeSet::new();
        let mut files = Vec::new();
        walk(&self.folder, &self.state, DEPTH, &mut folders, &mut files);
        for gone in self.watched.difference(&folders) {
            // Most likely the folder is gone, and its watch with it.
            let _ = watcher.unwatch(gone);
        }
        self.watched.retain(|folder| folders.contains(folder));
        for folder in folders {
            if self.watched.contains(&folder) {
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(folder);
                }
                Err(error) => {
                    warn(&error);
                    self.watcher = None;
                    return;
                }
            }
        }
    }

    /// Differs when a file was added, removed, replaced or written.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut files = Vec::new();
        walk(&self.folder, &self.state, DEPTH, &mut BTreeSet::new(), &mut files);
        files.sort();
        let mut hasher = DefaultHasher::new();
        for file in files {
            // Follows links: what counts is the file that is read.
            let state = std::fs::metadata(&file)
                .map(|of| (of.ino(), of.len(), of.mtime(), of.mtime_nsec(), of.ctime_nsec()));
            (file, state.ok()).hash(&mut hasher);
        }
        hasher.finish()
    }
}

fn warn(error: &notify::Error) {
    tracing::warn!(
        error = %error,
        "the business folder can't be watched; it is compared every two seconds instead"
    );
}

fn is_of_business(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().and_then(|ending| ending.to_str());
    // Without an ending it may be a folder.
    !hidden && ending.is_none_or(|ending| ENDINGS.contains(&ending))
}

fn walk(
    folder: &Path,
    state: &Path,
    depth: usize,
    folders: &mut BTreeSet<PathBuf>,
    files: &mut Vec<PathBuf>,
) {
    folders.insert(folder.into());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry: DirEntry| entry.path()) {
        if path == *state || !is_of_business(&path) {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                walk(&path, state, depth - 1, folders, files);
            }
        } else if path.extension().is_some() {
            files.push(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_of_the_business_changes_the_fingerprint() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("switchboard.toml", "a");
        write("data/db.toml", "a");
        let watch = Watch::start(root.path(), "data");
        let mut before = watch.fingerprint();
        for file in [
            "data/db.toml",
            "data/new.toml",
            "README.md",
            ".hidden.toml",
            ".git/x.toml",
            "rules/faq.toml~",
            "rules/.faq.toml.swp",
            "rules/4913",
        ] {
            write(file, "changed");
            assert_eq!(watch.fingerprint(), before, "{file}");
        }
        let mut changes = |what: &str| {
            let after = watch.fingerprint();
            assert_ne!(after, before, "{what}");
            before = after;
        };
        write("rules/faq.toml", "a");
        changes("a new file");
        write("rules/faq.toml", "ab");
        changes("an edit");
        write("rules/faq.new", "cd");
        std::fs::rename(root.path().join("rules/faq.new"), root.path().join("rules/faq.toml"))
            .unwrap();
        changes("a file in the place of another");
        write("plugins/x.wasm", "x");
        changes("a plugin");
        write("holidays.ics", "x");
        changes("a calendar of another program");
        std::fs::remove_file(root.path().join("rules/faq.toml")).unwrap();
        changes("a removal");
    }
}
