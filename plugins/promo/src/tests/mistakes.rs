//! What is wrong with rules is told with its place.

use super::*;

#[test]
fn mistakes_are_told_with_their_place() {
    let problems = |fields: &str| {
        let rules = format!(r#"{{"opt_out": ["stop"], "opt_in": ["Stop!"], "promo": [{fields}]}}"#);
        let problems = configure::<Promo>(&rules).err().unwrap();
        problems.into_iter().skip(1).map(|problem| problem.path).collect::<Vec<_>>()
    };
    let base = r#""id": "a", "template": "t", "language": "en""#;
    assert_eq!(problems(&format!("{{{base}}}")), ["/promo/0"]);
    for (field, value) in [
        ("at", "soon"),
        ("every", "0 10 * MON"),
        ("quiet", "21-9"),
        ("quiet", "09:00-09:00"),
        ("cap", "2 a week"),
        ("cap", "2 per 91 days"),
        ("zone", "Mars/Base"),
    ] {
        let when = if field == "at" || field == "every" { "" } else { r#""every": "0 9 * * *","# };
        let path = format!("/promo/0/{field}");
        assert_eq!(
            problems(&format!(r#"{{{base}, {when} "{field}": "{value}"}}"#)),
            [path],
            "{value}"
        );
    }
    let twins = format!(r#"{{{base}, "every": "0 9 * * *"}}, {{{base}, "every": "0 9 * * *"}}"#);
    assert_eq!(problems(&twins), ["/promo/1/id"]);
}

/// The problems of one promotion with these fields, as `path: message`.
fn told(fields: &str) -> Vec<String> {
    let rules = format!(r#"{{"promo": [{{"id": "a", "language": "en", {fields}}}]}}"#);
    let problems = configure::<Promo>(&rules).err().unwrap_or_default();
    problems.into_iter().map(|Problem { path, message }| format!("{path}: {message}")).collect()
}

#[test]
fn one_schedule_and_no_second() {
    let one_of = "one of `at`, `every`, `yearly` and `after` says when";
    let every = r#""template": "t", "every": "0 9 * * *""#;
    assert_eq!(
        told(&format!(r#"{every}, "at": "2026-12-01T10:00:00""#)),
        [format!("/promo/0/every: `at` is there already: {one_of}")]
    );
    assert_eq!(
        told(&format!(r#"{every}, "after": {{"order": true}}"#)),
        [format!("/promo/0/after: `every` is there already: {one_of}")]
    );
    assert_eq!(told(r#""template": "t""#), [format!("/promo/0: has no time: {one_of}")]);
    assert_eq!(
        told(r#""template": "t", "every": "0 0 31 2 *""#),
        ["/promo/0/every: `0 0 31 2 *` never comes"]
    );
}

#[test]
fn each_mistake_has_its_place() {
    let after = "needs one of `tag = \"vip\"`, `order = true` or `silence = \"30 days\"`";
    let duration =
        "a time looks like `30 minutes`, `3 hours`, `2 days` or `4 weeks`, up to 10 years";
    let every = r#""template": "t", "every": "0 9 * * *""#;
    for (fields, expected) in [
        (r#""every": "0 9 * * *""#.into(), "/promo/0: needs a `template`".into()),
        (r#""template": "t", "after": {}"#.into(), format!("/promo/0/after: {after}")),
        (
            r#""template": "t", "after": {"tag": "vip", "order": true}"#.into(),
            format!("/promo/0/after: {after}"),
        ),
        (
            r#""template": "t", "after": {"tag": "vip", "wait": "2 moons"}"#.into(),
            format!("/promo/0/after/wait: `2 moons` is not understood: {duration}"),
        ),
        (
            r#""template": "t", "after": {"silence": "2 days", "wait": "1 day"}"#.into(),
            "/promo/0/after/wait: `silence` says how long it waits already".into(),
        ),
        (
            r#""template": "t", "yearly": {"attribute": "birthday", "time": "25:00"}"#.into(),
            "/promo/0/yearly/time: `25:00` is not a time of day such as `10:00`".into(),
        ),
        (
            format!(r#"{every}, "spread": "8 days""#),
            "/promo/0/spread: people are spread over `7 days` at most".into(),
        ),
        (
            format!(r#"{every}, "spread": "1 hour", "at_best_hour": true"#),
            "/promo/0/spread: `at_best_hour` spreads people already: leave one of them out".into(),
        ),
        (
            format!(r#"{every}, "cap": "201 per day""#),
            "/promo/0/cap: a cap looks like `2 per 7 days`, up to 200 and 90 days".into(),
        ),
        (
            format!(r#"{every}, "category": "utility", "cap": "2 per 7 days""#),
            "/promo/0/cap: a cap is for marketing: leave it out where it is `utility`".into(),
        ),
        (
            format!(r#"{every}, "to": {{"seen_within": "a while"}}"#),
            format!("/promo/0/to/seen_within: `a while` is not understood: {duration}"),
        ),
        (
            format!(r#"{every}, "to": {{"attribute": {{"a/b": "> much"}}}}"#),
            "/promo/0/to/attribute/a~1b: `> much` compares with no number: write `\">= 100\"`, \
             `\"< 5.5\"`"
                .into(),
        ),
        (
            format!(r#"{every}, "buttons": [{{"index": 0, "url": "a", "code": "b"}}]"#),
            "/promo/0/buttons/0: needs one of `url`, `code` and `payload`".into(),
        ),
    ] {
        assert_eq!(told(&fields), [expected], "{fields}");
    }
}

#[test]
fn shares_have_to_come_to_a_hundred() {
    let variants = |hold_out: u32, shares: &[Option<u32>]| {
        let variant = |(at, share): (usize, &Option<u32>)| {
            let share = share.map(|share| format!(r#", "share": {share}"#)).unwrap_or_default();
            format!(r#"{{"name": "v{at}"{share}}}"#)
        };
        let variants: Vec<_> = shares.iter().enumerate().map(variant).collect();
        told(&format!(
            r#""template": "t", "every": "0 9 * * *", "hold_out": {hold_out}, "variant": [{}]"#,
            variants.join(",")
        ))
    };
    let none: [&str; 0] = [];
    assert_eq!(variants(0, &[Some(60), Some(40)]), none);
    assert_eq!(variants(10, &[Some(60), None, None]), none);
    assert_eq!(
        variants(0, &[Some(60), Some(50)]),
        ["/promo/0/variant: the shares come to 110 %; 100 % are there, less `hold_out`"]
    );
    assert_eq!(
        variants(10, &[Some(60), Some(40)]),
        ["/promo/0/variant: the shares come to 100 %; 90 % are there, less `hold_out`"]
    );
    assert_eq!(
        variants(0, &[Some(60), Some(30)]),
        ["/promo/0/variant: the shares come to 90 %, and not to 100 %"]
    );
    assert_eq!(
        variants(0, &[Some(100), None]),
        ["/promo/0/variant: no share is left for those without one"]
    );
    assert_eq!(
        told(r#""template": "t", "every": "0 9 * * *", "hold_out": 100"#),
        ["/promo/0/hold_out: is in percent, and somebody has to get it: 0 to 99"]
    );
    assert_eq!(
        told(
            r#""template": "t", "every": "0 9 * * *", "variant": [{"name": "a"}, {"name": "a"}, {"name": "hold-out"}]"#
        ),
        [
            "/promo/0/variant/1/name: `a` is another's name",
            "/promo/0/variant/2/name: `hold-out` is another's name"
        ]
    );
}

#[test]
fn the_schema_and_the_default_rules_agree_with_the_code() {
    let schema: serde_json::Value = serde_json::from_str(Promo::RULES_SCHEMA.unwrap()).unwrap();
    let promo = &schema["properties"]["promo"]["items"]["properties"];
    // Each key of the schema is one that the code knows.
    for (key, value) in [
        (
            "to",
            r#"{"seen_within": "1 day", "silent_for": "1 day", "new_within": "1 day",
                   "known_for": "1 day", "answered": true, "consent": "opted-in", "language": ["en"],
                   "attribute": {}, "all": [], "any": [], "none": []}"#,
        ),
        ("after", r#"{"tag": "a", "wait": "1 day"}"#),
        ("yearly", r#"{"attribute": "a", "time": "10:00"}"#),
    ] {
        let given: serde_json::Value = serde_json::from_str(value).unwrap();
        let keys = promo[key]["properties"].as_object().unwrap().keys();
        let optional = ["order", "silence"];
        for name in keys.filter(|name| !optional.contains(&name.as_str())) {
            assert!(given.get(name).is_some(), "{key}.{name} is not tried here");
        }
        let every = if key == "to" { r#""every": "0 9 * * *","# } else { "" };
        assert_eq!(told(&format!(r#""template": "t", {every} "{key}": {value}"#)), [""; 0]);
    }
    let unknown = told(r#""template": "t", "every": "0 9 * * *", "evry": 1"#);
    assert!(unknown[0].starts_with("/promo/0/evry"), "{unknown:?}");
}

#[test]
fn values_stand_in_braces_that_match() {
    let every = r#""template": "t", "every": "0 9 * * *""#;
    for (fields, path) in [
        (r#""parameters": ["{name}", "{city"]"#, "parameters/1"),
        (r#""header": {"image": "https://shop.example/{}.png"}"#, "header/image"),
        (r#""buttons": [{"index": 0, "url": "code}"}]"#, "buttons/0/url"),
    ] {
        let told = told(&format!("{every}, {fields}"));
        assert!(told.len() == 1 && told[0].starts_with(&format!("/promo/0/{path}: ")), "{told:?}");
    }
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    let every = r#""template": "t", "every": "0 9 * * *""#;
    let one_of = "/promo/0/converted: needs one of `tag`, `attribute` and `order`";
    assert_eq!(told(&format!(r#"{every}, "converted": {{}}"#)), [one_of]);
    let two = r#"{"tag": "a", "order": true}"#;
    assert_eq!(told(&format!(r#"{every}, "converted": {two}"#)), [one_of]);
    let long = r#"{"tag": "a", "within": "91 days"}"#;
    let at_most = "/promo/0/converted/within: at most `90 days` after the message";
    assert_eq!(told(&format!(r#"{every}, "converted": {long}"#)), [at_most]);
    let after = r#""template": "t", "after": {"order": true}, "per_hour": 5"#;
    assert!(told(after)[0].starts_with("/promo/0/per_hour: is for `at` and `every`"));
}
