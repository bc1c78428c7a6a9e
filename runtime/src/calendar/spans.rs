//! Hours and dates as an owner writes them.

use super::DAY_MINUTES;
use jiff::civil::Date;

/// Hours of one day, in minutes after the midnight with which it begins.
/// Beyond 1,440 it is the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: u16,
    pub to: u16,
}

/// A day, or some in a row, on which the weekly hours do not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// As customers read it: `Christmas`.
    pub name: String,
    pub on: On,
    /// None: closed.
    pub spans: Vec<Span>,
}

/// From a date to another one, which is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Dates {
        from: Date,
        until: Date,
    },
    /// Month and day. `until` may be before `from`: over the new year.
    Yearly {
        from: (i8, i8),
        until: (i8, i8),
    },
}

impl On {
    /// `2026-12-25`, or `12-25` for every year; both of the same kind. Error:
    /// which of the two is wrong, and what is.
    pub fn parse(from: &str, until: Option<&str>) -> Result<Self, (Bound, String)> {
        let until = until.unwrap_or(from);
        let date = |text: &str| text.parse::<Date>().ok().filter(|_| text.len() == 10);
        let form = |text: &str| {
            format!("`{text}` is not a date such as `2026-12-25`, or `12-25` for every year")
        };
        match (date(from), yearly(from), date(until), yearly(until)) {
            (Some(from), _, Some(until), _) if from <= until => Ok(Self::Dates { from, until }),
            (Some(_), _, Some(_), _) => Err((Bound::Until, format!("is before `{from}`"))),
            (_, Some(from), _, Some(until)) => Ok(Self::Yearly { from, until }),
            (None, None, ..) => Err((Bound::From, form(from))),
            (.., None, None) => Err((Bound::Until, form(until))),
            _ => Err((Bound::Until, format!("`{until}` must have the form of `{from}`"))),
        }
    }

    pub fn holds(&self, date: Date) -> bool {
        match *self {
            Self::Dates { from, until } => from <= date && date <= until,
            Self::Yearly { from, until } => {
                let day = (date.month(), date.day());
                match from <= until {
                    true => from <= day && day <= until,
                    false => from <= day || day <= until,
                }
            }
        }
    }

    /// Whether there is a date on which both hold, for two of the same kind.
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Dates { from, .. }, Self::Dates { from: start, .. }) => {
                self.holds(*start) || other.holds(*from)
            }
            (Self::Yearly { from, .. }, Self::Yearly { from: start, .. }) => {
                self.holds_yearly(*start) || other.holds_yearly(*from)
            }
            // The one of certain years goes before.
            (Self::Dates { .. }, Self::Yearly { .. })
            | (Self::Yearly { .. }, Self::Dates { .. }) => false,
        }
    }

    fn holds_yearly(&self, (month, day): (i8, i8)) -> bool {
        Date::new(LEAP_YEAR, month, day).is_ok_and(|date| self.holds(date))
    }
}

/// Which end of an `On` is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    From,
    Until,
}

/// Every day of a year is in it.
const LEAP_YEAR: i16 = 2024;

fn yearly(text: &str) -> Option<(i8, i8)> {
    let (month, day) = text.split_once('-').filter(|_| text.len() == 5)?;
    let date = Date::new(LEAP_YEAR, month.parse().ok()?, day.parse().ok()?).ok()?;
    Some((date.month(), date.day()))
}

/// `["09:00-12:30", "13:30-18:00"]`, in order; `closed` or `24h` alone. One
/// that ends before it begins ends the next day. Error: which is wrong, and
/// what is.
pub fn spans<'a>(
    texts: impl ExactSizeIterator<Item = &'a str>,
) -> Result<Vec<Span>, (usize, String)> {
    let count = texts.len();
    let mut spans: Vec<(usize, Span)> = Vec::new();
    for (at, text) in texts.enumerate() {
        let text = text.trim();
        if ["closed", "24h"].contains(&text) {
            match (count, text) {
                (1, "24h") => return Ok(vec![Span { from: 0, to: DAY_MINUTES }]),
                (1, _) => return Ok(Vec::new()),
                _ => return Err((at, format!("`{text}` must stand alone"))),
            }
        }
        spans.push((at, span(text).map_err(|why| (at, why))?));
    }
    spans.sort_by_key(|(_, span)| span.from);
    for pair in spans.windows(2) {
        if let [(_, one), (at, next)] = pair
            && next.from < one.to
        {
            return Err((*at, format!("{next} overlaps with {one}")));
        }
    }
    Ok(spans.into_iter().map(|(_, span)| span).collect())
}

fn span(text: &str) -> Result<Span, String> {
    let form = || {
        format!("`{text}` is not a span such as `09:00-18:00`; `closed` and `24h` are allowed too")
    };
    let (from, to) = text.split_once('-').ok_or_else(form)?;
    let (from, to) = (minutes(from).ok_or_else(form)?, minutes(to).ok_or_else(form)?);
    match from {
        DAY_MINUTES => Err(format!("`{text}` begins at 24:00: write 00:00 on the next day")),
        _ if from == to => {
            Err(format!("`{text}` begins and ends at the same time; all day is `24h`"))
        }
        _ if to < from => Ok(Span { from, to: to + DAY_MINUTES }),
        _ => Ok(Span { from, to }),
    }
}

/// `9:00` or `09:00`, up to `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if hour.len() > 2 || minute.len() != 2 || !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && hour * 60 + minute <= DAY_MINUTES).then_some(hour * 60 + minute)
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let to = if self.to > DAY_MINUTES { self.to - DAY_MINUTES } else { self.to };
        write!(f, "`{:02}:{:02}-{:02}:{:02}`", self.from / 60, self.from % 60, to / 60, to % 60)
    }
}
