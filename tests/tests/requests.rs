//! Our messages as Meta's requests, against real bodies, where these are at hand, and for the
//! kinds that have none against fixtures of our own.

use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};
use switchboard::{
    model::*,
    provider::{Auth, Body, Provider, Request, meta::Meta},
};
use switchboard_tests::{
    corpus,
    shop::{TOKEN, channel},
};

const NUMBER: &str = "https://graph.example/v26.0/1060";

fn item(message: Outgoing, quote: Option<&str>) -> OutboxItem {
    OutboxItem {
        id: "c17-4-0".parse().unwrap(),
        channel: ChannelId::new("main"),
        contact: ContactId(17),
        to: Address { phone: Some("16315555555".into()), bsuid: Some("US.1".into()) },
        message,
        quote: quote.map(str::to_owned),
        step: "faq".into(),
        campaign: None,
        created_at: 0,
        state: SendState::Waiting { due: 0 },
        attempts: 1,
        message_id: None,
        receipt: None,
        reason: None,
        error: None,
        hold: Default::default(),
        updated_at: 0,
        also: Vec::new(),
    }
}

fn request(message: Outgoing, quote: Option<&str>) -> Request {
    let meta = Meta::new(&channel("https://graph.example/v26.0/"));
    let request = meta.render(&item(message, quote));
    assert_eq!(request.auth, Auth::Bearer(TOKEN.into()));
    request
}

fn body_of(message: Outgoing, quote: Option<&str>) -> Value {
    match request(message, quote).body {
        Body::Json(json) => json,
        other => panic!("{other:?}"),
    }
}

