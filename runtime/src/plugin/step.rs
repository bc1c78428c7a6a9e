//! A plugin with its rules as one step of a chain: the pool of instances, the
//! isolation, and the rest after repeated faults.

use super::{
    bindings::switchboard::plugin::types::Problem,
    code::{CodeReport, Ready},
    http::Outlet,
    instance::{Failure, Instance, WORDS_CHARS},
    isolation::{Isolated, Mode},
    load::Plugin,
    quarantine::{Condition, Quarantine},
    snapshot::Order,
};
use crate::{
    config::{Limits, StepConfig},
    model::{EventId, Lane, Millis, Verdict, moment, plain_line},
    plugin::convert,
    turn::{Draft, Network, Ran, Step, StepError, Usage},
};
use async_trait::async_trait;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Idle instances kept per step. More turns at once are served, by new ones.
const IDLE_MAX: usize = 16;
/// Turns after which an instance is replaced: what a guest leaks does not grow
/// for ever.
const TURNS_MAX: u32 = 10_000;
/// Problems kept of those that a plugin has with its rules.
const PROBLEMS: usize = 100;

/// A complaint about the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// A JSON pointer into the rules; empty for the rules as a whole.
    pub path: String,
    pub message: String,
}

/// Why a plugin did not take its rules.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum ConfigureError {
    #[error("{}", list(.0))]
    Rules(Vec<RuleProblem>),
    /// The plugin or its limits are at fault, not the rules.
    #[error("{0}")]
    Failed(String),
}

fn list(problems: &[RuleProblem]) -> String {
    let told = |problem: &RuleProblem| format!("{} {}", problem.path, problem.message);
    problems.iter().map(told).collect::<Vec<_>>().join("; ").trim().to_owned()
}

/// One step of a chain that is a plugin.
pub struct PluginStep {
    name: String,
    /// `faq 0.1.0`.
    label: String,
    plugin: Arc<Plugin>,
    /// As JSON text.
    rules: String,
    limits: Limits,
    isolation: Mode,
    outlet: Arc<Outlet>,
    idle: Mutex<Vec<Instance>>,
    quarantine: Mutex<Quarantine>,
}

impl std::fmt::Debug for PluginStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginStep").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Makes an instance and hands it the rules, so that whatever is wrong
    /// with either shows now and not on the first message.
    pub async fn configure(
        self: &Arc<Self>,
        step: &StepConfig,
        rules: &serde_json::Value,
    ) -> Result<PluginStep, ConfigureError> {
        let outlet = Outlet::new(step, &self.machine.http).map_err(ConfigureError::Failed)?;
        let descriptor = self.descriptor();
        let step = PluginStep {
            name: step.name.clone(),
            label: format!("{} {}", descriptor.name, descriptor.version),
            plugin: self.clone(),
            rules: rules.to_string(),
            limits: step.limits.clone(),
            isolation: Mode::choose(step.isolation, self),
            outlet,
            idle: Mutex::default(),
            quarantine: Mutex::default(),
        };
        let instance =
            step.configured(self.clock.now(), 0).await.map_err(|refusal| match refusal {
                Refusal::Rules(problems) => ConfigureError::Rules(problems),
                Refusal::Failure(failure) => {
                    let error = step.error(failure, step.configure_limit());
                    ConfigureError::Failed(error.to_string())
                }
            })?;
        step.give_back(instance);
        step.isolation.take_kept(|| step.snapshot_order()).await;
        Ok(step)
    }
}

/// Why there is no configured instance.
enum Refusal {
    Rules(Vec<RuleProblem>),
    Failure(Failure),
}

impl PluginStep {
    /// How this step's turns are kept apart, and why so. Changes when a
    /// snapshot is ready.
    pub fn isolation(&self) -> Isolated {
        self.isolation.in_effect()
    }

    /// The same plugin with what the owner has changed: grants and limits, and
    /// the rules if it takes them. The words say why it kept those it had.
    /// Error: not even so.
    pub async fn anew(
        &self,
        config: &StepConfig,
        rules: &serde_json::Value,
    ) -> Result<(Self, Option<String>), ConfigureError> {
        let refused = match self.plugin.configure(config, rules).await {
            Ok(step) => return Ok((step, None)),
            Err(refused) => refused,
        };
        let own: serde_json::Value = serde_json::from_str(&self.rules).unwrap_or_default();
        let step = self.plugin.configure(config, &own).await?;
        Ok((step, Some(refused.to_string())))
    }

    /// What new instances run on now.
    pub fn code(&self) -> CodeReport {
        self.plugin.code()
    }

    /// A new instance that has its rules.
    async fn instance(&self, now: Millis, seed: u64) -> Result<Instance, Refusal> {
        match self.isolation.snapshot() {
            Some(snapshot) => self.bare(&snapshot, now, seed).await.map_err(Refusal::Failure),
            None => self.configured(now, seed).await,
        }
    }

    async fn bare(&self, code: &Arc<Ready>, now: Millis, seed: u64) -> Result<Instance, Failure> {
        let (machine, limit) = (&self.plugin.machine, self.configure_limit());
        Instance::new(machine, code, self.limits.memory_mb, limit, (now, seed)).await
    }

