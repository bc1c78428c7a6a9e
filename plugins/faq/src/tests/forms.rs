//! How an answer looks: language, variants, values, media.

use super::*;
use switchboard_plugin::testing::Effect;

fn hotel() -> Faq {
    configure(
        r#"{
        "language": "en",
        "fallback": {"en": "Sorry, I do not know that, {name|dear guest}.", "es": "Lo siento, no lo sé, {name|estimado huésped}.", "zh": "抱歉，我不知道。", "pt-BR": "Desculpe, não sei."},
        "fallback_buttons": [{"id": "wifi", "title": {"en": "Wi-Fi", "es": "Internet"}}],
        "answer": [
            {"id": "wifi", "ask": ["wifi"], "say": {"en": "The password is sesame.", "es": "La contraseña es sésamo.", "zh": "密码是芝麻。"}},
            {"id": "tour", "ask": ["tour"], "say": ["Gladly!", "Of course!", "With pleasure!", "Sure!"]},
            {"id": "room", "ask": ["room"], "say": "Your room is {room|not known yet}, {name}."}
        ]}"#,
    )
    .unwrap()
}

#[test]
fn the_language_is_the_contacts_else_the_messages_else_the_shops() {
    let faq = hotel();
    let says = |language: Option<&str>, text: &str| {
        let mut stage = known();
        stage.contact.language = language.map(Into::into);
        let turn = stage.says(&faq, text);
        (turn.replies()[0].to_owned(), turn.because[0].clone())
    };
    for (preferred, text, reply, because) in [
        (Some("es"), "wifi", "La contraseña es sésamo.", "in `es`, as the contact prefers"),
        (Some("es-CO"), "wifi", "La contraseña es sésamo.", "in `es`, as the contact prefers"),
        // No text in it: the shop's own.
        (Some("pt"), "wifi", "The password is sesame.", "in `pt-BR`, as the contact prefers"),
        (Some("pt_BR"), "qual", "Desculpe, não sei.", "in `pt-BR`, as the contact prefers"),
        (Some("ja"), "wifi", "The password is sesame.", "in `en`, for want of a better one"),
        (None, "wifi", "The password is sesame.", "in `en`, for want of a better one"),
        (None, "几点吃早饭", "抱歉，我不知道。", "in `zh`, as the contact writes"),
        (None, "wifi 密码", "密码是芝麻。", "in `zh`, as the words are of its texts"),
        (
            None,
            "¿Podrían decirme a qué hora se sirve el desayuno mañana?",
            "Lo siento, no lo sé, estimado huésped.",
            "in `es`, as the contact writes",
        ),
        (
            None,
            "Could you tell me when breakfast is served tomorrow, please?",
            "Sorry, I do not know that, dear guest.",
            "in `en`, as the contact writes",
        ),
    ] {
        assert_eq!(says(preferred, text), (reply.into(), because.into()), "{text}");
    }
    // What is sure once holds for the short words after it.
    let mut stage = known();
    stage.says(&faq, "¿Podrían decirme a qué hora se sirve el desayuno mañana?");
    let turn = stage.says(&faq, "wifi");
    assert_eq!(turn.replies(), ["La contraseña es sésamo."]);
    assert_eq!(turn.because[0], "in `es`, as the contact writes");
}

#[test]
fn labels_have_languages_too() {
    let faq = hotel();
    let mut stage = known();
    stage.contact.language = Some("es".into());
    let turn = stage.says(&faq, "qué");
    let Some(Effect::Reply(Outgoing::Buttons(asked))) = turn.effects.last() else {
        panic!("{turn:?}")
    };
    assert_eq!(asked.buttons[0].title, "Internet");
}

