//! What a draft takes, and what it turns away.

use super::*;
use crate::provider::meta::Meta;
use serde_json::json;

/// A step's draft on a message that has just come.
fn draft(effects: usize) -> Draft {
    let config = serde_json::from_value(json!({
        "id": "main", "provider": "meta", "phone_number_id": "1060",
        "access_token": "t", "app_secret": ["s"], "verify_token": "v",
    }));
    let channel = ChannelId::new("main");
    let mut contact = Contact::new(ContactId(1));
    contact.phone = Some("15550001".into());
    contact.saw_message(&channel, 1_000_000);
    let event = Event {
        id: EventId { lane: Lane::Contact(ContactId(1)), seq: 1 },
        channel,
        sender: None,
        kind: EventKind::Account { field: "test".into() },
        raw: String::new(),
        accepted_at: 1_000_000,
        attempts: 0,
    };
    Draft {
        setting: Setting {
            event: Arc::new(event),
            now: 1_000_000,
            zone: "UTC".into(),
            provider: Arc::new(Meta::new(&config.unwrap())),
            store: crate::store::memory(),
            policy: policy::Rules { window_margin_ms: 0, handoff_ms: 0 },
        },
        step: "faq".into(),
        grants: Grants::default(),
        limits: DraftLimits { effects, log_lines: 10, value_bytes: 100_000, kv_bytes: 1_000 },
        contact: Some(contact),
        sends: 0,
        effects: Vec::new(),
        kv: BTreeMap::new(),
        because: Vec::new(),
        logs: Vec::new(),
        network: Default::default(),
        inputs: Default::default(),
        spent: Default::default(),
    }
}

#[test]
fn a_long_text_is_asked_for_whole_or_not_at_all() {
    let long = || Outgoing::Text("word ".repeat(2_000));
    let mut draft = draft(3);
    draft.reply(long()).unwrap();
    assert_eq!((draft.effects.len(), draft.sends), (3, 3));
    draft.effects.truncate(1);
    assert!(draft.reply(long()).is_err());
    assert_eq!((draft.effects.len(), draft.sends), (1, 3), "half an answer was kept");
}

#[test]
fn one_message_is_bounded_in_bytes() {
    let template = |text: String| {
        Outgoing::Template(Template {
            name: "sale".into(),
            language: "en".into(),
            category: Category::Utility,
            parameters: vec![Parameter { name: None, text }],
        })
    };
    let mut draft = draft(3);
    draft.reply(template("x".repeat(1_000))).unwrap();
    let error = draft.reply(template("x".repeat(40_000))).unwrap_err();
    assert!(error.contains("32768"), "{error}");
    draft.reply(Outgoing::Text("\u{1F600}".repeat(4_096))).unwrap();
}
