//! What hours does with messages and timers, run natively.

use super::*;
use switchboard_plugin::testing::{Effect, Stage, configure};

const WEEKDAYS: &str = "09:00-18:00";
const HOUR: u64 = 3_600_000;

/// A plugin with these rules, and a business that is open on weekdays.
fn of(rules: &str) -> (Hours, Stage) {
    let mut stage = Stage { zone: "Europe/Berlin".into(), ..Stage::default() };
    stage.opens([WEEKDAYS, WEEKDAYS, WEEKDAYS, WEEKDAYS, WEEKDAYS, "closed", "closed"]).unwrap();
    stage.but_on("2026-12-25", "Christmas", "closed").unwrap();
    (configure::<Hours>(rules).unwrap(), stage)
}

const AWAY: &str = r#"{"away": "Closed. We open again {opens}."}"#;

#[test]
fn whoever_writes_while_it_is_closed_is_told_once_when_it_opens() {
    let (plugin, mut stage) = of(AWAY);
    stage.at("2026-11-27T17:59:00");
    let turn = stage.says(&plugin, "are you there?");
    assert_eq!((turn.replies(), &turn.verdict), (vec![], &Ok(Continue)));
    stage.at("2026-11-27T19:00:00");
    let turn = stage.says(&plugin, "are you there?");
    assert_eq!(turn.replies(), ["Closed. We open again on Monday at 9:00."]);
    assert_eq!(turn.verdict, Ok(Stop));
    // Once for the whole weekend, and again the next evening that it is closed.
    stage.at("2026-11-29T12:00:00");
    let turn = stage.says(&plugin, "hello?");
    assert_eq!((turn.replies(), &turn.verdict), (vec![], &Ok(Continue)));
    stage.at("2026-11-30T20:00:00");
    let turn = stage.says(&plugin, "hello?");
    assert_eq!(turn.replies(), ["Closed. We open again tomorrow at 9:00."]);
}

#[test]
fn a_closure_has_a_text_and_a_name_of_its_own() {
    let (plugin, mut stage) = of(r#"{
        "away": "Closed until {opens}, {name|dear guest}.",
        "closure": [{"name": "Christmas", "away": {"en": "{closure}! Back {opens}.", "de": "Wieder {opens}."}}]
    }"#);
    stage.at("2026-12-25T12:00:00");
    assert_eq!(stage.says(&plugin, "hi").replies(), ["Christmas! Back on Monday at 9:00."]);
    let (_, mut stage) = of(AWAY);
    stage.contact.language = Some("de-AT".into());
    stage.at("2026-12-25T12:00:00");
    assert_eq!(stage.says(&plugin, "hi").replies(), ["Wieder am Montag um 9:00 Uhr."]);
    // In the night before, the shop is closed as on any night.
    let (_, mut stage) = of(AWAY);
    stage.at("2026-12-24T20:00:00");
    let turn = stage.says(&plugin, "hi");
    assert_eq!(turn.replies(), ["Closed until on Monday at 9:00, dear guest."]);
}

