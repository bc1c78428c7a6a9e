//! Each builder makes what `docs/messages.md` shows, which the host reads.

use super::*;
use crate::Category;
use serde_json::{Value as Json, json};

/// The example of a kind, the `number`th of it on the page.
fn example(kind: &str, number: usize) -> Json {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/messages.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut found = blocks.filter_map(|block| {
        serde_json::from_str::<Json>(block).unwrap().as_object_mut().unwrap().remove(kind)
    });
    found.nth(number).unwrap_or_else(|| panic!("no example {number} of {kind}"))
}

/// Each message with which example of its kind it is.
fn as_shown(all: Vec<(usize, Outgoing)>) {
    for (number, message) in all {
        let Outgoing::Other(Other { kind, json }) = message else { panic!("{message:?}") };
        let ours: Json = serde_json::from_str(&json).unwrap();
        assert_eq!(ours, example(&kind, number), "{kind} {number}");
    }
}

#[test]
fn choices_media_and_links() {
    let rye = Header::Media(Media::file("image", "rye.jpg"));
    let order = |name: &str| format!("https://shop.example/{name}");
    as_shown(vec![
        (
            0,
            Buttons::new(
                "Rye bread, 4 euros. Shall we keep one for you?",
                &[("yes", "Yes, please"), ("no", "No")],
            )
            .header(rye)
            .footer("Until six")
            .into(),
        ),
        (
            0,
            List::new("Which one?", "Choose")
                .header(Header::Text("Bread".into()))
                .section("Dark", &[("rye", "Rye", "4 euros"), ("spelt", "Spelt", "")])
                .into(),
        ),
        (
            0,
            Numbered::new("Which one?\n\n1. Rye\n2. Spelt", &[("rye", "Rye"), ("spelt", "Spelt")])
                .into(),
        ),
        (0, Media::file("document", "menu.pdf").caption("This week").filename("menu.pdf").into()),
        (
            0,
            Contacts(vec![
                Contact::new("Ann Baker")
                    .whatsapp("+49 30 123456", "4930123456")
                    .email("ann@shop.example")
                    .organization("The shop"),
            ])
            .into(),
        ),
        (0, Link::new("Order for tomorrow.", "Order", order("order")).into()),
        (
            0,
            Flow::by_name("booking", "Book a table.", "Book")
                .token("table-7")
                .screen("WHEN")
                .input(&json!({"day": "Sunday"}))
                .unwrap()
                .draft()
                .into(),
        ),
        (0, Request::address("IN", "Where shall we bring it?").into()),
        (1, Request::location("Where are you?").into()),
    ]);
}

#[test]
fn the_catalogue() {
    let picture = |id: &str| Media::new("image", Source::Id(id.into()));
    let linked = |name: &str| Media::link("image", format!("https://shop.example/{name}.jpg"));
    let order = |name: &str| format!("https://shop.example/{name}");
    as_shown(vec![
        (0, Product::new("146265584024623", "rye").body("Fresh today").into()),
        (
            0,
            Products::new("146265584024623", "Bread", "All that we have today")
                .footer("Until six")
                .section("Dark", &["rye", "spelt"])
                .section("Light", &["wheat"])
                .into(),
        ),
        (0, Catalog::new("Have a look around.").thumbnail("rye").into()),
        (
            0,
            Carousel::new(
                "New this week",
                vec![
                    Card::link(linked("rye"), "Order", order("rye")).body("Rye"),
                    Card::link(linked("oat"), "Order", order("oat")).body("Oat"),
                ],
            )
            .into(),
        ),
        (
            1,
            Carousel::new(
                "Which one?",
                vec![
                    Card::buttons(picture("17"), &[("rye", "This")]),
                    Card::buttons(picture("18"), &[("oat", "This")]),
                ],
            )
            .into(),
        ),
    ]);
}

#[test]
fn templates() {
    let picture = |id: &str| Media::new("image", Source::Id(id.into()));
    let card = |id: &str, title: &str, payload: &str| {
        let payload = Value::Payload(payload.into());
        TemplateCard::new(picture(id)).value(title).button(0, payload)
    };
    let sections = vec![ProductSection::new("Dark", &["rye"])];
    as_shown(vec![
        (
            0,
            Template::new("spring_sale", "en", Category::Marketing)
                .named("who", "Ann")
                .header(TemplateHeader::Media(Media::file("image", "spring.jpg")))
                .button(0, Value::CopyCode("SPRING26".into()))
                .button(1, Value::UrlSuffix("sale?from=chat".into()))
                .button(2, Value::Payload("stop".into()))
                .offer_ends(1_790_000_000_000)
                .by_marketing_interface()
                .into(),
        ),
        (
            1,
            Template::new("new_breads", "en_US", Category::Marketing)
                .card(card("17", "Rye", "rye"))
                .card(card("18", "Oat", "oat"))
                .into(),
        ),
        (
            2,
            Template::new("book_again", "en", Category::Utility)
                .header(TemplateHeader::place(52.52, 13.405))
                .button(
                    0,
                    Value::Flow { token: Some("t".into()), input: Some(json!({"day": "Sunday"})) },
                )
                .button(1, Value::Catalog { thumbnail: Some("rye".into()) })
                .button(2, Value::Products { thumbnail: "rye".into(), sections })
                .into(),
        ),
        (0, interactive(&example("interactive", 0))),
    ]);
}
