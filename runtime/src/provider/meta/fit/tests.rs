//! What is split, what becomes another kind, what is refused.

use super::{choices::LIST_LABEL, *};
use crate::model::*;
use proptest::prelude::*;

fn buttons(count: usize) -> Vec<Button> {
    (1..=count).map(|n| Button { id: format!("b{n}"), title: format!("Button {n}") }).collect()
}

fn with_buttons(body: &str, buttons: Vec<Button>) -> Outgoing {
    Outgoing::Buttons { header: None, body: body.into(), footer: None, buttons }
}

fn list(sections: Vec<Section>) -> Outgoing {
    Outgoing::List {
        header: None,
        body: "Pick".into(),
        footer: None,
        label: "Open".into(),
        sections,
    }
}

fn rows(from: usize, to: usize) -> Vec<Row> {
    let row = |n| Row { id: format!("r{n}"), title: format!("Row {n}"), description: None };
    (from..=to).map(row).collect()
}

fn section(title: Option<&str>, rows: Vec<Row>) -> Section {
    Section { title: title.map(str::to_owned), rows }
}

fn image(source: MediaSource, caption: Option<String>) -> Outgoing {
    let kind = MediaKind::Image;
    Outgoing::Media(OutgoingMedia { kind, source, caption, filename: None })
}

fn template(name: &str, parameters: &[(Option<&str>, &str)]) -> Outgoing {
    let parameter = |(name, text): &(Option<&str>, &str)| Parameter {
        name: name.map(str::to_owned),
        text: (*text).into(),
    };
    Outgoing::Template(Template::new(
        name,
        "en",
        Category::Utility,
        parameters.iter().map(parameter).collect(),
    ))
}

#[test]
fn what_fits_stays_as_it_is() {
    for message in [
        Outgoing::Text("a".repeat(4096)),
        with_buttons(&"é".repeat(1024), buttons(3)),
        list(vec![section(Some("One"), rows(1, 4)), section(Some("Two"), rows(5, 10))]),
        template("spring_sale_2", &[(None, "Ann")]),
        template("spring_sale_2", &[(Some("who"), "Ann")]),
        image(MediaSource::Link("https://a.example/i.png".into()), Some("c".repeat(1024))),
        Outgoing::Reaction { message_id: "wamid.1".into(), emoji: "".into() },
        Outgoing::Read { message_id: "wamid.1".into(), typing: true },
    ] {
        assert_eq!(fit(message.clone()).unwrap(), [message]);
    }
}

#[test]
fn a_long_text_becomes_several() {
    let text = format!("{}\n\n{}", "a".repeat(3000), "b".repeat(3000));
    let parts = fit(Outgoing::Text(text)).unwrap();
    assert_eq!(parts, [Outgoing::Text("a".repeat(3000)), Outgoing::Text("b".repeat(3000))]);
}

#[test]
fn the_end_of_a_long_body_stays_with_its_buttons() {
    let story = "All that there is to know. ".repeat(50);
    let messages = fit(with_buttons(&format!("{story}\n\nYes or no?"), buttons(2))).unwrap();
    let [Outgoing::Text(before), Outgoing::Buttons { body, buttons, .. }] = &messages[..] else {
        panic!("{messages:?}");
    };
    assert!(body.ends_with("Yes or no?") && body.chars().count() <= 1024, "{body}");
    let words = |text: &str| text.split_whitespace().count();
    assert_eq!(words(before) + words(body), words(&story) + 3);
    assert_eq!(buttons.len(), 2);
}

#[test]
fn too_many_buttons_become_a_list() {
    let fitted = fit(with_buttons("Pick", buttons(4))).unwrap();
    let [Outgoing::List { body, label, sections, .. }] = &fitted[..] else {
        panic!("{fitted:?}");
    };
    assert_eq!((body.as_str(), label.as_str()), ("Pick", LIST_LABEL));
    assert_eq!(sections[0].rows[3].id, "b4");
    assert_eq!(sections[0].rows[3].title, "Button 4");
}

