//! `switchboard plugin inspect`.

use crate::{
    app::Failure,
    cases,
    cli::{Ending, Exit, ground, out},
    config::{BUNDLED, Env, Found},
    model::plain,
    plugin::{self, Anatomy, Descriptor, Source},
};
use anyhow::{anyhow, bail};
use serde_json::{Value, json};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard plugin inspect my-shop/plugins/loyalty.wasm
  switchboard plugin inspect my-shop/loyalty
  switchboard plugin inspect faq --schema

Says what a component is, wants and carries, without running any of a business. What would be refused
is shown as far as it can be read, with why.
Exit code 0 if a business could use it, 1 if not.";

/// Show what a component is and wants.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// A component, a business folder and a step in it, or a bundled plugin's name.
    #[arg(value_name = "FILE|FOLDER/STEP")]
    what: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// Print the JSON Schema of its rules alone.
    #[arg(long)]
    schema: bool,
}

/// All that is known of a component.
struct Known {
    anatomy: Anatomy,
    descriptor: Option<Descriptor>,
    /// Whether turns can each have a fresh instance from a snapshot; why not.
    snapshot: Option<Result<(), String>>,
    cases: Result<Vec<String>, String>,
    /// Why a business can't use it.
    refused: Option<String>,
}

pub(in crate::cli) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let source = source(arguments, env)?;
    let known = ground::wait(know(&source))??;
    let exit = if known.refused.is_none() { Exit::Done } else { Exit::Problems };
    if arguments.schema {
        return schema(&known).map(|()| exit);
    }
    match arguments.json {
        true => out::json(&as_json(&known))?,
        false => tell(&source, &known),
    }
    Ok(exit)
}

fn source(arguments: &Arguments, env: &Env) -> anyhow::Result<Source> {
    let what = &arguments.what;
    if what.is_file() {
        return Ok(Source::File(what.clone()));
    }
    if let Some(name) = what.to_str().filter(|name| BUNDLED.contains(name)) {
        return Ok(Source::Bundled(name.into()));
    }
    let step = what.file_name().and_then(|name| name.to_str());
    let (Some(folder), Some(step)) = (what.parent().filter(|folder| folder.is_dir()), step) else {
        bail!("there is no file {}", what.display());
    };
    let found = Found::read(folder, env);
    let mut steps = found.chains.values().flat_map(|chain| &chain.config.steps);
    let Some(config) = steps.find(|config| config.name == step) else {
        bail!("there is no file {}, and no step `{step}` in {}", what.display(), folder.display());
    };
    Ok(match config.plugin_file() {
        Some(file) => Source::File(folder.join(file)),
        None => Source::Bundled(config.plugin.clone()),
    })
}

async fn know(source: &Source) -> anyhow::Result<Known> {
    let (anatomy, malformed) = plugin::anatomy(source).await?;
    let (plugin, refused) = match ground::plugins()?.load(source).await {
        Ok(plugin) => (Some(plugin), malformed.map(|why| why.to_string())),
        Err(why) => (None, Some(why.to_string())),
    };
    let descriptor = plugin.as_ref().map(|plugin| plugin.descriptor().clone());
    let snapshot = plugin.as_ref().map(|plugin| plugin.snapshot_possible().map_err(str::to_owned));
    let names = |found: Vec<cases::Case>| found.into_iter().map(|case| case.name).collect();
    let cases = match &anatomy.cases {
        Some(packed) => cases::unpack(packed).map(names).map_err(|why| why.to_string()),
        None => Ok(Vec::new()),
    };
    Ok(Known { anatomy, descriptor, snapshot, cases, refused })
}

fn schema(known: &Known) -> Result<(), Failure> {
    let schema = known.descriptor.as_ref().map(|descriptor| &descriptor.rules_schema);
    match (schema, &known.refused) {
        (Some(Some(schema)), _) => out::json(schema)?,
        (Some(None), _) => out::remark("it has no schema for its rules: it takes any"),
        (None, Some(why)) => return Err(Failure::Running(anyhow!("{}", plain(why)))),
        (None, None) => return Err(Failure::Running(anyhow!("it could not be read"))),
    }
    Ok(())
}

fn as_json(known: &Known) -> Value {
    let descriptor = known.descriptor.as_ref().map(|it| {
        let wants = it.wants.iter().map(|want| json!({"name": want.name, "reason": want.reason}));
        json!({
            "name": it.name,
            "version": it.version,
            "summary": it.summary,
            "events": it.events,
            "wants": wants.collect::<Vec<_>>(),
            "rules_schema": it.rules_schema,
        })
    });
    let (cases, wrong) = match &known.cases {
        Ok(names) => (json!(names), None),
        Err(why) => (Value::Null, Some(why)),
    };
    json!({
        "refused": known.refused,
        "descriptor": descriptor,
        "snapshot": known.snapshot.as_ref().map(Result::is_ok),
        "snapshot_impossible": known.snapshot.as_ref().and_then(|it| it.as_ref().err()),
        "contract": known.anatomy.contract,
        "sha256": known.anatomy.sha256,
        "sizes": known.anatomy.sizes,
        "imports": known.anatomy.imports,
        "exports": known.anatomy.exports,
        "producers": known.anatomy.producers,
        "cases": cases,
        "cases_wrong": wrong,
    })
}

fn tell(source: &Source, known: &Known) {
    let Known { anatomy, descriptor, snapshot, cases, refused } = known;
    let row =
        |name: &str, text: String| out::line(format_args!("{:<10} {}", plain(name), plain(&text)));
    match descriptor {
        Some(it) => out::line(format_args!("{} {}: {}", it.name, it.version, it.summary)),
        None => out::line(plain(&source.to_string())),
    }
    if let Some(why) = refused {
        row("refused", why.clone());
    }
    match &anatomy.contract {
        Some(version) => row("made for", format!("switchboard:plugin {version}")),
        None => row("made for", "no world of this host".into()),
    }
    if let Some(it) = descriptor {
        row("events", it.events.join(", "));
        for want in &it.wants {
            row("wants", format!("{}: {}", want.name, want.reason));
        }
        let schema = if it.rules_schema.is_some() { "with a schema" } else { "any" };
        row("rules", schema.into());
    }
    match snapshot {
        Some(Ok(())) => row("fresh", "from a snapshot, with its rules".into()),
        Some(Err(why)) => row("fresh", format!("not from a snapshot: {why}")),
        None => {}
    }
    match cases {
        Ok(names) if names.is_empty() => row("cases", "none embedded".into()),
        Ok(names) => row("cases", format!("{} embedded: {}", names.len(), names.join(", "))),
        Err(why) => row("cases", why.clone()),
    }
    let sizes = &anatomy.sizes;
    let modules = out::counted(sizes.modules, "core module");
    row(
        "size",
        format!(
            "{} ({modules} {}, of that data {}; custom sections {})",
            out::size(sizes.component),
            out::size(sizes.core_modules),
            out::size(sizes.data),
            out::size(sizes.custom_sections)
        ),
    );
    row("sha-256", anatomy.sha256.clone());
    for it in &anatomy.producers {
        let field = if it.field == "processed-by" { "made with" } else { &it.field };
        row(field, format!("{} {}", it.name, it.version).trim().into());
    }
    for export in &anatomy.exports {
        row("exports", export.clone());
    }
    for import in &anatomy.imports {
        let word = if import.given { "given" } else { "NOT given" };
        row("imports", format!("{} ({word})", import.name));
    }
}
