//! For authors of plugins: toolchains, builds and new projects in each
//! language. Must not know of a running business.

mod bindings;
mod c;
pub mod chain;
mod component;
mod fetch;
mod files;
mod go;
mod project;
mod python;
mod rust;
pub mod scaffold;
mod stamp;
mod tool;
mod typescript;
pub mod watch;

pub use component::embed;
pub use fetch::Toolchains;
pub use project::{Language, Project};
pub use tool::BuildError;

use crate::{cases, config::Env};
use files::Owned;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// A component that was built.
#[derive(Clone, Debug)]
pub struct Built {
    pub project: Project,
    /// `FOLDER/build/<name>.wasm`.
    pub component: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// False where it was there and is the same.
    pub fresh: bool,
}

/// What a language's build is given.
struct Bench<'a> {
    project: &'a Project,
    toolchains: &'a Toolchains,
    env: &'a Env,
    /// The folder `.switchboard` of the project.
    owned: &'a Owned,
    /// Takes a line on what is going on.
    say: &'a dyn Fn(&str),
}

/// Builds the plugin in a folder. `say` takes what a person who waits would
/// like to know: which toolchain is being fetched.
///
/// Two builds of one folder wait for each other, as do two that fetch the same
/// toolchain.
pub fn build(folder: &Path, env: &Env, say: &dyn Fn(&str)) -> Result<Built, BuildError> {
    let project = Project::read(folder)?;
    let owned = Owned::prepare(&project)?;
    let _lock = lock(&owned.path("lock"))?;
    let toolchains = Toolchains::of(env)?;
    let cases = packed(&project.cases)?;
    let component = project.folder.join("build").join(format!("{}.wasm", project.name));
    let stamp = stamp::of(&project, cases.as_deref())?;
    let fresh = !stamp::fits(&owned, &component, &stamp)
        && make(&Bench { project: &project, toolchains: &toolchains, env, owned: &owned, say })
            .map(|bytes| match &cases {
                Some(cases) => embed(&bytes, cases),
                None => bytes,
            })
            .and_then(|bytes| {
                stamp::put(&owned, &bytes, &stamp)?;
                // The same again is left alone: a server may be watching.
                files::put(&component, &bytes)
            })?;
    let bytes = fs::metadata(&component).map_err(files::trouble(&component))?.len();
    Ok(Built { project, component, bytes, fresh })
}

fn make(bench: &Bench<'_>) -> Result<Vec<u8>, BuildError> {
    match bench.project.language {
        Language::Rust => rust::build(bench),
        Language::Typescript => typescript::build(bench),
        Language::Python => python::build(bench),
        Language::Go => go::build(bench),
        Language::C => c::build(bench),
    }
}

/// The cases of a project that has some.
fn packed(folder: &Path) -> Result<Option<Vec<u8>>, BuildError> {
    if folder.is_dir() { Ok(cases::pack(folder)?) } else { Ok(None) }
}

/// Held until the file is dropped.
fn lock(path: &Path) -> Result<File, BuildError> {
    let file = File::create(path).map_err(files::trouble(path))?;
    file.lock().map_err(files::trouble(path))?;
    Ok(file)
}
