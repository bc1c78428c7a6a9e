//! How fast messages may leave. Pure functions over moments: no clock of its
//! own, nothing scanned, a constant cost for each message.

mod slowdown;
mod tier;

pub use slowdown::Slowdown;
pub use tier::{TIER_MAX, TIER_MS, Tier};

use crate::model::{ContactId, Millis};
use std::collections::{HashMap, VecDeque};

/// Meta counts messages per second.
const WINDOW_MS: Millis = 1000;
/// Meta lets one message every 6 seconds go to one person in the long run,
const PAIR_INTERVAL_MS: Millis = 6000;
/// and up to 45 at once, which it takes off those to come.
const PAIR_BURST: Millis = 45;
/// How much may be owed before the next message has to wait.
const PAIR_DEBT_MS: Millis = (PAIR_BURST - 1) * PAIR_INTERVAL_MS;
/// What left longer ago than this matters to no limit here: a whole burst is
/// worked off by then.
pub const MEMORY_MS: Millis = PAIR_BURST * PAIR_INTERVAL_MS;
/// Contacts remembered before those that owe nothing are first forgotten.
const PAIRS_MIN: usize = 1024;

/// What comes in may take up all of a number's throughput but this part, so
/// that nobody's flood keeps the answers in.
const OUT_SHARE: usize = 4;

/// A number's throughput: in no span of one second, wherever it begins, do more
/// than `per_second` messages leave. The provider counts what comes in too, so
/// it takes from what may leave, down to a quarter.
#[derive(Debug)]
pub struct Throughput {
    per_second: usize,
    /// When those of the last second left, the oldest first.
    left: VecDeque<Millis>,
    /// When how many of the last second came in, the oldest first.
    came: VecDeque<(Millis, usize)>,
}

impl Throughput {
    /// At least one a second.
    pub fn new(per_second: u32) -> Self {
        let per_second = per_second.max(1) as usize;
        Self { per_second, left: VecDeque::new(), came: VecDeque::new() }
    }

    pub fn set_rate(&mut self, per_second: u32) {
        self.per_second = per_second.max(1) as usize;
    }

    /// Messages per second.
    pub fn rate(&self) -> u32 {
        self.per_second as u32
    }

    /// How many may leave at `now`.
    pub fn room(&mut self, now: Millis) -> usize {
        self.believe(now);
        let over = |at: Millis| at.saturating_add(WINDOW_MS) <= now;
        while self.left.front().is_some_and(|at| over(*at)) {
            self.left.pop_front();
        }
        while self.came.front().is_some_and(|(at, _)| over(*at)) {
            self.came.pop_front();
        }
        self.room_beside(self.left.len(), self.came.iter().map(|(_, count)| count).sum())
    }

    fn room_beside(&self, left: usize, came: usize) -> usize {
        let least = (self.per_second / OUT_SHARE).max(1);
        self.per_second.saturating_sub(came).max(least).saturating_sub(left)
    }

    /// Counts one that leaves at `now`.
    pub fn take(&mut self, now: Millis) {
        self.believe(now);
        self.left.push_back(now);
    }

    /// Counts those that came in at `at`.
    pub fn note(&mut self, at: Millis, count: usize) {
        let at = self.came.back().map_or(at, |(last, _)| at.max(*last));
        self.came.push_back((at, count));
    }

    /// When there is room again; `now` if there is.
    pub fn next(&mut self, now: Millis) -> Millis {
        if self.room(now) > 0 {
            return now;
        }
        let mut left = self.left.iter().copied().peekable();
        let mut came = self.came.iter().copied().peekable();
        let mut beside = (self.left.len(), self.came.iter().map(|(_, count)| count).sum::<usize>());
        loop {
            let at = match (left.peek(), came.peek()) {
                (Some(out), Some((at, _))) => *out.min(at),
                (Some(at), None) | (None, Some((at, _))) => *at,
                (None, None) => return now,
            };
            while left.next_if(|one| *one == at).is_some() {
                beside.0 -= 1;
            }
            while let Some((_, count)) = came.next_if(|(one, _)| *one == at) {
                beside.1 -= count;
            }
            if self.room_beside(beside.0, beside.1) > 0 {
                return at.saturating_add(WINDOW_MS);
            }
        }
    }

