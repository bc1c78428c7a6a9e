//! What depends on who asks and on what was said before.

use super::*;
use switchboard_plugin::testing::Effect;

const MINUTE_MS: Instant = 60_000;

fn bistro() -> Faq {
    configure(
        r#"{
        "fallback": "Pardon?", "handoff_after": 3, "handoff_say": "A person will read this.",
        "cannot_hear": "I cannot hear voice notes. Please write.",
        "did_you_mean": "Which do you mean?",
        "synonym": [{"words": ["delivery", "shipping", "home service"]}],
        "answer": [
            {"id": "table", "title": "A table", "ask": ["book a table"], "say": "For how many?", "follow_up": ["many"], "tags": ["guest"]},
            {"id": "many", "ask": [{"regex": "^\\d+$"}, "how many people"], "say": "Up to 12."},
            {"id": "in", "title": "Eat here", "ask": ["menu here"], "say": "Our menu."},
            {"id": "out", "title": "Take away", "ask": ["menu home"], "say": "Our boxes."},
            {"id": "delivery", "ask": ["delivery time"], "say": "An hour.", "stop": false},
            {"id": "vip", "ask": ["the back room"], "say": "It is yours.", "when": {"all": ["vip"], "none": ["banned"]}},
            {"id": "other", "ask": ["the back room"], "say": "By invitation.", "when": {"none": ["vip"], "channels": ["main"]}},
            {"id": "elsewhere", "ask": ["the cellar"], "say": "Below.", "when": {"channels": ["second"]}},
            {"id": "order", "ask": [{"prefix": "order"}], "say": "Which order?"},
            {"id": "code", "ask": [{"exact": "Sesame"}], "say": "Open."}
        ]}"#,
    )
    .unwrap()
}

#[test]
fn lines_are_compared_as_the_owner_says() {
    let faq = bistro();
    for (text, answer) in [
        ("sesame!", "Open."),
        ("sesame please", "Pardon?"),
        ("Order 66", "Which order?"),
        ("in which order", "Pardon?"),
        ("ordering", "Pardon?"),
        ("shipping time?", "An hour."),
        ("time of the home service", "An hour."),
    ] {
        assert_eq!(known().says(&faq, text).replies(), [answer], "{text}");
    }
}

#[test]
fn synonyms_are_found_where_words_have_no_spaces() {
    let shop = |synonyms: &str| {
        let rules = format!(
            r#"{{"fallback": "Pardon?", {synonyms} "answer": [
                {{"id": "returns", "ask": ["怎么退货", "退货要多久"], "say": "returns"}},
                {{"id": "delivery", "ask": ["你们送货吗", "送货多少钱"], "say": "delivery"}},
                {{"id": "goods", "ask": ["商品有现货吗", "商品坏了"], "say": "goods"}},
                {{"id": "postage", "ask": ["配送料はいくらですか"], "say": "postage"}},
                {{"id": "toilet", "ask": ["ห้องน้ำไปทางไหน"], "say": "toilet"}}]}}"#
        );
        configure::<Faq>(&rules).unwrap()
    };
    let without = shop("");
    let with = shop(
        r#""synonym": [
            {"words": ["商品", "货", "东西"]}, {"words": ["退货", "寄回去", "退回"]},
            {"words": ["送货", "外卖"]}, {"words": ["送料", "配送料", "デリバリー代"]},
            {"words": ["ห้องน้ำ", "ส้วม"]}],"#,
    );
    for (text, answer) in [
        ("衣服寄回去要多久", "returns"),
        ("你好，有外卖吗", "delivery"),
        ("东西坏了怎么办", "goods"),
        ("デリバリー代を教えてください", "postage"),
        ("ขอเข้าส้วมหน่อย", "toilet"),
    ] {
        assert_eq!(known().says(&without, text).replies(), ["Pardon?"], "{text}");
        assert_eq!(known().says(&with, text).replies(), [answer], "{text}");
    }
    // `货` in `退货` and `送货` is no goods, and `送料` in `配送料` not another one.
    for (text, answer) in
        [("退货要多久", "returns"), ("你们送货吗", "delivery"), ("配送料はいくらですか", "postage")]
    {
        let turn = known().says(&with, text);
        assert_eq!(turn.replies(), [answer]);
        assert!(turn.because[0].contains("is asked word for word"), "{:?}", turn.because);
    }
}

