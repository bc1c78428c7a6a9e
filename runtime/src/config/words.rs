//! Other people's errors in plain words.

use jsonschema::{JsonType, JsonTypeSet, error::TypeKind};
use serde_json::Value;
use std::io;

pub(super) fn of_io(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".into(),
        io::ErrorKind::PermissionDenied => "reading it is not permitted".into(),
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        _ => error.to_string().to_lowercase(),
    }
}

/// `text` is what could not be read.
pub(super) fn of_toml(error: &toml::de::Error, text: &str) -> String {
    let message = error.message();
    match message {
        "duplicate key" => {
            let span = error.span().unwrap_or_default();
            let key = text.get(span.clone()).unwrap_or_default();
            let before = text.get(..span.start).unwrap_or_default();
            let heads_a_table = before.trim_end_matches(' ').ends_with('[');
            let hint = format!(": each item of a list begins with `[[{key}]]`");
            format!("`{key}` is here twice{}", if heads_a_table { hint.as_str() } else { "" })
        }
        "string values must be quoted, expected literal string" => {
            "text must stand in quotes: \"…\"".into()
        }
        _ => message.to_owned(),
    }
}

/// What a value is.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

/// What is needed.
pub(super) fn needed(kind: &TypeKind) -> String {
    let types = match kind {
        TypeKind::Single(one) => JsonTypeSet::empty().insert(*one),
        TypeKind::Multiple(set) => *set,
    };
    let words = types.iter().filter_map(|one| match one {
        JsonType::Null => None,
        JsonType::Array => Some("a list"),
        JsonType::Boolean => Some("true or false"),
        JsonType::Integer => Some("a whole number"),
        JsonType::Number => Some("a number"),
        JsonType::Object => Some("a table"),
        JsonType::String => Some("a string"),
    });
    words.collect::<Vec<_>>().join(" or ")
}

/// `a, b, c`.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The name that was probably meant.
pub fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Two names that share this much are alike, whatever their length.
    const ALIKE: f64 = 0.85;
    let name = name.to_lowercase();
    let length = name.chars().count();
    let slips = if length < 3 { 0 } else { (length / 3).max(1) };
    let score = |other: &'a str| {
        let shared = strsim::jaro_winkler(&name, other);
        let near = shared >= ALIKE || strsim::osa_distance(&name, other) <= slips;
        near.then_some((shared, other))
    };
    known.into_iter().filter_map(score).max_by(|a, b| a.0.total_cmp(&b.0)).map(|best| best.1)
}

/// `; did you mean …?`, or nothing.
pub(super) fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(name, known).map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

/// That a key is not known here, and what is.
pub(super) fn unknown_key(name: &str, known: &[&str]) -> String {
    let meant = suggestion(name, known.iter().copied());
    let end = if meant.is_empty() { ";" } else { "" };
    match known {
        [] => format!("unknown key `{name}`; no keys are allowed here"),
        _ => format!(
            "unknown key `{name}`{meant}{end} allowed here: {}",
            listed(known.iter().copied())
        ),
    }
}
