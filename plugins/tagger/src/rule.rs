//! One rule, ready to be asked whether a turn fits it, and why.

use crate::{
    moment::{DAY_MS, Hours, Moment, WEEK},
    rules::{self, Referral, Tag, Usually},
    state::{Done, State},
};
use serde::Deserialize;
use std::collections::BTreeMap;
use switchboard_plugin::{Content, Instant, Message, contact, event, text::Text};

pub struct Rule {
    pub tag: Tag,
    any: Vec<Text>,
    all: Vec<Text>,
    none: Vec<Text>,
    headline: Vec<Text>,
    regex: Vec<regex::Regex>,
    hours: Option<Hours>,
    usual_hours: Option<Hours>,
}

/// What a turn gives the rules to look at.
pub struct Turn<'a> {
    /// None when a timer fired.
    pub said: Option<Said<'a>>,
    pub moment: Moment,
    /// This turn's message is counted already.
    pub state: &'a State,
}

/// The message of a turn.
pub struct Said<'a> {
    message: &'a Message,
    /// When it was sent: after an outage that may be days ago.
    pub came: Moment,
    words: Text,
    /// What an order comes to, by currency.
    pub order: Option<BTreeMap<String, f64>>,
    referral: Option<Came>,
}

/// How the contact came, as both providers tell it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Came {
    source_id: Option<String>,
    source_type: Option<String>,
    headline: Option<String>,
    ctwa_clid: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Order {
    items: Vec<Item>,
}

/// What is not known is null.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Item {
    quantity: Option<u32>,
    price: Option<f64>,
    currency: Option<String>,
}

/// Whether it fits, and if so, in words, why.
type Fits = Option<Vec<String>>;

impl<'a> Said<'a> {
    /// Error: the host does not know its own zone.
    pub fn new(message: &'a Message, now: Instant) -> Result<Self, String> {
        let came = Moment::of(message.sent_at.min(now))?;
        let words = Text::new(message.words().unwrap_or_default());
        let order = match &message.content {
            Content::Other(other) if other.kind == "order" => ordered(&other.json),
            _ => None,
        };
        let referral = event::referral().map(|json| serde_json::from_str(&json));
        // One that is no object is still one.
        let referral = referral.map(Result::unwrap_or_default);
        Ok(Self { message, came, words, order, referral })
    }

    /// Whether the contact wrote, and did not only change or take back what it
    /// had written.
    pub fn counts(&self) -> bool {
        let kind = self.message.kind();
        !matches!(kind, "edit" | "revoked" | "notice") && !kind.starts_with("system")
    }

    pub fn words(&self) -> &Text {
        &self.words
    }

    fn tap(&self) -> Option<&str> {
        match &self.message.content {
            Content::Choice(choice) => Some(&choice.id),
            _ => None,
        }
    }
}

fn ordered(json: &str) -> Option<BTreeMap<String, f64>> {
    let order: Order = serde_json::from_str(json).ok()?;
    (!order.items.is_empty()).then_some(())?;
    let mut sums = BTreeMap::new();
    for item in order.items {
        let (Some(quantity), Some(price)) = (item.quantity, item.price) else { continue };
        let Some(currency) = item.currency else { continue };
        if price.is_finite() && price >= 0.0 {
            let currency = currency.to_uppercase();
            *sums.entry(currency).or_default() += price * f64::from(quantity);
        }
    }
    Some(sums)
}

impl Rule {
    /// Of a tag without problems.
    pub fn new(tag: Tag) -> Self {
        let texts = |phrases: &[String]| phrases.iter().map(|phrase| Text::new(phrase)).collect();
        let hours = |text: &Option<String>| text.as_deref().and_then(|it| Hours::parse(it).ok());
        Self {
            any: texts(&tag.any),
            all: texts(&tag.all),
            none: texts(&tag.none),
            headline: tag.referral.as_ref().map(|it| texts(&it.headline)).unwrap_or_default(),
            regex: tag.regex.iter().filter_map(|text| rules::pattern(text).ok()).collect(),
            hours: hours(&tag.hours),
            usual_hours: tag.usually.as_ref().and_then(|usually| hours(&usually.hours)),
            tag,
        }
    }

    /// Why the turn fits, or none if it does not.
    pub fn fits(&self, turn: &Turn<'_>) -> Option<String> {
        let mut why = Vec::new();
        match &turn.said {
            Some(said) => {
                why.extend(self.fits_words(said)?);
                why.extend(self.fits_kind(said)?);
                why.extend(self.fits_time(said)?);
            }
            None if self.tag.looks_at_message() => return None,
            None => {}
        }
        why.extend(self.fits_tags()?);
        why.extend(self.fits_past(turn)?);
        why.extend(self.fits_age(turn)?);
        Some(why.join("; "))
    }

