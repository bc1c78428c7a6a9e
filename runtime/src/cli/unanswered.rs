//! `switchboard unanswered`: what customers ask and nothing answers, as rules
//! to write.

mod likeness;
mod rule;
// The plugins' own reading of words, so that what is one question here is one
// to them.
#[allow(dead_code)]
#[path = "../../../plugin-sdk/src/text.rs"]
mod text;

use super::{Ending, Exit, admin::Admin, ground, out};
use crate::{
    clock::{Clock, SystemClock},
    config::Env,
    model::{Millis, moment, plain},
    rehearsal,
};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    path::PathBuf,
};
use text::Text;

const EXAMPLES: &str = "\
Examples:
  switchboard unanswered my-shop
  switchboard unanswered my-shop --since 30d --limit 5
  switchboard unanswered my-shop >> my-shop/rules/faq.toml

Asks the running `serve`. Questions that ask the same are one group; those that the most people ask come
first. What is printed is TOML: write into `say` what to answer. Until that is done the rules are refused,
and the ones before go on.";

/// Show what customers ask and nothing answers, as rules to write.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    folder: PathBuf,
    /// Only of this long: 30d, 12h, 2w. Left out: all that is kept.
    #[arg(long, value_name = "TIME", value_parser = rehearsal::span)]
    since: Option<Millis>,
    /// Groups shown.
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Kept {
    unanswered: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    contact: String,
    question: String,
    at: Millis,
    because: Vec<String>,
}

/// What the questions come to.
#[derive(Serialize)]
struct Report {
    questions: usize,
    contacts: usize,
    /// Those with the most contacts first.
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    id: String,
    questions: usize,
    contacts: usize,
    /// Milliseconds since 1970.
    first_asked: Millis,
    last_asked: Millis,
    /// The most typical first.
    wordings: Vec<Wording>,
    /// What the step said of the most typical one.
    because: Vec<String>,
    /// An `[[answer]]` as TOML.
    rule: String,
    /// Its wordings, by their place among all.
    #[serde(skip)]
    members: Vec<usize>,
}

#[derive(Clone, Serialize)]
struct Wording {
    /// On one line, as it was asked last.
    text: String,
    count: usize,
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let admin = match Admin::of(&arguments.folder, env)? {
        Ok(admin) => admin,
        Err(problems) => return Ok(out::problems(&problems)),
    };
    let kept: Kept = ground::wait(admin.get("/api/v1/unanswered"))??;
    let since = arguments.since.map(|span| SystemClock.now().saturating_sub(span));
    let recent = |question: &Question| since.is_none_or(|since| question.at >= since);
    let questions = kept.unanswered.into_iter().filter(recent).collect();
    let mut report = report(questions);
    let all = report.groups.len();
    report.groups.truncate(arguments.limit);
    match arguments.json {
        true => out::json(&report)?,
        false => tell(&report, all),
    }
    Ok(Exit::Done)
}

/// `questions`: the newest first.
fn report(questions: Vec<Question>) -> Report {
    // Each wording once, with those who asked in it.
    let mut places: HashMap<Text, usize> = HashMap::new();
    let mut asked: Vec<Vec<Question>> = Vec::new();
    let mut texts = Vec::new();
    let all = questions.len();
    let contacts: HashSet<String> = questions.iter().map(|it| it.contact.clone()).collect();
    for question in questions {
        let text = Text::new(&question.question);
        match places.get(&text).and_then(|at| asked.get_mut(*at)) {
            Some(same) => same.push(question),
            None => {
                places.insert(text.clone(), asked.len());
                texts.push(text);
                asked.push(vec![question]);
            }
        }
    }
    let groups = likeness::groups(&texts).into_iter();
    let mut groups: Vec<Group> = groups.map(|members| group(members, &asked)).collect();
    groups.sort_by_key(|it| Reverse((it.contacts, it.questions, it.last_asked)));
    rule::name(&mut groups, &texts);
    for group in &mut groups {
        group.rule = rule::toml(group);
    }
    Report { questions: all, contacts: contacts.len(), groups }
}

fn group(members: Vec<usize>, asked: &[Vec<Question>]) -> Group {
    let own = || members.iter().filter_map(|at| asked.get(*at));
    let questions = || own().flatten();
    let contacts: HashSet<&String> = questions().map(|question| &question.contact).collect();
    let wording = |same: &Vec<Question>| {
        let text = same.first().map(|last| plain(&last.question)).unwrap_or_default();
        Wording { text, count: same.len() }
    };
    let typical = questions().next();
    Group {
        id: String::new(),
        questions: questions().count(),
        contacts: contacts.len(),
        first_asked: questions().map(|question| question.at).min().unwrap_or_default(),
        last_asked: questions().map(|question| question.at).max().unwrap_or_default(),
        wordings: own().map(wording).collect(),
        because: typical.map(|question| question.because.clone()).unwrap_or_default(),
        rule: String::new(),
        members,
    }
}

fn tell(report: &Report, all: usize) {
    let Report { questions, contacts, groups } = report;
    if *questions == 0 {
        return out::line("# no question is without an answer");
    }
    out::line(format_args!(
        "# {} of {} without an answer: {}",
        out::counted(*questions, "question"),
        out::counted(*contacts, "contact"),
        out::counted(all, "group")
    ));
    for group in groups {
        let day = moment(group.last_asked).map(|at| at.strftime("%Y-%m-%d").to_string());
        out::line(format_args!(
            "\n# asked {} by {}, last on {}",
            out::counted(group.questions, "time"),
            out::counted(group.contacts, "contact"),
            day.unwrap_or_default()
        ));
        for why in &group.because {
            out::line(format_args!("# {}", plain(why)));
        }
        out::line(&group.rule);
    }
    let more = all.saturating_sub(groups.len());
    if more > 0 {
        out::line(format_args!(
            "\n# and {}: --limit {all} shows all",
            out::counted(more, "more group")
        ));
    }
}

#[cfg(test)]
mod tests;
