//! Metric names in one list, and how the log is written. Logs and metrics hold
//! ids and counts: never message text, numbers or tokens.

use crate::{
    clock::{Clock, SystemClock},
    ingress::IngressMetrics,
    model::{StepReport, TurnCommit, moment},
    outbox::OutboxMetrics,
    store::Depths,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use std::{
    fmt,
    io::IsTerminal,
    sync::{Mutex, PoisonError, atomic::AtomicU64},
};
use tracing_subscriber::fmt::{format::Writer, time::FormatTime};

/// Everything that `/metrics` shows.
pub struct Metrics {
    registry: Registry,
    pub turns: TurnMetrics,
    /// Locked while their values are put in and written out.
    plugins: Mutex<PluginMetrics>,
    lanes: Gauge,
    queued: Gauge,
    timers: Gauge,
    generation: Gauge,
    problems: Gauge,
}

impl Metrics {
    pub fn new(ingress: &IngressMetrics, outbox: &OutboxMetrics) -> Self {
        let mut registry = Registry::with_prefix("switchboard");
        ingress.register(&mut registry);
        outbox.register(&mut registry);
        let turns = TurnMetrics::default();
        turns.register(&mut registry);
        let plugins = PluginMetrics::default();
        plugins.register(&mut registry);
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Self {
            lanes: gauge("lanes_waiting", "Lanes with events that wait for their turn"),
            queued: gauge("outbox_contacts", "Contacts with messages that wait to be sent"),
            timers: gauge("timers", "Timers set"),
            generation: gauge("generation", "Number of the live generation of chains and rules"),
            problems: gauge(
                "reload_problems",
                "Problems that keep a newer generation from going live",
            ),
            turns,
            plugins: Mutex::new(plugins),
            registry,
        }
    }

    pub fn set_depths(&self, depths: Depths) {
        self.lanes.set(depths.lanes as i64);
        self.queued.set(depths.outbox as i64);
        self.timers.set(depths.timers as i64);
    }

    pub fn set_generation(&self, number: u64, problems: usize) {
        self.generation.set(number as i64);
        self.problems.set(problems as i64);
    }

    /// The Prometheus text form. The steps count for themselves: `steps` is
    /// how they stand now.
    pub fn encode(&self, steps: &[StepReport]) -> String {
        let plugins = self.plugins.lock().unwrap_or_else(PoisonError::into_inner);
        plugins.set(steps);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabel {
    event: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabel {
    step: String,
}

/// Counts turns and what their steps did.
#[derive(Clone)]
pub struct TurnMetrics {
    turns: Family<EventLabel, Counter>,
    parked: Counter,
    seconds: Histogram,
    step_seconds: Family<StepLabel, Histogram, fn() -> Histogram>,
    step_errors: Family<StepLabel, Counter>,
}

impl Default for TurnMetrics {
    fn default() -> Self {
        Self {
            turns: Family::default(),
            parked: Counter::default(),
            seconds: turn_histogram(),
            step_seconds: Family::new_with_constructor(turn_histogram),
            step_errors: Family::default(),
        }
    }
}

/// From 20 µs, about what the smallest plugin takes, to ten seconds.
fn turn_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_02, 2.5, 15))
}

impl TurnMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register("turns", "Turns committed, by kind of event", self.turns.clone());
        registry.register("parked", "Events put aside after failing", self.parked.clone());
        registry.register("turn_seconds", "Time of a turn's steps", self.seconds.clone());
        registry.register("step_seconds", "Time of a step", self.step_seconds.clone());
        registry.register("step_errors", "Failures of a step", self.step_errors.clone());
    }

    pub fn count(&self, kind: &str, commit: &TurnCommit) {
        self.turns.get_or_create(&EventLabel { event: kind.into() }).inc();
        if commit.parked.is_some() {
            self.parked.inc();
        }
        let Some(trace) = &commit.trace else { return };
        self.seconds.observe(trace.duration_us as f64 / 1e6);
        for step in &trace.steps {
            let label = StepLabel { step: step.step.clone() };
            self.step_seconds.get_or_create(&label).observe(step.duration_us as f64 / 1e6);
            if step.error.is_some() {
                self.step_errors.get_or_create(&label).inc();
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabel {
    step: String,
    plugin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabel {
    step: String,
    kind: String,
}

/// What the steps of the live generation have counted. A step has few
/// versions at a time, so the labels stay few.
#[derive(Default)]
struct PluginMetrics {
    turns: Family<VersionLabel, Counter>,
    errors: Family<ErrorLabel, Counter>,
    cpu: Family<StepLabel, Counter<f64, AtomicU64>>,
    memory: Family<StepLabel, Gauge>,
    kv: Family<StepLabel, Gauge>,
    rollbacks: Family<StepLabel, Counter>,
    differences: Family<StepLabel, Counter>,
}

impl PluginMetrics {
    fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("plugin");
        registry.register("turns", "Runs of a plugin's version", self.turns.clone());
        registry.register("errors", "Failed runs, by kind of error", self.errors.clone());
        registry.register("cpu_seconds", "Time in which guests computed", self.cpu.clone());
        let memory = self.memory.clone();
        registry.register("memory_bytes", "The most memory an instance has held", memory);
        registry.register("kv_bytes", "What a step's stored values take", self.kv.clone());
        let rollbacks = self.rollbacks.clone();
        registry.register("rollbacks", "New versions that were rolled back", rollbacks);
        let differences = self.differences.clone();
        registry.register("differences", "Turns in which a shadow did otherwise", differences);
    }

    /// Puts in how the steps stand; those that have gone are gone.
    fn set(&self, steps: &[StepReport]) {
        self.turns.clear();
        self.errors.clear();
        self.cpu.clear();
        self.memory.clear();
        self.kv.clear();
        self.rollbacks.clear();
        self.differences.clear();
        for StepReport { step, vitals, kv_bytes, .. } in steps {
            let label = StepLabel { step: step.clone() };
            for version in &vitals.versions {
                let label = VersionLabel { step: step.clone(), plugin: version.plugin.clone() };
                self.turns.get_or_create(&label).inc_by(version.turns);
            }
            for (kind, count) in &vitals.errors {
                let label = ErrorLabel { step: step.clone(), kind: kind.clone() };
                self.errors.get_or_create(&label).inc_by(*count);
            }
            self.cpu.get_or_create(&label).inc_by(vitals.cpu_total_us as f64 / 1e6);
            self.memory.get_or_create(&label).set(vitals.memory_bytes as i64);
            if let Some(bytes) = kv_bytes {
                self.kv.get_or_create(&label).set(*bytes as i64);
            }
            self.rollbacks.get_or_create(&label).inc_by(vitals.rollbacks);
            self.differences.get_or_create(&label).inc_by(vitals.differences);
        }
    }
}

/// The time as a person at a terminal wants it: their own, to the second.
struct WallClock;

impl FormatTime for WallClock {
    fn format_time(&self, to: &mut Writer<'_>) -> fmt::Result {
        let now = moment(SystemClock.now()).ok_or(fmt::Error)?;
        let now = now.to_zoned(jiff::tz::TimeZone::system());
        write!(to, "{}", now.strftime("%H:%M:%S"))
    }
}

/// Writes the log to stderr: text on a terminal, JSON otherwise. `filter` is
/// in `tracing`'s own form: `info`, `switchboard=debug`.
pub fn init_log(filter: &str) {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call, as in tests, changes nothing.
    let _ = if std::io::stderr().is_terminal() {
        log.with_target(false).with_timer(WallClock).try_init()
    } else {
        log.json().flatten_event(true).try_init()
    };
}
