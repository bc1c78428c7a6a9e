//! Plugins in Go: the module `switchboard`, with the bindings and what they
//! need, is written beside the source, so that no proxy of modules is asked.

use super::{
    Bench, BuildError, Language, bindings::Contract, component, fetch::GO_TOOLS, files, tool::Tool,
};
use wit_bindgen_go::{Format, Opts};

/// What a project is given beside the bindings.
pub(super) const KIT: [(&str, &str); 6] = [
    ("go/go.mod", include_str!("go/go.mod.txt")),
    ("go/plugin/plugin.go", include_str!("go/plugin/plugin.go")),
    ("go/export_guest/export_guest.go", include_str!("go/export_guest/export_guest.go")),
    ("go/wit/runtime/runtime.go", include_str!("go/wit/runtime/runtime.go")),
    ("go/wit/types/option.go", include_str!("go/wit/types/option.go")),
    ("go/wit/types/result.go", include_str!("go/wit/types/result.go")),
];

/// The module that holds all of it.
const MODULE: &str = "switchboard";
/// The generator's names for the contract's packages begin so. Without it a
/// plugin imports `switchboard/effects`.
const PREFIX: &str = "switchboard_plugin_";
/// Without symbols.
const LINKING: &str = "-ldflags=-s -w";
/// What the generated code imports is part of the kit.
const LIBRARY: (&str, &str) = ("go.bytecodealliance.org/pkg/wit", "switchboard/wit");

pub(super) fn build(bench: &Bench<'_>) -> Result<Vec<u8>, BuildError> {
    let contract = Contract::read()?;
    bindings(bench, &contract)?;
    let folder = bench.toolchains.get(&GO_TOOLS, bench.env, bench.say)?.join("go");
    let module = bench.owned.path("plugin.wasm");
    Tool::at(&folder.join("bin").join("go"), bench.env)
        .within(&bench.project.folder)
        .set("GOROOT", &folder)
        .set("GOTOOLCHAIN", "local")
        .set("GOWORK", "off")
        .set("GOCACHE", bench.toolchains.cache("go-build"))
        .set("GOPATH", bench.toolchains.cache("go"))
        .set("GOOS", "wasip1")
        .set("GOARCH", "wasm")
        .args(["build", "-buildmode=c-shared", "-trimpath", LINKING, "-o"])
        .arg(&module)
        .arg(".")
        .called("compiling with go build")
        .run()?;
    let module = component::with_contract(files::read(&module)?, &contract, Language::Go)?;
    component::from_module(&module, Language::Go)
}

fn bindings(bench: &Bench<'_>, contract: &Contract) -> Result<(), BuildError> {
    let options =
        Opts { pkg_name: Some(MODULE.into()), format: Format::False, ..Default::default() };
    for (name, bytes) in contract.with_unlike_names().generate(options.build())? {
        let text =
            String::from_utf8_lossy(&bytes).replace(PREFIX, "").replace(LIBRARY.0, LIBRARY.1);
        bench.owned.put(&format!("go/{}", name.replace(PREFIX, "")), text)?;
    }
    for (name, text) in KIT {
        bench.owned.put(name, text)?;
    }
    Ok(())
}
