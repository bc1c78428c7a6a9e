//! What is remembered of a contact from turn to turn: one key-value, written
//! only where it changed.

use crate::moment::{DAY_MS, Moment};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use switchboard_plugin::{Instant, Scope, kv};

const KEY: &str = "state";
/// Messages in the profile after which all of it is halved, so that habits of
/// long ago fade.
const PROFILE_MAX: u32 = 400;
/// Currencies kept of one day: what an order says of them is the customer's.
const CURRENCIES: usize = 4;

#[derive(Serialize, Deserialize, Default, Clone, PartialEq, Debug)]
#[serde(default)]
pub struct State {
    /// The last message that counted.
    pub last: Option<Instant>,
    /// When our timer comes due.
    pub timer: Option<Instant>,
    /// Days with messages, the oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// Messages by hour of the day, and by day of the week.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<u32>,
    /// Tags that are there only while their rule fits, and it does.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub held: BTreeSet<String>,
    /// When a rule with a cooldown last acted: `+vip`, `-vip`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub acted: BTreeMap<String, Instant>,
    /// How often each topic was asked about.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<String, Points>,
    /// The topic that leads, and the tag that it set.
    pub prefers: Option<String>,
    pub prefers_tag: Option<String>,
}

/// Short names: there may be hundreds of them, written with each message.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
pub struct Day {
    #[serde(rename = "d")]
    pub day: i64,
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
    pub last: bool,
    pub days: u32,
    pub profile: bool,
}

impl State {
    /// What can't be read, of a version long gone, is as if it had not been.
    pub fn read() -> Self {
        let stored = kv::get(Scope::Contact, KEY);
        stored.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    pub fn keep(&self) -> Result<(), String> {
        if *self == Self::default() {
            return kv::delete(Scope::Contact, KEY);
        }
        let bytes = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        kv::set(Scope::Contact, KEY, &bytes, None)
    }

    /// Counts a message, with what was ordered in it, as far as the rules need
    /// it.
    pub fn count(&mut self, moment: &Moment, order: &BTreeMap<String, f64>, memory: Memory) {
        if memory.last {
            self.last = Some(moment.now);
        }
        if memory.days > 0 {
            let first = moment.day - i64::from(memory.days) + 1;
            // A clock that was put back leaves days to come: they are wrong.
            self.days.retain(|day| (first..=moment.day).contains(&day.day));
            if self.days.last().is_none_or(|day| day.day != moment.day) {
                let day = moment.day;
                self.days.push(Day { day, messages: 0, orders: 0, spent: BTreeMap::new() });
            }
            if let Some(today) = self.days.last_mut() {
                today.messages += 1;
                today.orders += u32::from(!order.is_empty());
                for (currency, sum) in order {
                    if today.spent.len() < CURRENCIES || today.spent.contains_key(currency) {
                        *today.spent.entry(currency.clone()).or_default() += sum;
                    }
                }
            }
        }
        if memory.profile {
            count_in(&mut self.hours, 24, moment.hour());
            count_in(&mut self.weekdays, 7, moment.weekday as usize);
        }
    }

    /// The days from `days - 1` before the moment to its own.
    pub fn within(&self, moment: &Moment, days: u32) -> impl Iterator<Item = &Day> {
        let days = moment.day - i64::from(days) + 1..=moment.day;
        self.days.iter().filter(move |day| days.contains(&day.day))
    }

    /// When the first of those days is one of them no longer.
    pub fn falls_out(&self, moment: &Moment, days: u32) -> Option<Instant> {
        let first = self.within(moment, days).next()?;
        let left = u64::try_from(first.day + i64::from(days) - moment.day).ok()?;
        let midnight = moment.now.checked_sub(u64::from(moment.minute) * 60_000)?;
        // Into the day behind it, so that no change of the clock comes short.
        Some(midnight + left * DAY_MS + 2 * 3_600_000)
    }
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
