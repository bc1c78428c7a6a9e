//! What a rules file holds, and its checked form.

use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use switchboard_plugin::{Category, Instant, Problem, Segment, business, text::Text};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    opt_out: Vec<String>,
    opt_out_reply: Option<String>,
    opt_in: Vec<String>,
    opt_in_reply: Option<String>,
    promo: Vec<PromoRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromoRule {
    id: String,
    template: String,
    language: String,
    #[serde(default)]
    category: CategoryName,
    #[serde(default)]
    parameters: Vec<String>,
    #[serde(default)]
    to: To,
    at: Option<String>,
    every: Option<String>,
    #[serde(default = "business_zone")]
    zone: String,
    quiet: Option<String>,
    cap: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum CategoryName {
    #[default]
    Marketing,
    Utility,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct To {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

fn business_zone() -> String {
    "business".into()
}

/// Checked rules.
pub struct Settings {
    pub opt_out: HashSet<Text>,
    pub opt_out_reply: Option<String>,
    pub opt_in: HashSet<Text>,
    pub opt_in_reply: Option<String>,
    pub promos: BTreeMap<String, Promotion>,
}

pub struct Promotion {
    pub id: String,
    pub template: String,
    pub language: String,
    pub category: Category,
    pub parameters: Vec<String>,
    pub to: Segment,
    pub when: When,
    pub zone: Zone,
    pub quiet: Option<Quiet>,
    pub cap: Option<Cap>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum When {
    At(String),
    Every(String),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    Business,
    /// Each recipient's own; the business's where it is unknown.
    Recipient,
    Named(String),
}

/// From one local time to another, in minutes after midnight; over midnight
/// where the end is the smaller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quiet {
    pub from: u32,
    pub to: u32,
}

/// At most so many promotions in so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cap {
    pub count: usize,
    pub window: Instant,
}

const DAY_MS: Instant = 24 * 3_600_000;
/// What was sent is remembered this long, so a cap cannot reach further back.
pub const CAP_DAYS: u64 = 90;

impl Rules {
    /// Everything that a schema cannot check.
    pub fn settle(self) -> Result<Settings, Vec<Problem>> {
        let mut problems = Vec::new();
        let opt_out = word_set("/opt_out", &self.opt_out, &mut problems);
        let opt_in = word_set("/opt_in", &self.opt_in, &mut problems);
        if let Some(word) = opt_in.intersection(&opt_out).next() {
            let message = format!("`{}` can't mean both start and stop", word.as_str());
            problems.push(Problem::new("/opt_in", message));
        }
        let mut promos = BTreeMap::new();
        for (at, rule) in self.promo.into_iter().enumerate() {
            let promo = rule.settle(&format!("/promo/{at}"), &mut problems);
            let Some(promo) = promo else { continue };
            if promos.contains_key(&promo.id) {
                let message = format!("another promotion has the id `{}`", promo.id);
                problems.push(Problem::new(format!("/promo/{at}/id"), message));
            }
            promos.insert(promo.id.clone(), promo);
        }
        let (opt_out_reply, opt_in_reply) = (self.opt_out_reply, self.opt_in_reply);
        let settings = Settings { opt_out, opt_out_reply, opt_in, opt_in_reply, promos };
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }
}

fn word_set(path: &str, words: &[String], problems: &mut Vec<Problem>) -> HashSet<Text> {
    let texts: Vec<Text> = words.iter().map(|word| Text::new(word)).collect();
    for at in (0..texts.len()).filter(|at| texts.get(*at).is_some_and(Text::is_empty)) {
        problems.push(Problem::new(format!("{path}/{at}"), "needs at least one word"));
    }
    texts.into_iter().collect()
}

impl PromoRule {
    fn settle(self, path: &str, problems: &mut Vec<Problem>) -> Option<Promotion> {
        let before = problems.len();
        let mut problem = |key: &str, message: String| {
            let separator = if key.is_empty() { "" } else { "/" };
            problems.push(Problem::new(format!("{path}{separator}{key}"), message));
        };
        let id_ok = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if self.id.is_empty() || !self.id.chars().all(id_ok) {
            problem("id", "an id is letters, digits, `-` and `_`".into());
        }
        let zone = match self.zone.as_str() {
            "business" => Zone::Business,
            "recipient" => Zone::Recipient,
            name => Zone::Named(name.into()),
        };
        if let Zone::Named(name) = &zone
            && let Err(message) = business::local_time(0, name)
        {
            problem("zone", format!("{message}, nor `business` or `recipient`"));
        }
        let when = match (self.at, self.every) {
            (Some(at), None) => {
                if let Err(message) = business::instant_of(&at, "UTC") {
                    problem("at", message);
                }
                Some(When::At(at))
            }
            (None, Some(every)) => {
                if let Err(message) = business::next_occurrence(&every, "UTC", 0) {
                    problem("every", message);
                }
                Some(When::Every(every))
            }
            _ => {
                problem("", "needs either `at` or `every`".into());
                None
            }
        };
        let quiet = self.quiet.as_deref().map(Quiet::read);
        if let Some(None) = quiet {
            problem("quiet", "quiet hours look like `21:00-09:00`".into());
        }
        let cap = self.cap.as_deref().map(Cap::read);
        if let Some(None) = cap {
            problem("cap", format!("a cap looks like `2 per 7 days`, up to {CAP_DAYS} days"));
        }
        (problems.len() == before).then_some(())?;
        Some(Promotion {
            id: self.id,
            template: self.template,
            language: self.language,
            category: match self.category {
                CategoryName::Marketing => Category::Marketing,
                CategoryName::Utility => Category::Utility,
            },
            parameters: self.parameters,
            to: Segment { all_of: self.to.all, any_of: self.to.any, none_of: self.to.none },
            when: when?,
            zone,
            quiet: quiet.flatten(),
            cap: cap.flatten(),
        })
    }
}

impl Quiet {
    fn read(text: &str) -> Option<Self> {
        let minutes = |time: &str| {
            let (hours, minutes) = time.trim().split_once(':')?;
            let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        let (from, to) = text.split_once('-')?;
        let quiet = Self { from: minutes(from)?, to: minutes(to)? };
        (quiet.from != quiet.to).then_some(quiet)
    }

    pub fn holds(self, minute: u32) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl Cap {
    fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (count, days) = match words[..] {
            [count, "per", "day"] => (count, "1"),
            [count, "per", days, "days" | "day"] => (count, days),
            _ => return None,
        };
        let (count, days): (usize, u64) = (count.parse().ok()?, days.parse().ok()?);
        ((1..=CAP_DAYS).contains(&days)).then_some(Self { count, window: days * DAY_MS })
    }
}
