//! Recorded turns through the chains of a folder: each by itself, at its own
//! moment, on the contact and the stored values that it had then, so that one
//! difference is not told again in all that follows. Writes nothing.

mod tally;

pub use tally::{Example, Group, Tally};

use super::words::{About, of_effect};
use crate::{
    generation::{Channel, Generation},
    model::*,
    store::{self, Store},
    turn::{self, Again, Setting, StepError},
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// Runs turns through one generation.
pub struct Replay {
    generation: Arc<Generation>,
    /// Empty: what a turn reads is in its record.
    store: Arc<dyn Store>,
}

/// How a turn goes now.
#[derive(Clone, Debug, PartialEq)]
pub enum Replayed {
    Same,
    Different(Difference),
    /// It can't be said, and why: a heading under which many are counted.
    Not(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub changes: Vec<Change>,
    /// The reasons of the steps, then and now.
    pub because: (Vec<String>, Vec<String>),
    /// A step looked for a stored value that is not in the record, and found
    /// nothing.
    pub guessed: bool,
}

/// What came of a turn in one respect, as far as it is not the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    pub about: About,
    pub then: Vec<String>,
    pub now: Vec<String>,
}

impl Replay {
    /// Through what `generation` has, whatever has failed in it before.
    pub fn new(generation: Arc<Generation>) -> Self {
        Self { generation, store: store::memory() }
    }

    pub async fn turn(&self, trace: &Trace) -> Replayed {
        let (record, channel) = match self.fit(trace) {
            Ok(fit) => fit,
            Err(why) => return Replayed::Not(why),
        };
        // A step that failed before rests for no turn of another day.
        self.generation.lift_rests();
        let again = turn::again(trace, record, self.setting(record, channel), &channel.chain).await;
        if let Some(asked) = again.unanswered.first() {
            // What stands behind the host's name may be a customer's.
            let place = asked.split('?').next().unwrap_or_default();
            return Replayed::Not(format!("asks the network what was not recorded: {place}"));
        }
        if let Some(slow) = again.steps.iter().find(|step| by_chance(step)) {
            return Replayed::Not(format!("`{}` runs out of time now", slow.step));
        }
        let changes = changes(&of_steps(&trace.steps), &of_steps(&again.steps));
        if changes.is_empty() {
            return Replayed::Same;
        }
        let Again { steps, unknown, .. } = again;
        let because = (reasons(&trace.steps), reasons(&steps));
        Replayed::Different(Difference { changes, because, guessed: !unknown.is_empty() })
    }

    /// What there is to run it on, or why it can't be run.
    fn fit<'a>(&'a self, trace: &'a Trace) -> Result<(&'a Record, &'a Channel), String> {
        let record = match &trace.recording {
            Recording::Whole(record) => record,
            Recording::TooLarge { .. } => {
                return Err("read more than is recorded of a turn".into());
            }
            Recording::None if trace.steps.is_empty() => {
                return Err("no step had part in it".into());
            }
            Recording::None => {
                return Err("was not recorded: `[turns] record` was `false`".into());
            }
        };
        if let Some(ran) = trace.steps.iter().find(|step| by_chance(step)) {
            return Err(format!("`{}` rested or ran out of time then", ran.step));
        }
        let channel = self.generation.channels.get(&trace.channel);
        let channel = channel.ok_or_else(|| format!("there is no channel `{}`", trace.channel))?;
        let sees_files = |link: &&turn::ChainStep| {
            link.grants.media && link.step.wants(record.event.kind.name())
        };
        if let (Some(_), Some(link)) =
            (record.event.kind.media(), channel.chain.steps.iter().find(sees_files))
        {
            let step = link.step.name();
            return Err(format!("`{step}` may look into customers' files, which are not recorded"));
        }
        Ok((record, channel))
    }

    fn setting(&self, record: &Record, channel: &Channel) -> Setting {
        let Generation { business, calendar, .. } = &*self.generation;
        Setting {
            event: Arc::new(record.event.clone()),
            now: record.event.accepted_at,
            zone: business.zone.as_str().into(),
            calendar: calendar.clone(),
            provider: Arc::clone(&channel.provider),
            store: Arc::clone(&self.store),
            policy: turn::policy_rules(business),
            // All that a business names count as approved.
            templates: Arc::default(),
        }
    }
}

/// It failed for a reason that may not be there another time.
fn by_chance(step: &StepTrace) -> bool {
    step.error_kind.as_deref().is_some_and(|kind| [StepError::RESTING, "deadline"].contains(&kind))
}

type Came = BTreeMap<About, Vec<String>>;

fn of_steps(steps: &[StepTrace]) -> Came {
    let mut came = Came::new();
    for step in steps {
        for effect in &step.effects {
            let (about, words) = of_effect(effect);
            came.entry(about).or_default().push(words);
        }
        if let Some(error) = &step.error {
            let words = format!("`{}` {error}", step.step);
            came.entry(About::Failure).or_default().push(words);
        }
    }
    let end = steps.last().filter(|step| step.verdict == Verdict::Stop);
    let end = end.map_or_else(|| "no step ended it".into(), |end| format!("`{}`", end.step));
    came.insert(About::End, vec![end]);
    came
}

fn changes(then: &Came, now: &Came) -> Vec<Change> {
    let mut abouts: Vec<About> = then.keys().chain(now.keys()).copied().collect();
    abouts.sort_unstable();
    abouts.dedup();
    let none = Vec::new();
    let change = |about: About| {
        let (then, now) = (then.get(&about).unwrap_or(&none), now.get(&about).unwrap_or(&none));
        (then != now).then(|| {
            let (then, now) = apart(then, now);
            Change { about, then, now }
        })
    };
    abouts.into_iter().filter_map(change).collect()
}

/// Each without what the other has too, unless they differ in order alone.
fn apart(then: &[String], now: &[String]) -> (Vec<String>, Vec<String>) {
    let mut now_alone = now.to_vec();
    let mut then_alone = Vec::new();
    for one in then {
        match now_alone.iter().position(|other| other == one) {
            Some(place) => drop(now_alone.remove(place)),
            None => then_alone.push(one.clone()),
        }
    }
    match then_alone.is_empty() && now_alone.is_empty() {
        true => (then.to_vec(), now.to_vec()),
        false => (then_alone, now_alone),
    }
}

fn reasons(steps: &[StepTrace]) -> Vec<String> {
    let of = |step: &StepTrace| -> Vec<String> {
        step.because.iter().map(|reason| format!("{}: {reason}", step.step)).collect()
    };
    steps.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_both_have_is_no_difference() {
        for (then, now, then_alone, now_alone) in [
            ("a b", "a c", "b", "c"),
            ("a a", "a", "a", ""),
            ("", "a", "", "a"),
            // The order is all that differs.
            ("a b", "b a", "a b", "b a"),
        ] {
            let apart = apart(&words(then), &words(now));
            assert_eq!(apart, (words(then_alone), words(now_alone)), "{then} / {now}");
        }
    }
}
