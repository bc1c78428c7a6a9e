//! What a rules file holds, and its checked form.

mod audience;
mod content;
mod goal;
mod limits;
mod variant;
mod when;

pub use audience::Audience;
pub use content::{Button, Header, Message, Mould};
pub use limits::{CAP_DAYS, Cap, DAY_MS, Quiet, SENT_KEPT};
pub use variant::{Arm, Arms, HOLD_OUT, number};
pub use when::{Happening, When, Zone};

use content::Fill;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use switchboard_plugin::{Category, Instant, Problem, Terms, text::Text};

/// Promotions that wait for something to happen to a contact: a message may
/// set a timer for each, and a turn has 50 effects by default.
const AFTER_MAX: usize = 20;
/// A spread within which people still know what the offer was about.
const SPREAD_MAX: Instant = 7 * DAY_MS;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    opt_out: Vec<String>,
    opt_out_reply: Option<String>,
    opt_in: Vec<String>,
    opt_in_reply: Option<String>,
    zone: Option<String>,
    quiet: Option<String>,
    cap: Option<String>,
    promo: Vec<PromoRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PromoRule {
    id: String,
    #[serde(default = "yes")]
    enabled: bool,
    language: String,
    #[serde(default)]
    languages: Vec<String>,
    #[serde(default)]
    category: CategoryName,
    template: Option<String>,
    parameters: Option<Vec<String>>,
    header: Option<Header>,
    buttons: Option<Vec<Button>>,
    #[serde(default)]
    variant: Vec<variant::VariantRule>,
    #[serde(default)]
    hold_out: u32,
    #[serde(default)]
    to: audience::To,
    at: Option<String>,
    every: Option<String>,
    after: Option<when::After>,
    yearly: Option<when::Yearly>,
    zone: Option<String>,
    #[serde(default)]
    at_best_hour: bool,
    spread: Option<String>,
    quiet: Option<String>,
    cap: Option<String>,
    per_hour: Option<u32>,
    converted: Option<goal::Converted>,
}

#[derive(Clone, Copy, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum CategoryName {
    #[default]
    Marketing,
    Utility,
}

fn yes() -> bool {
    true
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
    pub enabled: bool,
    pub message: Message,
    pub arms: Arms,
    pub to: Audience,
    pub when: When,
    pub zone: Zone,
    pub at_best_hour: bool,
    /// Its recipients are spread over so many milliseconds; 0 for at once.
    pub spread: Instant,
    pub quiet: Option<Quiet>,
    /// None for what is no marketing.
    pub cap: Option<Cap>,
    /// How it is paced, and what counts as reached.
    pub terms: Terms,
}

/// A place in the rules, and the problems found so far.
pub struct Place<'a> {
    path: String,
    problems: &'a mut Vec<Problem>,
}

impl Place<'_> {
    /// A problem with a key; with the place itself where it is empty.
    pub fn problem(&mut self, key: &str, message: impl Into<String>) {
        let separator = if key.is_empty() { "" } else { "/" };
        self.problems.push(Problem::new(format!("{}{separator}{key}", self.path), message));
    }
    /// The place under a key.
    pub fn under(&mut self, key: &str) -> Place<'_> {
        Place { path: format!("{}/{key}", self.path), problems: self.problems }
    }
    /// A length of time under a key, in milliseconds.
    pub fn duration(&mut self, key: &str, text: Option<&str>) -> Option<Instant> {
        let text = text?;
        let duration = limits::duration(text);
        if duration.is_none() {
            let allowed =
                "a time looks like `30 minutes`, `3 hours`, `2 days` or `4 weeks`, up to 10 years";
            self.problem(key, format!("`{text}` is not understood: {allowed}"));
        }
        duration
    }
    fn quiet(&mut self, text: Option<&str>) -> Option<Quiet> {
        let quiet = Quiet::read(text?);
        if quiet.is_none() {
            self.problem("quiet", "quiet hours look like `21:00-09:00`");
        }
        quiet
    }
    fn cap(&mut self, text: Option<&str>) -> Option<Cap> {
        let cap = Cap::read(text?);
        if cap.is_none() {
            let allowed = format!("up to {SENT_KEPT} and {CAP_DAYS} days");
            self.problem("cap", format!("a cap looks like `2 per 7 days`, {allowed}"));
        }
        cap
    }
}

/// What holds for every promotion that does not say otherwise.
struct Defaults {
    zone: Zone,
    quiet: Option<Quiet>,
    cap: Option<Cap>,
}

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
        let mut place = Place { path: String::new(), problems: &mut problems };
        let defaults = Defaults {
            zone: Zone::read(self.zone.as_deref(), &mut place).unwrap_or(Zone::Business),
            quiet: place.quiet(self.quiet.as_deref()),
            cap: place.cap(self.cap.as_deref()),
        };
        let mut promos: BTreeMap<String, Promotion> = BTreeMap::new();
        let mut waiting = 0;
        for (at, rule) in self.promo.into_iter().enumerate() {
            let mut place = Place { path: format!("/promo/{at}"), problems: &mut problems };
            if rule.after.is_some() {
                waiting += 1;
            }
            if rule.after.is_some() && waiting > AFTER_MAX {
                place.problem("after", format!("at most {AFTER_MAX} promotions may have `after`"));
            }
            let Some(promo) = rule.settle(&defaults, &mut place) else { continue };
            if promos.contains_key(&promo.id) {
                place.problem("id", format!("another promotion has the id `{}`", promo.id));
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
    fn settle(self, defaults: &Defaults, place: &mut Place<'_>) -> Option<Promotion> {
        let id_ok = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if self.id.is_empty() || !self.id.chars().all(id_ok) {
            place.problem("id", "an id is letters, digits, `-` and `_`");
        }
        let zone = Zone::read(self.zone.as_deref(), place);
        let when = When::read(self.at, self.every, self.after, self.yearly, place);
        let spread = place.duration("spread", self.spread.as_deref());
        if spread.is_some_and(|spread| spread > SPREAD_MAX) {
            place.problem("spread", "people are spread over `7 days` at most");
        }
        if spread.is_some() && self.at_best_hour {
            place.problem("spread", "`at_best_hour` spreads people already: leave one of them out");
        }
        let quiet = place.quiet(self.quiet.as_deref()).or(defaults.quiet);
        let terms = goal::terms(self.per_hour, self.converted, place);
        if let (Some(_), Some(When::After { .. } | When::Yearly { .. })) = (self.per_hour, &when) {
            place.problem("per_hour", "is for `at` and `every`: the others come one by one anyway");
        }
        let Self { template, parameters, header, buttons, .. } = self;
        let fill = Fill { template, parameters, header, buttons };
        let arms = Arms::read(fill, self.variant, self.hold_out, place);
        let to = self.to.settle(&mut place.under("to"));
        let own_cap = place.cap(self.cap.as_deref());
        let (category, cap) = match self.category {
            CategoryName::Marketing => (Category::Marketing, own_cap.or(defaults.cap)),
            CategoryName::Utility => (Category::Utility, None),
        };
        if category == Category::Utility && own_cap.is_some() {
            place.problem("cap", "a cap is for marketing: leave it out where it is `utility`");
        }
        Some(Promotion {
            id: self.id,
            enabled: self.enabled,
            message: Message { language: self.language, languages: self.languages, category },
            arms: arms?,
            to,
            when: when?,
            zone: zone.unwrap_or_else(|| defaults.zone.clone()),
            at_best_hour: self.at_best_hour,
            spread: spread.unwrap_or(0),
            quiet,
            cap,
            terms,
        })
    }
}
