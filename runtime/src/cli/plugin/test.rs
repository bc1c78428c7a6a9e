//! `switchboard plugin test`.

use crate::{app::Failure, cli::Ending};

/// Run a plugin's cases on the real host.
#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {}

pub(in crate::cli) fn run(_arguments: &Arguments) -> Ending {
    Err(Failure::CannotStart(anyhow::anyhow!("not built yet")))
}
