//! `switchboard plugin inspect`.

use crate::{app::Failure, cli::Ending};

/// Show what a component is and wants.
#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {}

pub(in crate::cli) fn run(_arguments: &Arguments) -> Ending {
    Err(Failure::CannotStart(anyhow::anyhow!("not built yet")))
}
