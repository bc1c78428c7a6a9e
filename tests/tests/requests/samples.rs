//! The messages that Meta shows, as ours.

use std::collections::BTreeMap;
use switchboard::model::*;

pub fn owned(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn media(kind: MediaKind, source: MediaSource, caption: &str, filename: &str) -> Outgoing {
    Outgoing::Media(OutgoingMedia {
        kind,
        source,
        caption: owned(caption),
        filename: owned(filename),
    })
}

pub fn id(text: &str) -> MediaSource {
    MediaSource::Id(text.into())
}

pub fn link(text: &str) -> MediaSource {
    MediaSource::Link(text.into())
}

pub fn image(source: MediaSource) -> OutgoingMedia {
    OutgoingMedia { kind: MediaKind::Image, source, caption: None, filename: None }
}

pub fn text(text: &str) -> Parameter {
    Parameter { name: None, text: text.into() }
}

/// The real bodies' names with our message and what it quotes.
pub fn messages() -> BTreeMap<&'static str, (Outgoing, Option<&'static str>)> {
    const PREVIOUS: &str = "<MSGID_OF_PREV_MSG>";
    const REPLIED: &str = "<MSGID_OF_MSG_YOU_ARE_REPLYING_TO>";
    let mut all = BTreeMap::new();
    for (name, message) in plain().into_iter().chain(tapped()).chain(templates()) {
        all.insert(name, (message, None));
    }
    for (reply, name, quoted) in [
        ("send_reply_to_audio_message_by_id", "send_audio_message_by_id", REPLIED),
        ("send_reply_to_contact_message", "send_contact_message", PREVIOUS),
        ("send_reply_to_image_message_by_id", "send_image_message_by_id", PREVIOUS),
        ("send_reply_to_image_message_by_url", "send_image_message_by_url", PREVIOUS),
        ("send_reply_to_list_message", "send_list_message", PREVIOUS),
        ("send_reply_to_location_message", "send_location_message", PREVIOUS),
        ("send_reply_to_sticker_message_by_id", "send_sticker_message_by_id", REPLIED),
        ("send_reply_to_sticker_message_by_url", "send_sticker_message_by_url", REPLIED),
        ("send_reply_to_video_message_by_id", "send_video_message_by_id", REPLIED),
        ("send_reply_to_video_message_by_url", "send_video_message_by_url", REPLIED),
    ] {
        let (message, _) = all[name].clone();
        all.insert(reply, (message, Some(quoted)));
    }
    let words = Outgoing::Text("<TEXT_MSG_CONTENT>".into());
    all.insert("send_reply_to_text_message", (words, Some(PREVIOUS)));
    let document = media(
        MediaKind::Document,
        id("<DOCUMENT_OBJECT_ID>"),
        "<DOCUMENT_CAPTION_TO_SEND>",
        "<DOCUMENT_FILENAME>",
    );
    all.insert("send_reply_to_document_message_by_id", (document, Some(REPLIED)));
    let sound = media(MediaKind::Audio, link("http(s)://audio-url"), "", "");
    all.insert("send_reply_to_audio_message_by_url", (sound, Some(REPLIED)));
    let linked =
        media(MediaKind::Document, link("<http(s)://document-url>"), "<DOCUMENT_CAPTION_TEXT>", "");
    all.insert("send_reply_to_document_message_by_url", (linked, Some(REPLIED)));
    all
}

