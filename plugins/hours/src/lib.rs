//! Greets customers, and tells them while the business is closed when it opens
//! again.

mod rules;
mod texts;

use rules::Rules;
use switchboard_plugin::*;

pub struct Hours {
    rules: Rules,
    greeting_after: Option<u64>,
}

/// Until when the contact has been told that it is closed.
const TOLD: &str = "told";
const OPENING: &str = "opening";

impl Plugin for Hours {
    type Rules = Rules;
    const RULES_SCHEMA: Option<&'static str> = Some(include_str!("../rules.schema.json"));
    const EVENTS: &'static [&'static str] = &["message", "timer"];

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        let greeting_after = rules.check()?;
        Ok(Self { rules, greeting_after })
    }

    fn on_message(&self, message: Message) -> Outcome {
        if contact::in_handoff() {
            because("a person is answering");
            return Ok(Continue);
        }
        // A greeting is no answer: whatever was asked goes on.
        self.greet()?;
        let now = business::now();
        match business::open_at(now) {
            _ if message.kind() == "reaction" => Ok(Continue),
            Some(true) => Ok(Continue),
            Some(false) => self.closed(now),
            None => {
                if self.rules.away.is_some() {
                    because("the business has no calendar, so nothing is known of its hours");
                }
                Ok(Continue)
            }
        }
    }

    fn on_timer(&self, _: Timer) -> Outcome {
        let now = business::now();
        match (business::open_at(now), business::next_change(now)) {
            // The hours have changed since.
            (Some(false), Some(opens)) => set_timer(OPENING, opens, "")?,
            _ if contact::in_handoff() => because("a person is answering already"),
            _ => handoff("wrote while it was closed")?,
        }
        Ok(Continue)
    }
}

impl Hours {
    /// On first contact and after a long silence.
    fn greet(&self) -> Result<(), String> {
        let Some(greeting) = &self.rules.greeting else { return Ok(()) };
        let why = match (contact::last_seen(), self.greeting_after) {
            _ if contact::message_count() == 1 => "first contact",
            (Some(last), Some(after)) if business::now().saturating_sub(last) >= after => {
                "after a long silence"
            }
            _ => return Ok(()),
        };
        because(why);
        reply(greeting.said()).map(drop)
    }

    fn closed(&self, now: Instant) -> Outcome {
        let opens = business::next_change(now);
        if let Some(name) = &self.rules.tag
            && !contact::has_tag(name)
        {
            because(format!("+ {name}: wrote while it is closed"));
            tag(name)?;
        }
        if let (true, Some(opens)) = (self.rules.handoff, opens) {
            set_timer(OPENING, opens, "")?;
        }
        let closure = business::closure_at(now);
        let Some(away) = self.rules.away(closure.as_deref()) else { return Ok(Continue) };
        // One closure ends at one moment, which so is its name.
        let until = opens.map_or_else(|| "for good".into(), |opens| opens.to_string());
        if kv::get(Scope::Contact, TOLD).as_deref() == Some(until.as_bytes()) {
            because("told already that it is closed");
            return Ok(Continue);
        }
        match closure {
            Some(name) => because(format!("closed: {name}")),
            None => because("closed at this hour"),
        }
        kv::set(Scope::Contact, TOLD, until.as_bytes(), opens)?;
        reply(away.said())?;
        Ok(Stop)
    }
}

export!(Hours);

#[cfg(test)]
mod tests;
