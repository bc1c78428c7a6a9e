//! `.ics` files: what other programs keep calendars in (RFC 5545), as closures.

use crate::model::plain_line;
use calcard::{
    Entry, Parser,
    common::{PartialDateTime, timezone::Tz},
    icalendar::{
        ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarProperty, ICalendarStatus,
        ICalendarValue,
    },
};
use jiff::{
    civil::{Date, DateTime},
    tz::TimeZone,
};
use std::{collections::BTreeMap, fmt::Display};

/// One time that an event takes place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closure {
    /// The event's SUMMARY.
    pub name: String,
    pub times: Times,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Times {
    /// Whole days, the last one included.
    Days { from: Date, until: Date },
    /// Moments, in milliseconds since 1970.
    Moments { from: u64, to: u64 },
}

/// A line, counted from 1, and what is wrong there.
type Wrong = (usize, String);

const END: &str = "END:VCALENDAR";
/// As many as a business of any size needs.
const EVENTS: usize = 5_000;
/// Of one event: every week for forty years.
const REPEATS: usize = 2_500;
/// What repeats for ever ends here.
const LAST_YEAR: i16 = 2060;
const DAYS_MAX: i64 = 400;
/// As of a day in calendar.toml.
const NAME_CHARS: usize = 100;

/// What the events of a file close. `zone` is that of times without one.
/// Error: every problem there is.
pub(super) fn read(text: &str, zone: &TimeZone) -> Result<Vec<Closure>, Vec<Wrong>> {
    let mut lines = text.lines().enumerate().filter_map(|(at, line)| {
        line.trim().eq_ignore_ascii_case("BEGIN:VEVENT").then_some(at + 1)
    });
    let (mut found, mut wrong, mut any) = (Vec::new(), Vec::new(), false);
    let mut parser = Parser::new(text);
    loop {
        match parser.entry() {
            Entry::ICalendar(calendar) => {
                any = true;
                for mut events in by_id(calendar, &mut lines) {
                    until_by_the_wall(&mut events.calendar);
                    match events.closures(zone) {
                        Ok(closures) => found.extend(closures),
                        Err(problems) => wrong.extend(problems),
                    }
                }
            }
            Entry::Eof if any => break,
            _ => {
                let message = "is no calendar: an .ics file begins with `BEGIN:VCALENDAR`";
                wrong.push((1, message.into()));
                break;
            }
        }
    }
    // The parser takes what there is.
    let last = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).last();
    if let Some((at, line)) = last
        && any
        && !line.trim().eq_ignore_ascii_case(END)
    {
        wrong.push((at + 1, format!("ends without `{END}`: the file is cut off")));
    }
    if found.len() > EVENTS {
        let message = format!("closes {} times, and at most {EVENTS} are allowed", found.len());
        wrong.push((1, message));
    }
    wrong.sort();
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

/// An event with those that differ from it on certain dates: all of one UID.
struct Events {
    /// Where each component of `calendar` begins; 0 for a zone.
    lines: Vec<usize>,
    /// The events and the zones they may name.
    calendar: ICalendar,
}

fn by_id(calendar: ICalendar, lines: &mut impl Iterator<Item = usize>) -> Vec<Events> {
    let of = |kind| move |one: &&ICalendarComponent| one.component_type == kind;
    let zones: Vec<_> =
        calendar.components.iter().filter(of(ICalendarComponentType::VTimezone)).cloned().collect();
    let mut found: BTreeMap<String, Events> = BTreeMap::new();
    for event in calendar.components.iter().filter(of(ICalendarComponentType::VEvent)) {
        let line = lines.next().unwrap_or(1);
        let id = event.uid().map_or_else(|| format!("\n{line}"), str::to_owned);
        let events = found.entry(id).or_insert_with(|| Events {
            lines: vec![0; zones.len()],
            calendar: ICalendar { components: zones.clone() },
        });
        events.lines.push(line);
        events.calendar.components.push(event.clone());
    }
    found.into_values().collect()
}

/// An end of repeating is often given in universal time, and the parser
/// compares it with the clock on the wall: it is put into the event's own zone.
fn until_by_the_wall(calendar: &mut ICalendar) {
    let zones = calendar.build_owned_tz_resolver();
    for event in &mut calendar.components {
        let start = event.property(&ICalendarProperty::Dtstart);
        let zone = start.and_then(|start| start.tz_id()).and_then(|id| zones.resolve(id));
        let Some(zone) = zone else { continue };
        for value in event.entries.iter_mut().flat_map(|entry| &mut entry.values) {
            let ICalendarValue::RecurrenceRule(rule) = value else { continue };
            let until = rule.until.as_mut().filter(|until| until.has_zone());
            let Some(until) = until else { continue };
            let moment = until.to_date_time_with_tz(zone).map(|at| at.with_timezone(&zone));
            let local = moment.and_then(|at| at.naive_local().to_string().parse::<DateTime>().ok());
            let Some(local) = local else { continue };
            *until = PartialDateTime {
                year: u16::try_from(local.year()).ok(),
                month: u8::try_from(local.month()).ok(),
                day: u8::try_from(local.day()).ok(),
                hour: u8::try_from(local.hour()).ok(),
                minute: u8::try_from(local.minute()).ok(),
                second: u8::try_from(local.second()).ok(),
                ..PartialDateTime::default()
            };
        }
    }
}

