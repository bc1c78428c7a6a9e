//! What is joined, what is not, and that no word is lost.

use super::*;
use crate::provider::meta::Meta;
use proptest::prelude::*;
use serde_json::json;

fn provider() -> Meta {
    let config = serde_json::from_value(json!({
        "id": "main", "provider": "meta", "phone_number_id": "1060",
        "access_token": "t", "app_secret": ["s"], "verify_token": "v",
    }));
    Meta::new(&config.unwrap())
}

fn items(messages: Vec<Outgoing>) -> Vec<OutboxItem> {
    let turn = EventId { lane: Lane::Contact(ContactId(1)), seq: 4 };
    let item = |(index, message)| {
        OutboxItem::new(
            SendId { turn: turn.clone(), index },
            (ChannelId::new("main"), ContactId(1), Address::default()),
            message,
            "faq",
            0,
        )
    };
    (0..).zip(messages).map(item).collect()
}

fn merged(items: Vec<OutboxItem>) -> Vec<OutboxItem> {
    let count = items.len();
    let mut remarks = Vec::new();
    let merged = merge(items, ContactId(1), &provider(), &mut remarks);
    assert_eq!(count - merged.len(), remarks.len());
    assert_eq!(merged.iter().map(|item| 1 + item.also.len()).sum::<usize>(), count);
    merged
}

fn messages(messages: Vec<Outgoing>) -> Vec<Outgoing> {
    merged(items(messages)).into_iter().map(|item| item.message).collect()
}

fn text(text: impl Into<String>) -> Outgoing {
    Outgoing::Text(text.into())
}

fn buttons(body: impl Into<String>) -> Outgoing {
    let buttons = vec![Button { id: "y".into(), title: "Yes".into() }];
    Outgoing::Buttons { header: None, body: body.into(), footer: None, buttons }
}

fn media(kind: MediaKind, caption: Option<&str>) -> Outgoing {
    let (source, caption) = (MediaSource::Id("7".into()), caption.map(str::to_owned));
    Outgoing::Media(OutgoingMedia { kind, source, caption, filename: None })
}

fn read() -> Outgoing {
    Outgoing::Read { message_id: "w".into(), typing: false }
}

#[test]
fn neighbours_become_one() {
    let image = |caption| media(MediaKind::Image, caption);
    for (before, after) in [
        (vec![text("a"), text("b"), text("c")], vec![text("a\n\nb\n\nc")]),
        (vec![text("a"), buttons("b")], vec![buttons("a\n\nb")]),
        (vec![text("a"), buttons("b"), text("c")], vec![buttons("a\n\nb"), text("c")]),
        (vec![image(None), text("a"), text("b")], vec![image(Some("a")), text("b")]),
        (vec![text("a"), image(None)], vec![text("a"), image(None)]),
        (vec![image(Some("x")), text("a")], vec![image(Some("x")), text("a")]),
        (vec![text("a"), read(), text("b")], vec![text("a\n\nb"), read()]),
        (vec![read(), text("a"), text("b")], vec![read(), text("a\n\nb")]),
    ] {
        assert_eq!(messages(before), after);
    }
    let sticker = media(MediaKind::Sticker, None);
    assert_eq!(messages(vec![sticker.clone(), text("a")]), [sticker, text("a")]);
}

#[test]
fn some_things_stand_between() {
    let reaction = Outgoing::Reaction { message_id: "w".into(), emoji: "👍".into() };
    let template = Outgoing::Template(Template::new("t", "en", Category::Utility, vec![]));
    for between in [reaction, template] {
        let apart = vec![text("a"), between, text("b")];
        assert_eq!(messages(apart.clone()), apart);
    }
    let mut quoting = items(vec![text("a"), text("b"), text("c"), text("d")]);
    quoting[1].quote = Some("wamid.1".into());
    let left: Vec<_> = merged(quoting).into_iter().map(|item| item.message).collect();
    assert_eq!(left, [text("a"), text("b"), text("c\n\nd")]);
    // What goes to another contact neither joins nor parts.
    let mut several = items(vec![text("a"), text("other"), text("b")]);
    several[1].contact = ContactId(2);
    let left: Vec<_> = merged(several).into_iter().map(|item| item.message).collect();
    assert_eq!(left, [text("a\n\nb"), text("other")]);
}

#[test]
fn a_header_keeps_its_place() {
    let Outgoing::Buttons { body, footer, buttons, .. } = buttons("b") else { panic!() };
    let header = Some(Header::Text("H".into()));
    let headed = Outgoing::Buttons { header, body, footer, buttons };
    assert_eq!(messages(vec![text("a"), headed.clone()]), [text("a"), headed]);
}

#[test]
fn what_would_be_too_long_stays_apart() {
    let apart = vec![text("a".repeat(4_000)), text("b".repeat(95))];
    assert_eq!(messages(apart.clone()), apart);
    let one = messages(vec![text("a".repeat(4_000)), text("b".repeat(94))]);
    assert_eq!(one.len(), 1);
    let apart = vec![text("a".repeat(1_000)), buttons("b".repeat(100))];
    assert_eq!(messages(apart.clone()), apart);
    let apart = vec![media(MediaKind::Video, None), text("a".repeat(1_025))];
    assert_eq!(messages(apart.clone()), apart);
}

#[test]
fn the_first_id_stays_and_the_others_are_kept() {
    let one = merged(items(vec![text("a"), text("b"), text("c")])).remove(0);
    assert_eq!(one.id.to_string(), "c1-4-0");
    let also: Vec<_> = one.also.iter().map(ToString::to_string).collect();
    assert_eq!(also, ["c1-4-1", "c1-4-2"]);
}

/// Every word of a message, in order.
fn words(messages: &[Outgoing]) -> Vec<String> {
    let of = |message: &Outgoing| match message {
        Outgoing::Text(text) | Outgoing::Numbered { text, .. } => text.clone(),
        Outgoing::Buttons { body, .. } => body.clone(),
        Outgoing::Media(media) => format!("[media] {}", media.caption.clone().unwrap_or_default()),
        other => format!("[{}]", other.kind()),
    };
    messages
        .iter()
        .flat_map(|it| of(it).split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

proptest! {
    #[test]
    fn no_word_is_lost(
        drawn in proptest::collection::vec((0..6u8, "[a-z]{1,9}( [a-z]{1,9}){0,300}"), 0..8)
    ) {
        let message = |(kind, words): (u8, String)| match kind {
            0..=2 => text(words),
            3 => buttons(words.chars().take(1_000).collect::<String>()),
            4 => media(MediaKind::Image, None),
            _ => Outgoing::Reaction { message_id: "w".into(), emoji: "👍".into() },
        };
        let all: Vec<_> = drawn.into_iter().map(message).collect();
        let after = messages(all.clone());
        prop_assert_eq!(words(&all), words(&after));
        for message in after {
            prop_assert_eq!(provider().fit(message.clone()).map(|parts| parts.len()), Ok(1), "{:?}", message);
        }
    }
}
