//! How often a message may be sent. Pure: the caller says what time it is.

use super::state::Millis;

/// To one person: one message in 6 s, in the long run.
pub const PAIR_INTERVAL_MS: f64 = 6_000.0;
/// To one person: as many at once, to be made up for by waiting.
pub const PAIR_BURST: u32 = 45;

/// Lets one through per interval, and a burst of them after a rest.
#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// When all that was let through so far is made up for.
    even_at: f64,
}

impl Bucket {
    /// True if one more may pass now; it is then counted.
    pub fn take(&mut self, now: Millis, interval_ms: f64, burst: u32) -> bool {
        let now = now as f64;
        let even_at = self.even_at.max(now);
        // Half a millisecond for what rounding lost.
        if even_at - now > interval_ms * (f64::from(burst) - 1.0) + 0.5 {
            return false;
        }
        self.even_at = even_at + interval_ms;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_one_per_interval() {
        let mut bucket = Bucket::default();
        let taken = (0..60).filter(|_| bucket.take(1_000, PAIR_INTERVAL_MS, PAIR_BURST)).count();
        assert_eq!(taken, 45);
        assert!(!bucket.take(6_000, PAIR_INTERVAL_MS, PAIR_BURST));
        assert!(bucket.take(7_000, PAIR_INTERVAL_MS, PAIR_BURST));
        assert!(!bucket.take(7_000, PAIR_INTERVAL_MS, PAIR_BURST));
    }

    #[test]
    fn a_steady_rate_is_never_refused() {
        let mut bucket = Bucket::default();
        for n in 0..1_000 {
            assert!(bucket.take(n * 25, 12.5, 80));
        }
    }
}
