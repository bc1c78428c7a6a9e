//! What the listener counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// Counters, shared by their clones.
#[derive(Clone, Debug, Default)]
pub struct IngressMetrics {
    received: Family<KindLabel, Counter>,
    pub duplicate: Counter,
    pub denied: Counter,
    pub malformed: Counter,
    pub too_large: Counter,
    /// Webhooks answered with 503, which the provider sends again.
    pub failed: Counter,
}

impl IngressMetrics {
    /// Counts one new update of a kind (`EventKind::name`).
    pub fn received(&self, kind: &'static str) {
        self.received.get_or_create(&KindLabel { kind }).inc();
    }

    /// How many updates of a kind were new.
    pub fn received_of(&self, kind: &'static str) -> u64 {
        self.received.get_or_create(&KindLabel { kind }).get()
    }

    /// Gives every counter its public name.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "webhook_updates",
            "New updates accepted, by kind of event",
            self.received.clone(),
        );
        for (name, help, counter) in [
            ("duplicates", "Updates that had been accepted before", &self.duplicate),
            ("denied", "Webhooks without a good signature or token", &self.denied),
            ("malformed", "Webhooks and updates put aside", &self.malformed),
            ("too_large", "Webhooks over the size limit", &self.too_large),
            ("failed", "Webhooks answered with 503 because the store failed", &self.failed),
        ] {
            registry.register(format!("webhook_{name}"), help, counter.clone());
        }
    }
}