    fn fits_words(&self, said: &Said<'_>) -> Fits {
        let tag = &self.tag;
        let mut why = Vec::new();
        let occurs = |phrase: &Text| said.words.contains(phrase);
        if self.none.iter().any(occurs) || !self.all.iter().all(occurs) {
            return None;
        }
        if tag.has_text.is_some_and(|wanted| wanted == said.words.is_empty()) {
            return None;
        }
        if !self.any.is_empty() {
            let phrase = tag.any.get(self.any.iter().position(occurs)?)?;
            why.push(format!("`{phrase}` occurs"));
        }
        if !self.all.is_empty() {
            let verb = if tag.all.len() == 1 { "occurs" } else { "occur" };
            why.push(format!("`{}` {verb}", tag.all.join("`, `")));
        }
        if !self.regex.is_empty() {
            let text = said.message.words()?;
            let found = self.regex.iter().position(|regex| regex.is_match(text))?;
            why.push(format!("/{}/ is found", tag.regex.get(found)?));
        }
        if let Some(wanted) = tag.has_text {
            why.push(if wanted { "it has a text" } else { "it has no text" }.into());
        }
        Some(why)
    }

    fn fits_kind(&self, said: &Said<'_>) -> Fits {
        let tag = &self.tag;
        let mut why = Vec::new();
        let kind = said.message.kind();
        if !tag.kinds.is_empty() {
            tag.kinds.iter().find(|wanted| *wanted == kind)?;
            why.push(format!("it is a message of kind {kind}"));
        }
        if !tag.taps.is_empty() {
            let id = said.tap()?;
            let same = |wanted: &&String| match wanted.strip_suffix('*') {
                Some(start) => id.starts_with(start),
                None => id == *wanted,
            };
            tag.taps.iter().find(same)?;
            why.push(format!("`{id}` was tapped"));
        }
        if let Some(wanted) = &tag.referral {
            why.push(self.came(wanted, said.referral.as_ref()?)?);
        }
        if let Some(least) = tag.order_min {
            let (currency, sum) = largest(said.order.as_ref()?, tag.currency.as_deref())?;
            (sum >= least).then_some(())?;
            why.push(format!("an order of {sum:.2} {currency}"));
        }
        Some(why)
    }

    fn came(&self, wanted: &Referral, came: &Came) -> Option<String> {
        let id = came.source_id.as_deref().unwrap_or_default();
        let kind = came.source_type.as_deref().unwrap_or("link");
        let headline = Text::new(came.headline.as_deref().unwrap_or_default());
        let fits = (wanted.ids.is_empty() || wanted.ids.iter().any(|wanted| wanted == id))
            && wanted.source.as_deref().is_none_or(|wanted| wanted == kind)
            && (self.headline.is_empty() || self.headline.iter().any(|it| headline.contains(it)))
            && wanted.click_id.is_none_or(|wanted| wanted == came.ctwa_clid.is_some());
        fits.then(|| format!("came by the {kind} {id}").trim_end().to_owned())
    }

    fn fits_time(&self, said: &Said<'_>) -> Fits {
        let (tag, moment) = (&self.tag, &said.came);
        let mut why = Vec::new();
        if let Some(hours) = &self.hours {
            hours.holds(moment.minute).then_some(())?;
            why.push(format!("it came at {:02}:{:02}", moment.minute / 60, moment.minute % 60));
        }
        if !tag.weekdays.is_empty() {
            tag.weekdays.contains(&moment.weekday).then_some(())?;
            why.push(format!("it came on a {:?}", moment.weekday));
        }
        if let Some(days) = tag.away_days {
            let away = moment.now.saturating_sub(contact::last_seen()?) / DAY_MS;
            (away >= u64::from(days)).then_some(())?;
            why.push(format!("the message before was {away} days ago"));
        }
        Some(why)
    }

    fn fits_tags(&self) -> Fits {
        let tag = &self.tag;
        let mut why = Vec::new();
        if !tag.languages.is_empty() {
            let language = contact::language()?.replace('_', "-").to_lowercase();
            let speaks = |wanted: &&String| {
                let rest = language.strip_prefix(&wanted.replace('_', "-").to_lowercase());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            };
            tag.languages.iter().find(speaks)?;
            why.push(format!("the language is {language}"));
        }
        if !tag.has.iter().all(|name| contact::has_tag(name))
            || tag.has_not.iter().any(|name| contact::has_tag(name))
        {
            return None;
        }
        why.extend(tag.has.iter().map(|name| format!("has `{name}`")));
        why.extend(tag.has_not.iter().map(|name| format!("has not `{name}`")));
        Some(why)
    }

    /// How often, how much and when the contact wrote and ordered.
    fn fits_past(&self, turn: &Turn<'_>) -> Fits {
        let (tag, state, moment) = (&self.tag, turn.state, &turn.moment);
        let (window, mut why) = (tag.window(), Vec::new());
        if let Some(least) = tag.messages_min {
            let count = match tag.within_days {
                None => contact::message_count(),
                Some(days) => state.within(moment, days).map(|day| u64::from(day.messages)).sum(),
            };
            (count >= u64::from(least)).then_some(())?;
            let days = tag.within_days.map(|days| format!(" within {days} days"));
            why.push(format!("{count} messages{}", days.unwrap_or_default()));
        }
        if let Some(least) = tag.orders_min {
            let count: u32 = state.within(moment, window).map(|day| day.orders).sum();
            (count >= least).then_some(())?;
            why.push(format!("{count} orders within {window} days"));
        }
        if let Some(least) = tag.spent_min {
            let mut sums = BTreeMap::new();
            for (currency, sum) in state.within(moment, window).flat_map(|day| &day.spent) {
                *sums.entry(currency.clone()).or_default() += sum;
            }
            let (currency, sum) = largest(&sums, tag.currency.as_deref())?;
            (sum >= least).then_some(())?;
            why.push(format!("ordered for {sum:.2} {currency} within {window} days"));
        }
        if let Some(usually) = &tag.usually {
            why.push(self.usual(usually, state)?);
        }
        Some(why)
    }

