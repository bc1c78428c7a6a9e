//! Templates that rest: the provider has paused them, so their messages wait.
//! In memory alone: after a restart the first message finds it out again.

use super::outcome::TEMPLATE_PROBE_MS;
use crate::model::{ChannelId, Millis, OutboxItem, Outgoing, Rule, SendState};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Channel, name, language.
type Name = (ChannelId, String, String);

/// A business has 6,000 templates at most.
#[derive(Debug, Default)]
pub(super) struct Resting {
    /// By name, when one message tries again.
    probes: Mutex<BTreeMap<Name, Millis>>,
    /// Those that may be sent again, until what they held is let go.
    lifted: Mutex<BTreeSet<Name>>,
}

impl Resting {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Name, Millis>> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lifted(&self) -> MutexGuard<'_, BTreeSet<Name>> {
        self.lifted.lock().unwrap_or_else(PoisonError::into_inner)
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

    pub fn lift(&self, channel: &ChannelId, name: &str, language: &str) {
        let name = (channel.clone(), name.to_owned(), language.to_owned());
        self.all().remove(&name);
        self.lifted().insert(name);
    }

    /// Whether an item is held by a template that may be sent again; none if
    /// nothing was lifted since this was asked last.
    pub fn take_lifted(&self) -> Option<impl Fn(&OutboxItem) -> bool + use<>> {
        let lifted = std::mem::take(&mut *self.lifted());
        (!lifted.is_empty()).then_some(move |item: &OutboxItem| {
            // One that is being attempted may have left already.
            matches!(item.state, SendState::Waiting { .. })
                && item.hold.rule == Some(Rule::Template)
                && name(item).is_some_and(|name| lifted.contains(&name))
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Attempt, Delivery, DeliveryRecord},
        outbox::tests::{item, marketing},
    };

    #[test]
    fn what_is_under_way_is_not_let_go() {
        let mut held = item(1, marketing());
        let (due, reason) = (900, "it rests".into());
        let delivery = Delivery::Held { due, rule: Rule::Template, reason };
        held.record(&DeliveryRecord { id: held.id.clone(), delivery, at: 1 });
        let resting = Resting::default();
        assert!(resting.take_lifted().is_none());
        resting.lift(&held.channel, "sale", "de");
        assert!(!resting.take_lifted().unwrap()(&held), "another language");
        resting.lift(&held.channel, "sale", "en");
        let is_free = resting.take_lifted().unwrap();
        assert!(is_free(&held));
        held.begin(&Attempt::new(held.id.clone(), 2, 900));
        assert!(!is_free(&held), "it may have left");
        assert!(resting.take_lifted().is_none(), "asked once");
    }
}
