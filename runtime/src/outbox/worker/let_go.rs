//! What waits for a template that may be sent again, or for a campaign that
//! goes on. Which these are is read off how things stand, so nothing is lost
//! with a process that ends before it came to them.

use super::{super::outcome::TEMPLATE_PROBE_MS, Worker};
use crate::{model::*, store::Result};
use std::{collections::HashMap, sync::atomic::Ordering};

/// Messages looked at in one go: what is due is read between two of them.
const PAGE: usize = 2_000;

impl Worker {
    /// Makes due now what nothing holds any more, and not only when it would have
    /// been looked at: a page of those that wait.
    pub(super) async fn let_go(&mut self, now: Millis) -> Result<()> {
        if self.outbox.freed.swap(false, Ordering::Relaxed) {
            self.letting_go = Some(now);
        }
        let Some(after) = self.letting_go else { return Ok(()) };
        // What was let go is due by now.
        let after = after.max(now);
        let page = self.outbox.store.later_outbox(after, PAGE).await?;
        // These two hold nothing for longer.
        let longest = now.saturating_add(TEMPLATE_PROBE_MS);
        let last = page.last().and_then(OutboxItem::due).filter(|due| *due <= longest);
        let more = last.filter(|_| page.len() == PAGE);
        let mut going = HashMap::new();
        let before = self.records.len();
        for item in page.into_iter().filter(|item| item.due() <= Some(longest)) {
            if let Some(reason) = self.set_free(&item, &mut going, now).await?
                && let Some(rule) = item.hold.rule
            {
                let (due, reason) = (now, reason.into());
                self.record(item.id, Delivery::Held { due, rule, reason }, now);
            }
        }
        let some_go = self.records.len() > before;
        // Others may be due at the same moment as the last. Where that is the whole
        // page and none of it goes, it would be the same page again.
        self.letting_go = more.map(|last| match some_go || last > after + 1 {
            true => last - 1,
            false => last,
        });
        Ok(())
    }

    /// Why nothing holds the item any more, if nothing does. One that is being
    /// attempted may have left already, whatever held it before.
    async fn set_free(
        &self,
        item: &OutboxItem,
        going: &mut HashMap<CampaignKey, bool>,
        now: Millis,
    ) -> Result<Option<&'static str>> {
        let SendState::Waiting { .. } = item.state else { return Ok(None) };
        match (item.hold.rule, &item.message, item.campaign()) {
            (Some(Rule::Template), Outgoing::Template(template), _) => {
                let standing = (self.outbox.templates)(&item.channel, template);
                let lives = standing.state == TemplateState::Live
                    && self.outbox.resting.until(item, now).is_none();
                Ok(lives.then_some("its template may be sent again"))
            }
            (Some(Rule::Campaign), _, Some(campaign)) => {
                let goes_on = match going.get(&campaign) {
                    Some(known) => *known,
                    None => {
                        let found = self.outbox.store.campaign(&campaign).await?;
                        let on = found.is_none_or(|found| found.broadcast.going == Going::On);
                        *going.entry(campaign).or_insert(on)
                    }
                };
                Ok(goes_on.then_some("its campaign goes on"))
            }
            _ => Ok(None),
        }
    }
}
