//! Messages that the provider had taken and that failed afterwards, as a receipt
//! said: what it means is decided here, as for an answer.

use super::{
    super::outcome::{Moment, PROBE_MS, come_back},
    Worker,
};
use crate::model::{Delivery, Millis, OutboxItem, SendState};

impl Worker {
    /// Decides on those that came back, and gives the others.
    pub(super) fn decide(&mut self, items: Vec<OutboxItem>, now: Millis) -> Vec<OutboxItem> {
        let mut others = Vec::new();
        for item in items {
            match item.state {
                SendState::Returned { taken } => {
                    // One whose attempt has not ended here is decided on then.
                    if self.queue.claim(&item.id) {
                        self.return_one(&item, taken, now);
                    }
                }
                SendState::Waiting { .. }
                | SendState::Attempting { .. }
                | SendState::Sent
                | SendState::Failed
                | SendState::Refused => others.push(item),
            }
        }
        others
    }

    fn return_one(&mut self, item: &OutboxItem, taken: Millis, now: Millis) {
        let Some(route) = (self.outbox.routes)(&item.channel) else {
            // Nobody knows what its channel's codes mean: it waits with the rest.
            let reason = item.reason.clone().unwrap_or_default();
            let due = now.saturating_add(PROBE_MS);
            return self.record(item.id.clone(), Delivery::RetryAfter { due, reason }, now);
        };
        let jitter = self.outbox.clock.jitter();
        let moment = Moment { now, grace_ms: route.grace_ms, jitter };
        let tally = self.tallies.of(item, now);
        let outcome = come_back(item, &*route.provider, tally, moment);
        self.take(item, outcome, taken, now);
    }
}
