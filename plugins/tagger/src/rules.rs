//! What the owner writes, and what is wrong with it.

use crate::moment::{Hours, Weekday};
use regex::RegexBuilder;
use serde::Deserialize;
use switchboard_plugin::{Problem, text::Text};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    pub tag: Vec<Tag>,
    pub topic: Vec<Topic>,
    pub preferences: Preferences,
}

/// One rule: everything that it asks for must be so.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default)]
pub struct Tag {
    pub name: String,

    // What the message is like.
    pub any: Vec<String>,
    pub all: Vec<String>,
    pub none: Vec<String>,
    pub regex: Vec<String>,
    pub has_text: Option<bool>,
    pub kinds: Vec<String>,
    pub taps: Vec<String>,
    pub referral: Option<Referral>,
    pub order_min: Option<f64>,
    pub hours: Option<String>,
    pub weekdays: Vec<Weekday>,

    // What the contact is like.
    pub languages: Vec<String>,
    pub has: Vec<String>,
    pub has_not: Vec<String>,
    pub messages_min: Option<u32>,
    pub orders_min: Option<u32>,
    pub spent_min: Option<f64>,
    pub within_days: Option<u32>,
    pub away_days: Option<u32>,
    pub silent_days: Option<u32>,
    pub new_days: Option<u32>,
    pub known_days: Option<u32>,
    pub usually: Option<Usually>,
    /// Of `order_min` and `spent_min`.
    pub currency: Option<String>,

    // What becomes of the tag.
    pub expires_days: Option<u64>,
    pub remove: bool,
    pub only_while: bool,
    pub cooldown_days: Option<u64>,
}

/// How the contact came: each that is given must be so.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default)]
pub struct Referral {
    pub ids: Vec<String>,
    pub source: Option<String>,
    pub headline: Vec<String>,
    pub click_id: Option<bool>,
}

/// When the contact mostly writes.
#[derive(Deserialize, Default, Clone, Debug)]
#[serde(deny_unknown_fields, default)]
pub struct Usually {
    pub hours: Option<String>,
    pub weekdays: Vec<Weekday>,
    pub share: Option<f64>,
    pub of: Option<u32>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    pub name: String,
    pub words: Vec<String>,
    pub tag: Option<String>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields, default)]
pub struct Preferences {
    pub attribute: String,
    /// Messages about a topic, older ones counting less, that make it one.
    pub least: f64,
    pub half_life_days: f64,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { attribute: "prefers".into(), least: 3.0, half_life_days: 30.0 }
    }
}

/// Bytes of a compiled pattern: those of people who do not mean harm have some
/// thousand.
const PATTERN_BYTES: usize = 256 * 1024;

pub fn pattern(text: &str) -> Result<regex::Regex, String> {
    let mut builder = RegexBuilder::new(text);
    builder.case_insensitive(true).size_limit(PATTERN_BYTES).build().map_err(|error| {
        let words = error.to_string();
        let last = words.lines().last().unwrap_or(&words);
        format!("is no regular expression: {}", last.trim_start_matches("error: "))
    })
}

impl Rules {
    pub fn problems(&self) -> Vec<Problem> {
        let mut found = Found::default();
        for (at, tag) in self.tag.iter().enumerate() {
            found.of_tag(&format!("/tag/{at}"), tag);
        }
        for (at, topic) in self.topic.iter().enumerate() {
            let path = format!("/topic/{at}");
            found.phrases(&path, "words", &topic.words);
            if self.topic.iter().take(at).any(|other| other.name == topic.name) {
                found.add(format!("{path}/name"), "is the name of a topic above".into());
            }
            let set = |tag: &&Tag| topic.tag.as_ref() == Some(&tag.name);
            if let Some(tag) = self.tag.iter().find(set) {
                let message = format!("`{}` is set by a [[tag]] rule too: take another", tag.name);
                found.add(format!("{path}/tag"), message);
            }
        }
        found.0
    }
}

#[derive(Default)]
struct Found(Vec<Problem>);

impl Found {
    fn add(&mut self, path: String, message: String) {
        self.0.push(Problem::new(path, message));
    }

