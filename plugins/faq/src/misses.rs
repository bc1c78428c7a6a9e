//! What is kept between messages: which answer came last, and how often in a
//! row there was none.

use serde::{Deserialize, Serialize};
use switchboard_plugin::{Instant, Scope, business, kv};

/// Questions in a row that no answer fits, and what was said to them.
#[derive(Serialize, Deserialize, Default)]
pub struct Misses {
    pub in_a_row: u32,
    /// How often the fallback was sent since `since`, without an answer
    /// between.
    said: u32,
    since: Instant,
}

const MISSES: &str = "misses";
const TOPIC: &str = "topic";
const HOUR_MS: Instant = 3_600_000;
/// A row ends with a day's silence.
const ROW_MS: Instant = 24 * HOUR_MS;

impl Misses {
    pub fn load() -> Self {
        let kept = kv::get(Scope::Contact, MISSES);
        kept.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    pub fn keep(&self) -> Result<(), String> {
        let json = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        kv::set(Scope::Contact, MISSES, &json, Some(business::now() + ROW_MS))
    }

    /// Whether the fallback may be said once more: two machines that answer
    /// each other would never stop.
    pub fn may_say(&mut self, at_most: u32) -> bool {
        let now = business::now();
        if now >= self.since + HOUR_MS {
            (self.said, self.since) = (0, now);
        }
        self.said = self.said.saturating_add(1);
        self.said <= at_most
    }
}

/// An answer was given: the row ends.
pub fn forget() -> Result<(), String> {
    match kv::get(Scope::Contact, MISSES) {
        Some(_) => kv::delete(Scope::Contact, MISSES),
        None => Ok(()),
    }
}

/// The answer that was given last, if others follow up on it.
pub fn topic() -> Option<String> {
    String::from_utf8(kv::get(Scope::Contact, TOPIC)?).ok()
}

pub fn set_topic(answer: Option<&str>, minutes: u32) -> Result<(), String> {
    match answer {
        Some(id) => {
            let until = business::now() + Instant::from(minutes) * 60_000;
            kv::set(Scope::Contact, TOPIC, id.as_bytes(), Some(until))
        }
        None if kv::get(Scope::Contact, TOPIC).is_some() => kv::delete(Scope::Contact, TOPIC),
        None => Ok(()),
    }
}
