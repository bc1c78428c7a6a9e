//! `switchboard.toml`.

use super::{Budget, Policy, Secret};
use crate::model::Portfolio;
use schemars::JsonSchema;
use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Business {
    #[serde(default)]
    pub http: Http,
    #[serde(default)]
    pub store: StoreConfig,
    #[serde(default)]
    pub turns: Turns,
    #[serde(default)]
    pub retention: Retention,
    #[serde(default)]
    pub policy: Policy,
    #[serde(default)]
    pub budget: Budget,
    #[serde(default)]
    pub media: MediaConfig,
    #[serde(default)]
    pub plugins: Trust,
    #[serde(default)]
    pub consent: ConsentWords,
    /// The business's IANA time zone.
    #[serde(default = "utc")]
    pub zone: String,
    #[serde(default, rename = "channel")]
    pub channels: Vec<ChannelConfig>,
}

fn utc() -> String {
    "UTC".into()
}

/// Listeners. A change needs a restart.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address of the webhooks, the only one the world may reach.
    pub public: String,
    /// Address of health, metrics and the API. Not for the world.
    pub admin: String,
    /// Asked of every admin request but `/healthz` and `/readyz`, as
    /// `Authorization: Bearer …`. Needed where `admin` is not loopback.
    pub admin_token: Option<Secret>,
    /// The largest webhook body in bytes, 64 KiB to 64 MiB. Meta sends up to
    /// 3 MB.
    #[schemars(range(min = 65_536, max = 67_108_864))]
    pub body_bytes: usize,
    /// Connections open at once on each of the two addresses; more wait until
    /// one ends. Meta sends many webhooks at once.
    #[schemars(range(min = 16, max = 65_536))]
    pub connections: usize,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            public: "127.0.0.1:8080".into(),
            admin: "127.0.0.1:8081".into(),
            admin_token: None,
            body_bytes: 3 * 1024 * 1024,
            connections: 1_024,
        }
    }
}

/// Where state is kept. A change needs a restart.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    pub backend: StoreBackend,
    /// The folder of the data, relative to the business folder.
    pub path: String,
    /// Free disk space below which nothing more is accepted, in MB: the
    /// engine cannot recover from a disk that fills up under it.
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub reserve_mb: u64,
    /// The engine's cache in MB.
    #[schemars(range(min = 1, max = 16_384))]
    pub cache_mb: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum StoreBackend {
    /// On disk, in this process.
    Sled,
    /// Nowhere: gone when the process ends. For trying things out.
    Memory,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { backend: StoreBackend::Sled, path: "data".into(), reserve_mb: 128, cache_mb: 64 }
    }
}

/// How turns are run. Reloads.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Turns {
    /// Contacts served at once. The plugin engine has room for 2,000 memories,
    /// of which an instance has one, or three if QuickJS is in it; some are
    /// those of idle instances of other steps.
    #[schemars(range(min = 1, max = 250))]
    pub parallel: usize,
    /// How often an event is tried before it is put aside.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u32,
    /// After how many hours without a message the bot takes a conversation
    /// back from the person it was handed to.
    #[schemars(range(min = 1, max = 720))]
    pub handoff_hours: u64,
    /// Minutes before Meta's 24-hour window ends in which only templates are
    /// sent, because clocks and networks differ.
    #[schemars(range(min = 0, max = 120))]
    pub window_margin_minutes: u64,
    /// Whether the trace of a turn keeps what it ran on, so that the turn can
    /// be made a test case.
    pub record: bool,
    /// Whether the messages that one turn sends to its contact are joined
    /// where the provider takes them as one: each costs money.
    pub merge_replies: bool,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            parallel: 64,
            attempts: 3,
            handoff_hours: 12,
            window_margin_minutes: 5,
            record: true,
            merge_replies: true,
        }
    }
}

/// How long history is kept. Reloads.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days for which traces and sent messages are kept.
    #[schemars(range(min = 1, max = 3_650))]
    pub days: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 90 }
    }
}

/// The files that customers send. Reloads.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct MediaConfig {
    /// The largest file that is fetched, in MB. WhatsApp passes on none above
    /// 100 MB.
    #[schemars(range(min = 1, max = 100))]
    pub max_mb: u64,
    /// Days for which a file is kept.
    #[schemars(range(min = 1, max = 3_650))]
    pub days: u64,
    /// Files fetched at once.
    #[schemars(range(min = 1, max = 64))]
    pub parallel: usize,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self { max_mb: 100, days: 30, parallel: 8 }
    }
}

/// Whose plugins are taken. Reloads.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Trust {
    /// Public keys (PEM, ECDSA P-256, as cosign makes them): files in the
    /// business folder. With any, `plugin add` takes only what one of them has
    /// signed.
    #[schemars(length(max = 32))]
    pub keys: Vec<String>,
    /// Whether a plugin's file that `plugins.lock` does not name is refused.
    pub require_lock: bool,
}

/// Whole messages by which a contact stops marketing or agrees to it, beside
/// the host's own list. Reloads.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentWords {
    /// More words that stop marketing.
    #[schemars(length(max = 200))]
    pub stop: Vec<String>,
    /// More words that agree to marketing again.
    #[schemars(length(max = 200))]
    pub start: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    Meta,
}

/// One business number.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// Letters, digits, `-` and `_`; part of the webhook's address.
    #[schemars(
        regex(pattern = "^[A-Za-z0-9_-]{1,64}$"),
        extend("x-allowed" = "1 to 64 letters, digits, `-` and `_`")
    )]
    pub id: String,
    pub provider: ProviderKind,
    /// The chain in `chains/`, without `.toml`.
    #[serde(default = "default_chain")]
    #[schemars(
        regex(pattern = "^[A-Za-z0-9_-]{1,64}$"),
        extend("x-allowed" = "1 to 64 letters, digits, `-` and `_`")
    )]
    pub chain: String,
    pub phone_number_id: String,
    #[serde(default)]
    pub business_account_id: Option<String>,
    /// The Meta business portfolio that the number is of, by a name of one's
    /// own: channels with the same name share their contacts. Letters, digits,
    /// `-` and `_`. A channel's contacts stay in the portfolio in which they
    /// were met.
    #[serde(default = "default_portfolio")]
    #[schemars(
        regex(pattern = "^[A-Za-z0-9_-]{1,64}$"),
        extend("x-allowed" = "1 to 64 letters, digits, `-` and `_`")
    )]
    pub portfolio: String,
    pub access_token: Secret,
    /// One or more, so that a secret can be rotated without a gap.
    #[schemars(length(min = 1))]
    pub app_secret: Vec<Secret>,
    pub verify_token: Secret,
    #[serde(default = "default_api_url")]
    pub api_url: String,
    /// The number's throughput: 80 by default, 1,000 after Meta's upgrade.
    #[serde(default = "default_rate")]
    #[schemars(range(min = 1, max = 1_000))]
    pub messages_per_second: u32,
    /// How long a message of unknown fate waits for a receipt before it is
    /// sent again, in seconds.
    #[serde(default = "default_grace")]
    #[schemars(range(min = 1, max = 3_600))]
    pub grace_seconds: u64,
}

impl ChannelConfig {
    pub fn portfolio(&self) -> Portfolio {
        Portfolio::new(&self.portfolio)
    }
}

fn default_portfolio() -> String {
    Portfolio::DEFAULT.into()
}
fn default_chain() -> String {
    "default".into()
}
fn default_api_url() -> String {
    "https://graph.facebook.com/v26.0".into()
}
fn default_rate() -> u32 {
    80
}
fn default_grace() -> u64 {
    30
}
