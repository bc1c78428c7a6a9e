//! What ended, on its way into the store.

use super::Worker;
use crate::{model::Delivery, store::Result};

impl Worker {
    /// Records what ended. False if the store could not: it is kept and tried
    /// again, and nothing more is sent meanwhile.
    pub(super) async fn write(&mut self) -> bool {
        self.tell_opt_outs().await;
        if let Err(error) = self.forget_disproved().await {
            self.trouble(&error);
            return false;
        }
        if self.records.is_empty() {
            return true;
        }
        let store = &self.outbox.store;
        if let Err(error) = store.record_deliveries(self.records.clone()).await {
            self.trouble(&error);
            return false;
        }
        for record in std::mem::take(&mut self.records) {
            self.queue.forget(&record.id);
            match record.delivery {
                Delivery::RetryAfter { .. } | Delivery::Held { .. } | Delivery::Unknown { .. } => {}
                Delivery::Sent { .. } | Delivery::Rejected { .. } | Delivery::Refused { .. } => {
                    self.tallies.forget(&record.id);
                }
            }
        }
        // Behind each of them another message of the contact may be due now.
        self.stale = true;
        true
    }

    async fn forget_disproved(&mut self) -> Result<()> {
        for stoppage in &self.disproved {
            self.outbox.store.end_stoppage(stoppage).await?;
        }
        self.disproved.clear();
        Ok(())
    }

    /// Lets the contacts' lanes know who has stopped marketing. A store without
    /// room for new events is asked again later: records still have room, and
    /// must not wait for it.
    async fn tell_opt_outs(&mut self) {
        if self.opt_outs.is_empty() {
            return;
        }
        let now = self.outbox.clock.now();
        match self.outbox.store.accept(self.opt_outs.clone(), now).await {
            Ok(_) => self.opt_outs.clear(),
            Err(error) => self.outbox.say_failure(&error),
        }
    }
}
