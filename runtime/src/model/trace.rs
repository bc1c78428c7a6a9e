//! Why: what each step of a turn did and said, kept for the operator.

use super::{ChannelId, Effect, Exchange, KvScope, Millis, SendId, TurnId};
use serde::{Deserialize, Serialize};

/// One turn, as it committed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trace {
    pub turn: TurnId,
    pub channel: ChannelId,
    /// The event's kind, as a plugin names it.
    pub event: String,
    /// What the contact wrote or tapped, for the operator's eyes only.
    pub text: Option<String>,
    pub at: Millis,
    /// The generation of chains, rules and plugins that it ran with.
    pub generation: u64,
    pub steps: Vec<StepTrace>,
    /// What the turn sent.
    pub sends: Vec<SendId>,
    /// What the host itself decided: refusals, skipped chain, parked event.
    pub remarks: Vec<String>,
    pub duration_us: u64,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepTrace {
    pub step: String,
    /// `faq 0.1.0`.
    pub plugin: String,
    pub verdict: Verdict,
    /// What the plugin gave as its reasons.
    pub because: Vec<String>,
    pub effects: Vec<Effect>,
    pub logs: Vec<LogLine>,
    pub error: Option<String>,
    pub duration_us: u64,
}

/// What a step read in its turn besides the event and the contact, so that the
/// turn can be run again elsewhere and see the same.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Inputs {
    /// Stored values as they were before the turn, each key once.
    pub kv: Vec<(KvScope, String, Option<Vec<u8>>)>,
    pub exchanges: Vec<Exchange>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Continue,
    Stop,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogLine {
    pub level: LogLevel,
    pub message: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}
