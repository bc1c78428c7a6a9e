//! Each kind of event goes into its JSON form and comes back.

use super::*;
use crate::model::{ContactId, EventId, Lane, SendId};

const NOW: Millis = 1_772_445_600_000;

fn message(content: Content) -> Message {
    Message {
        id: "wamid.7".into(),
        sent_at: NOW,
        content,
        replies_to: None,
        referral: None,
        forwarded: false,
        product: None,
    }
}

fn contents() -> Vec<(Content, Value)> {
    let media = Media {
        kind: MediaKind::Voice,
        id: "m".into(),
        mime_type: "audio/ogg".into(),
        caption: None,
        filename: None,
        url: None,
        sha256: None,
    };
    let place = Location { latitude: 1.5, longitude: -2.0, name: Some("n".into()), address: None };
    let other = Content::Other { kind: "order".into(), json: r#"{"items":[1]}"#.into() };
    let reaction = Reaction { message_id: "w".into(), emoji: None };
    vec![
        (Content::Text("points".into()), json!({"text": "points"})),
        (
            Content::Choice(Choice { id: "a".into(), title: "A".into() }),
            json!({"choice": {"id": "a", "title": "A"}}),
        ),
        (
            Content::Media(media),
            json!({"media": {"kind": "voice", "id": "m", "mime_type": "audio/ogg"}}),
        ),
        (
            Content::Location(place),
            json!({"location": {"latitude": 1.5, "longitude": -2.0, "name": "n"}}),
        ),
        (Content::Reaction(reaction), json!({"reaction": {"message_id": "w"}})),
        (other, json!({"order": {"items": [1]}})),
    ]
}

fn kinds() -> Vec<(EventKind, Value)> {
    let lane = Lane::Contact(ContactId(1));
    let send = SendId { turn: EventId { lane, seq: 1 }, index: 0 };
    let receipt = Receipt {
        message_id: "wamid.2".into(),
        send: Some(send),
        state: ReceiptState::Failed,
        at: NOW,
        error: Some((131_026, "undeliverable".into())),
        pricing: None,
        free_until: None,
    };
    let (step, name) = ("step".to_owned(), "expiry".to_owned());
    vec![
        (
            EventKind::TimerFired {
                step: step.clone(),
                name,
                payload: "30".into(),
                due: NOW - 1_000,
            },
            json!({"timer": {"name": "expiry", "payload": "30", "due": "2026-03-02T09:59:59Z"}}),
        ),
        (
            EventKind::Broadcast { step, id: "b".into(), payload: "p".into() },
            json!({"broadcast": {"id": "b", "payload": "p"}}),
        ),
        (
            EventKind::Receipt(receipt),
            json!({"receipt": {"state": "failed", "send": "c1-1-0", "message_id": "wamid.2",
                "error": [131_026, "undeliverable"]}}),
        ),
        (
            EventKind::Operator(Operator::Resume { by: "Ann".into() }),
            json!({"operator": {"resume": "Ann"}}),
        ),
        (
            EventKind::Account { field: "f".into(), news: Default::default() },
            json!({"account": {"field": "f"}}),
        ),
    ]
}

#[test]
fn every_kind_of_event_has_its_form() {
    let messages = contents().into_iter().map(|(content, mut json)| {
        json["id"] = "wamid.7".into();
        (EventKind::Message(message(content)), json!({ "message": json }))
    });
    for (kind, json) in kinds().into_iter().chain(messages) {
        let form = EventForm::of_kind(&kind, NOW);
        assert_eq!(serde_json::to_value(&form).unwrap(), json);
        let read: EventForm = serde_json::from_value(json).unwrap();
        assert_eq!(read.kind("step", NOW).unwrap(), kind);
    }
}

#[test]
fn what_stands_beside_a_content_is_kept() {
    let said = Message {
        replies_to: Some("wamid.6".into()),
        referral: Some(r#"{"source":"ad"}"#.into()),
        forwarded: true,
        sent_at: NOW - 2_000,
        ..message(Content::Text("hi".into()))
    };
    let form = EventForm::of_kind(&EventKind::Message(said.clone()), NOW);
    let read: EventForm = serde_json::from_value(serde_json::to_value(form).unwrap()).unwrap();
    assert_eq!(read.kind("step", NOW).unwrap(), EventKind::Message(said));
}

#[test]
fn mistakes_are_named() {
    for (wrong, named) in [
        (json!({"message": {"text": "a", "txet": "b"}}), "`text`, `txet`"),
        (json!({"message": {"id": "w"}}), "no content"),
        (json!({"message": {"text": 7}}), "message.text"),
        (json!({"message": {"media": {"kind": "imagge"}}}), "imagge"),
        (json!({"timr": {}}), "`timr`"),
        (json!({"message": {"text": "a"}, "now": "noon"}), "`noon`"),
        (json!({"receipt": {"state": "lost"}}), "`lost`"),
    ] {
        let error = serde_json::from_value::<EventForm>(wrong).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
    let of = |json| serde_json::from_value::<EventForm>(json).unwrap().kind("step", NOW);
    assert!(of(json!({})).unwrap_err().contains("`broadcast`"));
    let two = json!({"operator": {"resume": "a"}, "account": {"field": "b"}});
    assert!(of(two).unwrap_err().contains("two things"));
    assert!(of(json!({"receipt": {"state": "read", "send": "x"}})).unwrap_err().contains("`x`"));
}
