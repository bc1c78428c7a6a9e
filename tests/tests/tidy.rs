//! The rules of CONTRIBUTING.md and ARCHITECTURE.md that a program can check.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use switchboard_tests::repository;

struct Source {
    /// From the repository's root.
    path: String,
    text: String,
}

impl Source {
    /// The text without its unit tests, which may do what they like.
    fn production(&self) -> &str {
        match self.path.ends_with("/tests.rs") {
            true => "",
            false => self.text.split("#[cfg(test)]").next().unwrap(),
        }
    }

    /// `runtime/src/outbox/limiter.rs` → `outbox`.
    fn module(&self) -> Option<&str> {
        let rest = self.path.strip_prefix("runtime/src/")?;
        Some(rest.split(['/', '.']).next().unwrap())
    }
}

fn sources() -> Vec<Source> {
    let root = repository();
    let mut found = Vec::new();
    for folder in ["runtime", "plugin-sdk", "plugins", "tests"] {
        walk(&root.join(folder), &mut found);
    }
    let read = |path: PathBuf| Source {
        path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(&path).unwrap(),
    };
    let sources: Vec<_> = found.into_iter().map(read).collect();
    assert!(sources.len() > 50, "the walk found {} files", sources.len());
    sources
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        // What is hidden is made by tools: `.switchboard` in an example.
        if name == "target" || name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn assert_none(problems: &[String], rule: &str) {
    assert!(problems.is_empty(), "{rule}\n{}", problems.join("\n"));
}

#[test]
fn every_module_says_what_it_owns() {
    let problems: Vec<_> = sources()
        .iter()
        // The one that the guide shows word for word is not ours to comment.
        .filter(|source| !source.path.starts_with("tests/guests/loyalty"))
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path.clone())
        .collect();
    assert_none(&problems, "a file begins with `//!` and what it owns");
}

#[test]
fn modules_stand_beside_their_folders() {
    let problems: Vec<_> = sources()
        .iter()
        .filter(|source| source.path.ends_with("/mod.rs"))
        .map(|source| source.path.clone())
        .collect();
    assert_none(&problems, "`foo.rs` and `foo/`, never `mod.rs`");
}

/// The aim is 400.
const FILE_LINES: usize = 550;
const FUNCTION_LINES: usize = 70;
/// Longer because they are lists: of cases, of names.
const LISTS: [&str; 7] = [
    "tests/tests/tidy.rs",
    "tests/tests/store.rs",
    "tests/tests/config.rs",
    "tests/tests/config/business.rs",
    "tests/tests/provider.rs",
    "tests/guests/hostile/src/lib.rs",
    "tests/src/hostile/cases.rs",
];

#[test]
fn files_and_functions_fit_a_head() {
    let mut problems = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > FILE_LINES {
            problems.push(format!("{}: {lines} lines", source.path));
        }
        for (line, length) in functions(&source.text) {
            if length > FUNCTION_LINES && !LISTS.contains(&source.path.as_str()) {
                problems.push(format!("{}:{line}: a function of {length} lines", source.path));
            }
        }
    }
    assert_none(&problems, &format!("files to {FILE_LINES} lines, functions to {FUNCTION_LINES}"));
}

/// The first line and the length of each function, by rustfmt's indentation.
fn functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words: Vec<&str> = code.split(' ').take(4).collect();
        if !words.contains(&"fn") || code.starts_with("//") || code.ends_with(';') {
            continue;
        }
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        if let Some(length) = lines[start..].iter().position(|line| **line == end) {
            found.push((start + 1, length + 1));
        }
    }
    found
}

/// Which files may name a thing of the outside world.
const OUTSIDE: [(&str, &[&str]); 14] = [
    ("axum::", &["ingress", "console", "simulator", "app"]),
    ("hyper", &["app"]),
    ("wasmtime", &["plugin"]),
    ("wasmparser::", &["plugin"]),
    ("wit_component::", &["author"]),
    ("oci_client::", &["plugin"]),
    ("sled::Config", &["store/sled.rs"]),
    ("sled::Db", &["store/sled.rs"]),
    ("notify::", &["reload"]),
    ("calcard::", &["config/ics.rs"]),
    ("reqwest::", &["outbox", "simulator", "cli", "plugin", "templates", "media"]),
    ("SystemTime", &["clock.rs"]),
    ("Instant::now", &["clock.rs"]),
    ("env::var", &["config", "main.rs"]),
];

#[test]
fn the_outside_world_is_named_in_few_places() {
    let mut problems = Vec::new();
    for source in sources() {
        let Some(inside) = source.path.strip_prefix("runtime/src/") else { continue };
        for (name, allowed) in OUTSIDE {
            let named = code_lines(source.production()).any(|line| line.contains(name));
            if named && !allowed.iter().any(|place| inside.starts_with(place)) {
                problems.push(format!("{} names {name}, only {allowed:?} may", source.path));
            }
        }
    }
    assert_none(&problems, "see ARCHITECTURE.md, “What names what”");
}

