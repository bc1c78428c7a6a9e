//! A step that keeps failing rests, longer each time, so that it costs its
//! contacts no more waiting: for everybody if it fails for several contacts in
//! a row, and else for the lane alone whose turns it fails in, because one
//! contact must not be able to switch a step off for the rest.

use crate::model::{Lane, Millis, moment};
use serde::Serialize;
use std::collections::HashMap;

/// Faults in a row before the first rest.
const FAULTS: u32 = 5;
/// Different lanes among them, before everybody's rest.
const LANES: usize = 3;
/// Faults in a row in one lane before that lane's first rest.
const LANE_FAULTS: u32 = 3;
const REST_FIRST_MS: Millis = 1_000;
const REST_LONGEST_MS: Millis = 5 * 60_000;
/// Lanes whose faults are remembered; above it, what rests least is forgotten.
const LANES_MAX: usize = 1_000;

/// How a step has fared lately, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    #[serde(flatten)]
    pub state: ConditionState,
    /// In a row, over all contacts.
    pub faults: u32,
    /// The kind of the last one: `deadline`, `memory`, `trap`.
    pub last_error: Option<&'static str>,
    /// Lanes for which alone it rests now.
    pub lanes_resting: usize,
}

impl Condition {
    /// In words; none if it rests for nobody.
    pub fn rests(&self) -> Option<String> {
        let after = self.last_error.unwrap_or("faults");
        match (self.state, self.lanes_resting) {
            (ConditionState::Resting { until }, _) => {
                let until = moment(until).map(|at| at.to_string()).unwrap_or_default();
                Some(format!("rests until {until} after {} faults ({after})", self.faults))
            }
            (ConditionState::Ok, 0) => None,
            (ConditionState::Ok, 1) => Some(format!("rests for one contact ({after})")),
            (ConditionState::Ok, lanes) => Some(format!("rests for {lanes} contacts ({after})")),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum ConditionState {
    Ok,
    /// For everybody.
    Resting {
        until: Millis,
    },
}

#[derive(Debug, Default)]
pub struct Quarantine {
    all: Row,
    /// Of the faults in a row, up to as many as matter.
    lanes_in_row: Vec<Lane>,
    lanes: HashMap<Lane, Row>,
    last: Option<&'static str>,
}

/// Faults in a row, and the rest that they led to.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    faults: u32,
    /// Rests so far: each is twice as long as the one before.
    rests: u32,
    until: Millis,
}

impl Row {
    /// A rest that seems longer than the longest is one from before the clock
    /// was set back.
    fn resting(&self, now: Millis) -> Option<Millis> {
        (self.until > now && self.until <= now + REST_LONGEST_MS).then_some(self.until)
    }

    /// After a rest, one more fault is enough for the next.
    fn rest(&mut self, now: Millis) {
        let doubled = REST_FIRST_MS.checked_shl(self.rests.min(20)).unwrap_or(REST_LONGEST_MS);
        self.rests = self.rests.saturating_add(1);
        self.until = now + doubled.min(REST_LONGEST_MS);
    }
}

impl Quarantine {
    /// Until when the step rests for a lane, if it does at `now`.
    pub fn resting(&self, lane: &Lane, now: Millis) -> Option<Millis> {
        let own = self.lanes.get(lane).and_then(|row| row.resting(now));
        self.all.resting(now).max(own)
    }

    /// A crash, a deadline passed, too much memory.
    pub fn fault(&mut self, lane: &Lane, kind: &'static str, now: Millis) {
        self.last = Some(kind);
        self.all.faults = self.all.faults.saturating_add(1);
        if self.lanes_in_row.len() < LANES && !self.lanes_in_row.contains(lane) {
            self.lanes_in_row.push(lane.clone());
        }
        if self.all.faults >= FAULTS && self.lanes_in_row.len() >= LANES {
            self.all.rest(now);
        }
        if !self.lanes.contains_key(lane) {
            self.make_room();
        }
        let row = self.lanes.entry(lane.clone()).or_default();
        row.faults = row.faults.saturating_add(1);
        if row.faults >= LANE_FAULTS {
            row.rest(now);
        }
    }

    pub fn success(&mut self, lane: &Lane) {
        self.all = Row::default();
        self.lanes_in_row.clear();
        self.lanes.remove(lane);
    }

    /// Ends every rest and forgets what led to it.
    pub fn lift(&mut self) {
        *self = Self::default();
    }

    pub fn condition(&self, now: Millis) -> Condition {
        let state = match self.all.resting(now) {
            Some(until) => ConditionState::Resting { until },
            None => ConditionState::Ok,
        };
        let lanes_resting = self.lanes.values().filter(|row| row.resting(now).is_some()).count();
        Condition { state, faults: self.all.faults, last_error: self.last, lanes_resting }
    }

    fn make_room(&mut self) {
        if self.lanes.len() < LANES_MAX {
            return;
        }
        let least = self.lanes.iter().min_by_key(|(_, row)| (row.until, row.faults));
        if let Some(lane) = least.map(|(lane, _)| lane.clone()) {
            self.lanes.remove(&lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ContactId;

    fn lane(id: u64) -> Lane {
        Lane::Contact(ContactId(id))
    }

    /// `count` faults, each of another lane.
    fn fail(quarantine: &mut Quarantine, count: u64, now: Millis) {
        for id in 1..=count {
            quarantine.fault(&lane(id), "trap", now);
        }
    }

    #[test]
    fn rests_grow_and_a_success_ends_them() {
        let mut quarantine = Quarantine::default();
        fail(&mut quarantine, 4, 100);
        assert_eq!(quarantine.resting(&lane(99), 100), None);
        quarantine.fault(&lane(5), "memory", 100);
        assert_eq!(quarantine.resting(&lane(99), 100), Some(1_100));
        let expected = Condition {
            state: ConditionState::Resting { until: 1_100 },
            faults: 5,
            last_error: Some("memory"),
            lanes_resting: 0,
        };
        assert_eq!(quarantine.condition(100), expected);
        assert_eq!(quarantine.resting(&lane(99), 1_100), None);
        // One more of anybody is enough for the next.
        quarantine.fault(&lane(1), "trap", 2_000);
        assert_eq!(quarantine.resting(&lane(99), 2_000), Some(4_000));
        for _ in 0..8 {
            fail(&mut quarantine, 5, 5_000);
        }
        assert_eq!(quarantine.resting(&lane(99), 5_000), Some(5_000 + REST_LONGEST_MS));
        assert_eq!(quarantine.resting(&lane(99), 4_999), None, "the clock was set back");
        quarantine.success(&lane(99));
        assert_eq!(quarantine.resting(&lane(99), 5_000), None);
        quarantine.fault(&lane(99), "trap", 5_000);
        assert_eq!(quarantine.resting(&lane(99), 5_000), None);
    }

    #[test]
    fn one_contact_or_two_rest_alone() {
        let mut quarantine = Quarantine::default();
        for n in 0..50 {
            quarantine.fault(&lane(n % 2), "deadline", 0);
        }
        for id in [0, 1] {
            assert!(quarantine.resting(&lane(id), 0).is_some());
        }
        assert_eq!(quarantine.resting(&lane(2), 0), None, "the others are served");
        let condition = quarantine.condition(0);
        assert_eq!((condition.state, condition.lanes_resting), (ConditionState::Ok, 2));
        // A third one makes it everybody's.
        quarantine.fault(&lane(3), "deadline", 0);
        assert_eq!(quarantine.resting(&lane(2), 0), Some(1_000));
    }

    #[test]
    fn a_lane_s_rests_grow_until_it_succeeds() {
        let mut quarantine = Quarantine::default();
        let (mut now, mut rests) = (0, Vec::new());
        for _ in 0..13 {
            quarantine.fault(&lane(1), "trap", now);
            // Others succeed all the while.
            quarantine.success(&lane(2));
            let until = quarantine.resting(&lane(1), now).unwrap_or(now);
            rests.push(until - now);
            now = until;
        }
        assert_eq!(rests[..6], [0, 0, 1_000, 2_000, 4_000, 8_000]);
        assert_eq!(rests[12], REST_LONGEST_MS);
        quarantine.success(&lane(1));
        quarantine.fault(&lane(1), "trap", now);
        assert_eq!(quarantine.resting(&lane(1), now), None);
    }

    #[test]
    fn a_lift_forgets_everything() {
        let mut quarantine = Quarantine::default();
        for _ in 0..5 {
            fail(&mut quarantine, 5, 0);
        }
        quarantine.lift();
        let clean =
            Condition { state: ConditionState::Ok, faults: 0, last_error: None, lanes_resting: 0 };
        assert_eq!(quarantine.condition(0), clean);
        assert_eq!(quarantine.resting(&lane(1), 0), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut quarantine = Quarantine::default();
        for _ in 0..3 {
            quarantine.fault(&lane(1), "trap", 0);
        }
        for id in 2..5_000 {
            quarantine.fault(&lane(id), "trap", 0);
            quarantine.success(&lane(0));
        }
        assert_eq!(quarantine.lanes.len(), LANES_MAX);
        assert!(quarantine.resting(&lane(1), 0).is_some(), "one that rests is not pushed out");
    }
}
