//! How many messages came in on each channel within the last moments. Meta
//! counts them against the same throughput as those that leave. Counts alone,
//! and of no use after a restart: what matters is over within a second.

use crate::model::{ChannelId, EventKind, Happening, Millis};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// What is older matters no more.
const SPAN_MS: Millis = 1_000;

/// Written by the listener, read by the sender.
#[derive(Debug, Default)]
pub struct Traffic {
    came: Mutex<BTreeMap<ChannelId, VecDeque<(Millis, usize)>>>,
}

impl Traffic {
    /// Counts the messages of a batch that came in at `now`.
    pub fn note(&self, batch: &[Happening], now: Millis) {
        let messages = batch.iter().filter(|one| matches!(one.kind, EventKind::Message(_)));
        let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        for message in messages {
            let counts = came.entry(message.channel.clone()).or_default();
            match counts.back_mut() {
                Some((at, count)) if *at >= now => *count += 1,
                _ => counts.push_back((now, 1)),
            }
            while counts.front().is_some_and(|(at, _)| at.saturating_add(SPAN_MS) <= now) {
                counts.pop_front();
            }
        }
    }

    /// Takes what was counted on a channel: when, how many.
    pub fn take(&self, channel: &ChannelId) -> VecDeque<(Millis, usize)> {
        let mut came = self.came.lock().unwrap_or_else(PoisonError::into_inner);
        came.get_mut(channel).map(std::mem::take).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Content, Message, News};

    #[test]
    fn messages_are_counted_by_channel_for_a_second() {
        let (main, traffic) = (ChannelId::new("main"), Traffic::default());
        let of = |channel: &str, kind| Happening {
            channel: ChannelId::new(channel),
            dedup: String::new(),
            sender: None,
            kind,
            raw: String::new(),
        };
        let message = || EventKind::Message(Message::new("w", 0, Content::Text("hi".into())));
        let other = EventKind::Account { field: "x".into(), news: News::Other };
        let batch =
            [of("main", message()), of("main", other), of("b", message()), of("main", message())];
        traffic.note(&batch, 5000);
        traffic.note(&batch, 5400);
        assert_eq!(traffic.take(&main), [(5000, 2), (5400, 2)]);
        assert!(traffic.take(&main).is_empty());
        traffic.note(&batch, 6400);
        assert_eq!(traffic.take(&ChannelId::new("b")), [(6400, 1)]);
    }
}
