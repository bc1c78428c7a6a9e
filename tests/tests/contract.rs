//! What was promised to plugins stays: released contracts do not change, and
//! the one that is worked on only adds to the newest of its series.
//!
//! `cargo test -p switchboard-tests --test contract -- --ignored freeze` puts
//! the working contract into `wit/released`; see `wit/CHANGES.md`.

#[path = "contract/items.rs"]
mod items;

use items::Contract;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use switchboard_tests::repository;

const HEAD: &str = "\
# The contracts in `released/`, each with the SHA-256 of its files. One that is
# published never changes: make a new version. How is in CHANGES.md.

";

/// `wit/released.toml`, the oldest first.
#[derive(Deserialize, Serialize)]
struct Releases {
    #[serde(default)]
    release: Vec<Release>,
}

#[derive(Deserialize, Serialize)]
struct Release {
    version: String,
    digest: String,
    /// Whether a host that serves it has been given to anybody. Until then it
    /// may be frozen again.
    published: bool,
}

fn wit() -> PathBuf {
    repository().join("wit")
}

fn releases(wit: &Path) -> Releases {
    toml::from_str(&fs::read_to_string(wit.join("released.toml")).unwrap()).unwrap()
}

/// The WIT files of a folder, by name.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "wit") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    assert!(!found.is_empty(), "no contract in {}", folder.display());
    found
}

/// Over names and contents, each with its length, so that nothing can move
/// from one to the other.
fn digest(texts: &BTreeMap<String, String>) -> String {
    let mut hasher = Sha256::new();
    for (name, text) in texts {
        for part in [name, text] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
    }
    format!("sha256:{}", hex::encode(hasher.finalize()))
}

/// What is wrong with the releases in `wit`.
fn problems(wit: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let releases = releases(wit).release;
    for Release { version, digest: was, .. } in &releases {
        let folder = wit.join("released").join(version);
        if !folder.is_dir() {
            found.push(format!("wit/released/{version} is gone"));
            continue;
        }
        let is = digest(&texts(&folder));
        if is != *was {
            found.push(format!(
                "wit/released/{version} was changed ({was}, now {is}): a released contract never \
                 changes: make a new version"
            ));
        }
        assert_eq!(Contract::read(&folder).version, *version, "in {}", folder.display());
    }
    for entry in fs::read_dir(wit.join("released")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !releases.iter().any(|release| release.version == name) {
            found.push(format!("wit/released/{name} is not in wit/released.toml"));
        }
    }
    let working = Contract::read(wit);
    let of_series =
        releases.iter().rev().map(|release| wit.join("released").join(&release.version));
    let of_series =
        of_series.filter(|folder| folder.is_dir()).map(|folder| Contract::read(&folder));
    if let Some(newest) = of_series.into_iter().find(|one| one.series() == working.series()) {
        let broken = working.breaks(&newest);
        let against =
            |why: String| format!("wit/ breaks plugins made for {}: {why}", newest.version);
        found.extend(broken.into_iter().map(against));
    } else {
        found
            .push(format!("no release of {} is in wit/released.toml: freeze it", working.series()));
    }
    found
}

#[test]
fn what_was_promised_stays() {
    let problems = problems(&wit());
    assert!(
        problems.is_empty(),
        "{}\nA change that breaks is a new minor version; see wit/CHANGES.md.",
        problems.join("\n")
    );
}

/// A copy of `wit/` to spoil.
fn copy() -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    write(&texts(&wit()), copy.path());
    freeze_in(copy.path(), false);
    assert_eq!(problems(copy.path()), Vec::<String>::new());
    copy
}

