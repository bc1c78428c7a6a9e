//! Whom the business wrote to first within the last day: the messaging limit
//! counts people, not messages. Pure.

use super::state::{DAY_MS, Millis};
use std::collections::{HashMap, VecDeque};

/// Grows to one entry per phone at most.
#[derive(Clone, Debug, Default)]
pub struct FirstContacts {
    counted: HashMap<usize, Millis>,
    oldest_first: VecDeque<(Millis, usize)>,
}

impl FirstContacts {
    /// True if this phone may be written to outside its window; it is then
    /// counted for 24 hours. A limit of 0 is none.
    pub fn take(&mut self, phone: usize, now: Millis, limit: u32) -> bool {
        while let Some((at, old)) = self.oldest_first.front().copied()
            && at + DAY_MS <= now
        {
            self.oldest_first.pop_front();
            self.counted.remove(&old);
        }
        if self.counted.contains_key(&phone) {
            return true;
        }
        if limit > 0 && self.counted.len() >= limit as usize {
            return false;
        }
        self.counted.insert(phone, now);
        self.oldest_first.push_back((now, phone));
        true
    }

    pub fn len(&self) -> usize {
        self.counted.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_counted_once_and_for_a_day() {
        let mut contacts = FirstContacts::default();
        assert!(contacts.take(1, 0, 2) && contacts.take(1, 5, 2) && contacts.take(2, 10, 2));
        assert!(!contacts.take(3, DAY_MS - 1, 2));
        assert!(contacts.take(3, DAY_MS, 2));
        assert!(!contacts.take(1, DAY_MS, 2), "it was forgotten, and others took its place");
        assert_eq!(contacts.len(), 2);
    }
}
