//! `switchboard plugin build`.

use crate::{app::Failure, cli::Ending};

/// Build a plugin from its source.
#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {}

pub(in crate::cli) fn run(_arguments: &Arguments) -> Ending {
    Err(Failure::CannotStart(anyhow::anyhow!("not built yet")))
}
