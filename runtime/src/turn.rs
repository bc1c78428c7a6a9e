//! One turn: the event goes through the channel's steps, their effects are
//! gathered, checked and written as one commit.

mod draft;

pub use draft::{Draft, DraftLimits, Setting};

use crate::model::Verdict;
use async_trait::async_trait;
use std::time::Duration;

/// One link of a chain. Implementations: a Wasm component
/// (`plugin::PluginStep`), a closure (in tests).
#[async_trait]
pub trait Step: Send + Sync + 'static {
    /// The step's name in the chain; its state is kept under it.
    fn name(&self) -> &str;
    /// The plugin behind it with its version, for the trace: `faq 0.1.0`.
    fn plugin(&self) -> &str;
    /// Whether it wants events of this kind (`EventKind::name`).
    fn wants(&self, kind: &str) -> bool;
    /// Runs the step on a draft and gives the draft back. On an error the
    /// draft's effects are dropped; its reasons and log lines are kept.
    async fn run(&self, draft: Draft) -> (Draft, Result<Verdict, StepError>);
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
