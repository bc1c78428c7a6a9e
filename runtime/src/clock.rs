//! The only source of time and of chance, so that a test or a replay can be
//! handed another.

use crate::model::Millis;
use async_trait::async_trait;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{Notify, watch};

#[async_trait]
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Millis;
    /// Returns at `due` or later; at once if it has passed.
    async fn sleep_until(&self, due: Millis);
    /// Spreads retries: an evenly distributed number below 1.
    fn jitter(&self) -> f64;
}

/// Measures how long something took. Not a source of dates.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
    pub fn micros(self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Millis {
        // Before 1970 only if the machine's clock is unset: count from zero.
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as Millis
    }
    async fn sleep_until(&self, due: Millis) {
        let wait = due.saturating_sub(self.now());
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    fn jitter(&self) -> f64 {
        fastrand::f64()
    }
}

/// A clock that moves when told, with chance from a seed.
#[derive(Debug)]
pub struct SimulatedClock {
    now: AtomicU64,
    moved: Notify,
    chance: Mutex<fastrand::Rng>,
}

impl SimulatedClock {
    pub fn new(now: Millis, seed: u64) -> Self {
        Self {
            now: AtomicU64::new(now),
            moved: Notify::new(),
            chance: Mutex::new(fastrand::Rng::with_seed(seed)),
        }
    }
    pub fn advance(&self, by: Millis) {
        self.now.fetch_add(by, Ordering::SeqCst);
        self.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Millis {
        self.now.load(Ordering::SeqCst)
    }
    async fn sleep_until(&self, due: Millis) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            moved.as_mut().enable();
            if self.now() >= due {
                return;
            }
            moved.await;
        }
    }
    fn jitter(&self) -> f64 {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

/// Another clock, put forward as far as was asked for: the next morning comes
/// when it is wanted. It goes on from there, and never back.
pub struct AheadClock {
    clock: Arc<dyn Clock>,
    ahead: watch::Sender<Millis>,
}

impl AheadClock {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, ahead: watch::Sender::new(0) }
    }
    /// How far ahead of the other clock.
    pub fn ahead(&self) -> Millis {
        *self.ahead.borrow()
    }
    /// Wakes all that waits. False if it would be more than `most` ahead in
    /// all: then it stays.
    pub fn put_forward(&self, by: Millis, most: Millis) -> bool {
        self.ahead.send_if_modified(|ahead| match ahead.checked_add(by) {
            Some(sum) if sum <= most => {
                *ahead = sum;
                true
            }
            Some(_) | None => false,
        })
    }
}

#[async_trait]
impl Clock for AheadClock {
    fn now(&self) -> Millis {
        self.clock.now().saturating_add(self.ahead())
    }
    async fn sleep_until(&self, due: Millis) {
        let mut moved = self.ahead.subscribe();
        while self.now() < due {
            let there = due.saturating_sub(self.ahead());
            tokio::select! {
                () = self.clock.sleep_until(there) => {}
                // The sender lives as long as this.
                _ = moved.changed() => {}
            }
        }
    }
    fn jitter(&self) -> f64 {
        self.clock.jitter()
    }
}