#[test]
fn a_variant_lasts_a_day() {
    let faq = hotel();
    let mut seen = std::collections::BTreeSet::new();
    let mut stage = known();
    for _ in 0..40 {
        let says = |stage: &mut Stage| stage.says(&faq, "tour").replies()[0].to_owned();
        let first = says(&mut stage);
        stage.now += 3_600_000;
        assert_eq!(says(&mut stage), first);
        seen.insert(first);
        stage.now += 23 * 3_600_000;
    }
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn values_are_filled_in() {
    let faq = hotel();
    let mut stage = known();
    assert_eq!(stage.says(&faq, "room").replies(), ["Your room is not known yet,."]);
    stage.contact.name = Some("Ana".into());
    stage.contact.attributes.insert("room".into(), "{12}".into());
    assert_eq!(stage.says(&faq, "room").replies(), ["Your room is {12}, Ana."]);
}

#[test]
fn hours_are_said_in_the_language_of_the_text() {
    let says = |rules: &str, language: Option<&str>| {
        let faq = configure::<Faq>(rules).unwrap();
        let mut stage = known();
        let day = "09:00-18:00";
        stage.opens([day, day, day, day, day, day, "closed"]).unwrap();
        stage.but_on("12-25", "Christmas", "closed").unwrap();
        stage.at("2026-12-25T12:00:00");
        stage.contact.language = language.map(Into::into);
        stage.says(&faq, "x").replies()[0].to_owned()
    };
    let hours = |language: &str, say: &str| {
        format!(r#"{{{language} "answer": [{{"id": "x", "ask": ["x"], "say": {say}}}]}}"#)
    };
    let each = hours(
        r#""language": "en","#,
        r#"{"en": "{opening_hours}.", "de": "{closure}: erst {opens}.", "zh": "{opening_hours}。"}"#,
    );
    let english =
        "Monday to Saturday 9:00–18:00, closed on Sunday; 25 December (Christmas) closed.";
    assert_eq!(says(&each, None), english);
    assert_eq!(says(&each, Some("de-AT")), "Christmas: erst morgen um 9:00 Uhr.");
    assert!(says(&each, Some("zh-CN")).starts_with("周一至周六 9:00–18:00，"));
    // No text in it: words and text are both in the shop's own language.
    assert_eq!(says(&each, Some("fr")), english);
    // One text for all is in `language`; if there is none, who knows?
    let one = hours(r#""language": "de","#, r#""Wieder {opens}.""#);
    assert_eq!(says(&one, Some("es")), "Wieder morgen um 9:00 Uhr.");
    assert_eq!(says(&hours("", r#""{opens}""#), Some("es")), "mañana a las 9:00");
    // Without a calendar there are no hours to tell.
    let faq =
        configure::<Faq>(&hours("", r#""Open {opening_hours|from nine}, {opens}!""#)).unwrap();
    assert_eq!(known().says(&faq, "x").replies(), ["Open from nine,!"]);
}

#[test]
fn labels_have_values_too() {
    let faq = configure::<Faq>(
        r#"{"answer": [
            {"id": "x", "ask": ["x"], "say": "Is it you?", "footer": "{city|somewhere}, {name|a guest}",
             "buttons": [{"id": "y", "title": "{name|me}!"}]},
            {"id": "z", "ask": ["z"], "say": "Choose.", "list": {"label": "For {name|you}", "rows": [
                {"id": "a", "title": "{name|Guest}'s", "description": "To {city|us}"}]}}
        ]}"#,
    )
    .unwrap();
    let mut stage = known();
    stage.contact.name = Some("Ana".into());
    let turn = stage.says(&faq, "x");
    let [Effect::Reply(Outgoing::Buttons(asked))] = &turn.effects[..] else { panic!("{turn:?}") };
    assert_eq!(asked.footer.as_deref(), Some("somewhere, Ana"));
    assert_eq!(asked.buttons[0].title, "Ana!");
    let turn = stage.says(&faq, "z");
    let [Effect::Reply(Outgoing::Options(asked))] = &turn.effects[..] else { panic!("{turn:?}") };
    assert_eq!(asked.label, "For Ana");
    let row = &asked.sections[0].rows[0];
    assert_eq!((row.title.as_str(), row.description.as_deref()), ("Ana's", Some("To us")));
    // What no longer fits below the line stands in the text.
    stage.contact.attributes.insert("city".into(), "Llanfair".repeat(8));
    let turn = stage.says(&faq, "x");
    let [Effect::Reply(Outgoing::Buttons(asked))] = &turn.effects[..] else { panic!("{turn:?}") };
    assert_eq!(asked.footer, None);
    assert!(asked.body.starts_with("Is it you?\n\nLlanfairLlan"), "{}", asked.body);
}

/// The messages of the answer to `x`.
fn shown(answer: &str) -> Vec<Outgoing> {
    let rules = format!(r#"{{"answer": [{{"id": "a", "ask": ["x"], {answer}}}]}}"#);
    let faq = configure::<Faq>(&rules).map_err(|problems| format!("{problems:?}")).unwrap();
    let effects = known().says(&faq, "x").effects.into_iter();
    let message = |effect| match effect {
        Effect::Reply(message) => message,
        other => panic!("{other:?}"),
    };
    effects.map(message).collect()
}

#[test]
fn an_answer_has_buttons_a_list_or_media() {
    let list = shown(
        r#""say": "Choose.", "footer": "Prices with tax", "list": {"label": "See all", "rows": [{"id": "a", "title": "A", "description": "First"}, {"id": "b", "title": "B"}]}"#,
    );
    let [Outgoing::Options(options)] = &list[..] else { panic!("{list:?}") };
    assert_eq!((options.body.as_str(), options.label.as_str()), ("Choose.", "See all"));
    assert_eq!(options.footer.as_deref(), Some("Prices with tax"));
    assert_eq!(options.sections[0].rows[0].description.as_deref(), Some("First"));

    let json = |messages: &[Outgoing]| -> Vec<(String, String)> {
        let other = |message: &Outgoing| match message {
            Outgoing::Other(other) => (other.kind.clone(), other.json.clone()),
            Outgoing::Text(text) => ("text".into(), text.clone()),
            message => panic!("{message:?}"),
        };
        messages.iter().map(other).collect()
    };
    let image = r#""media": {"kind": "image", "link": "https://shop.example/menu.jpg"}"#;
    let [(kind, form)] = &json(&shown(&format!(r#""say": "Our menu.", {image}"#)))[..] else {
        panic!("one message")
    };
    assert_eq!(
        (kind.as_str(), form.as_str()),
        (
            "media",
            r#"{"kind":"image","source":{"link":"https://shop.example/menu.jpg"},"caption":"Our menu."}"#
        )
    );
    let buttons = r#""buttons": [{"id": "b", "title": "B"}]"#;
    let [(kind, form)] = &json(&shown(&format!(r#""say": "Our menu.", {image}, {buttons}"#)))[..]
    else {
        panic!("one message")
    };
    assert_eq!(kind, "buttons");
    assert!(form.contains("menu.jpg") && form.contains(r#""body":"Our menu.""#), "{form}");
    // A voice note has no caption, and a long text is none.
    let voice = json(&shown(r#""say": "Listen.", "media": {"kind": "voice", "id": "77"}"#));
    assert_eq!(voice[0].1, r#"{"kind":"voice","source":{"id":"77"}}"#);
    assert_eq!(voice[1], ("text".into(), "Listen.".into()));
    let long = "word ".repeat(300);
    let parts = json(&shown(&format!(r#""say": "{long}", {image}"#)));
    assert_eq!((parts.len(), parts[1].0.as_str()), (2, "text"));
}
