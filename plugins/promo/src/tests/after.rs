//! What happens to a contact, and what follows.

use super::*;

const VIP: &str = r#""after": {"tag": "vip", "wait": "2 days"}"#;

/// The promotion's daily look at a contact.
fn look(stage: &mut Stage, promo: &Promo) -> Turn {
    let local = business::local_time(stage.now, "UTC").unwrap();
    reach(stage, promo, &local)
}

#[test]
fn a_look_at_once_and_then_daily() {
    let promo = promo(VIP);
    let mut stage = Stage::default();
    let turn = loaded(&mut stage, &promo);
    assert_eq!(turn.timers(), [("spring", stage.now)]);
    let turn = fire(&mut stage, &promo, &turn);
    let [Effect::Broadcast { id, to, .. }, _] = &turn.effects[..] else { panic!("{turn:?}") };
    // Everyone: who has the tag now does not get it anew.
    assert_eq!((id.as_str(), to.all_of.len()), ("spring@2026-03-02T10:00:00", 0));
    assert_eq!(turn.timers(), [("spring", at("2026-03-03T00:00:00", "UTC"))]);
    let turn = fire(&mut stage, &promo, &turn);
    assert_eq!(turn.timers(), [("spring", at("2026-03-04T00:00:00", "UTC"))]);
}

#[test]
fn a_tag_is_set_and_two_days_later() {
    let promo = promo(VIP);
    let mut stage = known(&promo);
    stage.now += HOUR;
    assert_eq!(stage.says(&promo, "hello").effects, []);
    stage.now += HOUR;
    // The step before this one has set it.
    stage.contact.tags.insert("vip".into());
    let turn = stage.says(&promo, "here is my card");
    assert_eq!(turn.verdict, Ok(Continue));
    assert_eq!(turn.timers(), [("send/spring", stage.now + 2 * DAY)]);
    // Only once for one tag.
    assert_eq!(stage.says(&promo, "and now?").effects, []);
    assert_eq!(look(&mut stage, &promo).timers(), []);
    assert_eq!(fire(&mut stage, &promo, &turn).templates()[0].name, "spring_sale");
    assert_eq!(fire(&mut stage, &promo, &turn).templates().len(), 0);
    // Taken off and set again it is another time.
    stage.contact.tags.clear();
    assert_eq!(stage.says(&promo, "no card").effects, []);
    stage.now += HOUR;
    stage.contact.tags.insert("vip".into());
    let turn = stage.says(&promo, "a card");
    assert_eq!(fire(&mut stage, &promo, &turn).templates().len(), 1);
}

#[test]
fn a_newcomers_first_message_may_set_the_tag() {
    let promo = promo(VIP);
    let mut stage = known(&promo);
    stage.contact.tags.insert("vip".into());
    assert_eq!(stage.says(&promo, "hello").timers(), [("send/spring", stage.now + 2 * DAY)]);
}

#[test]
fn who_had_the_tag_before_the_rule_does_not_get_it() {
    let promo = promo(VIP);
    let mut stage = known(&promo);
    stage.contact.tags.insert("vip".into());
    stage.contact.first_seen = Some(stage.now - DAY);
    let mut looked = stage.clone();
    assert_eq!(stage.says(&promo, "hello").effects, []);
    let turn = look(&mut looked, &promo);
    assert_eq!(left_out(&turn), ["`vip` has not been set anew"]);
    assert_eq!(looked.says(&promo, "hello").effects, []);
}

#[test]
fn an_operators_tag_is_noticed_by_the_next_look() {
    let promo = promo(VIP);
    let mut stage = known(&promo);
    stage.contact.first_seen = Some(stage.now - DAY);
    look(&mut stage, &promo);
    stage.now += 5 * HOUR;
    stage.contact.tags.insert("vip".into());
    stage.now += 9 * HOUR;
    assert_eq!(look(&mut stage, &promo).timers(), [("send/spring", stage.now + 2 * DAY)]);
}

