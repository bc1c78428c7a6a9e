//! Plugins in Python: `app.py` and what it imports, with an interpreter inside
//! the component.

use super::{
    Bench, BuildError,
    fetch::PYTHON_TOOLS,
    files,
    tool::{PYTHON, Tool},
};
use std::path::Path;

/// The module that holds the class `Guest`.
const MODULE: &str = "app";

pub(super) fn build(bench: &Bench<'_>) -> Result<Vec<u8>, BuildError> {
    let entry = bench.project.folder.join(format!("{MODULE}.py"));
    if !entry.is_file() {
        let reason = "is not there; it holds the plugin, as the class `Guest`".into();
        return Err(BuildError::Project { file: entry, reason });
    }
    let tools = bench.toolchains.get(&PYTHON_TOOLS, bench.env, bench.say)?;
    // The build makes its own; these are for editors and type checkers.
    let bindings = bench.owned.cleared("python")?;
    tool(bench, &tools).arg("bindings").arg(bindings).run()?;
    let component = bench.owned.path("plugin.wasm");
    // Without WASI: an interpreter would ask for files and sockets.
    tool(bench, &tools)
        .args(["componentize", "--stub-wasi", MODULE, "--python-path"])
        .arg(&bench.project.folder)
        .arg("--output")
        .arg(&component)
        .run()?;
    files::read(&component)
}

/// `componentize-py` on the contract.
fn tool(bench: &Bench<'_>, tools: &Path) -> Tool {
    Tool::needed(PYTHON, "to run componentize-py", bench.env)
        .within(&bench.project.folder)
        .set("PYTHONPATH", tools)
        .set("PYTHONDONTWRITEBYTECODE", "1")
        .arg(tools.join("bin").join("componentize-py"))
        .arg("--wit-path")
        .arg(bench.owned.path("wit"))
        .args(["--world", "plugin"])
        .called("building with componentize-py")
}