#[test]
fn what_is_said_of_the_hours_is_in_the_language_of_the_text() {
    let (plugin, mut stage) =
        of(r#"{"away": {"en": "Back {opens}, {city|friend}.", "de": "Wieder {opens}."}}"#);
    stage.at("2026-11-30T20:00:00");
    stage.contact.language = Some("es".into());
    stage.contact.attributes.insert("city".into(), "Bonn".into());
    assert_eq!(stage.says(&plugin, "hola").replies(), ["Back tomorrow at 9:00, Bonn."]);
    // For everybody: who knows in which language.
    let (plugin, _) = of(r#"{"away": "{opens}"}"#);
    stage.at("2026-12-01T20:00:00");
    assert_eq!(stage.says(&plugin, "hola").replies(), ["mañana a las 9:00"]);
}

#[test]
fn who_is_new_is_told_in_the_language_of_the_message_and_later_too() {
    let (plugin, mut stage) = of(r#"{"away": {
        "en": "Back {opens}.", "de": "Wieder da {opens}.", "zh": "{opens}恢复营业。"
    }}"#);
    let night = |stage: &mut Stage, at: &str, text: &str| {
        stage.at(at);
        stage.says(&plugin, text).replies().join("|")
    };
    let question = "Guten Abend, haben Sie morgen früh frische Brötchen für mich?";
    assert_eq!(night(&mut stage, "2026-11-30T20:00:00", question), "Wieder da morgen um 9:00 Uhr.");
    assert_eq!(night(&mut stage, "2026-12-01T20:00:00", "ok"), "Wieder da morgen um 9:00 Uhr.");
    // A wish goes before, and what is not known is English.
    stage.contact.language = Some("en".into());
    assert_eq!(night(&mut stage, "2026-12-02T20:00:00", question), "Back tomorrow at 9:00.");
    let (_, mut stage) = of(AWAY);
    assert_eq!(night(&mut stage, "2026-11-30T20:00:00", "ok"), "Back tomorrow at 9:00.");
    assert_eq!(night(&mut stage, "2026-12-01T20:00:00", "你们几点开门？"), "明天9:00恢复营业。");
}

#[test]
fn a_greeting_comes_first_and_swallows_nothing() {
    let (plugin, mut stage) = of(
        r#"{"greeting": "Hello {name}! {opening_hours}.", "greeting_after": "30 days", "away": "Closed."}"#,
    );
    stage.contact.name = Some("Ann".into());
    stage.at("2026-11-23T10:00:00");
    let turn = stage.says(&plugin, "do you have bread?");
    let hours = "Hello Ann! Monday to Friday 9:00–18:00, closed on Saturday and Sunday.";
    assert_eq!((turn.replies(), &turn.verdict), (vec![hours], &Ok(Continue)));
    stage.now += 29 * 24 * HOUR;
    assert!(stage.says(&plugin, "bread?").replies().is_empty());
    // The silence counts from the last message, and both may be said.
    stage.at("2027-01-23T10:00:00");
    assert_eq!(stage.says(&plugin, "bread?").replies(), [hours, "Closed."]);
    assert!(stage.says(&plugin, "bread?").replies().is_empty());
}

#[test]
fn tag_and_handoff_wait_for_the_opening() {
    let (plugin, mut stage) = of(r#"{"tag": "night", "handoff": true}"#);
    stage.at("2026-11-27T19:00:00");
    let turn = stage.says(&plugin, "help");
    stage.at("2026-11-30T09:00:00");
    assert_eq!(turn.timers(), [("opening", stage.now)]);
    assert_eq!(turn.verdict, Ok(Continue));
    assert!(stage.contact.tags.contains("night"));
    let timer = || Event::Timer(Timer { name: "opening".into(), due: 0, payload: String::new() });
    let turn = stage.handle(&plugin, timer());
    assert_eq!(turn.effects, [Effect::Handoff("wrote while it was closed".into())]);
    // A person answers: neither words nor another handoff.
    assert!(stage.handle(&plugin, timer()).effects.is_empty());
    stage.at("2026-11-30T20:00:00");
    assert!(stage.says(&plugin, "help").effects.is_empty());
    // The hours were changed meanwhile: it waits for the new ones.
    stage.contact.in_handoff = false;
    let turn = stage.handle(&plugin, timer());
    stage.at("2026-12-01T09:00:00");
    assert_eq!(turn.timers(), [("opening", stage.now)]);
}

#[test]
fn without_a_calendar_and_for_a_reaction_nothing_is_said() {
    let (plugin, mut stage) = of(AWAY);
    stage.at("2026-11-28T12:00:00");
    let reaction = Reaction { message_id: "wamid.1".into(), emoji: Some("👍".into()) };
    assert!(stage.sends(&plugin, Content::Reaction(reaction)).effects.is_empty());
    stage.calendar = None;
    let turn = stage.says(&plugin, "hi");
    assert!(turn.effects.is_empty());
    assert!(turn.because[0].contains("no calendar"), "{:?}", turn.because);
}

#[test]
fn mistakes_in_the_rules_are_named() {
    let wrong = |rules: &str| {
        let problems = configure::<Hours>(rules).err().unwrap();
        problems.into_iter().map(|it| format!("{} {}", it.path, it.message)).collect::<Vec<_>>()
    };
    assert_eq!(
        wrong(r#"{"greeting": {"en": "Hi {nam}"}, "away": "{opens", "greeting_after": "a month"}"#),
        [
            "/greeting/en `{nam}` is none of `{name}`, `{language}`, `{opening_hours}`, `{opens}`, \
             `{closure}`. If it is an attribute, say what to take where a contact has none: \
             `{nam|…}`",
            "/away braces stand for a value, as in `{name}` or `{name|friend}`; one that is meant as a \
             brace is written `\\{` or `\\}`, and a backslash `\\\\` (This bracket is not opening or \
             closing anything. Try removing it, or escaping it with a backslash.)",
            "/greeting_after `a month` is not a time such as `30 days` or `12 hours`",
        ]
    );
    assert_eq!(
        wrong(r#"{"greeting_after": "1 day"}"#),
        ["/greeting_after has no effect without `greeting`"]
    );
    let twice = r#"{"closure": [{"name": "A", "away": "b"}, {"name": "A", "away": "c"}]}"#;
    assert_eq!(wrong(twice), ["/closure/1/name another one has the name `A`"]);
}
