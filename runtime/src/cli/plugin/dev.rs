//! `switchboard plugin dev`: builds, tests and swaps a plugin in at every
//! change.

use super::{build, test};
use crate::{
    app::Failure,
    author::{Built, chain, watch::Sources},
    cli::{Ending, Exit, out, reload},
    config::{self, Env},
};
use anyhow::Context;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard demo                                            (in one terminal)
  switchboard plugin dev bonus --into switchboard-demo        (in another)

Builds the plugin, runs its cases, and if they pass puts it into the business folder, where whatever
serves that folder swaps it in between two messages; then waits for the next change. Ends with
Ctrl-C. Where no chain has a step for the plugin, one is added before the chain's last step.";

/// Build, test and swap a plugin in at every change.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The plugin's folder, with its plugin.toml.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The business folder to put it into.
    #[arg(long, value_name = "FOLDER", default_value = "switchboard-demo")]
    into: PathBuf,
    /// The chain that gets a step for it, if none has one.
    #[arg(long, value_name = "NAME", default_value = "default")]
    chain: String,
    /// Do it once and end.
    #[arg(long)]
    once: bool,
}

pub(in crate::cli) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let business = arguments.into.join(config::BUSINESS_FILE);
    if !business.is_file() {
        return Err(Failure::CannotStart(anyhow::anyhow!(
            "{} is not there: `switchboard demo` makes a business folder to try a plugin in, and \
             `--into` names another",
            business.display()
        )));
    }
    loop {
        // Taken before building: what changes meanwhile is seen as a change.
        let seen = Sources::of(&arguments.folder);
        let done = round(arguments, env);
        if arguments.once {
            return done;
        }
        match done {
            Ok(_) => {}
            Err(Failure::Problems(problems)) => out::remark(config::list(&problems)),
            Err(Failure::CannotStart(error) | Failure::Running(error)) => out::error(&error),
        }
        out::remark("waiting for a change; Ctrl-C ends");
        seen.wait_for_change();
    }
}

/// Builds, tests and puts it in place.
fn round(arguments: &Arguments, env: &Env) -> Ending {
    let Some(built) = build::build(&arguments.folder, env)? else { return Ok(Exit::Problems) };
    let tested = if built.project.cases.is_dir() { test::project(&built)? } else { Exit::Done };
    if tested != Exit::Done {
        out::line("not put in place: a case fails (`switchboard plugin test --bless` accepts it)");
        return Ok(tested);
    }
    place(arguments, env, &built)
}

fn place(arguments: &Arguments, env: &Env, built: &Built) -> Ending {
    let placed =
        chain::place(&built.component, &arguments.into, &built.project.name, &arguments.chain)
            .context("the plugin could not be put into the business folder")
            .map_err(Failure::CannotStart)?;
    out::line(format_args!("put into {}", arguments.into.join(&placed.plugin).display()));
    if let Some(chain) = &placed.added_to {
        out::line(format_args!("a step for it was added to {}", chain.display()));
    }
    match reload::ask(&arguments.into, env) {
        Ok(Ok(answer)) => Ok(reload::tell(&answer)),
        Ok(Err(problems)) => Err(Failure::Problems(problems)),
        Err(error) => {
            out::remark(format_args!("no running server was told: {error:#}"));
            Ok(Exit::Done)
        }
    }
}
