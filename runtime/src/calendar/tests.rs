//! Beside `calendar`.

use super::*;
use proptest::prelude::*;

const HOUR: u64 = 3_600_000;
const MINUTE: u64 = 60_000;

fn ms(utc: &str) -> u64 {
    utc.parse::<Timestamp>().unwrap().as_millisecond() as u64
}

fn of(texts: &[&str]) -> Vec<Span> {
    spans(texts.iter().copied()).unwrap()
}

fn day(name: &str, from: &str, until: Option<&str>, hours: &[&str]) -> Day {
    Day { name: name.into(), on: On::parse(from, until).unwrap(), spans: of(hours) }
}

fn calendar(zone: &str, week: [&[&str]; 7], days: Vec<Day>) -> Calendar {
    Calendar::new(TimeZone::get(zone).unwrap(), week.map(of), days)
}

/// Weekdays with a lunch break, Saturday, and Friday night.
fn shop(days: Vec<Day>) -> Calendar {
    let usual: &[&str] = &["09:00-12:30", "13:30-18:00"];
    let friday: &[&str] = &["09:00-12:30", "18:00-02:00"];
    let week = [usual, usual, usual, usual, friday, &["10:00-14:00"], &["closed"]];
    calendar("Europe/Berlin", week, days)
}

#[test]
fn it_opens_and_closes_by_the_zone_s_clock() {
    let shop = shop(Vec::new());
    // Monday, 23 November 2026.
    assert!(!shop.open_at(ms("2026-11-23T07:59:59Z")));
    assert!(shop.open_at(ms("2026-11-23T08:00:00Z")));
    assert!(!shop.open_at(ms("2026-11-23T11:30:00Z")));
    assert_eq!(shop.next_change(ms("2026-11-23T11:29:00Z")), Some(ms("2026-11-23T11:30:00Z")));
    assert_eq!(shop.next_change(ms("2026-11-23T11:30:00Z")), Some(ms("2026-11-23T12:30:00Z")));
    // Friday night belongs to Friday.
    assert!(shop.open_at(ms("2026-11-28T00:59:00Z")));
    assert_eq!(shop.next_change(ms("2026-11-27T23:00:00Z")), Some(ms("2026-11-28T01:00:00Z")));
}

#[test]
fn a_night_in_which_the_clocks_change_has_the_hours_on_the_wall() {
    let night: &[&str] = &["01:00-03:00"];
    let bar = calendar("Europe/Berlin", [night; 7], Vec::new());
    // One hour of two is missing, or there three times.
    let opens = ms("2026-03-29T00:00:00Z");
    assert_eq!(bar.next_change(opens), Some(opens + HOUR));
    let opens = ms("2026-10-24T23:00:00Z");
    assert_eq!(bar.next_change(opens), Some(opens + 3 * HOUR));
    // All of it is missing: the next flip is a day later.
    let skipped: &[&str] = &["02:10-02:50"];
    let bar = calendar("Europe/Berlin", [skipped; 7], Vec::new());
    let eve = ms("2026-03-28T12:00:00Z");
    assert_eq!(bar.next_change(eve), Some(ms("2026-03-30T00:10:00Z")));
    // What comes twice counts the first time.
    let eve = ms("2026-10-24T12:00:00Z");
    assert_eq!(bar.next_change(eve), Some(ms("2026-10-25T00:10:00Z")));
    assert!(!bar.open_at(ms("2026-10-25T01:20:00Z")));
}

#[test]
fn days_that_differ_go_before_the_week_and_those_of_one_year_before_yearly_ones() {
    let shop = shop(vec![
        day("Winter holidays", "12-24", Some("01-01"), &["closed"]),
        day("Christmas Eve", "2026-12-24", None, &["10:00-12:00"]),
        day("Advent market", "2026-12-20", None, &["12:00-20:00"]),
    ]);
    // Christmas Eve is a Thursday.
    assert!(shop.open_at(ms("2026-12-24T10:00:00Z")));
    assert_eq!(shop.closure_at(ms("2026-12-24T10:00:00Z")), None);
    assert_eq!(shop.closure_at(ms("2026-12-24T13:00:00Z")), Some("Christmas Eve"));
    assert_eq!(shop.closure_at(ms("2027-01-01T13:00:00Z")), Some("Winter holidays"));
    assert_eq!(shop.closure_at(ms("2027-01-02T23:00:00Z")), None);
    assert!(shop.open_at(ms("2026-12-20T18:59:00Z")));
    // From Christmas Eve's noon to the Saturday after New Year.
    let closed = ms("2026-12-24T11:00:00Z");
    assert_eq!(shop.next_change(closed), Some(ms("2027-01-02T09:00:00Z")));
    // The night that began before a closed day goes on into it.
    let shop = self::shop(vec![day("Inventory", "2026-11-28", None, &["closed"])]);
    assert!(shop.open_at(ms("2026-11-28T00:30:00Z")));
    assert_eq!(shop.closure_at(ms("2026-11-28T01:30:00Z")), Some("Inventory"));
}