    /// A clock that was set back must not stop the channel until the old time
    /// has come again.
    fn believe(&mut self, now: Millis) {
        if self.left.back().is_some_and(|at| *at > now) {
            self.left.iter_mut().for_each(|at| *at = now.min(*at));
        }
        if self.came.back().is_some_and(|(at, _)| *at > now) {
            self.came.iter_mut().for_each(|(at, _)| *at = now.min(*at));
        }
    }
}

/// What may go to each one contact of a channel.
#[derive(Debug, Default)]
pub struct Pairs {
    /// When each will owe nothing.
    clear_at: HashMap<ContactId, Millis>,
    sweep_at: usize,
}

impl Pairs {
    /// When the next message may go to this contact; `now` if it may now.
    pub fn next(&self, contact: ContactId, now: Millis) -> Millis {
        let clear_at = self.clear_at.get(&contact).copied().unwrap_or(0);
        // More can't be owed, unless the clock was set back.
        let clear_at = clear_at.min(now.saturating_add(PAIR_DEBT_MS + PAIR_INTERVAL_MS));
        now.max(clear_at.saturating_sub(PAIR_DEBT_MS))
    }

    /// Counts one that goes to this contact at `now`.
    pub fn take(&mut self, contact: ContactId, now: Millis) {
        let most = now.saturating_add(PAIR_DEBT_MS + PAIR_INTERVAL_MS);
        let clear_at = self.clear_at.entry(contact).or_insert(now);
        *clear_at = (*clear_at).max(now).saturating_add(PAIR_INTERVAL_MS).min(most);
        if self.clear_at.len() > self.sweep_at.max(PAIRS_MIN) {
            self.clear_at.retain(|_, clear_at| *clear_at > now);
            self.sweep_at = self.clear_at.len() * 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANN: ContactId = ContactId(1);

    /// Sends whenever it may, at the given moments, and returns when it did.
    fn sent(gaps: &[(Millis, usize)], rate: u32) -> Vec<Millis> {
        let (mut limiter, mut now, mut sent) = (Throughput::new(rate), 10_000, Vec::new());
        for (gap, wanted) in gaps {
            now += gap;
            for _ in 0..limiter.room(now).min(*wanted) {
                limiter.take(now);
                sent.push(now);
            }
        }
        sent
    }

    #[test]
    fn the_whole_rate_may_leave_at_once_and_then_a_second_passes() {
        let mut limiter = Throughput::new(3);
        assert_eq!(limiter.room(5000), 3);
        for _ in 0..3 {
            limiter.take(5000);
        }
        assert_eq!((limiter.room(5999), limiter.next(5999)), (0, 6000));
        assert_eq!((limiter.room(6000), limiter.next(6000)), (3, 6000));
    }

    #[test]
    fn a_lower_rate_counts_what_has_left() {
        let mut limiter = Throughput::new(4);
        for at in [5000, 5100, 5200, 5300] {
            limiter.take(at);
        }
        limiter.set_rate(2);
        assert_eq!(limiter.next(5400), 6200);
        assert_eq!((limiter.room(6199), limiter.room(6200)), (0, 1));
    }

    #[test]
    fn a_clock_set_back_stops_nothing() {
        let (mut limiter, mut pairs) = (Throughput::new(1), Pairs::default());
        limiter.take(1_000_000);
        assert_eq!(limiter.next(5000), 6000);
        for _ in 0..45 {
            pairs.take(ANN, 1_000_000);
        }
        assert_eq!(pairs.next(ANN, 5000), 11_000);
    }

    #[test]
    fn one_contact_gets_a_burst_and_then_one_in_six_seconds() {
        let mut pairs = Pairs::default();
        for _ in 0..45 {
            assert_eq!(pairs.next(ANN, 1000), 1000);
            pairs.take(ANN, 1000);
        }
        assert_eq!(pairs.next(ANN, 1000), 7000);
        assert_eq!(pairs.next(ContactId(2), 1000), 1000);
        pairs.take(ANN, 7000);
        assert_eq!(pairs.next(ANN, 7000), 13_000);
    }

    #[test]
    fn who_owes_nothing_is_forgotten() {
        let mut pairs = Pairs::default();
        for id in 0..100_000 {
            pairs.take(ContactId(id), id * 10);
        }
        assert!(pairs.clear_at.len() < 5000, "{}", pairs.clear_at.len());
    }

    #[test]
    fn what_comes_in_takes_room_but_not_all_of_it() {
        let mut limiter = Throughput::new(8);
        limiter.note(5000, 5);
        assert_eq!((limiter.room(5100), limiter.next(5100)), (3, 5100));
        limiter.note(5200, 50);
        assert_eq!(limiter.room(5300), 2);
        limiter.take(5300);
        limiter.take(5300);
        assert_eq!((limiter.room(5300), limiter.next(5300)), (0, 6200));
        assert_eq!((limiter.room(6199), limiter.room(6200)), (0, 6));
    }

    proptest! {
        #[test]
        fn traffic_in_and_out_keeps_the_rate_but_for_the_part_that_is_kept(
            moves in prop::collection::vec((0..400u64, 0..9usize, 0..9usize), 1..60),
            rate in 1..40u32,
        ) {
            let (mut limiter, mut now) = (Throughput::new(rate), 10_000);
            let (mut out, mut came): (Vec<Millis>, Vec<Millis>) = Default::default();
            for (gap, incoming, wanted) in moves {
                now += gap;
                limiter.note(now, incoming);
                came.extend(vec![now; incoming]);
                for _ in 0..limiter.room(now).min(wanted) {
                    limiter.take(now);
                    out.push(now);
                    let of = |all: &[Millis]| all.iter().filter(|at| **at + 1000 > now).count();
                    let least = (rate as usize / 4).max(1);
                    prop_assert!(of(&out) + of(&came) <= rate as usize || of(&out) <= least);
                    prop_assert!(of(&out) <= rate as usize);
                }
                let next = limiter.next(now);
                if next > now {
                    prop_assert_eq!(limiter.room(next - 1), 0);
                }
                prop_assert!(limiter.room(next) > 0);
                now = next;
            }
        }

        #[test]
        fn no_second_sees_more_than_the_rate(
            gaps in prop::collection::vec((0..700u64, 0..12usize), 1..80),
            rate in 1..9u32,
        ) {
            let sent = sent(&gaps, rate);
            for (first, start) in sent.iter().enumerate() {
                let within = sent[first..].iter().take_while(|at| **at < start + 1000).count();
                prop_assert!(within <= rate as usize);
            }
        }

        #[test]
        fn the_moment_of_room_is_neither_early_nor_late(
            gaps in prop::collection::vec((0..300u64, 0..12usize), 1..40),
            rate in 1..9u32,
        ) {
            let (mut limiter, mut now) = (Throughput::new(rate), 10_000);
            for (gap, wanted) in gaps {
                now += gap;
                (0..limiter.room(now).min(wanted)).for_each(|_| limiter.take(now));
                let next = limiter.next(now);
                if next > now {
                    prop_assert_eq!(limiter.room(next - 1), 0);
                }
                prop_assert!(limiter.room(next) > 0);
                now = next;
            }
        }

        #[test]
        fn no_span_sees_more_than_the_burst_and_its_share(
            gaps in prop::collection::vec(0..20_000u64, 1..300),
        ) {
            let (mut pairs, mut now, mut sent) = (Pairs::default(), 10_000, Vec::new());
            for gap in gaps {
                now += gap % 7000;
                now = pairs.next(ANN, now);
                pairs.take(ANN, now);
                sent.push(now);
            }
            for (first, start) in sent.iter().enumerate() {
                for (count, at) in (1..).zip(&sent[first..]) {
                    prop_assert!(count <= 45 + (at - start) / 6000);
                }
            }
        }
    }
}
