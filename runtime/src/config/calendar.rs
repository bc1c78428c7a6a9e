//! `calendar.toml`: when the business is open.

use super::{Document, Problem, Schema, checks};
use crate::calendar::{Bound, Calendar, Day, On, Span, spans};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CalendarForm {
    /// An IANA time zone. Left out: the business's.
    zone: Option<String>,
    /// The hours of a week. A day left out is closed.
    hours: WeekForm,
    /// Days that differ from the week.
    #[serde(rename = "day")]
    days: Vec<DayForm>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct WeekForm {
    monday: HoursForm,
    tuesday: HoursForm,
    wednesday: HoursForm,
    thursday: HoursForm,
    friday: HoursForm,
    saturday: HoursForm,
    sunday: HoursForm,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DayForm {
    /// As customers read it.
    #[schemars(length(min = 1, max = 100))]
    name: String,
    /// `2026-12-25`, or `12-25` for every year.
    on: String,
    /// The last one of several days in a row, in the form of `on`.
    #[serde(default)]
    until: Option<String>,
    /// Left out: closed.
    #[serde(default)]
    hours: HoursForm,
}

/// `"09:00-18:00"`, several in a list, `"closed"` or `"24h"`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum HoursForm {
    One(String),
    Several(Vec<String>),
}

impl Default for HoursForm {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// The calendar in a document; `zone` is the business's. Error: every problem
/// there is.
pub fn read(document: &Document, zone: &str) -> Result<Calendar, Vec<Problem>> {
    let schema = Schema::of::<CalendarForm>().map_err(|why| vec![document.problem("", why)])?;
    let form: CalendarForm = schema.read(document)?;
    let mut reader = Reader { document, problems: Vec::new() };
    let zone = reader.zone(form.zone.as_deref(), zone);
    let week = reader.week(&form.hours);
    let days = reader.days(&form.days);
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.line);
    match problems.is_empty() {
        true => Ok(Calendar::new(zone, week, days)),
        false => Err(problems),
    }
}

struct Reader<'a> {
    document: &'a Document,
    problems: Vec<Problem>,
}

const WEEK: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const DAY_MINUTES: u16 = 24 * 60;

