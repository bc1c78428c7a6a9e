//! What a turn does, in an owner's words, by what it is about.

use super::said::Said;
use crate::model::*;
use serde::Serialize;

/// What an effect is about, in the order in which it is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A message to the contact.
    Answer,
    /// A message to somebody else, or a read mark.
    Send,
    Tag,
    Attribute,
    /// Whether marketing is welcome.
    Marketing,
    Handoff,
    Note,
    Question,
    Timer,
    Campaign,
    /// A step failed.
    Failure,
    /// Which step ended the chain.
    End,
}

impl About {
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Send => "send",
            Self::Tag => "tag",
            Self::Attribute => "attribute",
            Self::Marketing => "marketing",
            Self::Handoff => "handoff",
            Self::Note => "note",
            Self::Question => "open question",
            Self::Timer => "timer",
            Self::Campaign => "campaign",
            Self::Failure => "failure",
            Self::End => "end of the chain",
        }
    }
}

/// One thing done, a line or more.
pub(super) fn of_effect(effect: &Effect) -> (About, String) {
    let at = |at: Millis| moment(at).map_or_else(|| "the far future".into(), |at| at.to_string());
    match effect {
        Effect::Send { to: None, message, .. } => (About::Answer, of_message(message, "bot")),
        Effect::Send { to: Some(to), message, .. } => {
            (About::Send, of_message(message, &format!("bot to {to}")))
        }
        Effect::MarkRead { typing: false } => (About::Send, "marks the message as read".into()),
        Effect::MarkRead { typing: true } => {
            (About::Send, "marks the message as read, and shows that it types".into())
        }
        Effect::Tag { name, expires: None } => (About::Tag, format!("+ {name}")),
        Effect::Tag { name, expires: Some(until) } => {
            (About::Tag, format!("+ {name} until {}", at(*until)))
        }
        Effect::Untag { name } => (About::Tag, format!("- {name}")),
        Effect::SetAttribute { name, value: Some(value) } => {
            (About::Attribute, format!("{name} is {value}"))
        }
        Effect::SetAttribute { name, value: None } => (About::Attribute, format!("no {name}")),
        Effect::SetTimer { name, due, .. } => {
            (About::Timer, format!("`{name}` rings at {}", at(*due)))
        }
        Effect::CancelTimer { name } => (About::Timer, format!("`{name}` rings no more")),
        Effect::Handoff { reason } => (About::Handoff, format!("to a person: {reason}")),
        Effect::Resume => (About::Handoff, "back to the bot".into()),
        Effect::OptIn { .. } => (About::Marketing, "is welcome".into()),
        Effect::OptOut { .. } => (About::Marketing, "is not welcome".into()),
        Effect::Broadcast { id, to, .. } => (About::Campaign, format!("`{id}` {}", segment(to))),
        Effect::LeaveOut { reason } => (About::Campaign, format!("left out: {reason}")),
        Effect::Variant { name } => (About::Campaign, format!("gets the variant `{name}`")),
        Effect::Note { text } => (About::Note, text.clone()),
        Effect::Unanswered { question } => (About::Question, question.clone()),
    }
}

/// As a chat tells it.
pub(super) fn of_message(message: &Outgoing, begin: &str) -> String {
    let said = Said::of(message);
    said.map_or_else(|| "marks the message as read".into(), |said| said.written(begin).join("\n"))
}

fn segment(to: &Segment) -> String {
    let part = |word: &str, tags: &Vec<String>| {
        (!tags.is_empty()).then(|| format!("{word} {}", tags.join(", ")))
    };
    let parts = [part("all of", &to.all), part("any of", &to.any), part("none of", &to.none)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "to everybody".into(),
        false => format!("to whoever has {}", parts.join(" and ")),
    }
}
