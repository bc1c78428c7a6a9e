//! Counts how turns go now: the same difference once, with an example.

use super::{Change, Difference, Replayed};
use crate::model::{Millis, Trace, plain_line};
use serde::Serialize;
use std::collections::BTreeMap;

/// Turns that a group names: enough to look into.
const NAMED: usize = 100;
/// Of what a contact wrote.
const CHARS: usize = 60;
/// Digits of a phone number that are shown: enough to find it again among
/// one's own, not enough to call it.
const DIGITS: usize = 3;

#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    pub same: usize,
    pub different: usize,
    /// By why.
    pub not_replayable: BTreeMap<String, usize>,
    /// Those of `different` in which a step looked for a stored value that is not
    /// in the record, and found nothing.
    pub guessed: usize,
    #[serde(serialize_with = "in_order")]
    pub groups: BTreeMap<Change, Group>,
}

/// The same difference of several turns.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    pub times: usize,
    /// The first of them: `c17-4`.
    pub turns: Vec<String>,
    pub example: Example,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    pub turn: String,
    pub at: Millis,
    /// `…567`; none in a channel's lane, or of who has no number.
    pub contact: Option<String>,
    pub event: String,
    pub text: Option<String>,
    pub because_then: Vec<String>,
    pub because_now: Vec<String>,
}

impl Tally {
    pub fn not_replayable(&self) -> usize {
        self.not_replayable.values().sum()
    }

    /// The groups with the most turns first.
    pub fn groups(&self) -> Vec<(&Change, &Group)> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|(change, group)| (std::cmp::Reverse(group.times), *change));
        groups
    }

    pub fn add(&mut self, trace: &Trace, phone: Option<&str>, replayed: Replayed) {
        let difference = match replayed {
            Replayed::Same => {
                self.same += 1;
                return;
            }
            Replayed::Not(why) => {
                *self.not_replayable.entry(why).or_default() += 1;
                return;
            }
            Replayed::Different(difference) => difference,
        };
        self.different += 1;
        self.guessed += usize::from(difference.guessed);
        for change in &difference.changes {
            let group = self.groups.entry(change.clone()).or_insert_with(|| Group {
                times: 0,
                turns: Vec::new(),
                example: Example::of(trace, phone, &difference),
            });
            group.times += 1;
            if group.turns.len() < NAMED {
                group.turns.push(trace.turn.to_string());
            }
        }
    }
}

impl Example {
    fn of(trace: &Trace, phone: Option<&str>, difference: &Difference) -> Self {
        let last = |phone: &str| {
            let from = phone.char_indices().rev().nth(DIGITS - 1).map_or(0, |(at, _)| at);
            format!("…{}", phone.get(from..).unwrap_or_default())
        };
        let (because_then, because_now) = difference.because.clone();
        Self {
            turn: trace.turn.to_string(),
            at: trace.at,
            contact: phone.map(last),
            event: trace.event.clone(),
            text: trace.text.as_deref().map(|text| plain_line(text, CHARS)),
            because_then,
            because_now,
        }
    }
}

fn in_order<S: serde::Serializer>(
    groups: &BTreeMap<Change, Group>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Entry<'a> {
        #[serde(flatten)]
        change: &'a Change,
        #[serde(flatten)]
        group: &'a Group,
    }
    let mut all: Vec<Entry<'_>> =
        groups.iter().map(|(change, group)| Entry { change, group }).collect();
    all.sort_by_key(|it| (std::cmp::Reverse(it.group.times), it.change.clone()));
    serializer.collect_seq(all)
}

#[cfg(test)]
mod tests {
    use super::{super::About, *};

    fn trace(seq: u64) -> Trace {
        let (lane, at) = (crate::model::Lane::Contact(crate::model::ContactId(7)), 1_000 * seq);
        Trace {
            turn: crate::model::TurnId { lane, seq },
            channel: crate::model::ChannelId::new("main"),
            event: "message".into(),
            text: Some("When do you\nopen?".into()),
            media: None,
            at,
            generation: 1,
            steps: Vec::new(),
            sends: Vec::new(),
            remarks: Vec::new(),
            duration_us: 1,
            recording: Default::default(),
            account: None,
        }
    }

    #[test]
    fn the_same_difference_is_one_group() {
        let change = |now: &str| Change {
            about: About::Answer,
            then: vec!["bot: 9".into()],
            now: vec![now.into()],
        };
        let different = |now: &str| {
            let because = (vec!["faq: a".into()], vec!["faq: b".into()]);
            let changes = vec![change(now)];
            Replayed::Different(Difference { changes, because, guessed: now == "bot: 8" })
        };
        let mut tally = Tally::default();
        tally.add(&trace(1), None, Replayed::Same);
        tally.add(&trace(2), Some("447700900123"), different("bot: 8"));
        tally.add(&trace(3), Some("1"), different("bot: 7"));
        tally.add(&trace(4), None, different("bot: 7"));
        tally.add(&trace(5), None, Replayed::Not("why".into()));
        assert_eq!((tally.same, tally.different, tally.not_replayable()), (1, 3, 1));
        assert_eq!(tally.guessed, 1);
        let groups = tally.groups();
        let told: Vec<_> = groups.iter().map(|(it, of)| (it.now[0].as_str(), of.times)).collect();
        assert_eq!(told, [("bot: 7", 2), ("bot: 8", 1)]);
        assert_eq!(groups[0].1.turns, ["c7-3", "c7-4"]);
        let example = &groups[1].1.example;
        assert_eq!(example.contact.as_deref(), Some("…123"));
        assert_eq!(example.text.as_deref(), Some("When do you open?"));
        assert_eq!(groups[0].1.example.contact.as_deref(), Some("…1"));
    }
}
