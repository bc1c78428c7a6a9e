//! A new plugin to start from, in each language: files within the program with
//! the plugin's name put in.

use super::Language;
use crate::config::{PLUGIN_NAME, is_plugin_name};
use std::{
    io::{Error, ErrorKind, Result},
    path::{Path, PathBuf},
};

type File = (&'static str, &'static str);

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("templates/", $path))
    };
}

/// The same for every language.
const COMMON: [File; 10] = [
    ("plugin.toml", template!("plugin.toml")),
    ("README.md", template!("README.md")),
    (".gitignore", template!("gitignore")),
    ("cases/greets/event.json", template!("cases/greets/event.json")),
    ("cases/greets/expected.json", template!("cases/greets/expected.json")),
    ("cases/leaves-the-rest/event.json", template!("cases/leaves-the-rest/event.json")),
    ("cases/leaves-the-rest/rules.toml", template!("cases/leaves-the-rest/rules.toml")),
    ("cases/leaves-the-rest/expected.json", template!("cases/leaves-the-rest/expected.json")),
    ("cases/refuses-empty-texts/rules.toml", template!("cases/refuses-empty-texts/rules.toml")),
    (
        "cases/refuses-empty-texts/expected.json",
        template!("cases/refuses-empty-texts/expected.json"),
    ),
];
const RUST: [File; 2] =
    [("Cargo.toml", template!("rust/Cargo.toml")), ("src/lib.rs", template!("rust/src/lib.rs"))];

const TYPESCRIPT: [File; 2] = [
    ("tsconfig.json", template!("typescript/tsconfig.json")),
    ("src/plugin.ts", template!("typescript/src/plugin.ts")),
];
const PYTHON: [File; 1] = [("app.py", template!("python/app.py"))];
const GO: [File; 2] = [("go.mod", template!("go/go.mod")), ("main.go", template!("go/main.go"))];
const C: [File; 1] = [("plugin.c", template!("c/plugin.c"))];

/// The files of a language; the last is the one to begin with.
fn files(language: Language) -> &'static [File] {
    match language {
        Language::Rust => &RUST,
        Language::Typescript => &TYPESCRIPT,
        Language::Python => &PYTHON,
        Language::Go => &GO,
        Language::C => &C,
    }
}

/// Writes a new project into `folder`, which must not exist or be empty, and
/// returns its files, relative to it. The plugin gets the folder's name.
/// Error: that is no name for a plugin, or the folder can't be written.
pub fn write(folder: &Path, language: Language) -> Result<Vec<PathBuf>> {
    let name = name_of(folder)?;
    if folder.is_file() || folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let message = "it is there already: choose another name";
        return Err(Error::new(ErrorKind::AlreadyExists, message));
    }
    let source = files(language).last().map_or("", |(path, _)| path);
    let mut written = Vec::new();
    for (path, text) in COMMON.iter().chain(files(language)) {
        let text = text
            .replace("{{name}}", &name)
            .replace("{{language}}", language.name())
            .replace("{{source}}", &format!("`{source}`"));
        let place = folder.join(path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(place, text)?;
        written.push(PathBuf::from(path));
    }
    Ok(written)
}

fn name_of(folder: &Path) -> Result<String> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    // Packages of some languages need it.
    let letter_first = name.starts_with(|c: char| c.is_ascii_lowercase());
    if letter_first && is_plugin_name(&name) {
        return Ok(name);
    }
    let message = format!("`{name}` is no name for a plugin: {PLUGIN_NAME}, a letter first");
    Err(Error::new(ErrorKind::InvalidInput, message))
}
