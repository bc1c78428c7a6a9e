//! `switchboard plugin list`: the plugins of a business, as the running
//! `serve` counts them.

mod table;

use crate::{
    app::Failure,
    cli::{
        Ending, Exit,
        admin::{Admin, NobodyListens},
        check, ground, out,
    },
    config::Env,
    model::{Difference, StepLog, StepReport},
};
use anyhow::{anyhow, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard plugin list my-shop
  switchboard plugin list my-shop --logs loyalty
  switchboard plugin list my-shop --differences loyalty
  switchboard plugin list my-shop --json

Asks the running `serve`, at the address `http.admin` of the folder's switchboard.toml. If nothing
listens there, the folder is loaded as `check` does, and what is in it is shown without counts.
TURNS and ERRORS count since the start; MS is what half of the last turns took at most, and 99 of 100; CPU MS
is what the plugin computed, on average; MEMORY is the most that it has held.
Exit code 0, 1 if the folder has problems.";

/// Show the plugins of a business and how they fare.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The business folder.
    folder: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Show the last lines that the plugin of this step wrote.
    #[arg(long, value_name = "STEP")]
    logs: Option<String>,
    /// Show where this step's new version, in the shadow, did otherwise.
    #[arg(long, value_name = "STEP", conflicts_with = "logs")]
    differences: Option<String>,
}

/// As `--json` prints it.
#[derive(Serialize, Deserialize)]
struct List {
    /// Whether a server answered; without one nothing is counted.
    #[serde(default)]
    running: bool,
    plugins: Vec<StepReport>,
}

#[derive(Serialize, Deserialize)]
struct Logs {
    logs: Vec<StepLog>,
}

#[derive(Serialize, Deserialize)]
struct Differences {
    differences: Vec<Difference>,
}

pub(in crate::cli) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let admin = match Admin::of(&arguments.folder, env).map_err(Failure::CannotStart)? {
        Ok(admin) => admin,
        Err(problems) => return Ok(out::problems(&problems)),
    };
    match (&arguments.logs, &arguments.differences) {
        (Some(step), _) => logs(&admin, step, arguments.json),
        (None, Some(step)) => differences(&admin, step, arguments.json),
        (None, None) => list(&admin, arguments, env),
    }
}

fn list(admin: &Admin, arguments: &Arguments, env: &Env) -> Ending {
    let live: Option<List> = ask(admin, "/api/v1/plugins").map_err(Failure::CannotStart)?;
    let list = match live {
        Some(list) => List { running: true, ..list },
        None => match check::load(&arguments.folder, env).map_err(Failure::CannotStart)? {
            Ok(generation) => List { running: false, plugins: generation.reports() },
            Err(problems) => return Ok(out::problems(&problems)),
        },
    };
    if arguments.json {
        return out::json(&list).map(|()| Exit::Done);
    }
    table::lines(&list.plugins, list.running).iter().for_each(out::line);
    if !list.running {
        out::line("nothing runs: this is what is in the folder");
    }
    Ok(Exit::Done)
}

fn logs(admin: &Admin, step: &str, as_json: bool) -> Ending {
    let found: Logs = of_step(admin, step, "logs?limit=200").map_err(Failure::CannotStart)?;
    if as_json {
        return out::json(&found).map(|()| Exit::Done);
    }
    found.logs.iter().map(table::log_line).for_each(out::line);
    out::remark(out::counted(found.logs.len(), "line"));
    Ok(Exit::Done)
}

fn differences(admin: &Admin, step: &str, as_json: bool) -> Ending {
    let found: Differences = of_step(admin, step, "differences").map_err(Failure::CannotStart)?;
    if as_json {
        return out::json(&found).map(|()| Exit::Done);
    }
    found.differences.iter().flat_map(table::difference).for_each(out::line);
    out::remark(out::counted(found.differences.len(), "difference"));
    Ok(Exit::Done)
}

/// What only a running server knows of a step.
fn of_step<T: DeserializeOwned>(admin: &Admin, step: &str, what: &str) -> anyhow::Result<T> {
    // A step's name needs no escaping; whatever else comes is not found.
    let named = step.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !named {
        bail!("`{step}` is no name of a step: 1 to 64 small letters, digits and `-`");
    }
    let found = ask(admin, &format!("/api/v1/plugins/{step}/{what}"))?;
    found.ok_or_else(|| anyhow!("nothing listens there: only a running `serve` knows this"))
}

/// None: nothing listens.
fn ask<T: DeserializeOwned>(admin: &Admin, path: &str) -> anyhow::Result<Option<T>> {
    match ground::wait(admin.get(path))? {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is::<NobodyListens>() => Ok(None),
        Err(error) => Err(error),
    }
}
