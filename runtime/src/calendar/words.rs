//! Opening hours in words, for a text to a customer.

use super::{Calendar, DAY_MINUTES, Day, Span, names, names::Names};
use jiff::{Timestamp, ToSpan, civil::Date};

/// A day that differs is told so many days ahead.
const AHEAD_DAYS: usize = 14;

impl Calendar {
    /// The hours of a week, and the next day that differs within two weeks of
    /// `now`: `Monday to Friday 9:00–18:00, closed on Saturday and Sunday;
    /// 25 December (Christmas) closed`. In English where the language is not
    /// known here.
    pub fn opening_hours(&self, now: u64, language: Option<&str>) -> String {
        let names = names::of(language);
        let mut text = self.week_in_words(names);
        if let Some(differs) = self.next_that_differs(now, names) {
            text.push_str(names.then);
            text.push_str(&differs);
        }
        capitalised(&text)
    }

    /// When it opens next after `after`: `today at 14:00`, `on Monday at
    /// 9:00`, `on 2 January at 9:00`. None if it does not, within four years.
    pub fn opens(&self, after: u64, language: Option<&str>) -> Option<String> {
        let names = names::of(language);
        let opens = self.next_opening(after)?;
        let (today, date) = (self.date(after)?, self.date(opens)?);
        let moment = Timestamp::from_millisecond(i64::try_from(opens).ok()?).ok()?;
        let clock = moment.to_zoned(self.zone.clone()).time();
        let minutes =
            u16::try_from(clock.hour()).ok()? * 60 + u16::try_from(clock.minute()).ok()?;
        let form = match today.until(date).ok()?.get_days() {
            0 => names.today,
            1 => names.tomorrow,
            2..=6 => names.on_day,
            _ => names.on_date,
        };
        let form = form.replace("{day}", names.day(weekday(date)));
        let form = form.replace("{date}", &date_in_words(date, names));
        Some(form.replace("{time}", &time(minutes)))
    }

    fn week_in_words(&self, names: &Names) -> String {
        // The days of each kind of day, closed ones last.
        let mut groups: Vec<(&[Span], Vec<usize>)> = Vec::new();
        for (day, spans) in self.week.iter().enumerate() {
            match groups.iter_mut().find(|(same, _)| *same == spans.as_slice()) {
                Some((_, days)) => days.push(day),
                None => groups.push((spans, vec![day])),
            }
        }
        groups.sort_by_key(|(spans, _)| spans.is_empty());
        let group = |(spans, days): &(&[Span], Vec<usize>)| {
            let days = days_in_words(days, names);
            let form = if spans.is_empty() { names.closed } else { names.open };
            form.replace("{days}", &days).replace("{spans}", &spans_in_words(spans, names))
        };
        groups.iter().map(group).collect::<Vec<_>>().join(names.comma)
    }

    fn next_that_differs(&self, now: u64, names: &Names) -> Option<String> {
        let today = self.date(now)?;
        let of = |date: Date| self.day_that_differs(date).map(|day| (date, day));
        let (first, day) = today.series(1.day()).take(AHEAD_DAYS).find_map(of)?;
        let same = |date: &Date| self.day_that_differs(*date) == Some(day);
        let row = first.series(1.day()).take_while(same).take(AHEAD_DAYS);
        let last = row.last().unwrap_or(first);
        let dates = match first == last {
            true => date_in_words(first, names),
            false => names
                .range
                .replace("{from}", &date_in_words(first, names))
                .replace("{to}", &date_in_words(last, names)),
        };
        let Day { name, spans, .. } = day;
        let hours = match spans.as_slice() {
            [] => names.shut.into(),
            spans => spans_in_words(spans, names),
        };
        Some(format!("{dates} ({name}){}{hours}", names.space))
    }
}

fn weekday(date: Date) -> usize {
    usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default()
}

fn date_in_words(date: Date, names: &Names) -> String {
    let month = usize::try_from(date.month() - 1).unwrap_or_default();
    let form = names.date.replace("{day}", &date.day().to_string());
    form.replace("{month}", names.months.get(month).copied().unwrap_or_default())
}

/// `Monday to Wednesday and Friday`: three or more in a row are a range.
fn days_in_words(days: &[usize], names: &Names) -> String {
    if days.len() == 7 {
        return names.every_day.into();
    }
    let in_a_row = |one: &usize, next: &usize| one + 1 == *next;
    let rows = days.chunk_by(in_a_row).flat_map(|row| match row {
        [first, _, .., last] => {
            let form = names.range.replace("{from}", names.day(*first));
            vec![form.replace("{to}", names.day(*last))]
        }
        row => row.iter().map(|day| names.day(*day).to_owned()).collect(),
    });
    listed(&rows.collect::<Vec<_>>(), names)
}

fn spans_in_words(spans: &[Span], names: &Names) -> String {
    let span = |span: &Span| match span {
        Span { from: 0, to: DAY_MINUTES } => names.all_day.into(),
        Span { from, to } => format!("{}–{}", time(*from), time(*to)),
    };
    listed(&spans.iter().map(span).collect::<Vec<_>>(), names)
}

fn time(minutes: u16) -> String {
    let minutes = if minutes > DAY_MINUTES { minutes - DAY_MINUTES } else { minutes };
    format!("{}:{:02}", minutes / 60, minutes % 60)
}

/// `a, b and c`.
fn listed(items: &[String], names: &Names) -> String {
    match items {
        [rest @ .., last] if !rest.is_empty() => {
            format!("{}{}{last}", rest.join(names.comma), names.and)
        }
        items => items.concat(),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
