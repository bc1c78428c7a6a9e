//! `switchboard ask`: what a business makes of one message.

use super::{Ending, Exit, ground, out};
use crate::{
    app::Failure,
    clock::{Clock, SystemClock},
    config::Env,
    model::Verdict,
    rehearsal::{self, Answer, Customer, Passed, Question},
};
use jiff::civil::DateTime;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard ask my-shop 'Can I bring it back?'
  switchboard ask my-shop 'When do you open?' --as vip --at 2026-12-24T09:00
  switchboard ask my-shop 'stop' --from 'Ann: tag vip, city Bonn, wants marketing' --json

Asks the folder as it is: its chains, rules and plugins, over a store in memory. No server is needed,
and nothing leaves: plugins reach no network, and secrets that are not set are made up. Whoever has
tags, a language or attributes is known from before; else somebody writes for the first time.";

/// Show what each step makes of a message, and what would be sent.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    folder: PathBuf,
    /// What the customer writes.
    text: String,
    /// Tags of the customer.
    #[arg(long = "as", value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    /// When, in the business's zone [default: now].
    #[arg(long, value_name = "MOMENT", value_parser = rehearsal::moment)]
    at: Option<DateTime>,
    /// The customer's language: its attribute `language`.
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// Who asks, as a chat's `customer` line has it.
    #[arg(long, value_name = "CUSTOMER", default_value = "Ann", value_parser = rehearsal::customer)]
    from: Customer,
    /// The number that is written to [default: the first by name].
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    if arguments.text.trim().is_empty() {
        out::remark("error: what is asked? Words stand behind the folder");
        return Ok(Exit::Usage);
    }
    let generation = match ground::rehearsed(&arguments.folder, env)? {
        Ok(generation) => generation,
        Err(problems) => return Ok(out::problems(&problems)),
    };
    let mut from = arguments.from.clone();
    from.tags.extend(arguments.tags.iter().map(|tag| tag.trim().to_owned()));
    if let Some(language) = &arguments.language {
        from.attributes.push(("language".into(), language.clone()));
    }
    let (text, channel) = (arguments.text.clone(), arguments.channel.clone());
    let question = Question { text, from, at: arguments.at, now: SystemClock.now(), channel };
    let asked = ground::wait(rehearsal::ask(&generation, &question))?;
    match asked.map_err(|error| Failure::Running(error.into()))? {
        Ok(answer) if arguments.json => out::json(&answer)?,
        Ok(answer) => tell(&question, &answer),
        Err(why) => {
            out::remark(format_args!("error: {why}"));
            return Ok(Exit::Usage);
        }
    }
    Ok(Exit::Done)
}

fn tell(question: &Question, answer: &Answer) {
    let open = match answer.open {
        Some(true) => ", open",
        Some(false) => ", closed",
        None => "",
    };
    let Question { text, from, .. } = question;
    out::line(format_args!("{} on {}: {text}", from.name, answer.channel));
    out::line(format_args!("{}{open}", answer.at));
    out::line("");
    answer.steps.iter().for_each(tell_step);
    labelled("the host", answer.remarks.iter().map(String::as_str));
    out::line("");
    match answer.leaves.is_empty() {
        true => out::line("nothing is sent"),
        false => out::line("is sent:"),
    }
    for message in &answer.leaves {
        message.lines().for_each(|line| out::line(format!("  {line}").trim_end()));
    }
    labelled("is held back", answer.held.iter().map(String::as_str));
    labelled(&format!("{} then", from.name), answer.known.iter().map(String::as_str));
}

fn tell_step(step: &Passed) {
    let ms = step.duration_us as f64 / 1_000.0;
    let how = match (&step.error, step.verdict, step.passed_over) {
        (Some(error), Some(Verdict::Stop), _) => format!("{error}; ends the chain, {ms:.1} ms"),
        (Some(error), _, _) => format!("{error}; passed over, {ms:.1} ms"),
        (None, Some(Verdict::Stop), _) => format!("ends the chain, {ms:.1} ms"),
        (None, Some(Verdict::Continue), _) => format!("goes on, {ms:.1} ms"),
        (None, None, why) => why.unwrap_or_default().to_owned(),
    };
    out::line(format_args!("{}  ({}) {how}", step.step, step.plugin));
    let tell = |label: &str, text: &str| {
        for (index, line) in text.lines().enumerate() {
            let label = if index == 0 { label } else { "" };
            out::line(format!("  {label:<13} | {line}").trim_end());
        }
    };
    step.because.iter().for_each(|reason| tell("because", reason));
    step.effects.iter().for_each(|did| tell(did.about.name(), &did.words));
    step.logs.iter().for_each(|line| tell("log", line));
}

fn labelled<'a>(label: &str, mut lines: impl Iterator<Item = &'a str>) {
    if let Some(first) = lines.next() {
        out::line(format_args!("{label}:"));
        std::iter::once(first).chain(lines).for_each(|line| out::line(format_args!("  {line}")));
    }
}
