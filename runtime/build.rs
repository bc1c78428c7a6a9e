//! Builds the bundled plugins; `plugin/bundled.rs` includes them.

#[path = "build/guests.rs"]
mod guests;

use std::{path::Path, process::exit};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/guests.rs");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = guests::packages(&workspace.join("plugins"))
        .and_then(|plugins| guests::build(&workspace, &plugins, "SWITCHBOARD_PLUGIN_"));
    if let Err(problem) = built {
        for line in problem.lines() {
            println!("cargo::error={line}");
        }
        exit(1);
    }
}
