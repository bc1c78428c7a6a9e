//! Why: what each step of a turn did and said, kept for the operator.

use super::{
    AccountChange, ChannelId, Contact, Effect, Event, Exchange, KvScope, Millis, SendId, TurnId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One turn, as it committed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trace {
    pub turn: TurnId,
    pub channel: ChannelId,
    /// The event's kind, as a plugin names it.
    pub event: String,
    /// What the contact wrote or tapped, for the operator's eyes only.
    pub text: Option<String>,
    /// The provider's id of the file that its message bore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    pub at: Millis,
    /// The generation of chains, rules and plugins that it ran with.
    pub generation: u64,
    pub steps: Vec<StepTrace>,
    /// What the turn sent.
    pub sends: Vec<SendId>,
    /// What the host itself decided: refusals, skipped chain, parked event.
    pub remarks: Vec<String>,
    pub duration_us: u64,
    /// What it ran on.
    #[serde(default, skip_serializing_if = "Recording::is_none")]
    pub recording: Recording,
    /// The account event of the provider that it was, for the operator to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<AccountChange>>,
}

/// What is kept of a turn so that its steps can be run again elsewhere.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub enum Recording {
    /// Turns were not recorded when it ran, or no step did.
    #[default]
    None,
    /// It read more than is recorded.
    TooLarge {
        bytes: usize,
        limit: usize,
    },
    Whole(Box<Record>),
}

impl Recording {
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// What a turn ran on, but for the rules: those stay in the business folder.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    pub event: Event,
    /// As the first step saw it, without notes. Later ones saw it with the
    /// effects of those before.
    pub contact: Option<Contact>,
    /// The business's.
    pub zone: String,
    /// One for each step of the trace.
    pub steps: Vec<StepRecord>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepRecord {
    /// A hash of the rules that the step had: `ChainStep::rules`.
    pub rules: String,
    #[serde(default, skip_serializing_if = "Inputs::is_empty")]
    pub inputs: Inputs,
    /// The keys it wrote, as it left them. None: deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<(KvScope, String, Option<Vec<u8>>)>,
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
    /// A short name for what `error` says: `trap`, `quarantined`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_kind: Option<String>,
    pub duration_us: u64,
}

/// What a step read in its turn besides the event and the contact, so that the
/// turn can be run again elsewhere and see the same.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Inputs {
    /// Stored values as they were before the turn, each key once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kv: Vec<(KvScope, String, Option<Vec<u8>>)>,
    /// Stored keys that were listed, read or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<(KvScope, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
}

impl Inputs {
    pub fn is_empty(&self) -> bool {
        self.kv.is_empty() && self.keys.is_empty() && self.exchanges.is_empty()
    }

    /// A stored value, if it was read and was there.
    pub fn value(&self, scope: KvScope, key: &str) -> Option<Vec<u8>> {
        let of = |(kept, name, _): &&(KvScope, String, _)| *kept == scope && name == key;
        self.kv.iter().find(of).and_then(|(_, _, value)| value.clone())
    }

    /// Whether the store was asked for the key.
    pub fn has_read(&self, scope: KvScope, key: &str) -> bool {
        self.kv.iter().any(|(kept, name, _)| *kept == scope && name == key)
    }

    /// Stored keys with a prefix, in order, of those that were listed.
    pub fn listed(&self, scope: KvScope, prefix: &str, limit: usize) -> Vec<String> {
        let of = |(kept, name): &&(KvScope, String)| *kept == scope && name.starts_with(prefix);
        let keys: BTreeSet<&String> = self.keys.iter().filter(of).map(|(_, name)| name).collect();
        keys.into_iter().take(limit).cloned().collect()
    }

    /// About what it takes to keep them.
    pub fn bytes(&self) -> usize {
        let kv = |(_, key, value): &(_, String, Option<Vec<u8>>)| {
            key.len() + value.as_ref().map_or(0, Vec::len)
        };
        let kv: usize = self.kv.iter().map(kv).sum();
        let keys: usize = self.keys.iter().map(|(_, key)| key.len()).sum();
        kv + keys + self.exchanges.iter().map(Exchange::bytes).sum::<usize>()
    }
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
