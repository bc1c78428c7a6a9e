//! Best hours, spreads, and clocks that are changed.

use super::*;

const TEN: &str = "2026-12-01T10:00:00";

/// A contact who wrote at these hours of their own clock.
fn who_wrote_at(promo: &Promo, hours: &[u32], zone: &str) -> Stage {
    let mut stage = Stage::default();
    stage.contact.zone = Some(zone.into());
    for (day, hour) in hours.iter().enumerate() {
        stage.now = at(&format!("2026-11-{:02}T{hour:02}:20:00", day + 1), zone);
        assert_eq!(stage.says(promo, "hi").effects, []);
    }
    stage.now = at(TEN, zone);
    stage
}

#[test]
fn it_comes_at_the_hour_at_which_they_write() {
    let promo = promo(
        r#""at": "2026-12-01T10:00:00", "zone": "recipient", "at_best_hour": true, "quiet": "22:00-07:00""#,
    );
    let tokyo = "Asia/Tokyo";
    for (hours, expected) in [
        // A habit; the day's own hour; one that is over today; none yet; one at
        // night, when the next best counts; of equals the earlier.
        (&[19, 19, 8][..], Some("2026-12-01T19:00:00")),
        (&[10, 10, 8], None),
        (&[8, 8, 19], Some("2026-12-02T08:00:00")),
        (&[19, 19], None),
        (&[2, 2, 2, 15], Some("2026-12-01T15:00:00")),
        (&[2, 2, 2], None),
        (&[20, 12, 12, 20], Some("2026-12-01T12:00:00")),
    ] {
        let mut stage = who_wrote_at(&promo, hours, tokyo);
        let turn = reach(&mut stage, &promo, TEN);
        match expected {
            None => assert_eq!(turn.templates().len(), 1, "{hours:?}"),
            Some(local) => {
                assert_eq!(turn.timers(), [("send/spring", at(local, tokyo))], "{hours:?}");
                assert_eq!(fire(&mut stage, &promo, &turn).templates().len(), 1);
            }
        }
    }
}

#[test]
fn hours_are_counted_only_where_they_are_asked_for() {
    let promo = promo(r#""at": "2026-12-01T10:00:00""#);
    assert!(who_wrote_at(&promo, &[9, 9, 9, 9], "UTC").kv.is_empty());
}

#[test]
fn a_spread_spreads() {
    let promo = promo(
        r#""every": "0 20 * * *", "spread": "6 hours", "quiet": "21:00-09:00", "zone": "UTC""#,
    );
    let mut dues = Vec::new();
    for day in 1..29 {
        let local = format!("2026-11-{day:02}T20:00:00");
        let start = at(&local, "UTC");
        let mut stage = Stage { now: start, ..Stage::default() };
        let mut turn = reach(&mut stage, &promo, &local);
        assert_eq!(reach(&mut stage, &promo, &local), turn, "always the same place");
        while turn.templates().is_empty() {
            let due = turn.timers()[0].1;
            assert!(due > stage.now, "{due}");
            turn = fire(&mut stage, &promo, &turn);
        }
        let after = stage.now - start;
        // In the hour that is left of the day, or spread again in the morning.
        assert!((0..HOUR).contains(&after) || (13 * HOUR..19 * HOUR).contains(&after), "{after}");
        dues.push(after / (HOUR / 2));
    }
    dues.sort_unstable();
    dues.dedup();
    assert!(dues.len() > 6, "{dues:?}");
}

#[test]
fn a_spread_that_is_longer_than_the_day_ends_all_the_same() {
    let promo = promo(r#""every": "0 20 * * *", "spread": "7 days", "quiet": "09:30-09:00""#);
    for day in 1..29 {
        let local = format!("2026-11-{day:02}T20:00:00");
        let mut stage = Stage { now: at(&local, "UTC"), ..Stage::default() };
        let end = stage.now + 9 * DAY;
        let mut turn = reach(&mut stage, &promo, &local);
        while turn.templates().is_empty() {
            turn = fire(&mut stage, &promo, &turn);
            assert!(stage.now < end, "{local}: for ever");
        }
    }
}

#[test]
fn quiet_hours_when_clocks_are_changed() {
    let promo = promo(r#""every": "0 * * * *", "quiet": "22:00-02:30""#);
    let sent_after = |utc: &str| {
        let mut stage = Stage { zone: "Europe/Berlin".into(), ..Stage::default() };
        stage.now = at(utc, "UTC");
        let mut turn = reach(&mut stage, &promo, "2026-01-01T10:00:00");
        for _ in 0..10 {
            if !turn.templates().is_empty() {
                return business::local_time(stage.now, "UTC").unwrap();
            }
            assert!(turn.timers()[0].1 > stage.now, "no timer that comes at once again");
            turn = fire(&mut stage, &promo, &turn);
        }
        panic!("it is never sent: {turn:?}");
    };
    // 02:30 is skipped: from 03:00 on, which is 01:00 UTC.
    assert_eq!(sent_after("2026-03-28T23:00:00"), "2026-03-29T01:00:00");
    // 02:30 comes twice; between 02:00 and 02:30 it is quiet again.
    assert_eq!(sent_after("2026-10-24T22:00:00"), "2026-10-25T00:30:00");
    assert_eq!(sent_after("2026-10-25T01:10:00"), "2026-10-25T01:40:00");
}
