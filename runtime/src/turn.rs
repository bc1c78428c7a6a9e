//! One turn: the event goes through the channel's steps, their effects are
//! gathered, checked and written as one commit. Reads the store, never writes
//! it: the caller commits.

mod again;
mod asked;
mod commit;
pub mod consent;
mod draft;
mod merge;
mod run;

pub use again::{Again, again};
pub use draft::{Draft, DraftLimits, Network, Setting, Spent};
pub use run::{Stage, park, run};

use crate::{
    config::{Budget, Business, Grants, MarketingConsent, OnError, Policy, Prices, Turns},
    model::{PriceClass, Verdict},
    policy,
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// One link of a chain. Implementations: the versions of a plugin
/// (`plugin::Rollout`), one of them (`plugin::PluginStep`), a closure (in
/// tests).
#[async_trait]
pub trait Step: Send + Sync + 'static {
    /// The step's name in the chain; its state is kept under it.
    fn name(&self) -> &str;
    /// The plugin behind it with its version: `faq 0.1.0`. What really ran in
    /// a turn, `run` says.
    fn plugin(&self) -> &str;
    /// Whether it wants events of this kind (`EventKind::name`).
    fn wants(&self, kind: &str) -> bool;
    /// Runs the step on a draft and gives the draft back. On an error the
    /// draft's effects are dropped; its reasons and log lines are kept.
    async fn run(&self, draft: Draft) -> Ran;
    /// The owner wants it tried again now, even if it rests after failures.
    fn lift_rest(&self) {}
}

/// How a step's run ended.
pub struct Ran {
    pub draft: Draft,
    pub outcome: Result<Verdict, StepError>,
    /// The one that ran: `faq 0.1.0`.
    pub plugin: String,
    pub usage: Usage,
}

impl Ran {
    /// Where nothing is measured: nothing ran, or no plugin.
    pub fn unmeasured(
        draft: Draft,
        outcome: Result<Verdict, StepError>,
        plugin: impl Into<String>,
    ) -> Self {
        Self { draft, outcome, plugin: plugin.into(), usage: Usage::default() }
    }

    pub fn into_parts(self) -> (Draft, Result<Verdict, StepError>) {
        (self.draft, self.outcome)
    }
}

/// What a run used. Nothing where it is not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The time in which it computed, waiting left out.
    pub cpu: Duration,
    /// What its memories held at the end, which is the most they have held.
    pub memory_bytes: u64,
}

/// Why a step failed. The words are for the owner.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum StepError {
    #[error("took longer than {limit:?}")]
    Deadline { limit: Duration },
    #[error("wanted more than {limit_mb} MB of memory")]
    Memory { limit_mb: u32 },
    #[error("crashed: {0}")]
    Trap(String),
    /// What `handle` itself returned as its error.
    #[error("said: {0}")]
    Plugin(String),
    #[error("is resting after repeated failures, until {until}")]
    Quarantined { until: String },
}

impl StepError {
    /// The kind of `Quarantined`: nothing ran.
    pub const RESTING: &str = "quarantined";

    /// Whether it says more of the moment than of the step: the machine was
    /// busy, or others had made the step fail.
    pub fn passes(&self) -> bool {
        match self {
            Self::Deadline { .. } | Self::Quarantined { .. } => true,
            Self::Memory { .. } | Self::Trap(_) | Self::Plugin(_) => false,
        }
    }

    /// A short name, for metrics and traces.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Deadline { .. } => "deadline",
            Self::Memory { .. } => "memory",
            Self::Trap(_) => "trap",
            Self::Plugin(_) => "plugin",
            Self::Quarantined { .. } => Self::RESTING,
        }
    }
}

/// The rules of what may leave, as a business has set them.
pub fn policy_rules(business: &Business) -> policy::Rules {
    let usual = rules_of(&business.turns, &business.policy);
    let zone = policy::zone(&business.zone).unwrap_or(usual.zone);
    policy::Rules { zone, budget: Some(Arc::new(budget_of(&business.budget))), ..usual }
}

/// As `policy_rules`, in UTC and where money does not count.
pub fn rules_of(turns: &Turns, policy: &Policy) -> policy::Rules {
    policy::Rules {
        window_margin_ms: turns.window_margin_minutes * 60_000,
        handoff_ms: turns.handoff_hours * 3_600_000,
        opt_in: policy.marketing_consent == MarketingConsent::OptIn,
        cap: policy.marketing_cap,
        quiet: policy.quiet,
        daily_contacts: policy.daily_contacts,
        ..policy::Rules::default()
    }
}

fn budget_of(budget: &Budget) -> policy::Budget {
    // The schema keeps amounts within a thousand million, which have room.
    let micros = |amount: f64| (amount * 1e6).round() as u64;
    let prices = |prices: &Prices| -> policy::Prices {
        let all = [
            (PriceClass::Marketing, prices.marketing),
            (PriceClass::Utility, prices.utility),
            (PriceClass::Authentication, prices.authentication),
            (PriceClass::Service, prices.service),
        ];
        all.into_iter().filter_map(|(class, price)| Some((class, micros(price?)))).collect()
    };
    let of_country = |(code, one): (&String, &Prices)| (code.clone(), prices(one));
    policy::Budget {
        currency: budget.currency.clone(),
        per_day: budget.per_day.map(micros),
        per_month: budget.per_month.map(micros),
        prices: prices(&budget.price),
        by_country: budget.country.iter().map(of_country).collect(),
    }
}

/// The steps that a channel's events go through.
pub struct Chain {
    pub name: String,
    pub steps: Vec<ChainStep>,
}

/// A step with what the owner has said about it.
#[derive(Clone)]
pub struct ChainStep {
    pub step: Arc<dyn Step>,
    pub on_error: OnError,
    /// What `OnError::Reply` says.
    pub error_reply: Option<String>,
    pub grants: Grants,
    pub limits: DraftLimits,
    /// A hash of its rules, so that a recorded turn can tell whether they are
    /// still the same.
    pub rules: String,
}