fn code_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// Which of our modules a module may name. A new arrow is written in
/// ARCHITECTURE.md first.
fn arrows() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let table: [(&str, &[&str]); 29] = [
        ("calendar", &[]),
        ("model", &[]),
        ("clock", &["model"]),
        ("traffic", &["model"]),
        ("wake", &["clock", "model"]),
        ("config", &["calendar", "model"]),
        ("policy", &["model"]),
        ("provider", &["model", "config"]),
        ("store", &["model", "clock"]),
        ("templates", &["model", "clock", "config", "outbox", "provider", "store", "wake"]),
        (
            "turn",
            &["calendar", "model", "clock", "config", "policy", "provider", "store", "templates"],
        ),
        (
            "plugin",
            &[
                "calendar", "model", "clock", "config", "media", "turn", "policy", "store",
                "provider",
            ],
        ),
        ("media", &["model", "clock", "config", "outbox", "provider", "store", "wake"]),
        (
            "cases",
            &[
                "calendar", "model", "clock", "config", "plugin", "policy", "provider", "store",
                "turn",
            ],
        ),
        ("author", &["cases", "config"]),
        (
            "generation",
            &[
                "calendar", "model", "config", "plugin", "provider", "turn", "clock", "cases",
                "outbox",
            ],
        ),
        (
            "rehearsal",
            &[
                "cases",
                "clock",
                "dispatch",
                "generation",
                "model",
                "outbox",
                "policy",
                "store",
                "telemetry",
                "templates",
                "timers",
                "turn",
                "wake",
            ],
        ),
        (
            "dry_run",
            &["clock", "generation", "model", "outbox", "policy", "store", "templates", "turn"],
        ),
        ("reload", &["model", "config", "clock", "generation", "plugin", "wake"]),
        ("ingress", &["model", "clock", "provider", "store", "traffic", "wake"]),
        (
            "dispatch",
            &[
                "model",
                "clock",
                "generation",
                "policy",
                "store",
                "telemetry",
                "templates",
                "turn",
                "wake",
            ],
        ),
        ("timers", &["model", "clock", "store", "wake"]),
        ("outbox", &["model", "clock", "policy", "provider", "store", "traffic", "wake"]),
        ("telemetry", &["clock", "model", "ingress", "outbox", "store"]),
        (
            "console",
            &[
                "model",
                "clock",
                "config",
                "dispatch",
                "dry_run",
                "media",
                "outbox",
                "policy",
                "reload",
                "store",
                "telemetry",
                "templates",
                "wake",
            ],
        ),
        ("sample", &[]),
        ("simulator", &["clock"]),
        (
            "app",
            &[
                "clock",
                "config",
                "console",
                "dispatch",
                "generation",
                "ingress",
                "media",
                "model",
                "outbox",
                "plugin",
                "reload",
                "sample",
                "simulator",
                "store",
                "telemetry",
                "templates",
                "timers",
                "traffic",
                "wake",
            ],
        ),
        (
            "cli",
            &[
                "app",
                "author",
                "cases",
                "clock",
                "config",
                "generation",
                "model",
                "plugin",
                "rehearsal",
                "reload",
                "sample",
                "telemetry",
                "templates",
            ],
        ),
    ];
    table.into_iter().map(|(from, to)| (from, to.iter().copied().collect())).collect()
}

#[test]
fn the_arrows_between_modules_are_the_ones_drawn() {
    let arrows = arrows();
    let mut problems = BTreeSet::new();
    for source in sources() {
        let Some(from) = source.module().filter(|from| !["lib", "main"].contains(from)) else {
            continue;
        };
        let Some(allowed) = arrows.get(from) else {
            problems.insert(format!("the module {from} is not in the table of arrows"));
            continue;
        };
        for to in named_modules(source.production()) {
            if to != from && arrows.contains_key(to.as_str()) && !allowed.contains(to.as_str()) {
                problems.insert(format!("{}: {from} → {to}", source.path));
            }
        }
    }
    let problems: Vec<_> = problems.into_iter().collect();
    assert_none(&problems, "a new arrow is written in ARCHITECTURE.md first");
}

/// `crate::store::Store` and `use crate::{clock::Clock, store}` → names.
fn named_modules(text: &str) -> BTreeSet<String> {
    let code: String = code_lines(text).collect::<Vec<_>>().join(" ");
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let mut named = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            named.insert(word(rest));
            continue;
        };
        let (mut depth, mut fresh) = (0, true);
        for (at, character) in group.char_indices() {
            if fresh && depth == 0 && character.is_alphabetic() {
                named.insert(word(&group[at..]));
            }
            match character {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ => {}
            }
            fresh = character == ',' || (fresh && character.is_whitespace());
        }
    }
    named
}

#[test]
fn names_say_what_a_thing_is() {
    let banned = ["Manager", "Service", "Handler", "Processor", "Helper", "Util", "Common"];
    let mut problems = Vec::new();
    for source in sources() {
        for line in code_lines(source.production()) {
            let mut words =
                line.trim_start().trim_start_matches("pub ").split([' ', '<', '(', '{']);
            let defines = matches!(words.next(), Some("struct" | "enum" | "trait" | "type"));
            let name = words.next().unwrap_or_default();
            if defines && banned.iter().any(|word| name.contains(word)) {
                problems.push(format!("{}: {name}", source.path));
            }
        }
    }
    assert_none(&problems, &format!("a name with one of {banned:?} says nothing"));
}

#[test]
fn no_component_is_kept_in_the_repository() {
    let root = repository();
    let listed = std::process::Command::new("git").arg("ls-files").current_dir(&root).output();
    let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
    let problems: Vec<_> =
        listed.lines().filter(|file| file.ends_with(".wasm")).map(str::to_owned).collect();
    assert_none(&problems, "plugins are built from source");
}

#[test]
fn the_checks_themselves_can_see() {
    let text =
        "use crate::{clock::Clock, model::{A, B}, store};\nfn f() {\n    crate::policy::x();\n}\n";
    let named: Vec<_> = named_modules(text).into_iter().collect();
    assert_eq!(named, ["clock", "model", "policy", "store"]);
    assert_eq!(functions(text), [(2, 3)]);
}