#[test]
fn too_many_rows_become_a_numbered_text() {
    let mut second = rows(7, 11);
    second[4].description = Some("the last".into());
    let fitted = fit(list(vec![section(Some("A"), rows(1, 6)), section(None, second)])).unwrap();
    let [Outgoing::Numbered { text, choices }] = &fitted[..] else {
        panic!("{fitted:?}");
    };
    assert!(text.starts_with("Pick\n\nA\n1. Row 1\n2. Row 2\n"), "{text}");
    assert!(
        text.ends_with(
            "6. Row 6\n\n7. Row 7\n8. Row 8\n9. Row 9\n10. Row 10\n11. Row 11 - the last"
        )
    );
    let last = Choice { id: "r11".into(), title: "Row 11".into() };
    assert_eq!((choices.len(), &choices[10]), (11, &last));
}

#[test]
fn what_is_too_long_for_a_list_is_written_out() {
    let long = "A title of more than twenty-four letters";
    let titled = |title: &str, more: Option<&str>| {
        let row = Row { id: "r".into(), title: title.into(), description: more.map(Into::into) };
        section(None, vec![row])
    };
    let unlabelled = Outgoing::List {
        header: Some(Header::Text("Menu".into())),
        body: "Pick".into(),
        footer: Some("Soon".into()),
        label: long.into(),
        sections: vec![titled("A", None)],
    };
    for (message, text) in [
        (list(vec![titled(long, None)]), format!("Pick\n\n1. {long}")),
        (
            list(vec![titled("A", Some(&"d".repeat(73)))]),
            format!("Pick\n\n1. A - {}", "d".repeat(73)),
        ),
        (list(vec![section(Some(long), rows(1, 1))]), format!("Pick\n\n{long}\n1. Row 1")),
        (
            list(vec![section(None, rows(1, 1)), section(None, rows(2, 2))]),
            "Pick\n\n1. Row 1\n\n2. Row 2".into(),
        ),
        (unlabelled, "Menu\n\nPick\n\n1. A\n\nSoon".into()),
    ] {
        let fitted = fit(message).unwrap();
        let [Outgoing::Numbered { text: ours, .. }] = &fitted[..] else { panic!("{fitted:?}") };
        assert_eq!(ours, &text);
    }
    let title = "Twenty-one letters ab";
    let button = Button { id: "b".into(), title: title.into() };
    let fitted = fit(with_buttons("Pick", vec![button])).unwrap();
    assert!(matches!(&fitted[..], [Outgoing::List { .. }]), "{fitted:?}");
}

#[test]
fn a_picture_above_a_list_goes_before_it() {
    let picture = OutgoingMedia {
        kind: MediaKind::Image,
        source: MediaSource::File("menu.png".into()),
        caption: None,
        filename: None,
    };
    let header = Some(Header::Media(picture.clone()));
    let (body, footer) = ("Pick".to_owned(), None);
    let few = Outgoing::Buttons { header, body, footer, buttons: buttons(3) };
    assert_eq!(fit(few.clone()).unwrap(), vec![few.clone()]);
    let Outgoing::Buttons { header, body, footer, .. } = few else { panic!() };
    let fitted = fit(Outgoing::Buttons { header, body, footer, buttons: buttons(4) }).unwrap();
    let [Outgoing::Media(first), Outgoing::List { header: None, .. }] = &fitted[..] else {
        panic!("{fitted:?}");
    };
    assert_eq!(first, &picture);
}

#[test]
fn empty_sections_and_labels_are_no_trouble() {
    let one = vec![section(None, Vec::new()), section(None, rows(1, 2))];
    let fitted = fit(Outgoing::List {
        header: None,
        body: "Pick".into(),
        footer: Some(" ".into()),
        label: " ".into(),
        sections: one,
    });
    let [Outgoing::List { label, sections, footer, .. }] = &fitted.unwrap()[..] else { panic!() };
    assert_eq!((label.as_str(), sections.len(), footer), ("Choose", 1, &None));
}

#[test]
fn a_caption_too_long_or_out_of_place_follows_as_a_text() {
    let id = || MediaSource::Id("7".into());
    let long = "w ".repeat(600);
    let fitted = fit(image(id(), Some(long.clone()))).unwrap();
    assert_eq!(fitted, [image(id(), None), Outgoing::Text(long.trim().into())]);
    for kind in [MediaKind::Audio, MediaKind::Voice, MediaKind::Sticker] {
        let (caption, filename) = (Some("hear".into()), Some("a.ogg".into()));
        let fitted = fit(Outgoing::Media(OutgoingMedia { kind, source: id(), caption, filename }));
        let (caption, filename) = (None, None);
        let bare = Outgoing::Media(OutgoingMedia { kind, source: id(), caption, filename });
        assert_eq!(fitted.unwrap(), [bare, Outgoing::Text("hear".into())]);
    }
}

