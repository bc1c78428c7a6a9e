//! `switchboard plugin dev`.

use crate::{app::Failure, cli::Ending};

/// Build, test and swap a plugin in at every change.
#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {}

pub(in crate::cli) fn run(_arguments: &Arguments) -> Ending {
    Err(Failure::CannotStart(anyhow::anyhow!("not built yet")))
}
