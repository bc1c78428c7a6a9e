//! What the sender counts.

use crate::model::Rule;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Upper bounds of the send latency, in seconds. Meta usually answers within
/// half a second; requests end after 30.
const LATENCY_SECONDS: [f64; 9] = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabel {
    rule: &'static str,
}

/// Shared by its clones.
#[derive(Clone, Debug)]
pub struct OutboxMetrics {
    pub sent: Counter,
    pub retried: Counter,
    pub rejected: Counter,
    pub refused: Counter,
    pub unknown: Counter,
    ruled: Family<RuleLabel, Counter>,
    pub in_flight: Gauge,
    pub paused: Gauge,
    pub restricted: Gauge,
    /// From the request's start to the answer's end, in seconds.
    pub latency: Histogram,
}

impl Default for OutboxMetrics {
    fn default() -> Self {
        Self {
            sent: Counter::default(),
            retried: Counter::default(),
            rejected: Counter::default(),
            refused: Counter::default(),
            unknown: Counter::default(),
            ruled: Family::default(),
            in_flight: Gauge::default(),
            paused: Gauge::default(),
            restricted: Gauge::default(),
            latency: Histogram::new(LATENCY_SECONDS),
        }
    }
}

impl OutboxMetrics {
    /// How often a rule has held or refused a message.
    pub fn ruled(&self, rule: Rule) -> Counter {
        self.ruled.get_or_create(&RuleLabel { rule: rule.name() }).clone()
    }

    /// Gives everything its public name.
    pub fn register(&self, registry: &mut Registry) {
        for (name, help, counter) in [
            ("sent", "Messages that the provider took", &self.sent),
            ("retried", "Attempts that failed and will be repeated", &self.retried),
            (
                "rejected",
                "Messages that the provider refused, or that were given up",
                &self.rejected,
            ),
            ("refused", "Messages that our own rules held back", &self.refused),
            ("unknown", "Attempts whose outcome is not known", &self.unknown),
        ] {
            registry.register(format!("outbox_{name}"), help, counter.clone());
        }
        for (name, help, gauge) in [
            ("in_flight", "Requests under way", &self.in_flight),
            ("paused_channels", "Channels on which nothing can leave", &self.paused),
            ("restricted_channels", "Channels on which no template can leave", &self.restricted),
        ] {
            registry.register(format!("outbox_{name}"), help, gauge.clone());
        }
        let ruled = self.ruled.clone();
        registry.register("outbox_ruled", "Messages held or refused, by the rule that did", ruled);
        registry.register(
            "outbox_send_seconds",
            "Time from a request's start to its answer",
            self.latency.clone(),
        );
    }
}