    fn usual(&self, usually: &Usually, state: &State) -> Option<String> {
        let share = usually.share.unwrap_or(0.6);
        let least = usually.of.unwrap_or(10);
        let part = |counts: &[u32], fits: &dyn Fn(usize) -> bool| -> Option<f64> {
            let all: u32 = counts.iter().sum();
            let of = counts.iter().enumerate().filter(|(at, _)| fits(*at)).map(|(_, n)| n);
            (all >= least.max(1)).then(|| f64::from(of.sum::<u32>()) / f64::from(all))
        };
        let mut parts = Vec::new();
        if let Some(hours) = &self.usual_hours {
            parts.push(part(&state.hours, &|at| hours.holds(at as u32 * 60))?);
        }
        if !usually.weekdays.is_empty() {
            let day = |at: usize| WEEK.get(at).is_some_and(|day| usually.weekdays.contains(day));
            parts.push(part(&state.weekdays, &day)?);
        }
        parts.iter().all(|part| *part >= share).then_some(())?;
        let of: Vec<String> = parts.iter().map(|part| format!("{:.0} %", part * 100.0)).collect();
        Some(format!("{} of its messages come at these times", of.join(" and ")))
    }

    /// How long the contact is known, and silent.
    fn fits_age(&self, turn: &Turn<'_>) -> Fits {
        let (tag, now) = (&self.tag, turn.moment.now);
        let mut why = Vec::new();
        if let Some(days) = tag.silent_days {
            // Who has just written is not.
            if turn.said.is_some() || now < contact::last_seen()? + u64::from(days) * DAY_MS {
                return None;
            }
            why.push(format!("no message for {days} days"));
        }
        if let Some(days) = tag.new_days {
            (now < contact::first_seen()? + u64::from(days) * DAY_MS).then_some(())?;
            why.push(format!("first wrote less than {days} days ago"));
        }
        if let Some(days) = tag.known_days {
            (now >= contact::first_seen()? + u64::from(days) * DAY_MS).then_some(())?;
            why.push(format!("first wrote {days} days ago or before"));
        }
        Some(why)
    }

    /// Until when the tag stays: none is for good.
    pub fn expires(&self, now: Instant) -> Option<Instant> {
        let days = |from: Instant, days: u64| from + days * DAY_MS;
        match (self.tag.expires_days, self.tag.new_days) {
            (Some(of), _) => Some(days(now, of)),
            // As long as the rule fits.
            (None, Some(of)) => Some(days(contact::first_seen()?, u64::from(of))),
            (None, None) => None,
        }
    }

    /// As what it is remembered: the rules of a tag cool down together.
    pub fn act(&self) -> String {
        format!("{}{}", if self.tag.remove { '-' } else { '+' }, self.tag.name)
    }

    pub fn cools_until(&self, done: &Done) -> Option<Instant> {
        Some(done.acted.get(&self.act())? + self.tag.cooldown_days? * DAY_MS)
    }

    /// When time alone may make a difference next; `last`: when the last message
    /// came.
    pub fn due(&self, turn: &Turn<'_>, last: Option<Instant>, done: &Done) -> Option<Instant> {
        let tag = &self.tag;
        let held = done.held.contains(&tag.name);
        if tag.looks_at_message() {
            return None;
        }
        let after =
            |from: Option<Instant>, days: Option<u32>| Some(from? + u64::from(days?) * DAY_MS);
        let counted =
            tag.within_days.is_some() || tag.orders_min.is_some() || tag.spent_min.is_some();
        let times = [
            after(last, tag.silent_days),
            after(contact::first_seen(), tag.known_days),
            after(contact::first_seen(), tag.new_days),
            turn.state.falls_out(&turn.moment, tag.window()).filter(|_| counted && held),
            self.cools_until(done),
        ];
        times.into_iter().flatten().filter(|at| *at > turn.moment.now).min()
    }
}

/// The sum in this currency, or where none is asked for, the largest.
fn largest<'a>(sums: &'a BTreeMap<String, f64>, currency: Option<&str>) -> Option<(&'a str, f64)> {
    let wanted = |name: &str| currency.is_none_or(|it| it.eq_ignore_ascii_case(name));
    let sums = sums.iter().filter(|(name, _)| wanted(name));
    sums.map(|(name, sum)| (name.as_str(), *sum)).max_by(|a, b| a.1.total_cmp(&b.1))
}
