//! In a contact's lane: what is sent, when, and what is not.

use super::*;

/// Days for which a daily one is sent.
const DAYS: [&str; 5] = [
    "2026-11-27T10:00:00",
    "2026-11-28T10:00:00",
    "2026-11-29T10:00:00",
    "2026-11-30T10:00:00",
    "2026-12-01T10:00:00",
];

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
    assert_eq!(left_out(&reach(&mut stage, &promo, DAYS[0])), ["the contact's tags have changed"]);
    stage.contact.tags.insert("fan".into());
    assert_eq!(reach(&mut stage, &promo, DAYS[0]).templates().len(), 1);
    assert_eq!(left_out(&reach(&mut stage, &promo, DAYS[0])), ["it has been sent"]);
    assert_eq!(reach(&mut stage, &promo, DAYS[1]).templates().len(), 1);
    let turn = reach(&mut stage, &promo, DAYS[2]);
    assert_eq!(left_out(&turn), ["the contact has had 2 in 7 days"]);
    stage.now += 7 * 24 * HOUR;
    assert_eq!(reach(&mut stage, &promo, DAYS[3]).templates().len(), 1);
    for forbid in [
        |stage: &mut Stage| stage.contact.tags.extend(["complaint".to_owned()]),
        |stage: &mut Stage| stage.contact.consent = "opted-out".into(),
        |stage: &mut Stage| stage.contact.in_handoff = true,
    ] {
        let mut stage = stage.clone();
        forbid(&mut stage);
        stage.now += 7 * 24 * HOUR;
        let turn = reach(&mut stage, &promo, DAYS[4]);
        assert_eq!((turn.effects.len(), left_out(&turn).len()), (1, 1), "{turn:?}");
    }
}

/// Two reminders of a stay kept an offer back, and offers a reminder.
#[test]
fn a_cap_counts_marketing_alone() {
    let promo = configure::<Promo>(
        r#"{"cap": "2 per 7 days", "promo": [
            {"id": "spring", "template": "sale", "language": "en", "every": "0 10 * * *"},
            {"id": "stay", "template": "stay", "language": "en", "every": "0 10 * * *", "category": "utility"}]}"#,
    )
    .unwrap();
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    let mut sends = |id: &str, day: usize| {
        let payload = format!(r#"{{"promo": "{id}", "local": "{}"}}"#, DAYS[day]);
        let turn = stage.handle(&promo, Event::Broadcast(Broadcast { id: id.into(), payload }));
        turn.templates().len()
    };
    assert_eq!([sends("stay", 0), sends("stay", 1), sends("stay", 2)], [1; 3]);
    assert_eq!([sends("spring", 0), sends("spring", 1), sends("spring", 2)], [1, 1, 0]);
    assert_eq!([sends("stay", 3), sends("stay", 3)], [1, 0]);
}

#[test]
fn what_was_sent_is_known_from_before() {
    let promo = promo(r#""every": "0 10 * * *", "cap": "1 per 7 days""#);
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    // As it was stored once.
    let pair = format!(r#"[["spring@{}", {DECEMBER}]]"#, DAYS[0]);
    stage.kv.insert((false, "sent".into()), (pair.into(), None));
    assert_eq!(left_out(&reach(&mut stage, &promo, DAYS[0])), ["it has been sent"]);
    let turn = reach(&mut stage, &promo, DAYS[1]);
    assert_eq!(left_out(&turn), ["the contact has had 1 in 7 days"]);
}

#[test]
fn placeholders_are_filled() {
    let promo = promo(r#""every": "0 10 * * *", "parameters": ["Hi {name|friend}", "{city}"]"#);
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    let turn = reach(&mut stage, &promo, DAYS[0]);
    assert_eq!(left_out(&turn), ["the contact has no `city`"]);
    stage.contact.attributes.insert("city".into(), "Bonn".into());
    let texts = |turn: &Turn| -> Vec<String> {
        turn.templates()[0].parameters.iter().map(|parameter| parameter.text.clone()).collect()
    };
    assert_eq!(texts(&reach(&mut stage, &promo, DAYS[1])), ["Hi friend", "Bonn"]);
    stage.contact.name = Some("Ann".into());
    assert_eq!(texts(&reach(&mut stage, &promo, DAYS[2])), ["Hi Ann", "Bonn"]);
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

/// A template with more than values for its body, as JSON.
fn form(turn: &Turn) -> serde_json::Value {
    match &turn.effects[0] {
        Effect::Reply(Outgoing::Other(other)) => serde_json::from_str(&other.json).unwrap(),
        effect => panic!("{effect:?}"),
    }
}

#[test]
fn headers_and_buttons_are_filled() {
    let promo = promo(
        r#""at": "2026-12-01T10:00:00", "parameters": ["{name}"],
           "header": {"image": "https://shop.example/{city|all}.png"},
           "buttons": [{"index": 0, "url": "{code}"}, {"index": 1, "payload": "more"}]"#,
    );
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    stage.contact.name = Some("Ann".into());
    let turn = reach(&mut stage, &promo, "2026-12-01T10:00:00");
    assert_eq!(left_out(&turn), ["the contact has no `code`"]);
    stage.contact.attributes.insert("code".into(), "A7".into());
    let turn = reach(&mut stage, &promo, "2026-12-01T10:00:00");
    let expected = serde_json::json!({
        "name": "spring_sale", "language": "en", "category": "marketing",
        "parameters": [{"text": "Ann"}],
        "header": {"media": {"kind": "image", "source": {"link": "https://shop.example/all.png"}}},
        "buttons": [{"index": 0, "value": {"url_suffix": "A7"}},
                    {"index": 1, "value": {"payload": "more"}}]
    });
    assert_eq!(form(&turn), expected);
}

#[test]
fn each_reads_it_in_their_language() {
    let promo =
        promo(r#""every": "0 10 * * *", "languages": ["de", "pt_BR", "zh_CN", "zh_TW", "en_GB"]"#);
    for (contact, template) in [
        (None, "en"),
        (Some("de"), "de"),
        (Some("de-AT"), "de"),
        (Some("pt"), "pt_BR"),
        (Some("pt-PT"), "pt_BR"),
        (Some("zh-TW"), "zh_TW"),
        (Some("zh_tw"), "zh_TW"),
        (Some("zh-HK"), "zh_CN"),
        (Some("en-GB"), "en_GB"),
        (Some("en-US"), "en"),
        (Some("fr"), "en"),
        (Some(""), "en"),
    ] {
        let mut stage = Stage { now: DECEMBER, ..Stage::default() };
        stage.contact.language = contact.map(Into::into);
        let turn = reach(&mut stage, &promo, "2026-12-01T10:00:00");
        assert_eq!(turn.templates()[0].language, template, "{contact:?}");
    }
}

#[test]
fn one_that_moved_to_another_time_is_not_sent_for_the_old_one() {
    let promo = promo(r#""at": "2026-12-02T10:00:00""#);
    let mut stage = Stage { now: DECEMBER, ..Stage::default() };
    let turn = reach(&mut stage, &promo, "2026-12-01T10:00:00");
    assert_eq!(left_out(&turn), ["it is for another time now"]);
    assert_eq!(turn.effects.len(), 1);
}
