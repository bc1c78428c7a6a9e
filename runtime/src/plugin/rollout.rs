//! One step of a chain whose plugin may be replaced: a new version runs in
//! the old one's shadow, then live while the old one is kept ready, and is
//! rolled back if it keeps failing. Knows neither files nor wasmtime: a
//! version is any [`Step`].

mod phase;

use super::{
    step::PluginStep,
    vitals::{Role, Vitals, asked_for_more, compare},
};
use crate::{
    clock::Stopwatch,
    config::{self, StepConfig},
    model::*,
    turn::{Draft, Network, Ran, Step, StepError},
};
use async_trait::async_trait;
use phase::{Phase, Tally, live, renewed, replace};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{task::JoinSet, time::timeout};

/// What a shadow may take beyond its own limits of time before the turn goes on
/// without it: the machine's other work.
const SLACK: Duration = Duration::from_millis(100);

/// One version of a step.
pub struct Version<S> {
    /// `faq 0.1.0`.
    pub label: String,
    /// Of its component: two with the same are the same version.
    pub hash: String,
    pub step: Arc<S>,
}

impl<S> Clone for Version<S> {
    fn clone(&self) -> Self {
        let Self { label, hash, step } = self;
        Self { label: label.clone(), hash: hash.clone(), step: step.clone() }
    }
}

/// A step with the versions of its plugin that are in use.
pub struct Rollout<S = PluginStep> {
    name: String,
    /// Of the version in the folder.
    label: String,
    terms: config::Rollout,
    /// How long a turn waits for a shadow.
    patience: Duration,
    phase: Mutex<Phase<S>>,
    vitals: Arc<Vitals>,
}

/// How a new version fared in one turn.
enum Fared<'a> {
    Well,
    /// It failed where the old one did not.
    Worse(&'a StepError),
    /// Nothing can be said: it rests, the old one failed too, or nobody could
    /// answer what it asked for over HTTP.
    Unknown,
}

