//! The simulator's own time: the machine's, and as far ahead of it as was
//! asked for. Windows, limits, links, pauses and receipts go by it; the bot's
//! clock is its own.

use super::state::Millis;
use crate::clock::{AheadClock, Clock};
use serde::Deserialize;
use std::sync::Arc;

/// Ten years: as far ahead as the time may be put in all.
const AHEAD_MAX: Millis = 10 * 365 * 24 * 60 * 60 * 1_000;

pub struct Time(AheadClock);

/// The body of `POST /sim/clock`: one of the two.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Move {
    pub advance_ms: Option<Millis>,
    /// Milliseconds since the Unix epoch.
    pub at: Option<Millis>,
}

impl Time {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self(AheadClock::new(clock))
    }

    pub fn now(&self) -> Millis {
        self.0.now()
    }

    /// How far ahead of the machine's clock.
    pub fn ahead(&self) -> Millis {
        self.0.ahead()
    }

    /// Moves the time on, and wakes all that waits for it.
    ///
    /// # Errors
    /// Neither or both of the two, a moment that has passed, or one too far off.
    pub fn shift(&self, to: Move) -> Result<(), String> {
        let by = match (to.advance_ms, to.at) {
            (Some(by), None) => by,
            (None, Some(at)) => at
                .checked_sub(self.now())
                .ok_or("the time goes forward only: `at` must not have passed")?,
            _ => return Err("give either `advance_ms` or `at`".into()),
        };
        match self.0.put_forward(by, AHEAD_MAX) {
            true => Ok(()),
            false => Err("at most ten years ahead in all".into()),
        }
    }

    /// Returns when this moment has come on the simulator's clock.
    pub async fn until(&self, due: Millis) {
        self.0.sleep_until(due).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimulatedClock;

    #[tokio::test]
    async fn time_goes_forward_and_wakes_who_waits() {
        let time = Arc::new(Time::new(Arc::new(SimulatedClock::new(1_000, 1))));
        let waiting = tokio::spawn({
            let time = time.clone();
            async move { time.until(3_601_000).await }
        });
        time.shift(Move { advance_ms: Some(1_800_000), at: None }).unwrap();
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        time.shift(Move { advance_ms: None, at: Some(3_601_000) }).unwrap();
        waiting.await.unwrap();
        assert_eq!((time.now(), time.ahead()), (3_601_000, 3_600_000));
        assert!(time.shift(Move { advance_ms: None, at: Some(1) }).is_err());
        assert!(time.shift(Move::default()).is_err());
        assert!(time.shift(Move { advance_ms: Some(u64::MAX), at: None }).is_err());
    }
}
