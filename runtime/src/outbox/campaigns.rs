//! Messages of campaigns that wait in memory: each campaign in its order, and
//! the campaigns in turn, so that a large one does not keep a small one in.

use crate::model::OutboxItem;
use std::collections::{BTreeMap, VecDeque};

/// The step and its broadcast; what is of none is one campaign of its step.
type Name = (String, String);

#[derive(Debug, Default)]
pub(super) struct Campaigns {
    queues: BTreeMap<Name, VecDeque<OutboxItem>>,
    /// Those with messages, whose turn it is first.
    turns: VecDeque<Name>,
    len: usize,
}

impl Campaigns {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn push(&mut self, item: OutboxItem) {
        let name = name(&item);
        let queue = self.queues.entry(name.clone()).or_default();
        queue.push_back(item);
        if queue.len() == 1 {
            self.turns.push_back(name);
        }
        self.len += 1;
    }

    /// Back to where it came from: it is its campaign's turn again.
    pub fn put_back(&mut self, item: OutboxItem) {
        let name = name(&item);
        self.queues.entry(name.clone()).or_default().push_front(item);
        self.turns.retain(|other| *other != name);
        self.turns.push_front(name);
        self.len += 1;
    }

    /// The next message of the campaign whose turn it is.
    pub fn pop(&mut self) -> Option<OutboxItem> {
        let name = self.turns.pop_front()?;
        let queue = self.queues.get_mut(&name)?;
        let item = queue.pop_front()?;
        match queue.is_empty() {
            true => drop(self.queues.remove(&name)),
            false => self.turns.push_back(name),
        }
        self.len -= 1;
        Some(item)
    }

    /// The last message of the longest campaign.
    pub fn pop_last(&mut self) -> Option<OutboxItem> {
        let (name, queue) = self.queues.iter_mut().max_by_key(|(_, queue)| queue.len())?;
        let name = name.clone();
        let item = queue.pop_back()?;
        if queue.is_empty() {
            self.queues.remove(&name);
            self.turns.retain(|other| *other != name);
        }
        self.len -= 1;
        Some(item)
    }
}

fn name(item: &OutboxItem) -> Name {
    (item.step.clone(), item.campaign.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::tests::{item, marketing};
    use proptest::prelude::*;

    fn of(campaign: usize, contact: u64) -> OutboxItem {
        OutboxItem { campaign: Some(campaign.to_string()), ..item(contact, marketing()) }
    }

    #[test]
    fn campaigns_take_turns() {
        let mut waiting = Campaigns::default();
        for (campaign, contact) in [(1, 1), (1, 2), (1, 3), (2, 4), (3, 5), (2, 6)] {
            waiting.push(of(campaign, contact));
        }
        let first = waiting.pop().unwrap();
        assert_eq!(first.contact.0, 1);
        waiting.put_back(first);
        let left: Vec<u64> =
            std::iter::from_fn(|| waiting.pop()).map(|item| item.contact.0).collect();
        assert_eq!(left, [1, 4, 5, 2, 6, 3]);
        assert_eq!(waiting.len(), 0);
    }

    proptest! {
        /// Of two campaigns that both have messages waiting, none is ever two
        /// ahead of the other from then on.
        #[test]
        fn each_campaign_gets_its_share(
            moves in prop::collection::vec((0..4usize, 0..3u8), 1..200),
        ) {
            let (mut waiting, mut model) = (Campaigns::default(), vec![0usize; 4]);
            // Since when both wait: how often each went.
            let mut ahead = [[0i64; 4]; 4];
            let mut contact = 0;
            for (campaign, what) in moves {
                if what < 2 {
                    contact += 1;
                    if model[campaign] == 0 {
                        ahead[campaign] = [0; 4];
                        ahead.iter_mut().for_each(|row| row[campaign] = 0);
                    }
                    model[campaign] += 1;
                    waiting.push(of(campaign, contact));
                    continue;
                }
                let Some(item) = waiting.pop() else { continue };
                let gone: usize = item.campaign.unwrap().parse().unwrap();
                model[gone] -= 1;
                for other in (0..4).filter(|other| *other != gone && model[*other] > 0) {
                    ahead[gone][other] += 1;
                    ahead[other][gone] = 0;
                    prop_assert!(ahead[gone][other] <= 2, "{gone} before {other}");
                }
            }
            prop_assert_eq!(waiting.len(), model.iter().sum::<usize>());
        }
    }
}