#[test]
fn what_never_changes_has_no_next_change() {
    let now = ms("2026-11-23T08:00:00Z");
    let always: &[&str] = &["24h"];
    let open = calendar("Asia/Tokyo", [always; 7], Vec::new());
    assert_eq!((open.open_at(now), open.next_change(now)), (true, None));
    let never: &[&str] = &["closed"];
    let shut = calendar("Asia/Tokyo", [never; 7], Vec::new());
    assert_eq!((shut.open_at(now), shut.next_change(now)), (false, None));
    assert_eq!(shut.opens(now, None), None);
    // Rare, but it does: 29 February 2028 in Tokyo.
    let leap = vec![day("Leap day", "02-29", None, &["closed"])];
    let open = calendar("Asia/Tokyo", [always; 7], leap);
    assert_eq!(open.next_change(now), Some(ms("2028-02-28T15:00:00Z")));
}

#[test]
fn mistakes_in_hours_and_dates_are_named() {
    let wrong = |texts: &[&str]| spans(texts.iter().copied()).unwrap_err();
    assert_eq!(
        wrong(&["13:00-18:00", "09:00-13:30"]),
        (0, "`13:00-18:00` overlaps with `09:00-13:30`".into())
    );
    assert!(wrong(&["20:00-02:00", "23:00-23:30"]).1.contains("overlaps"));
    assert!(wrong(&["9-18"]).1.contains("`9-18` is not a span such as `09:00-18:00`"));
    for text in ["25:00-26:00", "09:60-10:00", "+9:00-10:00", "", "09:00", "009:00-10:00"] {
        assert!(wrong(&[text]).1.contains("is not a span"), "{text}");
    }
    assert!(wrong(&["09:00-09:00"]).1.contains("`24h`"));
    assert_eq!(wrong(&["09:00-10:00", "closed"]), (1, "`closed` must stand alone".into()));
    let wrong = |from, until| On::parse(from, until).unwrap_err();
    assert_eq!(wrong("2026-02-30", None).0, Bound::From);
    assert_eq!(wrong("12-32", None).0, Bound::From);
    assert_eq!(wrong("2026-12-24", Some("12-26")).1, "`12-26` must have the form of `2026-12-24`");
    assert_eq!(wrong("2026-12-24", Some("2026-12-23")).1, "is before `2026-12-24`");
}

#[test]
fn dates_meet_where_both_hold() {
    let on = |from, until| On::parse(from, until).unwrap();
    let winter = on("12-24", Some("01-02"));
    assert!(winter.meets(&on("01-01", None)) && on("01-01", None).meets(&winter));
    assert!(!winter.meets(&on("01-03", Some("12-23"))));
    let week = on("2026-05-01", Some("2026-05-07"));
    assert!(week.meets(&on("2026-05-07", None)) && !week.meets(&on("2026-05-08", None)));
}

#[test]
fn hours_in_words() {
    let now = ms("2026-11-23T11:00:00Z");
    let shop = shop(Vec::new());
    let words = |language| shop.opening_hours(now, language);
    assert_eq!(
        words(None),
        "Monday to Thursday 9:00–12:30 and 13:30–18:00, Friday 9:00–12:30 and 18:00–2:00, Saturday \
         10:00–14:00, closed on Sunday"
    );
    assert_eq!(words(Some("xx")), words(Some("en-GB")));
    assert!(words(Some("de")).starts_with("Montag bis Donnerstag 9:00–12:30 und 13:30–18:00, "));
    assert!(words(Some("pt_BR")).ends_with("domingo fechado"));
    assert!(words(Some("es")).starts_with("Lunes a jueves 9:00–12:30 y"), "{}", words(Some("es")));
    assert_eq!(
        words(Some("zh-CN")),
        "周一至周四 9:00–12:30和13:30–18:00，周五 9:00–12:30和18:00–2:00，周六 10:00–14:00，周日休息"
    );
    let some: &[&str] = &["08:00-12:00"];
    let none: &[&str] = &["closed"];
    let office = calendar("UTC", [some, none, some, none, some, none, none], Vec::new());
    assert_eq!(
        office.opening_hours(now, None),
        "Monday, Wednesday and Friday 8:00–12:00, closed on Tuesday, Thursday, Saturday and Sunday"
    );
    let always: &[&str] = &["24h"];
    let kiosk = calendar("UTC", [always; 7], Vec::new());
    assert_eq!(kiosk.opening_hours(now, None), "Every day 24 hours");
}

