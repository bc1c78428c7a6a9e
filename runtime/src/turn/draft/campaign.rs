//! What a draft may ask for of campaigns: to begin one, and what becomes of a
//! member.

use super::{
    Checked, Draft, LINE_CHARS, NAME_BYTES, PAYLOAD_BYTES, TAG_BYTES, check_bytes, check_name,
};
use crate::model::{Effect, EventKind, Goal, Millis, Segment, Terms, plain_text};

/// Why a contact is left out: a heading under which many are counted.
const REASON_BYTES: usize = 200;
/// Tags in each list of a segment.
const SEGMENT_TAGS: usize = 100;
/// More than any number sends in an hour.
const PER_HOUR_MAX: u32 = 10_000_000;
/// What is told later has other reasons.
const WITHIN_MAX_MS: Millis = 90 * 24 * 3_600_000;

impl Draft {
    pub fn broadcast(&mut self, id: &str, to: Segment, payload: &str) -> Checked {
        self.begin(id, to, payload, Terms::default())
    }

    /// `terms` is JSON.
    pub fn broadcast_on(&mut self, id: &str, to: Segment, payload: &str, terms: &str) -> Checked {
        check_bytes("the broadcast's terms", terms, PAYLOAD_BYTES)?;
        let terms = serde_json::from_str(terms).map_err(|error| format!("the terms: {error}"))?;
        check_terms(&terms)?;
        self.begin(id, to, payload, terms)
    }

    fn begin(&mut self, id: &str, to: Segment, payload: &str, terms: Terms) -> Checked {
        self.granted("broadcast", "broadcast")?;
        check_name("broadcast", id, NAME_BYTES)?;
        check_bytes("the broadcast's payload", payload, PAYLOAD_BYTES)?;
        if let EventKind::Broadcast { .. } = self.event().kind {
            return Err("a broadcast can't begin another one: it would never end".into());
        }
        if [&to.all, &to.any, &to.none].iter().any(|tags| tags.len() > SEGMENT_TAGS) {
            return Err(format!("a segment may name {SEGMENT_TAGS} tags in each of its lists"));
        }
        for tag in to.all.iter().chain(&to.any).chain(&to.none) {
            check_name("tag", tag, TAG_BYTES)?;
        }
        self.push(Effect::Broadcast { id: id.into(), to, payload: payload.into(), terms })
    }

    /// The campaign's member of this turn is not to get it.
    pub fn leave_out(&mut self, reason: &str) -> Checked {
        self.of_campaign()?;
        check_bytes("the reason", reason, REASON_BYTES)?;
        if reason.trim().is_empty() {
            return Err("say why the contact is left out".into());
        }
        self.push(Effect::LeaveOut { reason: plain_text(reason, LINE_CHARS) })
    }

    /// Which variant the campaign's member of this turn is in.
    pub fn variant(&mut self, name: &str) -> Checked {
        self.of_campaign()?;
        check_name("variant", name, TAG_BYTES)?;
        self.push(Effect::Variant { name: name.into() })
    }

    fn of_campaign(&self) -> Checked {
        match self.event().campaign() {
            Some(_) => Ok(()),
            None => Err("this turn is of no campaign: neither a broadcast's event, nor a timer \
                         that was set in such a turn"
                .into()),
        }
    }
}

fn check_terms(terms: &Terms) -> Checked {
    if terms.per_hour.is_some_and(|rate| !(1..=PER_HOUR_MAX).contains(&rate)) {
        return Err(format!("the terms: `per_hour` is 1 to {PER_HOUR_MAX}"));
    }
    if terms.within_ms.is_some_and(|within| !(1..=WITHIN_MAX_MS).contains(&within)) {
        return Err("the terms: a goal is reached within 90 days at most (`within_ms`)".into());
    }
    match &terms.goal {
        Some(Goal::Tag(name)) => check_name("tag", name, TAG_BYTES),
        Some(Goal::Attribute(name)) => check_name("attribute", name, TAG_BYTES),
        Some(Goal::Order) => Ok(()),
        None if terms.within_ms.is_some() => Err("the terms: `within_ms` needs a `goal`".into()),
        None => Ok(()),
    }
}
