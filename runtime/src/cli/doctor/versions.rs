//! How long Meta's versions of the Graph API live.

use super::finding::Finding;
use crate::model::{Millis, moment};

const CHECK: &str = "version";

/// Versions with the day on which each ends, as Meta had announced by
/// November 2026. A version lives for about two years.
const ENDS: [(u32, &str); 6] = [
    (20, "2026-09-24"),
    (21, "2027-01-21"),
    (22, "2027-05-20"),
    (23, "2027-10-08"),
    (24, "2028-02-18"),
    (25, "2028-07-29"),
];
/// The newest that was known.
const NEWEST: u32 = 26;
const OLDEST: u32 = 20;

/// Days before the end in which it is said.
const SOON_DAYS: i64 = 60;

pub fn examine(api_url: &str, now: Millis) -> Finding {
    let todo = format!("set `api_url` to end in `v{NEWEST}.0`");
    let Some(version) = version(api_url) else {
        return Finding::unknown(CHECK, "`api_url` names no version");
    };
    if version < OLDEST {
        return Finding::bad(CHECK, format!("v{version}.0 ended before 2026"), todo);
    }
    let end = ENDS.iter().find(|(of, _)| *of == version).map(|(_, end)| *end);
    match (end, version) {
        (None, NEWEST) => Finding::good(CHECK, format!("v{version}.0 is Meta's newest known")),
        (None, _) => Finding::unknown(CHECK, format!("v{version}.0 is newer than what is known")),
        (Some(end), _) => match days_until(end, now) {
            Some(..0) => Finding::bad(
                CHECK,
                format!("v{version}.0 ended on {end}: Meta reads it anew"),
                todo,
            ),
            Some(0..=SOON_DAYS) => {
                Finding::good(CHECK, format!("v{version}.0 ends soon, on {end}")).todo(todo)
            }
            Some(_) | None => Finding::good(CHECK, format!("v{version}.0 lives until {end}")),
        },
    }
}

/// `https://graph.facebook.com/v26.0` → 26.
fn version(api_url: &str) -> Option<u32> {
    let last = api_url.trim_end_matches('/').rsplit('/').next()?;
    let (whole, _) = last.strip_prefix('v')?.split_once('.')?;
    whole.parse().ok()
}

fn days_until(end: &str, now: Millis) -> Option<i64> {
    const DAY_SECONDS: i64 = 24 * 3_600;
    let end: jiff::civil::Date = end.parse().ok()?;
    let end = end.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    let left = end.as_second().checked_sub(moment(now)?.as_second())?;
    Some(left.div_euclid(DAY_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::{super::finding::State, *};

    #[test]
    fn versions_end_on_their_day() {
        // 2026-11-22.
        let now = 1_795_305_600_000;
        let of = |url: &str| examine(url, now);
        for (url, state, said) in [
            ("https://graph.facebook.com/v26.0", State::Good, "newest"),
            ("https://graph.facebook.com/v25.0/", State::Good, "2028-07-29"),
            ("https://graph.facebook.com/v21.0", State::Good, "soon, on 2027-01-21"),
            ("https://graph.facebook.com/v20.0", State::Bad, "ended on 2026-09-24"),
            ("https://graph.facebook.com/v19.0", State::Bad, "ended"),
            ("https://graph.facebook.com/v31.0", State::Unknown, "newer"),
            ("http://127.0.0.1:9/graph", State::Unknown, "no version"),
        ] {
            let found = of(url);
            assert_eq!(found.state, state, "{url}");
            assert!(found.said.contains(said), "{url}: {}", found.said);
        }
        assert!(of("x/v21.0").todo.unwrap().contains("v26.0"));
    }
}
