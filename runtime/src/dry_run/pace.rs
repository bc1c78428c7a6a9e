//! When messages leave that may leave from some moment on. Pure.

use super::member::Leaves;
use crate::{model::Millis, outbox::limiter::TIER_MS};
use std::collections::VecDeque;

/// A channel's limits, and what has used them.
pub(super) struct Pace {
    pub per_second: u32,
    /// Contacts that may be written to first within 24 hours.
    pub tier: Option<u64>,
    /// When others were, the oldest first.
    pub opened: VecDeque<Millis>,
}

impl Pace {
    /// When the first leaves and when the last. None: none ever does.
    pub fn span(self, leaves: Vec<Leaves>) -> Option<(Millis, Millis)> {
        let mut moments = self.by_tier(leaves.into_iter().map(|one| (one.at, one.opens)).collect());
        moments.sort_unstable();
        let rate = self.per_second.max(1) as usize;
        let mut left: VecDeque<Millis> = VecDeque::new();
        let mut first = None;
        for mut at in moments {
            if left.len() == rate {
                at = at.max(left.pop_front()?.saturating_add(1_000));
            }
            left.push_back(at);
            first = first.or(Some(at));
        }
        Some((first?, left.back().copied()?))
    }

    /// Who is written to first waits for a place within the tier.
    fn by_tier(&self, mut moments: Vec<(Millis, bool)>) -> Vec<Millis> {
        moments.sort_unstable();
        let mut opened = self.opened.clone();
        let place = |(at, opens): (Millis, bool)| {
            let Some(limit) = self.tier.filter(|_| opens) else { return Some(at) };
            let mut at = at;
            while opened.len() as u64 >= limit {
                at = at.max(opened.pop_front()?.saturating_add(TIER_MS));
            }
            opened.push_back(at);
            Some(at)
        };
        moments.into_iter().filter_map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(pace: Pace, at: &[(Millis, bool)]) -> Option<(Millis, Millis)> {
        let one = |(at, opens): &(Millis, bool)| Leaves {
            at: *at,
            opens: *opens,
            held: None,
            charge: None,
            unpriced: None,
        };
        pace.span(at.iter().map(one).collect())
    }

    #[test]
    fn the_rate_spreads_them() {
        let pace = |per_second| Pace { per_second, tier: None, opened: VecDeque::new() };
        assert_eq!(span(pace(80), &[]), None);
        assert_eq!(span(pace(2), &[(5, true); 7]), Some((5, 3_005)));
        assert_eq!(span(pace(2), &[(9_000, false), (5, true), (5, true)]), Some((5, 9_000)));
    }

    #[test]
    fn the_tier_lets_so_many_go_within_a_day() {
        let pace = |tier, opened: &[Millis]| Pace {
            per_second: 80,
            tier: Some(tier),
            opened: opened.iter().copied().collect(),
        };
        assert_eq!(span(pace(2, &[]), &[(5, true); 5]), Some((5, 5 + 2 * TIER_MS)));
        // One place is taken until tomorrow, and answers take none.
        assert_eq!(span(pace(2, &[3]), &[(5, true); 2]), Some((5, 3 + TIER_MS)));
        assert_eq!(span(pace(2, &[3, 4]), &[(5, false); 4]), Some((5, 5)));
        assert_eq!(span(pace(0, &[]), &[(5, true)]), None);
    }
}
