//! `switchboard plugin build`.

use crate::{
    app::Failure,
    author::{self, BuildError, Built},
    cli::{Ending, Exit, out},
    clock::Stopwatch,
    config::Env,
};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  switchboard plugin build plugins/examples/python
  switchboard plugin build

The folder's plugin.toml names the plugin and its language: rust, typescript, python, go or c. The
component is written to build/<name>.wasm, with the cases of cases/ inside. What a language needs is
fetched once, into $SWITCHBOARD_TOOLCHAINS or ~/.cache/switchboard/toolchains; Python must be there
for python, go and c, Node.js for typescript, Rust for rust.";

/// Build a plugin from its source.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The folder with plugin.toml.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub(in crate::cli) fn run(arguments: &Arguments, env: &Env) -> Ending {
    match build(&arguments.folder, env)? {
        Some(_) => Ok(Exit::Done),
        None => Ok(Exit::Problems),
    }
}

/// Builds and says so. None: the source is at fault, which was said.
pub(super) fn build(folder: &Path, env: &Env) -> Result<Option<Built>, Failure> {
    let watch = Stopwatch::start();
    let built = match author::build(folder, env, &|line| out::remark(line)) {
        Ok(built) => built,
        Err(error) => return failed(error).map(|()| None),
    };
    let state = if built.fresh { "built" } else { "not changed, looked at" };
    out::line(format_args!(
        "{} ({}, {state} in {:.1} s)",
        built.component.display(),
        out::size(built.bytes),
        watch.elapsed().as_secs_f64()
    ));
    Ok(Some(built))
}

/// Whose fault it is: the source's, or the machine's.
fn failed(error: BuildError) -> Result<(), Failure> {
    match error {
        BuildError::Project { .. }
        | BuildError::Failed { .. }
        | BuildError::NotAPlugin { .. }
        | BuildError::Cases(_) => {
            out::remark(error);
            Ok(())
        }
        BuildError::MissingTool { .. }
        | BuildError::File { .. }
        | BuildError::NoPlace
        | BuildError::Contract(_) => Err(Failure::CannotStart(error.into())),
    }
}