fn plain() -> Vec<(&'static str, Outgoing)> {
    use MediaKind::*;
    let (video, caption) = (link("<http(s)://video-url>"), "<VIDEO_CAPTION_TEXT>");
    let document = link("<http(s)://document-url>");
    let place = Location {
        latitude: 37.758056,
        longitude: -122.425332,
        name: Some("META HQ".into()),
        address: Some("1 Hacker Way, Menlo Park, CA 94025".into()),
    };
    let named = "<DOCUMENT_FILENAME>";
    vec![
        ("send_text_message", Outgoing::Text("text-message-content".into())),
        (
            "send_text_message_with_preview_url",
            Outgoing::Text("Please visit https://youtu.be/hpltvTEiRrY.".into()),
        ),
        (
            "send_reply_with_reaction_message",
            Outgoing::Reaction { message_id: "wamid.HBgLM...".into(), emoji: "😀".into() },
        ),
        ("send_audio_message_by_id", media(Audio, id("<AUDIO_OBJECT_ID>"), "", "")),
        ("send_audio_message_by_url", media(Audio, link("<http(s)://audio-url>"), "", "")),
        (
            "send_document_message_by_id",
            media(Document, id("<DOCUMENT_OBJECT_ID>"), "<DOCUMENT_CAPTION_TO_SEND>", named),
        ),
        ("send_document_message_by_url", media(Document, document, "<DOCUMENT-CAPTION-TEXT>", "")),
        ("send_image_message_by_id", media(Image, id("<IMAGE_OBJECT_ID>"), "", "")),
        ("send_image_message_by_url", media(Image, link("http(s)://image-url"), "", "")),
        ("send_sticker_message_by_id", media(Sticker, id("<MEDIA_OBJECT_ID>"), "", "")),
        ("send_sticker_message_by_url", media(Sticker, link("<http(s)://sticker-url>"), "", "")),
        ("send_video_message_by_id", media(Video, id("<VIDEO_OBJECT_ID>"), caption, "")),
        ("send_video_message_by_url", media(Video, video, caption, "")),
        ("send_location_message", Outgoing::Location(place)),
        ("send_contact_message", Outgoing::Contacts(vec![person()])),
        (
            "send_typing_indicator_and_read_receipt",
            Outgoing::Read {
                message_id: "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUYzMjEzNDM2RTZGQ0MzMDJBRgA=".into(),
                typing: true,
            },
        ),
    ]
}

fn person() -> ContactCard {
    let phone = |phone: &str, wa_id: &str| CardPhone { phone: phone.into(), wa_id: owned(wa_id) };
    ContactCard {
        name: Some("John Smith".into()),
        phones: vec![phone("+1 (940) 555-1234", ""), phone("+1 (650) 555-1234", "16505551234")],
        emails: vec!["test@fb.com".into(), "test@whatsapp.com".into()],
        organization: Some("WhatsApp".into()),
        own: false,
    }
}

