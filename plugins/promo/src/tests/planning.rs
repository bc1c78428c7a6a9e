//! In the channel's lane: what is planned and what begins.

use super::*;

#[test]
fn a_promotion_runs_once_at_its_time() {
    let promo = promo(r#""at": "2026-12-01T10:00:00", "to": {"all": ["vip"]}"#);
    let mut stage = Stage::default();
    let turn = loaded(&mut stage, &promo);
    assert_eq!(turn.timers(), [("spring", DECEMBER)]);
    // Loading the same rules again changes nothing.
    assert_eq!(loaded(&mut stage, &promo).effects, []);
    let fired = fire(&mut stage, &promo, &turn);
    let [Effect::Broadcast { id, to, .. }] = &fired.effects[..] else { panic!("{fired:?}") };
    assert_eq!((id.as_str(), &to.all_of), ("spring@2026-12-01T10:00:00", &vec!["vip".into()]));
    assert_eq!(loaded(&mut stage, &promo).effects, []);
}

#[test]
fn it_begins_on_its_terms() {
    let terms = |fields: &str| {
        let promo = promo(&format!(r#""at": "2026-12-01T10:00:00"{fields}"#));
        let mut stage = Stage::default();
        let planned = loaded(&mut stage, &promo);
        match fire(&mut stage, &promo, &planned).effects.into_iter().next() {
            Some(Effect::Broadcast { terms, .. }) => terms,
            effect => panic!("{effect:?}"),
        }
    };
    assert_eq!(terms(""), Terms::default());
    let (per_hour, goal) = (Some(500), Some(Goal::Tag("bought".into())));
    let within_ms = Some(2 * DAY);
    assert_eq!(
        terms(r#", "per_hour": 500, "converted": {"tag": "bought", "within": "2 days"}"#),
        Terms { per_hour, goal, within_ms }
    );
    let goal = Some(Goal::Order);
    let order = Terms { goal, ..Terms::default() };
    assert_eq!(terms(r#", "converted": {"order": true}"#), order);
}

#[test]
fn one_that_is_over_is_never_sent() {
    let past = promo(r#""at": "2025-12-01T10:00:00""#);
    let turn = loaded(&mut Stage::default(), &past);
    assert_eq!(turn.timers(), []);
    assert_eq!(turn.because, ["`spring` has no time to come: 2025-12-01T10:00:00 has passed"]);
}

#[test]
fn changed_and_removed_promotions_lose_their_timers() {
    let mut stage = Stage::default();
    loaded(&mut stage, &promo(r#""at": "2026-12-01T10:00:00""#));
    let turn = loaded(&mut stage, &promo(r#""at": "2026-12-01T12:00:00""#));
    assert_eq!(turn.effects[0], Effect::CancelTimer("spring".into()));
    assert_eq!(turn.timers(), [("spring", DECEMBER + 2 * HOUR)]);
    let turn = loaded(&mut stage, &configure("{}").unwrap());
    assert_eq!(turn.effects, [Effect::CancelTimer("spring".into())]);
    assert!(stage.kv.is_empty());
}

#[test]
fn cron_runs_again_and_again() {
    let promo = promo(r#""every": "0 10 * * MON", "zone": "Europe/Berlin""#);
    let mut stage = Stage::default();
    let mut turn = loaded(&mut stage, &promo);
    let mut ids = Vec::new();
    for _ in 0..2 {
        turn = fire(&mut stage, &promo, &turn);
        let broadcast = |effect: &Effect| match effect {
            Effect::Broadcast { id, .. } => Some(id.clone()),
            _ => None,
        };
        ids.extend(turn.effects.iter().find_map(broadcast));
    }
    assert_eq!(ids, ["spring@2026-03-09T10:00:00", "spring@2026-03-16T10:00:00"]);
}

#[test]
fn more_promotions_than_a_turn_can_plan() {
    let one =
        |n| format!(r#"{{"id": "p{n}", "template": "t", "language": "en", "every": "0 9 * * *"}}"#);
    let all: Vec<String> = (0..100).map(one).collect();
    let promo: Promo = configure(&format!(r#"{{"promo": [{}]}}"#, all.join(","))).unwrap();
    let mut stage = Stage::default();
    let mut planned = 0;
    let mut turn = loaded(&mut stage, &promo);
    while turn.timers().iter().any(|(name, _)| *name == plan::GO_ON) {
        planned += turn.effects.len() - 1;
        assert!(turn.effects.len() <= 50);
        let timer = Timer { name: plan::GO_ON.into(), due: stage.now, payload: String::new() };
        turn = stage.handle(&promo, Event::Timer(timer));
    }
    assert_eq!(planned + turn.effects.len(), 100);
}

#[test]
fn one_that_is_switched_off_is_taken_out() {
    let on = promo(r#""at": "2026-12-01T10:00:00", "zone": "recipient""#);
    let off = promo(r#""at": "2026-12-01T10:00:00", "zone": "recipient", "enabled": false"#);
    let mut stage = Stage::default();
    assert_eq!(loaded(&mut stage, &off).effects, []);
    let planned = loaded(&mut stage, &on);
    let turn = loaded(&mut stage, &off);
    assert_eq!(turn.effects, [Effect::CancelTimer("spring".into())]);
    assert_eq!(turn.because, ["`spring` is switched off"]);
    // One that came due meanwhile, and one who waits already.
    assert_eq!(fire(&mut stage, &off, &planned).effects, []);
    stage.channel_lane = false;
    let turn = reach(&mut stage, &off, "2026-12-01T10:00:00");
    assert_eq!(left_out(&turn), ["it is switched off"]);
    // Switched on again, it is planned again.
    stage.channel_lane = true;
    stage.now = DECEMBER - 30 * DAY;
    assert_eq!(loaded(&mut stage, &on).timers(), [("spring", DECEMBER - 14 * HOUR)]);
}

#[test]
fn clocks_are_changed_and_ten_is_ten() {
    let promo = promo(r#""every": "30 2 * * *", "zone": "Europe/Berlin""#);
    let mut stage = Stage { now: at("2026-03-28T00:00:00", "UTC"), ..Stage::default() };
    let mut turn = loaded(&mut stage, &promo);
    let mut times = Vec::new();
    for _ in 0..3 {
        times.push(turn.timers()[0].1);
        turn = fire(&mut stage, &promo, &turn);
    }
    // 02:30 is skipped on the 29th: the moment after the gap.
    let expected = ["2026-03-28T01:30:00", "2026-03-29T01:00:00", "2026-03-30T00:30:00"];
    assert_eq!(times, expected.map(|time| at(time, "UTC")));
}

#[test]
fn what_holds_for_all_is_said_once() {
    let rules = r#"{"zone": "Asia/Tokyo", "quiet": "20:00-10:00", "cap": "1 per day", "promo": [
        {"id": "a", "template": "t", "language": "en", "every": "0 9 * * *"},
        {"id": "b", "template": "t", "language": "en", "every": "0 9 * * *",
         "zone": "UTC", "quiet": "01:00-02:00", "cap": "5 per day"}]}"#;
    let promo: Promo = configure(rules).unwrap();
    let mut stage = Stage::default();
    let turn = loaded(&mut stage, &promo);
    let monday = at("2026-03-02T00:00:00", "UTC");
    assert_eq!(turn.timers(), [("a", monday + DAY), ("b", monday + DAY + 9 * HOUR)]);
    let [a, b] = ["a", "b"].map(|id| &promo.0.promos[id]);
    assert_eq!((a.cap.unwrap().count, a.quiet.unwrap().to), (1, 600));
    assert_eq!((b.cap.unwrap().count, b.quiet.unwrap().to), (5, 120));
}
