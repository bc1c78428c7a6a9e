//! What comes otherwise than one would think: late, twice, from several hands.

use super::*;

fn operator(stage: &mut Stage, tagger: &Tagger) -> testing::Turn {
    let json = r#"{"action": "tag", "name": "x", "by": "operator"}"#;
    stage.handle(tagger, Event::Other(Other { kind: "operator".into(), json: json.into() }))
}

fn loaded(stage: &mut Stage, tagger: &Tagger) -> testing::Turn {
    stage.channel_lane = true;
    let json = r#"{"field": "rules-loaded"}"#;
    let turn =
        stage.handle(tagger, Event::Other(Other { kind: "account".into(), json: json.into() }));
    stage.channel_lane = false;
    turn
}

fn sent(stage: &mut Stage, tagger: &Tagger, sent_at: Instant, content: Content) -> testing::Turn {
    let message = Message { id: "wamid.late".into(), sent_at, content };
    stage.handle(tagger, Event::Message(message))
}

#[test]
fn a_message_that_comes_late_counts_when_it_was_sent() {
    let text = || Content::Text("a".into());
    let night = rule(r#""hours": "22:00-06:00""#);
    let mut stage = Stage::default();
    let now = stage.now;
    assert_eq!(changes(&sent(&mut stage, &night, now - 8 * 3_600_000, text())), ["+t"]);

    // Three on one day, one of which came behind the next day's.
    let often = rule(r#""messages_min": 3, "within_days": 2, "only_while": true"#);
    let mut stage = Stage::default();
    stage.says(&often, "a");
    stage.says(&often, "a");
    let day = stage.now;
    stage.now += 2 * DAY_MS;
    assert_eq!(changes(&stage.says(&often, "a")), [""; 0]);
    assert_eq!(changes(&sent(&mut stage, &often, day, text())), [""; 0], "too long ago");
    assert_eq!(changes(&sent(&mut stage, &often, day + DAY_MS, text())), [""; 0]);
    assert_eq!(changes(&sent(&mut stage, &often, day + DAY_MS, text())), ["+t"]);
    // A clock that is ahead of ours is not believed.
    let ahead = stage.now + 400 * DAY_MS;
    assert_eq!(changes(&sent(&mut stage, &often, ahead, text())), [""; 0]);
}

#[test]
fn an_order_without_a_price_is_an_order() {
    let tagger = rule(r#""orders_min": 1"#);
    let bare = r#"{"product": "p", "quantity": 2, "price": null, "currency": null}"#;
    assert_eq!(changes(&Stage::default().sends(&tagger, order(bare))), ["+t"]);
    assert_eq!(changes(&Stage::default().sends(&tagger, order(""))), [""; 0]);
    // One currency, however it is written.
    let tagger = rule(r#""spent_min": 20"#);
    let mut stage = Stage::default();
    stage.sends(&tagger, order(&item(10.0, 1, "EUR")));
    assert_eq!(changes(&stage.sends(&tagger, order(&item(10.0, 1, "eur")))), ["+t"]);
}

#[test]
fn what_a_rule_took_away_is_not_back_with_the_next_message() {
    for key in [r#""has": ["x"], "only_while": true"#, r#""messages_min": 2"#, r#""new_days": 9"#] {
        let tagger = tagger(&format!(
            r#"{{"tag": [{{"name": "t", {key}}},
                         {{"name": "t", "any": ["called"], "remove": true}}]}}"#
        ));
        let mut stage = Stage::default();
        stage.contact.tags.insert("x".into());
        stage.says(&tagger, "a");
        stage.says(&tagger, "a");
        assert!(stage.contact.tags.contains("t"), "{key}");
        assert_eq!(changes(&stage.says(&tagger, "called")), ["-t"], "{key}");
        assert_eq!(changes(&stage.says(&tagger, "hm")), [""; 0], "{key}");
        // Nor what a person took away.
        stage.contact.tags.remove("t");
        assert_eq!(changes(&stage.says(&tagger, "hm")), [""; 0], "{key}");
    }
}

#[test]
fn a_tag_that_expires_takes_along_what_hangs_on_it() {
    let tagger = tagger(
        r#"{"tag": [{"name": "complaint", "any": ["terrible"], "expires_days": 30},
                    {"name": "call-back", "has": ["complaint"], "only_while": true}]}"#,
    );
    let mut stage = Stage::default();
    let end = stage.now + 30 * DAY_MS;
    let turn = stage.says(&tagger, "terrible");
    assert_eq!((changes(&turn).len(), turn.timers()), (2, vec![(TIMER, end)]));
    let turn = pass(&mut stage, &tagger, end);
    assert_eq!((changes(&turn), turn.timers()), (vec!["-call-back".into()], vec![]));
    assert!(stage.kv.is_empty(), "{:?}", stage.kv);
    // It was set for longer meanwhile: the timer is early.
    stage.says(&tagger, "terrible");
    stage.now += 10 * DAY_MS;
    stage.says(&tagger, "terrible");
    let turn = pass(&mut stage, &tagger, end + 30 * DAY_MS);
    assert_eq!((changes(&turn).len(), turn.timers()), (0, vec![(TIMER, end + 40 * DAY_MS)]));
}

