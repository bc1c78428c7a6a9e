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

/// A version of the contract that this host serves.
struct Served {
    version: &'static str,
    imports: &'static [&'static str],
    /// Puts the version's imports into a linker, beside those of others.
    add: fn(&mut Linker<Host>) -> wasmtime::Result<()>,
}

/// The newest first, two at most. How one is added is in `wit/CHANGES.md`.
const SERVED: [Served; 1] = [Served {
    version: "0.1.0",
    imports: &IMPORTS,
    add: |linker| World::add_to_linker::<Host, HasSelf<Host>>(linker, |host| host),
}];

const PACKAGE: &str = "switchboard:plugin";
const IMPORTS: [&str; 9] =
    ["types", "contact", "event", "business", "effects", "kv", "log", "http", "media"];
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

/// The linker with every import of the contract, in every version that is
/// served, and the WASI above.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    linker_of(engine, &SERVED)
}

fn linker_of(engine: &Engine, all: &[Served]) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    for served in all {
        (served.add)(l)?;
    }
    bindings::io::error::add_to_linker::<Host, Tables>(l, |host| host.ctx().table)?;
    bindings::io::poll::add_to_linker::<Host, HasSelf<Host>>(l, |host| host)?;
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
    let made = check(linker.engine(), component, &SERVED, name)?;
    let wrong = |error: wasmtime::Error| made.does_not_link(&error, name);
    PluginPre::new(linker.instantiate_pre(component).map_err(wrong)?).map_err(wrong)
}

/// The version that a component was made for, and the one that serves it.
struct Made<'s> {
    version: String,
    served: &'s Served,
}

impl Made<'_> {
    fn does_not_link(&self, error: &wasmtime::Error, name: &str) -> LoadError {
        let Served { version: ours, .. } = self.served;
        let reason = match patch(&self.version) > patch(ours) {
            true => format!(
                "it is made for {PACKAGE} {}, which is newer than the {ours} of this host, and \
                 uses what came with it: {error:#}",
                self.version
            ),
            false => format!("{error:#}"),
        };
        LoadError::WrongWorld { name: name.into(), reason }
    }
}

/// What a component imports is offered, and what it exports is a guest, both
/// in the same version.
fn check<'s>(
    engine: &Engine,
    component: &Component,
    all: &'s [Served],
    name: &str,
) -> Result<Made<'s>, LoadError> {
    let kind = component.component_type();
    let imports: Vec<&str> = kind.imports(engine).map(|(import, _)| import).collect();
    for import in &imports {
        check_import_of(import, all, name)?;
    }
    let exports: Vec<&str> = kind.exports(engine).map(|(export, _)| export).collect();
    let made = check_exports(&exports, all, name)?;
    let other = imports.iter().find(|import| {
        let version = import.strip_prefix(PACKAGE).and_then(|ours| ours.split_once('@'));
        version.is_some_and(|(_, version)| series(version) != series(&made.version))
    });
    match other {
        None => Ok(made),
        Some(import) => {
            let reason = format!(
                "it exports `{PACKAGE}/{EXPORT}@{}` and imports `{import}`: both must have the \
                 same version",
                made.version
            );
            Err(LoadError::WrongWorld { name: name.into(), reason })
        }
    }
}

/// Whether a plugin is given this import; if not, why.
pub fn check_import(import: &str, name: &str) -> Result<(), LoadError> {
    check_import_of(import, &SERVED, name)
}

fn check_import_of(import: &str, all: &[Served], name: &str) -> Result<(), LoadError> {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    let ours = interface.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/'));
    let offered = match ours {
        Some(part) => served(version, all, name)?.imports.contains(&part),
        None => WASI.contains(&interface) && version.starts_with("0.2."),
    };
    if offered {
        return Ok(());
    }
    let reason = format!("it imports `{import}`, which plugins are not given");
    Err(LoadError::WrongWorld { name: name.into(), reason })
}

/// The version, if an export is the contract's.
pub fn contract(export: &str) -> Option<&str> {
    let (interface, version) = export.split_once('@')?;
    let ours = interface.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('/'));
    (ours == Some(EXPORT)).then_some(version)
}

fn check_exports<'s>(
    exports: &[&str],
    all: &'s [Served],
    name: &str,
) -> Result<Made<'s>, LoadError> {
    let guest = format!("{PACKAGE}/{EXPORT}");
    let mut versions = exports
        .iter()
        .filter_map(|export| export.split_once('@'))
        .filter_map(|(interface, version)| (interface == guest).then_some(version));
    let Some(version) = versions.next() else {
        let has = match exports {
            [] => "it exports nothing".into(),
            _ => format!("it exports `{}`", exports.join("`, `")),
        };
        let wanted: Vec<String> =
            all.iter().map(|served| format!("`{guest}@{}`", served.version)).collect();
        let reason = format!("it does not export {}: {has}", wanted.join(" or "));
        return Err(LoadError::WrongWorld { name: name.into(), reason });
    };
    Ok(Made { version: version.into(), served: served(version, all, name)? })
}

/// The served version of the same series: below 1.0, a minor one breaks.
fn served<'s>(version: &str, all: &'s [Served], name: &str) -> Result<&'s Served, LoadError> {
    all.iter().find(|served| series(served.version) == series(version)).ok_or_else(|| {
        let offers: Vec<&str> = all.iter().map(|served| served.version).collect();
        let (wants, offers) = (version.into(), offers.join(" and "));
        LoadError::WrongVersion { name: name.into(), wants, offers }
    })
}

/// `0.1` of `0.1.7`.
fn series(version: &str) -> Option<&str> {
    version.rsplit_once('.').map(|(series, _)| series)
}

/// `7` of `0.1.7`.
fn patch(version: &str) -> Option<u32> {
    version.rsplit_once('.').and_then(|(_, patch)| patch.parse().ok())
}

#[cfg(test)]
mod tests;
