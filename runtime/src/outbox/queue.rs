//! Messages that are due and wait in memory for room: per channel, the answers
//! to customers before the campaigns, and of these each in turn. The store has them all; this is what
//! saves reading and writing them while they wait.

use super::{
    campaigns::Campaigns,
    limiter::{Pairs, Slowdown, Throughput, Tier},
    outcome::Stop,
};
use crate::model::{
    Category, ChannelId, Delivery, DeliveryRecord, Millis, OutboxItem, Portfolio, SendId,
};
use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BinaryHeap, HashSet, VecDeque},
};

/// Messages in memory over which the last are put off in the store, so that
/// a campaign's hundred thousand do not hide the answers behind them.
const WAITING_MAX: usize = 4096;
/// Requests under way for one channel: enough for 1,000 messages a second at
/// half a second each; a provider that hangs holds no more.
const IN_FLIGHT_MAX: usize = 512;
/// The shortest time for which a message is put off.
const PUT_OFF_MS: Millis = 1000;

/// Why nothing can leave on a channel.
#[derive(Clone, Debug)]
pub(super) struct Pause {
    pub since: Millis,
    /// When one message is tried, to see whether it is over.
    pub probe_at: Millis,
    pub stop: Stop,
    /// Messages that tried and were turned away.
    pub probes: u32,
    /// The channel is not configured: over as soon as it is.
    pub missing: bool,
    /// The account has said so itself: over as soon as it says that it is.
    pub told: bool,
}

/// One channel's messages and limits.
#[derive(Debug)]
pub(super) struct Line {
    answers: VecDeque<OutboxItem>,
    campaigns: Campaigns,
    pub throughput: Throughput,
    pub slowdown: Slowdown,
    pub pairs: Pairs,
    pub pause: Option<Pause>,
    pub in_flight: usize,
}

impl Line {
    fn new() -> Self {
        Self {
            answers: VecDeque::new(),
            campaigns: Campaigns::default(),
            throughput: Throughput::new(1),
            slowdown: Slowdown::default(),
            pairs: Pairs::default(),
            pause: None,
            in_flight: 0,
        }
    }

    fn len(&self) -> usize {
        self.answers.len() + self.campaigns.len()
    }

    fn push(&mut self, item: OutboxItem) {
        match of_campaign(&item) {
            true => self.campaigns.push(item),
            false => self.answers.push_back(item),
        }
    }

    /// Puts what was taken back in its place.
    pub fn put_back(&mut self, item: OutboxItem) {
        match of_campaign(&item) {
            true => self.campaigns.put_back(item),
            false => self.answers.push_front(item),
        }
    }

    /// The next message; its place in memory is the caller's from here on.
    pub fn pop(&mut self) -> Option<OutboxItem> {
        self.answers.pop_front().or_else(|| self.campaigns.pop())
    }

    /// How many may leave now; one, now and then, while paused.
    pub fn room(&mut self, now: Millis) -> usize {
        match &self.pause {
            Some(pause) if pause.probe_at > now || self.in_flight > 0 => 0,
            Some(_) => self.throughput.room(now).min(1),
            None => self.throughput.room(now).min(IN_FLIGHT_MAX.saturating_sub(self.in_flight)),
        }
    }

    /// When there may be room; none if only the end of a request can make some.
    fn next_room(&mut self, now: Millis) -> Option<Millis> {
        match &self.pause {
            Some(_) if self.in_flight > 0 => None,
            Some(pause) => Some(pause.probe_at.max(self.throughput.next(now))),
            None if self.in_flight >= IN_FLIGHT_MAX => None,
            None => Some(self.throughput.next(now)),
        }
    }
}

/// Whether answers go before it.
fn of_campaign(item: &OutboxItem) -> bool {
    item.campaign.is_some() || item.message.category() == Some(Category::Marketing)
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    lines: BTreeMap<ChannelId, Line>,
    tiers: BTreeMap<Portfolio, Tier>,
    /// Those whose contact has had too much, by when they may go on.
    held: BinaryHeap<Reverse<Held>>,
    /// Waiting here, under way, or ended and not written yet.
    known: HashSet<SendId>,
}

impl Queue {
    pub fn known(&self) -> usize {
        self.known.len()
    }

    pub fn waits(&self) -> bool {
        !self.held.is_empty() || self.lines.values().any(|line| line.len() > 0)
    }

    pub fn line(&mut self, channel: &ChannelId) -> &mut Line {
        self.lines.entry(channel.clone()).or_insert_with(Line::new)
    }

    pub fn tier(&mut self, portfolio: &Portfolio) -> &mut Tier {
        self.tiers.entry(portfolio.clone()).or_default()
    }

    /// Channels with messages waiting.
    pub fn channels(&self) -> Vec<ChannelId> {
        let waiting = self.lines.iter().filter(|(_, line)| line.len() > 0);
        waiting.map(|(channel, _)| channel.clone()).collect()
    }

    /// Channels paused because their account has said so.
    pub fn told(&self) -> Vec<ChannelId> {
        let told = |line: &Line| line.pause.as_ref().is_some_and(|pause| pause.told);
        let lines = self.lines.iter().filter(|(_, line)| told(line));
        lines.map(|(channel, _)| channel.clone()).collect()
    }

    /// Takes what the store says is due; what is here already stays as it is.
    pub fn add(&mut self, items: Vec<OutboxItem>) {
        for item in items {
            if self.known.insert(item.id.clone()) {
                self.line(&item.channel).push(item);
            }
        }
    }

