//! What each answer, and each late failure, leads to.

use super::*;
use crate::outbox::tests::{item, marketing, meta};

const AT: Moment = Moment { now: 1_000_000, grace_ms: 30_000, jitter: 0.0 };

fn text() -> OutboxItem {
    item(1, Outgoing::Text("hi".into()))
}

fn error(status: u16, code: u32) -> Reply {
    let body = format!(r#"{{"error":{{"code":{code},"message":"m"}}}}"#).into_bytes();
    Reply::Answer { status, body }
}

fn end(item: &OutboxItem, reply: Reply, tally: &mut Tally) -> Outcome {
    outcome(item, reply, &meta("http://127.0.0.1:1"), tally, AT)
}

fn due(delivery: &Delivery) -> Millis {
    match delivery {
        Delivery::RetryAfter { due, .. } => due - AT.now,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_class_has_its_pause() {
    for (code, pauses, channel) in [
        (131_016, [1000, 2000, 4000], ChannelState::NotKnown),
        (130_429, [1000, 2000, 4000], ChannelState::Throttled),
        (132_069, [60_000, 120_000, 240_000], ChannelState::Works),
        (131_056, [1000, 4000, 16_000], ChannelState::Works),
    ] {
        let mut tally = Tally::default();
        for pause in pauses {
            let outcome = end(&text(), error(400, code), &mut tally);
            assert_eq!((due(&outcome.delivery), &outcome.channel), (pause, &channel), "{code}");
        }
    }
}

#[test]
fn a_message_turned_away_twenty_times_is_given_up() {
    let mut tally = Tally::default();
    for _ in 1..TRIES_MAX {
        due(&end(&text(), error(500, 131_016), &mut tally).delivery);
    }
    let last = end(&text(), error(500, 131_016), &mut tally).delivery;
    let Delivery::Rejected { reason, .. } = last else { panic!("{last:?}") };
    assert!(reason.starts_with("given up after 20 attempts: "), "{reason}");
}

#[test]
fn what_did_not_reach_the_provider_is_tried_on_and_on() {
    let mut tally = Tally::default();
    for _ in 0..200 {
        due(&end(&text(), Reply::NotSent("refused".into()), &mut tally).delivery);
    }
    let pause = due(&end(&text(), error(500, 131_000), &mut tally).delivery);
    assert_eq!(pause, 1000);
}

#[test]
fn an_uncertain_end_waits_for_a_receipt() {
    let answer = |status, body: &str| Reply::Answer { status, body: body.into() };
    for reply in [Reply::Lost("time".into()), answer(200, "{}"), answer(504, ""), answer(502, "x")]
    {
        let mut tally = Tally::default();
        let delivery = end(&text(), reply, &mut tally).delivery;
        assert!(matches!(delivery, Delivery::Unknown { until: 1_030_000, .. }), "{delivery:?}");
        assert_eq!(tally.lost, 1);
    }
}

#[test]
fn a_stopped_channel_keeps_the_message() {
    let outcome = end(&text(), error(401, 190), &mut Tally::default());
    assert_eq!(due(&outcome.delivery), PROBE_MS);
    let ChannelState::Stopped { stop, code, reason } = outcome.channel else { panic!() };
    assert!(code == Some(190) && reason.contains("token"), "{reason}");
    assert_eq!(stop, Stop::Person);
}

#[test]
fn each_stop_is_tried_at_its_own_pace() {
    let minute = 60_000;
    for (code, stop, pauses) in [
        (131_042, Stop::Person, [1, 1, 1]),
        (4, Stop::Calls, [1, 2, 4]),
        (80_007, Stop::Calls, [1, 2, 4]),
        (131_048, Stop::Spam, [60, 120, 240]),
    ] {
        let outcome = end(&text(), error(400, code), &mut Tally::default());
        let ChannelState::Stopped { stop: found, .. } = outcome.channel else { panic!() };
        assert_eq!((found, due(&outcome.delivery)), (stop, stop.pause(0, 0.0)), "{code}");
        assert_eq!([0, 1, 2].map(|probes| stop.pause(probes, 0.0) / minute), pauses, "{code}");
    }
}

#[test]
fn what_others_of_its_kind_wait_for_too_steps_aside() {
    for (code, wait, named, channel, template) in [
        (131_064, 60, Rule::Tier, ChannelState::TierUsed, TemplateFate::NotKnown),
        (132_015, 15, Rule::Template, ChannelState::Works, TemplateFate::Rests),
    ] {
        let outcome = end(&item(1, marketing()), error(400, code), &mut Tally::default());
        let Delivery::Held { due, rule, .. } = outcome.delivery else { panic!("{code}") };
        assert_eq!((due - AT.now, rule), (wait * 60_000, named));
        assert_eq!((outcome.channel, outcome.template), (channel, template));
    }
}

#[test]
fn some_trouble_is_worth_few_tries() {
    let is_tried = |code, tally: &mut Tally| {
        let item = OutboxItem { attempts: 9, ..text() };
        let delivery = end(&item, error(400, code), tally).delivery;
        matches!(delivery, Delivery::RetryAfter { .. })
    };
    let mut tally = Tally::default();
    let few: Vec<_> = (1..7).map(|_| is_tried(131_000, &mut tally)).collect();
    assert_eq!(few, [true, true, true, true, false, false]);
    // Once is once, whatever else went wrong before.
    let mut tally = Tally { unreached: 3, ..Tally::default() };
    let once = [131_016, 131_053, 131_016, 131_053].map(|code| is_tried(code, &mut tally));
    assert_eq!(once, [true, true, true, false]);
}

/// Taken, and failed by a receipt.
fn back(attempts: u32, code: u32) -> OutboxItem {
    let (state, reason) = (SendState::Returned { taken: 1 }, Some(format!("error {code}")));
    OutboxItem { attempts, state, reason, error: Some(code), ..text() }
}

fn came_back(item: &OutboxItem, tally: &mut Tally) -> Outcome {
    come_back(item, &meta("http://127.0.0.1:1"), tally, AT)
}

#[test]
fn a_receipt_says_what_an_answer_would() {
    for code in [1, 4, 190, 130_429, 131_000, 131_026, 131_048, 131_053, 131_056, 131_064, 132_015]
    {
        let now = end(&text(), error(400, code), &mut Tally::default());
        let late = came_back(&back(1, code), &mut Tally::default());
        let stop = |channel: &ChannelState| match channel {
            ChannelState::Stopped { stop, code, .. } => format!("{stop:?} {code:?}"),
            other => format!("{other:?}"),
        };
        assert_eq!(stop(&now.channel), stop(&late.channel), "{code}");
        assert_eq!((now.template, now.opted_out), (late.template, late.opted_out), "{code}");
        let when = |delivery: &Delivery| match delivery {
            Delivery::RetryAfter { due, .. } => (Some(*due), None),
            Delivery::Held { due, rule, .. } => (Some(*due), Some(*rule)),
            Delivery::Rejected { .. } => (None, None),
            other => panic!("{other:?}"),
        };
        assert_eq!(when(&now.delivery), when(&late.delivery), "{code}");
        let passing = meta("http://127.0.0.1:1").explain(code, "").0.is_passing();
        assert_eq!(when(&late.delivery).0.is_some(), passing, "{code}");
    }
}

#[test]
fn whatever_comes_back_comes_back_twenty_times_at_most() {
    for code in [131_016, 190, 131_048, 131_064, 132_015] {
        let mut tally = Tally::default();
        let tried = |n| {
            let delivery = came_back(&back(n, code), &mut tally).delivery;
            !matches!(delivery, Delivery::Rejected { .. })
        };
        let tries = (1..=TRIES_MAX).map(tried).filter(|tried| *tried).count();
        assert_eq!(tries, 19, "{code}");
    }
}

#[test]
fn what_came_back_remembers_its_tries() {
    let mut tallies = Tallies::default();
    let is_tried = |tallies: &mut Tallies, item: &OutboxItem| {
        let delivery = came_back(item, tallies.of(item, 0)).delivery;
        tallies.taken(&item.id);
        matches!(delivery, Delivery::RetryAfter { .. })
    };
    assert!(is_tried(&mut tallies, &back(1, 131_053)));
    assert!(!is_tried(&mut tallies, &back(2, 131_053)));
    // After a restart too.
    assert!(!is_tried(&mut Tallies::default(), &back(2, 131_053)));
    assert!(is_tried(&mut Tallies::default(), &back(4, 131_000)));
    assert!(!is_tried(&mut Tallies::default(), &back(5, 131_000)));
    // Of what never went wrong, nothing is kept.
    let other = item(2, Outgoing::Text("hi".into()));
    tallies.of(&other, 0);
    tallies.taken(&other.id);
    assert!(!tallies.by_id.contains_key(&other.id));
}

#[test]
fn pauses_go_on_growing_after_a_restart() {
    let waits = OutboxItem { attempts: 3, reason: Some("too fast".into()), ..text() };
    let mut tally = *Tallies::default().of(&waits, 0);
    assert_eq!(due(&end(&waits, error(400, 131_056), &mut tally).delivery), 64_000);
    // But not from where a provider that could not be reached has led.
    let long = OutboxItem { attempts: 300, ..waits.clone() };
    let mut tally = *Tallies::default().of(&long, 0);
    due(&end(&long, error(400, 131_056), &mut tally).delivery);
    let held = Hold { rule: Some(Rule::Quiet), ..Hold::default() };
    assert_eq!(Tallies::default().of(&OutboxItem { hold: held, ..waits }, 0).turned_away, 0);
}

#[test]
fn what_our_rules_held_has_its_day_afterwards() {
    let day = GIVE_UP_MS;
    let gone = |rule, until, now: Millis| {
        let hold = Hold { rule, until, ended: 0 };
        let item = OutboxItem { hold, created_at: 0, ..text() };
        hopeless(&item, &Tally::default(), now).is_some()
    };
    for rule in [Some(Rule::Quiet), Some(Rule::Budget), None] {
        assert!(!gone(rule, 3 * day, 4 * day - 1), "{rule:?}");
        assert!(gone(rule, 3 * day, 4 * day), "{rule:?}");
        assert!(gone(rule, 35 * day, 35 * day), "{rule:?}");
    }
    assert!(!gone(Some(Rule::Template), day - 1, day - 1));
    assert!(gone(Some(Rule::Template), day, day));
}

#[test]
fn a_template_that_rests_after_other_holds_has_its_day_too() {
    let day = GIVE_UP_MS;
    let mut item = OutboxItem { created_at: 0, ..item(1, marketing()) };
    let mut hold = |rule, due| {
        let delivery = Delivery::Held { due, rule, reason: "wait".into() };
        item.record(&DeliveryRecord { id: item.id.clone(), delivery, at: 0 });
        item.clone()
    };
    let gone = |item: &OutboxItem, now| hopeless(item, &Tally::default(), now).is_some();
    let rests = hold(Rule::Template, day - 1);
    assert!(!gone(&rests, day - 1) && gone(&rests, day));
    hold(Rule::Budget, 10 * day);
    // However often it is looked at.
    for hours in [1, 5, 23] {
        let rests = hold(Rule::Template, 10 * day + hours * day / 24);
        assert!(!gone(&rests, 11 * day - 1), "{hours}");
        assert!(gone(&rests, 11 * day), "{hours}");
    }
}

#[test]
fn a_final_no_is_final() {
    let outcome = end(&text(), error(400, 131_047), &mut Tally::default());
    assert!(matches!(outcome.delivery, Delivery::Rejected { .. }));
    assert_eq!((outcome.channel, outcome.opted_out), (ChannelState::Works, None));
    let stopped = end(&text(), error(400, 131_050), &mut Tally::default());
    assert!(matches!(stopped.delivery, Delivery::Rejected { .. }));
    assert_eq!(stopped.opted_out, Some(131_050));
}

#[test]
fn a_failed_read_mark_does_not_hold_up_the_answer() {
    let read = item(1, Outgoing::Read { message_id: "w".into(), typing: true });
    for reply in [error(500, 131_000), error(400, 131_056), Reply::Lost("time".into())] {
        let delivery = end(&read, reply, &mut Tally::default()).delivery;
        assert!(matches!(delivery, Delivery::Rejected { .. }), "{delivery:?}");
    }
}

#[test]
fn hope_ends_after_a_day_or_five_resends() {
    let mut item = text();
    let verdict =
        |item: &OutboxItem, lost, now| hopeless(item, &Tally { lost, ..Tally::default() }, now);
    assert_eq!(verdict(&item, 9, item.created_at + GIVE_UP_MS - 1), None);
    item.reason = Some("no network".into());
    let late = verdict(&item, 0, item.created_at + GIVE_UP_MS).unwrap();
    assert!(late.ends_with("within 24 hours: no network"), "{late}");
    item.state = SendState::Attempting { since: 0, until: 0 };
    assert_eq!(verdict(&item, RESENDS_MAX, item.created_at), None);
    let uncertain = verdict(&item, RESENDS_MAX + 1, item.created_at).unwrap();
    assert!(uncertain.contains("may have been sent"), "{uncertain}");
}

#[test]
fn an_attempt_that_a_crash_cut_off_counts_as_lost() {
    let mut item = text();
    let tally = |item: &OutboxItem| *Tallies::default().of(item, 0);
    assert_eq!(tally(&item).lost, 0);
    item.attempts = 3;
    item.state = SendState::Attempting { since: 0, until: 0 };
    assert_eq!(tally(&item).lost, 3);
    item.reason = Some("passing trouble".into());
    assert_eq!(tally(&item).lost, 1);
}
