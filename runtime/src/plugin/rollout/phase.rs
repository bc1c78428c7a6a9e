//! Where a roll-out stands, and where it goes when another version comes into
//! the folder. Pure: counts and decides nothing of a turn.

use super::Version;
use crate::{
    config,
    model::{Lane, RolledBack},
    turn::Step,
};

/// Characters of a hash that tell two versions of one name apart.
const HASH_CHARS: usize = 8;

/// The old one is let go as soon as the new one is trusted.
pub enum Phase<S> {
    Settled { live: Version<S> },
    Shadow { old: Version<S>, new: Version<S>, tally: Tally },
    Watch { old: Version<S>, new: Version<S>, tally: Tally },
    RolledBack { live: Version<S>, why: RolledBack },
}

impl<S> Clone for Phase<S> {
    fn clone(&self) -> Self {
        match self {
            Self::Settled { live } => Self::Settled { live: live.clone() },
            Self::Shadow { old, new, tally } => {
                Self::Shadow { old: old.clone(), new: new.clone(), tally: tally.clone() }
            }
            Self::Watch { old, new, tally } => {
                Self::Watch { old: old.clone(), new: new.clone(), tally: tally.clone() }
            }
            Self::RolledBack { live, why } => {
                Self::RolledBack { live: live.clone(), why: why.clone() }
            }
        }
    }
}

/// Lanes in which a new version must fail before it is taken back: one contact
/// alone must not decide what all the others get.
const LANES: usize = 2;

#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub turns: u32,
    pub failures: u32,
    pub differences: u32,
    /// Those of the failures, `LANES` at most.
    lanes: Vec<Lane>,
}

impl Tally {
    /// Counts a failure. True if it was one too many.
    pub fn failed(&mut self, lane: &Lane, terms: &config::Rollout) -> bool {
        self.failures += 1;
        if self.lanes.len() < LANES && !self.lanes.contains(lane) {
            self.lanes.push(lane.clone());
        }
        let lanes = LANES.min(terms.failures as usize);
        self.failures >= terms.failures && self.lanes.len() >= lanes
    }
}

/// The phase with the version it trusts made anew.
pub fn renewed<S>(mut phase: Phase<S>, trusted: Option<Version<S>>) -> Phase<S> {
    let Some(trusted) = trusted else { return phase };
    match &mut phase {
        Phase::Settled { live: old }
        | Phase::RolledBack { live: old, .. }
        | Phase::Shadow { old, .. }
        | Phase::Watch { old, .. } => *old = trusted,
    }
    phase
}

/// Where a roll-out stands after `new` has come into the folder.
pub fn replace<S: Step>(
    terms: &config::Rollout,
    before: Phase<S>,
    new: &mut Version<S>,
) -> Phase<S> {
    let (trusted, watched) = match before {
        Phase::Settled { live } | Phase::RolledBack { live, .. } => (live, None),
        Phase::Shadow { old, .. } => (old, None),
        Phase::Watch { old, new, tally } => (old, Some((new, tally))),
    };
    if trusted.hash == new.hash {
        new.label = trusted.label;
        return Phase::Settled { live: new.clone() };
    }
    if trusted.step.plugin() == new.step.plugin() {
        // A version that was not counted up.
        let hash: String = new.hash.chars().take(HASH_CHARS).collect();
        new.label = format!("{} ({hash})", new.label);
    }
    match watched {
        // It answers already; the owner's own edit does not take that back.
        Some((live, tally)) if live.hash == new.hash && terms.watch > tally.turns => {
            Phase::Watch { old: trusted, new: new.clone(), tally }
        }
        _ if terms.shadow > 0 => {
            Phase::Shadow { old: trusted, new: new.clone(), tally: Tally::default() }
        }
        _ => live(terms, trusted, new.clone()),
    }
}

/// The phase in which a new version answers.
pub fn live<S>(terms: &config::Rollout, old: Version<S>, new: Version<S>) -> Phase<S> {
    match terms.watch {
        0 => Phase::Settled { live: new },
        _ => Phase::Watch { old, new, tally: Tally::default() },
    }
}