    /// Puts what could not leave back in its place.
    pub fn put_back(&mut self, items: Vec<OutboxItem>) {
        for item in items.into_iter().rev() {
            self.line(&item.channel).put_back(item);
        }
    }

    /// Keeps a message until its contact may have it.
    pub fn hold(&mut self, until: Millis, item: OutboxItem) {
        self.held.push(Reverse(Held { until, item }));
    }

    /// Lets go of those whose time has come.
    pub fn release(&mut self, now: Millis) {
        while self.held.peek().is_some_and(|Reverse(held)| held.until <= now) {
            if let Some(Reverse(held)) = self.held.pop() {
                self.put_back(vec![held.item]);
            }
        }
    }

    /// It is in the store's hands alone again, or history.
    pub fn forget(&mut self, id: &SendId) {
        self.known.remove(id);
    }

    /// When something may leave next.
    pub fn next(&mut self, now: Millis) -> Option<Millis> {
        let held = self.held.peek().map(|Reverse(held)| held.until);
        let lines = self.lines.values_mut().filter(|line| line.len() > 0);
        lines.filter_map(|line| line.next_room(now)).chain(held).min()
    }

    /// If too many wait here, the last of the longest line are put off to when
    /// it will about be their turn.
    pub fn put_off(&mut self, now: Millis) -> Vec<DeliveryRecord> {
        let waiting: usize = self.lines.values().map(Line::len).sum();
        if waiting <= WAITING_MAX {
            return Vec::new();
        }
        let Some(line) = self.lines.values_mut().max_by_key(|line| line.len()) else {
            return Vec::new();
        };
        let from = line.pause.as_ref().map_or(now, |pause| pause.probe_at.max(now));
        let rate = line.throughput.rate();
        let reason = format!("it waits for its turn: the channel sends {rate} messages a second");
        let mut records = Vec::new();
        while records.len() < waiting - WAITING_MAX / 2 {
            let Some(item) = line.campaigns.pop_last().or_else(|| line.answers.pop_back()) else {
                break;
            };
            let turn = line.len() as Millis * 1000 / Millis::from(rate);
            let due = from.saturating_add(turn.max(PUT_OFF_MS));
            let delivery = Delivery::RetryAfter { due, reason: reason.clone() };
            records.push(DeliveryRecord { id: item.id, delivery, at: now });
        }
        records
    }
}

/// Ordered by its moment alone.
#[derive(Debug)]
struct Held {
    until: Millis,
    item: OutboxItem,
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> Ordering {
        self.until.cmp(&other.until)
    }
}
impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.until == other.until
    }
}
impl Eq for Held {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Outgoing;
    use crate::outbox::tests::{item, marketing};

    fn main_channel() -> ChannelId {
        ChannelId::new("main")
    }

    #[test]
    fn answers_leave_before_campaigns_and_each_once() {
        let mut queue = Queue::default();
        let promo = item(1, marketing());
        let answer = item(2, Outgoing::Text("yes".into()));
        queue.add(vec![promo.clone(), answer.clone()]);
        queue.add(vec![promo.clone(), answer.clone()]);
        let line = queue.line(&main_channel());
        assert_eq!(line.pop().map(|item| item.id), Some(answer.id.clone()));
        assert_eq!(line.pop().map(|item| item.id), Some(promo.id));
        assert!(line.pop().is_none());
        queue.put_back(vec![answer.clone()]);
        assert_eq!(queue.line(&main_channel()).pop(), Some(answer));
    }

    #[test]
    fn held_messages_come_back_at_their_time() {
        let mut queue = Queue::default();
        let (one, two) = (item(1, marketing()), item(2, marketing()));
        queue.hold(200, one);
        queue.hold(100, two.clone());
        assert_eq!(queue.next(50), Some(100));
        queue.release(99);
        assert!(queue.channels().is_empty());
        queue.release(100);
        assert_eq!(queue.line(&main_channel()).pop(), Some(two));
        assert_eq!(queue.next(100), Some(200));
    }

    #[test]
    fn the_end_of_too_long_a_line_is_put_off_to_its_turn() {
        let mut queue = Queue::default();
        queue.line(&main_channel()).throughput.set_rate(100);
        queue.add((1..=WAITING_MAX as u64).map(|id| item(id, marketing())).collect());
        assert!(queue.put_off(0).is_empty());
        queue.add(vec![item(9999, marketing())]);
        let records = queue.put_off(0);
        assert_eq!(records.len(), WAITING_MAX / 2 + 1);
        let due = |record: &DeliveryRecord| match record.delivery {
            Delivery::RetryAfter { due, .. } => due,
            ref other => panic!("{other:?}"),
        };
        assert_eq!(records[0].id, item(9999, marketing()).id);
        assert_eq!(due(&records[0]), 40_960);
        assert!(records.iter().map(due).is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn a_paused_line_lets_one_through_now_and_then() {
        let mut queue = Queue::default();
        let line = queue.line(&main_channel());
        line.throughput.set_rate(10);
        line.pause = Some(Pause {
            since: 0,
            probe_at: 60_000,
            stop: Stop::Person,
            probes: 0,
            missing: false,
            told: false,
        });
        assert_eq!((line.room(59_999), line.room(60_000)), (0, 1));
        line.in_flight = 1;
        assert_eq!((line.room(60_000), line.next_room(60_000)), (0, None));
    }
}
