//! Messages of unknown fate: before one is sent again, its receipt must have had
//! the time to come and to be read.

use super::{super::Route, Worker};
use crate::{model::*, store::Result};

/// How often it is looked whether a contact's events are dealt with,
const LOOK_MS: Millis = 500;
/// and how long a message waits for that beyond its time.
const BEHIND_MS: Millis = 10 * 60_000;

impl Worker {
    /// Until when a message that was cut off waits because nobody listened: what
    /// came meanwhile, the provider tells again. 0 for any other.
    pub(super) fn unheard_until(&self, item: &OutboxItem, route: &Route) -> Millis {
        match (&item.state, self.began) {
            (SendState::Attempting { since, .. }, Some(began)) if *since < began => {
                began.saturating_add(route.grace_ms)
            }
            _ => 0,
        }
    }

    /// Holds those of the chosen whose receipt may be among events that have come
    /// and have not had their turns.
    pub(super) async fn await_receipts(&mut self, chosen: &mut Vec<OutboxItem>) -> Result<()> {
        let now = self.outbox.clock.now();
        let store = self.outbox.store.clone();
        let mut at = 0;
        while let Some(item) = chosen.get(at) {
            let lane = Lane::Contact(item.contact);
            if is_doubtful(item, now) && store.next_in_lane(&lane).await?.is_some() {
                self.queue.hold(now + LOOK_MS, chosen.remove(at));
            } else {
                at += 1;
            }
        }
        Ok(())
    }
}

fn is_doubtful(item: &OutboxItem, now: Millis) -> bool {
    match item.state {
        SendState::Attempting { until, .. } => now < until.saturating_add(BEHIND_MS),
        SendState::Waiting { .. }
        | SendState::Returned { .. }
        | SendState::Sent
        | SendState::Failed
        | SendState::Refused => false,
    }
}
