//! `switchboard plugin new`.

use crate::{app::Failure, cli::Ending};

/// Make a new plugin to start from.
#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {}

pub(in crate::cli) fn run(_arguments: &Arguments) -> Ending {
    Err(Failure::CannotStart(anyhow::anyhow!("not built yet")))
}
