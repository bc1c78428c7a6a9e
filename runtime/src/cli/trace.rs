//! `switchboard trace`: recorded turns, and one of them as a test case.

mod export;
mod list;

use super::{Ending, Exit, admin::Admin, out};
use crate::{app::Failure, config::Env};
use anyhow::Context;
use std::path::Path;

/// Look at recorded turns.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    List(list::Arguments),
    Export(export::Arguments),
}

pub(super) fn run(arguments: Arguments, env: Env) -> Ending {
    let folder = match &arguments.command {
        Command::List(arguments) => &arguments.folder,
        Command::Export(arguments) => &arguments.folder,
    };
    let admin = match admin(folder, &env)? {
        Ok(admin) => admin,
        Err(exit) => return Ok(exit),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")
        .map_err(Failure::CannotStart)?;
    let done = match &arguments.command {
        Command::List(arguments) => runtime.block_on(list::run(arguments, &admin)),
        Command::Export(arguments) => runtime.block_on(export::run(arguments, &admin, &env)),
    };
    done.map_err(Failure::CannotStart)
}

fn admin(folder: &Path, env: &Env) -> Result<Result<Admin, Exit>, Failure> {
    Ok(match Admin::of(folder, env).map_err(Failure::CannotStart)? {
        Ok(admin) => Ok(admin),
        Err(problems) => {
            problems.iter().for_each(out::line);
            Err(Exit::Problems)
        }
    })
}
