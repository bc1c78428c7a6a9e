//! `switchboard plugin list`.

use crate::{app::Failure, cli::Ending};

/// Show the plugins of a business and how they fare.
#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {}

pub(in crate::cli) fn run(_arguments: &Arguments) -> Ending {
    Err(Failure::CannotStart(anyhow::anyhow!("not built yet")))
}
