//! What depends on how often and when a contact writes, and on time alone.

use super::*;
use moment::DAY_MS;

#[test]
fn whoever_is_silent_is_tagged_by_a_timer_until_the_next_message() {
    let tagger = rule(r#""silent_days": 30"#);
    let mut stage = Stage::default();
    let start = stage.now;
    let turn = stage.says(&tagger, "hi");
    assert_eq!((changes(&turn).len(), turn.timers()), (0, vec![(TIMER, start + 30 * DAY_MS)]));
    // Each message moves what is due, but not the timer.
    stage.now += 10 * DAY_MS;
    assert_eq!(stage.says(&tagger, "hi").timers(), []);
    let turn = pass(&mut stage, &tagger, start + 30 * DAY_MS);
    assert_eq!((changes(&turn).len(), turn.timers()), (0, vec![(TIMER, start + 40 * DAY_MS)]));
    let turn = pass(&mut stage, &tagger, start + 40 * DAY_MS);
    assert_eq!(turn.because, ["+ t: no message for 30 days"]);
    assert_eq!(turn.timers(), [], "there is nothing to wait for");
    stage.now += DAY_MS;
    let turn = stage.says(&tagger, "back");
    assert_eq!((changes(&turn), turn.timers().len()), (vec!["-t".to_owned()], 1));
}

#[test]
fn a_timer_looks_at_the_rules_there_are_by_then() {
    let mut stage = Stage::default();
    stage.says(&rule(r#""silent_days": 30"#), "hi");
    let due = stage.now + 30 * DAY_MS;
    let later = rule(r#""silent_days": 60"#);
    let turn = pass(&mut stage, &later, due);
    assert_eq!((changes(&turn).len(), turn.timers()), (0, vec![(TIMER, due + 30 * DAY_MS)]));
    let none = tagger("{}");
    assert_eq!(pass(&mut stage, &none, due + 30 * DAY_MS).effects, []);
    // Sooner than before.
    stage.says(&rule(r#""silent_days": 30"#), "hi");
    let turn = stage.says(&rule(r#""silent_days": 3"#), "hi");
    assert_eq!(turn.timers(), [(TIMER, stage.now + 3 * DAY_MS)]);
}

#[test]
fn new_for_some_days_and_known_after_them() {
    let tagger = tagger(
        r#"{"tag": [{"name": "new", "new_days": 14}, {"name": "known", "known_days": 14}]}"#,
    );
    let mut stage = Stage::default();
    let end = stage.now + 14 * DAY_MS;
    let turn = stage.says(&tagger, "hi");
    assert_eq!(turn.effects[0], Effect::Tag { name: "new".into(), expires: Some(end) });
    assert_eq!(turn.timers(), [(TIMER, end)]);
    stage.now += DAY_MS;
    assert_eq!(changes(&stage.says(&tagger, "hi")), [""; 0]);
    assert_eq!(changes(&pass(&mut stage, &tagger, end)), ["+known"]);
    assert!(!stage.contact.tags.contains("new"));
}

#[test]
fn messages_ever_and_within_days() {
    let mut stage = Stage::default();
    let ever = rule(r#""messages_min": 3"#);
    assert_eq!(changes(&stage.says(&ever, "a")), [""; 0]);
    assert_eq!(changes(&stage.says(&ever, "a")), [""; 0]);
    assert_eq!(stage.says(&ever, "a").because, ["+ t: 3 messages"]);

    let often = rule(r#""messages_min": 3, "within_days": 2, "only_while": true"#);
    let mut stage = Stage::default();
    for _ in 0..2 {
        assert_eq!(changes(&stage.says(&often, "a")), [""; 0]);
        stage.now += 2 * DAY_MS;
    }
    assert_eq!(changes(&stage.says(&often, "a")), [""; 0], "the first is too long ago");
    stage.now += DAY_MS;
    stage.says(&often, "a");
    let turn = stage.says(&often, "a");
    assert_eq!(turn.because, ["+ t: 3 messages within 2 days"]);
    // Days pass, and it is true no longer.
    let due = turn.timers()[0].1;
    assert!(due > stage.now && due <= stage.now + 2 * DAY_MS);
    assert_eq!(changes(&pass(&mut stage, &often, due)), ["-t"]);
}

#[test]
fn edits_and_notices_are_no_messages() {
    let often = rule(r#""messages_min": 2, "within_days": 2"#);
    let mut stage = Stage::default();
    stage.says(&often, "a");
    for kind in ["edit", "revoked", "notice"] {
        let content = Content::Other(Other { kind: kind.into(), json: "{}".into() });
        assert_eq!(changes(&stage.sends(&often, content)), [""; 0], "{kind}");
    }
    assert_eq!(changes(&stage.says(&often, "a")), ["+t"]);
}

#[test]
fn good_customers_by_orders_or_by_what_they_spend() {
    let tagger = tagger(
        r#"{"tag": [
            {"name": "vip", "orders_min": 3, "within_days": 90, "only_while": true},
            {"name": "vip", "spent_min": 200, "within_days": 90, "only_while": true}]}"#,
    );
    let mut stage = Stage::default();
    let mut orders = |price: f64, days: u64| {
        stage.now += days * DAY_MS;
        stage.sends(&tagger, order(&item(price, 1, "EUR"))).because
    };
    assert_eq!(orders(150.0, 0), [""; 0]);
    assert_eq!(orders(40.0, 60), [""; 0]);
    // The first is too long ago for both.
    assert_eq!(orders(45.0, 40), [""; 0]);
    assert_eq!(orders(115.0, 0), ["+ vip: ordered for 200.00 EUR within 90 days"]);
    assert_eq!(orders(1.0, 0), [""; 0]);
    let mut stage = Stage::default();
    for _ in 0..2 {
        stage.sends(&tagger, order(&item(1.0, 1, "EUR")));
    }
    stage.says(&tagger, "no order");
    let turn = stage.sends(&tagger, order(&item(1.0, 1, "EUR")));
    assert_eq!(turn.because, ["+ vip: 3 orders within 90 days"]);
    // With nothing more, it ends by itself.
    let [(TIMER, due)] = turn.timers()[..] else { panic!("{:?}", turn.effects) };
    assert_eq!(changes(&pass(&mut stage, &tagger, due)), ["-vip"]);
}

#[test]
fn whoever_comes_back_after_days() {
    let tagger = rule(r#""away_days": 20"#);
    let mut stage = Stage::default();
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0]);
    stage.now += 19 * DAY_MS;
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0]);
    stage.now += 20 * DAY_MS;
    assert_eq!(stage.says(&tagger, "a").because, ["+ t: the message before was 20 days ago"]);
}

#[test]
fn at_hours_and_on_days_of_the_week() {
    let tagger = rule(r#""hours": "22:00-02:00", "weekdays": ["fri", "sat"]"#);
    for (local, fits) in [
        ("2026-03-06T23:15:00", true),
        ("2026-03-07T01:59:00", true),
        ("2026-03-08T01:00:00", false),
        ("2026-03-06T12:00:00", false),
    ] {
        let mut stage = Stage { zone: "America/Bogota".into(), ..Stage::default() };
        let turn = stage.at(local).says(&tagger, "a");
        assert_eq!(changes(&turn).len(), usize::from(fits), "{local}");
    }
}

#[test]
fn at_hours_it_usually_writes() {
    let keys = r#""usually": {"hours": "18:00-24:00", "share": 0.75, "of": 4}, "only_while": true"#;
    let tagger = rule(keys);
    let mut stage = Stage::default();
    let mut writes = |local: &str| changes(&stage.at(local).says(&tagger, "a"));
    assert_eq!(writes("2026-03-02T18:00:00"), [""; 0]);
    assert_eq!(writes("2026-03-03T23:00:00"), [""; 0]);
    assert_eq!(writes("2026-03-04T19:00:00"), [""; 0], "too few to say");
    assert_eq!(writes("2026-03-05T10:00:00"), ["+t"]);
    assert_eq!(writes("2026-03-06T10:00:00"), ["-t"]);

    let weekend = rule(r#""usually": {"weekdays": ["sat", "sun"], "of": 2}"#);
    let mut stage = Stage::default();
    assert_eq!(changes(&stage.at("2026-03-07T10:00:00").says(&weekend, "a")), [""; 0]);
    let turn = stage.at("2026-03-08T10:00:00").says(&weekend, "a");
    assert_eq!(turn.because, ["+ t: 100 % of its messages come at these times"]);
}

#[test]
fn a_cooldown_keeps_a_rule_from_acting_again() {
    let tagger = tagger(
        r#"{"tag": [{"name": "t", "any": ["a"], "expires_days": 2, "cooldown_days": 7},
                    {"name": "t", "any": ["b"], "remove": true}]}"#,
    );
    let mut stage = Stage::default();
    assert_eq!(changes(&stage.says(&tagger, "a")), ["+t"]);
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0], "nor does it move the end");
    assert_eq!(changes(&stage.says(&tagger, "b")), ["-t"]);
    stage.now += 7 * DAY_MS - 1;
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0]);
    stage.now += 1;
    assert_eq!(changes(&stage.says(&tagger, "a")), ["+t"]);
    // Without the key, nothing of it is remembered.
    stage.says(&rule(r#""any": ["a"]"#), "c");
    assert!(stage.kv.is_empty(), "{:?}", stage.kv);
}

const TOPICS: &str = r#"{
    "topic": [{"name": "delivery", "words": ["delivery", "deliver"], "tag": "likes-delivery"},
              {"name": "cakes", "words": ["cake"]}],
    "preferences": {"least": 2, "half_life_days": 10}}"#;

#[test]
fn what_is_asked_about_most_is_preferred() {
    let (tagger, mut stage) = (tagger(TOPICS), Stage::default());
    assert_eq!(stage.says(&tagger, "Do you deliver?").effects, []);
    let turn = stage.says(&tagger, "And the delivery costs?");
    assert_eq!(stage.contact.attributes["prefers"], "delivery");
    assert_eq!(
        turn.because,
        [
            "prefers = delivery: 2.0 questions of late",
            "+ likes-delivery: asks about `delivery` most"
        ]
    );
    stage.says(&tagger, "a cake");
    assert_eq!(stage.says(&tagger, "a cake!").effects, [], "a tie changes nothing");
    assert_eq!(stage.says(&tagger, "cake").because.len(), 2);
    assert_eq!(stage.contact.attributes["prefers"], "cakes");
    assert!(!stage.contact.tags.contains("likes-delivery"));
    // Half of it counts after ten days.
    stage.now += 20 * DAY_MS;
    stage.says(&tagger, "delivery");
    assert_eq!(stage.contact.attributes["prefers"], "cakes", "once is too little");
    stage.says(&tagger, "delivery");
    assert_eq!(stage.contact.attributes["prefers"], "delivery");
    // The owner drops the topic.
    let fewer = r#"{"topic": [{"name": "cakes", "words": ["cake"]}]}"#;
    stage.says(&super::tagger(fewer), "hm");
    assert!(stage.contact.attributes.is_empty() && stage.contact.tags.is_empty());
}

#[test]
fn a_preference_counts_in_rules_of_the_same_turn() {
    let rules = TOPICS.replacen(
        '{',
        r#"{"tag": [{"name": "t", "has": ["likes-delivery"], "only_while": true}],"#,
        1,
    );
    let (tagger, mut stage) = (tagger(&rules), Stage::default());
    stage.says(&tagger, "deliver");
    assert_eq!(changes(&stage.says(&tagger, "deliver")), ["+likes-delivery", "+t"]);
}

#[test]
fn what_is_remembered_stays_small() {
    let tagger =
        rule(r#""messages_min": 9999, "within_days": 30, "usually": {"hours": "1:00-2:00"}"#);
    let mut stage = Stage::default();
    for _ in 0..1_000 {
        stage.says(&tagger, "a");
        stage.now += DAY_MS / 2;
    }
    let state = kept(&stage);
    assert_eq!(state.days.len(), 30);
    assert!(state.hours.iter().sum::<u32>() <= 400);
    assert!(stage.kv.values().next().unwrap().0.len() < 2_000);
}
