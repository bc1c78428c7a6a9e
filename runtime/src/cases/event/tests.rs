//! Each kind of event goes into its JSON form and comes back.

use super::*;
use crate::model::{
    AccountNews, CardPhone, Choice, ContactCard, ContactId, Edit, EventId, FlowAnswer, Lane,
    Location, Media, MediaKind, News, Notice, NumberNews, Order, OrderItem, Reaction, SendId,
    Sender, TemplateNews,
};

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
        url: Some("https://media.example/m".into()),
        sha256: None,
    };
    let place = Location { latitude: 1.5, longitude: -2.0, name: Some("n".into()), address: None };
    let other = Content::Other { kind: "poll".into(), json: r#"{"items":[1,null]}"#.into() };
    let reaction = Reaction { message_id: "w".into(), emoji: None };
    vec![
        (Content::Text("points".into()), json!({"text": "points"})),
        (
            Content::Choice(Choice { id: "a".into(), title: "A".into() }),
            json!({"choice": {"id": "a", "title": "A"}}),
        ),
        (
            Content::Media(media),
            json!({"media": {"kind": "voice", "id": "m", "mime_type": "audio/ogg",
                "url": "https://media.example/m"}}),
        ),
        (
            Content::Location(place),
            json!({"location": {"latitude": 1.5, "longitude": -2.0, "name": "n"}}),
        ),
        (Content::Reaction(reaction), json!({"reaction": {"message_id": "w"}})),
        (other, json!({"poll": {"items": [1, null]}})),
    ]
}

/// What the contract with plugins has no case for.
fn further_contents() -> Vec<(Content, Value)> {
    let card = ContactCard {
        name: Some("Bo".into()),
        phones: vec![CardPhone { phone: "+1 555".into(), wa_id: None }],
        own: true,
        ..ContactCard::default()
    };
    let item = OrderItem { product: "p".into(), quantity: 2, price: 3.5, currency: "EUR".into() };
    let order = Order { catalog: "c".into(), text: None, items: vec![item] };
    let flow = FlowAnswer { name: None, body: Some("Sent".into()), response: "[1,null]".into() };
    let now = Sender { bsuid: Some("US.2".into()), ..Sender::default() };
    let notice = Notice { kind: "user_changed_user_id".into(), text: "t".into(), now };
    let edit = |content: Content| Edit { message_id: "w".into(), content: Box::new(content) };
    let unsupported = Content::Unsupported { kind: Some("gif".into()), reason: "r".into() };
    vec![
        (
            Content::Contacts(vec![card]),
            json!({"contacts": [{"name": "Bo", "phones": [{"phone": "+1 555"}], "emails": [],
                "own": true}]}),
        ),
        (
            Content::Order(order),
            json!({"order": {"catalog": "c", "items": [
                {"product": "p", "quantity": 2, "price": 3.5, "currency": "EUR"}]}}),
        ),
        (
            Content::Flow(flow),
            json!({"flow": {"name": null, "body": "Sent", "response": [1, null]}}),
        ),
        (
            Content::Notice(notice),
            json!({"notice": {"kind": "user_changed_user_id", "text": "t",
                "now": {"bsuid": "US.2"}}}),
        ),
        (
            Content::Edit(edit(Content::Text("new".into()))),
            json!({"edit": {"message_id": "w", "text": "new"}}),
        ),
        (
            Content::Edit(edit(Content::Other { kind: "poll".into(), json: "{}".into() })),
            json!({"edit": {"message_id": "w", "poll": {}}}),
        ),
        (Content::Revoked { message_id: "w".into() }, json!({"revoked": {"message_id": "w"}})),
        (Content::Welcome, json!({"welcome": {}})),
        (unsupported, json!({"unsupported": {"kind": "gif", "reason": "r"}})),
    ]
}