impl Events {
    fn closures(&self, zone: &TimeZone) -> Result<Vec<Closure>, Vec<Wrong>> {
        let mut wrong: Vec<Wrong> = Vec::new();
        let own =
            || self.calendar.components.iter().zip(&self.lines).filter(|(_, line)| **line > 0);
        let Some(name) = own().find_map(|(event, _)| summary(event)) else {
            let line = own().map(|(_, line)| *line).next().unwrap_or(1);
            let message = "an event has no SUMMARY, and customers read that as its name";
            return Err(vec![(line, message.into())]);
        };
        for (event, line) in own() {
            let told = |why: String| (*line, format!("the event `{name}` {why}"));
            wrong.extend(self.unreadable(event).map(told));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let expanded = self.calendar.expand_dates(Tz::Floating, REPEATS);
        let line = |component: u32| self.lines.get(component as usize).copied().unwrap_or(1);
        for error in expanded.errors {
            wrong.push((line(error.comp_id), format!("the event `{name}`: {}", error.error)));
        }
        let all = expanded.events.len();
        let mut found = Vec::new();
        for event in expanded.events {
            let component = self.calendar.components.get(event.comp_id as usize);
            let Some(component) = component.filter(|one| !is_cancelled(one)) else { continue };
            let line = line(event.comp_id);
            // Its end is by the clock on the wall; where that is not clear, it has none.
            let Some(event) = event.try_into_date_time() else { continue };
            let (start, end) = (event.start, event.end);
            let from = Moment::of(start.timezone(), &start.naive_local(), start.timestamp_millis());
            let to = Moment::of(end.timezone(), &end.naive_local(), end.timestamp_millis());
            let (Some(from), Some(to)) = (from, to) else { continue };
            let Some(times) = times(from, to, is_timed(component), zone) else { continue };
            if times.days() > DAYS_MAX {
                let why = format!("the event `{name}` lasts longer than {DAYS_MAX} days");
                wrong.push((line, why));
                break;
            }
            let name = summary(component).unwrap_or_else(|| name.clone());
            found.push(Closure { name, times });
        }
        if all >= REPEATS && found.len() >= REPEATS {
            let line = own().map(|(_, line)| *line).next().unwrap_or(1);
            let why = format!(
                "the event `{name}` repeats more than {REPEATS} times before {LAST_YEAR}: give its \
                 RRULE an end, `UNTIL` or `COUNT`; what happens every week stands in `[hours]`"
            );
            wrong.push((line, why));
        }
        if wrong.is_empty() { Ok(found) } else { Err(wrong) }
    }

    /// What would be passed over in silence.
    fn unreadable(&self, event: &ICalendarComponent) -> Option<String> {
        let zones = self.calendar.build_tz_resolver();
        for entry in &event.entries {
            let value = entry.values.first();
            match &entry.name {
                ICalendarProperty::Rrule
                    if !matches!(value, Some(ICalendarValue::RecurrenceRule(_))) =>
                {
                    return Some("has an RRULE that can't be read".into());
                }
                ICalendarProperty::Dtstart | ICalendarProperty::Dtend
                    if !matches!(value, Some(ICalendarValue::PartialDateTime(_))) =>
                {
                    let name = entry.name.as_str();
                    return Some(format!(
                        "has a {name} that is no date such as `20261225` or `20261225T130000`"
                    ));
                }
                _ => {}
            }
            if let Some(zone) = entry.tz_id().filter(|zone| zones.resolve(zone).is_none()) {
                return Some(format!(
                    "is in the zone `{zone}`, which is no IANA time zone such as `Europe/Berlin`"
                ));
            }
        }
        None
    }
}

/// A moment, or what the clock on the wall shows where no zone is given.
enum Moment {
    At(u64),
    Local(DateTime),
}

impl Moment {
    /// `local` as `2026-12-25 13:00:00`, which counts where the zone is none.
    fn of(zone: Tz, local: &impl Display, ms: i64) -> Option<Self> {
        match zone.is_floating() {
            true => local.to_string().parse().ok().map(Self::Local),
            false => u64::try_from(ms).ok().map(Self::At),
        }
    }

    fn at(self, zone: &TimeZone) -> Option<u64> {
        match self {
            Self::At(at) => Some(at),
            Self::Local(local) => {
                let at = zone.to_zoned(local).ok()?.timestamp().as_millisecond();
                u64::try_from(at).ok()
            }
        }
    }
}

/// None: beyond the years that count.
fn times(from: Moment, end: Moment, timed: bool, zone: &TimeZone) -> Option<Times> {
    if let (false, Moment::Local(from), Moment::Local(end)) = (timed, &from, &end) {
        let (from, last) = (from.date(), end.date().yesterday().ok()?);
        return (from.year() <= LAST_YEAR).then_some(Times::Days { from, until: from.max(last) });
    }
    let (from, to) = (from.at(zone)?, end.at(zone)?);
    let year = crate::model::moment(from)?.to_zoned(zone.clone()).year();
    (year <= LAST_YEAR).then_some(Times::Moments { from, to })
}

impl Times {
    fn days(&self) -> i64 {
        match self {
            Self::Days { from, until } => {
                from.until(*until).map_or(0, |span| i64::from(span.get_days()))
            }
            Self::Moments { from, to } => {
                i64::try_from(to.saturating_sub(*from) / 86_400_000).unwrap_or(i64::MAX)
            }
        }
    }
}

fn summary(event: &ICalendarComponent) -> Option<String> {
    let value = event.property(&ICalendarProperty::Summary)?.values.first()?;
    Some(plain_line(value.as_text()?, NAME_CHARS)).filter(|name| !name.is_empty())
}

fn is_cancelled(event: &ICalendarComponent) -> bool {
    event.status() == Some(&ICalendarStatus::Cancelled)
}

fn is_timed(event: &ICalendarComponent) -> bool {
    let start = event.property(&ICalendarProperty::Dtstart).and_then(|start| start.values.first());
    matches!(start, Some(ICalendarValue::PartialDateTime(start)) if start.has_time())
}

#[cfg(test)]
mod tests;