fn write(texts: &BTreeMap<String, String>, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (name, text) in texts {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// Puts one text for another into a file.
fn swap(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "no `{from}` in {}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_change_that_breaks_is_found() {
    for (file, from, to, found) in [
        (
            "types.wit",
            "path: string,",
            "path: string,\n line: u32,",
            "type types.problem: was record",
        ),
        (
            "types.wit",
            "text(string),",
            "text(string), sound(string),",
            "type types.content: was var",
        ),
        (
            "types.wit",
            "enum scope { contact, plugin }",
            "enum scope { plugin, contact }",
            "types.scope",
        ),
        ("types.wit", "type instant = u64;", "type instant = s64;", "type types.instant: was u64"),
        (
            "imports.wit",
            "has-tag: func(name: string) -> bool;",
            "",
            "function contact.has-tag: is gone",
        ),
        (
            "imports.wit",
            "mark-read: func(typing: bool)",
            "mark-read: func(t: bool)",
            "effects.mark-read",
        ),
        (
            "imports.wit",
            "because: func(reason: string);",
            "because: func(reason: string) -> bool;",
            "was func(reason: string), and is func(reason: string) -> bool",
        ),
        ("world.wit", "import kv;", "", "world plugin imports kv: is gone"),
        (
            "world.wit",
            "export guest;",
            "export guest;\n export contact;",
            "exports contact: is new",
        ),
        (
            "world.wit",
            "describe: func()",
            "more: func();\n describe: func()",
            "function guest.more: is new",
        ),
    ] {
        let copy = copy();
        swap(&copy.path().join(file), from, to);
        let problems = problems(copy.path());
        assert!(problems.iter().any(|problem| problem.contains(found)), "{to}: {problems:?}");
    }
}

#[test]
fn an_addition_or_another_word_breaks_nothing() {
    let copy = copy();
    let at = |file: &str| copy.path().join(file);
    swap(&at("imports.wit"), "interface log {", "interface log {\n /// New.\n shout: func();");
    swap(&at("world.wit"), "import kv;", "import kv;\n import weather;");
    fs::write(
        at("weather.wit"),
        "package switchboard:plugin@0.1.0;\ninterface weather { rains: func() -> bool; }",
    )
    .unwrap();
    for file in ["imports.wit", "media.wit", "types.wit", "world.wit"] {
        swap(&at(file), "///", "/// In other words.\n///");
    }
    assert_eq!(problems(copy.path()), Vec::<String>::new());
}

#[test]
fn a_release_is_never_changed() {
    let copy = copy();
    let version = Contract::read(copy.path()).version;
    let released = copy.path().join("released").join(&version);
    swap(&released.join("types.wit"), "///", "/// In other words.\n///");
    let told = problems(copy.path()).join("\n");
    assert!(told.contains("a released contract never changes: make a new version"), "{told}");
    fs::remove_dir_all(&released).unwrap();
    let told = problems(copy.path()).join("\n");
    assert!(told.contains("is gone") && told.contains("no release of "), "{told}");
    fs::create_dir(copy.path().join("released/9.9.9")).unwrap();
    assert!(problems(copy.path()).join("\n").contains("9.9.9 is not in wit/released.toml"));
}

#[test]
fn what_is_published_is_not_frozen_again() {
    let copy = copy();
    freeze_in(copy.path(), true);
    let again = || std::panic::catch_unwind(|| freeze_in(copy.path(), false));
    assert!(again().is_ok(), "nothing has changed");
    assert!(releases(copy.path()).release[0].published);
    swap(&copy.path().join("types.wit"), "///", "/// In other words.\n///");
    assert!(again().is_err());
    // A new version goes beside it.
    for file in ["imports.wit", "media.wit", "types.wit", "world.wit"] {
        let text = fs::read_to_string(copy.path().join(file)).unwrap();
        let (_, rest) = text.split_once('\n').unwrap();
        fs::write(copy.path().join(file), format!("package switchboard:plugin@0.1.77;\n{rest}"))
            .unwrap();
    }
    assert!(again().is_ok());
    let versions: Vec<String> =
        releases(copy.path()).release.into_iter().map(|release| release.version).collect();
    assert_eq!(versions.len(), 2);
    assert_eq!((versions[1].as_str(), problems(copy.path())), ("0.1.77", Vec::new()));
}

/// Puts the contract of `wit` into its `released`.
fn freeze_in(wit: &Path, published: bool) {
    let texts = texts(wit);
    let version = Contract::read(wit).version;
    let digest = digest(&texts);
    let mut releases = if wit.join("released.toml").exists() {
        releases(wit)
    } else {
        Releases { release: vec![] }
    };
    let before = releases.release.iter_mut().find(|release| release.version == version);
    match before {
        Some(before) => {
            assert!(
                !before.published || before.digest == digest,
                "{version} is published, and a released contract never changes: make a new version"
            );
            before.digest = digest;
            before.published |= published;
        }
        None => releases.release.push(Release { version: version.clone(), digest, published }),
    }
    let folder = wit.join("released").join(&version);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    write(&texts, &folder);
    let text = toml::to_string(&releases).unwrap();
    fs::write(wit.join("released.toml"), format!("{HEAD}{text}")).unwrap();
}

#[test]
#[ignore = "writes: puts the working contract into wit/released"]
fn freeze() {
    freeze_in(&wit(), false);
}
