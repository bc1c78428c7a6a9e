//! How much marketing a contact gets and when none leaves, as a business
//! writes it: `2 per 7 days`, `21:00-09:00`.

use super::Millis;
use serde::Deserialize;

const DAY_MS: Millis = 24 * 3_600_000;

/// So many in so many days.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Cap {
    pub count: u32,
    pub days: u32,
}

impl Cap {
    /// As a schema's pattern.
    pub const PATTERN: &str = "^[1-9][0-9]{0,2} per (day|[1-9][0-9]? days?)$";

    pub fn span_ms(self) -> Millis {
        Millis::from(self.days) * DAY_MS
    }
}

impl TryFrom<String> for Cap {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (count, days) = match words[..] {
            [count, "per", "day"] => (count, "1"),
            [count, "per", days, "days" | "day"] => (count, days),
            _ => return Err(format!("`{text}` is not a cap such as `2 per 7 days`")),
        };
        match (count.parse(), days.parse()) {
            (Ok(count), Ok(days)) if days > 0 => Ok(Self { count, days }),
            _ => Err(format!("`{text}` is not a cap such as `2 per 7 days`")),
        }
    }
}

/// Hours of the day, in minutes since midnight; over midnight if `from` is the
/// later one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct QuietHours {
    pub from: u16,
    pub to: u16,
}

impl QuietHours {
    /// As a schema's pattern.
    pub const PATTERN: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$";

    /// Whether the minute of a day is among them.
    pub fn hold(self, minute: u16) -> bool {
        match self.from <= self.to {
            true => (self.from..self.to).contains(&minute),
            false => minute >= self.from || minute < self.to,
        }
    }
}

impl TryFrom<String> for QuietHours {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let minutes = |time: &str| {
            let (hours, minutes) = time.split_once(':')?;
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        let parts = text.split_once('-').map(|(from, to)| (minutes(from), minutes(to)));
        match parts {
            Some((Some(from), Some(to))) => Ok(Self { from, to }),
            _ => Err(format!("`{text}` are not hours such as `21:00-09:00`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_are_read() {
        let cap = |text: &str| Cap::try_from(text.to_owned()).ok().map(|cap| (cap.count, cap.days));
        assert_eq!(cap("2 per 7 days"), Some((2, 7)));
        assert_eq!(cap("1 per day"), Some((1, 1)));
        for wrong in ["2", "2 per week", "two per 7 days", "2 per 0 days", "-1 per day"] {
            assert_eq!(cap(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn quiet_hours_go_over_midnight() {
        let hours = |text: &str| QuietHours::try_from(text.to_owned()).unwrap();
        let held = |text: &str| (0..1440).filter(|minute| hours(text).hold(*minute)).count();
        assert_eq!(held("21:00-09:00"), 12 * 60);
        assert_eq!(held("09:30-10:00"), 30);
        assert_eq!(held("08:00-08:00"), 0);
        assert!(hours("21:00-09:00").hold(21 * 60) && !hours("21:00-09:00").hold(9 * 60));
        for wrong in ["21-9", "24:00-09:00", "21:60-09:00", "21:00"] {
            assert!(QuietHours::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
