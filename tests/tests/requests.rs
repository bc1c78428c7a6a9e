//! Our messages as Meta's requests, against real bodies, where these are at hand, and for the
//! kinds that have none against fixtures of our own.

#[path = "requests/samples.rs"]
mod samples;

use samples::{id, image, link, messages, owned, template, text};
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
        quote: quote.map(str::to_owned),
        attempts: 1,
        ..OutboxItem::new(
            "c17-4-0".parse().unwrap(),
            (
                ChannelId::new("main"),
                ContactId(17),
                Address { phone: Some("16315555555".into()), bsuid: Some("US.1".into()) },
            ),
            message,
            "faq",
            0,
        )
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
