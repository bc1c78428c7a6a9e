//! Tags customers by what they write, send and do.

mod chain;
mod moment;
mod rule;
mod rules;
mod state;
mod topics;

use moment::Moment;
use rule::{Rule, Said, Turn};
use rules::{Rules, YEAR};
use state::{Memory, State};
use std::collections::{BTreeMap, BTreeSet};
use switchboard_plugin::*;
use topics::Topics;

pub struct Tagger {
    /// The rules of one tag each, in the order in which they settle.
    tags: Vec<Vec<Rule>>,
    topics: Topics,
    memory: Memory,
}

/// One for all rules that wait for time to pass.
const TIMER: &str = "tagger";

impl Plugin for Tagger {
    type Rules = Rules;
    const RULES_SCHEMA: Option<&'static str> = Some(include_str!("../rules.schema.json"));
    const EVENTS: &'static [&'static str] = &["message", "timer"];

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
        let rule = |at: usize| rules.tag.get(at).cloned().map(Rule::new);
        let tags = order.into_iter().map(|tag| tag.into_iter().filter_map(rule).collect());
        let tags = tags.collect();
        Ok(Self { tags, topics: Topics::new(rules.topic, rules.preferences), memory })
    }

    fn on_message(&self, message: Message) -> Outcome {
        self.turn(Some(Said::new(&message)))
    }

    /// Whatever rules there are by now are looked at, not those that set it.
    fn on_timer(&self, _timer: Timer) -> Outcome {
        self.turn(None)
    }
}

/// How much has to be remembered of a contact for these rules.
fn memory(rules: &Rules) -> Memory {
    let mut memory = Memory::default();
    for tag in &rules.tag {
        memory.last |= tag.silent_days.or(tag.away_days).is_some();
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
        let stored = State::read();
        let mut state = stored.clone();
        let moment = Moment::now()?;
        // The host knows of messages from before there were rules about them.
        let last = state.last.or_else(contact::last_seen);
        match &said {
            Some(said) if said.counts() => state.count(&moment, &said.order, self.memory),
            Some(_) => {}
            None => state.timer = None,
        }
        if let Some(said) = &said {
            self.topics.hear(said.words(), moment.now, &mut state)?;
        }
        let (mut held, mut acted) = (state.held.clone(), state.acted.clone());
        let turn = Turn { said, moment, state: &state, last };
        for rules in &self.tags {
            settle(rules, &turn, &mut held, &mut acted)?;
        }
        self.forget(&mut held, &mut acted)?;
        let timer = self.timer(&turn, &held)?;
        (state.held, state.acted, state.timer) = (held, acted, timer);
        if state != stored {
            state.keep()?;
        }
        Ok(Continue)
    }

    /// Tags whose rules are gone can't be taken away by them any more.
    fn forget(
        &self,
        held: &mut BTreeSet<String>,
        acted: &mut BTreeMap<String, Instant>,
    ) -> Result<(), String> {
        let named = |name: &str, wanted: fn(&Rule) -> bool| {
            let mut rules = self.tags.iter().flatten();
            rules.any(|rule| rule.tag.name == name && wanted(rule))
        };
        let kept = |name: &str| named(name, |rule| rule.tag.holds());
        for name in held.iter().filter(|name| !kept(name) && contact::has_tag(name)) {
            because(format!("- {name}: its rule is gone"));
            untag(name)?;
        }
        held.retain(|name| kept(name));
        let cools = |act: &str| {
            named(act.get(1..).unwrap_or_default(), |rule| rule.tag.cooldown_days.is_some())
        };
        acted.retain(|act, _| cools(act));
        Ok(())
    }

    /// One timer for all rules. It may come early and then is set anew, so that
    /// not each message has to move it.
    fn timer(&self, turn: &Turn<'_>, held: &BTreeSet<String>) -> Result<Option<Instant>, String> {
        let last = match &turn.said {
            Some(said) if said.counts() => Some(turn.moment.now),
            _ => turn.last,
        };
        let of = |rule: &Rule| rule.due(turn, last, held.contains(&rule.tag.name));
        let due = self.tags.iter().flatten().filter_map(of).min();
        match (turn.state.timer, due) {
            (Some(set), Some(due)) if set <= due && set > turn.moment.now => Ok(Some(set)),
            (_, Some(due)) => {
                set_timer(TIMER, due, "")?;
                Ok(Some(due))
            }
            (set, None) => Ok(set),
        }
    }
}

/// Of several rules of a tag that fit, the last one decides.
fn settle(
    rules: &[Rule],
    turn: &Turn<'_>,
    held: &mut BTreeSet<String>,
    acted: &mut BTreeMap<String, Instant>,
) -> Result<(), String> {
    let Some(name) = rules.first().map(|rule| rule.tag.name.as_str()) else { return Ok(()) };
    let has = contact::has_tag(name);
    let fits = |rule| Rule::fits(rule, turn).map(|why| (rule, why));
    // A rule that cools down is as if it did not fit, so that others may; but
    // what it holds, it holds.
    let ready = |(rule, _): &(&Rule, String)| rule.tag.holds() || !cools(rule, turn, acted);
    let Some((rule, why)) = rules.iter().rev().filter_map(fits).find(ready) else {
        if held.remove(name) && has {
            because(format!("- {name}: the rule no longer fits"));
            untag(name)?;
        }
        return Ok(());
    };
    let now = turn.moment.now;
    if rule.tag.remove {
        held.remove(name);
        if has {
            because(format!("- {name}: {why}"));
            untag(name)?;
            note_act(rule, now, acted);
        }
        return Ok(());
    }
    let before = held.contains(name);
    match rule.tag.holds() {
        // Whoever took it away meanwhile had a reason: it stays away until the
        // rule fits anew.
        true if before => return Ok(()),
        true if cools(rule, turn, acted) => return Ok(()),
        // Someone else's tag is not ours to take away again.
        true if has => return Ok(()),
        true => drop(held.insert(name.into())),
        false => drop(held.remove(name)),
    }
    let moves = rule.tag.expires_days.is_some();
    if has && !moves && !before {
        // Setting it again would only blur since when it is there.
        return Ok(());
    }
    match rule.expires(now) {
        Some(at) => {
            let days = at.saturating_sub(now).div_ceil(moment::DAY_MS);
            because(format!("+ {name} for {days} days: {why}"));
            tag_until(name, at)?;
        }
        None => {
            because(format!("+ {name}: {why}"));
            tag(name)?;
        }
    }
    note_act(rule, now, acted);
    Ok(())
}

fn act(rule: &Rule) -> String {
    format!("{}{}", if rule.tag.remove { '-' } else { '+' }, rule.tag.name)
}

fn cools(rule: &Rule, turn: &Turn<'_>, acted: &BTreeMap<String, Instant>) -> bool {
    let Some(days) = rule.tag.cooldown_days else { return false };
    let last = acted.get(&act(rule));
    last.is_some_and(|at| turn.moment.now < at + days * moment::DAY_MS)
}

fn note_act(rule: &Rule, now: Instant, acted: &mut BTreeMap<String, Instant>) {
    if rule.tag.cooldown_days.is_some() {
        acted.insert(act(rule), now);
    }
}

export!(Tagger);

#[cfg(test)]
mod tests;
