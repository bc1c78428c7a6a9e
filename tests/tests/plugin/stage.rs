//! Drafts without a runtime around them.
#![allow(dead_code)] // each test uses its part

use std::{path::PathBuf, sync::Arc};
use switchboard::{
    clock::SimulatedClock,
    config::{Limits, StepConfig},
    model::*,
    plugin::{Descriptor, LoadError, Plugin, Plugins, Source},
    policy,
    provider::{Provider, meta::Meta},
    store,
    turn::{Draft, DraftLimits, Setting},
};

pub use switchboard::turn::Step;

/// 2 March 2026, a Monday, 10:00 UTC.
pub const NOW: Millis = 1_772_445_600_000;

pub const HOSTILE: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_HOSTILE"));
pub const LOYALTY: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_LOYALTY"));
pub const SPEECHLESS: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_SPEECHLESS"));

pub fn clock() -> Arc<SimulatedClock> {
    Arc::new(SimulatedClock::new(NOW, 1))
}

pub fn plugins() -> Arc<Plugins> {
    plugins_with(None, clock())
}

pub fn plugins_with(cache: Option<PathBuf>, clock: Arc<SimulatedClock>) -> Arc<Plugins> {
    Plugins::new(cache, clock).unwrap()
}

pub fn bundled(name: &str) -> Source {
    Source::Bundled(name.into())
}

pub async fn load_file(
    plugins: &Plugins,
    bytes: &[u8],
) -> std::result::Result<Arc<Plugin>, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.wasm"), bytes).unwrap();
    plugins.load(&Source::File(folder.path().join("a.wasm"))).await
}

/// The bytes with one text written over another of the same length.
pub fn patched(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let mut found = 0;
    for at in 0..bytes.len() - from.len() {
        if &bytes[at..at + from.len()] == from.as_bytes() {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "no `{from}`");
    bytes
}

pub fn default_rules(plugin: &str) -> serde_json::Value {
    let path = format!("{}/../plugins/{plugin}/rules.toml", env!("CARGO_MANIFEST_DIR"));
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn schema_problems(descriptor: &Descriptor, rules: &serde_json::Value) -> Vec<String> {
    let schema = descriptor.rules_schema.as_ref().unwrap();
    let validator = jsonschema::validator_for(schema).unwrap();
    validator.iter_errors(rules).map(|error| error.to_string()).collect()
}

pub fn step(name: &str) -> StepConfig {
    toml::from_str(&format!("name = '{name}'\nplugin = '{name}'")).unwrap()
}

pub fn text_message(text: &str) -> Message {
    Message {
        id: "wamid.1".into(),
        sent_at: NOW,
        content: Content::Text(text.into()),
        replies_to: None,
        referral: None,
        forwarded: false,
        product: None,
    }
}

/// A contact whose second message this is.
pub fn says(text: &str) -> Draft {
    draft_of(EventKind::Message(text_message(text)), &step("tagger"))
}

pub fn draft_of(kind: EventKind, config: &StepConfig) -> Draft {
    let channel = ChannelId::new("main");
    let mut contact = Contact::new(ContactId(1));
    contact.phone = Some("15550001".into());
    contact.saw_message(&channel, NOW - 1_000);
    contact.saw_message(&channel, NOW);
    draft(kind, config, Lane::Contact(contact.id), Some(contact))
}

pub fn in_channel_lane(kind: EventKind, config: &StepConfig) -> Draft {
    draft(kind, config, Lane::Channel(ChannelId::new("main")), None)
}

fn draft(kind: EventKind, config: &StepConfig, lane: Lane, contact: Option<Contact>) -> Draft {
    let event = Event {
        id: EventId { lane, seq: 4 },
        channel: ChannelId::new("main"),
        sender: None,
        kind,
        raw: r#"{"a":1}"#.into(),
        accepted_at: NOW,
        attempts: 0,
        member: None,
        tries: 0,
    };
    let Limits { effects, log_lines, value_bytes, kv_mb, .. } = config.limits;
    let kv_bytes = kv_mb * 1024 * 1024;
    let setting = Setting {
        event: event.into(),
        now: NOW,
        zone: "UTC".into(),
        calendar: None,
        provider: provider(),
        store: store::memory(),
        policy: policy::Rules { window_margin_ms: 0, handoff_ms: 3_600_000, ..Default::default() },
        templates: Default::default(),
    };
    let limits = DraftLimits { effects, log_lines, value_bytes, kv_bytes };
    let mut draft = Draft::new(setting, config.name.as_str(), config.grants.clone(), limits);
    draft.contact = contact;
    draft
}

/// The real one: what it can't carry is refused here too.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(Meta::new(&switchboard_tests::shop::channel("https://graph.example")))
}

pub fn replies(draft: &Draft) -> Vec<&str> {
    fn body(effect: &Effect) -> Option<&str> {
        match effect {
            Effect::Send { to: None, message: Outgoing::Text(text), .. } => Some(text),
            Effect::Send { to: None, message: Outgoing::Buttons { body, .. }, .. } => Some(body),
            _ => None,
        }
    }
    draft.effects.iter().filter_map(body).collect()
}