impl<S: Step> Rollout<S> {
    /// The step as `config` has it. `previous` is the same step as it runs
    /// now: a plugin with another hash than the one trusted there is rolled
    /// out, a step with other rules goes live at once.
    ///
    /// `trusted` takes the place of the version trusted there, if it was made
    /// anew for what the owner has changed.
    pub fn new(
        config: &StepConfig,
        mut new: Version<S>,
        previous: Option<&Self>,
        trusted: Option<Version<S>>,
    ) -> Self {
        let (phase, vitals) = match previous {
            None => (Phase::Settled { live: new.clone() }, Arc::default()),
            Some(previous) => {
                let before = renewed(previous.phase().clone(), trusted);
                let phase = replace(&config.rollout, before, &mut new);
                (phase, Arc::clone(&previous.vitals))
            }
        };
        Self {
            name: config.name.clone(),
            label: new.label,
            terms: config.rollout.clone(),
            // It may have to make an instance first.
            patience: Duration::from_millis(config.limits.time_ms + config.limits.configure_ms)
                + SLACK,
            phase: Mutex::new(phase),
            vitals,
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase<S>> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that answers now.
    pub fn running(&self) -> Version<S> {
        match &*self.phase() {
            Phase::Settled { live } | Phase::RolledBack { live, .. } => live.clone(),
            Phase::Shadow { old, .. } => old.clone(),
            Phase::Watch { new, .. } => new.clone(),
        }
    }

    /// The version that has proved itself.
    pub fn trusted(&self) -> Version<S> {
        match &*self.phase() {
            Phase::Settled { live } | Phase::RolledBack { live, .. } => live.clone(),
            Phase::Shadow { old, .. } | Phase::Watch { old, .. } => old.clone(),
        }
    }

    pub fn vitals(&self) -> &Arc<Vitals> {
        &self.vitals
    }

    pub fn rolled_back(&self) -> Option<RolledBack> {
        match &*self.phase() {
            Phase::RolledBack { why, .. } => Some(why.clone()),
            Phase::Settled { .. } | Phase::Shadow { .. } | Phase::Watch { .. } => None,
        }
    }

    pub fn report(&self) -> RolloutReport {
        let told = |phase, beside: &Version<S>, tally: &Tally, of| RolloutReport {
            phase,
            beside: Some(beside.label.clone()),
            turns: tally.turns,
            of,
            failures: tally.failures,
            differences: tally.differences,
            rolled_back: None,
        };
        match &*self.phase() {
            Phase::Settled { .. } => RolloutReport::default(),
            Phase::Shadow { new, tally, .. } => {
                told(RolloutPhase::Shadow, new, tally, self.terms.shadow)
            }
            Phase::Watch { old, tally, .. } => {
                told(RolloutPhase::Watch, old, tally, self.terms.watch)
            }
            Phase::RolledBack { why, .. } => RolloutReport {
                phase: RolloutPhase::RolledBack,
                rolled_back: Some(why.clone()),
                ..RolloutReport::default()
            },
        }
    }

    /// The old one answers. The new one then sees the same turn, before it is
    /// committed, so that what it reads is what the old one read.
    async fn beside(&self, old: &Version<S>, new: &Version<S>, draft: Draft) -> Ran {
        let watch = Stopwatch::start();
        let mut copy = draft.clone();
        let answer = run(old, draft).await;
        if answer.draft.broken.is_some() {
            return answer;
        }
        self.vitals.count(Role::Answer, &old.label, &answer, watch.elapsed());
        copy.network = Network::Recorded(answer.draft.inputs.exchanges.clone());
        let version = new.clone();
        // In a task of its own, which ends with the set: neither a panic nor
        // a long wait is the turn's.
        let mut shadow = JoinSet::new();
        shadow.spawn(async move { run(&version, copy).await });
        let ended = timeout(self.patience, shadow.join_next()).await;
        let Ok(Some(Ok(shown))) = ended else {
            self.shadowed(&old.label, new, &answer.draft, Fared::Unknown, None);
            return answer;
        };
        self.vitals.count(Role::Shadow, &new.label, &shown, Duration::ZERO);
        let fared = match asked_for_more(&shown, &answer) {
            true => Fared::Unknown,
            false => fared(&shown, &answer),
        };
        let difference = match shown.outcome {
            Err(StepError::Quarantined { .. }) => None,
            Ok(_) | Err(_) => compare((&old.label, &answer), (&new.label, &shown)),
        };
        self.shadowed(&old.label, new, &answer.draft, fared, difference);
        answer
    }

    fn shadowed(
        &self,
        old: &str,
        new: &Version<S>,
        turn: &Draft,
        fared: Fared<'_>,
        difference: Option<Difference>,
    ) {
        let mut phase = self.phase();
        // Another turn may have ended the phase meanwhile.
        let Phase::Shadow { old: trusted, new: shown, tally } = &mut *phase else { return };
        if !matches!(fared, Fared::Unknown) {
            tally.turns += 1;
        }
        tally.differences += u32::from(difference.is_some());
        if tally.turns == 1 {
            self.vitals.new_shadow();
        }
        if let Some(difference) = difference {
            self.vitals.differed(difference);
        }
        let (trusted, shown, sum) = (trusted.clone(), shown.clone(), tally.clone());
        if let Some(why) = self.given_up(tally, fared, (old, new), turn, RolloutPhase::Shadow) {
            *phase = Phase::RolledBack { live: trusted, why };
        } else if sum.turns >= self.terms.shadow {
            let Tally { turns, differences, .. } = sum;
            tracing::info!(
                step.name = self.name,
                plugin.name = new.label,
                turns,
                differences,
                "the new version leaves the shadow and answers from now on"
            );
            *phase = live(&self.terms, trusted, shown);
        }
    }

    /// The new one answers. If it fails, the old one answers instead.
    async fn watched(&self, old: &Version<S>, new: &Version<S>, draft: Draft) -> Ran {
        let watch = Stopwatch::start();
        let mut copy = draft.clone();
        let tried = run(new, draft).await;
        if tried.draft.broken.is_some() {
            return tried;
        }
        let Err(error) = &tried.outcome else {
            self.vitals.count(Role::Answer, &new.label, &tried, watch.elapsed());
            self.watch_ended(&old.label, new, &tried.draft, Fared::Well);
            return tried;
        };
        copy.network = resumed(copy.network, &tried.draft.inputs.exchanges);
        let mut again = run(old, copy).await;
        self.watch_ended(&old.label, new, &tried.draft, fared(&tried, &again));
        if again.outcome.is_err() {
            self.vitals.count(Role::Answer, &new.label, &tried, watch.elapsed());
            return tried;
        }
        tracing::warn!(
            turn.id = %tried.draft.event().id, step.name = self.name, plugin.name = new.label,
            error.kind = error.kind(), "the new version failed; the old one answered instead"
        );
        self.vitals.count(Role::Replaced, &new.label, &tried, Duration::ZERO);
        self.vitals.count(Role::Answer, &old.label, &again, watch.elapsed());
        let told = format!("{} {error}, so {} answered instead", new.label, old.label);
        again.draft.logs.insert(0, LogLine { level: LogLevel::Warn, message: told });
        again
    }

    fn watch_ended(&self, old: &str, new: &Version<S>, turn: &Draft, fared: Fared<'_>) {
        let mut phase = self.phase();
        let Phase::Watch { old: trusted, new: tried, tally } = &mut *phase else { return };
        if !matches!(fared, Fared::Unknown) {
            tally.turns += 1;
        }
        let (trusted, tried, sum) = (trusted.clone(), tried.clone(), tally.clone());
        if let Some(why) = self.given_up(tally, fared, (old, new), turn, RolloutPhase::Watch) {
            *phase = Phase::RolledBack { live: trusted, why };
        } else if sum.turns >= self.terms.watch {
            tracing::info!(
                step.name = self.name,
                plugin.name = new.label,
                "the new version is trusted; the old one is let go"
            );
            *phase = Phase::Settled { live: tried };
        }
    }

    /// Counts a failure. Some if it was one too many.
    fn given_up(
        &self,
        tally: &mut Tally,
        fared: Fared<'_>,
        (old, new): (&str, &Version<S>),
        turn: &Draft,
        during: RolloutPhase,
    ) -> Option<RolledBack> {
        let Fared::Worse(error) = fared else { return None };
        if !tally.failed(turn.lane(), &self.terms) {
            return None;
        }
        let why = RolledBack {
            plugin: new.label.clone(),
            hash: new.hash.clone(),
            back_to: old.into(),
            at: turn.now(),
            failures: tally.failures,
            turns: tally.turns,
            during,
            last_error: error.kind().into(),
        };
        self.vitals.rolled_back();
        tracing::error!(
            step.name = self.name,
            plugin.name = new.label,
            error.kind = error.kind(),
            "{why}"
        );
        Some(why)
    }
}

/// What was asked over HTTP is not asked twice.
fn resumed(network: Network, asked: &[Exchange]) -> Network {
    match network {
        Network::Granted if !asked.is_empty() => {
            Network::Resumed { exchanges: asked.to_vec(), asked: asked.len() }
        }
        Network::Granted | Network::Recorded(_) | Network::Resumed { .. } | Network::Closed(_) => {
            network
        }
    }
}

fn fared<'a>(new: &'a Ran, old: &Ran) -> Fared<'a> {
    if new.draft.broken.is_some() {
        return Fared::Unknown;
    }
    match (&new.outcome, &old.outcome) {
        (Ok(_), _) => Fared::Well,
        (Err(StepError::Quarantined { .. }), _) | (Err(_), Err(_)) => Fared::Unknown,
        (Err(error), Ok(_)) => Fared::Worse(error),
    }
}