#[test]
fn the_next_day_that_differs_is_told_two_weeks_ahead() {
    let none: &[&str] = &["09:00-17:00"];
    let days = vec![
        day("Christmas", "12-25", Some("12-26"), &["closed"]),
        day("New Year's Eve", "12-31", None, &["09:00-12:00"]),
    ];
    let shop = calendar("UTC", [none; 7], days);
    let words = |utc, language| shop.opening_hours(ms(utc), language);
    assert_eq!(words("2026-12-11T12:00:00Z", None), "Every day 9:00–17:00");
    assert_eq!(
        words("2026-12-12T12:00:00Z", None),
        "Every day 9:00–17:00; 25 December to 26 December (Christmas) closed"
    );
    assert_eq!(
        words("2026-12-27T12:00:00Z", Some("fr")),
        "Tous les jours 9:00–17:00 ; 31 décembre (New Year's Eve) 9:00–12:00"
    );
}

#[test]
fn the_next_opening_in_words() {
    let shop = shop(vec![day("Christmas", "12-25", Some("12-31"), &["closed"])]);
    let opens = |utc, language| shop.opens(ms(utc), language).unwrap();
    assert_eq!(opens("2026-11-23T05:00:00Z", None), "today at 9:00");
    // While it is open, the opening after this one.
    assert_eq!(opens("2026-11-23T10:00:00Z", None), "today at 13:30");
    assert_eq!(opens("2026-11-23T18:00:00Z", Some("de")), "morgen um 9:00 Uhr");
    assert_eq!(opens("2026-11-28T15:00:00Z", None), "on Monday at 9:00");
    assert_eq!(opens("2026-11-28T15:00:00Z", Some("zh")), "周一9:00");
    assert_eq!(opens("2026-12-24T18:00:00Z", None), "on 1 January at 9:00");
    assert_eq!(opens("2026-12-24T18:00:00Z", Some("es")), "el 1 de enero a las 9:00");
}

#[test]
fn every_language_has_every_word() {
    let shop = shop(Vec::new());
    for language in ["en", "zh", "es", "de", "fr", "pt", "ar", "hi", "id", "ja"] {
        let words = shop.opening_hours(ms("2026-11-23T11:00:00Z"), Some(language));
        let opens = shop.opens(ms("2026-11-28T15:00:00Z"), Some(language)).unwrap();
        assert!(!words.contains('{') && !opens.contains('{'), "{words} {opens}");
        assert!(words.contains("13:30–18:00") && opens.contains("9:00"), "{words} {opens}");
        assert_eq!(language == "en", words.contains("Monday"), "{words}");
    }
}

/// Open or closed, minute by minute, by nothing but a look at the clock on the
/// wall: how far it has ever got.
fn walked(calendar: &Calendar, from: u64, minutes: u64) -> Vec<bool> {
    let local = |at: u64| {
        let moment = Timestamp::from_millisecond(at as i64).unwrap();
        moment.to_zoned(calendar.zone.clone()).datetime()
    };
    let mut furthest = local(from - 3 * HOUR);
    for minute in 0..180 {
        furthest = furthest.max(local(from - 3 * HOUR + minute * MINUTE));
    }
    let open = |now: DateTime| {
        (0..=2).any(|back| {
            let date = now.date().checked_sub(back.days()).unwrap();
            calendar.spans_of(date).iter().any(|span| {
                let midnight = date.at(0, 0, 0, 0);
                let at = |minutes: u16| midnight.checked_add(i64::from(minutes).minutes()).unwrap();
                at(span.from) <= now && now < at(span.to)
            })
        })
    };
    let step = |minute| {
        furthest = furthest.max(local(from + minute * MINUTE));
        open(furthest)
    };
    (0..minutes).map(step).collect()
}

