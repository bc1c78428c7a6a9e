//! Mistakes in the rules, each with its place.

use super::*;

fn problems(rules: &str) -> Vec<(String, String)> {
    let problems = configure::<Faq>(rules).err().unwrap();
    problems.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

fn one(rules: &str) -> (String, String) {
    let problems = problems(rules);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].clone()
}

#[test]
fn what_does_not_go_together_is_told() {
    for (rules, path, words) in [
        (r#""greeting_after_days": 3"#, "/greeting_after_days", "set `greeting`"),
        (r#""handoff_after": 3"#, "/handoff_after", "set `fallback`"),
        (r#""fallback_when": {"open": true}"#, "/fallback_when", "set `fallback`"),
        (r#""handoff_say": "x""#, "/handoff_say", "set `handoff_after`"),
        (r#""did_you_mean": "x""#, "/did_you_mean", "no answer has a `title`"),
        (r#""synonym": [{"words": ["a", "?"]}]"#, "/synonym/0/words/1", "at least one letter"),
        (r#""fallback": "Hi {nmae}""#, "/fallback", "`{nmae|…}`"),
        (r#""fallback": ["Hi", "Hi {name"]"#, "/fallback/1", "braces stand for a value"),
        (r#""language": "en", "fallback": {"en": ["{}"]}"#, "/fallback/en/0", "braces"),
        (r#""fallback": {"en": "x"}"#, "/fallback", "`language = \"en\"`"),
        (r#""language": "en", "fallback": {"es": "x"}"#, "/fallback", "has `es` and lacks `en`"),
    ] {
        let (place, message) = one(&format!("{{{rules}}}"));
        assert_eq!(place, path);
        assert!(message.contains(words), "{rules}: {message}");
    }
}

#[test]
fn what_is_wrong_with_an_answer_is_told() {
    for (answer, path, words) in [
        (r#""say": "x", "follow_up": ["b"]"#, "follow_up/0", "no answer has the id `b`"),
        (r#""say": "x", "follow_up": ["a"]"#, "follow_up/0", "does not follow itself"),
        (r#""say": "x", "footer": "f""#, "footer", "under buttons or a list"),
        (r#""say": "x", "media": {"kind": "image"}"#, "media", "one of `link`, `id` and `file`"),
        (
            r#""say": "x", "media": {"kind": "image", "id": "1", "filename": "a.png"}"#,
            "media/filename",
            "only a `document`",
        ),
        (
            r#""say": "x", "buttons": [{"id": "b", "title": "B"}], "list": {"label": "L", "rows": []}"#,
            "list",
            "not both",
        ),
        (r#""say": "at {hour}""#, "say", "`{hour|…}`"),
        (r#""say": "we open {opnes}""#, "say", "`{opens}`"),
        (r#""say": "x", "title": "{name}""#, "title", "must not be empty"),
        (
            r#""say": "x", "buttons": [{"id": "b", "title": "{nam}"}]"#,
            "buttons/0/title",
            "`{nam|…}`",
        ),
    ] {
        let (place, message) =
            one(&format!(r#"{{"answer": [{{"id": "a", "ask": ["x"], {answer}}}]}}"#));
        assert_eq!(place, format!("/answer/0/{path}"));
        assert!(message.contains(words), "{answer}: {message}");
    }
    let (place, message) =
        one(r#"{"answer": [{"id": "a", "ask": ["x", {"regex": "(["}], "say": "x"}]}"#);
    assert_eq!(place, "/answer/0/ask/1");
    assert!(message.contains("regular expression"), "{message}");
}
