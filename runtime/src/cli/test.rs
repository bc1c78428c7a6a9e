//! `switchboard test`: the chats of a business.

use super::{Ending, Exit, ground, out};
use crate::{
    config::Env,
    generation::Generation,
    rehearsal::{self, ChatFile, Difference, Played, Unreadable},
};
use anyhow::{Context, bail};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

const EXAMPLES: &str = "\
Examples:
  switchboard test my-shop
  switchboard test my-shop hours.chat
  switchboard test my-shop --bless

Plays each chat in my-shop/chats/*.chat on the whole business: its chains, rules and plugins, with
timers, promotions and every rule of sending, over a store in memory and a clock that moves when the
chat says so. Nothing leaves, and secrets that are not set are made up. docs/chats.md has the form.
Exit code 0 if all went as told, 1 if not or if there are no chats.";

/// Play the chats of a business and say where they do not go as told.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    folder: PathBuf,
    /// Only these files; a bare name is one in `chats/`.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write what the bot says now in the place of what it was told to say.
    #[arg(long)]
    bless: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    ok: bool,
    /// Lines that can't be read.
    unreadable: Vec<Unreadable>,
    chats: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    file: PathBuf,
    ok: bool,
    /// What the bot says was written anew.
    blessed: bool,
    #[serde(flatten)]
    played: Played,
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let generation = match ground::rehearsed(&arguments.folder, env)? {
        Ok(generation) => generation,
        Err(problems) => return Ok(out::problems(&problems)),
    };
    let (files, unreadable) = read(arguments)?;
    let mut chats = Vec::new();
    for file in &files {
        chats.extend(ground::wait(play(&generation, file, arguments))??);
    }
    let ok = unreadable.is_empty() && !chats.is_empty() && chats.iter().all(|line| line.ok);
    let report = Report { ok, unreadable, chats };
    match arguments.json {
        true => out::json(&report)?,
        false => tell(&report),
    }
    Ok(if report.ok { Exit::Done } else { Exit::Problems })
}

fn read(arguments: &Arguments) -> anyhow::Result<(Vec<ChatFile>, Vec<Unreadable>)> {
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    for path in paths(arguments)? {
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} can't be read", path.display()))?;
        let shown = path.strip_prefix(&arguments.folder).unwrap_or(&path);
        match rehearsal::read(shown, &text) {
            Ok(file) => files.push(file),
            Err(problems) => unreadable.extend(problems),
        }
    }
    Ok((files, unreadable))
}

/// The files that are named, or all of the folder, in order.
fn paths(arguments: &Arguments) -> anyhow::Result<Vec<PathBuf>> {
    let chats = arguments.folder.join("chats");
    if arguments.files.is_empty() {
        let Ok(entries) = std::fs::read_dir(&chats) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.with_context(|| format!("{} can't be read", chats.display()))?.path();
            if path.extension().is_some_and(|extension| extension == "chat") {
                found.push(path);
            }
        }
        found.sort();
        return Ok(found);
    }
    let place = |file: &PathBuf| {
        let places = [chats.join(file), arguments.folder.join(file), file.clone()];
        let Some(path) = places.into_iter().find(|path| path.is_file()) else {
            bail!("there is no file {0}, nor {1}", file.display(), chats.join(file).display());
        };
        Ok(path)
    };
    arguments.files.iter().map(place).collect()
}

async fn play(
    generation: &Arc<Generation>,
    file: &ChatFile,
    arguments: &Arguments,
) -> anyhow::Result<Vec<Line>> {
    let mut all = Vec::new();
    for chat in &file.chats {
        all.push(rehearsal::play(generation, file, chat).await?);
    }
    let text = rehearsal::blessed(file, &all);
    let anew = arguments.bless && text != file.text;
    if anew {
        let path = arguments.folder.join(&file.path);
        std::fs::write(&path, text)
            .with_context(|| format!("{} can't be written", path.display()))?;
    }
    Ok(all
        .into_iter()
        .map(|played| {
            let ok = played.differences.is_empty();
            let blessed = anew && !ok && played.is_mended();
            Line { file: file.path.clone(), ok: ok || blessed, blessed, played }
        })
        .collect())
}

fn tell(report: &Report) {
    report.unreadable.iter().for_each(out::line);
    for line in &report.chats {
        let word = match (line.ok, line.blessed) {
            (true, true) => "written",
            (true, false) => "ok     ",
            (false, _) => "FAILED ",
        };
        out::line(format_args!("{word} {}: {}", line.file.display(), line.played.title));
        for difference in &line.played.differences {
            tell_difference(&line.file, difference);
        }
    }
    let failed = report.chats.iter().filter(|line| !line.ok).count();
    let counted = out::counted(report.chats.len(), "chat");
    out::line(match (report.chats.len(), report.unreadable.len(), failed) {
        (0, 0, _) => "there are no chats: they stand in chats/*.chat".into(),
        (_, 0, 0) => format!("{counted}, all as told"),
        (_, 0, failed) => format!("{counted}, {failed} failed"),
        (_, unreadable, failed) => {
            let lines = out::counted(unreadable, "line");
            format!("{counted}, {failed} failed; {lines} can't be read")
        }
    });
}

fn tell_difference(file: &Path, difference: &Difference) {
    out::line(format_args!("  {}:{}: {}", file.display(), difference.line, difference.what));
    for (word, lines) in
        [("told", &difference.expected), ("came", &difference.came), ("why ", &difference.because)]
    {
        for (index, line) in lines.iter().enumerate() {
            let word = if index == 0 { word } else { "    " };
            out::line(format_args!("    {word} | {line}"));
        }
    }
}
