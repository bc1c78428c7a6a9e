//! `switchboard plugin …`: what authors and owners of plugins need.

mod add;
mod build;
mod dev;
mod inspect;
mod list;
mod new;
mod test;

use super::Ending;
use crate::config::Env;
use clap::Subcommand;

/// Make, build, test, fetch and watch plugins.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    New(new::Arguments),
    Build(build::Arguments),
    Test(test::Arguments),
    Inspect(inspect::Arguments),
    Dev(dev::Arguments),
    Add(add::Arguments),
    List(list::Arguments),
}

pub(super) fn run(arguments: Arguments, env: Env) -> Ending {
    match arguments.command {
        Command::New(arguments) => new::run(&arguments),
        Command::Build(arguments) => build::run(&arguments, &env),
        Command::Test(arguments) => test::run(&arguments, &env),
        Command::Inspect(arguments) => inspect::run(&arguments, &env),
        Command::Dev(arguments) => dev::run(&arguments, &env),
        Command::Add(arguments) => add::run(&arguments, &env),
        Command::List(arguments) => list::run(&arguments, &env),
    }
}