#[test]
fn what_cools_down_is_looked_at_when_it_is_over() {
    let tagger = rule(r#""has": ["x"], "only_while": true, "cooldown_days": 7"#);
    let mut stage = Stage::default();
    let end = stage.now + 7 * DAY_MS;
    stage.contact.tags.insert("x".into());
    assert_eq!(stage.says(&tagger, "a").timers(), [(TIMER, end)]);
    stage.contact.tags.remove("x");
    assert_eq!(changes(&stage.says(&tagger, "a")), ["-t"]);
    stage.contact.tags.insert("x".into());
    assert_eq!(changes(&stage.says(&tagger, "a")), [""; 0]);
    assert_eq!(changes(&pass(&mut stage, &tagger, end)), ["+t"]);
}

#[test]
fn an_operators_tag_settles_at_once() {
    let tagger = rule(r#""has": ["x"], "only_while": true"#);
    let mut stage = Stage::default();
    stage.contact.tags.insert("x".into());
    assert_eq!(changes(&operator(&mut stage, &tagger)), ["+t"]);
    stage.contact.tags.remove("x");
    assert_eq!(changes(&operator(&mut stage, &tagger)), ["-t"]);
}

/// Two contacts, of whom the host has made one: the key-values of both are in
/// its lane.
#[test]
fn of_two_contacts_that_are_one_nothing_counted_is_lost() {
    let tagger = tagger(
        r#"{"tag": [{"name": "vip", "orders_min": 3, "within_days": 90, "only_while": true},
                    {"name": "t", "has": ["x"], "only_while": true}]}"#,
    );
    let buys = |stage: &mut Stage| changes(&stage.sends(&tagger, order(&item(9.0, 1, "EUR"))));
    let (mut one, mut other) = (Stage::default(), Stage::default());
    other.contact.tags.insert("x".into());
    assert_eq!((buys(&mut one).len(), buys(&mut other).len()), (0, 1));
    let [theirs] = &other.kv.into_iter().collect::<Vec<_>>()[..] else { panic!() };
    one.kv.insert((false, theirs.0.1.replace("c1", "c2")), theirs.1.clone());
    // As the host joins tags; `x` was taken away meanwhile.
    one.contact.tags.insert("t".into());
    assert_eq!(buys(&mut one), ["+vip", "-t"]);
    assert_eq!(one.kv.len(), 1, "one value again");
    assert_eq!(kept(&one).days.values().map(|day| day.orders).sum::<u32>(), 3);
    let due = one.says(&tagger, "a").timers().len();
    assert_eq!(due, 0, "its timer is set once");
}

#[test]
fn rules_reach_those_who_were_there_before_them_once() {
    let mut stage = Stage::default();
    stage.says(&tagger("{}"), "hi");
    let silent = rule(r#""silent_days": 30"#);
    let turn = loaded(&mut stage, &silent);
    let [Effect::Broadcast { id, to, .. }] = &turn.effects[..] else { panic!("{turn:?}") };
    assert!(to.all_of.is_empty() && to.any_of.is_empty() && to.none_of.is_empty());
    // Loaded again, with no rule about contacts changed.
    stage.now += 1000;
    assert_eq!(loaded(&mut stage, &silent).effects, []);
    let more = r#"{"tag": [{"name": "t", "silent_days": 30}, {"name": "u", "any": ["u"]}]}"#;
    assert_eq!(loaded(&mut stage, &tagger(more)).effects, []);
    assert_eq!(loaded(&mut stage, &rule(r#""silent_days": 20"#)).effects.len(), 1);
    // The member's turn sets the timer that no message has.
    let member = Event::Broadcast(Broadcast { id: id.clone(), payload: String::new() });
    let turn = stage.handle(&silent, member.clone());
    let due = stage.contact.last_seen.unwrap() + 30 * DAY_MS;
    assert_eq!(turn.timers(), [(TIMER, due)]);
    assert_eq!(changes(&pass(&mut stage, &silent, due)), ["+t"]);
    // Whoever has been silent for longer is so now.
    let mut stage = Stage::default();
    stage.says(&tagger("{}"), "hi");
    stage.now += 90 * DAY_MS;
    assert_eq!(changes(&stage.handle(&silent, member)), ["+t"]);
    // Where nobody asks for the contact, nobody is looked at.
    assert_eq!(loaded(&mut Stage::default(), &rule(r#""any": ["a"]"#)).effects, []);
}

/// Over both changes of the clock, what falls out of a window does so once and
/// not before its day is over.
#[test]
fn days_are_those_of_the_business_also_when_the_clocks_change() {
    let often = rule(r#""messages_min": 2, "within_days": 7, "only_while": true"#);
    for start in ["2026-03-26T23:30:00", "2026-10-22T00:15:00", "2026-10-24T23:59:00"] {
        let mut stage = Stage { zone: "Europe/Berlin".into(), ..Stage::default() };
        stage.at(start).says(&often, "a");
        let turn = stage.says(&often, "a");
        assert_eq!(changes(&turn), ["+t"]);
        let mut due = turn.timers()[0].1;
        let mut fired = 0;
        loop {
            fired += 1;
            let turn = pass(&mut stage, &often, due);
            match turn.timers()[..] {
                [] => break assert_eq!(changes(&turn), ["-t"]),
                [(_, later), ..] => due = later,
            }
        }
        assert!(fired <= 2, "{start}: {fired}");
        assert!(due - stage.contact.last_seen.unwrap() > 6 * DAY_MS, "{start}");
    }
}
