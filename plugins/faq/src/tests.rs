//! What is answered and what is not, run natively.

mod dialogue;
mod forms;
mod mistakes;

use super::*;
use std::fmt::Write;
use switchboard_plugin::testing::{Stage, configure};

const SHOP: &str = r#"{
    "greeting": "Welcome!",
    "fallback": "Pardon?",
    "fallback_buttons": [{"id": "hours", "title": "Hours"}],
    "answer": [
        {"id": "hours", "ask": ["What are your opening hours?", "When do you open?", "营业时间是什么时候"], "say": "9 to 18."},
        {"id": "delivery", "ask": ["Do you deliver?", "delivery"], "say": "We do.",
         "buttons": [{"id": "price", "title": "Price?"}]},
        {"id": "price", "ask": ["delivery price", "How much is delivery?", "¿Cuánto cuesta el envío?"], "say": "3 euros."},
        {"id": "returns", "ask": ["退"], "say": "Within 14 days."}
    ]}"#;

fn shop() -> Faq {
    configure(SHOP).unwrap()
}

/// A stage on which the greeting has been said.
fn known() -> Stage {
    let mut stage = Stage::default();
    stage.contact.message_count = 1;
    stage.contact.first_seen = Some(stage.now);
    stage
}

#[test]
fn questions_find_their_answers() {
    let faq = shop();
    for (text, answer) in [
        ("what are your OPENING HOURS", "9 to 18."),
        ("Hi! I wanted to ask, when do you open on Saturdays?", "9 to 18."),
        ("opening hour please", "9 to 18."),
        ("hours?? opening??", "9 to 18."),
        ("营业时间是什么时候？", "9 to 18."),
        ("请问营业时间是几点", "9 to 18."),
        ("do you deliver to Bonn", "We do."),
        ("cuanto cuesta el envio", "3 euros."),
        ("what is the delivery price to Rome", "3 euros."),
        ("我想退货", "Within 14 days."),
        ("Where is my parcel", "Pardon?"),
        ("can I open an account with you", "Pardon?"),
        ("送货单时", "Pardon?"),
        ("?", "Pardon?"),
    ] {
        assert_eq!(known().says(&faq, text).replies(), [answer], "{text}");
    }
}

#[test]
fn the_surest_answer_wins_and_says_why() {
    let faq = shop();
    let turn = known().says(&faq, "the delivery price please");
    assert_eq!(turn.replies(), ["3 euros."]);
    assert_eq!(
        turn.because,
        ["`price` is asked as a phrase (0.92), then `delivery` is asked as a phrase (0.91)"]
    );
    let turn = known().says(&faq, "delivery");
    assert_eq!(turn.because[0].split(',').next(), Some("`delivery` is asked word for word (1.00)"));
    // Of equals, the first rule.
    let twins = r#"{"answer": [{"id": "a", "ask": ["x y"], "say": "A"}, {"id": "b", "ask": ["x y"], "say": "B"}]}"#;
    let twins = configure::<Faq>(twins).unwrap();
    assert_eq!(known().says(&twins, "x y").replies(), ["A"]);
    assert_eq!(known().says(&twins, "so x y now").replies(), ["A"]);
}

#[test]
fn a_tap_names_its_answer() {
    let faq = shop();
    let turn = known().says(&faq, "do you deliver");
    let [testing::Effect::Reply(Outgoing::Buttons(buttons))] = &turn.effects[..] else {
        panic!("{turn:?}")
    };
    assert_eq!(buttons.buttons[0].id, "price");
    let turn = known().taps(&faq, "price", "Price?");
    assert_eq!(turn.replies(), ["3 euros."]);
    // Someone else's button: its title is matched like a text.
    assert_eq!(known().taps(&faq, "x-1", "Opening hours").replies(), ["9 to 18."]);
}

#[test]
fn the_first_message_is_greeted_once() {
    let faq = shop();
    let mut stage = Stage::default();
    assert_eq!(stage.says(&faq, "Do you deliver?").replies(), ["Welcome!", "We do."]);
    assert_eq!(stage.says(&faq, "Do you deliver?").replies(), ["We do."]);
    stage.now += 400 * DAY_MS;
    assert_eq!(stage.says(&faq, "Do you deliver?").replies(), ["We do."]);
    for text in ["hello", "thanks", "👍"] {
        let turn = Stage::default().says(&faq, text);
        assert_eq!((turn.replies(), &turn.verdict), (vec!["Welcome!"], &Ok(Stop)), "{text}");
    }
}