#[test]
fn who_loses_the_tag_while_waiting_does_not_get_it() {
    let promo = promo(VIP);
    let mut stage = known(&promo);
    stage.contact.tags.insert("vip".into());
    let turn = stage.says(&promo, "hello");
    stage.contact.tags.clear();
    let turn = fire(&mut stage, &promo, &turn);
    assert_eq!(left_out(&turn), ["the contact has no `vip` any more"]);
}

#[test]
fn two_that_wait_for_one_tag_do_not_take_it_from_each_other() {
    let rules = r#"{"promo": [
        {"id": "a", "template": "t", "language": "en", "after": {"tag": "vip", "wait": "1 day"}},
        {"id": "b", "template": "t", "language": "en", "after": {"tag": "vip", "wait": "2 days"}}]}"#;
    let promo: Promo = configure(rules).unwrap();
    let mut stage = known(&promo);
    stage.contact.tags.insert("vip".into());
    let turn = stage.says(&promo, "hello");
    assert_eq!(turn.timers(), [("send/a", stage.now + DAY), ("send/b", stage.now + 2 * DAY)]);
}

fn order() -> Content {
    Content::Other(Other { kind: "order".into(), json: "{}".into() })
}

#[test]
fn an_order_and_what_they_thought_of_it() {
    let promo = promo(r#""after": {"order": true, "wait": "3 hours"}, "category": "utility""#);
    let mut stage = known(&promo);
    assert!(stage.kv.keys().any(|(_, key)| key == "plan/main/spring"), "no look is needed");
    assert_eq!(stage.says(&promo, "I'd like to order").effects, []);
    let turn = stage.sends(&promo, order());
    assert_eq!(turn.timers(), [("send/spring", stage.now + 3 * HOUR)]);
    assert_eq!(fire(&mut stage, &promo, &turn).templates().len(), 1);
    // Without a wait it comes after the answer to the order.
    let at_once = super::promo(r#""after": {"order": true}"#);
    let turn = stage.sends(&at_once, order());
    assert_eq!(
        (turn.timers(), turn.verdict.clone()),
        (vec![("send/spring", stage.now)], Ok(Continue))
    );
    assert_eq!(fire(&mut stage, &at_once, &turn).templates().len(), 1);
}

#[test]
fn silence_begins_anew_with_each_message() {
    let promo = promo(r#""after": {"silence": "30 days"}"#);
    let mut stage = known(&promo);
    let first = stage.says(&promo, "hello");
    assert_eq!(first.timers(), [("send/spring", stage.now + 30 * DAY)]);
    stage.now += 10 * DAY;
    let second = stage.says(&promo, "hello again");
    // The same name: the later one is in the place of the earlier.
    assert_eq!(second.timers(), [("send/spring", stage.now + 30 * DAY)]);
    stage.contact.last_seen = Some(stage.now);
    // A message that another step kept from this one.
    stage.now += 5 * DAY;
    stage.contact.last_seen = Some(stage.now);
    let turn = fire(&mut stage, &promo, &second);
    assert_eq!(turn.timers(), [("send/spring", stage.now + 5 * DAY)]);
    assert_eq!(fire(&mut stage, &promo, &turn).templates().len(), 1);
}

#[test]
fn silences_that_began_before_the_rule_end_with_it() {
    let promo = promo(r#""after": {"silence": "30 days"}"#);
    let stage = known(&promo);
    let now = stage.now;
    let looked = |last: Option<Instant>| {
        let mut stage = stage.clone();
        stage.contact.first_seen = last.map(|_| 0);
        stage.contact.last_seen = last;
        look(&mut stage, &promo)
    };
    assert_eq!(looked(Some(now - 20 * DAY)).timers(), [("send/spring", now + 10 * DAY)]);
    let long = "the contact was silent for longer when the rule came";
    assert_eq!(left_out(&looked(Some(now - 40 * DAY))), [long]);
    assert_eq!(left_out(&looked(None)), ["the contact has never written"]);
}
