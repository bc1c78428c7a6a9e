//! How long a call into a guest may still take. Counted in ticks that the guest
//! runs through, so that a busy machine is no plugin's fault, and in the time
//! that it spends in host calls, so that it can't wait for nothing.

use crate::clock::Stopwatch;
use std::{future::Future, time::Duration};

/// The length of a tick of the engine's ticker: how finely limits are kept.
pub const TICK: Duration = Duration::from_millis(1);

#[derive(Debug, Default)]
pub struct Allowance {
    ticks: u64,
    /// Spent in host calls, less than a tick.
    rest: Duration,
    /// The next tick has passed in a host call that was counted.
    counted: bool,
}

/// The guest's time is up.
#[derive(thiserror::Error, Debug)]
#[error("out of time")]
pub struct OutOfTime;

/// A host call that waits.
pub struct Wait {
    left: Duration,
    watch: Stopwatch,
}

impl Allowance {
    pub fn of(limit: Duration) -> Self {
        // The first tick comes early by anything up to its length.
        Self { ticks: limit.as_millis() as u64 + 1, ..Self::default() }
    }

    /// A tick has passed while the guest ran. How many are left.
    pub fn tick(&mut self) -> Result<u64, OutOfTime> {
        let taken = u64::from(!std::mem::take(&mut self.counted));
        self.ticks = self.ticks.saturating_sub(taken);
        if self.ticks == 0 { Err(OutOfTime) } else { Ok(self.ticks) }
    }

    /// Does something that takes time but waits for nothing.
    pub fn spend<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let watch = Stopwatch::start();
        let done = work();
        self.take(watch.elapsed());
        done
    }

    pub fn wait(&self) -> Wait {
        Wait {
            left: TICK * u32::try_from(self.ticks).unwrap_or(u32::MAX),
            watch: Stopwatch::start(),
        }
    }

    /// Takes off what a host call took. However long it was, it makes for one
    /// tick of the guest, which is not taken off again.
    fn take(&mut self, spent: Duration) {
        self.rest += spent;
        let ticks = self.rest.as_millis() as u64;
        self.rest -= TICK * u32::try_from(ticks).unwrap_or(u32::MAX);
        self.ticks = self.ticks.saturating_sub(ticks);
        self.counted |= ticks > 0;
    }
}

impl Wait {
    /// Waits for `work`, no longer than the guest's time.
    pub async fn end<T>(
        self,
        time: &mut Allowance,
        work: impl Future<Output = T>,
    ) -> Result<T, OutOfTime> {
        let done = tokio::time::timeout(self.left, work).await;
        time.take(self.watch.elapsed());
        done.map_err(|_| OutOfTime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_and_host_calls_use_up_the_same_time() {
        let mut time = Allowance::of(Duration::from_millis(10));
        assert_eq!(time.tick().unwrap(), 10);
        for _ in 0..10 {
            time.take(Duration::from_micros(450));
        }
        assert_eq!((time.tick().unwrap(), time.rest), (6, Duration::from_micros(500)));
        assert_eq!(time.tick().unwrap(), 5);
        time.take(Duration::from_secs(3_600));
        assert!(time.tick().is_err());
        assert!(time.tick().is_err());
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_allowed() {
        let mut time = Allowance::of(Duration::from_millis(3));
        let wait = time.wait();
        assert!(wait.end(&mut time, std::future::pending::<()>()).await.is_err());
        assert!(time.tick().is_err());
    }
}
