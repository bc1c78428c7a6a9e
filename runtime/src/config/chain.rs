//! `chains/*.toml`.

use super::Grants;
use schemars::JsonSchema;
use serde::Deserialize;

/// The plugins that need no file.
pub const BUNDLED: [&str; 4] = ["faq", "hours", "promo", "tagger"];

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
    #[schemars(
        regex(pattern = "^[a-z0-9-]{1,64}$"),
        extend("x-allowed" = "1 to 64 small letters, digits and `-`")
    )]
    pub name: String,
    /// A bundled plugin (`faq`, `hours`, `tagger`, `promo`) or a file in the business
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
    #[serde(default)]
    pub rollout: Rollout,
}

impl StepConfig {
    /// The plugin's file in the business folder; none if it is a bundled one.
    pub fn plugin_file(&self) -> Option<&str> {
        let is_file = self.plugin.contains(['/', '\\', '.']);
        is_file.then_some(self.plugin.as_str())
    }
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
    /// `warm` for bundled plugins, `fresh` for dropped-in ones of up to 1 MB
    /// that can be snapshotted, `warm` for the rest.
    #[default]
    Auto,
    /// A new instance for each turn: nothing of one contact can reach another.
    /// From a snapshot that has the rules already, where one can be made.
    Fresh,
    /// Configured instances are used again, one turn at a time.
    Warm,
}

/// The most that `memory_mb` may be. The plugin engine keeps this much address
/// space ready for each memory; an interpreter of Python needs a tenth.
pub const MEMORY_MB_MAX: u32 = 512;

/// Bounds of one call of a step.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The most memory an instance may hold, in MB.
    #[schemars(range(min = 1, max = MEMORY_MB_MAX))]
    pub memory_mb: u32,
    /// The longest one `handle` may take, host calls included, in ms. What it
    /// waits for the store counts.
    #[schemars(range(min = 1, max = 10_000))]
    pub time_ms: u64,
    /// The longest `describe` and `configure` may take, in ms.
    #[schemars(range(min = 1, max = 60_000))]
    pub configure_ms: u64,
    /// Effects of one turn.
    #[schemars(range(min = 1, max = 1_000))]
    pub effects: usize,
    /// Log lines and reasons of one turn; more are dropped.
    #[schemars(range(min = 0, max = 10_000))]
    pub log_lines: usize,
    /// Bytes of one key-value value.
    #[schemars(range(min = 1, max = 65_536))]
    pub value_bytes: usize,
    /// What all key-values of the step may hold together, keys and values, in
    /// MB. Turns at the same moment may pass it by 512 KiB each.
    #[schemars(range(min = 1, max = 65_536))]
    pub kv_mb: u64,
    /// HTTP requests of one turn.
    #[schemars(range(min = 0, max = 100))]
    pub http_calls: usize,
    /// The longest that all HTTP requests of one turn may take together, in
    /// ms; counted apart from `time_ms`.
    #[schemars(range(min = 1, max = 60_000))]
    pub http_ms: u64,
    /// The largest body of one HTTP answer, in KB.
    #[schemars(range(min = 1, max = 16_384))]
    pub http_kb: usize,
}

/// What happens when a step's plugin is replaced by another version while the
/// runtime runs.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Rollout {
    /// Turns that the new version runs beside the old one first, its effects
    /// dropped, only to see where they differ. 0: it goes live at once.
    #[schemars(range(min = 0, max = 100_000))]
    pub shadow: u32,
    /// Turns after going live in which the old version is kept ready.
    #[schemars(range(min = 0, max = 100_000))]
    pub watch: u32,
    /// Failed turns among those with which the old version comes back.
    #[schemars(range(min = 1, max = 100_000))]
    pub failures: u32,
}

impl Default for Rollout {
    fn default() -> Self {
        Self { shadow: 0, watch: 200, failures: 5 }
    }
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
            kv_mb: 64,
            http_calls: 5,
            http_ms: 2_000,
            http_kb: 256,
        }
    }
}
