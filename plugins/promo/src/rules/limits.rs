//! Lengths of time, quiet hours and caps, as owners write them.

use switchboard_plugin::Instant;

pub const DAY_MS: Instant = 24 * 3_600_000;
/// What was sent is remembered this long, so a cap cannot reach further back,
pub const CAP_DAYS: u64 = 90;
/// and so many of them for one contact.
pub const SENT_KEPT: usize = 200;
/// A timer is at most ten years away.
const DAYS_MAX: u64 = 3_650;

/// `2 days` in milliseconds.
pub fn duration(text: &str) -> Option<Instant> {
    let (count, unit) = text.trim().split_once(' ')?;
    let unit = match unit.trim() {
        "minute" | "minutes" => 60_000,
        "hour" | "hours" => 3_600_000,
        "day" | "days" => DAY_MS,
        "week" | "weeks" => 7 * DAY_MS,
        _ => return None,
    };
    let length = count.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=DAYS_MAX * DAY_MS).contains(&length).then_some(length)
}

/// `14:30` in minutes after midnight.
pub fn minutes(time: &str) -> Option<u32> {
    let (hours, minutes) = time.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// From one local time to another, in minutes after midnight; over midnight
/// where the end is the smaller.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quiet {
    pub from: u32,
    pub to: u32,
}

impl Quiet {
    pub fn read(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        let quiet = Self { from: minutes(from)?, to: minutes(to)? };
        (quiet.from != quiet.to).then_some(quiet)
    }

    pub fn holds(self, minute: u32) -> bool {
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }

    /// How long a day is not quiet, in milliseconds.
    pub fn open_ms(self) -> Instant {
        let day = 24 * 60;
        let quiet = (self.to + day - self.from) % day;
        Instant::from(day - quiet) * 60_000
    }
}

/// At most so many promotions in so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cap {
    pub count: usize,
    pub window: Instant,
}

impl Cap {
    pub fn read(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (count, days) = match words[..] {
            [count, "per", "day"] => (count, "1"),
            [count, "per", days, "days" | "day"] => (count, days),
            _ => return None,
        };
        let (count, days): (usize, u64) = (count.parse().ok()?, days.parse().ok()?);
        let sane = count <= SENT_KEPT && (1..=CAP_DAYS).contains(&days);
        sane.then_some(Self { count, window: days * DAY_MS })
    }
}
