//! Builds the guests that the tests load.

#[path = "../runtime/build/guests.rs"]
mod guests;

use std::{path::Path, process::exit};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../runtime/build/guests.rs");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = guests::packages(&workspace.join("tests/guests"))
        .and_then(|folders| guests::build(&workspace, &folders, "SWITCHBOARD_GUEST_"));
    if let Err(problem) = built {
        for line in problem.lines() {
            println!("cargo::error={line}");
        }
        exit(1);
    }
}
