//! `chains/*.toml`.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The steps that a channel's events go through, in order.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ChainConfig {
    #[serde(default, rename = "step")]
    pub steps: Vec<StepConfig>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct StepConfig {
    /// Unique in the business: the step's stored state goes by it.
    pub name: String,
    /// A bundled plugin (`faq`, `tagger`, `promo`) or a file in the business
    /// folder (`plugins/loyalty.wasm`).
    pub plugin: String,
    /// A file in the business folder: TOML or JSON. None: empty rules.
    #[serde(default)]
    pub rules: Option<String>,
    #[serde(default)]
    pub on_error: OnError,
    /// What `on_error = "reply"` says.
    #[serde(default)]
    pub error_reply: Option<String>,
    #[serde(default)]
    pub isolation: Isolation,
    #[serde(default)]
    pub grants: Grants,
    #[serde(default)]
    pub limits: Limits,
}

/// What happens when a step fails. Its own effects are dropped in any case.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// Go on with the next step.
    #[default]
    Skip,
    /// End the turn with what the steps before have done.
    Stop,
    /// Say `error_reply` and end the turn.
    Reply,
    /// Hand the conversation to a person and end the turn.
    Handoff,
}

/// How much one turn's instance has to do with the next one's.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// `warm` for bundled plugins, `fresh` for dropped-in ones.
    #[default]
    Auto,
    /// A new instance for each turn: nothing of one contact can reach another.
    Fresh,
    /// Configured instances are used again, one turn at a time.
    Warm,
}

/// What the owner allows a step beyond the ordinary.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// Start sends to whole segments.
    pub broadcast: bool,
    /// Write to contacts other than the one of the turn.
    pub send_to_others: bool,
}

impl Grants {
    /// By the names that a descriptor's `wants` uses.
    pub fn allows(&self, capability: &str) -> Option<bool> {
        let all = BTreeMap::from([
            ("broadcast", self.broadcast),
            ("send-to-others", self.send_to_others),
        ]);
        all.get(capability).copied()
    }
}

/// Bounds of one call of a step.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The most memory an instance may hold, in MB.
    pub memory_mb: u32,
    /// The longest one `handle` may take, host calls included, in ms.
    pub time_ms: u64,
    /// The longest `describe` and `configure` may take, in ms.
    pub configure_ms: u64,
    /// Effects of one turn.
    pub effects: usize,
    /// Log lines and reasons of one turn; more are dropped.
    pub log_lines: usize,
    /// Bytes of one key-value value.
    pub value_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_mb: 64,
            time_ms: 100,
            configure_ms: 2_000,
            effects: 50,
            log_lines: 100,
            value_bytes: 64 * 1024,
        }
    }
}
