//! `switchboard plugin test`.

use super::build;
use crate::{
    author::Built,
    cases::{self, Case, Outcome},
    cli::{Ending, Exit, ground, out},
    config::{BUNDLED, Env},
    plugin::{Plugin, Source},
};
use anyhow::bail;
use serde::Serialize;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  switchboard plugin test loyalty
  switchboard plugin test loyalty points-are-told
  switchboard plugin test loyalty --bless
  switchboard plugin test my-shop/plugins/loyalty.wasm --cases cases

Each folder in `cases` is one case: what happens (event.json), to whom (contact.json), with which rules
(rules.toml), and what should come of it (expected.json). They run on the real component, with nothing
else real: a store in memory, no network, a clock that stands still.
Exit code 0 if all went as expected, 1 if not or if there are no cases.";

/// Run a plugin's cases on the real host.
#[derive(clap::Args, Default)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// The plugin's project folder, which is built first, a component (its embedded cases), or a bundled plugin's name.
    plugin: PathBuf,
    /// Only these cases.
    #[arg(value_name = "CASE")]
    names: Vec<String>,
    /// The folder with a folder for each case.
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
    /// Write what came as what is expected, where they differ.
    #[arg(long)]
    bless: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is tested, and the folder of its cases unless they are embedded.
struct Subject {
    source: Source,
    cases: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    plugin: String,
    cases: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    name: String,
    ok: bool,
    /// Its expected.json was written anew.
    blessed: bool,
    differences: Vec<String>,
    logs: Vec<crate::model::LogLine>,
}

pub(in crate::cli) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let path = &arguments.plugin;
    if !path.is_dir() {
        return ended(arguments, &subject(arguments));
    }
    match build::build(path, env)? {
        Some(built) => {
            let cases = arguments.cases.clone().unwrap_or_else(|| built.project.cases.clone());
            ended(arguments, &Subject { source: Source::File(built.component), cases: Some(cases) })
        }
        None => Ok(Exit::Problems),
    }
}

/// Runs all cases of a project that was built.
pub(super) fn project(built: &Built) -> Ending {
    let cases = Some(built.project.cases.clone());
    ended(&Arguments::default(), &Subject { source: Source::File(built.component.clone()), cases })
}

fn ended(arguments: &Arguments, subject: &Subject) -> Ending {
    let report = ground::wait(test(arguments, subject))??;
    match arguments.json {
        true => out::json(&report)?,
        false => tell(&report, subject),
    }
    Ok(if report.ok { Exit::Done } else { Exit::Problems })
}

/// A component that is there, or a bundled plugin.
fn subject(arguments: &Arguments) -> Subject {
    let path = &arguments.plugin;
    let bundled = path.to_str().filter(|name| BUNDLED.contains(name) && !path.exists());
    let source = match bundled {
        Some(name) => Source::Bundled(name.into()),
        None => Source::File(path.clone()),
    };
    Subject { source, cases: arguments.cases.clone() }
}

async fn test(arguments: &Arguments, subject: &Subject) -> anyhow::Result<Report> {
    let plugin = ground::plugins()?.load(&subject.source).await?;
    let found = match &subject.cases {
        Some(folder) => cases::read(folder)?,
        None if arguments.bless => {
            bail!("embedded cases can't be written anew: name their folder with --cases")
        }
        None => plugin.packed_cases().map(cases::unpack).transpose()?.unwrap_or_default(),
    };
    let chosen = chosen(found, &arguments.names)?;
    let mut lines = Vec::new();
    for case in &chosen {
        let outcome = cases::run(&plugin, case).await;
        lines.push(line(case, outcome, subject.cases.as_deref().filter(|_| arguments.bless))?);
    }
    let ok = !lines.is_empty() && lines.iter().all(|line| line.ok);
    Ok(Report { ok, plugin: label(&plugin), cases: lines })
}

fn label(plugin: &Plugin) -> String {
    let descriptor = plugin.descriptor();
    format!("{} {}", descriptor.name, descriptor.version)
}

fn chosen(found: Vec<Case>, names: &[String]) -> anyhow::Result<Vec<Case>> {
    if let Some(unknown) = names.iter().find(|name| !found.iter().any(|it| it.name == **name)) {
        let known: Vec<_> = found.iter().map(|case| case.name.as_str()).collect();
        bail!("there is no case `{unknown}`; there are: {}", known.join(", "));
    }
    Ok(found.into_iter().filter(|it| names.is_empty() || names.contains(&it.name)).collect())
}

/// Where to bless is none if nothing is to be.
fn line(case: &Case, outcome: Outcome, bless: Option<&Path>) -> anyhow::Result<Line> {
    let mut ok = outcome.passed();
    let mut blessed = false;
    if let (false, Some(folder)) = (ok, bless)
        && let Some(expected) = outcome.came.expected(case.expected.as_ref())
    {
        cases::bless(folder, &case.name, &expected)?;
        (ok, blessed) = (true, true);
    }
    let Outcome { differences, logs, .. } = outcome;
    Ok(Line { name: case.name.clone(), ok, blessed, differences, logs })
}

fn tell(report: &Report, subject: &Subject) {
    for line in &report.cases {
        let word = match (line.ok, line.blessed) {
            (true, true) => "written",
            (true, false) => "ok     ",
            (false, _) => "FAILED ",
        };
        out::line(format_args!("{word} {}", line.name));
        if line.ok && !line.blessed {
            continue;
        }
        for text in line.differences.iter().flat_map(|difference| difference.lines()) {
            out::line(format_args!("          {text}"));
        }
        for log in line.logs.iter().filter(|_| !line.ok) {
            out::line(format_args!("          log: {}", log.message));
        }
    }
    if report.cases.is_empty() {
        let place = match &subject.cases {
            Some(folder) => format!("in {}", folder.display()),
            None => format!("embedded in {}", subject.source),
        };
        return out::line(format_args!("{}: there are no cases {place}", report.plugin));
    }
    let failed = report.cases.iter().filter(|line| !line.ok).count();
    let counted = out::counted(report.cases.len(), "case");
    let ended = if failed == 0 { "all ok".into() } else { format!("{failed} failed") };
    out::line(format_args!("{}: {counted}, {ended}", report.plugin));
}
