//! Tags customers by what they write and send.

use serde::Deserialize;
use switchboard_plugin::{text::Text, *};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    tag: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    name: String,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
    #[serde(default)]
    kinds: Vec<String>,
    expires_days: Option<u64>,
    #[serde(default)]
    remove: bool,
}

pub struct Tagger(Vec<Rule>);

struct Rule {
    tag: Tag,
    any: Vec<Text>,
    all: Vec<Text>,
    none: Vec<Text>,
}

const DAY_MS: u64 = 24 * 3_600_000;

impl Plugin for Tagger {
    type Rules = Rules;
    const RULES_SCHEMA: Option<&'static str> = Some(include_str!("../rules.schema.json"));

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        for (at, tag) in rules.tag.iter().enumerate() {
            if tag.any.is_empty() && tag.all.is_empty() && tag.kinds.is_empty() {
                let message = "needs `any`, `all` or `kinds`: else every message would fit";
                problems.push(Problem::new(format!("/tag/{at}"), message));
            }
            for (list, phrases) in [("any", &tag.any), ("all", &tag.all), ("none", &tag.none)] {
                for (line, phrase) in phrases.iter().enumerate() {
                    if Text::new(phrase).is_empty() {
                        let path = format!("/tag/{at}/{list}/{line}");
                        problems.push(Problem::new(path, "needs at least one word"));
                    }
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self(rules.tag.into_iter().map(Rule::new).collect()))
    }

    fn on_message(&self, message: Message) -> Outcome {
        let words = Text::new(message.words().unwrap_or_default());
        for rule in &self.0 {
            if let Some(reason) = rule.fits(&message, &words) {
                rule.apply(&reason)?;
            }
        }
        Ok(Continue)
    }
}

impl Rule {
    fn new(tag: Tag) -> Self {
        let texts = |phrases: &[String]| phrases.iter().map(|phrase| Text::new(phrase)).collect();
        Self { any: texts(&tag.any), all: texts(&tag.all), none: texts(&tag.none), tag }
    }

    /// Why the message fits, or none if it does not.
    fn fits(&self, message: &Message, words: &Text) -> Option<String> {
        let kind = message.kind();
        if !self.tag.kinds.is_empty() && !self.tag.kinds.iter().any(|wanted| wanted == kind) {
            return None;
        }
        if self.none.iter().any(|phrase| words.contains(phrase)) {
            return None;
        }
        if !self.all.iter().all(|phrase| words.contains(phrase)) {
            return None;
        }
        let occurring = self.any.iter().position(|phrase| words.contains(phrase));
        match (occurring.and_then(|at| self.tag.any.get(at)), &self.tag.all[..]) {
            (Some(phrase), _) => Some(format!("`{phrase}` occurs")),
            (None, _) if !self.any.is_empty() => None,
            (None, []) => Some(format!("it is a message of kind {kind}")),
            (None, all) => Some(format!("`{}` occur", all.join("`, `"))),
        }
    }

    fn apply(&self, reason: &str) -> Result<(), String> {
        let name = &self.tag.name;
        let has = contact::has_tag(name);
        if self.tag.remove {
            if has {
                because(format!("- {name}: {reason}"));
                untag(name)?;
            }
            return Ok(());
        }
        match self.tag.expires_days {
            Some(days) => {
                because(format!("+ {name} for {days} days: {reason}"));
                tag_until(name, business::now() + days * DAY_MS)
            }
            // Setting it again would only blur since when it is there.
            None if has => Ok(()),
            None => {
                because(format!("+ {name}: {reason}"));
                tag(name)
            }
        }
    }
}

export!(Tagger);

#[cfg(test)]
mod tests;
