//! Days that some other calendar closes, such as a list of holidays.

use super::{Calendar, Day, On, Span};
use jiff::{ToSpan, civil::Date};

const DAY: i64 = 24 * 60;

impl Calendar {
    /// Closes whole days, but for those on which hours of the owner's hold.
    pub fn close_days(&mut self, from: Date, until: Date, name: &str) {
        let on = On::Dates { from, until };
        for date in from.series(1.day()).take_while(|date| *date <= until) {
            if self.day_that_differs(date).is_none() {
                self.dated.insert(date, Day { name: name.into(), on, spans: Vec::new() });
            }
        }
    }

    /// Closes for a time, which is taken out of the hours of each day that it
    /// touches. The days on which it is open as before are as before.
    pub fn close_between(&mut self, from: u64, to: u64, name: &str) {
        let (Some(first), Some(last)) = (self.day_before(from), self.date(to)) else { return };
        let dates = self.date(from).map(|date| On::Dates { from: date, until: last });
        let Some(on) = dates else { return };
        for date in first.series(1.day()).take_while(|date| *date <= last) {
            let (Some(from), Some(to)) = (self.minutes(from, date), self.minutes(to, date)) else {
                continue;
            };
            let before = self.spans_of(date);
            let spans: Vec<Span> =
                before.iter().flat_map(|span| without(*span, from, to)).collect();
            if spans != before {
                self.dated.insert(date, Day { name: name.into(), on, spans });
            }
        }
    }

    /// The dates so closed, in order, with what holds on them.
    pub fn closures(&self) -> impl Iterator<Item = (Date, &Day)> {
        self.dated.iter().map(|(date, day)| (*date, day))
    }

    /// What the clock on the wall says at `at`, in minutes after the midnight
    /// with which `date` begins; a minute that has begun is over.
    fn minutes(&self, at: u64, date: Date) -> Option<i64> {
        let local = self.local(at)?;
        let days = i64::from(date.until(local.date()).ok()?.get_days());
        let time = local.time();
        let begun = i64::from(time.second() > 0);
        Some(days * DAY + i64::from(time.hour()) * 60 + i64::from(time.minute()) + begun)
    }
}

/// What is left of a span before `from` and from `to` on.
fn without(span: Span, from: i64, to: i64) -> Vec<Span> {
    let (opens, closes) = (i64::from(span.from), i64::from(span.to));
    let left = [(opens, closes.min(from)), (opens.max(to), closes)];
    if to <= opens || closes <= from {
        return vec![span];
    }
    let piece = |(from, to): (i64, i64)| {
        let (from, to) = (u16::try_from(from).ok()?, u16::try_from(to).ok()?);
        (from < to).then_some(Span { from, to })
    };
    left.into_iter().filter_map(piece).collect()
}
