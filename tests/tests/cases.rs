//! Cases on real components: run, told, embedded, checked before a version
//! goes live, and made from recorded turns.

#[path = "cases/commands.rs"]
mod commands;
#[path = "cases/recorded.rs"]
mod recorded;

use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use switchboard::{
    cases::{self, Case, Outcome},
    clock::SystemClock,
    config::Limits,
    plugin::{Plugin, Plugins, Source},
};

pub const HOSTILE: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_HOSTILE"));
pub const POINTS: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_POINTS"));

pub const POINTS_CASE: [(&str, &str); 5] = [
    ("event.json", r#"{"message": {"text": "points"}, "zone": "Europe/Berlin"}"#),
    ("contact.json", r#"{"name": "Ann", "messages": 4}"#),
    ("rules.toml", "word = \"points\"\neach = 10\n"),
    ("stored.json", r#"{"contact": {"points": "30"}, "plugin": {"a": "", "b": "2"}}"#),
    (
        "expected.json",
        r#"{"verdict": "stop",
            "effects": [{"reply": {"text": "You have 40 points, Ann."}},
                        {"set_timer": {"name": "expiry", "due": "2026-03-03T10:00:00Z", "payload": "40"}}],
            "stored": {"contact": {"points": "40"}},
            "because": ["had 30; 2 keys of its own"]}"#,
    ),
];

pub fn write_case(folder: &Path, files: &[(&str, &str)]) {
    std::fs::create_dir_all(folder).unwrap();
    for (file, text) in files {
        std::fs::write(folder.join(file), text).unwrap();
    }
}

/// The component with its cases as `plugin build` embeds them.
pub fn with_cases(component: &[u8], packed: &[u8]) -> Vec<u8> {
    fn number(mut value: usize, into: &mut Vec<u8>) {
        while value >= 0x80 {
            into.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        into.push(value as u8);
    }
    let mut section = Vec::new();
    number(cases::SECTION.len(), &mut section);
    section.extend(cases::SECTION.as_bytes());
    section.extend(packed);
    let mut bytes = component.to_vec();
    bytes.push(0);
    number(section.len(), &mut bytes);
    bytes.extend(section);
    bytes
}

/// The bytes with one text written over another of the same length.
pub fn patched(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at: Vec<usize> = (0..bytes.len() - from.len())
        .filter(|at| &bytes[*at..at + from.len()] == from.as_bytes())
        .collect();
    assert!(!at.is_empty(), "no `{from}`");
    let mut bytes = bytes.to_vec();
    for at in at {
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    }
    bytes
}

async fn load(source: Source) -> Arc<Plugin> {
    Plugins::new(None, Arc::new(SystemClock)).unwrap().load(&source).await.unwrap()
}

async fn load_bytes(bytes: &[u8]) -> Arc<Plugin> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.wasm"), bytes).unwrap();
    load(Source::File(folder.path().join("a.wasm"))).await
}

fn case(value: Value) -> Case {
    let mut value = value;
    value["name"] = "case".into();
    let packed = serde_json::to_vec(&json!([value])).unwrap();
    cases::unpack(&packed).unwrap().remove(0)
}

fn told(outcome: &Outcome) -> String {
    outcome.differences.join("\n")
}

#[tokio::test]
async fn a_case_says_what_a_plugin_does_with_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    write_case(&folder.path().join("told"), &POINTS_CASE);
    let plugin = load_bytes(POINTS).await;
    let good = cases::read(folder.path()).unwrap().remove(0);
    let outcome = cases::run(&plugin, &good).await;
    assert!(outcome.passed(), "{}", told(&outcome));
    // Each part that differs is named, with both sides.
    let mut wrong = good.clone();
    let expected = json!({
        "verdict": "continue",
        "effects": [{"reply": {"text": "You have 41 points, Ann."}}],
        "stored": {"contact": {"points": "41"}, "plugin": {"b": "2", "c": "3"}},
        "because": ["had 30; 2 keys of its own"],
    });
    wrong.expected = Some(serde_json::from_value(expected).unwrap());
    let said = told(&cases::run(&plugin, &wrong).await);
    for part in [
        "verdict: expected continue, came stop",
        "effects: expected 1, came 2",
        "1. expected {\"reply\":{\"text\":\"You have 41 points, Ann.\"}}",
        "2. too much {\"set_timer\"",
        "stored: contact `points`: expected \"41\", came \"40\"",
        "stored: plugin `c`: expected \"3\", came nothing",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    assert!(!said.contains("because") && !said.contains("`b`"), "{said}");
    // What came, blessed, passes.
    let came = cases::run(&plugin, &wrong).await.came;
    wrong.expected = came.expected(wrong.expected.as_ref());
    assert!(cases::run(&plugin, &wrong).await.passed());
    // A write that nobody expects is a difference; a part not given is none.
    let timer = json!({"event": {"timer": {"name": "expiry", "payload": "40"}},
        "rules": {"word": "w", "each": 1}, "stored": {"contact": {"points": "40"}},
        "expected": {"verdict": "continue", "effects": [{"note": "40 points expired"}]}});
    assert!(cases::run(&plugin, &case(timer.clone())).await.passed());
    let mut strict = timer;
    strict["expected"]["stored"] = json!({"contact": {}});
    let said = told(&cases::run(&plugin, &case(strict.clone())).await);
    assert!(said.contains("`points`: not expected, came nothing"), "{said}");
    strict["expected"]["stored"] = json!({"contact": {"points": null}});
    assert!(cases::run(&plugin, &case(strict)).await.passed());
}

#[tokio::test]
async fn rules_are_checked_as_in_production() {
    let plugin = load_bytes(POINTS).await;
    let run = async |rules: Value, expected: Value| {
        let case = case(json!({"rules": rules, "expected": expected}));
        told(&cases::run(&plugin, &case).await)
    };
    let taken = json!({"problems": []});
    assert_eq!(run(json!({"word": "w", "each": 1}), taken.clone()).await, "");
    // By the schema, in the host.
    let problems =
        json!({"problems": [{"path": "/each"}, {"path": "/wrod", "message": "unknown"}]});
    let said = run(json!({"each": "x", "wrod": "w", "word": "w"}), problems).await;
    assert_eq!(said, "");
    // By the plugin.
    let refused = json!({"problems": [{"path": "/each", "message": "more than nothing"}]});
    assert_eq!(run(json!({"word": "w", "each": 0}), refused).await, "");
    let said = run(json!({"word": "w", "each": 0}), taken.clone()).await;
    assert!(said.contains("expected: the rules are taken") && said.contains("/each"), "{said}");
    let other = json!({"problems": [{"path": "/word"}]});
    let said = run(json!({"word": "w", "each": 0}), other.clone()).await;
    assert!(said.contains("`/word`") && said.contains("`/each`: must be more"), "{said}");
    let said = run(json!({"word": "w", "each": 1}), other).await;
    assert!(said.contains("came: the rules are taken"), "{said}");
}

#[tokio::test]
async fn a_bundled_plugin_runs_its_cases() {
    let plugin = load(Source::Bundled("faq".into())).await;
    let rules = json!({"fallback": "Pardon?",
        "answer": [{"id": "hours", "ask": ["When do you open?"], "say": "At 9."}]});
    let asked = |text: &str, effects: Value| {
        case(json!({"event": {"message": {"text": text}}, "rules": rules,
            "expected": {"verdict": "stop", "effects": effects}}))
    };
    for (text, effects) in [
        ("when do you open", json!([{"reply": {"text": "At 9."}}])),
        ("xyz", json!([{"unanswered": "xyz"}, {"reply": {"text": "Pardon?"}}])),
    ] {
        let outcome = cases::run(&plugin, &asked(text, effects)).await;
        assert!(outcome.passed(), "{}", told(&outcome));
    }
    let timer = case(json!({"event": {"timer": {"name": "x"}}, "rules": rules,
        "expected": {"verdict": "continue"}}));
    let said = told(&cases::run(&plugin, &timer).await);
    assert!(said.contains("does not ask for `timer` events"), "{said}");
}

#[tokio::test]
async fn failures_grants_and_limits_are_those_of_production() {
    let plugin = load_bytes(HOSTILE).await;
    let run = async |how: &str, step: Value, expected: Value| {
        let value = json!({"event": {"account": {"field": "f"}, "lane": "channel"},
            "rules": {"handle": how}, "step": step, "expected": expected});
        cases::run_within(&plugin, &case(value), Some(&Limits::default())).await
    };
    for (how, step, expected) in [
        ("error", json!({}), json!({"error": "channel"})),
        ("panic", json!({}), json!({"error": "boom"})),
        ("loop", json!({"limits": {"time_ms": 20}}), json!({"error": "20ms"})),
        // No more than the owner allows.
        ("loop", json!({"limits": {"time_ms": 9_000}}), json!({"error": "100ms"})),
        ("ungranted", json!({}), json!({"error": "has not been granted"})),
        (
            "ungranted",
            json!({"grants": {"broadcast": true}}),
            json!({"verdict": "continue", "effects": [{"broadcast": {"id": "b"}}]}),
        ),
    ] {
        let outcome = run(how, step, expected).await;
        assert!(outcome.passed(), "{how}: {}", told(&outcome));
    }
    let said = told(&run("error", json!({}), json!({"error": "no such words"})).await);
    assert!(said.contains("error: expected a text with \"no such words\""), "{said}");
    // The same again is the same: time and chance are the case's.
    let look = run("look", json!({}), json!({"verdict": "stop", "because": []})).await;
    let again = run("look", json!({}), json!({"verdict": "stop", "because": []})).await;
    assert_eq!(told(&look), told(&again));
    assert!(told(&look).contains("1772445600000"), "{}", told(&look));
}
