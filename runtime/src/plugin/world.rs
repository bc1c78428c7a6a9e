//! Which imports a component may have, and what it must export. Whatever is
//! not linked here does not exist for a plugin.

use super::{
    bindings::{Plugin as World, PluginPre},
    host::Host,
    load::LoadError,
};
use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker},
};
use wasmtime_wasi::{
    WasiView,
    cli::{WasiCli, WasiCliView},
    clocks::{WasiClocks, WasiClocksView},
    filesystem::{WasiFilesystem, WasiFilesystemView},
    p2::bindings,
};

/// The contract this host serves.
const PACKAGE: &str = "switchboard:plugin";
const VERSION: &str = "0.1.0";
const IMPORTS: [&str; 7] = ["types", "contact", "event", "business", "effects", "kv", "log"];
const EXPORT: &str = "guest";
/// What a guest's standard library cannot do without. Behind each is nothing
/// but the turn: see `host`. Files are linked because the libraries of C and Go
/// name them; no folder is open, so there is none to find.
const WASI: [&str; 20] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// The linker with every import of the contract and the WASI above.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    World::add_to_linker::<Host, HasSelf<Host>>(l, |host| host)?;
    bindings::io::error::add_to_linker::<Host, Tables>(l, |host| host.ctx().table)?;
    bindings::io::poll::add_to_linker::<Host, Tables>(l, |host| host.ctx().table)?;
    bindings::io::streams::add_to_linker::<Host, Tables>(l, |host| host.ctx().table)?;
    bindings::clocks::wall_clock::add_to_linker::<Host, WasiClocks>(l, Host::clocks)?;
    bindings::clocks::monotonic_clock::add_to_linker::<Host, WasiClocks>(l, Host::clocks)?;
    bindings::filesystem::preopens::add_to_linker::<Host, WasiFilesystem>(l, Host::filesystem)?;
    bindings::filesystem::types::add_to_linker::<Host, WasiFilesystem>(l, Host::filesystem)?;
    bindings::random::random::add_to_linker::<Host, HasSelf<Host>>(l, |host| host)?;
    bindings::random::insecure::add_to_linker::<Host, HasSelf<Host>>(l, |host| host)?;
    bindings::random::insecure_seed::add_to_linker::<Host, HasSelf<Host>>(l, |host| host)?;
    bindings::cli::environment::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::exit::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::stdin::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::stdout::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::stderr::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::terminal_input::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::terminal_output::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::terminal_stdin::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::terminal_stdout::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    bindings::cli::terminal_stderr::add_to_linker::<Host, WasiCli>(l, Host::cli)?;
    Ok(linker)
}

struct Tables;

impl wasmtime::component::HasData for Tables {
    type Data<'a> = &'a mut wasmtime::component::ResourceTable;
}

/// Checks a component's imports and exports and links it.
pub fn link(
    linker: &Linker<Host>,
    component: &Component,
    name: &str,
) -> Result<PluginPre<Host>, LoadError> {
    let kind = component.component_type();
    let engine = linker.engine();
    for (import, _) in kind.imports(engine) {
        check_import(import, name)?;
    }
    let exports: Vec<&str> = kind.exports(engine).map(|(export, _)| export).collect();
    check_exports(&exports, name)?;
    let wrong = |error: wasmtime::Error| LoadError::WrongWorld {
        name: name.into(),
        reason: format!("{error:#}"),
    };
    PluginPre::new(linker.instantiate_pre(component).map_err(wrong)?).map_err(wrong)
}

fn check_import(import: &str, name: &str) -> Result<(), LoadError> {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let ours = interface.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/'));
    let offered = match ours {
        Some(part) => {
            check_version(version, name)?;
            IMPORTS.contains(&part)
        }
        None => WASI.contains(&interface) && version.starts_with("0.2."),
    };
    if offered {
        return Ok(());
    }
    let reason = format!("it imports `{import}`, which plugins are not given");
    Err(LoadError::WrongWorld { name: name.into(), reason })
}

fn check_exports(exports: &[&str], name: &str) -> Result<(), LoadError> {
    let guest = format!("{PACKAGE}/{EXPORT}");
    let versions: Vec<&str> = exports
        .iter()
        .filter_map(|export| export.split_once('@'))
        .filter_map(|(interface, version)| (interface == guest).then_some(version))
        .collect();
    let Some(version) = versions.first() else {
        let has = match exports {
            [] => "it exports nothing".into(),
            _ => format!("it exports `{}`", exports.join("`, `")),
        };
        let reason = format!("it does not export `{guest}@{VERSION}`: {has}");
        return Err(LoadError::WrongWorld { name: name.into(), reason });
    };
    check_version(version, name)
}

/// The same minor version: below 1.0, a minor one breaks.
fn check_version(version: &str, name: &str) -> Result<(), LoadError> {
    let series = |version: &str| version.rsplit_once('.').map(|(series, _)| series.to_owned());
    if series(version) == series(VERSION) {
        return Ok(());
    }
    let (wants, offers) = (version.into(), VERSION.into());
    Err(LoadError::WrongVersion { name: name.into(), wants, offers })
}
