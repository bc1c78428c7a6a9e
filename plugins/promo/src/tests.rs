//! What promotions do over time, run natively.

use super::*;
use switchboard_plugin::testing::{Effect, Stage, Turn, configure};

/// 1 December 2026, 10:00 UTC.
const DECEMBER: Instant = 1_796_119_200_000;
const HOUR: Instant = 3_600_000;

fn promo(fields: &str) -> Promo {
    let rules = format!(
        r#"{{"opt_out": ["STOP", "退订"], "opt_out_reply": "Stopped.", "opt_in": ["start"],
            "promo": [{{"id": "spring", "template": "spring_sale", "language": "en", {fields}}}]}}"#
    );
    configure(&rules).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn loaded(stage: &mut Stage, promo: &Promo) -> Turn {
    stage.channel_lane = true;
    let json = r#"{"field": "rules-loaded"}"#.into();
    stage.handle(promo, Event::Other(Other { kind: "account".into(), json }))
}

fn fire(stage: &mut Stage, promo: &Promo, timers: &Turn) -> Turn {
    let timer = timers.effects.iter().find_map(|effect| match effect {
        Effect::SetTimer { name, due, payload } => {
            Some(Timer { name: name.clone(), due: *due, payload: payload.clone() })
        }
        _ => None,
    });
    let timer = timer.unwrap_or_else(|| panic!("no timer in {timers:?}"));
    stage.now = stage.now.max(timer.due);
    stage.handle(promo, Event::Timer(timer))
}

