//! Plugins in TypeScript: checked against the contract's types, compiled to
//! JavaScript, with QuickJS inside the component.

mod types;

use super::{
    Bench, BuildError,
    bindings::Contract,
    fetch::TYPESCRIPT_TOOLS,
    files,
    tool::{NODE, Tool},
};

/// A project without a `tsconfig.json` is compiled with this one.
pub(super) const KIT: [(&str, &str); 1] =
    [("tsconfig.json", include_str!("typescript/tsconfig.json"))];

/// Exports `guest`.
const ENTRY: &str = "plugin";

pub(super) fn build(bench: &Bench<'_>) -> Result<Vec<u8>, BuildError> {
    let folder = &bench.project.folder;
    let entry = folder.join("src").join(format!("{ENTRY}.ts"));
    if !entry.is_file() {
        let reason = "is not there; it holds the plugin, as `export const guest`".into();
        return Err(BuildError::Project { file: entry, reason });
    }
    bench.owned.put("types/switchboard.d.ts", types::of(&Contract::read()?)?)?;
    for (name, text) in KIT {
        bench.owned.put(name, text)?;
    }
    let own = folder.join("tsconfig.json");
    let config = if own.is_file() { own } else { bench.owned.path("tsconfig.json") };
    let tools = bench.toolchains.get(&TYPESCRIPT_TOOLS, bench.env, bench.say)?;
    let modules = tools.join("node_modules");
    let script = |path: &str, purpose: &str| {
        Tool::needed(NODE, purpose, bench.env).within(folder).arg(modules.join(path))
    };
    let scripts = bench.owned.cleared("js")?;
    script("typescript/bin/tsc", "to run tsc")
        .arg("--project")
        .arg(config)
        .args(["--noEmitOnError", "--pretty", "false", "--rootDir"])
        .arg(folder.join("src"))
        .arg("--outDir")
        .arg(&scripts)
        .called("checking with tsc")
        .run()?;
    let component = bench.owned.path("plugin.wasm");
    // Without WASI, and without the calls that only newer hosts know.
    script("componentize-qjs/bin/componentize-qjs", "to run componentize-qjs")
        .arg("--wit")
        .arg(bench.owned.path("wit"))
        .args(["--world", "plugin", "--stub-wasi", "--sync", "--js"])
        .arg(scripts.join(format!("{ENTRY}.js")))
        .arg("--module-root")
        .arg(&scripts)
        .arg("--output")
        .arg(&component)
        .called("building with componentize-qjs")
        .run()?;
    files::read(&component)
}
