//! `SWITCHBOARD__HTTP__PUBLIC=…`: variables that stand in for keys of
//! `switchboard.toml`. `__` goes one level down; a list's items go by number,
//! from 0.

use super::{Document, Env, Problem, document::child, schema::Schema, words};
use serde_json::{Map, Value};

const PREFIX: &str = "SWITCHBOARD__";

/// Puts the variables in. One that names no key is a problem.
pub(super) fn apply(document: &mut Document, schema: &Schema, env: &Env) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (variable, text) in env.iter() {
        let Some(path) = variable.strip_prefix(PREFIX) else { continue };
        let segments: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        let set = target(schema, &segments)
            .and_then(|target| put(document.value_mut(), &segments, parse(text, target)));
        match set {
            Ok(()) => {
                let pointer = segments.iter().fold(String::new(), |at, key| child(&at, key));
                document.note_overridden(&pointer, variable);
            }
            Err(message) => problems.push(Problem::of_variable(variable, message)),
        }
    }
    problems
}

/// The schema of the key that a path leads to.
fn target<'a>(schema: &'a Schema, segments: &[String]) -> Result<&'a Value, String> {
    let mut here = schema.resolve(schema.root());
    let mut above = "switchboard.toml".to_owned();
    for segment in segments {
        let table = here.get("properties").and_then(Value::as_object);
        let items = here.get("items");
        let next = match (table, items) {
            (Some(table), _) => table.get(segment).ok_or_else(|| {
                let mut known: Vec<&str> = table.keys().map(String::as_str).collect();
                known.sort_unstable();
                words::unknown_key(segment, &known)
            }),
            (None, Some(items)) => match segment.parse::<usize>() {
                Ok(_) => Ok(items),
                Err(_) => Err(format!(
                    "`{above}` is a list: give the item's number (from 0), not `{segment}`"
                )),
            },
            (None, None) => Err(format!("`{above}` has no keys of its own")),
        };
        here = schema.resolve(next?);
        above.clone_from(segment);
    }
    Ok(here)
}

/// As TOML where that is possible and where not only text is wanted.
fn parse(text: &str, schema: &Value) -> Value {
    let takes_text = match schema.get("type") {
        Some(Value::Array(types)) => types.contains(&"string".into()),
        Some(one) => one == "string",
        None => false,
    };
    let parsed = toml::de::ValueDeserializer::parse(text)
        .ok()
        .and_then(|value| <Value as serde::Deserialize>::deserialize(value).ok());
    match parsed {
        Some(value) if value.is_string() || !takes_text => value,
        Some(_) | None => Value::String(text.to_owned()),
    }
}

fn put(root: &mut Value, segments: &[String], value: Value) -> Result<(), String> {
    let mut here = root;
    for segment in segments {
        if here.is_null() {
            *here = Value::Object(Map::new());
        }
        here = match here {
            Value::Object(table) => table.entry(segment).or_insert(Value::Null),
            Value::Array(items) => {
                let count = items.len();
                let index = segment.parse::<usize>().ok();
                let missing = || format!("there is no item {segment}: the file has {count}");
                index.and_then(|index| items.get_mut(index)).ok_or_else(missing)?
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(format!(
                    "`{segment}` can't be set: the file has a plain value above it"
                ));
            }
        };
    }
    *here = value;
    Ok(())
}
