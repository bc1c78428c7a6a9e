//! Local times and cron expressions, as the contract defines them. Pure; also
//! what the test kit of the plugin SDK uses, so that a test and a turn agree.

use croner::parser::{CronParser, Seconds, Year};
use jiff::{Timestamp, ToSpan, Zoned, civil::DateTime, tz::TimeZone};

/// How far ahead a cron expression is searched, in years.
const SEARCH_YEARS: i16 = 4;
/// Bytes of a cron expression; a long list of minutes has fewer.
const CRON_BYTES: usize = 500;

/// A moment, in milliseconds since the epoch, as `2026-12-01T10:00:00`.
pub fn local_time(at: u64, zone: &str) -> Result<String, String> {
    let local = zoned(at, &zone_of(zone)?)?.datetime();
    Ok(local.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// The moment of a local time. One skipped by daylight saving becomes the
/// first moment after the gap; one that comes twice, the first.
pub fn instant_of(local: &str, zone: &str) -> Result<u64, String> {
    let zone = zone_of(zone)?;
    let time: DateTime = local
        .parse()
        .map_err(|_| format!("`{local}` is not a local time such as `2026-12-01T10:00:00`"))?;
    let ambiguous = zone.to_ambiguous_zoned(time);
    let moment = match ambiguous.offset() {
        jiff::tz::AmbiguousOffset::Gap { .. } => after_gap(time, &zone),
        _ => ambiguous.earlier().map(|zoned| zoned.timestamp()),
    };
    let moment = moment.map_err(|_| format!("`{local}` is out of range"))?;
    u64::try_from(moment.as_millisecond()).map_err(|_| format!("`{local}` is before 1970"))
}

/// The moment at which the clocks jump over `time`.
fn after_gap(time: DateTime, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    // Read with the offset from after the gap, the time lies before it.
    let before = zone.to_ambiguous_zoned(time).earlier()?.timestamp();
    let jump = zone.following(before).next().map(|jump| jump.timestamp());
    Ok(jump.unwrap_or(before))
}

/// The first moment after `after` that a cron expression of five fields names;
/// none if there is none within four years.
pub fn next_occurrence(cron: &str, zone: &str, after: u64) -> Result<Option<u64>, String> {
    let malformed = |why: &str| format!("`{cron}` is not a cron expression: {why}");
    let zone = zone_of(zone)?;
    if cron.len() > CRON_BYTES {
        return Err(format!("a cron expression may have {CRON_BYTES} bytes"));
    }
    if cron.split_whitespace().count() != 5 {
        return Err(malformed("it has five fields: minute hour day month weekday"));
    }
    let start = zoned(after, &zone)?;
    let end = start.checked_add(SEARCH_YEARS.years()).map_err(|_| OUT_OF_RANGE.to_owned())?;
    // The years keep the search for what never comes (31 February) short.
    let pattern = format!("0 {cron} {}-{}", start.year(), end.year());
    let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Required).build();
    let cron = parser.parse(&pattern).map_err(|error| malformed(&error.to_string()))?;
    let next: Option<Zoned> = cron.find_next_occurrence(&start, false).ok();
    let within = next.filter(|next| *next <= end);
    Ok(within.and_then(|next| u64::try_from(next.timestamp().as_millisecond()).ok()))
}

const OUT_OF_RANGE: &str = "the moment is out of range";

fn zone_of(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name)
        .map_err(|_| format!("`{name}` is not a time zone such as `Europe/Berlin` or `UTC`"))
}

fn zoned(at: u64, zone: &TimeZone) -> Result<Zoned, String> {
    // The SDK has this file too, and no model.
    let moment = i64::try_from(at).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    moment.map(|moment| moment.to_zoned(zone.clone())).ok_or_else(|| OUT_OF_RANGE.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: &str = "Europe/Berlin";

    fn at(utc: &str) -> u64 {
        utc.parse::<Timestamp>().unwrap().as_millisecond() as u64
    }

    #[test]
    fn local_times_go_there_and_back() {
        let noon = at("2026-12-01T09:00:00Z");
        assert_eq!(local_time(noon, BERLIN).unwrap(), "2026-12-01T10:00:00");
        assert_eq!(instant_of("2026-12-01T10:00:00", BERLIN).unwrap(), noon);
        assert_eq!(instant_of("2026-12-01", "UTC").unwrap(), at("2026-12-01T00:00:00Z"));
    }

    #[test]
    fn daylight_saving_skips_and_repeats() {
        // 02:00 to 03:00 does not exist: all of it is the moment after the gap.
        let jump = at("2026-03-29T01:00:00Z");
        for skipped in ["2026-03-29T02:00:00", "2026-03-29T02:30:00", "2026-03-29T02:59:59"] {
            assert_eq!(instant_of(skipped, BERLIN).unwrap(), jump, "{skipped}");
        }
        assert_eq!(instant_of("2026-03-29T03:00:00", BERLIN).unwrap(), jump);
        // 02:30 comes twice: the first.
        let first = at("2026-10-25T00:30:00Z");
        assert_eq!(instant_of("2026-10-25T02:30:00", BERLIN).unwrap(), first);
    }

    #[test]
    fn cron_finds_the_next_moment_in_its_zone() {
        let monday = at("2026-03-02T10:00:00Z");
        let next = |cron, zone| next_occurrence(cron, zone, monday).unwrap();
        assert_eq!(next("0 10 * * MON", "UTC"), Some(at("2026-03-09T10:00:00Z")));
        assert_eq!(next("0 12 * * *", BERLIN), Some(at("2026-03-02T11:00:00Z")));
        assert_eq!(next("*/15 * * * *", "UTC"), Some(at("2026-03-02T10:15:00Z")));
        assert_eq!(next("0 0 29 2 *", "UTC"), Some(at("2028-02-29T00:00:00Z")));
        assert_eq!(next("0 0 31 2 *", "UTC"), None);
        // A daily time that daylight saving skips comes right after the gap.
        let before = at("2026-03-28T12:00:00Z");
        let skipped = next_occurrence("30 2 * * *", BERLIN, before).unwrap().unwrap();
        assert_eq!(local_time(skipped, BERLIN).unwrap(), "2026-03-29T03:00:00");
    }

    #[test]
    fn mistakes_are_named() {
        assert!(local_time(0, "Mars/Base").unwrap_err().contains("`Mars/Base`"));
        assert!(local_time(u64::MAX, "UTC").unwrap_err().contains("out of range"));
        assert!(instant_of("tomorrow", "UTC").unwrap_err().contains("`tomorrow`"));
        assert!(next_occurrence("0 10 * *", "UTC", 0).unwrap_err().contains("five fields"));
        assert!(next_occurrence("61 10 * * *", "UTC", 0).is_err());
        assert!(next_occurrence("* * * * * ", "Nowhere", 0).is_err());
    }
}