    fn of_tag(&mut self, path: &str, tag: &Tag) {
        if !tag.looks_at_message() && !tag.looks_at_contact() {
            let message = "needs something that a message or a contact can fit, such as `any`, `kinds`, \
                           `has` or `messages_min`: else everything would";
            self.add(path.into(), message.into());
        }
        for (list, phrases) in [("any", &tag.any), ("all", &tag.all), ("none", &tag.none)] {
            self.phrases(path, list, phrases);
        }
        if let Some(referral) = &tag.referral {
            self.phrases(&format!("{path}/referral"), "headline", &referral.headline);
        }
        for (line, text) in tag.regex.iter().enumerate() {
            if let Err(message) = pattern(text) {
                self.add(format!("{path}/regex/{line}"), message);
            }
        }
        self.hours(format!("{path}/hours"), tag.hours.as_deref());
        if let Some(usually) = &tag.usually {
            self.hours(format!("{path}/usually/hours"), usually.hours.as_deref());
            if usually.hours.is_none() && usually.weekdays.is_empty() {
                self.add(format!("{path}/usually"), "needs `hours`, `weekdays` or both".into());
            }
        }
        self.of_outcome(path, tag);
    }

    /// Keys that mean something only together, or never do.
    fn of_outcome(&mut self, path: &str, tag: &Tag) {
        let mut odd = |wrong: bool, key: &str, message: &str| {
            if wrong {
                self.add(format!("{path}/{key}"), message.into());
            }
        };
        odd(
            tag.only_while && (tag.remove || tag.expires_days.is_some()),
            "only_while",
            "the tag goes when the rule no longer fits: leave out `remove` and `expires_days`",
        );
        odd(
            tag.only_while && tag.looks_at_message(),
            "only_while",
            "a message is over at once: use `expires_days`, or ask for the contact alone \
             (`has`, `messages_min`, `orders_min` …)",
        );
        odd(
            tag.silent_days.is_some() && tag.looks_at_message(),
            "silent_days",
            "who is silent has sent no message that could fit: ask for one or the other",
        );
        odd(
            tag.remove && tag.expires_days.is_some(),
            "expires_days",
            "a tag that is removed has no end: leave out `remove` or `expires_days`",
        );
        odd(
            tag.within_days.is_some()
                && tag.messages_min.or(tag.orders_min).is_none()
                && tag.spent_min.is_none(),
            "within_days",
            "goes with `messages_min`, `orders_min` or `spent_min`",
        );
        odd(
            tag.currency.is_some() && tag.order_min.or(tag.spent_min).is_none(),
            "currency",
            "goes with `order_min` or `spent_min`",
        );
    }

    fn phrases(&mut self, path: &str, list: &str, phrases: &[String]) {
        for (line, phrase) in phrases.iter().enumerate() {
            if Text::new(phrase).is_empty() {
                self.add(format!("{path}/{list}/{line}"), "needs at least one word".into());
            }
        }
    }

    fn hours(&mut self, path: String, hours: Option<&str>) {
        if let Some(Err(message)) = hours.map(Hours::parse) {
            self.add(path, message);
        }
    }
}

impl Tag {
    /// Whether it asks for something that only a message can have.
    pub fn looks_at_message(&self) -> bool {
        let lists = [&self.any, &self.all, &self.regex, &self.kinds, &self.taps];
        lists.iter().any(|list| !list.is_empty())
            || self.has_text.is_some()
            || self.referral.is_some()
            || self.order_min.is_some()
            || self.hours.is_some()
            || !self.weekdays.is_empty()
            || self.away_days.is_some()
    }

    pub fn looks_at_contact(&self) -> bool {
        let numbers =
            [self.messages_min, self.orders_min, self.silent_days, self.new_days, self.known_days];
        numbers.iter().any(Option::is_some)
            || !self.languages.is_empty()
            || !self.has.is_empty()
            || self.spent_min.is_some()
            || self.usually.is_some()
    }

    /// Whether the tag goes again when the rule no longer fits.
    pub fn holds(&self) -> bool {
        self.only_while
            || (self.silent_days.is_some() && !self.remove && self.expires_days.is_none())
    }

    /// Whether the tag is set, or stays longer, each time that the rule fits; of
    /// others only the first time counts, until they fit anew.
    pub fn renews(&self) -> bool {
        self.looks_at_message() || self.expires_days.is_some()
    }

    /// Days that `messages_min`, `orders_min` and `spent_min` look back.
    pub fn window(&self) -> u32 {
        self.within_days.unwrap_or(YEAR)
    }
}

/// Where `within_days` is left out.
pub const YEAR: u32 = 365;
