//! A moment as the business's clock shows it.

use serde::Deserialize;
use switchboard_plugin::{Instant, business};

pub const DAY_MS: u64 = 24 * 3_600_000;

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// From Monday, as the profile counts.
pub const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: Instant,
    /// Days since some day, by the local date.
    pub day: i64,
    pub weekday: Weekday,
    /// Since local midnight.
    pub minute: u32,
}

impl Moment {
    /// Error: the host does not know its own zone.
    pub fn of(at: Instant) -> Result<Self, String> {
        let local = business::local_time(at, &business::zone())?;
        Self::read(at, &local).ok_or_else(|| format!("`{local}` is no local time"))
    }

    /// Of `2026-12-01T10:00:00`.
    fn read(now: Instant, local: &str) -> Option<Self> {
        let (date, time) = local.split_once('T')?;
        let mut date = date.splitn(3, '-').map(str::parse::<i64>);
        let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
        // A year that begins in March has its odd day at the end.
        let (year, month) = if month < 3 { (year - 1, month + 12) } else { (year, month) };
        let day = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month - 457) / 5 + day;
        let mut time = time.split(':').map(str::parse::<u32>);
        let minute = time.next()?.ok()? * 60 + time.next()?.ok()?;
        let weekday = *WEEK.get(usize::try_from((day + 1).rem_euclid(7)).ok()?)?;
        Some(Self { now, day, weekday, minute })
    }

    pub fn hour(&self) -> usize {
        (self.minute / 60) as usize
    }
}

/// Hours of the day, over midnight too: `18:00-02:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: u32,
    to: u32,
}

impl Hours {
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not like `18:00-23:00`");
        let (from, to) = text.split_once('-').ok_or_else(wrong)?;
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
            ((hour < 24 && minute < 60) || (hour, minute) == (24, 0)).then_some(hour * 60 + minute)
        };
        let (from, to) = (minute(from).ok_or_else(wrong)?, minute(to).ok_or_else(wrong)?);
        if from == to {
            return Err(format!("`{text}` begins when it ends: for the whole day leave it out"));
        }
        Ok(Self { from, to })
    }

    pub fn holds(&self, minute: u32) -> bool {
        match self.from < self.to {
            true => (self.from..self.to).contains(&minute),
            false => minute >= self.from || minute < self.to,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_each_other_and_have_their_names() {
        let day = |date: &str| Moment::read(0, &format!("{date}T23:59:00")).unwrap();
        for (before, after) in [
            ("2026-02-28", "2026-03-01"),
            ("2028-02-28", "2028-02-29"),
            ("2028-02-29", "2028-03-01"),
            ("2026-12-31", "2027-01-01"),
            ("2026-04-30", "2026-05-01"),
        ] {
            assert_eq!(day(before).day + 1, day(after).day, "{before}");
        }
        assert_eq!(day("2026-03-02").weekday, Weekday::Mon);
        assert_eq!(day("2026-11-22").weekday, Weekday::Sun);
        assert_eq!((day("2026-03-02").minute, day("2026-03-02").hour()), (23 * 60 + 59, 23));
    }

    #[test]
    fn hours_go_over_midnight() {
        let hours = |text, at: u32| Hours::parse(text).unwrap().holds(at);
        assert!(hours("18:00-23:00", 18 * 60) && !hours("18:00-23:00", 23 * 60));
        assert!(hours("22:00-02:00", 60) && hours("22:00-02:00", 23 * 60));
        assert!(!hours("22:00-02:00", 2 * 60) && hours("20:00-24:00", 23 * 60 + 59));
        for wrong in ["18-23", "18:00", "25:00-26:00", "18:60-19:00", "8:00-8:00", "a:b-c:d"] {
            assert!(Hours::parse(wrong).is_err(), "{wrong}");
        }
    }
}
