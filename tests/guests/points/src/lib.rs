//! Keeps points in its store and says them, so that a test can see what was
//! read and what was written.

use switchboard_plugin::*;

#[derive(serde::Deserialize, Default)]
struct Rules {
    word: String,
    each: u64,
}

struct Points(Rules);

impl Plugin for Points {
    type Rules = Rules;
    const RULES_SCHEMA: Option<&'static str> = Some(
        r#"{"type": "object", "required": ["word", "each"], "additionalProperties": false,
            "properties": {"word": {"type": "string"}, "each": {"type": "integer"}}}"#,
    );
    const EVENTS: &'static [&'static str] = &["message", "timer"];

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        match rules.each {
            0 => Err(vec![Problem::new("/each", "must be more than nothing")]),
            _ => Ok(Self(rules)),
        }
    }

    fn on_message(&self, message: Message) -> Outcome {
        if message.words() != Some(self.0.word.as_str()) {
            return Ok(Continue);
        }
        let stored = kv::get(Scope::Contact, "points").unwrap_or_default();
        let before: u64 = String::from_utf8_lossy(&stored).parse().unwrap_or(0);
        let now = before + self.0.each;
        kv::set(Scope::Contact, "points", now.to_string().as_bytes(), None)?;
        let keys = kv::keys(Scope::Plugin, "", 10);
        because(format!("had {before}; {} keys of its own", keys.len()));
        let name = contact::name().unwrap_or_default();
        reply(format!("You have {now} points, {name}."))?;
        set_timer("expiry", business::now() + 86_400_000, &now.to_string())?;
        Ok(Stop)
    }

    fn on_timer(&self, timer: Timer) -> Outcome {
        kv::delete(Scope::Contact, "points")?;
        note(&format!("{} points expired", timer.payload))?;
        Ok(Continue)
    }
}

export!(Points);
