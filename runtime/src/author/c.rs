//! Plugins in C: bindings and a reader of JSON are written beside the source,
//! `zig cc` compiles all of it.

use super::{
    Bench, BuildError, Language, bindings::Contract, component, fetch::C_TOOLS, files, tool::Tool,
};
use std::path::{Path, PathBuf};
use wit_bindgen_c::Opts;
use wit_parser::Interface;

/// What a project is given beside the bindings.
pub(super) const KIT: [(&str, &str); 2] =
    [("c/json.h", include_str!("c/json.h")), ("c/json.c", include_str!("c/json.c"))];

pub(super) fn build(bench: &Bench<'_>) -> Result<Vec<u8>, BuildError> {
    let contract = Contract::read()?;
    let options = Opts { rename: short_names(&contract), ..Default::default() };
    for (name, bytes) in contract.generate(options.build())? {
        // What a plugin exports is called as the contract calls it. (The third
        // file is no text: it holds the contract for what follows linking.)
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => text
                .replace("exports_guest_", "guest_")
                .replace("EXPORTS_GUEST_", "GUEST_")
                .into_bytes(),
            Err(error) => error.into_bytes(),
        };
        bench.owned.put(&format!("c/{name}"), bytes)?;
    }
    for (name, text) in KIT {
        bench.owned.put(name, text)?;
    }
    let made = bench.owned.path("c");
    let zig = bench.toolchains.get(&C_TOOLS, bench.env, bench.say)?.join("ziglang/zig");
    let module = bench.owned.path("plugin.wasm");
    Tool::at(&zig, bench.env)
        .within(&bench.project.folder)
        .set("ZIG_GLOBAL_CACHE_DIR", bench.toolchains.cache("zig"))
        .set("ZIG_LOCAL_CACHE_DIR", bench.owned.path("zig"))
        .args(["cc", "-target", "wasm32-wasi", "-mexec-model=reactor", "-std=gnu17"])
        .args(["-Os", "-s", "-Wall", "-I"])
        .arg(&made)
        .args(sources(&bench.project.folder)?)
        .args(["plugin.c", "plugin_component_type.o", "json.c"].map(|name| made.join(name)))
        .arg("-o")
        .arg(&module)
        .called("compiling with zig cc")
        .run()?;
    component::from_module(&files::read(&module)?, Language::C)
}

/// `effects_reply` instead of `switchboard_plugin_effects_reply`.
fn short_names(contract: &Contract) -> Vec<(String, String)> {
    let resolve = &contract.resolve;
    let short =
        |(id, interface): (_, &Interface)| Some((resolve.id_of(id)?, interface.name.clone()?));
    resolve.interfaces.iter().filter_map(short).collect()
}

/// Every C file of the project, by its path in it.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let is_c = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "c");
    let inside = |path: PathBuf| path.strip_prefix(folder).map(Path::to_owned).unwrap_or(path);
    let found: Vec<_> = files::sources(folder)?.into_iter().filter(is_c).map(inside).collect();
    if found.is_empty() {
        let reason = "there is no .c file in its folder".into();
        return Err(BuildError::Project { file: folder.join("plugin.toml"), reason });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_is_called_by_its_own_name() {
        let names = short_names(&Contract::read().unwrap());
        let mut short: Vec<&str> = names.iter().map(|(_, short)| &**short).collect();
        short.sort_unstable();
        let all = [
            "business", "contact", "effects", "event", "guest", "http", "kv", "log", "media",
            "types",
        ];
        assert_eq!(short, all);
        for (whole, short) in &names {
            assert!(whole.starts_with(&format!("switchboard:plugin/{short}@")), "{whole}");
        }
    }
}
