//! How many contacts a portfolio has written to first in the last 24 hours, on
//! all its channels: Meta limits that. Pure.

use crate::model::{ContactId, Millis};
use std::collections::{HashMap, VecDeque};

/// The moving span over which the contacts are counted.
pub const TIER_MS: Millis = 24 * 3_600_000;
/// How long nothing more is tried after the provider said that it is enough.
const USED_MS: Millis = 3_600_000;
/// Contacts that are remembered: more than Meta's highest limit, 100,000.
pub const TIER_MAX: usize = 250_000;

/// The contacts of one portfolio.
#[derive(Debug, Default)]
pub struct Tier {
    /// When each was written to last.
    last: HashMap<ContactId, Millis>,
    /// The same by time, the oldest first; entries that are not the contact's
    /// last are stale.
    order: VecDeque<(Millis, ContactId)>,
    /// How many wait for one of the first entries to end: each waits for
    /// another one, or all would wake for one place.
    promised: usize,
    used_until: Millis,
}

impl Tier {
    /// Counts a contact that is written to first at `at`.
    pub fn take(&mut self, contact: ContactId, at: Millis) {
        self.last.insert(contact, at);
        self.order.push_back((at, contact));
        while self.order.len() > TIER_MAX {
            self.drop_first();
        }
    }

    /// The provider said that no more are allowed.
    pub fn use_up(&mut self, now: Millis) {
        self.used_until = now.saturating_add(USED_MS);
    }

    /// How many are counted at `now`.
    pub fn count(&mut self, now: Millis) -> usize {
        // The clock may have been set back: nothing is later than now.
        if self.order.back().is_some_and(|(at, _)| *at > now) {
            self.order.iter_mut().for_each(|(at, _)| *at = now.min(*at));
            self.last.values_mut().for_each(|at| *at = now.min(*at));
            self.used_until = self.used_until.min(now.saturating_add(USED_MS));
        }
        while self.order.front().is_some_and(|(at, _)| at.saturating_add(TIER_MS) <= now) {
            self.drop_first();
            self.promised = self.promised.saturating_sub(1);
        }
        self.last.len()
    }

    /// Until when this contact has to wait; none if it may be written to now.
    /// `limit`: contacts in 24 hours; none for no limit.
    pub fn until(&mut self, contact: ContactId, now: Millis, limit: Option<u64>) -> Option<Millis> {
        let count = self.count(now) as u64;
        if self.used_until > now {
            return Some(self.used_until);
        }
        if limit.is_none_or(|limit| count < limit) || self.last.contains_key(&contact) {
            return None;
        }
        let place = self.order.get(self.promised).map(|(at, _)| at.saturating_add(TIER_MS));
        self.promised += 1;
        Some(place.unwrap_or(now.saturating_add(TIER_MS)))
    }

    fn drop_first(&mut self) {
        if let Some((at, contact)) = self.order.pop_front()
            && self.last.get(&contact) == Some(&at)
        {
            self.last.remove(&contact);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn those_who_wait_are_promised_a_place_each() {
        let mut tier = Tier::default();
        for (id, at) in [(1, 1000), (2, 2000)] {
            assert_eq!(tier.until(ContactId(id), at, Some(2)), None);
            tier.take(ContactId(id), at);
        }
        let until = |tier: &mut Tier, id| tier.until(ContactId(id), 3000, Some(2));
        assert_eq!(until(&mut tier, 1), None, "counted already");
        assert_eq!(until(&mut tier, 3), Some(1000 + TIER_MS));
        assert_eq!(until(&mut tier, 4), Some(2000 + TIER_MS));
        assert_eq!(until(&mut tier, 5), Some(3000 + TIER_MS));
        assert_eq!(tier.until(ContactId(3), 1000 + TIER_MS, Some(2)), None);
        assert_eq!(tier.until(ContactId(9), 3000, None), None);
    }

    #[test]
    fn the_providers_word_counts_for_an_hour() {
        let mut tier = Tier::default();
        tier.use_up(5000);
        assert_eq!(tier.until(ContactId(1), 6000, None), Some(5000 + USED_MS));
        assert_eq!(tier.until(ContactId(1), 5000 + USED_MS, None), None);
    }

    proptest! {
        #[test]
        fn no_day_sees_more_contacts_than_the_limit(
            moves in prop::collection::vec((0..6u64, 0..12u64), 1..200),
            limit in 1..6u64,
        ) {
            let (mut tier, mut now, mut sent) = (Tier::default(), 10_000_000_000, Vec::new());
            for (hours, id) in moves {
                now += hours * 3_600_000;
                let contact = ContactId(id);
                match tier.until(contact, now, Some(limit)) {
                    Some(until) => prop_assert!(until > now && until <= now + TIER_MS),
                    None => {
                        tier.take(contact, now);
                        sent.push((now, id));
                    }
                }
            }
            for (first, (start, _)) in sent.iter().enumerate() {
                let within = sent[first..].iter().take_while(|(at, _)| *at < start + TIER_MS);
                let contacts: std::collections::BTreeSet<_> = within.map(|(_, id)| id).collect();
                prop_assert!(contacts.len() as u64 <= limit);
            }
        }
    }
}
