//! What a plugin sees of a contact survives the form.

use super::{super::run::usual_policy, *};
use crate::model::Effect;

const NOW: Millis = 1_772_445_600_000;

fn channel() -> ChannelId {
    ChannelId::new("main")
}

#[test]
fn by_default_it_is_a_contacts_first_message() {
    let contact = ContactForm::default().contact(&channel(), NOW, Some(NOW));
    assert_eq!((contact.message_count, contact.first_seen), (1, Some(NOW)));
    assert_eq!((contact.previous_seen, contact.last_seen), (None, Some(NOW)));
    assert_eq!(contact.last_inbound[&channel()], NOW);
    assert!(contact.phone.is_some());
    // A timer fires after that message, within its window.
    let later = ContactForm::default().contact(&channel(), NOW, None);
    assert!(later.last_seen < Some(NOW) && later.last_inbound.contains_key(&channel()));
}

#[test]
fn what_is_seen_goes_there_and_back() {
    let mut contact = Contact::new(ID);
    contact.phone = Some("15550009".into());
    contact.name = Some("Ann".into());
    contact.saw_message(&channel(), NOW - 90_000_000);
    contact.saw_message(&ChannelId::new("other"), NOW - 5_000);
    for effect in [
        Effect::Tag { name: "b".into(), expires: Some(NOW + 1) },
        Effect::Tag { name: "a".into(), expires: None },
        Effect::SetAttribute { name: "zone".into(), value: Some("Europe/Berlin".into()) },
        Effect::SetAttribute { name: "size".into(), value: Some("L".into()) },
        Effect::OptOut { proof: "stop".into() },
        Effect::Handoff { reason: "angry".into() },
    ] {
        contact.apply(&effect, "x", NOW - 1_000);
    }
    contact.written = Some(crate::model::Written { language: "de".into(), at: NOW - 90_000_000 });
    for sent_at in [None, Some(NOW)] {
        let mut contact = contact.clone();
        if let Some(at) = sent_at {
            contact.saw_message(&channel(), at);
        }
        let form = ContactForm::of(&contact, &channel(), NOW, sent_at, &usual_policy());
        let json = serde_json::to_string(&form).unwrap();
        let read: ContactForm = serde_json::from_str(&json).unwrap();
        assert_eq!(read, form);
        let again = read.contact(&channel(), NOW, sent_at);
        assert_eq!(again.attributes, contact.attributes);
        assert_eq!(again.written.as_ref().unwrap().language, "de");
        assert_eq!(again.consent.name(), "opted-out");
        assert_eq!(again.message_count, contact.message_count);
        assert_eq!(again.first_seen, contact.first_seen);
        assert_eq!(again.last_inbound[&channel()], contact.last_inbound[&channel()], "{json}");
        assert!(policy::in_handoff(&again, NOW, &usual_policy()));
        let names: Vec<_> = again.tags_at(NOW).map(|tag| (&*tag.name, tag.expires)).collect();
        assert_eq!(names, [("a", None), ("b", Some(NOW + 1))]);
        match sent_at {
            Some(_) => assert_eq!(again.previous_seen, contact.previous_seen),
            None => assert_eq!(again.last_seen, contact.last_seen),
        }
    }
}

#[test]
fn tags_are_names_or_more() {
    let read = |text: &str| serde_json::from_str::<ContactForm>(text);
    let form = read(r#"{"tags": ["a", {"name": "b", "expires": "2026-03-03T00:00:00Z"}]}"#);
    assert_eq!(form.unwrap().tags.len(), 2);
    let error = read(r#"{"tags": [{"nam": "b"}]}"#).unwrap_err().to_string();
    assert!(error.contains("`nam`"), "{error}");
    let error = read(r#"{"nmae": "b"}"#).unwrap_err().to_string();
    assert!(error.contains("`nmae`") && error.contains("`name`"), "{error}");
}
