//! What left before this process began: the limits of pace count it too.

use super::Worker;
use crate::{
    model::{Millis, Tried},
    outbox::limiter::{MEMORY_MS, TIER_MAX, TIER_MS},
    store::Result,
};

/// As many as a number of 1,000 messages a second sends in the time that
/// matters.
const ATTEMPTS_MAX: usize = 300_000;
/// An attempt is on record up to so long before it leaves.
const DELAY_MS: Millis = 1_000;

impl Worker {
    pub(super) async fn restore(&mut self, now: Millis) -> Result<()> {
        let store = self.outbox.store.clone();
        let from = now.saturating_sub(MEMORY_MS + DELAY_MS);
        let attempts = store.attempts_since(from, ATTEMPTS_MAX).await?;
        let openings = store.openings_since(now.saturating_sub(TIER_MS), TIER_MAX).await?;
        for Tried { at, channel, contact, seen } in attempts.into_iter().rev() {
            let left = at.saturating_add(DELAY_MS).min(now);
            let line = self.queue.line(&channel);
            line.throughput.take(left);
            if seen {
                line.pairs.take(contact, left);
            }
        }
        for Tried { at, channel, contact, .. } in openings.into_iter().rev() {
            let portfolio = (self.outbox.families)(&channel).portfolio;
            self.queue.tier(&portfolio).take(contact, at.min(now));
        }
        Ok(())
    }
}
