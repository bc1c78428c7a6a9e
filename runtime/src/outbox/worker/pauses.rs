//! Channels on which nothing can leave, and when they can again.

use super::{
    super::{
        Paused,
        outcome::{PROBE_MS, Stop, hopeless},
        queue::Pause,
    },
    Worker,
};
use crate::{
    model::{ChannelId, Delivery, Millis, Stoppage},
    store::Result,
};
use std::collections::BTreeMap;

/// How soon a message is looked at again whose account may send no templates:
/// the account may be free of it before the time that was said.
const RESTRICTED_MS: Millis = 3_600_000;

impl Worker {
    /// Nothing leaves any more but one message now and then, which tries.
    /// `began`: when the attempt did that was turned away.
    pub(super) fn pause(
        &mut self,
        channel: &ChannelId,
        stop: Stop,
        (code, reason): (Option<u32>, String),
        began: Millis,
        now: Millis,
    ) {
        let jitter = self.outbox.clock.jitter();
        let line = self.queue.line(channel);
        match &mut line.pause {
            Some(pause) => {
                // Those that began before the pause were no tries.
                pause.probes += u32::from(began > pause.since);
                pause.stop = stop;
                pause.probe_at = now.saturating_add(stop.pause(pause.probes, jitter));
            }
            None => {
                let probe_at = now.saturating_add(stop.pause(0, jitter));
                let (missing, told) = (false, false);
                line.pause = Some(Pause { since: now, probe_at, stop, probes: 0, missing, told });
                self.outbox.metrics.paused.inc();
                tracing::error!(
                    channel.id = %channel,
                    error.code = code,
                    "nothing can leave this channel for now: see /readyz for the reason"
                );
            }
        }
        let mut paused = self.outbox.paused();
        let before = paused.get(channel).filter(|paused| !paused.templates_only);
        let since = before.map_or(now, |paused| paused.since);
        let (channel, templates_only) = (channel.clone(), false);
        paused.insert(channel.clone(), Paused { channel, since, reason, templates_only });
    }

    /// Takes over what accounts have said of themselves: what they can't send
    /// waits from now on, and leaves when they can.
    pub(super) async fn hear(&mut self, now: Millis) -> Result<()> {
        let before = std::mem::take(&mut self.stops);
        for stoppage in self.outbox.store.stoppages().await? {
            if stoppage.ends().is_some_and(|end| end <= now) {
                self.outbox.store.end_stoppage(&stoppage).await?;
                continue;
            }
            for channel in (self.outbox.concerned)(&stoppage) {
                let known = self.stops.entry(channel).or_insert_with(|| stoppage.clone());
                if known.news.templates_only {
                    known.clone_from(&stoppage);
                }
            }
        }
        for (channel, stoppage) in self.stops.clone() {
            match stoppage.news.templates_only {
                false => self.pause_told(&channel, &stoppage, now),
                true if before.get(&channel) != Some(&stoppage) => tracing::error!(
                    channel.id = %channel,
                    "no template can leave this channel for now: see /readyz for the reason"
                ),
                true => {}
            }
        }
        for channel in self.queue.told() {
            if self.stops.get(&channel).is_none_or(|stoppage| stoppage.news.templates_only) {
                self.queue.line(&channel).pause = None;
                self.resume(&channel);
            }
        }
        self.list_restricted();
        Ok(())
    }

    /// One message tries soon, or at once if it was told long ago: this process
    /// may have begun since then.
    fn pause_told(&mut self, channel: &ChannelId, stoppage: &Stoppage, now: Millis) {
        let is_new = self.queue.line(channel).pause.is_none();
        if is_new {
            self.pause(channel, Stop::Person, (None, stoppage.news.reason.clone()), now, now);
            if let Some(paused) = self.outbox.paused().get_mut(channel) {
                paused.since = stoppage.at;
            }
        }
        if let Some(pause) = &mut self.queue.line(channel).pause {
            pause.told = true;
            if is_new {
                let soon = stoppage.at.saturating_add(PROBE_MS);
                pause.probe_at = soon.clamp(now, now.saturating_add(PROBE_MS));
            }
        }
    }

    /// Shows those that may send no templates, beside those that are paused.
    fn list_restricted(&self) {
        let restricted: BTreeMap<_, _> =
            self.stops.iter().filter(|(_, stoppage)| stoppage.news.templates_only).collect();
        self.outbox.metrics.restricted.set(restricted.len().try_into().unwrap_or(i64::MAX));
        let mut paused = self.outbox.paused();
        paused.retain(|_, paused| !paused.templates_only);
        for (channel, stoppage) in restricted {
            paused.entry(channel.clone()).or_insert_with(|| Paused {
                channel: channel.clone(),
                since: stoppage.at,
                reason: stoppage.news.reason.clone(),
                templates_only: true,
            });
        }
    }

    /// Until when a template waits because of its account.
    pub(super) fn restricted_until(&self, channel: &ChannelId, now: Millis) -> Option<Millis> {
        let stoppage = self.stops.get(channel).filter(|stoppage| stoppage.news.templates_only)?;
        let look = now.saturating_add(RESTRICTED_MS);
        Some(stoppage.ends().map_or(look, |end| end.min(look)))
    }

    /// A message got through: what the account had said of itself is over.
    pub(super) fn disprove(&mut self, channel: &ChannelId) {
        self.disproved.extend(self.stops.remove(channel));
    }

    /// A channel that is not configured keeps its messages until it is again,
    /// but not for ever: what their contacts are sent elsewhere waits behind
    /// them.
    pub(super) fn miss(&mut self, channel: &ChannelId, now: Millis) {
        while let Some(item) = self.queue.line(channel).pop() {
            let tally = self.tallies.of(&item, now);
            let Some(reason) = hopeless(&item, tally, now) else {
                self.queue.put_back(vec![item]);
                break;
            };
            self.outbox.metrics.rejected.inc();
            self.record(item.id, Delivery::Rejected { reason, code: None }, now);
        }
        let line = self.queue.line(channel);
        match &mut line.pause {
            Some(pause) if pause.missing => pause.probe_at = now + PROBE_MS,
            _ => {
                let reason =
                    format!("messages wait for channel `{channel}`, which is not configured");
                self.pause(channel, Stop::Person, (None, reason), now, now);
                if let Some(pause) = &mut self.queue.line(channel).pause {
                    pause.missing = true;
                    pause.probe_at = now + PROBE_MS;
                }
            }
        }
    }

    pub(super) fn resume(&self, channel: &ChannelId) {
        self.outbox.paused().remove(channel);
        self.outbox.metrics.paused.dec();
        tracing::info!(channel.id = %channel, "messages leave this channel again");
    }
}
