//! `switchboard trace`: recorded turns, and one of them as a test case.

mod export;
mod list;

use super::{Ending, admin::Admin, ground, out};
use crate::config::Env;

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
    let admin = match Admin::of(folder, &env)? {
        Ok(admin) => admin,
        Err(problems) => return Ok(out::problems(&problems)),
    };
    let done = ground::wait(async {
        match &arguments.command {
            Command::List(arguments) => list::run(arguments, &admin).await,
            Command::Export(arguments) => export::run(arguments, &admin, &env).await,
        }
    });
    Ok(done??)
}
