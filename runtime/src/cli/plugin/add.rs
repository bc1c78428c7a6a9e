//! `switchboard plugin add`.

use crate::{app::Failure, cli::Ending};

/// Fetch a plugin into a business folder and pin it.
#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {}

pub(in crate::cli) fn run(_arguments: &Arguments) -> Ending {
    Err(Failure::CannotStart(anyhow::anyhow!("not built yet")))
}
