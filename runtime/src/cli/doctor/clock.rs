//! This machine's clock beside the provider's, by the date of an answer.

use super::finding::Finding;
use crate::model::Millis;

/// A clock this far off gets windows and tokens wrong.
const SKEW_MS: u64 = 120_000;

/// None if the date can't be read.
pub fn examine(date: &str, now: Millis) -> Option<Finding> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_millisecond();
    let skew = now.abs_diff(u64::try_from(theirs).ok()?);
    Some(match skew {
        0..=SKEW_MS => Finding::good("clock", "it agrees with the provider's"),
        skew => Finding::bad(
            "clock",
            format!("this machine's clock is {} seconds off the provider's", skew / 1_000),
            "set the clock by NTP: the 24-hour window is counted by it",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared() {
        let now = 1_795_305_600_000;
        let of = |date: &str| examine(date, now).map(|finding| finding.todo.is_none());
        assert_eq!(of("Sun, 22 Nov 2026 00:01:00 GMT"), Some(true));
        assert_eq!(of("Sun, 22 Nov 2026 00:03:00 GMT"), Some(false));
        assert_eq!(of("Sat, 21 Nov 2026 23:00:00 GMT"), Some(false));
        assert_eq!(of("soon"), None);
    }
}