fn hours() -> impl Strategy<Value = Vec<Span>> {
    // Steps of ten minutes, in the hours in which clocks change more often.
    let time = prop_oneof![0..30u16, 0..144u16].prop_map(|tens| tens * 10);
    prop_oneof![
        1 => Just(Vec::new()),
        1 => Just(vec![Span { from: 0, to: DAY_MINUTES }]),
        6 => prop::collection::btree_set(time, 1..6).prop_map(|times| {
            let times: Vec<u16> = times.into_iter().collect();
            let pair = |pair: &[u16]| match *pair {
                [from, to] => Span { from, to },
                [from, ..] => Span { from, to: times.first().copied().unwrap() + DAY_MINUTES },
                [] => unreachable!(),
            };
            let spans = times.chunks(2).map(pair);
            spans.filter(|span| span.from < span.to && span.to - span.from <= DAY_MINUTES).collect()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    #[test]
    fn it_agrees_with_a_walk_by_the_minute(
        week in prop::array::uniform7(hours()),
        other in hours(),
        offset in 0..4u64 * 24 * 60,
        (zone, change) in prop::sample::select(vec![
            ("Europe/Berlin", "2026-03-29T01:00:00Z"),
            ("Europe/Berlin", "2026-10-25T01:00:00Z"),
            ("America/New_York", "2027-11-07T06:00:00Z"),
            ("America/Sao_Paulo", "2018-11-04T03:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
            ("Africa/Cairo", "2026-04-23T22:00:00Z"),
            ("Pacific/Apia", "2011-12-30T10:00:00Z"),
            ("Asia/Kolkata", "2026-06-01T00:00:00Z"),
        ]),
    ) {
        const DAYS: u64 = 6;
        let start = ms(change) - offset * MINUTE;
        let zone = TimeZone::get(zone).unwrap();
        let on = Timestamp::from_millisecond(ms(change) as i64).unwrap().to_zoned(zone.clone()).date();
        let odd = Day { name: "odd".into(), on: On::Dates { from: on, until: on }, spans: other };
        let calendar = Calendar::new(zone, week, vec![odd]);
        let walk = walked(&calendar, start, DAYS * 24 * 60);
        let mut flip = None;
        for (minute, open) in walk.iter().enumerate().rev() {
            let at = start + minute as u64 * MINUTE;
            prop_assert_eq!(calendar.open_at(at), *open, "at {}", at);
            if minute % 7 == 0 || flip == Some(at + MINUTE) {
                match (calendar.next_change(at), flip) {
                    (told, Some(flip)) => prop_assert_eq!(told, Some(flip)),
                    (told, None) => prop_assert!(told.is_none_or(|it| it >= start + DAYS * 24 * HOUR)),
                }
            }
            if minute > 0 && walk[minute - 1] != *open {
                flip = Some(at);
            }
        }
    }
}

#[test]
fn a_closure_is_taken_out_of_the_hours() {
    // Open from six in the evening until two at night, all week.
    let night = || Span { from: 18 * 60, to: 26 * 60 };
    let week: [Vec<Span>; 7] = std::array::from_fn(|_| vec![night()]);
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut calendar = Calendar::new(zone, week, Vec::new());
    let ms = |utc: &str| utc.parse::<Timestamp>().unwrap().as_millisecond() as u64;
    // In the night, which belongs to the day before; and half a minute more.
    calendar.close_between(ms("2026-11-24T23:30:00Z"), ms("2026-11-25T00:00:30Z"), "Fire drill");
    // While it is closed anyway: nothing differs.
    calendar.close_between(ms("2026-11-26T08:00:00Z"), ms("2026-11-26T10:00:00Z"), "Cleaning");
    for (open, utc) in [
        (true, "2026-11-24T23:29:00Z"),
        (false, "2026-11-24T23:31:00Z"),
        (false, "2026-11-25T00:00:45Z"),
        (true, "2026-11-25T00:01:00Z"),
        (false, "2026-11-25T01:00:00Z"),
        (true, "2026-11-25T17:00:00Z"),
    ] {
        assert_eq!(calendar.open_at(ms(utc)), open, "{utc}");
    }
    let dates: Vec<String> = calendar.closures().map(|(date, _)| date.to_string()).collect();
    assert_eq!(dates, ["2026-11-24"]);
    assert_eq!(calendar.next_change(ms("2026-11-24T20:00:00Z")), Some(ms("2026-11-24T23:30:00Z")));
    assert!(
        calendar
            .opening_hours(ms("2026-11-23T12:00:00Z"), None)
            .ends_with("; 24 November (Fire drill) 18:00–0:30 and 1:01–2:00")
    );
    // A row of days is one, and days of the owner's go before it.
    let day =
        Day { name: "Gala".into(), on: On::parse("12-24", None).unwrap(), spans: vec![night()] };
    calendar.add(day);
    let date = |text: &str| text.parse::<Date>().unwrap();
    calendar.close_days(date("2026-12-24"), date("2026-12-27"), "Holidays");
    assert!(calendar.open_at(ms("2026-12-24T20:00:00Z")));
    assert_eq!(calendar.closure_at(ms("2026-12-27T20:00:00Z")), Some("Holidays"));
    let hours = calendar.opening_hours(ms("2026-12-25T12:00:00Z"), None);
    assert!(hours.ends_with("; 25 December to 27 December (Holidays) closed"), "{hours}");
}
