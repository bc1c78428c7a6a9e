//! What each message becomes.

use super::*;
use crate::model::{Category, ContactCard, Parameter, Requested, Row, TemplateHeader};

fn fitted(message: Outgoing) -> Result<Vec<Outgoing>, String> {
    fit(message, |template| template.name == "sale")
}

fn choice(id: &str, title: &str) -> Choice {
    Choice { id: id.into(), title: title.into() }
}

fn media(kind: MediaKind, source: MediaSource, caption: Option<&str>) -> OutgoingMedia {
    let filename = Some("menu.pdf".into());
    OutgoingMedia { kind, source, caption: caption.map(str::to_owned), filename }
}

fn link() -> MediaSource {
    MediaSource::Link("https://x/a".into())
}

#[test]
fn a_long_text_is_split_and_a_huge_one_refused() {
    let parts = fitted(Outgoing::Text("word ".repeat(1000))).unwrap();
    assert_eq!(parts.len(), 4);
    for part in parts {
        let Outgoing::Text(text) = part else { panic!() };
        assert!(text.chars().count() <= 1600);
    }
    let error = fitted(Outgoing::Text("word ".repeat(5000))).unwrap_err();
    assert!(error.contains("16000 are allowed"), "{error}");
    assert_eq!(fitted(Outgoing::Text(" ".into())).unwrap_err(), "the text is empty");
}

#[test]
fn buttons_and_lists_are_written_out() {
    let buttons = vec![choice("y", "Yes"), choice("n", "No")];
    let message = Outgoing::Buttons {
        header: Some(Header::Text("Table".into())),
        body: "Shall we book?".into(),
        footer: Some("Ltd".into()),
        buttons: buttons.clone(),
    };
    let text = "Table\n\nShall we book?\n\n1. Yes\n2. No\n\nLtd".into();
    assert_eq!(fitted(message).unwrap(), [Outgoing::Numbered { text, choices: buttons }]);
    let row = |id: &str, more: Option<&str>| Row {
        id: id.into(),
        title: id.to_uppercase(),
        description: more.map(str::to_owned),
    };
    let section = |title: &str, rows| Section { title: Some(title.into()), rows };
    let message = Outgoing::List {
        header: None,
        body: "Pick".into(),
        footer: None,
        label: "Open".into(),
        sections: vec![
            section("Hot", vec![row("a", Some("now")), row("b", None)]),
            section("Cold", vec![row("c", None)]),
        ],
    };
    let text = "Pick\n\nHot\n1. A - now\n2. B\n\nCold\n3. C".into();
    let choices = vec![choice("a", "A"), choice("b", "B"), choice("c", "C")];
    assert_eq!(fitted(message).unwrap(), [Outgoing::Numbered { text, choices }]);
}

#[test]
fn the_last_part_of_long_choices_bears_them() {
    let message = Outgoing::Buttons {
        header: Some(Header::Media(media(MediaKind::Image, link(), None))),
        body: "word ".repeat(500),
        footer: None,
        buttons: vec![choice("y", "Yes")],
    };
    let kinds: Vec<_> = fitted(message).unwrap().iter().map(Outgoing::kind).collect();
    assert_eq!(kinds, ["media", "text", "numbered"]);
}

#[test]
fn choices_that_no_answer_could_name_are_refused() {
    let ask = |body: &str, buttons| {
        fitted(Outgoing::Buttons { header: None, body: body.into(), footer: None, buttons })
            .unwrap_err()
    };
    assert!(ask("?", vec![]).contains("at least one"));
    assert!(ask("?", vec![choice("a", "A"), choice("a", "B")]).contains("the id `a`"));
    assert!(ask("?", vec![choice("a", " ")]).contains("is empty"));
    assert!(ask(" ", vec![choice("a", "A")]).contains("is empty"));
}

#[test]
fn a_link_becomes_a_text() {
    let link = Link {
        header: None,
        body: "See".into(),
        footer: Some("Ltd".into()),
        label: "Menu".into(),
        url: "https://x/menu".into(),
    };
    let text = "See\n\nMenu: https://x/menu\n\nLtd".into();
    assert_eq!(fitted(Outgoing::Link(link)).unwrap(), [Outgoing::Text(text)]);
}

#[test]
fn a_template_needs_its_sid_and_plain_parameters() {
    let template = |name: &str, texts: &[(Option<&str>, &str)]| {
        let parameter = |(name, text): &(Option<&str>, &str)| Parameter {
            name: name.map(str::to_owned),
            text: (*text).into(),
        };
        let parameters = texts.iter().map(parameter).collect();
        Template::new(name, "en", Category::Marketing, parameters)
    };
    let good = Outgoing::Template(template("sale", &[(None, "Ann")]));
    assert_eq!(fitted(good.clone()).unwrap(), [good]);
    let refuse = |template| fitted(Outgoing::Template(template)).unwrap_err();
    let unknown = refuse(template("other", &[]));
    assert!(unknown.contains("`other = \"HX…\"` or `\"other/en\" = \"HX…\"`"), "{unknown}");
    assert!(refuse(template("sale", &[(None, "")])).contains("parameter `1`"));
    assert!(
        refuse(template("sale", &[(None, "a"), (Some("b"), "b")])).contains("with and without")
    );
    let mut headed = template("sale", &[]);
    headed.header = Some(TemplateHeader::Text(Parameter { name: None, text: "x".into() }));
    assert!(refuse(headed).contains("`header`"));
}

#[test]
fn files_need_a_link_and_captions_a_place() {
    let fit = |kind, source, caption| fitted(Outgoing::Media(media(kind, source, caption)));
    for source in [
        MediaSource::Id("1".into()),
        MediaSource::File("a.png".into()),
        MediaSource::Link("http://x/a".into()),
    ] {
        assert!(fit(MediaKind::Image, source, None).unwrap_err().contains("https://"));
    }
    let long = "c".repeat(1025);
    for (kind, caption, kinds) in [
        (MediaKind::Image, "c", vec!["media"]),
        (MediaKind::Voice, "c", vec!["media", "text"]),
        (MediaKind::Document, &long, vec!["media", "text"]),
        (MediaKind::Sticker, " ", vec!["media"]),
    ] {
        let messages = fit(kind, link(), Some(caption)).unwrap();
        assert_eq!(messages.iter().map(Outgoing::kind).collect::<Vec<_>>(), kinds, "{kind:?}");
        let Outgoing::Media(media) = &messages[0] else { panic!() };
        assert_eq!((&media.filename, media.caption.is_some()), (&None, kind == MediaKind::Image));
    }
}

#[test]
fn what_twilio_can_not_send_is_said() {
    let reaction = Outgoing::Reaction { message_id: "SM1".into(), emoji: "👍".into() };
    let request = Outgoing::Request { what: Requested::Phone, body: "?".into() };
    let contacts = Outgoing::Contacts(vec![ContactCard::default()]);
    let form = Outgoing::Interactive("{}".into());
    for message in [reaction, request, contacts, form] {
        let kind = format!("the kind `{}` can't be sent through Twilio", message.kind());
        let error = fitted(message).unwrap_err();
        assert!(error.contains(&kind), "{error}");
    }
    let place = |latitude| Location { latitude, longitude: 0.0, name: None, address: None };
    assert!(fitted(Outgoing::Location(place(91.0))).is_err());
    assert!(fitted(Outgoing::Location(place(f64::NAN))).is_err());
    assert!(fitted(Outgoing::Location(place(-90.0))).is_ok());
}
