//! `${NAME}` and `${file:/path}` in the strings of a document.

use super::{Document, Env, Problem, document::child, words};
use serde_json::Value;
use std::path::Path;

/// The largest file that a value may come from, in bytes: it holds one token.
const SECRET_BYTES: usize = 64 * 1024;

/// Puts in every value from elsewhere. What cannot be found is left as it is
/// and is a problem.
pub(super) fn expand(document: &mut Document, env: &Env, folder: &Path) -> Vec<Problem> {
    let mut strings = Vec::new();
    find("", document.value(), &mut strings);
    let mut problems = Vec::new();
    for (pointer, text) in strings {
        if document.is_overridden(&pointer) {
            continue;
        }
        match expand_text(&text, env, folder) {
            Ok(value) => {
                if let Some(place) = document.value_mut().pointer_mut(&pointer) {
                    *place = Value::String(value);
                }
                document.note_written(&pointer, text);
            }
            Err(message) => problems.push(document.problem(&pointer, message)),
        }
    }
    problems
}

fn find(pointer: &str, value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if text.contains("${") => found.push((pointer.into(), text.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find(&format!("{pointer}/{index}"), item, found);
            }
        }
        Value::Object(table) => {
            for (key, value) in table {
                find(&child(pointer, key), value, found);
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn expand_text(text: &str, env: &Env, folder: &Path) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        out.push_str(before);
        let (name, after) = after
            .split_once('}')
            .ok_or("has a `${` without its `}`; write `$${` for the characters themselves")?;
        out.push_str(&look_up(name, env, folder)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn look_up(name: &str, env: &Env, folder: &Path) -> Result<String, String> {
    if let Some(path) = name.strip_prefix("file:") {
        let unreadable = |why: &str| format!("the file of `${{file:{path}}}` can't be read: {why}");
        let text = match (std::fs::read(folder.join(path.trim())), env.stand_in(path)) {
            (Ok(text), _) => text,
            (Err(_), Some(stand_in)) => return Ok(stand_in),
            (Err(error), None) => return Err(unreadable(&words::of_io(&error))),
        };
        if text.len() > SECRET_BYTES {
            return Err(unreadable(&format!("it is larger than {SECRET_BYTES} bytes")));
        }
        let text = String::from_utf8(text).map_err(|_| unreadable("it is not UTF-8 text"))?;
        return Ok(text.trim().to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!(
            "`${{{name}}}` names neither a variable (`${{NAME}}`) nor a file (`${{file:/path}}`)"
        ));
    }
    let value = env.get(name).map(str::to_owned).or_else(|| env.stand_in(name));
    value.ok_or_else(|| format!("the environment variable `{name}` is not set"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), " s3cret\n").unwrap();
        let env = Env::from([("A", "1"), ("EMPTY", "")]);
        let expand = |text: &str| expand_text(text, &env, folder.path());
        let file = format!("${{file:{}/token}}", folder.path().display());
        assert_eq!(expand(&file).unwrap(), "s3cret");
        for (text, expected) in [
            ("a ${A} b ${A}", "a 1 b 1"),
            ("$${A} ${A} $5 $", "${A} 1 $5 $"),
            ("x${EMPTY}y", "xy"),
            ("${file:token}", "s3cret"),
        ] {
            assert_eq!(expand(text).unwrap(), expected, "{text}");
        }
        for (text, expected) in [
            ("${B}", "the environment variable `B` is not set"),
            ("${A", "without its `}`"),
            ("${a b}", "names neither a variable"),
            ("${file:none}", "no such file"),
        ] {
            let message = expand(text).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