/// A newcomer whose question had no answer read the greeting alone, and
/// waited.
#[test]
fn a_first_question_without_an_answer_is_greeted_and_told_so() {
    let faq = configure::<Faq>(&SHOP.replacen('{', r#"{"handoff_after": 2,"#, 1)).unwrap();
    let voice = Content::Media(Media {
        kind: "voice".into(),
        id: "1".into(),
        mime_type: "audio/ogg".into(),
        caption: None,
        filename: None,
    });
    for content in [Content::Text("Hello, is it loud where you are?".into()), voice] {
        let mut stage = Stage::default();
        let turn = stage.sends(&faq, content);
        assert_eq!((turn.replies(), &turn.verdict), (vec!["Welcome!", "Pardon?"], &Ok(Stop)));
        let with_buttons = |effect: &testing::Effect| matches!(effect, testing::Effect::Reply(Outgoing::Buttons(it)) if it.body == "Pardon?");
        assert!(turn.effects.iter().any(with_buttons), "{:?}", turn.effects);
        // It is the first miss of a row.
        stage.says(&faq, "mumble");
        assert!(stage.contact.in_handoff);
    }
    // A hello is none.
    let mut stage = Stage::default();
    stage.says(&faq, "hello");
    stage.says(&faq, "mumble");
    assert!(!stage.contact.in_handoff);
}

#[test]
fn whoever_comes_back_is_greeted_again() {
    let faq = configure::<Faq>(&SHOP.replacen('{', r#"{"greeting_after_days": 30,"#, 1)).unwrap();
    let mut stage = Stage::default();
    for (days, replies) in [
        (0, vec!["Welcome!", "We do."]),
        (29, vec!["We do."]),
        (30, vec!["Welcome!", "We do."]),
        (1, vec!["We do."]),
    ] {
        stage.now += days * DAY_MS;
        assert_eq!(stage.says(&faq, "Do you deliver?").replies(), replies, "{days} days later");
    }
}

#[test]
fn silence_where_nothing_was_asked() {
    let faq = shop();
    let media = |kind: &str, caption: Option<&str>| {
        Content::Media(Media {
            kind: kind.into(),
            id: "1".into(),
            mime_type: "x/y".into(),
            caption: caption.map(Into::into),
            filename: None,
        })
    };
    let reaction =
        Content::Reaction(Reaction { message_id: "1".into(), emoji: Some("👍".into()) });
    for content in [media("image", None), media("sticker", None), reaction] {
        let turn = known().sends(&faq, content);
        assert_eq!((turn.effects.len(), turn.verdict), (0, Ok(Continue)));
    }
    let asked = media("image", Some("do you deliver this?"));
    assert_eq!(known().sends(&faq, asked).replies(), ["We do."]);
    assert_eq!(known().sends(&faq, media("voice", None)).replies(), ["Pardon?"]);
    // Nothing is asked: whoever is next in the chain may have more to say.
    for text in ["thanks", "👍"] {
        let turn = known().says(&faq, text);
        assert_eq!((turn.effects.len(), turn.verdict), (0, Ok(Continue)), "{text}");
    }
    // A person is answering.
    let mut stage = known();
    stage.contact.in_handoff = true;
    let turn = stage.says(&faq, "Do you deliver?");
    assert_eq!((turn.effects.len(), turn.verdict), (0, Ok(Continue)));
    // Without a fallback, others have their turn.
    let plain = configure::<Faq>(r#"{"answer": []}"#).unwrap();
    assert_eq!(known().says(&plain, "hm").verdict, Ok(Continue));
}

#[test]
fn mistakes_are_told_with_their_place() {
    let rules = r#"{"fallback_buttons": [{"id": "a", "title": "A"}], "answer": [
        {"id": "a", "ask": ["x"], "say": "1"}, {"id": "a", "ask": ["y", "?!"], "say": "2"}]}"#;
    let problems = configure::<Faq>(rules).err().unwrap();
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["/answer/1/id", "/fallback_buttons", "/answer/1/ask/1"]);
}

#[test]
fn many_rules_are_looked_up_by_word() {
    let mut rules =
        String::from(r#"{"answer": [{"id": "a", "ask": ["needle in hay"], "say": "N"}"#);
    for n in 0..2_000 {
        write!(
            rules,
            r#", {{"id": "r{n}", "ask": ["topic{n} word{}", "about thing{n}"], "say": "{n}"}}"#,
            n % 7
        )
        .unwrap();
    }
    rules.push_str("]}");
    let faq = configure::<Faq>(&rules).unwrap();
    assert_eq!(known().says(&faq, "a needle in hay").replies(), ["N"]);
    assert_eq!(known().says(&faq, "what about thing1999?").replies(), ["1999"]);
    assert_eq!(known().says(&faq, "word3 topic10").replies(), ["10"]);
    assert_eq!(known().says(&faq, "word3").replies(), [""; 0]);
}

const SMALL: &str = r#"{"fallback": "Pardon?", "answer": [
    {"id": "delivery", "ask": ["delivery"], "say": "delivery"},
    {"id": "refund", "ask": ["how do I get a refund", "money back"], "say": "refund"},
    {"id": "hours", "ask": ["opening hours", "when do you open", "営業時間は何時ですか", "영업 시간"], "say": "hours"},
    {"id": "vegan", "ask": ["do you have vegan food", "есть ли веганские блюда"], "say": "vegan"},
    {"id": "pets", "ask": ["can I bring my dog", "هل يمكنني إحضار كلبي", "พาสุนัขมาได้ไหม"], "say": "pets"}
]}"#;

#[test]
fn slips_greetings_and_scripts_do_not_hide_a_question() {
    let faq = configure::<Faq>(SMALL).unwrap();
    let mut missed = Vec::new();
    for (text, answer) in [
        ("delievery", "delivery"),
        ("DELIVERY!!! 🚚", "delivery"),
        ("Hello there, delivery please :)", "delivery"),
        ("good morning, how can i get a refnd", "refund"),
        ("refunds?", "refund"),
        ("hi, is there any vegan fooood", "vegan"),
        ("can i bring dogs", "pets"),
        ("営業時間を教えてください", "hours"),
        ("영업 시간 알려주세요", "hours"),
        ("у вас есть веганские блюда?", "vegan"),
        ("هل يمكنني احضار كلبي معي", "pets"),
        ("พาสุนัขเข้ามาได้ไหมคะ", "pets"),
        ("ｄｅｌｉｖｅｒｙ", "delivery"),
    ] {
        if known().says(&faq, text).replies() != [answer] {
            missed.push(text);
        }
    }
    assert_eq!(missed, [""; 0]);
    for text in ["asdf qwer", "who won the match", "what is the meaning of life", "我的包裹在哪里"]
    {
        assert_eq!(known().says(&faq, text).replies(), ["Pardon?"], "{text}");
    }
}
