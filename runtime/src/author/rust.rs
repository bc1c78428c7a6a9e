//! Plugins in Rust: the SDK that fits this host is written beside the source,
//! in the layout of this repository, and cargo does the rest.

use super::{
    Bench, BuildError, files,
    tool::{CARGO, RUSTC, RUSTUP, Tool},
};
use std::path::PathBuf;

const TARGET: &str = "wasm32-wasip2";

/// The SDK's sources, by their path in the repository.
const SDK: [(&str, &str); 21] = [
    ("plugin-sdk/src/lib.rs", include_str!("../../../plugin-sdk/src/lib.rs")),
    ("plugin-sdk/src/effects.rs", include_str!("../../../plugin-sdk/src/effects.rs")),
    ("plugin-sdk/src/http.rs", include_str!("../../../plugin-sdk/src/http.rs")),
    ("plugin-sdk/src/media.rs", include_str!("../../../plugin-sdk/src/media.rs")),
    ("plugin-sdk/src/messages.rs", include_str!("../../../plugin-sdk/src/messages.rs")),
    ("plugin-sdk/src/messages/media.rs", include_str!("../../../plugin-sdk/src/messages/media.rs")),
    ("plugin-sdk/src/messages/shop.rs", include_str!("../../../plugin-sdk/src/messages/shop.rs")),
    (
        "plugin-sdk/src/messages/template.rs",
        include_str!("../../../plugin-sdk/src/messages/template.rs"),
    ),
    ("plugin-sdk/src/messages/tests.rs", include_str!("../../../plugin-sdk/src/messages/tests.rs")),
    ("plugin-sdk/src/plugin.rs", include_str!("../../../plugin-sdk/src/plugin.rs")),
    ("plugin-sdk/src/template.rs", include_str!("../../../plugin-sdk/src/template.rs")),
    ("plugin-sdk/src/testing.rs", include_str!("../../../plugin-sdk/src/testing.rs")),
    ("plugin-sdk/src/testing/host.rs", include_str!("../../../plugin-sdk/src/testing/host.rs")),
    ("plugin-sdk/src/text.rs", include_str!("../../../plugin-sdk/src/text.rs")),
    ("plugin-sdk/src/values.rs", include_str!("../../../plugin-sdk/src/values.rs")),
    ("runtime/src/plugin/zones.rs", include_str!("../plugin/zones.rs")),
    ("runtime/src/calendar.rs", include_str!("../calendar.rs")),
    ("runtime/src/calendar/names.rs", include_str!("../calendar/names.rs")),
    ("runtime/src/calendar/spans.rs", include_str!("../calendar/spans.rs")),
    ("runtime/src/calendar/words.rs", include_str!("../calendar/words.rs")),
    // Only its documentation tests read it; rustdoc wants it there.
    ("README.md", ""),
];
const MANIFEST: &str = include_str!("../../../plugin-sdk/Cargo.toml");
const WORKSPACE: &str = include_str!("../../../Cargo.toml");

pub(super) fn build(bench: &Bench<'_>) -> Result<Vec<u8>, BuildError> {
    for (name, text) in SDK {
        bench.owned.put(name, text)?;
    }
    let manifest = manifest().map_err(BuildError::Contract)?;
    bench.owned.put("plugin-sdk/Cargo.toml", manifest)?;
    have_target(bench)?;
    let said = Tool::needed(CARGO, "to build Rust", bench.env)
        .within(&bench.project.folder)
        .args(["build", "--quiet", "--release", "--target", TARGET])
        .args(["--message-format", "json-render-diagnostics", "--target-dir"])
        .arg(bench.owned.path("target"))
        .called("building with cargo")
        .run()?;
    let component = component(&said).ok_or_else(|| BuildError::Project {
        file: bench.project.folder.join("Cargo.toml"),
        reason: "makes no component; it needs [lib] with crate-type = [\"cdylib\"]".into(),
    })?;
    files::read(&component)
}

/// The last component that cargo says it has made.
fn component(messages: &str) -> Option<PathBuf> {
    let of = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let made = message.get("filenames")?.as_array()?;
        made.iter()
            .filter_map(|name| name.as_str())
            .find(|name| name.ends_with(".wasm"))
            .map(PathBuf::from)
    };
    messages.lines().rev().find_map(of)
}

/// Adds the target to the toolchain of the project if it is not there.
fn have_target(bench: &Bench<'_>) -> Result<(), BuildError> {
    if has_target(bench)? {
        return Ok(());
    }
    (bench.say)(&format!("adding the target {TARGET} with rustup (once)"));
    let added = Tool::needed(RUSTUP, &format!("to add the target {TARGET}"), bench.env)
        .within(&bench.project.folder)
        .args(["target", "add", TARGET])
        .called(format!("adding the target {TARGET}"))
        .run();
    // Another build may have added it meanwhile.
    if has_target(bench)? { Ok(()) } else { added.map(drop) }
}

fn has_target(bench: &Bench<'_>) -> Result<bool, BuildError> {
    let libraries = Tool::needed(RUSTC, "to build Rust", bench.env)
        .within(&bench.project.folder)
        .args(["--print", "target-libdir", "--target", TARGET])
        .run()?;
    Ok(PathBuf::from(libraries.trim()).is_dir())
}

/// The SDK's manifest with what it inherits from the workspace filled in.
fn manifest() -> Result<String, String> {
    let parse = |text: &str| text.parse::<toml::Table>().map_err(|error| error.to_string());
    let (mut manifest, workspace) = (parse(MANIFEST)?, parse(WORKSPACE)?);
    let shared = |section: &str| {
        let workspace = workspace.get("workspace")?.as_table()?;
        workspace.get(section)?.as_table()
    };
    let package = shared("package").ok_or("the workspace has no package")?;
    let dependencies = shared("dependencies").ok_or("the workspace has no dependencies")?;
    manifest.remove("lints");
    fill(&mut manifest, package, dependencies);
    // Of no workspace, wherever the project is.
    toml::to_string(&manifest).map_err(|error| error.to_string())
}

/// Replaces `{ workspace = true }` wherever it stands.
fn fill(table: &mut toml::Table, package: &toml::Table, dependencies: &toml::Table) {
    for (name, value) in table.iter_mut() {
        let toml::Value::Table(inner) = value else { continue };
        if inner.get("workspace").and_then(toml::Value::as_bool) == Some(true) {
            if let Some(shared) = dependencies.get(name).or_else(|| package.get(name)) {
                *value = shared.clone();
            }
        } else {
            fill(inner, package, dependencies);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, path::Path};

    #[test]
    fn the_manifest_stands_alone() {
        let text = manifest().unwrap();
        assert!(!text.contains("workspace"), "{text}");
        let table: toml::Table = text.parse().unwrap();
        assert_eq!(table["package"]["edition"].as_str(), Some("2024"));
        assert!(table["dependencies"]["wit-bindgen"]["version"].is_str(), "{text}");
        assert!(table["target"].to_string().contains("jiff"), "{text}");
    }

    #[test]
    fn every_source_of_the_sdk_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut found = BTreeSet::new();
        for path in files::sources(&root.join("plugin-sdk/src")).unwrap() {
            found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
        let listed: BTreeSet<String> = SDK
            .iter()
            .map(|(name, _)| name.to_string())
            .filter(|name| name.starts_with("plugin-sdk"))
            .collect();
        assert_eq!(found, listed);
    }
}
