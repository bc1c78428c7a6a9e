//! `switchboard trace export`.

use super::super::{Exit, admin::Admin, ground, out};
use crate::{
    cases::{self, Case, Kept, Setup},
    config::{Env, Found},
    model::{Lane, Millis, Trace},
    plugin::Source,
};
use anyhow::{Context, anyhow, bail};
use serde_json::{Map, Value};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard trace export my-shop c17 4 --to loyalty/cases/asked-twice
  switchboard trace export my-shop c17 4 --step tagger --to tagger/cases/complaint

Asks the running `serve` for a turn (`trace list` shows them) and writes what one step of it saw and did
as a case for `plugin test`. The contact's phone number, name and ids are replaced by stand-ins; what
they wrote, tags, attributes and stored values stay: read the files before you share them. The rules are
taken from the folder; if they have changed since the turn, that is said. The case is run once.
Exit code 0 if it passes, 1 if not.";

/// Make a recorded turn a test case.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    pub(super) folder: PathBuf,
    /// Whose turn: `c17`, or `@main` for what concerns no contact.
    lane: String,
    /// Which: the number behind it.
    seq: u64,
    /// The step; by default the one with which the chain ended.
    #[arg(long)]
    step: Option<String>,
    /// The folder to make for the case.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Keep the contact's phone number, name and ids.
    #[arg(long)]
    keep_personal: bool,
}

/// What the folder says of a step.
struct Configured {
    setup: Setup,
    source: Source,
}

pub(super) async fn run(arguments: &Arguments, admin: &Admin, env: &Env) -> anyhow::Result<Exit> {
    let lane: Lane = arguments.lane.parse().map_err(|why: String| anyhow!(why))?;
    let path = format!("/api/v1/lanes/{lane}/turns/{}", arguments.seq);
    let trace: Trace = admin.get(&path).await?;
    let step = cases::step_of(&trace, arguments.step.as_deref())?;
    let configured = configured(arguments, env, step, trace.at)?;
    let name = arguments.to.file_name().and_then(|name| name.to_str());
    let name = name.context("`--to` needs the name of a folder")?;
    let kept = if arguments.keep_personal { Kept::Personal } else { Kept::StandIns };
    let exported = cases::of_turn(&trace, step, name, configured.setup, kept)?;
    cases::write(&arguments.to, &exported.case)?;
    out::line(format_args!(
        "wrote the step `{step}` of {} to {}",
        trace.turn,
        arguments.to.display()
    ));
    out::line(match kept {
        Kept::StandIns => {
            "phone number, name and ids are stand-ins; what the contact wrote stays, and what was \
             stored: read it before you share it"
        }
        Kept::Personal => "it names the contact: do not share it",
    });
    if !exported.same_rules {
        out::line(format_args!(
            "the rules of `{step}` have changed since that turn: the case has today's"
        ));
    }
    try_out(&configured.source, &exported.case).await
}

fn configured(
    arguments: &Arguments,
    env: &Env,
    step: &str,
    at: Millis,
) -> anyhow::Result<Configured> {
    let folder = &arguments.folder;
    let found = Found::read(folder, env);
    for chain in found.chains.values() {
        let Some(index) = chain.config.steps.iter().position(|config| config.name == step) else {
            continue;
        };
        let Some(config) = chain.config.steps.get(index) else { continue };
        let rules = config.rules.as_ref().and_then(|file| found.rules.get(file));
        let own = chain.document.value().pointer(&format!("/step/{index}"));
        return Ok(Configured {
            setup: Setup {
                rules: rules.map(|rules| rules.value().clone()),
                calendar: found.calendar.as_ref().map(|file| file.alone(at)),
                step: own.and_then(case_step),
            },
            source: match config.plugin_file() {
                Some(file) => Source::File(folder.join(file)),
                None => Source::Bundled(config.plugin.clone()),
            },
        });
    }
    bail!("the step `{step}` is no longer in a chain of {}", folder.display())
}

/// The `grants` and `limits` of a step, without its credentials.
fn case_step(step: &Value) -> Option<Value> {
    let mut kept = Map::new();
    for key in ["grants", "limits"] {
        let Some(mut table) = step.get(key).and_then(Value::as_object).cloned() else { continue };
        table.remove("credentials");
        if !table.is_empty() {
            kept.insert(key.into(), Value::Object(table));
        }
    }
    (!kept.is_empty()).then_some(Value::Object(kept))
}

async fn try_out(source: &Source, case: &Case) -> anyhow::Result<Exit> {
    let plugin = ground::plugins()?.load(source).await?;
    let outcome = cases::run(&plugin, case).await;
    if outcome.passed() {
        out::line("it passes with the plugin of the folder");
        return Ok(Exit::Done);
    }
    out::line("it does not pass with the plugin of the folder:");
    for text in outcome.differences.iter().flat_map(|difference| difference.lines()) {
        out::line(format_args!("  {text}"));
    }
    Ok(Exit::Problems)
}
