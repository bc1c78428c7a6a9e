//! The commands. Each reads its arguments, calls the part that does the work
//! and says in words how it went; the exit code says it to scripts.

mod admin;
mod ask;
mod campaign;
mod check;
mod demo;
mod doctor;
mod ground;
mod init;
mod out;
mod plugin;
mod reload;
mod replay;
mod serve;
mod simulate;
mod template;
mod test;
mod trace;
mod unanswered;

use crate::{
    app::Failure,
    config::{self, Env},
};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Done = 0,
    /// The business folder has problems, a reload was refused, a case or a chat
    /// failed, the doctor found something wrong, or a turn goes otherwise.
    Problems = 1,
    /// The arguments make no sense, or there was nothing to replay.
    Usage = 2,
    /// It could not start: a port is busy, the data are locked, no folder can
    /// be made, nothing listens.
    CannotStart = 3,
    /// It failed after it had started.
    Failed = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

const CODES: &str = "\
Exit codes:
  0  all went well
  1  the business folder has problems, a reload was refused, a case or a chat failed,
     the doctor found something wrong, or a replayed turn goes otherwise
  2  the arguments make no sense, or nothing could be replayed
  3  could not start: a port is busy, the data are in use, the folder can't be made, nothing listens
  4  failed while running";

/// A chatbot runtime for WhatsApp whose behaviour is plugins.
#[derive(Parser)]
#[command(name = "switchboard", version, after_help = CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Arguments),
    Check(check::Arguments),
    Doctor(doctor::Arguments),
    Serve(serve::Arguments),
    Test(test::Arguments),
    Ask(ask::Arguments),
    Replay(replay::Arguments),
    Reload(reload::Arguments),
    Demo(demo::Arguments),
    Simulate(simulate::Arguments),
    Plugin(plugin::Arguments),
    Template(template::Arguments),
    Campaign(campaign::Arguments),
    Trace(trace::Arguments),
    Unanswered(unanswered::Arguments),
}

/// Runs the command that the process's arguments name.
pub fn main(env: Env) -> Exit {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // Nowhere to say that printing failed.
            let _ = error.print();
            return exit;
        }
    };
    let done = match arguments.command {
        Command::Init(arguments) => init::run(&arguments),
        Command::Check(arguments) => check::run(&arguments, &env),
        Command::Doctor(arguments) => doctor::run(&arguments, &env),
        Command::Serve(arguments) => serve::run(arguments, env),
        Command::Test(arguments) => test::run(&arguments, &env),
        Command::Ask(arguments) => ask::run(&arguments, &env),
        Command::Replay(arguments) => replay::run(&arguments, &env),
        Command::Reload(arguments) => reload::run(&arguments, &env),
        Command::Demo(arguments) => demo::run(arguments, env),
        Command::Simulate(arguments) => simulate::run(arguments, env),
        Command::Plugin(arguments) => plugin::run(arguments, env),
        Command::Template(arguments) => template::run(&arguments, &env),
        Command::Campaign(arguments) => campaign::run(&arguments, &env),
        Command::Trace(arguments) => trace::run(arguments, env),
        Command::Unanswered(arguments) => unanswered::run(&arguments, &env),
    };
    done.unwrap_or_else(|failure| match failure {
        Failure::Problems(problems) => {
            out::remark(config::list(&problems));
            out::remark(format_args!("not started: {}", out::counted(problems.len(), "problem")));
            Exit::Problems
        }
        Failure::CannotStart(error) => {
            out::error(&error);
            Exit::CannotStart
        }
        Failure::Running(error) => {
            out::error(&error);
            Exit::Failed
        }
    })
}

/// How a command ends.
type Ending = Result<Exit, Failure>;
