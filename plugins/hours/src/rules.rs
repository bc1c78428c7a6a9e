//! What a rules file holds.

use crate::texts::Text;
use serde::Deserialize;
use switchboard_plugin::Problem;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    pub greeting: Option<Text>,
    greeting_after: Option<String>,
    pub away: Option<Text>,
    closure: Vec<Closure>,
    pub tag: Option<String>,
    pub handoff: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closure {
    name: String,
    away: Text,
}

const HOUR_MS: u64 = 3_600_000;

impl Rules {
    /// What is said while it is closed: for this day, or at any time.
    pub fn away(&self, closure: Option<&str>) -> Option<&Text> {
        let own = self.closure.iter().find(|own| Some(own.name.as_str()) == closure);
        own.map(|own| &own.away).or(self.away.as_ref())
    }

    /// What a schema cannot say. Returns `greeting_after` in milliseconds.
    pub fn check(&self) -> Result<Option<u64>, Vec<Problem>> {
        let mut problems = Vec::new();
        for (path, text) in [("/greeting", &self.greeting), ("/away", &self.away)] {
            problems.extend(text.iter().flat_map(|text| text.problems(path)));
        }
        for (at, own) in self.closure.iter().enumerate() {
            problems.extend(own.away.problems(&format!("/closure/{at}/away")));
            if self.closure.iter().take(at).any(|before| before.name == own.name) {
                let message = format!("another one has the name `{}`", own.name);
                problems.push(Problem::new(format!("/closure/{at}/name"), message));
            }
        }
        let after = self.greeting_after.as_deref();
        if after.is_some() && self.greeting.is_none() {
            let message = "has no effect without `greeting`";
            problems.push(Problem::new("/greeting_after", message));
        }
        let milliseconds = after.and_then(milliseconds);
        if let (Some(after), None) = (after, milliseconds) {
            let message = format!("`{after}` is not a time such as `30 days` or `12 hours`");
            problems.push(Problem::new("/greeting_after", message));
        }
        if problems.is_empty() { Ok(milliseconds) } else { Err(problems) }
    }
}

/// `30 days`, `12 hours`; at most ten years.
fn milliseconds(text: &str) -> Option<u64> {
    let (count, unit) = text.trim().split_once(' ')?;
    let hours = match unit.trim() {
        "hour" | "hours" => 1,
        "day" | "days" => 24,
        _ => return None,
    };
    let count: u64 = count.parse().ok().filter(|count| (1..=87_600).contains(count))?;
    Some(count * hours * HOUR_MS)
}
