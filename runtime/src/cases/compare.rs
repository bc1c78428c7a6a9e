//! Says how what came differs from what was expected, part by part.

use super::{
    form::{Bytes, Expected, ProblemForm, StoredAfter},
    run::Came,
};
use crate::model::{KvScope, Verdict};
use serde::Serialize;

/// A value is shown up to here, in characters.
const CHARS: usize = 1_000;

/// Nothing if all is as expected.
pub fn differences(expected: Option<&Expected>, came: &Came) -> Vec<String> {
    let Some(expected) = expected else {
        let came = told(came);
        return vec![format!(
            "there is no expected.json (`--bless` writes it from what came)\ncame: {came}"
        )];
    };
    match (came, &expected.problems, &expected.error, expected.verdict) {
        (Came::Impossible(why), _, _, _) => vec![why.clone()],
        (Came::Taken, Some(problems), _, _) if problems.is_empty() => Vec::new(),
        (Came::Refused(came), Some(expected), _, _) if !expected.is_empty() => {
            of_problems(expected, came)
        }
        (Came::Failed(said), _, Some(part), _) if said.contains(part.as_str()) => Vec::new(),
        (Came::Failed(said), _, Some(part), _) => {
            vec![format!(
                "error: expected a text with {}\n       came {}",
                shown(part),
                shown(said)
            )]
        }
        (Came::Handled { verdict, effects, stored, because }, _, _, Some(wanted)) => {
            let mut found = Vec::new();
            if *verdict != wanted {
                let (wanted, came) = (name(wanted), name(*verdict));
                found.push(format!("verdict: expected {wanted}, came {came}"));
            }
            found.extend(of_lists("effects", &expected.effects, effects));
            if let Some(expected) = &expected.stored {
                found.extend(of_stored(expected, stored));
            }
            if let Some(expected) = &expected.because {
                found.extend(of_lists("because", expected, because));
            }
            found
        }
        (Came::Taken | Came::Refused(_) | Came::Failed(_) | Came::Handled { .. }, _, _, _) => {
            vec![format!("expected: {}\ncame: {}", wanted(expected), told(came))]
        }
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Continue => "continue",
        Verdict::Stop => "stop",
    }
}

/// What was expected, in a line.
fn wanted(expected: &Expected) -> String {
    match (&expected.problems, &expected.error, expected.verdict) {
        (Some(problems), _, _) if problems.is_empty() => "the rules are taken".into(),
        (Some(problems), _, _) => format!("the rules are refused: {}", shown(problems)),
        (None, Some(error), _) => format!("`handle` fails with {}", shown(error)),
        (None, None, Some(verdict)) => format!("`handle` ends with {}", name(verdict)),
        (None, None, None) => "nothing".into(),
    }
}

/// What came, in a line.
fn told(came: &Came) -> String {
    match came {
        Came::Taken => "the rules are taken".into(),
        Came::Refused(problems) => format!("the rules are refused: {}", shown(problems)),
        Came::Failed(error) => format!("it failed: {}", shown(error)),
        Came::Impossible(why) => why.clone(),
        Came::Handled { verdict, effects, stored, because: _ } => {
            let mut line = name(*verdict).to_owned();
            if !effects.is_empty() {
                line += &format!(", effects {}", shown(effects));
            }
            if !stored.is_empty() {
                line += &format!(", stored {}", shown(stored));
            }
            line
        }
    }
}

/// As JSON, and not too much of it.
fn shown<T: Serialize + ?Sized>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap_or_default();
    match text.char_indices().nth(CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn of_lists<T: PartialEq + Serialize>(what: &str, expected: &[T], came: &[T]) -> Option<String> {
    if expected == came {
        return None;
    }
    let mut text = match (expected.len(), came.len()) {
        (wanted, found) if wanted == found => format!("{what}:"),
        (wanted, found) => format!("{what}: expected {wanted}, came {found}"),
    };
    for index in 0..expected.len().max(came.len()) {
        let number = index + 1;
        match (expected.get(index), came.get(index)) {
            (Some(wanted), Some(found)) if wanted == found => {}
            (Some(wanted), Some(found)) => {
                let (wanted, found) = (shown(wanted), shown(found));
                text += &format!("\n  {number}. expected {wanted}\n     came     {found}");
            }
            (Some(wanted), None) => text += &format!("\n  {number}. missing  {}", shown(wanted)),
            (None, Some(found)) => text += &format!("\n  {number}. too much {}", shown(found)),
            (None, None) => {}
        }
    }
    Some(text)
}

fn of_stored(expected: &StoredAfter, came: &StoredAfter) -> Vec<String> {
    let value = |value: &Option<Bytes>| match value {
        Some(value) => shown(value),
        None => "nothing".into(),
    };
    let mut found = Vec::new();
    for (scope, key, wanted) in expected.entries() {
        let place = format!("stored: {} `{key}`", scope_name(scope));
        match came.get(scope, key) {
            Some(after) if after == wanted => {}
            after => {
                let (wanted, after) = (value(wanted), value(after.unwrap_or(&None)));
                found.push(format!("{place}: expected {wanted}, came {after}"));
            }
        }
    }
    for (scope, key, after) in came.entries() {
        if expected.get(scope, key).is_none() {
            let place = format!("stored: {} `{key}`", scope_name(scope));
            found.push(format!("{place}: not expected, came {}", value(after)));
        }
    }
    found
}

fn scope_name(scope: KvScope) -> &'static str {
    match scope {
        KvScope::Contact => "contact",
        KvScope::Plugin => "plugin",
    }
}

fn of_problems(expected: &[ProblemForm], came: &[ProblemForm]) -> Vec<String> {
    let fits = |wanted: &ProblemForm, found: &ProblemForm| {
        let said = found.message.as_deref().unwrap_or_default();
        let part = wanted.message.as_deref().unwrap_or_default();
        wanted.path == found.path && said.contains(part)
    };
    let same = expected.len() == came.len()
        && expected.iter().zip(came).all(|(wanted, found)| fits(wanted, found));
    if same {
        return Vec::new();
    }
    let list = |problems: &[ProblemForm]| -> String {
        let line = |it: &ProblemForm| {
            let message = it.message.as_deref().map_or_else(String::new, |it| format!(": {it}"));
            format!("\n  `{}`{message}", it.path)
        };
        match problems {
            [] => "\n  none".into(),
            _ => problems.iter().map(line).collect(),
        }
    };
    vec![format!("problems: expected{}\n came{}", list(expected), list(came))]
}
