//! Channels on which nothing can leave, and when they can again.

use super::{
    super::{
        Paused,
        outcome::{PROBE_MS, Stop, hopeless},
        queue::Pause,
    },
    Worker,
};
use crate::model::{ChannelId, Delivery, Millis};

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
                let missing = false;
                line.pause = Some(Pause { since: now, probe_at, stop, probes: 0, missing });
                self.outbox.metrics.paused.inc();
                tracing::error!(
                    channel.id = %channel,
                    error.code = code,
                    "nothing can leave this channel for now: see /readyz for the reason"
                );
            }
        }
        let mut paused = self.outbox.paused();
        let since = paused.get(channel).map_or(now, |paused| paused.since);
        paused.insert(channel.clone(), Paused { channel: channel.clone(), since, reason });
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