#[test]
fn what_no_change_can_keep_is_an_error_with_its_limit() {
    let titled = |title: &str| vec![Button { id: "b".into(), title: title.into() }];
    let with_id = |id: &str| vec![Button { id: id.into(), title: "T".into() }];
    let link = |link: &str| image(MediaSource::Link(link.into()), None);
    let mut same = buttons(2);
    same[1].id = "b1".into();
    let cases = [
        (Outgoing::Text(" \n".into()), "the text is empty"),
        (
            Outgoing::Text("a".repeat(40_961)),
            "the text has 40961 characters, and 40960 are allowed",
        ),
        (with_buttons("", buttons(1)), "the text above the choices is empty"),
        (with_buttons("Hi", vec![]), "a message with buttons needs at least one button"),
        (with_buttons("Hi", titled(" ")), "a button title is empty"),
        (with_buttons("Hi", with_id("")), "a button id is empty"),
        (with_buttons("Hi", same), "two buttons have the id `b1`"),
        (list(vec![]), "a list needs at least one row"),
        (
            template("Spring", &[]),
            "template name `Spring` may hold lower-case letters, digits and `_` alone",
        ),
        (template("", &[]), "the template name is empty"),
        (template("a", &[(None, "x"), (None, "")]), "parameter `2` of template `a` is empty"),
        (template("a", &[(Some("who"), "")]), "parameter `who` of template `a` is empty"),
        (
            template("a", &[(Some("who"), "x"), (None, "y")]),
            "template `a` has parameters with and without a name",
        ),
        (link(""), "the link of the image is empty"),
        (link("http://a.example/i"), "image link `http://a.example/i` must begin with `https://`"),
        (image(MediaSource::Id("".into()), None), "the id of the image is empty"),
        (
            Outgoing::Read { message_id: "".into(), typing: false },
            "the id of the read message is empty",
        ),
    ];
    for (message, reason) in cases {
        assert_eq!(fit(message).unwrap_err(), reason);
    }
    let footer = Outgoing::Buttons {
        header: None,
        body: "Hi".into(),
        footer: Some("f".repeat(61)),
        buttons: buttons(1),
    };
    assert!(fit(footer).unwrap_err().ends_with("has 61 characters, and 60 are allowed"));
    assert!(
        fit(with_buttons("Hi", with_id(&"i".repeat(257))))
            .unwrap_err()
            .ends_with("and 256 are allowed")
    );
}

proptest! {
    #[test]
    fn whatever_comes_out_fits(text in "[a-z é。\n]{1,9000}", count in 1..14usize) {
        let Ok(messages) = fit(with_buttons(&text, buttons(count))) else {
            prop_assert!(text.trim().is_empty());
            return Ok(());
        };
        for message in messages {
            prop_assert_eq!(fit(message.clone()).unwrap(), [message]);
        }
    }
}

fn sample_media(kind: MediaKind) -> OutgoingMedia {
    let source = MediaSource::Link("https://a.example/i".into());
    OutgoingMedia { kind, source, caption: None, filename: None }
}

/// One message of each kind that is tapped, with these words everywhere.
fn tapped(words: &str, count: usize) -> Vec<Outgoing> {
    let text = || words.to_owned();
    let header = Some(Header::Text(text()));
    let url = "https://a.example/".to_owned();
    let section = || ProductSection {
        title: Some(text()),
        products: (0..count).map(|n| format!("p{n}")).collect(),
    };
    let card = |n: usize| Card {
        header: sample_media(MediaKind::Image),
        body: Some(text()),
        action: CardAction::Buttons(vec![Button { id: format!("b{n}"), title: text() }]),
    };
    let flow = Flow {
        header: header.clone(),
        body: text(),
        footer: Some(text()),
        which: FlowRef::Id("1".into()),
        label: text(),
        token: None,
        screen: None,
        input: None,
        draft: false,
    };
    let link = Link { header, body: text(), footer: Some(text()), label: text(), url };
    let catalog = "1".to_owned();
    let products = Products {
        header: text(),
        body: text(),
        footer: None,
        catalog: catalog.clone(),
        sections: vec![section()],
    };
    vec![
        Outgoing::Link(link),
        Outgoing::Flow(flow),
        Outgoing::Request { what: Requested::Location, body: text() },
        Outgoing::Product { body: Some(text()), footer: None, catalog, product: "p".into() },
        Outgoing::Products(products),
        Outgoing::Catalog { body: text(), footer: Some(text()), thumbnail: None },
        Outgoing::Carousel { body: text(), cards: (0..count).map(card).collect() },
    ]
}

