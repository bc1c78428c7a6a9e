//! `switchboard trace export`: a recorded turn as a test case.

use super::Ending;
use crate::{app::Failure, config::Env};

/// Look at recorded turns.
#[derive(clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(_arguments: Arguments, _env: Env) -> Ending {
    Err(Failure::CannotStart(anyhow::anyhow!("not built yet")))
}
