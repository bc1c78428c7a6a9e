//! Cases on disk, packed and back, and their mistakes.

use super::*;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

const EXPECTED: &str = r#"{"verdict": "stop", "effects": [{"reply": {"text": "hi"}}]}"#;

#[test]
fn a_folder_is_packed_and_unpacked() {
    let folder = folder(&[
        ("b/event.json", r#"{"message": {"text": "points"}}"#),
        ("b/contact.json", r#"{"messages": 3}"#),
        ("b/rules.toml", "per_purchase = 10"),
        ("b/calendar.toml", "[hours]\nmonday = \"09:00-18:00\""),
        ("b/stored.json", r#"{"contact": {"n": "30", "raw": {"base64": "/w=="}}}"#),
        ("b/step.toml", "limits = { time_ms = 50 }\n[grants]\nbroadcast = true"),
        (
            "b/http.json",
            r#"[{"request": {"method": "GET", "url": "https://x/1"},
                 "response": {"status": 200, "headers": {"a": "b"}, "body": {"n": 1}}},
                {"request": {"method": "GET", "url": "https://x/2"}, "error": "no answer"}]"#,
        ),
        ("b/expected.json", EXPECTED),
        ("b/README.md", "why"),
        ("a/rules.json", "{}"),
        ("a/expected.json", r#"{"problems": []}"#),
        (".hidden/x", ""),
    ]);
    let cases = read(folder.path()).unwrap();
    let names: Vec<_> = cases.iter().map(|case| &*case.name).collect();
    assert_eq!(names, ["a", "b"]);
    let case = &cases[1];
    assert_eq!(case.rules.as_ref().unwrap()["per_purchase"], 10);
    assert_eq!(case.stored.as_ref().unwrap().contact["raw"].0, [0xff]);
    let calendar = case.calendar("UTC").unwrap().unwrap();
    assert!(calendar.open_at(1_772_445_600_000), "Monday, 10:00");
    let step = case.step().unwrap();
    assert!(step.grants.broadcast && step.limits.time_ms == 50 && step.limits.memory_mb == 64);
    let exchange = case.http.as_ref().unwrap()[0].exchange().unwrap();
    assert_eq!(exchange.response.unwrap().body, br#"{"n":1}"#);
    assert_eq!(unpack(&pack(folder.path()).unwrap().unwrap()).unwrap(), cases);
    // Written anew, they read the same.
    let copies = tempfile::tempdir().unwrap();
    for case in &cases {
        write(&copies.path().join("cases").join(&case.name), case).unwrap();
    }
    assert_eq!(read(&copies.path().join("cases")).unwrap(), cases);
    assert!(write(&copies.path().join("cases/a"), &cases[0]).is_err(), "nothing is overwritten");
}

#[test]
fn no_folder_is_no_cases() {
    let none = tempfile::tempdir().unwrap();
    assert!(pack(&none.path().join("cases")).unwrap().is_none());
    assert!(pack(none.path()).unwrap().is_none());
}

#[test]
fn mistakes_name_file_line_and_key() {
    let event = ("a/event.json", r#"{"message": {"text": "hi"}}"#);
    let expected = ("a/expected.json", EXPECTED);
    for (files, named) in [
        (vec![("a/evnt.json", "{}"), expected], "a/evnt.json: is no file of a case"),
        (
            vec![("a/event.json", "{\n \"mesage\": {}\n}"), expected],
            "a/event.json:2: unknown key `mesage`",
        ),
        (vec![event, ("a/expected.json", "{}")], "expected.json: needs one of `verdict`"),
        (vec![event, ("a/expected.json", "{\n")], "a/expected.json:2:"),
        (
            vec![event, expected, ("a/step.toml", "grant = 1")],
            "step.toml:1: grant: unknown key `grant`; did you mean `grants`?",
        ),
        (vec![event, expected, ("a/rules.toml", "x =")], "rules.toml:1:"),
        (
            vec![event, expected, ("a/rules.toml", ""), ("a/rules.json", "{}")],
            "stands beside rules.toml",
        ),
        (vec![expected], "there is no event.json"),
        (
            vec![
                event,
                expected,
                ("a/http.json", r#"[{"request": {"method": "GET", "url": "u"}}]"#),
            ],
            "http.json: `u` needs either",
        ),
        (vec![("a/event.json", "{}"), expected], "event.json: does not say what happens"),
        (
            vec![event, ("a/expected.json", r#"{"error": "x", "effects": ["resume"]}"#)],
            "`effects` and `stored`",
        ),
    ] {
        let folder = folder(&files);
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains(named), "{error} / {named}");
    }
    let unwritten = folder(&[event]);
    assert!(read(unwritten.path()).unwrap()[0].expected.is_none());
    assert!(pack(unwritten.path()).unwrap_err().to_string().contains("no expected.json"));
}

#[test]
fn broken_embedded_cases_are_told() {
    for (packed, named) in [
        ("[", "can't be read"),
        (r#"[{"name": "x", "event": {}, "expected": {"error": ""}}]"#, "`x`: event.json"),
        (r#"[{"name": "x"}]"#, "`x`: it has no `expected`"),
    ] {
        let error = unpack(packed.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
