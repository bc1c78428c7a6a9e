//! Files as calendar programs write them.

use super::*;

/// Wrapped as a program does: CRLF, and its own words around the events.
fn file(events: &str) -> String {
    let text = format!(
        "BEGIN:VCALENDAR\nPRODID:-//Example//Calendar 1.0//EN\nVERSION:2.0\nCALSCALE:GREGORIAN\nMETHOD:PUBLISH\n\
         X-WR-CALNAME:Feiertage\n{events}END:VCALENDAR\n"
    );
    text.replace('\n', "\r\n")
}

fn event(id: &str, lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{id}@example.org\nDTSTAMP:20260101T000000Z\n{lines}END:VEVENT\n")
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// `Christmas 2026-12-25..2026-12-26`, `Staff 2026-12-22T12:00:00Z..…`, sorted
/// by time.
fn told(text: &str) -> Vec<String> {
    let mut found = read(text, &berlin()).unwrap();
    found.sort_by(|a, b| a.times.cmp(&b.times));
    let moment = |at: u64| crate::model::moment(at).unwrap().to_string();
    let told = |closure: Closure| match closure.times {
        Times::Days { from, until } => format!("{} {from}..{until}", closure.name),
        Times::Moments { from, to } => format!("{} {}..{}", closure.name, moment(from), moment(to)),
    };
    found.into_iter().map(told).collect()
}

fn wrong(text: &str) -> Vec<Wrong> {
    read(text, &berlin()).unwrap_err()
}

#[test]
fn whole_days_are_read() {
    let events = [
        // As Google writes a holiday; a line folded within a word.
        event(
            "1",
            "DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227\nCLASS:PUBLIC\nSUMMARY:Weihnachten und \n \
             zweiter Feier\n tag\nSTATUS:CONFIRMED\nTRANSP:TRANSPARENT\n",
        ),
        // One day, by having no end; commas are escaped.
        event("2", "DTSTART;VALUE=DATE:20261003\nSUMMARY:Tag der Einheit\\, überall\n"),
        event("3", "DTSTART;VALUE=DATE:20260801\nDURATION:P2W\nSUMMARY:Betriebsferien\n"),
        event("4", "DTSTART;VALUE=DATE:20261101\nSUMMARY:Abgesagt\nSTATUS:CANCELLED\n"),
        "BEGIN:VTODO\nUID:5\nSUMMARY:No event\nDUE;VALUE=DATE:20261111\nEND:VTODO\n".into(),
    ];
    assert_eq!(
        told(&file(&events.concat())),
        [
            "Betriebsferien 2026-08-01..2026-08-14",
            "Tag der Einheit, überall 2026-10-03..2026-10-03",
            "Weihnachten und zweiter Feiertag 2026-12-25..2026-12-26",
        ]
    );
}

#[test]
fn times_are_read_in_their_zone() {
    let outlook = "BEGIN:VTIMEZONE\nTZID:W. Europe Standard Time\nBEGIN:STANDARD\nDTSTART:16011028T030000\n\
        RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\n\
        BEGIN:DAYLIGHT\nDTSTART:16010325T020000\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\n\
        TZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:DAYLIGHT\nEND:VTIMEZONE\n";
    let events = [
        outlook.into(),
        event(
            "1",
            "DTSTART;TZID=W. Europe Standard Time:20260707T130000\nDTEND;TZID=W. Europe Standard Time:20260707T150000\nSUMMARY:Outlook\n",
        ),
        event(
            "2",
            "DTSTART;TZID=America/New_York:20260708T090000\nDURATION:PT90M\nSUMMARY:Abroad\n",
        ),
        event("3", "DTSTART:20260709T100000Z\nDTEND:20260709T110000Z\nSUMMARY:Universal\n"),
        // Of no zone: the business's.
        event("4", "DTSTART:20260710T100000\nDTEND:20260710T113000\nSUMMARY:Floating\n"),
    ];
    assert_eq!(
        told(&file(&events.concat())),
        [
            "Outlook 2026-07-07T11:00:00Z..2026-07-07T13:00:00Z",
            "Abroad 2026-07-08T13:00:00Z..2026-07-08T14:30:00Z",
            "Universal 2026-07-09T10:00:00Z..2026-07-09T11:00:00Z",
            "Floating 2026-07-10T08:00:00Z..2026-07-10T09:30:00Z",
        ]
    );
}

#[test]
fn what_repeats_does_so_with_its_exceptions() {
    let zone =
        "DTSTART;TZID=Europe/Berlin:20261001T130000\nDTEND;TZID=Europe/Berlin:20261001T140000\n";
    let events = [
        // Across the night in which the clocks change: one o'clock all the same, and the last
        // is the one with which it ends.
        event(
            "1",
            &format!(
                "{zone}RRULE:FREQ=WEEKLY;BYDAY=TH;UNTIL=20261112T120000Z\nEXDATE;TZID=Europe/Berlin:20261008T130000\nSUMMARY:Team\n"
            ),
        ),
        // On one day it is later, and on another it does not take place.
        event(
            "1",
            "RECURRENCE-ID;TZID=Europe/Berlin:20261029T130000\nDTSTART;TZID=Europe/Berlin:20261029T160000\nDTEND;TZID=Europe/Berlin:20261029T170000\nSUMMARY:Team (later)\n",
        ),
        event(
            "1",
            "RECURRENCE-ID;TZID=Europe/Berlin:20261105T130000\nDTSTART;TZID=Europe/Berlin:20261105T130000\nDTEND;TZID=Europe/Berlin:20261105T140000\nSUMMARY:Team\nSTATUS:CANCELLED\n",
        ),
    ];
    assert_eq!(
        told(&file(&events.concat())),
        [
            "Team 2026-10-01T11:00:00Z..2026-10-01T12:00:00Z",
            "Team 2026-10-15T11:00:00Z..2026-10-15T12:00:00Z",
            "Team 2026-10-22T11:00:00Z..2026-10-22T12:00:00Z",
            "Team (later) 2026-10-29T15:00:00Z..2026-10-29T16:00:00Z",
            "Team 2026-11-12T12:00:00Z..2026-11-12T13:00:00Z",
        ]
    );
    let yearly = "DTSTART;VALUE=DATE:20240501\nSUMMARY:Labour Day\nRRULE:FREQ=YEARLY\n";
    let thanks = "DTSTART;VALUE=DATE:20261126\nSUMMARY:Thanksgiving\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2\n";
    let found = told(&file(&(event("1", yearly) + &event("2", thanks))));
    assert_eq!(found[0], "Labour Day 2024-05-01..2024-05-01");
    assert!(found.contains(&"Labour Day 2060-05-01..2060-05-01".into()));
    assert!(found.contains(&"Thanksgiving 2027-11-25..2027-11-25".into()));
    assert_eq!(found.len(), 37 + 2);
}

#[test]
fn mistakes_are_told_with_their_line() {
    let summary = "SUMMARY:Fair\n";
    for (lines, words) in [
        ("DTSTART;VALUE=DATE:20261225\n".to_owned(), "has no SUMMARY"),
        (format!("{summary}DTEND:20261225T100000Z\n"), "DTSTART"),
        (format!("{summary}DTSTART:tomorrow\n"), "`20261225T130000`"),
        (
            format!("{summary}DTSTART;TZID=Mars/Olympus:20261225T100000\n"),
            "the zone `Mars/Olympus`",
        ),
        (format!("{summary}DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=NEVER\n"), "an RRULE"),
        (
            format!("{summary}DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY\n"),
            "more than 2500 times",
        ),
        (
            format!("{summary}DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20280101\n"),
            "longer than 400 days",
        ),
    ] {
        let fine = event("1", "DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas\n");
        let found = wrong(&file(&(fine + &event("2", &lines))));
        // Six lines are above the good event, which has six.
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].0 == 13 && found[0].1.contains(words), "{lines}: {found:?}");
    }
    for (text, line, words) in [
        ("<!DOCTYPE html>\n<html></html>\n", 1, "`BEGIN:VCALENDAR`"),
        ("", 1, "`BEGIN:VCALENDAR`"),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART:20260101T100000\nEND:VEVENT\n\n",
            5,
            "the file is cut off",
        ),
    ] {
        let found = wrong(text);
        assert!(found[0].0 == line && found[0].1.contains(words), "{text}: {found:?}");
    }
}