#[test]
fn a_follow_up_is_an_answer_only_right_after_the_other() {
    let faq = bistro();
    let mut stage = known();
    assert_eq!(stage.says(&faq, "12").replies(), ["Pardon?"]);
    assert_eq!(stage.says(&faq, "I'd like to book a table").replies(), ["For how many?"]);
    assert!(stage.contact.tags.contains("guest"));
    let turn = stage.says(&faq, "12");
    assert_eq!(turn.replies(), ["Up to 12."]);
    assert!(turn.because[0].starts_with("right after `table`: `many`"), "{:?}", turn.because);
    // That was another answer, so the first one is over.
    assert_eq!(stage.says(&faq, "12").replies(), ["Pardon?"]);
    // A question between does not end it, half an hour does.
    stage.says(&faq, "book a table");
    stage.says(&faq, "is it loud where you are");
    assert_eq!(stage.clone().says(&faq, "12").replies(), ["Up to 12."]);
    stage.now += 30 * MINUTE_MS;
    assert_eq!(stage.says(&faq, "12").replies(), ["Pardon?"]);
    // Who taps on it has seen it.
    assert_eq!(known().taps(&faq, "many", "How many?").replies(), ["Up to 12."]);
}

#[test]
fn answers_that_are_alike_are_offered() {
    let faq = bistro();
    let turn = known().says(&faq, "menu here or menu home");
    let [Effect::Reply(Outgoing::Buttons(asked))] = &turn.effects[..] else { panic!("{turn:?}") };
    assert_eq!(asked.body, "Which do you mean?");
    let mut offered: Vec<_> =
        asked.buttons.iter().map(|it| (it.id.as_str(), it.title.as_str())).collect();
    offered.sort_unstable();
    assert_eq!(offered, [("in", "Eat here"), ("out", "Take away")]);
    assert_eq!(known().taps(&faq, "out", "Take away").replies(), ["Our boxes."]);
    // Neither is sure, and either is likelier than anything else.
    let turn = known().says(&faq, "the menu please");
    let [Effect::Reply(Outgoing::Buttons(asked))] = &turn.effects[..] else { panic!("{turn:?}") };
    assert_eq!(asked.buttons.len(), 2);
    // Asked word for word, there is nothing to choose.
    assert_eq!(known().says(&faq, "Menu here").replies(), ["Our menu."]);
}

