//! `switchboard check`: everything that is wrong in a business folder.

use super::{Ending, Exit, ground, out};
use crate::{
    app::Failure,
    config::{Env, Problem},
    generation::{self, Generation, Occasion},
};
use serde::Serialize;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  switchboard check my-shop
  switchboard check my-shop --json

Reads every file, loads every plugin and has it check its rules, as `serve` would, but takes no
messages and sends none. Each problem is one line: FILE:LINE: KEY: what is wrong.
Exit code 0 without problems (warnings do not count), 1 with.";

/// Say everything that is wrong in a business folder.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    folder: PathBuf,
    /// Print one JSON object: ok, problems, warnings.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    problems: &'a [Problem],
    warnings: &'a [Problem],
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let built = load(&arguments.folder, env).map_err(Failure::CannotStart)?;
    let (problems, warnings) = match &built {
        Ok(generation) => (Vec::new(), generation.warnings.clone()),
        Err(problems) => (problems.clone(), Vec::new()),
    };
    if arguments.json {
        let report = Report { ok: problems.is_empty(), problems: &problems, warnings: &warnings };
        out::json(&report)?;
    } else {
        problems.iter().for_each(out::line);
        warnings.iter().for_each(|warning| out::line(format_args!("warning: {warning}")));
        out::line(summary(&built, &problems, &warnings));
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Problems })
}

/// Loads a folder as `serve` would, without serving it.
pub(super) fn load(folder: &Path, env: &Env) -> anyhow::Result<Result<Generation, Vec<Problem>>> {
    let plugins = ground::plugins()?;
    ground::wait(generation::build(folder, env, &plugins, Occasion::Check, 1))
}

fn summary(
    built: &Result<Generation, Vec<Problem>>,
    problems: &[Problem],
    warnings: &[Problem],
) -> String {
    match built {
        Ok(generation) => {
            format!(
                "ok: {}, {}",
                out::counted(generation.channels.len(), "channel"),
                out::counted(warnings.len(), "warning")
            )
        }
        Err(_) => format!("not ok: {}", out::counted(problems.len(), "problem")),
    }
}
