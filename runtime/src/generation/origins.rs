//! What the steps of a generation were made from, and how they fare.

use super::Generation;
use crate::{
    config::{Problem, StepConfig},
    model::{Difference, StepLog, StepReport},
    plugin::{Descriptor, Rollout},
    turn::{ChainStep, Step},
};
use serde_json::Value;
use std::sync::Arc;

/// What each step was made from, in the order of the chains. Empty is always
/// right: then every step is made anew.
#[derive(Clone, Default)]
pub struct Origins(Vec<Made>);

/// Two steps with the same origin are the same.
#[derive(Clone, PartialEq)]
pub(super) struct Origin {
    pub plugin: String,
    pub config: StepConfig,
    pub rules: Value,
}

#[derive(Clone)]
pub(super) struct Made {
    pub origin: Origin,
    pub link: ChainStep,
    pub rollout: Arc<Rollout>,
    /// Of the plugin in the folder.
    pub descriptor: Descriptor,
    /// Where the chain names the plugin.
    pub place: Problem,
}

impl Made {
    fn name(&self) -> &str {
        &self.origin.config.name
    }

    fn report(&self, generation: &Generation) -> StepReport {
        let running = self.rollout.running();
        let compared = generation.wants.get(self.name()).cloned().unwrap_or_default();
        StepReport {
            step: self.name().into(),
            plugin: running.label,
            hash: running.hash,
            summary: self.descriptor.summary.clone(),
            generation: generation.number,
            vitals: self.rollout.vitals().report(),
            rollout: self.rollout.report(),
            grants: compared.wanted,
            // Put in by who has the store.
            kv_bytes: None,
            isolation: Some(running.step.isolation().to_string()),
            compiler: Some(running.step.code().compiler.into()),
            condition: running.step.condition().rests(),
        }
    }
}

impl Origins {
    pub(super) fn add(&mut self, made: Made) -> ChainStep {
        let link = made.link.clone();
        self.0.push(made);
        link
    }

    pub(super) fn lift_rests(&self) {
        self.0.iter().for_each(|made| made.rollout.lift_rest());
    }

    pub(super) fn find(&self, step: &str) -> Option<&Made> {
        self.0.iter().find(|made| made.name() == step)
    }

    /// Whether some step is made from the plugin with this hash.
    pub(super) fn run(&self, plugin: &str) -> bool {
        self.0.iter().any(|made| made.origin.plugin == plugin)
    }

    pub(super) fn of(&self, step: &str) -> Option<&Rollout> {
        self.find(step).map(|made| &*made.rollout)
    }

    pub(super) fn unchanged(&self, origin: &Origin) -> Option<&Made> {
        self.find(&origin.config.name).filter(|made| made.origin == *origin)
    }
}

impl Generation {
    /// How every step fares, in the order of the chains.
    pub fn reports(&self) -> Vec<StepReport> {
        self.origins.0.iter().map(|made| made.report(self)).collect()
    }

    /// The steps that do not run the version in the folder, and why.
    pub fn rolled_back(&self) -> Vec<Problem> {
        let told = |made: &Made| {
            let message = made.rollout.rolled_back()?.to_string();
            Some(Problem { message, ..made.place.clone() })
        };
        self.origins.0.iter().filter_map(told).collect()
    }

    /// The last lines that a step's plugin wrote, oldest first. None: there is
    /// no such step.
    pub fn logs(&self, step: &str, limit: usize) -> Option<Vec<StepLog>> {
        Some(self.origins.of(step)?.vitals().logs(limit))
    }

    /// Where the step's new version, in the shadow, did otherwise; newest
    /// first. None: there is no such step.
    pub fn differences(&self, step: &str) -> Option<Vec<Difference>> {
        Some(self.origins.of(step)?.vitals().differences())
    }
}
