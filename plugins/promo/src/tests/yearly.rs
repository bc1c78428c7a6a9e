//! Birthdays.

use super::*;

const BIRTHDAY: &str = r#""yearly": {"attribute": "birthday", "time": "10:00"}"#;

fn born(day: &str, zone: &str) -> Stage {
    let mut stage = Stage::default();
    stage.contact.attributes.insert("birthday".into(), day.into());
    stage.contact.zone = Some(zone.into());
    stage
}

#[test]
fn it_is_looked_for_each_midnight() {
    let promo = promo(&format!(r#"{BIRTHDAY}, "zone": "Europe/Berlin", "to": {{"all": ["fan"]}}"#));
    let mut stage = Stage::default();
    let turn = loaded(&mut stage, &promo);
    assert_eq!(turn.timers(), [("spring", at("2026-03-03T00:00:00", "Europe/Berlin"))]);
    let turn = fire(&mut stage, &promo, &turn);
    let [Effect::Broadcast { to, .. }, _] = &turn.effects[..] else { panic!("{turn:?}") };
    assert_eq!(to.all_of, ["fan"]);
    assert_eq!(turn.timers(), [("spring", at("2026-03-04T00:00:00", "Europe/Berlin"))]);
}

#[test]
fn it_comes_in_the_morning_of_their_own_day() {
    let promo = promo(&format!(r#"{BIRTHDAY}, "zone": "recipient""#));
    let look = "2026-05-17T00:00:00";
    for zone in ["America/Bogota", "Asia/Tokyo", "Pacific/Kiritimati"] {
        for day in ["05-17", "1990-05-17", " 1990-05-17T08:00:00"] {
            let mut stage = born(day, zone);
            // The day begins at UTC+14.
            stage.now = at(look, "Etc/GMT-14");
            let turn = reach(&mut stage, &promo, look);
            assert_eq!(turn.timers(), [("send/spring", at("2026-05-17T10:00:00", zone))], "{day}");
            assert_eq!(fire(&mut stage, &promo, &turn).templates().len(), 1);
            assert_eq!(reach(&mut stage, &promo, look).templates().len(), 0, "once a year");
            stage.now = at("2027-05-17T12:00:00", zone);
            assert_eq!(reach(&mut stage, &promo, "2027-05-17T00:00:00").templates().len(), 1);
        }
    }
}

#[test]
fn other_days_are_not_theirs() {
    let promo = promo(BIRTHDAY);
    for (day, look, reason) in [
        ("05-18", "2026-05-17", "it is not the contact's day"),
        ("02-29", "2028-02-28", "it is not the contact's day"),
        ("17.05.", "2026-05-17", "the contact's `birthday` is no date"),
        ("1990-13-01", "2026-05-17", "the contact's `birthday` is no date"),
        ("soon", "2026-05-17", "the contact's `birthday` is no date"),
        ("明日の朝", "2026-05-17", "the contact's `birthday` is no date"),
    ] {
        let mut stage = born(day, "UTC");
        let turn = reach(&mut stage, &promo, &format!("{look}T00:00:00"));
        assert_eq!(left_out(&turn), [reason], "{day}");
    }
    let turn = reach(&mut Stage::default(), &promo, "2026-05-17T00:00:00");
    assert_eq!(left_out(&turn), ["the contact has no `birthday`"]);
    // 29 February: on the 28th where there is none.
    for look in ["2026-02-28", "2028-02-29"] {
        let mut stage = born("2000-02-29", "UTC");
        stage.now = at(&format!("{look}T11:00:00"), "UTC");
        let turn = reach(&mut stage, &promo, &format!("{look}T00:00:00"));
        assert_eq!(turn.templates().len(), 1, "{look}");
    }
}