impl Reader<'_> {
    fn wrong(&mut self, pointer: &str, message: impl Into<String>) {
        self.problems.push(self.document.problem(pointer, message));
    }

    fn zone(&mut self, own: Option<&str>, business: &str) -> TimeZone {
        if let Some(own) = own
            && let Err(message) = checks::zone(own, &self.document.quoted("/zone"))
        {
            self.wrong("/zone", message);
        }
        // Where the business's is wrong, that is a problem of its own.
        TimeZone::get(own.unwrap_or(business)).unwrap_or(TimeZone::UTC)
    }

    fn week(&mut self, form: &WeekForm) -> [Vec<Span>; 7] {
        let WeekForm { monday, tuesday, wednesday, thursday, friday, saturday, sunday } = form;
        let forms = [monday, tuesday, wednesday, thursday, friday, saturday, sunday];
        let mut week: [Vec<Span>; 7] = Default::default();
        for ((day, form), name) in week.iter_mut().zip(forms).zip(WEEK) {
            *day = self.hours(&format!("/hours/{name}"), form);
        }
        let next = week.iter().cycle().skip(1).zip(WEEK.iter().cycle().skip(1));
        for ((day, name), (after, next)) in week.iter().zip(WEEK).zip(next) {
            if let (Some(night), Some(morning)) = (day.last(), after.first())
                && night.to > morning.from + DAY_MINUTES
            {
                let message = format!("{morning} overlaps with {name}'s {night}");
                self.wrong(&format!("/hours/{next}"), message);
            }
        }
        week
    }

    fn hours(&mut self, pointer: &str, form: &HoursForm) -> Vec<Span> {
        let (read, several) = match form {
            HoursForm::One(text) => (spans([text.as_str()].into_iter()), false),
            HoursForm::Several(texts) => (spans(texts.iter().map(String::as_str)), true),
        };
        read.unwrap_or_else(|(at, why)| {
            let pointer = if several { format!("{pointer}/{at}") } else { pointer.into() };
            self.wrong(&pointer, why);
            Vec::new()
        })
    }

    fn days(&mut self, forms: &[DayForm]) -> Vec<Day> {
        let mut days: Vec<Day> = Vec::new();
        for (at, form) in forms.iter().enumerate() {
            let spans = self.hours(&format!("/day/{at}/hours"), &form.hours);
            let on = match On::parse(&form.on, form.until.as_deref()) {
                Ok(on) => on,
                Err((bound, why)) => {
                    let key = if bound == Bound::From { "on" } else { "until" };
                    self.wrong(&format!("/day/{at}/{key}"), why);
                    continue;
                }
            };
            if let Some(other) = days.iter().find(|other| other.on.meets(&on)) {
                let message = format!("overlaps with `{}`: a date may differ once", other.name);
                self.wrong(&format!("/day/{at}/on"), message);
            }
            days.push(Day { name: form.name.clone(), on, spans });
        }
        days
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn of(text: &str) -> Result<Calendar, Vec<String>> {
        let document = Document::parse(Path::new("calendar.toml"), text).unwrap();
        let told = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect();
        read(&document, "Europe/Berlin").map_err(told)
    }

    fn ms(utc: &str) -> u64 {
        utc.parse::<jiff::Timestamp>().unwrap().as_millisecond() as u64
    }

    const CALENDAR: &str = r#"
        [hours]
        monday = ["09:00-12:30", "13:30-18:00"]
        friday = "18:00-02:00"
        sunday = "24h"

        [[day]]
        name = "Christmas"
        on = "12-25"
        until = "12-26"

        [[day]]
        name = "Fair"
        on = 2026-11-24
        hours = "10:00-12:00"
    "#;

    #[test]
    fn a_calendar_is_read() {
        let calendar = of(CALENDAR).unwrap();
        for (open, utc) in [
            (true, "2026-11-23T08:00:00Z"),
            (false, "2026-11-23T12:00:00Z"),
            (true, "2026-11-24T09:00:00Z"),
            (false, "2026-12-01T09:00:00Z"),
            (true, "2026-11-28T00:30:00Z"),
            (false, "2026-12-25T17:30:00Z"),
            (true, "2026-12-27T12:00:00Z"),
        ] {
            assert_eq!(calendar.open_at(ms(utc)), open, "{utc}");
        }
        let tokyo = of(&format!("zone = \"Asia/Tokyo\"\n{CALENDAR}")).unwrap();
        assert!(tokyo.open_at(ms("2026-11-23T00:00:00Z")));
        assert!(!of("").unwrap().open_at(ms("2026-11-23T08:00:00Z")));
    }

    #[test]
    fn every_mistake_is_shown_where_it_stands() {
        let wrong = of(r#"zone = "Europe/Berlinn"
[hours]
monday = ["13:00-18:00", "09:00-13:30"]
friday = "18:00-02:00"
saturday = ["01:00-05:00"]
sunday = "shut"
[[day]]
name = "Christmas"
on = "12-24"
until = "12-26"
[[day]]
name = "Boxing Day"
on = "12-26"
[[day]]
name = "Never"
on = "2026-02-30"
[[day]]
name = "Backwards"
on = 2026-05-02
until = 2026-05-01"#);
        assert_eq!(
            wrong.unwrap_err(),
            [
                "calendar.toml:1: zone: `Europe/Berlinn` is not an IANA time zone such as \
                 `Europe/Berlin`; did you mean `Europe/Berlin`?",
                "calendar.toml:3: hours.monday[0]: `13:00-18:00` overlaps with `09:00-13:30`",
                "calendar.toml:5: hours.saturday: `01:00-05:00` overlaps with friday's `18:00-02:00`",
                "calendar.toml:6: hours.sunday: `shut` is not a span such as `09:00-18:00`; \
                 `closed` and `24h` are allowed too",
                "calendar.toml:13: day[1].on: overlaps with `Christmas`: a date may differ once",
                "calendar.toml:16: day[2].on: `2026-02-30` is not a date such as `2026-12-25`, or \
                 `12-25` for every year",
                "calendar.toml:20: day[3].until: is before `2026-05-02`",
            ]
        );
        let unknown = of("[hours]\nmonda = \"24h\"").unwrap_err();
        assert!(unknown[0].contains("2: hours.monda: unknown key `monda`; did you mean `monday`?"));
        let missing = of("[[day]]\non = \"12-24\"").unwrap_err();
        assert_eq!(missing, ["calendar.toml:1: day[0].name: is missing, and it is needed"]);
    }
}