/// The broadcast's event in a contact's own lane.
fn reach(stage: &mut Stage, promo: &Promo, local: &str) -> Turn {
    let payload = format!(r#"{{"promo": "spring", "local": "{local}"}}"#);
    stage.handle(promo, Event::Broadcast(Broadcast { id: format!("spring@{local}"), payload }))
}

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
fn one_that_is_over_is_never_sent() {
    let past = promo(r#""at": "2025-12-01T10:00:00""#);
    let turn = loaded(&mut Stage::default(), &past);
    assert_eq!(turn.timers(), []);
    assert_eq!(turn.because, ["`spring` has no time to come"]);
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
fn each_recipient_has_their_own_clock() {
    let promo = promo(r#""at": "2026-12-01T10:00:00", "zone": "recipient""#);
    let mut stage = Stage::default();
    let turn = loaded(&mut stage, &promo);
    // The channel starts with the first zone of the day, UTC+14.
    assert_eq!(turn.timers(), [("spring", DECEMBER - 14 * HOUR)]);
    fire(&mut stage, &promo, &turn);
    stage.channel_lane = false;
    stage.contact.zone = Some("America/Bogota".into());
    let turn = reach(&mut stage, &promo, "2026-12-01T10:00:00");
    assert_eq!(turn.timers(), [("send/spring", DECEMBER + 5 * HOUR)]);
    let turn = fire(&mut stage, &promo, &turn);
    assert_eq!(turn.templates()[0].name, "spring_sale");
    // Where the time has passed, at once; where the zone is unknown, by the
    // business's clock.
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    stage.contact.zone = Some("Asia/Tokyo".into());
    assert_eq!(reach(&mut stage, &promo, "2026-12-01T10:00:00").templates().len(), 1);
    let mut stage =
        Stage { now: DECEMBER - 14 * HOUR, zone: "Asia/Tokyo".into(), ..Stage::default() };
    let turn = reach(&mut stage, &promo, "2026-12-01T10:00:00");
    assert_eq!(turn.timers(), [("send/spring", DECEMBER - 9 * HOUR)]);
}

#[test]
fn quiet_hours_end_first() {
    let promo = promo(r#""at": "2026-12-01T10:00:00", "quiet": "21:00-09:00""#);
    let at = |now, zone: &str| {
        let mut stage = Stage { now, ..Stage::default() };
        stage.contact.zone = Some(zone.into());
        reach(&mut stage, &promo, "2026-12-01T10:00:00")
    };
    // 05:00 in Bogota: until 09:00 today. 22:00 in Auckland (UTC+13 on that
    // day, 23:00): until 09:00 tomorrow. Noon in Athens: now.
    assert_eq!(at(DECEMBER, "America/Bogota").timers(), [("send/spring", DECEMBER + 4 * HOUR)]);
    assert_eq!(at(DECEMBER, "Pacific/Auckland").timers(), [("send/spring", DECEMBER + 10 * HOUR)]);
    assert_eq!(at(DECEMBER, "Europe/Athens").templates().len(), 1);
    // The edges: quiet from 21:00:00 up to, not including, 09:00:00.
    assert_eq!(at(DECEMBER + 11 * HOUR - 1, "UTC").templates().len(), 1);
    assert_eq!(at(DECEMBER + 11 * HOUR, "UTC").timers(), [("send/spring", DECEMBER + 23 * HOUR)]);
    assert_eq!(at(DECEMBER + 23 * HOUR, "UTC").templates().len(), 1);
}

#[test]
fn caps_consent_tags_and_handoff_forbid() {
    let promo = promo(
        r#""every": "0 10 * * *", "cap": "2 per 7 days", "to": {"any": ["vip", "fan"], "none": ["complaint"]}"#,
    );
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    assert_eq!(
        reach(&mut stage, &promo, "1").because,
        ["`spring` is not sent: the contact's tags have changed"]
    );
    stage.contact.tags.insert("fan".into());
    assert_eq!(reach(&mut stage, &promo, "1").templates().len(), 1);
    assert_eq!(reach(&mut stage, &promo, "1").because, ["`spring` is not sent: it has been sent"]);
    assert_eq!(reach(&mut stage, &promo, "2").templates().len(), 1);
    let turn = reach(&mut stage, &promo, "3");
    assert_eq!(turn.because, ["`spring` is not sent: the contact has had 2 in 7 days"]);
    stage.now += 7 * 24 * HOUR;
    assert_eq!(reach(&mut stage, &promo, "4").templates().len(), 1);
    for forbid in [
        |stage: &mut Stage| stage.contact.tags.extend(["complaint".to_owned()]),
        |stage: &mut Stage| stage.contact.consent = "opted-out".into(),
        |stage: &mut Stage| stage.contact.in_handoff = true,
    ] {
        let mut stage = stage.clone();
        forbid(&mut stage);
        stage.now += 7 * 24 * HOUR;
        assert_eq!(reach(&mut stage, &promo, "5").effects, []);
    }
}

#[test]
fn placeholders_are_filled() {
    let promo =
        promo(r#""at": "2026-12-01T10:00:00", "parameters": ["Hi {name|friend}", "{city}"]"#);
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    let turn = reach(&mut stage, &promo, "1");
    assert_eq!(turn.because, ["`spring` is not sent: the contact has no `city`"]);
    stage.contact.attributes.insert("city".into(), "Bonn".into());
    let texts = |turn: &Turn| -> Vec<String> {
        turn.templates()[0].parameters.iter().map(|parameter| parameter.text.clone()).collect()
    };
    assert_eq!(texts(&reach(&mut stage, &promo, "2")), ["Hi friend", "Bonn"]);
    stage.contact.name = Some("Ann".into());
    assert_eq!(texts(&reach(&mut stage, &promo, "3")), ["Hi Ann", "Bonn"]);
}

#[test]
fn stop_means_stop() {
    let promo = promo(r#""at": "2026-12-01T10:00:00""#);
    let mut stage = Stage::default();
    assert_eq!(stage.says(&promo, "please do not stop").effects, []);
    let turn = stage.says(&promo, "Stop!");
    assert_eq!((turn.replies(), &turn.verdict), (vec!["Stopped."], &Ok(Stop)));
    assert_eq!(turn.effects[0], Effect::OptOut("Stop!".into()));
    assert_eq!(stage.contact.consent, "opted-out");
    assert_eq!(stage.says(&promo, "start").effects, [Effect::OptIn("start".into())]);
    // While a person is answering there is no confirmation, but it counts.
    stage.contact.in_handoff = true;
    let turn = stage.says(&promo, "退订");
    assert_eq!(turn.effects, [Effect::OptOut("退订".into())]);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let problems = |fields: &str| {
        let rules = format!(r#"{{"opt_out": ["stop"], "opt_in": ["Stop!"], "promo": [{fields}]}}"#);
        let problems = configure::<Promo>(&rules).err().unwrap();
        problems.into_iter().skip(1).map(|problem| problem.path).collect::<Vec<_>>()
    };
    let base = r#""id": "a", "template": "t", "language": "en""#;
    assert_eq!(problems(&format!("{{{base}}}")), ["/promo/0"]);
    for (field, value) in [
        ("at", "soon"),
        ("every", "0 10 * MON"),
        ("quiet", "21-9"),
        ("quiet", "09:00-09:00"),
        ("cap", "2 a week"),
        ("cap", "2 per 91 days"),
        ("zone", "Mars/Base"),
    ] {
        let when = if field == "at" || field == "every" { "" } else { r#""every": "0 9 * * *","# };
        let path = format!("/promo/0/{field}");
        assert_eq!(
            problems(&format!(r#"{{{base}, {when} "{field}": "{value}"}}"#)),
            [path],
            "{value}"
        );
    }
    let twins = format!(r#"{{{base}, "every": "0 9 * * *"}}, {{{base}, "every": "0 9 * * *"}}"#);
    assert_eq!(problems(&twins), ["/promo/1/id"]);
}