/// Every text of a rendered body with the name that it stands under, and every
/// list with its length.
fn measured(json: &serde_json::Value, name: &str, found: &mut Vec<(String, usize)>) {
    match json {
        serde_json::Value::String(text) => found.push((name.to_owned(), limits::length(text))),
        serde_json::Value::Array(items) => {
            found.push((format!("{name}[]"), items.len()));
            items.iter().for_each(|item| measured(item, name, found));
        }
        serde_json::Value::Object(fields) => {
            for (field, value) in fields {
                // `{"body": {"text": …}}` is named by what is around it.
                let field = if field == "text" { name } else { field };
                measured(value, field, found);
            }
        }
        _ => {}
    }
}

/// Meta's limits by the names in its own bodies.
fn limit(kind: &str, name: &str) -> usize {
    match (kind, name) {
        (_, "body") if matches!(kind, "text" | "list") => 4096,
        (_, "body") => 1024,
        (_, "header" | "footer") => 60,
        (_, "title") if kind == "button" || kind == "carousel" => 20,
        (_, "title") => 24,
        (_, "display_text" | "flow_cta" | "button") => 20,
        (_, "description") => 72,
        (_, "id") if kind == "list" => 200,
        (_, "id") => 256,
        (_, "buttons[]") => 3,
        (_, "rows[]" | "sections[]" | "cards[]") => 10,
        (_, "product_items[]") => 30,
        _ => usize::MAX,
    }
}

fn assert_within(message: &Outgoing) {
    let item = crate::model::OutboxItem {
        message: message.clone(),
        ..super::super::render::tests::item(Outgoing::Text("x".into()))
    };
    let body = super::super::render::body(&item);
    let kind =
        body["interactive"]["type"].as_str().unwrap_or_else(|| body["type"].as_str().unwrap());
    let mut found = Vec::new();
    measured(&body[body["type"].as_str().unwrap()], "", &mut found);
    for (name, length) in found {
        assert!(length <= limit(kind, &name), "{kind} {name}: {length}");
    }
    if kind == "carousel" {
        let cards = body["interactive"]["action"]["cards"].as_array().unwrap();
        let short = |card: &serde_json::Value| {
            limits::length(card["body"]["text"].as_str().unwrap_or_default()) <= 160
        };
        assert!(cards.len() >= 2 && cards.iter().all(short));
    }
}

proptest! {
    #[test]
    fn nothing_leaves_over_a_limit(
        words in "[a-z ]{1,30}", long in "[a-z é。\n]{1,6000}", count in 1..40usize, wide in any::<bool>()
    ) {
        let text = if wide { &long } else { &words };
        let mut all = tapped(text, count);
        all.extend(tapped(&words, count.min(10)));
        let titled = |n| Row { id: format!("r{n}"), title: words.clone(), description: Some(text.clone()) };
        all.push(list(vec![section(Some(&words), (0..count).map(titled).collect())]));
        all.push(with_buttons(&long, (0..count).map(|n| Button { id: format!("{n}{}", &words), title: words.clone() }).collect()));
        let choices = (0..count).map(|n| Choice { id: format!("{n}"), title: words.clone() }).collect();
        all.push(Outgoing::Numbered { text: long.clone(), choices });
        all.push(Outgoing::Media(OutgoingMedia { caption: Some(long.clone()), ..sample_media(MediaKind::Video) }));
        for message in all {
            let Ok(parts) = fit(message) else { continue };
            prop_assert!(!parts.is_empty());
            for part in parts {
                assert_within(&part);
                prop_assert_eq!(fit(part.clone()).unwrap(), [part]);
            }
        }
    }
}
