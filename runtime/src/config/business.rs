//! `switchboard.toml`.

use super::{Budget, Policy, Secret};
use crate::model::{Category, Portfolio};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

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
    Twilio,
}

impl ProviderKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Twilio => "twilio",
        }
    }
}

/// One business number. Which keys a provider needs, and which are not its
/// own, is checked beside the schema; those of the other provider are empty.
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
    /// Where the world reaches `http.public`, such as
    /// `https://bot.example.com`. Twilio signs this address.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Meta: the number's id.
    #[serde(default)]
    #[schemars(skip_serializing_if = "String::is_empty")]
    pub phone_number_id: String,
    /// Meta: the id of the WhatsApp business account.
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
    /// Meta: with which messages are sent.
    #[serde(default)]
    pub access_token: Secret,
    /// Meta: one or more, so that a secret can be rotated without a gap.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub app_secret: Vec<Secret>,
    /// Meta: the words that its webhook form asks for.
    #[serde(default)]
    pub verify_token: Secret,
    /// Twilio: the account, `AC…`.
    #[serde(default)]
    pub account_sid: Option<String>,
    /// Twilio: one or more, so that a token can be rotated without a gap. All
    /// are tried on signatures; the first one sends, if there is no key.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub auth_token: Vec<Secret>,
    /// Twilio: a key that sends in the token's place, `SK…`.
    #[serde(default)]
    pub api_key: Option<String>,
    /// Twilio: the secret of `api_key`.
    #[serde(default)]
    pub api_secret: Option<Secret>,
    /// Twilio: the business number, `+15550001111`.
    #[serde(default)]
    pub number: Option<String>,
    /// Twilio: the service that chooses the number, `MG…`.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// Twilio: the Content sid, `HX…`, of each template, by its name
    /// (`spring_sale`) or its name and language (`spring_sale/en`).
    #[serde(default)]
    pub templates: BTreeMap<String, ContentConfig>,
    /// Where messages are sent; without it, the provider's own address.
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

/// What stands for a template's name at Twilio.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ContentConfig {
    Sid(String),
    Whole(ContentForm),
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentForm {
    /// `HX…`.
    pub sid: String,
    /// What WhatsApp has made of it, for where Twilio's list does not say.
    #[serde(default)]
    #[schemars(
        with = "String",
        skip_serializing_if = "Option::is_none",
        extend("enum" = ["marketing", "utility", "authentication"])
    )]
    pub category: Option<Category>,
}

impl ContentConfig {
    pub fn sid(&self) -> &str {
        match self {
            Self::Sid(sid) | Self::Whole(ContentForm { sid, .. }) => sid,
        }
    }

    pub fn category(&self) -> Option<Category> {
        match self {
            Self::Sid(_) => None,
            Self::Whole(form) => form.category,
        }
    }
}

impl ChannelConfig {
    pub fn portfolio(&self) -> Portfolio {
        Portfolio::new(&self.portfolio)
    }

    /// With the defaults of all other keys.
    pub fn new(id: &str, provider: ProviderKind) -> Self {
        Self {
            id: id.into(),
            provider,
            chain: default_chain(),
            public_url: None,
            phone_number_id: String::new(),
            business_account_id: None,
            portfolio: default_portfolio(),
            access_token: Secret::default(),
            app_secret: Vec::new(),
            verify_token: Secret::default(),
            account_sid: None,
            auth_token: Vec::new(),
            api_key: None,
            api_secret: None,
            number: None,
            messaging_service_sid: None,
            templates: BTreeMap::new(),
            api_url: default_api_url(),
            messages_per_second: default_rate(),
            grace_seconds: default_grace(),
        }
    }

    /// `api_url`, or Twilio's own where a channel of Twilio's has none.
    pub fn api_base(&self) -> &str {
        match self.provider {
            ProviderKind::Twilio if self.api_url == META_URL => TWILIO_URL,
            ProviderKind::Twilio | ProviderKind::Meta => self.api_url.trim_end_matches('/'),
        }
    }

    /// What the provider calls the number in its webhooks: the id at Meta, the
    /// number with its `+` at Twilio. None: a service of Twilio's chooses it.
    pub fn number_name(&self) -> Option<&str> {
        match self.provider {
            ProviderKind::Meta => Some(&self.phone_number_id),
            ProviderKind::Twilio => self.number.as_deref(),
        }
    }
}

fn default_portfolio() -> String {
    Portfolio::DEFAULT.into()
}

const META_URL: &str = "https://graph.facebook.com/v26.0";
const TWILIO_URL: &str = "https://api.twilio.com";

fn default_chain() -> String {
    "default".into()
}
fn default_api_url() -> String {
    META_URL.into()
}
fn default_rate() -> u32 {
    80
}
fn default_grace() -> u64 {
    30
}