fn news() -> Vec<(News, Value)> {
    let template = TemplateNews {
        name: "sale".into(),
        language: "de".into(),
        status: Some("PAUSED".into()),
        ..TemplateNews::default()
    };
    let number = NumberNews { daily_contacts: Some(250), ..NumberNews::default() };
    let said = message(Content::Text("on my way".into()));
    vec![
        (News::Other, json!({})),
        (News::Remark("r".into()), json!({"remark": "r"})),
        (
            News::Template(template),
            json!({"template": {"name": "sale", "language": "de", "status": "PAUSED",
                "changed": false}}),
        ),
        (News::Number(number), json!({"number": {"daily_contacts": 250}})),
        (News::Marketing { wanted: false }, json!({"marketing": {"wanted": false}})),
        (
            News::Call { id: "w".into(), at: NOW, missed: true },
            json!({"call": {"id": "w", "at": "2026-03-02T10:00:00Z", "missed": true}}),
        ),
        (News::Echo(Box::new(said)), json!({"echo": {"id": "wamid.7", "text": "on my way"}})),
        (
            News::Account(AccountNews {
                stopped: true,
                reason: "r".into(),
                templates_only: true,
                until: Some(7),
                account: Some("1020".into()),
            }),
            json!({"account": {"stopped": true, "reason": "r", "templates_only": true,
                "until": 7, "account": "1020"}}),
        ),
        (News::Username(None), json!({"username": null})),
        (News::Username(Some("shop".into())), json!({"username": "shop"})),
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
        pricing: Some(Pricing { category: "utility".into(), kind: None, billable: true }),
        free_until: Some(NOW),
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
                "error": [131_026, "undeliverable"], "free_until": "2026-03-02T10:00:00Z",
                "pricing": {"category": "utility", "kind": null, "billable": true}}}),
        ),
        (
            EventKind::Operator(Operator::Resume { by: "Ann".into() }),
            json!({"operator": {"resume": "Ann"}}),
        ),
        (
            EventKind::Operator(Operator::Tag {
                name: "vip".into(),
                expires: Some(NOW),
                why: Some("met her".into()),
                by: "Ann".into(),
            }),
            json!({"operator": {"tag": {"name": "vip", "expires": "2026-03-02T10:00:00Z",
                "why": "met her", "by": "Ann"}}}),
        ),
        (
            EventKind::Operator(Operator::Untag {
                name: "vip".into(),
                why: None,
                by: "Ann".into(),
            }),
            json!({"operator": {"untag": {"name": "vip", "by": "Ann"}}}),
        ),
    ]
}

#[test]
fn every_kind_of_event_has_its_form() {
    let contents = contents().into_iter().chain(further_contents());
    let messages = contents.map(|(content, mut json)| {
        json["id"] = "wamid.7".into();
        (EventKind::Message(message(content)), json!({ "message": json }))
    });
    let accounts = news().into_iter().map(|(news, mut json)| {
        json["field"] = "f".into();
        (EventKind::Account { field: "f".into(), news }, json!({ "account": json }))
    });
    for (kind, json) in kinds().into_iter().chain(messages).chain(accounts) {
        let form = EventForm::of_kind(&kind, NOW);
        assert_eq!(serde_json::to_value(&form).unwrap(), json);
        let read: EventForm = serde_json::from_value(json).unwrap();
        assert_eq!(read.kind("step", NOW).unwrap(), kind);
    }
}

/// What a plugin gets as JSON is what a case may hold.
#[test]
fn the_json_of_plugins_reads_as_a_case() {
    for (content, _) in further_contents() {
        let json = content.json().unwrap();
        assert_eq!(content::read(content.kind(), json_of(&json)).unwrap(), content, "{json}");
    }
}

/// The examples of `docs/events.md` are what plugins get.
#[test]
fn the_page_of_events_is_right() {
    let page = include_str!("../../../../docs/events.md");
    let lines = page.lines().filter(|line| line.starts_with('{'));
    let examples: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut told = Vec::new();
    for example in examples.iter().filter(|example| example.get("kind").is_some()) {
        let kind = example["kind"].as_str().unwrap();
        let content = content::read(kind, example["json"].clone()).unwrap();
        assert!(!matches!(content, Content::Other { .. }), "{kind}");
        assert_eq!(json_of(&content.json().unwrap()), example["json"]);
        told.push(kind);
    }
    for (content, _) in further_contents() {
        assert!(told.contains(&content.kind()), "{}", content.kind());
    }
    for (news, _) in news() {
        let Some((key, json)) = news.json() else { continue };
        let example = examples.iter().find_map(|example| example.get(key)).unwrap();
        let keys = |json: &Value| -> Vec<String> {
            json.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
        };
        assert_eq!(keys(example), keys(&json), "{key}");
    }
}

#[test]
fn what_stands_beside_a_content_is_kept() {
    let said = Message {
        replies_to: Some("wamid.6".into()),
        referral: Some(r#"{"source":"ad"}"#.into()),
        forwarded: true,
        product: Some(ProductRef { catalog: "c".into(), id: "p".into() }),
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
        (json!({"message": {"order": {"any": 1}}}), "message.order"),
        (json!({"message": {"contacts": [{"nmae": "Bo"}]}}), "`nmae`"),
        (json!({"message": {"edit": {"message_id": "w"}}}), "message.edit"),
        (json!({"message": {"edit": {"text": "w"}}}), "`message_id`"),
        (json!({"message": {"notice": {"kind": "k", "text": "", "now": {"fone": "1"}}}}), "`fone`"),
        (json!({"account": {"template": {}}}), "`field`"),
        (json!({"account": {"field": "f", "tempalte": {}}}), "`tempalte`"),
        (json!({"account": {"field": "f", "template": {"nmae": "a"}}}), "`nmae`"),
        (json!({"account": {"field": "f", "remark": "r", "username": "u"}}), "account"),
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
