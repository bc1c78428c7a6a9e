//! `switchboard serve`: runs a business.

use super::{Ending, Exit, out};
use crate::{
    app::{self, ServeOptions},
    config::Env,
};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard serve my-shop
  SWITCHBOARD__HTTP__PUBLIC=0.0.0.0:8080 switchboard serve my-shop

Edits of chains, rules and plugins are taken up within a second; a change of [http] or [store] needs
a restart. SIGTERM or Ctrl-C finishes what is under way and ends; SIGHUP reads the folder again.";

/// Run a business.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    folder: PathBuf,
}

pub(super) fn run(arguments: Arguments, env: Env) -> Ending {
    let options = ServeOptions { folder: arguments.folder, env };
    app::serve(options, &|line| out::line(line))?;
    Ok(Exit::Done)
}
