//! The command `switchboard`: arguments in, exit code out.

use std::process::ExitCode;
use switchboard::{cli, config::Env};

fn main() -> ExitCode {
    cli::main(Env::read()).into()
}
