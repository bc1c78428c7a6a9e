//! When the business is open: weekly hours, and days that differ from them.
//! Pure; also what the test kit of the plugin SDK uses, so that a test and a
//! turn agree.
//!
//! A stretch of opening begins and ends when the clocks on the wall first get
//! there. A time that daylight saving skips is the moment after the gap; in
//! an hour that comes twice the first time counts.

// By path: the SDK has these files too, in a module of another place.
#[path = "calendar/closures.rs"]
mod closures;
#[path = "calendar/names.rs"]
mod names;
#[path = "calendar/spans.rs"]
mod spans;
#[path = "calendar/words.rs"]
mod words;

pub use spans::{Bound, Day, On, Span, spans};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};
use std::collections::BTreeMap;

/// How far ahead a change is looked for, in days: four years.
const SEARCH_DAYS: usize = 4 * 366;
const DAY_MINUTES: u16 = 24 * 60;

/// Moments are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    zone: TimeZone,
    /// From Monday to Sunday, each day's in order.
    week: [Vec<Span>; 7],
    /// Those of certain years first: they go before the yearly ones.
    days: Vec<Day>,
    /// What other calendars close, by date; it goes before `days`.
    dated: BTreeMap<Date, Day>,
}

impl Calendar {
    /// Each day's spans must be in order and not overlap. Of two days that
    /// differ on one date, one of certain years goes before a yearly one, then
    /// the first.
    pub fn new(zone: TimeZone, week: [Vec<Span>; 7], days: Vec<Day>) -> Self {
        let mut calendar = Self { zone, week, days: Vec::new(), dated: BTreeMap::new() };
        days.into_iter().for_each(|day| calendar.add(day));
        calendar
    }

    pub fn add(&mut self, day: Day) {
        self.days.push(day);
        self.days.sort_by_key(|day| matches!(day.on, On::Yearly { .. }));
    }

    pub fn open_at(&self, at: u64) -> bool {
        self.open_until(at).is_some()
    }

    /// The first moment after `after` at which it opens or closes. None if
    /// there is none within four years.
    pub fn next_change(&self, after: u64) -> Option<u64> {
        let first = self.day_before(after)?;
        let mut open_until = None;
        for (opens, closes) in self.stretches(first, SEARCH_DAYS) {
            match open_until {
                _ if closes <= after => {}
                None if opens > after => return Some(opens),
                Some(until) if opens > until => return Some(until),
                None => open_until = Some(closes),
                Some(until) => open_until = Some(closes.max(until)),
            }
        }
        // Whoever is open to the end of the search is always open.
        let end = first.checked_add(i64::try_from(SEARCH_DAYS).ok()?.days()).ok()?;
        open_until.filter(|until| self.moment(end, 0).is_some_and(|end| *until < end))
    }

    /// Why it is closed at `at`, if that is a day with a name.
    pub fn closure_at(&self, at: u64) -> Option<&str> {
        if self.open_at(at) {
            return None;
        }
        self.day_that_differs(self.date(at)?).map(|day| day.name.as_str())
    }

    /// The first moment after `after` at which it opens.
    fn next_opening(&self, after: u64) -> Option<u64> {
        let change = self.next_change(after)?;
        if self.open_at(change) { Some(change) } else { self.next_change(change) }
    }

    fn open_until(&self, at: u64) -> Option<u64> {
        // A span lasts a day and a night at most; one more for odd zones.
        let mut around = self.stretches(self.day_before(at)?, 4);
        around.find_map(|(opens, closes)| (opens <= at && at < closes).then_some(closes))
    }

    fn day_that_differs(&self, date: Date) -> Option<&Day> {
        self.dated.get(&date).or_else(|| self.days.iter().find(|day| day.on.holds(date)))
    }

    fn spans_of(&self, date: Date) -> &[Span] {
        let weekday = date.weekday().to_monday_zero_offset();
        let usual = || usize::try_from(weekday).ok().and_then(|day| self.week.get(day));
        match self.day_that_differs(date) {
            Some(day) => &day.spans,
            None => usual().map_or(&[], Vec::as_slice),
        }
    }

    /// When it opens and closes, in order, in `days` days from `first`. Those
    /// that touch are not yet one.
    fn stretches(&self, first: Date, days: usize) -> impl Iterator<Item = (u64, u64)> {
        first.series(1.day()).take(days).flat_map(move |date| {
            let stretch = move |span: &Span| {
                let (opens, closes) = (self.moment(date, span.from)?, self.moment(date, span.to)?);
                // Empty where daylight saving skips all of it.
                (opens < closes).then_some((opens, closes))
            };
            self.spans_of(date).iter().filter_map(stretch)
        })
    }

    /// The day that it is at `at` where the business is.
    pub fn date(&self, at: u64) -> Option<Date> {
        self.local(at).map(|local| local.date())
    }

    fn local(&self, at: u64) -> Option<DateTime> {
        let moment = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
        Some(moment.to_zoned(self.zone.clone()).datetime())
    }

    /// A day early enough that nothing from before it is still open at `at`.
    fn day_before(&self, at: u64) -> Option<Date> {
        self.date(at)?.checked_sub(2.days()).ok()
    }

    /// When the clocks of the zone first get to so many minutes after the
    /// midnight with which `date` begins.
    fn moment(&self, date: Date, minutes: u16) -> Option<u64> {
        let (days, minutes) = (minutes / DAY_MINUTES, minutes % DAY_MINUTES);
        let date = date.checked_add(i64::from(days).days()).ok()?;
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        let time: DateTime = date.at(hour, minute, 0, 0);
        let ambiguous = self.zone.to_ambiguous_zoned(time);
        let gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let early = ambiguous.earlier().ok()?.timestamp();
        let jump = || self.zone.following(early).next().map(|jump| jump.timestamp());
        let moment = if gap { jump().unwrap_or(early) } else { early };
        u64::try_from(moment.as_millisecond()).ok()
    }
}

#[cfg(test)]
#[path = "calendar/tests.rs"]
mod tests;
