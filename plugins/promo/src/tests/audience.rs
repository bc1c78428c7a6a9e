//! Whom a promotion is for, looked at in each one's own turn.

use super::*;

/// What becomes of a contact when it is sent on 1 December; empty where it is.
fn refusal(to: &str, prepare: impl FnOnce(&mut Stage)) -> String {
    let promo = promo(&format!(r#""at": "2026-12-01T10:00:00", "to": {{{to}}}"#));
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    prepare(&mut stage);
    let turn = reach(&mut stage, &promo, "2026-12-01T10:00:00");
    assert_eq!(turn.verdict, Ok(Continue));
    match turn.templates().len() {
        1 => String::new(),
        _ => left_out(&turn)[0].to_owned(),
    }
}

#[test]
fn attributes_choose() {
    let has = |value: &'static str| {
        move |stage: &mut Stage| {
            stage.contact.attributes.insert("x".into(), value.into());
        }
    };
    let (yes, no) = ("", "the contact's `x` is not what is asked for");
    for (wanted, value, expected) in [
        (r#"["Bonn", "Köln"]"#, "koln", yes),
        (r#"["Bonn", "Köln"]"#, "Berlin", no),
        (r#""Bonn""#, " BONN ", yes),
        (r#""Bonn""#, "Bonn am Rhein", no),
        ("true", "anything", yes),
        ("true", " ", no),
        ("false", "anything", no),
        ("5", "5.0", yes),
        ("5", "6", no),
        (r#""> 5""#, "5", no),
        (r#""> 5""#, "5.5", yes),
        (r#"">=5""#, "5", yes),
        (r#""< 5""#, "-7", yes),
        (r#""<= 5""#, "5.01", no),
        (r#""<= 5""#, "many", no),
        (r#""<= 5""#, "NaN", no),
    ] {
        let to = format!(r#""attribute": {{"x": {wanted}}}"#);
        assert_eq!(refusal(&to, has(value)), expected, "{wanted} {value}");
    }
    for (wanted, expected) in [(r#""Bonn""#, no), ("true", no), ("false", yes), (r#""< 5""#, no)] {
        let to = format!(r#""attribute": {{"x": {wanted}}}"#);
        assert_eq!(refusal(&to, |_| {}), expected, "{wanted}, without one");
    }
}

#[test]
fn languages_choose() {
    let refused = "the contact's language is not among those asked for";
    for (language, expected) in [
        (Some("pt-BR"), ""),
        (Some("PT"), ""),
        (Some("de-AT"), ""),
        (Some("de"), refused),
        (Some("ptx"), refused),
        (None, refused),
    ] {
        let prepare = |stage: &mut Stage| stage.contact.language = language.map(Into::into);
        assert_eq!(refusal(r#""language": ["pt", "de_AT"]"#, prepare), expected, "{language:?}");
    }
}

#[test]
fn time_chooses() {
    let seen = |first: u64, last: u64| {
        move |stage: &mut Stage| {
            stage.contact.first_seen = Some(DECEMBER - first * DAY);
            stage.contact.last_seen = Some(DECEMBER - last * DAY);
        }
    };
    let lapsed = "the contact has written lately, or never";
    for (to, first, last, expected) in [
        (r#""seen_within": "30 days""#, 100, 29, ""),
        (r#""seen_within": "30 days""#, 100, 30, "the contact has not written lately"),
        (r#""silent_for": "4 weeks""#, 100, 28, ""),
        (r#""silent_for": "4 weeks""#, 100, 27, lapsed),
        (r#""new_within": "7 days""#, 6, 1, ""),
        (r#""new_within": "7 days""#, 7, 1, "the contact is not new"),
        (r#""known_for": "7 days""#, 7, 1, ""),
        (r#""known_for": "7 days""#, 6, 1, "the contact is too new"),
        (r#""silent_for": "30 days", "seen_within": "90 days""#, 100, 60, ""),
    ] {
        assert_eq!(refusal(to, seen(first, last)), expected, "{to} {first} {last}");
    }
    assert_eq!(refusal(r#""silent_for": "1 day""#, |_| {}), lapsed);
    assert_ne!(refusal(r#""seen_within": "1 day""#, |_| {}), "");
    assert_ne!(refusal(r#""known_for": "1 day""#, |_| {}), "");
}

#[test]
fn consent_chooses() {
    let with =
        |consent: &'static str| move |stage: &mut Stage| stage.contact.consent = consent.into();
    let to = r#""consent": "opted-in""#;
    assert_eq!(refusal(to, with("opted-in")), "");
    assert_eq!(refusal(to, with("")), "the contact's consent is not the one asked for");
    assert_eq!(refusal(r#""consent": "unknown""#, with("")), "");
    assert_ne!(refusal(r#""consent": "unknown""#, with("opted-in")), "");
}

#[test]
fn answers_choose() {
    let rules = r#"{"promo": [
        {"id": "spring", "template": "t", "language": "en", "every": "0 10 * * *"},
        {"id": "yes", "template": "t", "language": "en", "every": "0 10 * * *", "to": {"answered": true}},
        {"id": "no", "template": "t", "language": "en", "every": "0 10 * * *", "to": {"answered": false}}]}"#;
    let promo: Promo = configure(rules).unwrap();
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    stage.contact.first_seen = Some(DECEMBER - DAY);
    let try_both = |stage: &mut Stage| {
        ["yes", "no"].map(|id| {
            let payload = format!(r#"{{"promo": "{id}", "local": "2026-12-01T10:00:00"}}"#);
            let event = Event::Broadcast(Broadcast { id: id.into(), payload });
            // On a copy: what is sent here is a promotion too.
            let turn = stage.clone().handle(&promo, event);
            (turn.templates().len(), left_out(&turn).concat())
        })
    };
    let none = "the contact has had no promotion before".to_owned();
    let before = try_both(&mut stage);
    assert_eq!(before, [(0, none.clone()), (0, none)]);
    assert_eq!(reach(&mut stage, &promo, "2026-12-01T10:00:00").templates().len(), 1);
    stage.now += HOUR;
    assert_eq!(try_both(&mut stage).map(|(sent, _)| sent), [0, 1]);
    stage.says(&promo, "thanks");
    stage.contact.last_seen = Some(stage.now);
    stage.now += HOUR;
    assert_eq!(try_both(&mut stage).map(|(sent, _)| sent), [1, 0]);
}
