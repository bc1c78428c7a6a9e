//! `switchboard trace list`.

use super::super::{Exit, admin::Admin, out};
use crate::model::{Millis, moment, plain_line};
use serde::Deserialize;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  switchboard trace list my-shop
  switchboard trace list my-shop --contact +15551234567
  switchboard trace list my-shop --contact c17 --limit 50

Asks the running `serve`. Each line is one turn: LANE SEQ, as `trace export` takes them, when, what
happened, and each step with how it ended.";

/// Contacts that are asked after without `--contact`: those heard of last.
const CONTACTS: usize = 20;
/// Contacts looked at to find those.
const LOOK: usize = 500;

/// Show recorded turns, the newest first.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    pub(super) folder: PathBuf,
    /// Of this contact alone: a phone number, or an id such as `c17`.
    #[arg(long, value_name = "PHONE|ID")]
    contact: Option<String>,
    /// Turns shown.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

#[derive(Deserialize)]
struct Turns {
    turns: Vec<Turn>,
}

#[derive(Deserialize)]
struct Turn {
    turn: String,
    event: String,
    text: Option<String>,
    at: Millis,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    step: String,
    verdict: String,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Contacts {
    contacts: Vec<Contact>,
}

#[derive(Deserialize)]
struct Contact {
    id: String,
    last_seen: Option<u64>,
}

pub(super) async fn run(arguments: &Arguments, admin: &Admin) -> anyhow::Result<Exit> {
    let limit = arguments.limit.max(1);
    let mut turns = Vec::new();
    for lane in lanes(arguments, admin).await? {
        let path = format!("/api/v1/lanes/{lane}/turns?limit={limit}");
        turns.extend(admin.get::<Turns>(&path).await?.turns);
    }
    turns.sort_by_key(|turn| std::cmp::Reverse(turn.at));
    turns.truncate(limit);
    if turns.is_empty() {
        out::line("no turns yet");
    }
    turns.iter().map(line).for_each(out::line);
    Ok(Exit::Done)
}

async fn lanes(arguments: &Arguments, admin: &Admin) -> anyhow::Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Found {
        contact: Contact,
    }
    if let Some(asked) = &arguments.contact {
        let is_lane = asked.starts_with('c') || asked.starts_with('@');
        if is_lane {
            return Ok(vec![asked.clone()]);
        }
        let digits: String = asked.chars().filter(char::is_ascii_digit).collect();
        let found: Found = admin.get(&format!("/api/v1/contacts/lookup?phone={digits}")).await?;
        return Ok(vec![found.contact.id]);
    }
    let found: Contacts = admin.get(&format!("/api/v1/contacts?limit={LOOK}")).await?;
    let mut contacts = found.contacts;
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.last_seen));
    Ok(contacts.into_iter().take(CONTACTS).map(|contact| contact.id).collect())
}

fn line(turn: &Turn) -> String {
    /// More would break the line.
    const CHARS: usize = 60;
    let at = moment(turn.at).map(|at| at.to_string()).unwrap_or_default();
    let (lane, seq) = turn.turn.rsplit_once('-').unwrap_or((&turn.turn, ""));
    let text = plain_line(turn.text.as_deref().unwrap_or_default(), CHARS);
    let step = |step: &Step| match step.error {
        Some(_) => format!("{} failed", step.step),
        None => format!("{} {}", step.step, step.verdict),
    };
    let steps: Vec<String> = turn.steps.iter().map(step).collect();
    format!("{lane} {seq}  {at}  {} “{text}”  {}", turn.event, steps.join(", "))
}
