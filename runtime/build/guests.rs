//! Builds guests: packages of this workspace that are components. Shared by
//! the build scripts of the host (bundled plugins) and of the tests (guests
//! that misbehave).
//!
//! The inner cargo has a target folder of its own, so that it never waits for
//! the lock that the outer one holds.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "wasm32-wasip2";
/// The profile of the workspace that makes components small.
const PROFILE: &str = "plugin";

/// Builds every package in `folders` and sets `<prefix><NAME>` for each: the
/// path of its component, for `include_bytes!(env!(…))`.
pub fn build(workspace: &Path, folders: &[PathBuf], prefix: &str) -> Result<(), String> {
    for path in ["Cargo.toml", "Cargo.lock", "wit", "plugin-sdk/Cargo.toml", "plugin-sdk/src"] {
        println!("cargo::rerun-if-changed={}", workspace.join(path).display());
    }
    let mut names = Vec::new();
    for folder in folders {
        println!("cargo::rerun-if-changed={}", folder.display());
        names.push(package_name(folder)?);
    }
    have_target()?;
    let out = target_folder()?;
    run(workspace, &names, &out)?;
    for name in names {
        let file = name.replace('-', "_");
        let component = out.join(TARGET).join(PROFILE).join(format!("{file}.wasm"));
        if !component.is_file() {
            return Err(format!("cargo built {name}, but there is no {}", component.display()));
        }
        println!("cargo::rustc-env={prefix}{}={}", file.to_uppercase(), component.display());
    }
    Ok(())
}

/// The folders directly in `parent` that hold a package, in order.
pub fn packages(parent: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(parent).map_err(|error| told(parent, &error))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.join("Cargo.toml").is_file())
        .collect();
    found.sort();
    // A folder that is added later is seen by `Cargo.lock`. The parent is not
    // watched: the examples that are built beside these are none of them.
    Ok(found)
}

fn package_name(folder: &Path) -> Result<String, String> {
    let file = folder.join("Cargo.toml");
    let text = fs::read_to_string(&file).map_err(|error| told(&file, &error))?;
    let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.map(Into::into).ok_or_else(|| format!("{} has no line `name = \"…\"`", file.display()))
}

fn run(workspace: &Path, names: &[String], out: &Path) -> Result<(), String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(workspace).args([
        "build",
        "--quiet",
        "--target",
        TARGET,
        "--profile",
        PROFILE,
    ]);
    command.arg("--target-dir").arg(out);
    for name in names {
        command.args(["--package", name.as_str()]);
    }
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(disturbs) {
            command.env_remove(name);
        }
    }
    let output = command.output().map_err(|error| format!("cargo can't be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("building {} for {TARGET} failed:\n{said}", names.join(", ")))
}

/// Whether a variable is about the outer build and would change the inner one.
fn disturbs(name: &str) -> bool {
    const OURS: [&str; 8] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CLIPPY_ARGS",
        "OUT_DIR",
    ];
    const STARTS: [&str; 7] = [
        "CARGO_BUILD_",
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
    ];
    OURS.contains(&name) || STARTS.iter().any(|start| name.starts_with(start))
}

/// One folder for both build scripts, so that what guests depend on is built
/// once: beside the outer build's profiles, or, if that can't be told, here.
fn target_folder() -> Result<PathBuf, String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let root = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    Ok(root.unwrap_or(&out).join("guests"))
}

/// Adds the target to the toolchain in use if it is not there.
fn have_target() -> Result<(), String> {
    if has_target()? {
        return Ok(());
    }
    let mut add = Command::new("rustup");
    add.args(["target", "add", TARGET]).env("RUST_BACKTRACE", "0");
    let added = add.output();
    // Whatever it said: another build may have added it meanwhile.
    if has_target()? {
        return Ok(());
    }
    let told = match added {
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => format!("rustup can't be run: {error}"),
    };
    let toolchain = env::var("RUSTUP_TOOLCHAIN").map(|name| format!(" --toolchain {name}"));
    let toolchain = toolchain.unwrap_or_default();
    Err(format!(
        "plugins are built for {TARGET}, which this toolchain lacks. Type:\n\n    \
         rustup target add {TARGET}{toolchain}\n\n({told})"
    ))
}

fn has_target() -> Result<bool, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output();
    let output = output.map_err(|error| format!("rustc can't be run: {error}"))?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Ok(sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir())
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{} can't be read: {error}", path.display())
}
