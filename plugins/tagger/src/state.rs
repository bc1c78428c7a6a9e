//! What is remembered of a contact from turn to turn: one key-value, written
//! only where it changed.

use crate::moment::{DAY_MS, Moment};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use switchboard_plugin::{Instant, Scope, contact, kv};

/// The contact's id follows: of two contacts that turn out to be one, neither
/// loses what was counted of it.
const KEY: &str = "state/";
/// Contacts that may have become one, and then some.
const KEYS_MAX: u32 = 100;
/// Messages in the profile after which all of it is halved, so that habits of
/// long ago fade.
const PROFILE_MAX: u32 = 400;
/// Currencies kept of one day: what an order says of them is the customer's.
const CURRENCIES: usize = 4;

#[derive(Serialize, Deserialize, Default, Clone, PartialEq, Debug)]
#[serde(default)]
pub struct State {
    /// When our timer comes due.
    pub timer: Option<Instant>,
    /// Days with messages, by `Moment::day`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub days: BTreeMap<i64, Day>,
    /// Messages by hour of the day, and by day of the week.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<u32>,
    #[serde(skip_serializing_if = "Done::is_empty")]
    pub done: Done,
    /// How often each topic was asked about.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<String, Points>,
    /// The topic that leads, and the tag that it set.
    pub prefers: Option<String>,
    pub prefers_tag: Option<String>,
}

/// What the rules have done, and is not over.
#[derive(Serialize, Deserialize, Default, Clone, PartialEq, Debug)]
#[serde(default)]
pub struct Done {
    /// Tags of which a rule about the contact fits, and has set them or was
    /// overruled: it does so once, until it fits anew.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub stood: BTreeSet<String>,
    /// Those of them that are taken away when no rule fits.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub held: BTreeSet<String>,
    /// When a rule with a cooldown last acted: `+vip`, `-vip`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub acted: BTreeMap<String, Instant>,
    /// When tags that other rules look at expire.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ends: BTreeMap<String, Instant>,
}

impl Done {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Short names: there may be hundreds of them, written with each message.
#[derive(Serialize, Deserialize, Default, Clone, PartialEq, Debug)]
pub struct Day {
    #[serde(rename = "m", default)]
    pub messages: u32,
    #[serde(rename = "o", default, skip_serializing_if = "is_zero")]
    pub orders: u32,
    /// By currency.
    #[serde(rename = "s", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spent: BTreeMap<String, f64>,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug, Default)]
pub struct Points {
    /// As they stood at `at`.
    pub points: f64,
    pub at: Instant,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How much the rules need to be remembered.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Memory {
    pub days: u32,
    pub profile: bool,
}

impl State {
    /// With the keys that it was read from. What can't be read, of a version
    /// long gone, is as if it had not been.
    pub fn read() -> (Self, Vec<String>) {
        let keys = kv::keys(Scope::Contact, KEY, KEYS_MAX);
        let own = own_key();
        let mut state = Self::at(&own);
        for key in keys.iter().filter(|key| **key != own) {
            state.join(Self::at(key));
        }
        (state, keys)
    }

    fn at(key: &str) -> Self {
        let stored = kv::get(Scope::Contact, key);
        stored.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// In the place of what `keys` hold.
    pub fn keep(&self, keys: &[String]) -> Result<(), String> {
        let (own, empty) = (own_key(), *self == Self::default());
        for key in keys.iter().filter(|key| **key != own || empty) {
            kv::delete(Scope::Contact, key)?;
        }
        if empty {
            return Ok(());
        }
        let bytes = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        kv::set(Scope::Contact, &own, &bytes, None)
    }

    /// Takes over what was counted of a contact that turned out to be this one.
    fn join(&mut self, other: Self) {
        // Which timer is still there, nobody says.
        self.timer = None;
        for (day, of) in other.days {
            let own = self.days.entry(day).or_default();
            own.messages += of.messages;
            own.orders += of.orders;
            for (currency, sum) in of.spent {
                *own.spent.entry(currency).or_default() += sum;
            }
        }
        for (own, other) in [(&mut self.hours, other.hours), (&mut self.weekdays, other.weekdays)] {
            own.resize(own.len().max(other.len()), 0);
            own.iter_mut().zip(other).for_each(|(own, other)| *own += other);
        }
        self.done.stood.extend(other.done.stood);
        self.done.held.extend(other.done.held);
        for (own, other) in
            [(&mut self.done.acted, other.done.acted), (&mut self.done.ends, other.done.ends)]
        {
            for (name, at) in other {
                let own = own.entry(name).or_insert(at);
                *own = at.max(*own);
            }
        }
        for (topic, of) in other.topics {
            let own = self.topics.entry(topic).or_insert(of);
            if of.at > own.at {
                *own = of;
            }
        }
        if self.prefers != other.prefers {
            // Chosen anew with the next question; until then the attribute is
            // whoever's wrote last.
            self.prefers = None;
        }
        // As a tag whose rule is gone.
        let theirs = other.prefers_tag.filter(|tag| self.prefers_tag.as_ref() != Some(tag));
        self.done.held.extend(theirs);
    }

    /// Counts a message that came at `came`, with what was ordered in it, as far
    /// as the rules need it. What they no longer need is forgotten.
    pub fn count(
        &mut self,
        now: &Moment,
        came: &Moment,
        order: Option<&BTreeMap<String, f64>>,
        memory: Memory,
    ) {
        let first = now.day - i64::from(memory.days) + 1;
        // A clock that was put back leaves days to come: they are wrong.
        self.days.retain(|day, _| (first..=now.day).contains(day));
        if (first..=now.day).contains(&came.day) {
            let day = self.days.entry(came.day).or_default();
            day.messages += 1;
            day.orders += u32::from(order.is_some());
            for (currency, sum) in order.into_iter().flatten() {
                if day.spent.len() < CURRENCIES || day.spent.contains_key(currency) {
                    *day.spent.entry(currency.clone()).or_default() += sum;
                }
            }
        }
        if memory.profile {
            count_in(&mut self.hours, 24, came.hour());
            count_in(&mut self.weekdays, 7, came.weekday as usize);
        } else {
            self.hours.clear();
            self.weekdays.clear();
        }
    }

    /// The days from `days - 1` before the moment to its own.
    pub fn within(&self, moment: &Moment, days: u32) -> impl Iterator<Item = &Day> {
        self.span(moment, days).map(|(_, day)| day)
    }

    fn span(&self, moment: &Moment, days: u32) -> impl Iterator<Item = (&i64, &Day)> {
        self.days.range(moment.day - i64::from(days) + 1..=moment.day)
    }

    /// When the first of those days is one of them no longer.
    pub fn falls_out(&self, moment: &Moment, days: u32) -> Option<Instant> {
        let (first, _) = self.span(moment, days).next()?;
        let left = u64::try_from(first + i64::from(days) - moment.day).ok()?;
        let midnight = moment.now.checked_sub(u64::from(moment.minute) * 60_000)?;
        // Into the day behind it, so that no change of the clock comes short.
        Some(midnight + left * DAY_MS + 2 * 3_600_000)
    }
}

fn own_key() -> String {
    format!("{KEY}{}", contact::id())
}

fn count_in(profile: &mut Vec<u32>, size: usize, at: usize) {
    profile.resize(size, 0);
    if profile.iter().sum::<u32>() >= PROFILE_MAX {
        profile.iter_mut().for_each(|count| *count /= 2);
    }
    if let Some(count) = profile.get_mut(at) {
        *count += 1;
    }
}