fn owned(text: &str) -> Option<String> {
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

fn id(text: &str) -> MediaSource {
    MediaSource::Id(text.into())
}

fn link(text: &str) -> MediaSource {
    MediaSource::Link(text.into())
}

fn image(source: MediaSource) -> OutgoingMedia {
    OutgoingMedia { kind: MediaKind::Image, source, caption: None, filename: None }
}

fn text(text: &str) -> Parameter {
    Parameter { name: None, text: text.into() }
}

/// The real bodies' names with our message and what it quotes.
fn messages() -> BTreeMap<&'static str, (Outgoing, Option<&'static str>)> {
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

fn template(name: &str, language: &str, parameters: &[&str]) -> Template {
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

/// The requests of one endpoint by the names of their files.
fn real(endpoint: &str) -> BTreeMap<String, Value> {
    let Some(folder) = corpus("whatsapp/send") else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let Some(name) = stem.strip_prefix(&format!("{endpoint}__")) else { continue };
        if name == "other_responses" {
            continue;
        }
        let file: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        found.insert(name.to_owned(), file["request"].clone());
    }
    assert!(!found.is_empty(), "{endpoint}");
    found
}

/// What differs on purpose, taken out of both.
fn without_differences(name: &str, ours: &mut Value, theirs: &mut Value) {
    // Ours alone: the send's id, by which a receipt is known.
    ours.as_object_mut().unwrap().remove("biz_opaque_callback_data");
    // The number is the sample's own, with or without punctuation.
    if ours.get("to").is_some() {
        theirs["to"] = ours["to"].clone();
        // Some samples leave out what we always say, and what has a default.
        theirs["recipient_type"] = json!("individual");
        theirs["type"] = ours["type"].clone();
    }
    theirs.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    if name.contains("contact_message") {
        reduce_card(theirs);
    }
    if let Some(header) = theirs.pointer_mut("/interactive/header/type")
        && name == "send_multi_product_message"
    {
        // A placeholder.
        *header = json!("text");
    }
    let Some(components) = theirs.pointer_mut("/template/components") else { return };
    for component in components.as_array_mut().unwrap() {
        // As text: samples have both.
        if let Some(index) = component.get("index").and_then(Value::as_u64) {
            component["index"] = json!(index.to_string());
        }
        let button = component["type"] == "button";
        let parameters = component["parameters"].as_array_mut().unwrap();
        // A sum of money and a date are given as the texts that they fall back
        // to anyway.
        parameters.retain(|one| one["type"] != "currency" && one["type"] != "date_time");
        // Texts as the payloads of quick replies.
        for one in parameters.iter_mut().filter(|one| button && one["type"] == "text") {
            *one = json!({"type": "payload", "payload": one["text"].to_string()});
        }
    }
    // Of the API that was switched off.
    theirs["template"]["language"].as_object_mut().unwrap().remove("policy");
}

/// What our card has: a name, phones, mail addresses, a firm.
fn reduce_card(theirs: &mut Value) {
    let card = theirs["contacts"][0].as_object_mut().unwrap();
    for unknown in ["addresses", "birthday", "urls"] {
        card.remove(unknown);
    }
    let name = card["name"]["formatted_name"].clone();
    card["name"] = json!({"formatted_name": name, "first_name": name});
    card["org"] = json!({"company": card["org"]["company"]});
    for list in ["phones", "emails"] {
        for one in card[list].as_array_mut().unwrap() {
            one.as_object_mut().unwrap().remove("type");
        }
    }
}

#[test]
fn every_real_request_is_one_of_ours() {
    let mut ours = messages();
    let mut real = real("messages_post");
    // In Meta's own form: they pass as they are.
    for name in ["send_order_details_message", "send_order_status_message"] {
        let Some(theirs) = real.get(name) else { continue };
        let raw = Outgoing::Interactive(theirs["interactive"].to_string());
        assert_eq!(
            Meta::new(&channel("https://a.example")).fit(raw.clone()),
            Ok(vec![raw.clone()])
        );
        ours.insert(name, (raw, None));
    }
    let here = !real.is_empty();
    let mut wrong = Vec::new();
    for (name, (message, quote)) in ours {
        let request = request(message, quote);
        assert_eq!(request.url, format!("{NUMBER}/messages"), "{name}");
        let Body::Json(mut ours) = request.body else { panic!("{name}") };
        let Some(mut theirs) = real.remove(name) else {
            assert!(!here, "there is no {name}");
            continue;
        };
        without_differences(name, &mut ours, &mut theirs);
        if ours != theirs {
            wrong.push(format!("{name}\n  ours {ours}\n  real {theirs}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left: Vec<_> = real.keys().collect();
    assert!(left.is_empty(), "no message of ours is like {left:?}");
}

#[test]
fn read_marks_are_as_real_ones() {
    let Some(folder) = corpus("whatsapp/send") else { return };
    for (name, typing) in [("mark_read", false), ("mark_read_typing", true)] {
        let ours = body_of(Outgoing::Read { message_id: "wamid.1".into(), typing }, None);
        let theirs = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        assert_eq!(ours, serde_json::from_str::<Value>(&theirs).unwrap(), "{name}");
    }
}

#[test]
fn marketing_goes_to_its_own_interface() {
    let real = real("marketing_messages_post");
    for (name, form) in [
        ("simple_template_message", template("hello_world", "en", &[])),
        ("template_with_product_policy", template("welcome_offer", "en_US", &[])),
        ("parameterized_template", template("promotional_offer", "en", &["John Doe"])),
    ] {
        let form = Template { marketing_interface: true, ..form };
        let request = request(Outgoing::Template(form), None);
        assert_eq!(request.url, format!("{NUMBER}/marketing_messages"));
        let Body::Json(mut ours) = request.body else { panic!("{name}") };
        let Some(mut theirs) = real.get(name).cloned() else { continue };
        without_differences(name, &mut ours, &mut theirs);
        // Left to what the account has set.
        for setting in ["product_policy", "message_activity_sharing"] {
            theirs.as_object_mut().unwrap().remove(setting);
        }
        assert_eq!(ours, theirs, "{name}");
    }
}

/// What stands under `interactive`.
fn interactive(message: Outgoing) -> Value {
    let mut body = body_of(message, None);
    assert_eq!(body["type"], "interactive");
    body["interactive"].take()
}

#[test]
fn what_opens_something_has_its_form() {
    let header = Some(Header::Media(image(link("https://shop.example/rye.jpg"))));
    let (label, url) = ("Order".to_owned(), "https://shop.example/rye".to_owned());
    let (body, footer) = ("Rye, fresh today".to_owned(), owned("Until six"));
    let shown = json!({"type": "image", "image": {"link": "https://shop.example/rye.jpg"}});
    assert_eq!(
        interactive(Outgoing::Link(Link { header, body, footer, label, url })),
        json!({
            "type": "cta_url",
            "header": shown,
            "body": {"text": "Rye, fresh today"},
            "footer": {"text": "Until six"},
            "action": {"name": "cta_url", "parameters":
                {"display_text": "Order", "url": "https://shop.example/rye"}},
        })
    );
    let asked = |what| interactive(Outgoing::Request { what, body: "Where?".into() });
    let form = |kind: &str, action: Value| json!({"type": kind, "body": {"text": "Where?"}, "action": action});
    assert_eq!(
        asked(Requested::Location),
        form("location_request_message", json!({"name": "send_location"}))
    );
    assert_eq!(
        asked(Requested::Phone),
        form("contact_request", json!({"name": "request_contact_info"}))
    );
    assert_eq!(
        asked(Requested::Address { country: "IN".into() }),
        form(
            "address_message",
            json!({"name": "address_message", "parameters": {"country": "IN"}})
        )
    );
    let endpoint = Outgoing::Flow(Flow {
        header: None,
        body: "Book".into(),
        footer: None,
        which: FlowRef::Id("77".into()),
        label: "Open".into(),
        token: None,
        screen: None,
        input: None,
        draft: false,
    });
    assert_eq!(
        interactive(endpoint)["action"]["parameters"],
        json!({"flow_message_version": "3", "flow_id": "77", "flow_cta": "Open",
            "flow_action": "data_exchange"})
    );
}

#[test]
fn cards_stand_in_order() {
    let card = |name: &str, action| Card {
        header: image(link(&format!("https://shop.example/{name}.jpg"))),
        body: owned(name),
        action,
    };
    let open = |name: &str| CardAction::Link {
        label: "Buy".into(),
        url: format!("https://shop.example/{name}"),
    };
    let carousel = |cards| interactive(Outgoing::Carousel { body: "New".into(), cards });
    let picture = |name: &str| json!({"type": "image", "image": {"link": format!("https://shop.example/{name}.jpg")}});
    let bought = |name: &str| {
        json!({"name": "cta_url", "parameters":
        {"display_text": "Buy", "url": format!("https://shop.example/{name}")}})
    };
    assert_eq!(
        carousel(vec![card("rye", open("rye")), card("oat", open("oat"))]),
        json!({"type": "carousel", "body": {"text": "New"}, "action": {"cards": [
            {"card_index": 0, "type": "cta_url", "header": picture("rye"),
             "body": {"text": "rye"}, "action": bought("rye")},
            {"card_index": 1, "type": "cta_url", "header": picture("oat"),
             "body": {"text": "oat"}, "action": bought("oat")},
        ]}})
    );
    let reply = CardAction::Buttons(vec![Button { id: "rye".into(), title: "This".into() }]);
    assert_eq!(
        carousel(vec![card("rye", reply)])["action"]["cards"][0]["action"],
        json!({"buttons": [{"type": "quick_reply", "quick_reply": {"id": "rye", "title": "This"}}]})
    );
}

#[test]
fn templates_take_all_that_they_have_room_for() {
    let components =
        |form: Template| body_of(Outgoing::Template(form), None)["template"]["components"].take();
    let named = Template {
        parameters: vec![Parameter { name: Some("who".into()), text: "Ann".into() }],
        header: Some(TemplateHeader::Text(text("Spring"))),
        offer_ends: Some(1_790_000_000_000),
        buttons: vec![
            TemplateButton { index: 0, value: ButtonValue::CopyCode("SPRING26".into()) },
            TemplateButton { index: 1, value: ButtonValue::UrlSuffix("sale?x=1".into()) },
        ],
        ..template("sale", "en", &[])
    };
    assert_eq!(
        components(named),
        json!([
            {"type": "header", "parameters": [{"type": "text", "text": "Spring"}]},
            {"type": "body",
             "parameters": [{"type": "text", "parameter_name": "who", "text": "Ann"}]},
            {"type": "limited_time_offer", "parameters": [{"type": "limited_time_offer",
                "limited_time_offer": {"expiration_time_ms": 1_790_000_000_000_u64}}]},
            {"type": "button", "sub_type": "copy_code", "index": "0",
             "parameters": [{"type": "coupon_code", "coupon_code": "SPRING26"}]},
            {"type": "button", "sub_type": "url", "index": "1",
             "parameters": [{"type": "text", "text": "sale?x=1"}]},
        ])
    );
    let place = Location { latitude: 1.5, longitude: 2.5, name: owned("Shop"), address: None };
    let card = TemplateCard {
        header: Some(TemplateHeader::Media(image(id("7")))),
        parameters: vec![text("Rye")],
        buttons: vec![TemplateButton { index: 0, value: ButtonValue::Payload("rye".into()) }],
    };
    let sections =
        vec![ProductSection { title: owned("Bread"), products: vec!["rye".into(), "oat".into()] }];
    let many = ButtonValue::Products { thumbnail: "rye".into(), sections };
    let carousel = Template {
        header: Some(TemplateHeader::Location(place)),
        cards: vec![card],
        buttons: vec![
            TemplateButton { index: 0, value: many },
            TemplateButton { index: 1, value: ButtonValue::Catalog { thumbnail: None } },
        ],
        ..template("bread", "en", &[])
    };
    assert_eq!(
        components(carousel),
        json!([
            {"type": "header", "parameters": [{"type": "location",
                "location": {"latitude": 1.5, "longitude": 2.5, "name": "Shop"}}]},
            {"type": "carousel", "cards": [{"card_index": 0, "components": [
                {"type": "header", "parameters": [{"type": "image", "image": {"id": "7"}}]},
                {"type": "body", "parameters": [{"type": "text", "text": "Rye"}]},
                {"type": "button", "sub_type": "quick_reply", "index": "0",
                 "parameters": [{"type": "payload", "payload": "rye"}]},
            ]}]},
            {"type": "button", "sub_type": "mpm", "index": "0", "parameters": [{"type": "action",
                "action": {"thumbnail_product_retailer_id": "rye", "sections": [{"title": "Bread",
                    "product_items": [{"product_retailer_id": "rye"},
                                      {"product_retailer_id": "oat"}]}]}}]},
        ])
    );
}
