//! How much slower than its rate a channel sends after the provider has said
//! that it sends too fast. Pure.

use crate::model::Millis;

/// How long the way back from a standstill to the whole rate takes.
const RECOVERY_MS: Millis = 120_000;

/// Each complaint halves the rate; then it grows evenly again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slowdown {
    /// The last complaint that counted, and the rate that it left.
    last: Option<(Millis, u32)>,
}

impl Slowdown {
    /// Messages per second at `now`, of the channel's own rate; 1 at least.
    pub fn rate(&mut self, full: u32, now: Millis) -> u32 {
        let Some((at, left)) = self.last else { return full.max(1) };
        // A clock that was set back begins the way anew.
        let since = now.saturating_sub(at);
        let grown = u64::from(full).saturating_mul(since) / RECOVERY_MS;
        let rate = grown.saturating_add(left.into()).try_into().unwrap_or(u32::MAX);
        if rate >= full {
            self.last = None;
        }
        rate.min(full).max(1)
    }

    /// The provider complained of a message that left at `began`. One that left
    /// before the last complaint says nothing new.
    pub fn complain(&mut self, full: u32, began: Millis, now: Millis) {
        if self.last.is_some_and(|(at, _)| began <= at && at <= now) {
            return;
        }
        let left = self.rate(full, now) / 2;
        self.last = Some((now, left.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_halves_the_rate_and_two_minutes_bring_it_back() {
        let mut slowdown = Slowdown::default();
        assert_eq!(slowdown.rate(80, 1000), 80);
        slowdown.complain(80, 900, 1000);
        assert_eq!(slowdown.rate(80, 1000), 40);
        // The others of the same moment.
        slowdown.complain(80, 1000, 1200);
        assert_eq!(slowdown.rate(80, 1000), 40);
        slowdown.complain(80, 1001, 1400);
        assert_eq!(slowdown.rate(80, 1400), 20);
        assert_eq!(slowdown.rate(80, 1400 + RECOVERY_MS / 2), 60);
        assert_eq!(slowdown.rate(80, 1400 + RECOVERY_MS), 80);
        assert!(slowdown.last.is_none());
    }

    #[test]
    fn it_never_stops() {
        let mut slowdown = Slowdown::default();
        for n in 0..20 {
            slowdown.complain(80, n * 10 + 9, n * 10 + 10);
        }
        assert_eq!(slowdown.rate(80, 200), 1);
        // Even if the clock is set back.
        assert_eq!(slowdown.rate(80, 0), 1);
        assert_eq!(Slowdown::default().rate(0, 0), 1);
    }
}
