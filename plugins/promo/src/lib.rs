//! Sends promotions at the right time to those who want them.
//!
//! In the channel's lane, a timer per promotion starts a broadcast (`plan`). In
//! each member's lane, the broadcast's event sends the template, or sets a timer
//! until that person's own time has come or their quiet hours are over
//! (`delivery`). A promotion that waits for something to happen to a contact has
//! a daily broadcast too, by which it is noticed at the latest; mostly a message
//! tells it sooner (`notice`).

mod best_hour;
mod campaign;
mod content;
mod delivery;
mod moment;
mod notice;
mod plan;
mod rules;
mod segment;
mod sent;

use rules::{Rules, Settings};
use serde::{Deserialize, Serialize};
use switchboard_plugin::{text::Text, *};

pub struct Promo(Settings);

/// One run of a promotion, as it travels in payloads.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Run {
    promo: String,
    /// The local time it is for, in whichever zone the promotion names. One
    /// that follows something which happened has the time at which it did.
    local: String,
    /// When what it waits for is over, where a moment says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Instant>,
}

impl Run {
    /// What is sent once to a contact.
    fn name(&self) -> String {
        format!("{}@{}", self.promo, self.local)
    }
}

impl Plugin for Promo {
    type Rules = Rules;
    const RULES_SCHEMA: Option<&'static str> = Some(include_str!("../rules.schema.json"));
    const EVENTS: &'static [&'static str] = &["message", "timer", "broadcast", "account"];
    const WANTS: &'static [(&'static str, &'static str)] =
        &[("broadcast", "sends each promotion to the contacts that its rule names")];

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        rules.settle().map(Self)
    }

    fn on_message(&self, message: Message) -> Outcome {
        self.heed(&message)?;
        let Some(words) = message.words() else { return Ok(Continue) };
        let said = Text::new(words);
        let rules = &self.0;
        if rules.opt_out.contains(&said) {
            opt_out(words)?;
            because("asked to stop");
            answer(rules.opt_out_reply.as_deref());
        } else if rules.opt_in.contains(&said) {
            opt_in(words)?;
            because("asked to start");
            answer(rules.opt_in_reply.as_deref());
        } else {
            return Ok(Continue);
        }
        Ok(Stop)
    }

    fn on_other(&self, other: Other) -> Outcome {
        #[derive(Deserialize)]
        struct Account {
            field: String,
        }
        let account = serde_json::from_str::<Account>(&other.json);
        if other.kind == "account" && account.is_ok_and(|account| account.field == "rules-loaded") {
            self.plan_all()?;
        }
        Ok(Continue)
    }

    fn on_timer(&self, timer: Timer) -> Outcome {
        if timer.name == plan::GO_ON {
            self.plan_all()?;
            return Ok(Continue);
        }
        let run: Run = read(&timer.payload)?;
        match business::lane().as_str() {
            "channel" => self.start(run)?,
            _ => self.deliver(run)?,
        }
        Ok(Continue)
    }

    fn on_broadcast(&self, broadcast: Broadcast) -> Outcome {
        self.reach(read(&broadcast.payload)?)?;
        Ok(Continue)
    }
}

/// The wish counts whether or not it can be confirmed: a person may be
/// answering just now.
fn answer(text: Option<&str>) {
    if let Some(Err(refusal)) = text.map(reply) {
        because(format!("not confirmed: {refusal}"));
    }
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| format!("a payload that is not ours: {error}"))
}

fn write<T: Serialize>(value: &T) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

export!(Promo);

#[cfg(test)]
mod tests;
