//! When a plugin's sources have changed. Compares files, as seldom as a person
//! needs: the same ones that a build reads.

use super::{Project, files};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How often files are compared.
const PERIOD: Duration = Duration::from_millis(300);

/// The state of a project's files.
pub struct Sources {
    folder: PathBuf,
    state: u64,
}

impl Sources {
    /// Of a project's folder, whether or not its `plugin.toml` can be read.
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
    for path in paths(folder) {
        // It may be gone by now, which is a change as well.
        let known = fs::metadata(&path).map(|it| (it.len(), it.modified().ok()));
        (path, known.ok()).hash(&mut hasher);
    }
    hasher.finish()
}

/// The sources, and the cases wherever they are. What can't be listed counts
/// as empty.
fn paths(folder: &Path) -> Vec<PathBuf> {
    let found = |folder: &Path| files::sources(folder).unwrap_or_default();
    // It is read each time: an edit may name other cases.
    let Ok(project) = Project::read(folder) else { return found(folder) };
    let mut paths = found(&project.folder);
    paths.extend(found(&project.cases));
    paths
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

    #[test]
    fn cases_that_are_elsewhere_are_watched_too() {
        let root = tempfile::tempdir().unwrap();
        let (project, case) = (root.path().join("c"), root.path().join("cases/one"));
        fs::create_dir_all(&project).unwrap();
        fs::create_dir_all(&case).unwrap();
        let toml = "name = 'a'\nlanguage = 'c'\n";
        fs::write(project.join("plugin.toml"), format!("{toml}cases = '../cases'")).unwrap();
        let before = state(&project);
        fs::write(case.join("event.json"), "{}").unwrap();
        let edited = state(&project);
        assert_ne!(edited, before);
        // A project file that is wrong for a while is a change like any other.
        fs::write(project.join("plugin.toml"), "name").unwrap();
        assert_ne!(state(&project), edited);
    }
}
