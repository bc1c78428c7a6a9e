//! A step that keeps failing rests, longer each time, so that it costs its
//! contacts no more waiting.

use crate::model::Millis;

/// Faults in a row before the first rest.
const FAULTS: u32 = 5;
const REST_FIRST_MS: Millis = 1_000;
const REST_LONGEST_MS: Millis = 5 * 60_000;

/// How a step has fared lately.
#[derive(Debug, Default)]
pub struct Quarantine {
    /// Since the last success.
    faults: u32,
    until: Millis,
}

impl Quarantine {
    /// Until when the step rests, if it does at `now`. A rest that seems longer
    /// than the longest is one from before the clock was set back.
    pub fn resting(&self, now: Millis) -> Option<Millis> {
        (self.until > now && self.until <= now + REST_LONGEST_MS).then_some(self.until)
    }

    /// A crash, a deadline passed, too much memory. After a rest, one more of
    /// them is enough for the next.
    pub fn fault(&mut self, now: Millis) {
        self.faults = self.faults.saturating_add(1);
        if let Some(rests) = self.faults.checked_sub(FAULTS) {
            let doubled = REST_FIRST_MS.checked_shl(rests.min(20)).unwrap_or(REST_LONGEST_MS);
            self.until = now + doubled.min(REST_LONGEST_MS);
        }
    }

    pub fn success(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_and_a_success_ends_them() {
        let mut quarantine = Quarantine::default();
        for _ in 0..4 {
            quarantine.fault(100);
        }
        assert_eq!(quarantine.resting(100), None);
        quarantine.fault(100);
        assert_eq!(quarantine.resting(100), Some(1_100));
        assert_eq!(quarantine.resting(1_100), None);
        quarantine.fault(2_000);
        assert_eq!(quarantine.resting(2_000), Some(4_000));
        for _ in 0..40 {
            quarantine.fault(5_000);
        }
        assert_eq!(quarantine.resting(5_000), Some(5_000 + REST_LONGEST_MS));
        assert_eq!(quarantine.resting(4_999), None, "the clock was set back");
        quarantine.success();
        assert_eq!(quarantine.resting(5_000), None);
        quarantine.fault(5_000);
        assert_eq!(quarantine.resting(5_000), None);
    }
}
