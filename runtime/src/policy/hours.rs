//! When quiet hours end, and when a day or a month of the business begins.
//! Moments that daylight saving skips or repeats are the later ones: nothing
//! leaves too early.

use crate::model::{Millis, QuietHours, moment};
use jiff::{
    ToSpan, Zoned,
    civil::{Date, Time},
    tz::TimeZone,
};

/// The zone of a name, if there is one.
pub fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// When the quiet hours that hold at `now` end; none if none hold.
pub fn quiet_until(quiet: QuietHours, now: Millis, zone: &TimeZone) -> Option<Millis> {
    let local = local(now, zone)?;
    let minute = |time: Time| time.hour() as u16 * 60 + time.minute() as u16;
    if !quiet.hold(minute(local.time())) {
        return None;
    }
    let to = Time::new((quiet.to / 60) as i8, (quiet.to % 60) as i8, 0, 0).ok()?;
    let today = local.date();
    let day = if to > local.time() { today } else { today.tomorrow().ok()? };
    let end = at(day, to, zone)?;
    // In the hour that comes twice the first end has passed: it is over.
    (end > now).then_some(end)
}

/// The day of `now` as 20261122.
pub fn day(now: Millis, zone: &TimeZone) -> u32 {
    local(now, zone).map_or(0, |local| number(local.date()))
}

/// When the next day begins.
pub fn next_day(now: Millis, zone: &TimeZone) -> Option<Millis> {
    at(local(now, zone)?.date().tomorrow().ok()?, Time::midnight(), zone)
}

/// When the next month begins.
pub fn next_month(now: Millis, zone: &TimeZone) -> Option<Millis> {
    let first = local(now, zone)?.date().first_of_month();
    at(first.checked_add(1.month()).ok()?, Time::midnight(), zone)
}

fn number(date: Date) -> u32 {
    let year = u32::try_from(date.year()).unwrap_or_default();
    year * 10_000 + date.month() as u32 * 100 + date.day() as u32
}

fn local(now: Millis, zone: &TimeZone) -> Option<Zoned> {
    moment(now).map(|now| now.to_zoned(zone.clone()))
}

fn at(day: Date, time: Time, zone: &TimeZone) -> Option<Millis> {
    let zoned = zone.to_ambiguous_zoned(day.to_datetime(time)).later().ok()?;
    zoned.timestamp().as_millisecond().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn ms(utc: &str) -> Millis {
        utc.parse::<Timestamp>().unwrap().as_millisecond() as Millis
    }

    fn hours(text: &str) -> QuietHours {
        QuietHours::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn quiet_hours_end_in_the_morning_of_the_zone() {
        let berlin = zone("Europe/Berlin").unwrap();
        let until = |utc: &str, quiet: &str| quiet_until(hours(quiet), ms(utc), &berlin);
        let night = "21:00-09:00";
        assert_eq!(until("2026-12-01T19:59:59Z", night), None);
        assert_eq!(until("2026-12-01T20:00:00Z", night), Some(ms("2026-12-02T08:00:00Z")));
        assert_eq!(until("2026-12-02T07:59:59Z", night), Some(ms("2026-12-02T08:00:00Z")));
        assert_eq!(until("2026-12-02T08:00:00Z", night), None);
        assert_eq!(until("2026-12-02T11:30:00Z", "12:00-13:00"), Some(ms("2026-12-02T12:00:00Z")));
    }

    #[test]
    fn daylight_saving_does_not_let_anything_out_early() {
        let berlin = zone("Europe/Berlin").unwrap();
        let until = |utc: &str, quiet: &str| quiet_until(hours(quiet), ms(utc), &berlin);
        // The night in which an hour is missing, and the one that has it twice.
        assert_eq!(until("2026-03-28T22:00:00Z", "21:00-09:00"), Some(ms("2026-03-29T07:00:00Z")));
        assert_eq!(until("2026-10-24T22:00:00Z", "21:00-09:00"), Some(ms("2026-10-25T08:00:00Z")));
        // The end itself is skipped, or comes twice.
        assert_eq!(until("2026-03-28T22:00:00Z", "21:00-02:30"), Some(ms("2026-03-29T01:30:00Z")));
        assert_eq!(until("2026-10-24T22:00:00Z", "21:00-02:30"), Some(ms("2026-10-25T01:30:00Z")));
    }

    #[test]
    fn days_and_months_begin_in_the_zone() {
        let tokyo = zone("Asia/Tokyo").unwrap();
        let now = ms("2026-12-31T14:59:59Z");
        assert_eq!(day(now, &tokyo), 20_261_231);
        assert_eq!(day(now + 1_000, &tokyo), 20_270_101);
        assert_eq!(next_day(now, &tokyo), Some(now + 1_000));
        assert_eq!(
            next_month(ms("2026-01-31T00:00:00Z"), &TimeZone::UTC),
            Some(ms("2026-02-01T00:00:00Z"))
        );
        assert!(zone("Mars/Base").is_none());
    }

    proptest! {
        #[test]
        fn no_wait_is_without_need_or_ends_within_quiet_hours(
            now in 1_700_000_000_000..1_900_000_000_000u64,
            from in 0..1440u16, to in 0..1440u16,
            name in prop::sample::select(vec!["Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata",
                "Australia/Lord_Howe", "America/St_Johns", "UTC"]),
        ) {
            let zone = zone(name).unwrap();
            let quiet = QuietHours { from, to };
            if let Some(end) = quiet_until(quiet, now, &zone) {
                prop_assert!(end > now && end <= now + 25 * 3_600_000 + 1_800_000);
                prop_assert_eq!(quiet_until(quiet, end, &zone), None);
            }
        }
    }
}
