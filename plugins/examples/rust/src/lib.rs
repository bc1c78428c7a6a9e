//! Counts purchases and tells customers their points.

mod rules;

use rules::Rules;
use switchboard_plugin::*;

/// Moments are in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// Nothing but the rules may be kept in memory between two events: what
/// matters is in the key-value store.
struct Loyalty(Rules);

export!(Loyalty);

impl Plugin for Loyalty {
    // Read by hand, so that every problem is told at once.
    type Rules = serde_json::Value;
    const EVENTS: &'static [&'static str] = &["message", "timer"];

    fn new(given: serde_json::Value) -> Result<Self, Vec<Problem>> {
        rules::read(&given).map(Self)
    }

    fn on_message(&self, message: Message) -> Outcome {
        match &message.content {
            Content::Text(text) => self.on_words(text),
            Content::Choice(choice) => self.on_words(&choice.title),
            Content::Other(other) if other.kind == "order" => self.on_order(),
            _ => Ok(Continue),
        }
    }

    fn on_timer(&self, timer: Timer) -> Outcome {
        if timer.name != "expiry" {
            return Ok(Continue);
        }
        kv::delete(Scope::Contact, "points")?;
        untag("customer")?;
        note(&format!("{} points expired", timer.payload))?;
        because("points expired");
        Ok(Continue)
    }
}

impl Loyalty {
    fn on_words(&self, words: &str) -> Outcome {
        let words = words.to_lowercase();
        if !self.0.ask.iter().any(|asked| words.contains(asked)) {
            return Ok(Continue);
        }
        say(&self.0.answer, stored_points()?)?;
        because("asked for points");
        Ok(Stop)
    }

    fn on_order(&self) -> Outcome {
        let Rules { per_purchase, expire_days, thanks, .. } = &self.0;
        let points = stored_points()? + per_purchase;
        kv::set(Scope::Contact, "points", points.to_string().as_bytes(), None)?;
        set_timer("expiry", business::now() + expire_days * DAY, &points.to_string())?;
        tag("customer")?;
        say(thanks, points)?;
        because(format!("a purchase: +{per_purchase}, now {points}"));
        Ok(Continue)
    }
}

fn stored_points() -> Result<u64, String> {
    let Some(stored) = kv::get(Scope::Contact, "points") else { return Ok(0) };
    let text = String::from_utf8_lossy(&stored);
    let is_number = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    let points = if is_number { text.parse().ok() } else { None };
    points.ok_or_else(|| format!("the stored points are not a number: {text}"))
}

fn say(text: &str, points: u64) -> Result<String, String> {
    reply(text.replace("{points}", &points.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases are run by `switchboard plugin test`; this is how one is
    /// written in Rust, for `cargo test`.
    #[test]
    fn customers_are_told_their_points() {
        let plugin = testing::configure::<Loyalty>("{}").unwrap();
        let turn = testing::Stage::default().says(&plugin, "How many POINTS do I have?");
        assert_eq!(turn.replies(), ["You have 0 points."]);
    }
}
