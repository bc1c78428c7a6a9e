//! `switchboard replay`: what would have been otherwise. Recorded turns through
//! a changed folder.

mod fetch;
mod words;

use super::{Ending, Exit, admin::Admin, ground, out};
use crate::{
    clock::{Clock, SystemClock},
    config::{Env, Problem},
    model::Millis,
    rehearsal::{self, Replay, Tally},
};
use serde::Serialize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard replay my-shop
  switchboard replay my-shop --since 30d --with my-shop-changed
  switchboard replay my-shop --since 12h --json

Reads the recorded turns of the running `serve` of my-shop, and runs each through the folder of
`--with`, or through my-shop as it is on disk now: at its own moment, on the customer and the stored
values as they were then. Each by itself: what a difference would have led to later is not told.
Nothing leaves, and nothing is written. docs/replay.md says what can be compared.
Exit code 0 if all went as then, 1 if not, 2 if nothing could be compared.";

/// Run recorded turns through a changed folder and say what differs.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder that is served.
    folder: PathBuf,
    /// How far back: 30m, 12h, 30d, 4w.
    #[arg(long, value_name = "SPAN", default_value = "7d", value_parser = rehearsal::span)]
    since: Millis,
    /// The changed folder [default: the same].
    #[arg(long, value_name = "FOLDER")]
    with: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    turns: usize,
    #[serde(flatten)]
    tally: &'a Tally,
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let admin = match Admin::of(&arguments.folder, env)? {
        Ok(admin) => admin,
        Err(problems) => return Ok(could_not(&problems)),
    };
    let changed = arguments.with.as_ref().unwrap_or(&arguments.folder);
    let generation = match ground::rehearsed(changed, env)? {
        Ok(generation) => generation,
        Err(problems) => return Ok(could_not(&problems)),
    };
    let channels: Vec<String> = generation.channels.keys().map(ToString::to_string).collect();
    let replay = Replay::new(generation);
    let since = SystemClock.now().saturating_sub(arguments.since);
    let tally = match ground::wait(replayed(&admin, &replay, &channels, since))? {
        Ok(tally) => tally,
        Err(error) => {
            out::error(&error);
            return Ok(Exit::Usage);
        }
    };
    match arguments.json {
        true => out::json(&Report { turns: words::turns(&tally), tally: &tally })?,
        false => words::tell(&tally),
    }
    Ok(match (tally.different, tally.same) {
        (0, 0) => Exit::Usage,
        (0, _) => Exit::Done,
        (_, _) => Exit::Problems,
    })
}

/// Problems of a folder are no difference.
fn could_not(problems: &[Problem]) -> Exit {
    out::problems(problems);
    Exit::Usage
}

async fn replayed(
    admin: &Admin,
    replay: &Replay,
    channels: &[String],
    since: Millis,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for lane in fetch::lanes(admin, channels).await? {
        for trace in fetch::turns(admin, &lane, since).await? {
            let replayed = replay.turn(&trace).await;
            tally.add(&trace, lane.phone.as_deref(), replayed);
        }
    }
    Ok(tally)
}
