//! Tags customers by what they write, send and do.

mod chain;
mod moment;
mod rule;
mod rules;
mod settle;
mod state;
mod sweep;
mod topics;

use moment::Moment;
use rule::{Rule, Said, Turn};
use rules::{Rules, YEAR};
use settle::Settled;
use state::{Memory, State};
use std::collections::BTreeSet;
use switchboard_plugin::*;
use topics::Topics;

pub struct Tagger {
    /// The rules of one tag each, in the order in which they settle.
    tags: Vec<Vec<Rule>>,
    /// Tags that rules look at.
    looked_at: BTreeSet<String>,
    /// Differs when rules about the contact do.
    version: String,
    topics: Topics,
    memory: Memory,
}

/// One for all rules that wait for time to pass.
const TIMER: &str = "tagger";

impl Plugin for Tagger {
    type Rules = Rules;
    const RULES_SCHEMA: Option<&'static str> = Some(include_str!("../rules.schema.json"));
    const EVENTS: &'static [&'static str] =
        &["message", "timer", "operator", "broadcast", "account"];
    const WANTS: &'static [(&'static str, &'static str)] = &[(
        "broadcast",
        "looks once at each contact when the rules change: without it, at who writes",
    )];

    fn new(rules: Rules) -> Result<Self, Vec<Problem>> {
        let mut problems = rules.problems();
        let order = chain::settled(&rules.tag).unwrap_or_else(|problem| {
            problems.push(problem);
            Vec::new()
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        let memory = memory(&rules);
        let version = sweep::version(&rules.tag);
        let tags = rules.tag.iter().flat_map(|tag| tag.has.iter().chain(&tag.has_not));
        let looked_at = tags.cloned().collect();
        let rule = |at: usize| rules.tag.get(at).cloned().map(Rule::new);
        let tags = order.into_iter().map(|tag| tag.into_iter().filter_map(rule).collect());
        let tags = tags.collect();
        let topics = Topics::new(rules.topic, rules.preferences);
        Ok(Self { tags, looked_at, version, topics, memory })
    }

    fn on_message(&self, message: Message) -> Outcome {
        self.turn(Some(Said::new(&message, business::now())?))
    }

    /// Whatever rules there are by now are looked at, not those that set it.
    fn on_timer(&self, _timer: Timer) -> Outcome {
        self.turn(None)
    }

    fn on_broadcast(&self, _broadcast: Broadcast) -> Outcome {
        leave_out("nothing is sent: its tags were looked at")?;
        self.turn(None)
    }

    /// An operator may have set or removed a tag that rules look at.
    fn on_other(&self, other: Other) -> Outcome {
        match (other.kind.as_str(), business::lane().as_str()) {
            ("operator", "contact") => self.turn(None),
            ("account", "channel") => self.sweep(&other.json),
            _ => Ok(Continue),
        }
    }
}

/// How much has to be remembered of a contact for these rules.
fn memory(rules: &Rules) -> Memory {
    let mut memory = Memory::default();
    for tag in &rules.tag {
        memory.profile |= tag.usually.is_some();
        let counted = tag.messages_min.and(tag.within_days).or(tag.orders_min).is_some();
        if counted || tag.spent_min.is_some() {
            memory.days = memory.days.max(tag.within_days.unwrap_or(YEAR));
        }
    }
    memory
}

impl Tagger {
    fn turn(&self, said: Option<Said<'_>>) -> Outcome {
        let (stored, keys) = State::read();
        let mut state = stored.clone();
        let moment = Moment::of(business::now())?;
        // One that fired is gone; one that is to come stands.
        state.timer = state.timer.filter(|at| *at > moment.now);
        if let Some(said) = &said {
            if said.counts() {
                state.count(&moment, &said.came, said.order.as_ref(), self.memory);
            }
            self.topics.hear(said.words(), moment.now, &mut state)?;
        }
        let done = state.done.clone();
        let turn = Turn { said, moment, state: &state };
        let mut settled = Settled { turn: &turn, looked_at: &self.looked_at, done };
        for rules in &self.tags {
            settled.tag(rules)?;
        }
        settled.forget(&self.tags)?;
        let done = settled.done;
        let due = self.due(&turn, &done);
        (state.done, state.timer) = (done, set(state.timer, due)?);
        if state != stored || keys.len() > 1 {
            state.keep(&keys)?;
        }
        Ok(Continue)
    }

    /// When time alone may make a difference next.
    fn due(&self, turn: &Turn<'_>, done: &state::Done) -> Option<Instant> {
        let last = match &turn.said {
            Some(said) if said.counts() => contact::last_seen().max(Some(said.came.now)),
            _ => contact::last_seen(),
        };
        let rules = self.tags.iter().flatten();
        let of = |rule: &Rule| rule.due(turn, last, done);
        rules.filter_map(of).chain(done.ends.values().copied()).min()
    }
}

/// One timer for all rules. It may come early and then is set anew, so that
/// not each message has to move it.
fn set(timer: Option<Instant>, due: Option<Instant>) -> Result<Option<Instant>, String> {
    match (timer, due) {
        (Some(set), Some(due)) if set <= due => Ok(Some(set)),
        (_, Some(due)) => {
            set_timer(TIMER, due, "")?;
            Ok(Some(due))
        }
        (set, None) => Ok(set),
    }
}

export!(Tagger);

#[cfg(test)]
mod tests;
