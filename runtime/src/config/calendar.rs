//! `calendar.toml`: when the business is open.

use super::{
    Document, Problem, Schema, checks,
    ics::{self, Closure, Times},
};
use crate::{
    calendar::{Bound, Calendar, Day, On, Span, spans},
    model::Millis,
};
use jiff::{civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

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
    /// Calendars of other programs: files in the folder whose events are closures.
    #[schemars(length(max = 20))]
    ics: Vec<String>,
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

/// The calendar in a document of `folder`, without which it can name no files;
/// `zone` is the business's. Error: every problem there is.
pub fn read(
    document: &Document,
    folder: Option<&Path>,
    zone: &str,
) -> Result<Calendar, Vec<Problem>> {
    let schema = Schema::of::<CalendarForm>().map_err(|why| vec![document.problem("", why)])?;
    let form: CalendarForm = schema.read(document)?;
    let mut reader = Reader { document, problems: Vec::new() };
    let zone = reader.zone(form.zone.as_deref(), zone);
    let week = reader.week(&form.hours);
    let days = reader.days(&form.days);
    let closures = reader.ics(folder, &form.ics, &zone);
    let mut problems = reader.problems;
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut calendar = Calendar::new(zone, week, days);
    // Whole days first: from what is left, times are taken.
    for Closure { name, times } in closures {
        match times {
            Times::Days { from, until } => calendar.close_days(from, until, &name),
            Times::Moments { from, to } => calendar.close_between(from, to, &name),
        }
    }
    Ok(calendar)
}

/// Days of the document that are over, on which nothing differs any more.
pub fn over(document: &Document, calendar: &Calendar, now: Millis) -> Vec<Problem> {
    let Some(today) = calendar.date(now) else { return Vec::new() };
    let days = document.value().get("day").and_then(Value::as_array).into_iter().flatten();
    let over = |(at, day): (usize, &Value)| {
        let text = |key| day.get(key).and_then(Value::as_str);
        let On::Dates { until, .. } = On::parse(text("on")?, text("until")).ok()? else {
            return None;
        };
        let message = format!("was over on {until}: take it out, or write the next date");
        (until < today).then(|| document.problem(&format!("/day/{at}/on"), message))
    };
    days.enumerate().filter_map(over).collect()
}

/// The document as one that needs no files: what they close from a month before
/// `at` to a year after it stands in it as days.
pub fn alone(document: &Document, calendar: &Calendar, at: Millis) -> Value {
    let mut value = document.value().clone();
    let Some(table) = value.as_object_mut() else { return value };
    if table.remove("ics").is_none() {
        return value;
    }
    let today = calendar.date(at).unwrap_or_default();
    let near = |date: Date| {
        let days = today.until(date).map_or(i32::MAX, |span| span.get_days());
        (-31..=366).contains(&days)
    };
    let mut days: Vec<Value> = Vec::new();
    for (date, day) in calendar.closures().filter(|(date, _)| near(*date)) {
        let hours: Vec<String> =
            day.spans.iter().map(|span| span.to_string().replace('`', "")).collect();
        days.push(json!({ "name": day.name, "on": date.to_string(), "hours": hours }));
    }
    let closed = |day: &Value| {
        let on = day.get("on").and_then(Value::as_str);
        days.iter().any(|own| own.get("on").and_then(Value::as_str) == on)
    };
    let written = table.remove("day");
    let written = written.iter().filter_map(Value::as_array).flatten();
    let written: Vec<Value> = written.filter(|day| !closed(day)).cloned().collect();
    table.insert("day".into(), Value::Array(written.into_iter().chain(days).collect()));
    value
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

    /// What files close, days before times.
    fn ics(&mut self, folder: Option<&Path>, files: &[String], zone: &TimeZone) -> Vec<Closure> {
        let mut found = Vec::new();
        for (at, file) in files.iter().enumerate() {
            let pointer = format!("/ics/{at}");
            let Some(folder) = folder else {
                self.wrong(&pointer, "a case has no `.ics` files: write their days as `[[day]]`");
                continue;
            };
            let quoted = self.document.quoted(&pointer);
            if Path::new(file).extension().is_none_or(|ending| ending != "ics") {
                self.wrong(&pointer, format!("{quoted} must end in `.ics`"));
                continue;
            }
            if let Err(why) = checks::inside(folder, file, &quoted) {
                self.wrong(&pointer, why);
                continue;
            }
            let text = match Document::text(folder, Path::new(file)) {
                Ok(text) => text,
                Err(problem) => {
                    self.problems.push(problem);
                    continue;
                }
            };
            match ics::read(&text, zone) {
                Ok(closures) => found.extend(closures),
                Err(wrong) => {
                    let problem = |(line, why)| Problem::at_line(file.as_str(), line, why);
                    self.problems.extend(wrong.into_iter().map(problem));
                }
            }
        }
        found.sort_by_key(|closure| matches!(closure.times, Times::Moments { .. }));
        found
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

    fn of(text: &str) -> Result<Calendar, Vec<String>> {
        let document = Document::parse(Path::new("calendar.toml"), text).unwrap();
        let told = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect();
        read(&document, None, "Europe/Berlin").map_err(told)
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

    /// As `of`, in a folder with these files.
    fn beside(text: &str, files: &[(&str, &str)]) -> (Document, Result<Calendar, Vec<String>>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let document = Document::parse(Path::new("calendar.toml"), text).unwrap();
        let read = read(&document, Some(folder.path()), "Europe/Berlin");
        let told = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect();
        (document, read.map_err(told))
    }

    const HOLIDAYS: &str = "BEGIN:VCALENDAR\n\
        BEGIN:VEVENT\nSUMMARY:Christmas Day\nDTSTART;VALUE=DATE:20261225\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Epiphany\nDTSTART;VALUE=DATE:20270106\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Stocktaking\nDTSTART:20261123T150000\nDTEND:20261123T170000\nEND:VEVENT\n\
        END:VCALENDAR\n";

    #[test]
    fn other_calendars_close_days_and_hours() {
        let text = format!("ics = [\"holidays.ics\"]\n{CALENDAR}");
        let (document, read) = beside(&text, &[("holidays.ics", HOLIDAYS)]);
        let calendar = read.unwrap();
        assert!(calendar.open_at(ms("2026-11-23T13:59:00Z")));
        assert!(!calendar.open_at(ms("2026-11-23T14:30:00Z")));
        assert!(calendar.open_at(ms("2026-11-23T16:30:00Z")));
        assert_eq!(calendar.closure_at(ms("2026-11-23T14:30:00Z")), Some("Stocktaking"));
        // What stands in calendar.toml goes before it.
        assert_eq!(calendar.closure_at(ms("2026-12-25T12:00:00Z")), Some("Christmas"));
        assert_eq!(calendar.closure_at(ms("2027-01-06T12:00:00Z")), Some("Epiphany"));
        // Alone, it says the same.
        let alone = alone(&document, &calendar, ms("2026-12-01T00:00:00Z"));
        let document = Document::parse(Path::new("calendar.json"), &alone.to_string()).unwrap();
        let again = super::read(&document, None, "Europe/Berlin").unwrap();
        for hour in 0..90 * 24 {
            let at = ms("2026-11-20T00:30:00Z") + hour * 3_600_000;
            assert_eq!(again.open_at(at), calendar.open_at(at), "{at}");
            assert_eq!(again.closure_at(at), calendar.closure_at(at), "{at}");
        }
    }

    #[test]
    fn what_is_wrong_with_other_calendars_is_shown() {
        let late = HOLIDAYS.replace("DTSTART;VALUE=DATE:20270106", "DTSTART:tomorrow");
        let text = "ics = [\"late.ics\", \"none.ics\", \"../outside.ics\", \"days.toml\"]";
        let (_, read) = beside(text, &[("late.ics", &late), ("nine.ics", "")]);
        assert_eq!(
            read.unwrap_err(),
            [
                "calendar.toml:1: ics[1]: `none.ics` can't be read: no such file; did you mean \
                 `nine.ics`?",
                "calendar.toml:1: ics[2]: `../outside.ics` must be a path inside the business \
                 folder, without `..`",
                "calendar.toml:1: ics[3]: `days.toml` must end in `.ics`",
                "late.ics:6: the event `Epiphany` has a DTSTART that is no date such as `20261225` \
                 or `20261225T130000`",
            ]
        );
        let document = Document::parse(Path::new("calendar.toml"), text).unwrap();
        let problems = super::read(&document, None, "UTC").unwrap_err();
        assert!(problems[0].message.contains("`[[day]]`"), "{}", problems[0]);
    }

    #[test]
    fn days_that_are_over_are_named() {
        let calendar = of(CALENDAR).unwrap();
        let document = Document::parse(Path::new("calendar.toml"), CALENDAR).unwrap();
        let told = |utc: &str| -> Vec<String> {
            over(&document, &calendar, ms(utc)).iter().map(Problem::to_string).collect()
        };
        // The fair's day ends at midnight in Berlin.
        assert_eq!(told("2026-11-24T22:59:00Z"), [""; 0]);
        assert_eq!(
            told("2026-11-24T23:01:00Z"),
            ["calendar.toml:14: day[1].on: was over on 2026-11-24: take it out, or write the \
                 next date"]
        );
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
