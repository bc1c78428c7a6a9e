//! `switchboard reload`: has the running `serve` read its folder again.

use super::{Ending, Exit, admin::Admin, ground, out};
use crate::{
    app::Failure,
    config::{Env, Problem},
    reload::Answer,
};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  switchboard reload my-shop

Edits are taken up by themselves within a second; this is for scripts that want to know when, and
for values in files outside the folder (`${file:…}`). Asks the address `http.admin` of the folder's
switchboard.toml, with its `http.admin_token`. `demo` may have taken another address; name it:
  SWITCHBOARD__HTTP__ADMIN=127.0.0.1:18081 switchboard reload switchboard-demo
Exit code 0 with the new generation, 1 if it was refused (the old one goes on), 3 if nothing listens.";

/// Have the running `serve` read its folder again.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    match ask(&arguments.folder, env).map_err(Failure::CannotStart)? {
        Ok(answer) => Ok(tell(&answer)),
        Err(problems) => Ok(out::problems(&problems)),
    }
}

/// What the running server says. The inner error: the folder's `[http]` can't
/// be read.
pub(super) fn ask(folder: &Path, env: &Env) -> anyhow::Result<Result<Answer, Vec<Problem>>> {
    let admin = match Admin::of(folder, env)? {
        Ok(admin) => admin,
        Err(problems) => return Ok(Err(problems)),
    };
    ground::wait(admin.post("/api/v1/reload"))?.map(Ok)
}

pub(super) fn tell(answer: &Answer) -> Exit {
    answer.warnings.iter().for_each(|warning| out::line(format_args!("warning: {warning}")));
    answer.problems.iter().for_each(out::line);
    match answer.generation {
        Some(number) => {
            out::line(format_args!("loaded: generation {number} runs now"));
            Exit::Done
        }
        None => {
            out::line("not loaded: the generation before goes on");
            Exit::Problems
        }
    }
}