fn tapped() -> Vec<(&'static str, Outgoing)> {
    let button = |n: u8| Button {
        id: format!("<UNIQUE_BUTTON_ID_{n}>"),
        title: format!("<BUTTON_TITLE_{n}>"),
    };
    let given = |which, words: [&str; 4], draft| {
        Outgoing::Flow(Flow {
            header: Some(Header::Text(words[0].into())),
            body: words[1].into(),
            footer: owned(words[2]),
            which,
            label: words[3].into(),
            token: owned("<FLOW_TOKEN>"),
            screen: owned("<SCREEN_ID>"),
            input: owned(r#"{"<CUSTOM_KEY>": "<CUSTOM_VALUE>"}"#),
            draft,
        })
    };
    let shown = ["<HEADER_TEXT>", "<BODY_TEXT>", "<FOOTER_TEXT>", "Open Flow!"];
    let draft = ["Not shown in draft mode"; 4];
    let (flow_id, name) =
        (FlowRef::Id("{{Flow-ID}}".into()), FlowRef::Name("{{Flow-Name}}".into()));
    vec![
        (
            "send_reply_button",
            Outgoing::Buttons {
                header: None,
                body: "<BUTTON_TEXT>".into(),
                footer: None,
                buttons: vec![button(1), button(2)],
            },
        ),
        ("send_list_message", list()),
        ("send_published_flow_by_id", given(flow_id.clone(), shown, false)),
        ("send_published_flow_by_name", given(name.clone(), shown, false)),
        ("send_draft_flow_by_id", given(flow_id, draft, true)),
        ("send_draft_flow_by_name", given(name, draft, true)),
        (
            "send_single_product_message",
            Outgoing::Product {
                body: owned("<OPTIONAL_BODY_TEXT>"),
                footer: owned("<OPTIONAL_FOOTER_TEXT>"),
                catalog: "367025965434465".into(),
                product: "<ID_TEST_ITEM_1>".into(),
            },
        ),
        ("send_multi_product_message", products()),
        (
            "send_catalog_message",
            Outgoing::Catalog {
                body: "Hello! Thanks for your interest. Ordering is easy. Just visit our catalog \
                       and add items to purchase."
                    .into(),
                footer: owned("Best grocery deals on WhatsApp!"),
                thumbnail: owned("2lc20305pt"),
            },
        ),
    ]
}

fn list() -> Outgoing {
    let row = |section: u8, row: u8| Row {
        id: format!("<LIST_SECTION_{section}_ROW_{row}_ID>"),
        title: format!("<SECTION_{section}_ROW_{row}_TITLE>"),
        description: Some(format!("<SECTION_{section}_ROW_{row}_DESC>")),
    };
    let section = |n: u8| Section {
        title: Some(format!("<LIST_SECTION_{n}_TITLE>")),
        rows: vec![row(n, 1), row(n, 2)],
    };
    Outgoing::List {
        header: Some(Header::Text("<HEADER_TEXT>".into())),
        body: "<BODY_TEXT>".into(),
        footer: owned("<FOOTER_TEXT>"),
        label: "<BUTTON_TEXT>".into(),
        sections: vec![section(1), section(2)],
    }
}

fn products() -> Outgoing {
    let section = |n: u8| ProductSection {
        title: Some(format!("<SECTION{n}_TITLE>")),
        products: vec![
            format!("<YOUR_PRODUCT{n}_SKU_IN_CATALOG>"),
            format!("<YOUR_SECOND_PRODUCT{n}_SKU_IN_CATALOG>"),
        ],
    };
    Outgoing::Products(Products {
        header: "<YOUR_TEXT_HEADER_CONTENT>".into(),
        body: "<YOUR_TEXT_BODY_CONTENT>".into(),
        footer: owned("<YOUR_TEXT_FOOTER_CONTENT>"),
        catalog: "146265584024623".into(),
        sections: vec![section(1), section(2)],
    })
}

pub fn template(name: &str, language: &str, parameters: &[&str]) -> Template {
    let parameters = parameters.iter().map(|value| text(value)).collect();
    Template::new(name, language, Category::Marketing, parameters)
}

fn templates() -> Vec<(&'static str, Outgoing)> {
    let button = |index, value| TemplateButton { index, value };
    let payload = |text: &str| ButtonValue::Payload(text.into());
    let sample = || template("template-name", "language-and-locale-code", &["text-string"]);
    let header = Some(TemplateHeader::Media(image(link("http(s)://the-image-url"))));
    let pictured = Template { header, ..sample() };
    let replies = vec![
        button(0, payload("aGlzIHRoaXMgaXMgY29v")),
        button(1, payload("9rwnB8RbYmPF5t2Mn09x4h")),
    ];
    let flow = ButtonValue::Flow {
        token: owned("<FLOW_TOKEN>"),
        input: owned(r#"{"<CUSTOM_KEY>": "<CUSTOM_VALUE>"}"#),
    };
    let thumbnail = owned("2lc20305pt");
    let resolved = template("sample_issue_resolution", "en_US", &["*Mr. Jones*"]);
    vec![
        ("send_test_message", template("hello_world", "en_US", &[])),
        ("send_message_template_text", sample()),
        ("send_sample_text_message", sample()),
        ("send_sample_shipping_confirmation_template", sample()),
        ("send_message_template_media", pictured.clone()),
        ("send_message_template_interactive", Template { buttons: replies, ..pictured }),
        (
            "send_sample_issue_resolution_template",
            Template {
                buttons: vec![button(0, payload("true")), button(1, payload("false"))],
                ..resolved
            },
        ),
        (
            "send_flow_template_message",
            Template {
                buttons: vec![button(0, flow)],
                ..template("<TEMPLATE_NAME>", "en_US", &[])
            },
        ),
        (
            "send_catalog_template_message",
            Template {
                buttons: vec![button(0, ButtonValue::Catalog { thumbnail })],
                ..template("intro_catalog_offer", "en_US", &["100", "400", "3"])
            },
        ),
    ]
    .into_iter()
    .map(|(name, form)| (name, Outgoing::Template(form)))
    .collect()
}
