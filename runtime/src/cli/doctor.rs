//! `switchboard doctor`: asks the providers whether each channel can work, and
//! says in plain words what to do where it can't. Changes nothing but what
//! `--fix` is for, and never prints a secret.

mod ask;
mod clock;
mod finding;
mod meta;
mod reach;
mod templates;
mod twilio;
mod versions;

use super::{Ending, Exit, ground, out};
use crate::{
    app::Failure,
    clock::{Clock, SystemClock},
    config::{self, ChannelConfig, Env, ProviderKind},
};
use ask::Ask;
use finding::{Finding, State};
use serde::Serialize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard doctor my-shop
  switchboard doctor my-shop --json
  switchboard doctor my-shop --fix

Asks Meta and Twilio, with the channels' own tokens, what can be known: the token and its rights, the
number and its account, whether messages are sent here at all, templates, versions, clocks. Sends no
message. `--fix` has Meta send an account's messages to the token's app.
Exit code 0 if nothing is wrong (what can't be known does not count), 1 if something is.";

/// Say why messages do not come in or go out.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    folder: PathBuf,
    /// Print one JSON object: ok, channels.
    #[arg(long)]
    json: bool,
    /// Mend what can be mended from here.
    #[arg(long)]
    fix: bool,
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    channels: Vec<Examined>,
}

/// One channel with all that was found.
#[derive(Serialize)]
struct Examined {
    channel: String,
    provider: &'static str,
    findings: Vec<Finding>,
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let business = match config::load_business(&arguments.folder, env) {
        Ok(business) => business,
        Err(problems) => return Ok(out::problems(&problems)),
    };
    let examined = ground::wait(examine(&business.channels, arguments.fix));
    let channels = examined.and_then(|examined| examined).map_err(Failure::CannotStart)?;
    let bad = |one: &Examined| one.findings.iter().any(|finding| finding.state == State::Bad);
    let ok = !channels.iter().any(bad);
    let report = Report { ok, channels };
    match arguments.json {
        true => out::json(&report)?,
        false => tell(&report),
    }
    Ok(if ok { Exit::Done } else { Exit::Problems })
}

async fn examine(channels: &[ChannelConfig], fix: bool) -> anyhow::Result<Vec<Examined>> {
    let ask = Ask::new()?;
    let mut examined = Vec::new();
    for channel in channels {
        let now = SystemClock.now();
        let mut findings = match channel.provider {
            ProviderKind::Meta => meta::examine(&ask, channel, fix, now).await,
            ProviderKind::Twilio => twilio::examine(&ask, channel, now).await,
        };
        findings.push(reach::examine(&ask, channel).await);
        let (provider, channel) = (channel.provider.name(), channel.id.clone());
        examined.push(Examined { channel, provider, findings });
    }
    Ok(examined)
}

fn tell(report: &Report) {
    for one in &report.channels {
        out::line(format_args!("{} ({})", one.channel, one.provider));
        for finding in &one.findings {
            out::line(format_args!(
                "  {} {}: {}",
                finding.state.sign(),
                finding.check,
                finding.said
            ));
            if let Some(todo) = &finding.todo {
                out::line(format_args!("      {todo}"));
            }
        }
    }
    let of = |state: State| {
        let findings = report.channels.iter().flat_map(|one| &one.findings);
        findings.filter(|finding| finding.state == state).count()
    };
    let (bad, unknown) = (of(State::Bad), of(State::Unknown));
    match bad {
        0 => out::line(format_args!("ok: nothing is wrong, {unknown} could not be told")),
        _ => out::line(format_args!(
            "not ok: {}, {unknown} could not be told",
            out::counted(bad, "thing")
        )),
    }
}
