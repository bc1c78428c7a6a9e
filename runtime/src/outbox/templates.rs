//! Templates that rest: the provider has paused them, so their messages wait.
//! In memory alone: after a restart the first message finds it out again.

use super::outcome::TEMPLATE_PROBE_MS;
use crate::model::{ChannelId, Millis, OutboxItem, Outgoing};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Channel, name, language.
type Name = (ChannelId, String, String);

/// A business has 6,000 templates at most.
#[derive(Debug, Default)]
pub(super) struct Resting {
    /// By name, when one message tries again.
    probes: Mutex<BTreeMap<Name, Millis>>,
}

impl Resting {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Name, Millis>> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The item's template was refused at `now`.
    pub fn rest(&self, item: &OutboxItem, now: Millis) {
        if let Some(name) = name(item) {
            self.all().insert(name, now.saturating_add(TEMPLATE_PROBE_MS));
        }
    }

    /// Until when the item waits for its template; none if it may leave, be it
    /// as the one that tries.
    pub fn until(&self, item: &OutboxItem, now: Millis) -> Option<Millis> {
        let probe_at = *self.all().get(&name(item)?)?;
        // No later than ever set, where the clock was set back.
        let probe_at = probe_at.min(now.saturating_add(TEMPLATE_PROBE_MS));
        (probe_at > now).then_some(probe_at)
    }

    /// The item leaves: if its template rests, it is the one that tries, and
    /// the others wait for it.
    pub fn leaves(&self, item: &OutboxItem, now: Millis) {
        if let Some(name) = name(item)
            && let Some(probe_at) = self.all().get_mut(&name)
        {
            *probe_at = now.saturating_add(TEMPLATE_PROBE_MS);
        }
    }

    /// The provider took a message of the template.
    pub fn lives(&self, item: &OutboxItem) {
        if let Some(name) = name(item) {
            self.all().remove(&name);
        }
    }

    /// The provider says that it may be sent.
    pub fn lift(&self, channel: &ChannelId, name: &str, language: &str) {
        self.all().remove(&(channel.clone(), name.to_owned(), language.to_owned()));
    }
}

fn name(item: &OutboxItem) -> Option<Name> {
    match &item.message {
        Outgoing::Template(form) => {
            Some((item.channel.clone(), form.name.clone(), form.language.clone()))
        }
        _ => None,
    }
}
