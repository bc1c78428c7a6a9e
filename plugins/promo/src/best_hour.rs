//! The hour of the day at which a contact mostly writes.

use crate::{rules::DAY_MS, rules::Quiet, write};
use serde::{Deserialize, Serialize};
use switchboard_plugin::*;

/// Messages by the hour of the contact's own clock.
#[derive(Serialize, Deserialize, Default)]
pub struct Hours([u32; 24]);

const HOURS: &str = "hours";
/// Fewer messages say nothing of a habit.
const ENOUGH: u32 = 3;
/// From so many on all counts are halved, so that a habit can change.
const MANY: u32 = 200;
/// Who has written nothing for so long has no habit any more.
const KEPT: Instant = 400 * DAY_MS;

impl Hours {
    pub fn load() -> Self {
        let stored = kv::get(Scope::Contact, HOURS);
        stored.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    /// Counts a message of just now.
    pub fn count(mut self, zone: &str) -> Result<(), String> {
        let now = business::now();
        if self.0.iter().sum::<u32>() >= MANY {
            self.0.iter_mut().for_each(|count| *count /= 2);
        }
        if let Some(count) = self.0.get_mut(hour_of(&business::local_time(now, zone)?)) {
            *count += 1;
        }
        kv::set(Scope::Contact, HOURS, write(&self)?.as_bytes(), Some(now + KEPT))
    }

    /// The best moment from `base` on, within a day. The base itself where no
    /// hour stands out, or none that is not quiet.
    pub fn from(&self, base: Instant, zone: &str, quiet: Option<Quiet>) -> Result<Instant, String> {
        if self.0.iter().sum::<u32>() < ENOUGH {
            return Ok(base);
        }
        let local = business::local_time(base, zone)?;
        let first = hour_of(&local);
        let loud = |hour: usize| !quiet.is_some_and(|quiet| quiet.holds(hour as u32 * 60));
        // From the base's own hour around the clock; of equals the earliest.
        let hours = (0..24).map(|step| (first + step) % 24).filter(|hour| loud(*hour));
        let count = |hour: usize| self.0.get(hour).copied().unwrap_or(0);
        let best = hours.rev().max_by_key(|hour| count(*hour)).filter(|hour| count(*hour) > 0);
        let Some(best) = best.filter(|best| *best != first) else { return Ok(base) };
        let on = |at: Instant| {
            let day = business::local_time(at, zone)?;
            let day = day.get(..10).unwrap_or_default();
            business::instant_of(&format!("{day}T{best:02}:00:00"), zone)
        };
        let today = on(base)?;
        if today >= base {
            return Ok(today);
        }
        // From noon, a day's length on is tomorrow on any day of the year.
        let noon = format!("{}T12:00:00", local.get(..10).unwrap_or_default());
        on(business::instant_of(&noon, zone)? + DAY_MS)
    }
}

/// Of a local time.
fn hour_of(local: &str) -> usize {
    local.get(11..13).and_then(|hour| hour.parse().ok()).unwrap_or(0)
}
