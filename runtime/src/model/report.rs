//! How a step and its plugin fare, as the API, the metrics and the command
//! line tell it.

use super::{LogLevel, Millis, moment};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// One step of a chain, counted since the process began or the step came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    pub step: String,
    /// The version that answers now: `faq 0.1.0`.
    pub plugin: String,
    /// Of its component: SHA-256 in hex.
    pub hash: String,
    /// In the plugin's own words.
    pub summary: String,
    /// The generation of chains and rules that it runs in.
    pub generation: u64,
    pub vitals: VitalsReport,
    pub rollout: RolloutReport,
    pub grants: Vec<GrantReport>,
    /// What the step's stored values take; none if it is not counted.
    pub kv_bytes: Option<u64>,
    /// How much one turn's instance has to do with the next one's.
    pub isolation: Option<String>,
    /// Whose code runs.
    pub compiler: Option<String>,
    /// That it rests after faults, and until when; none if it does not.
    pub condition: Option<String>,
}

/// What was measured. Runs in the shadow of another version count for nothing
/// but `cpu_total_us`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VitalsReport {
    pub turns: u64,
    /// Failed runs by kind: `deadline`, `memory`, `trap`, `plugin`,
    /// `quarantined`.
    pub errors: BTreeMap<String, u64>,
    /// The last versions that ran, oldest first.
    pub versions: Vec<VersionReport>,
    /// What a turn took, of the last turns.
    pub time: Spread,
    /// What its guest computed, of the last turns.
    pub cpu: Spread,
    pub cpu_total_us: u64,
    /// The most that an instance has held.
    pub memory_bytes: u64,
    /// How often a new version was rolled back.
    pub rollbacks: u64,
    /// Between a new version in the shadow and the one that answered.
    pub differences: u64,
}

impl VitalsReport {
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

/// In microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    pub mean_us: u64,
    pub p50_us: u64,
    pub p99_us: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionReport {
    pub plugin: String,
    pub turns: u64,
    pub errors: u64,
}

/// A capability that a plugin asks for, and whether its step has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantReport {
    /// As the plugin names it: `broadcast`, `http:api.example.com`.
    pub name: String,
    /// In the plugin's words.
    pub reason: String,
    pub granted: bool,
    /// What the owner writes in the chain to grant it.
    pub to_grant: String,
}

/// How far a new version has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutReport {
    pub phase: RolloutPhase,
    /// Beside the one that answers: in `shadow` the new one, in `watch` the
    /// old one, else none.
    pub beside: Option<String>,
    /// Turns of this phase, so far and in all.
    pub turns: u32,
    pub of: u32,
    pub failures: u32,
    /// Turns in which the two differed.
    pub differences: u32,
    pub rolled_back: Option<RolledBack>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RolloutPhase {
    /// One version, which is trusted.
    #[default]
    Settled,
    /// The old one answers; the new one runs beside it for comparison.
    Shadow,
    /// The new one answers; the old one is kept ready.
    Watch,
    /// The new one failed; the old one answers.
    RolledBack,
}

impl RolloutPhase {
    pub fn name(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Shadow => "shadow",
            Self::Watch => "watch",
            Self::RolledBack => "rolled-back",
        }
    }
}

/// A version that is in the folder and does not run, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    pub plugin: String,
    pub hash: String,
    /// The version that runs instead.
    pub back_to: String,
    pub at: Millis,
    /// Of `turns` in this phase.
    pub failures: u32,
    pub turns: u32,
    pub during: RolloutPhase,
    /// The kind of the last failure.
    pub last_error: String,
}

impl fmt::Display for RolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plugin, back_to, at, failures, turns, during, last_error, .. } = self;
        let at = moment(*at).map(|at| format!("{at:.0}")).unwrap_or_default();
        let when = match during {
            RolloutPhase::Shadow => "in the shadow, before it answered anyone, ",
            RolloutPhase::Watch | RolloutPhase::Settled | RolloutPhase::RolledBack => "",
        };
        write!(
            f,
            "{plugin} was rolled back at {at}, and {back_to} runs instead: {when}{failures} of \
             {turns} turns failed, the last with `{last_error}`; put a mended version into the folder, or \
             the old one back: a restart loads what is there"
        )
    }
}

/// A turn in which a new version in the shadow did otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub turn: String,
    pub at: Millis,
    /// The event's kind.
    pub event: String,
    /// Which of `verdict`, `effects`, `stored`, `requests`, `error` differ.
    pub differs: Vec<String>,
    /// What answered, and counted.
    pub old: Side,
    pub new: Side,
}

/// What one version did, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    pub plugin: String,
    /// `continue` or `stop`; none if it failed.
    pub verdict: Option<String>,
    pub effects: Vec<String>,
    pub stored: Vec<String>,
    /// Over HTTP.
    pub requests: Vec<String>,
    pub error: Option<String>,
}

/// A line that a step's plugin wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepLog {
    pub at: Millis,
    pub turn: String,
    /// The version that wrote it.
    pub plugin: String,
    pub level: LogLevel,
    pub message: String,
}