#[test]
fn a_threshold_keeps_unsure_answers_back() {
    let rules = |threshold: &str| {
        let rules = format!(
            r#"{{"fallback": "Pardon?", {threshold} "answer": [{{"id": "a", "ask": ["blue suede shoes in stock"], "say": "Yes."}}]}}"#
        );
        configure::<Faq>(&rules).unwrap()
    };
    let asked = "blue suede shoes";
    assert_eq!(known().says(&rules(""), asked).replies(), ["Yes."]);
    let turn = known().says(&rules(r#""threshold": 1.0,"#), asked);
    assert_eq!(turn.replies(), ["Pardon?"]);
    assert!(turn.because.iter().any(|it| it == "less sure than 1 is no answer"), "{turn:?}");
}

#[test]
fn an_answer_is_for_those_it_is_meant_for() {
    let faq = bistro();
    let asks = |tags: &[&str], text: &str| {
        let mut stage = known();
        stage.contact.tags.extend(tags.iter().map(|tag| (*tag).to_owned()));
        let turn = stage.says(&faq, text);
        turn.replies().iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(asks(&["vip"], "the back room"), ["It is yours."]);
    assert_eq!(asks(&[], "the back room"), ["By invitation."]);
    assert_eq!(asks(&["vip", "banned"], "the back room"), ["Pardon?"]);
    assert_eq!(asks(&[], "the cellar"), ["Pardon?"]);
}

/// Monday to Friday, and closed at Christmas.
fn with_hours(local: &str) -> Stage {
    let mut stage = known();
    stage.zone = "Europe/Berlin".into();
    let day = "09:00-18:00";
    stage.opens([day, day, day, day, day, "closed", "closed"]).unwrap();
    stage.but_on("12-25", "Christmas", "closed").unwrap();
    stage.at(local);
    stage
}

const OPEN: &str = "2026-11-23T12:00:00";
const CLOSED: &str = "2026-11-23T20:00:00";

#[test]
fn an_answer_has_its_hours() {
    let faq = configure::<Faq>(
        r#"{"answer": [
            {"id": "call", "ask": ["can I call you"], "say": "Yes, now.", "when": {"open": true}},
            {"id": "later", "ask": ["can I call you"], "say": "Yes, {opens}.", "when": {"open": false}},
            {"id": "vip", "ask": ["the night bell"], "say": "Ring.", "when": {"open": false, "all": ["vip"]}}
        ]}"#,
    )
    .unwrap();
    let asks = |mut stage: Stage, text: &str| {
        let turn = stage.says(&faq, text);
        turn.replies().iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(asks(with_hours(OPEN), "can I call you?"), ["Yes, now."]);
    assert_eq!(asks(with_hours(CLOSED), "can I call you?"), ["Yes, tomorrow at 9:00."]);
    // A button may have been sent while it was otherwise.
    let turn = with_hours(CLOSED).taps(&faq, "call", "Can I call you?");
    assert_eq!(turn.replies(), ["Yes, tomorrow at 9:00."]);
    assert_eq!(turn.because[0], "the tap names `call`, which is not for now");
    // Without a calendar it counts as open.
    assert_eq!(asks(known(), "can I call you?"), ["Yes, now."]);
    // With tags, both must hold.
    let vip = |mut stage: Stage| {
        stage.contact.tags.insert("vip".into());
        asks(stage, "the night bell")
    };
    assert_eq!(vip(with_hours(CLOSED)), ["Ring."]);
    assert_eq!(vip(with_hours(OPEN)), [""; 0]);
    assert_eq!(asks(with_hours(CLOSED), "the night bell"), [""; 0]);
}

#[test]
fn the_fallback_has_its_hours_too() {
    let faq = configure::<Faq>(
        r#"{"fallback": "Pardon?", "fallback_when": {"open": true}, "handoff_after": 2, "answer": []}"#,
    )
    .unwrap();
    assert_eq!(with_hours(OPEN).says(&faq, "mumble").replies(), ["Pardon?"]);
    // While it is closed the next step may say so. The question is kept all the
    // same, and nothing counts as a miss: nobody is there to take over.
    let mut stage = with_hours(CLOSED);
    for _ in 0..3 {
        let turn = stage.says(&faq, "mumble");
        assert_eq!(turn.effects, [Effect::Unanswered("mumble".into())]);
        assert_eq!(turn.verdict, Ok(Continue));
        let why = "the fallback is not for now, or not for this contact";
        assert!(turn.because.iter().any(|it| it == why), "{:?}", turn.because);
    }
    stage.at("2026-11-24T12:00:00");
    assert_eq!(stage.says(&faq, "mumble").replies(), ["Pardon?"]);
}

#[test]
fn the_chain_goes_on_where_the_owner_wants_it() {
    let faq = bistro();
    assert_eq!(known().says(&faq, "delivery time").verdict, Ok(Continue));
    assert_eq!(known().says(&faq, "sesame").verdict, Ok(Stop));
}

#[test]
fn three_misses_in_a_row_call_a_person() {
    let faq = bistro();
    let mut stage = known();
    assert_eq!(stage.says(&faq, "mumble").replies(), ["Pardon?"]);
    assert_eq!(stage.says(&faq, "mumble").replies(), ["Pardon?"]);
    // An answer ends the row; a hello is no miss.
    stage.says(&faq, "sesame");
    stage.says(&faq, "mumble");
    stage.says(&faq, "hello");
    assert_eq!(stage.says(&faq, "mumble").replies(), ["Pardon?"]);
    let turn = stage.says(&faq, "mumble");
    assert_eq!(turn.replies(), ["A person will read this."]);
    let handoff = Effect::Handoff("3 messages in a row that no answer fits".into());
    assert_eq!(turn.effects.last(), Some(&handoff));
    assert!(stage.contact.in_handoff);
    // The next day is another row.
    let mut stage = known();
    stage.says(&faq, "mumble");
    stage.says(&faq, "mumble");
    stage.now += 24 * 60 * MINUTE_MS;
    assert_eq!(stage.says(&faq, "mumble").replies(), ["Pardon?"]);
}

#[test]
fn a_voice_note_is_told_that_nobody_hears_it() {
    let faq = bistro();
    let voice = Content::Media(Media {
        kind: "voice".into(),
        id: "1".into(),
        mime_type: "audio/ogg".into(),
        caption: None,
        filename: None,
    });
    let mut stage = known();
    assert_eq!(
        stage.sends(&faq, voice.clone()).replies(),
        ["I cannot hear voice notes. Please write."]
    );
    stage.sends(&faq, voice.clone());
    assert_eq!(stage.sends(&faq, voice).replies(), ["A person will read this."]);
}

#[test]
fn two_machines_do_not_talk_for_ever() {
    let faq = configure::<Faq>(
        r#"{"fallback": "Pardon?", "fallback_at_most": 2, "answer": [{"id": "a", "ask": ["sesame"], "say": "Open."}]}"#,
    )
    .unwrap();
    let mut stage = known();
    for _ in 0..2 {
        assert_eq!(stage.says(&faq, "I am a machine").replies(), ["Pardon?"]);
    }
    for _ in 0..20 {
        let turn = stage.says(&faq, "I am a machine");
        assert_eq!((turn.replies(), &turn.verdict), (vec![], &Ok(Stop)));
        let why = "the fallback was said 2 times within the hour";
        assert!(turn.because.iter().any(|it| it == why), "{:?}", turn.because);
    }
    // An answer begins anew, and so does an hour.
    let mut later = stage.clone();
    later.now += 60 * MINUTE_MS;
    assert_eq!(later.says(&faq, "I am a machine").replies(), ["Pardon?"]);
    stage.says(&faq, "sesame");
    assert_eq!(stage.says(&faq, "I am a machine").replies(), ["Pardon?"]);
}

#[test]
fn questions_without_an_answer_are_kept_for_the_owner() {
    let faq = bistro();
    let kept = |stage: &mut Stage, text: &str| {
        let effects = stage.says(&faq, text).effects.into_iter();
        let question = |effect| match effect {
            Effect::Unanswered(question) => Some(question),
            _ => None,
        };
        effects.filter_map(question).collect::<Vec<_>>()
    };
    assert_eq!(kept(&mut known(), " Is there a dress code? "), ["Is there a dress code?"]);
    for text in ["sesame", "hello", "thanks", "👍", "??", "menu here or menu home"] {
        assert_eq!(kept(&mut known(), text), [""; 0], "{text}");
    }
    // Also the one that a person gets; and a long one as far as it goes.
    let mut stage = known();
    for _ in 0..3 {
        assert_eq!(kept(&mut stage, "mumble"), ["mumble"]);
    }
    assert_eq!(kept(&mut known(), &"é".repeat(800))[0].len(), 1_000);
    // A machine that repeats itself does not fill the list.
    let plain = configure::<Faq>(r#"{"fallback": "Pardon?", "answer": []}"#).unwrap();
    let mut stage = known();
    let count = |stage: &mut Stage| stage.says(&plain, "I am a machine").effects.len();
    assert_eq!([0; 5].map(|_| count(&mut stage)), [2, 2, 2, 0, 0]);
}

#[test]
fn an_answer_may_leave_the_rest_to_a_person() {
    let faq = configure::<Faq>(
        r#"{"answer": [
            {"id": "table", "ask": ["book a table"], "say": "For how many?", "follow_up": ["many"]},
            {"id": "many", "ask": [{"regex": "\\d"}], "say": "A colleague confirms it.", "handoff": "wants a table"}
        ]}"#,
    )
    .unwrap();
    let mut stage = known();
    stage.says(&faq, "book a table");
    assert!(!stage.contact.in_handoff);
    let turn = stage.says(&faq, "4, on Friday at 7");
    assert_eq!(turn.replies(), ["A colleague confirms it."]);
    assert!(turn.effects.contains(&Effect::Handoff("wants a table".into())), "{:?}", turn.effects);
    assert_eq!(stage.says(&faq, "book a table").replies(), [""; 0]);
}
