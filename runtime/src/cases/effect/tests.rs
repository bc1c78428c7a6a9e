//! Each effect goes into its JSON form and comes back.

use super::*;
use crate::model::*;
use serde_json::{Value, json};

fn messages() -> Vec<(Outgoing, Value)> {
    let button = Button { id: "a".into(), title: "A".into() };
    let row = Row { id: "a".into(), title: "A".into(), description: None };
    let section = Section { title: Some("All".into()), rows: vec![row] };
    let parameter = Parameter { name: None, text: "x".into() };
    let template = Template::new("spring", "en_US", Category::Marketing, vec![parameter]);
    let media = |source| {
        Outgoing::Media(OutgoingMedia {
            kind: MediaKind::Image,
            source,
            caption: None,
            filename: None,
        })
    };
    let reaction = |emoji: &str| Outgoing::Reaction { message_id: "w".into(), emoji: emoji.into() };
    vec![
        (Outgoing::Text("hi".into()), json!({"text": "hi"})),
        (
            Outgoing::Buttons {
                header: None,
                body: "b".into(),
                footer: Some("f".into()),
                buttons: vec![button],
            },
            json!({"buttons": {"body": "b", "footer": "f", "buttons": [{"id": "a", "title": "A"}]}}),
        ),
        (
            Outgoing::List {
                header: None,
                body: "b".into(),
                footer: None,
                label: "l".into(),
                sections: vec![section],
            },
            json!({"options": {"body": "b", "label": "l",
                "sections": [{"title": "All", "rows": [{"id": "a", "title": "A"}]}]}}),
        ),
        (
            Outgoing::Template(template),
            json!({"template": {"name": "spring", "language": "en_US", "category": "marketing",
                "parameters": [{"text": "x"}]}}),
        ),
        (
            media(MediaSource::Link("https://x".into())),
            json!({"media": {"kind": "image", "source": {"link": "https://x"}}}),
        ),
        (
            media(MediaSource::Id("7".into())),
            json!({"media": {"kind": "image", "source": {"id": "7"}}}),
        ),
        (reaction("👍"), json!({"reaction": {"message_id": "w", "emoji": "👍"}})),
        (reaction(""), json!({"reaction": {"message_id": "w"}})),
        (
            Outgoing::Read { message_id: "w".into(), typing: true },
            json!({"read": {"message_id": "w", "typing": true}}),
        ),
    ]
}

fn effects() -> Vec<(Effect, Value)> {
    const NOON: u64 = 1_772_445_600_000;
    let noon = "2026-03-02T10:00:00Z";
    let segment =
        Segment { all: vec!["vip".into()], any: Vec::new(), none: vec!["complaint".into()] };
    let broadcast = |terms| {
        let (id, to, payload) = ("spring".into(), segment.clone(), "p".into());
        Effect::Broadcast { id, to, payload, terms }
    };
    let tag = |expires| Effect::Tag { name: "vip".into(), expires };
    let attribute = |value| Effect::SetAttribute { name: "zone".into(), value };
    vec![
        (
            Effect::Send {
                to: Some(ContactId(7)),
                message: Outgoing::Text("hi".into()),
                quote: None,
            },
            json!({"send": {"to": "c7", "message": {"text": "hi"}}}),
        ),
        (Effect::MarkRead { typing: false }, json!({"mark_read": {"typing": false}})),
        (tag(None), json!({"tag": {"name": "vip", "expires": null}})),
        (tag(Some(NOON)), json!({"tag": {"name": "vip", "expires": noon}})),
        (Effect::Untag { name: "vip".into() }, json!({"untag": "vip"})),
        (attribute(Some("UTC".into())), json!({"set_attribute": {"name": "zone", "value": "UTC"}})),
        (attribute(None), json!({"set_attribute": {"name": "zone", "value": null}})),
        (
            Effect::SetTimer { name: "expiry".into(), due: NOON, payload: "30".into() },
            json!({"set_timer": {"name": "expiry", "due": noon, "payload": "30"}}),
        ),
        (Effect::CancelTimer { name: "expiry".into() }, json!({"cancel_timer": "expiry"})),
        (Effect::Handoff { reason: "angry".into() }, json!({"handoff": "angry"})),
        (Effect::Resume, json!("resume")),
        (Effect::OptIn { proof: "yes".into() }, json!({"opt_in": "yes"})),
        (Effect::OptOut { proof: "stop".into() }, json!({"opt_out": "stop"})),
        (
            broadcast(Terms::default()),
            json!({"broadcast": {"id": "spring", "to": {"all": ["vip"], "none": ["complaint"]},
                "payload": "p"}}),
        ),
        (
            broadcast(Terms {
                per_hour: Some(500),
                goal: Some(Goal::Tag("bought".into())),
                within_ms: Some(1_000),
            }),
            json!({"broadcast": {"id": "spring", "to": {"all": ["vip"], "none": ["complaint"]},
                "payload": "p", "terms": {"per_hour": 500, "goal": {"tag": "bought"},
                "within_ms": 1000}}}),
        ),
        (Effect::LeaveOut { reason: "no consent".into() }, json!({"leave_out": "no consent"})),
        (Effect::Variant { name: "hold-out".into() }, json!({"variant": "hold-out"})),
        (Effect::Note { text: "n".into() }, json!({"note": "n"})),
        (Effect::Unanswered { question: "q".into() }, json!({"unanswered": "q"})),
    ]
}

#[test]
fn every_effect_has_its_form() {
    let replies = messages().into_iter().map(|(message, form)| {
        (Effect::Send { to: None, message, quote: None }, json!({ "reply": form }))
    });
    let quoting = Effect::Send {
        to: None,
        message: Outgoing::Text("hi".into()),
        quote: Some("wamid.1".into()),
    };
    let reply_to = json!({"reply_to": {"quoted": "wamid.1", "message": {"text": "hi"}}});
    let all = effects().into_iter().chain(replies).chain([(quoting, reply_to)]);
    for (effect, json) in all {
        let form = EffectForm::from(&effect);
        assert_eq!(serde_json::to_value(&form).unwrap(), json);
        let read: EffectForm = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(read, form, "{json}");
    }
}

#[test]
fn what_may_be_left_out_may_be_left_out() {
    for (short, long) in [
        (json!({"tag": {"name": "vip"}}), json!({"tag": {"name": "vip", "expires": null}})),
        (json!({"mark_read": {}}), json!({"mark_read": {"typing": false}})),
        (
            json!({"broadcast": {"id": "b"}}),
            json!({"broadcast": {"id": "b", "to": {}, "payload": ""}}),
        ),
    ] {
        let form: EffectForm = serde_json::from_value(short).unwrap();
        assert_eq!(serde_json::to_value(form).unwrap(), long);
    }
}

#[test]
fn what_is_unknown_is_named() {
    for (wrong, named) in [
        (json!({"replay": {"text": "hi"}}), "`replay`"),
        (json!({"reply": {"txt": "hi"}}), "`txt`"),
        (json!({"tag": {"name": "vip", "expire": null}}), "`expire`"),
    ] {
        let error = serde_json::from_value::<EffectForm>(wrong).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("expected"), "{error}");
    }
}