    async fn configured(&self, now: Millis, seed: u64) -> Result<Instance, Refusal> {
        let limit = self.configure_limit();
        let code = self.plugin.code.live();
        let mut instance = self.bare(&code, now, seed).await.map_err(Refusal::Failure)?;
        match instance.configure(&self.rules, limit).await.map_err(Refusal::Failure)? {
            Ok(()) => Ok(instance),
            Err(problems) => Err(Refusal::Rules(
                problems
                    .into_iter()
                    .take(PROBLEMS)
                    .map(|Problem { path, message }| RuleProblem {
                        path: plain_line(&path, WORDS_CHARS),
                        message: plain_line(&message, WORDS_CHARS),
                    })
                    .collect(),
            )),
        }
    }

    fn snapshot_order(&self) -> Order {
        Order {
            workshop: self.plugin.workshop.clone(),
            code: self.plugin.code.clone(),
            rules: self.rules.clone(),
            memory_mb: self.limits.memory_mb,
            limit: self.configure_limit(),
            name: self.label.clone(),
        }
    }

    fn take(&self) -> Option<Instance> {
        if !self.isolation.is_warm() {
            return None;
        }
        let code = self.plugin.code.live();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Better code has come: what is left of the old goes.
        idle.retain(|instance| instance.is_of(&code));
        idle.pop()
    }

    fn give_back(&self, instance: Instance) {
        let used_up = instance.turns >= TURNS_MAX || !instance.may_stay_idle();
        if !self.isolation.is_warm() || used_up || !instance.is_of(&self.plugin.code.live()) {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(instance);
        }
    }

    async fn attempt(&self, draft: Draft, used: &mut Usage) -> (Draft, Result<Verdict, StepError>) {
        self.isolation.begin(|| self.snapshot_order());
        let seed = seed(&draft.event().id);
        let instance = match self.take() {
            Some(instance) => Ok(instance),
            None => self.instance(draft.now(), seed).await,
        };
        let mut instance = match instance {
            Ok(instance) => instance,
            Err(Refusal::Failure(failure)) => {
                return (draft, Err(self.error(failure, self.configure_limit())));
            }
            // Taken before, refused now.
            Err(Refusal::Rules(problems)) => {
                let words = format!("refused its rules: {}", list(&problems));
                return (draft, Err(StepError::Plugin(words)));
            }
        };
        let limit = Duration::from_millis(self.limits.time_ms);
        let event = convert::event(draft.event(), &*draft.setting.provider);
        let handled = instance.handle(draft, self.outlet.line(), &event, limit, seed).await;
        *used = instance.used;
        match handled {
            (draft, Ok(Ok(verdict))) => {
                self.give_back(instance);
                (draft, Ok(verdict))
            }
            // Whatever went wrong, its memory is not to be trusted.
            (draft, Ok(Err(words))) => (draft, Err(StepError::Plugin(words))),
            (draft, Err(failure)) => (draft, Err(self.error(failure, limit))),
        }
    }

    fn error(&self, failure: Failure, limit: Duration) -> StepError {
        failure.step_error(limit, self.limits.memory_mb)
    }

    fn configure_limit(&self) -> Duration {
        Duration::from_millis(self.limits.configure_ms)
    }

    /// How the step has fared lately.
    pub fn condition(&self) -> Condition {
        let quarantine = self.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        quarantine.condition(self.plugin.clock.now())
    }

    /// Counts how the step fared.
    fn record(&self, lane: &Lane, outcome: &Result<Verdict, StepError>) {
        let mut quarantine = self.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(_) => quarantine.success(lane),
            Err(
                error
                @ (StepError::Deadline { .. } | StepError::Memory { .. } | StepError::Trap(_)),
            ) => {
                quarantine.fault(lane, error.kind(), self.plugin.clock.now());
            }
            // Its own considered answer, or none at all.
            Err(StepError::Plugin(_) | StepError::Quarantined { .. }) => {}
        }
    }

    fn resting(&self, lane: &Lane) -> Option<StepError> {
        let quarantine = self.quarantine.lock().unwrap_or_else(PoisonError::into_inner);
        let until = quarantine.resting(lane, self.plugin.clock.now())?;
        let until = moment(until).map(|until| until.to_string()).unwrap_or_default();
        Some(StepError::Quarantined { until })
    }
}

/// The same for every attempt at a turn.
fn seed(turn: &EventId) -> u64 {
    let mut hasher = DefaultHasher::new();
    turn.hash(&mut hasher);
    hasher.finish()
}

#[async_trait]
impl Step for PluginStep {
    fn name(&self) -> &str {
        &self.name
    }
    fn plugin(&self) -> &str {
        &self.label
    }
    fn wants(&self, kind: &str) -> bool {
        self.plugin.descriptor().wants_event(kind)
    }
    async fn run(&self, draft: Draft) -> Ran {
        let lane = draft.lane().clone();
        if let Some(resting) = self.resting(&lane) {
            return Ran::unmeasured(draft, Err(resting), &self.label);
        }
        let mut usage = Usage::default();
        let (draft, outcome) = self.attempt(draft, &mut usage).await;
        // That the store fails is no fault of the plugin's.
        let counts = draft.broken.is_none() && !matches!(draft.network, Network::Closed(_));
        if counts {
            self.record(&lane, &outcome);
        }
        Ran { draft, outcome, plugin: self.label.clone(), usage }
    }
    fn lift_rest(&self) {
        self.quarantine.lock().unwrap_or_else(PoisonError::into_inner).lift();
    }
}