/// A version that does not want the event lets it pass.
async fn run<S: Step>(version: &Version<S>, draft: Draft) -> Ran {
    if version.step.wants(draft.event().kind.name()) {
        let ran = version.step.run(draft).await;
        return Ran { plugin: version.label.clone(), ..ran };
    }
    Ran::unmeasured(draft, Ok(Verdict::Continue), &version.label)
}

#[async_trait]
impl<S: Step> Step for Rollout<S> {
    fn name(&self) -> &str {
        &self.name
    }
    /// The version in the folder.
    fn plugin(&self) -> &str {
        &self.label
    }
    fn wants(&self, kind: &str) -> bool {
        match &*self.phase() {
            Phase::Settled { live } | Phase::RolledBack { live, .. } => live.step.wants(kind),
            Phase::Shadow { old, new, .. } => old.step.wants(kind) || new.step.wants(kind),
            Phase::Watch { new, .. } => new.step.wants(kind),
        }
    }
    async fn run(&self, draft: Draft) -> Ran {
        if let Network::Closed(_) = draft.network {
            return run(&self.running(), draft).await;
        }
        // The turn ends on what it began with.
        let phase = self.phase().clone();
        match phase {
            Phase::Settled { live } | Phase::RolledBack { live, .. } => {
                let watch = Stopwatch::start();
                let ran = run(&live, draft).await;
                self.vitals.count(Role::Answer, &live.label, &ran, watch.elapsed());
                ran
            }
            Phase::Shadow { old, new, .. } => self.beside(&old, &new, draft).await,
            Phase::Watch { old, new, .. } => self.watched(&old, &new, draft).await,
        }
    }
    fn lift_rest(&self) {
        match &*self.phase() {
            Phase::Settled { live } | Phase::RolledBack { live, .. } => live.step.lift_rest(),
            Phase::Shadow { old, new, .. } | Phase::Watch { old, new, .. } => {
                old.step.lift_rest();
                new.step.lift_rest();
            }
        }
    }
}

#[cfg(test)]
mod tests;
