//! The checks that every kind of message shares, and their words.

use std::collections::HashSet;

pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

pub(super) fn filled(what: &str, text: &str) -> Result<(), String> {
    match text.trim().is_empty() {
        true => Err(format!("{what} is empty")),
        false => Ok(()),
    }
}

/// Blank is the same as left out.
pub(super) fn optional(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

pub(super) fn within(what: &str, text: &str, limit: usize) -> Result<(), String> {
    match length(text) > limit {
        true => {
            /// Enough to find the text by.
            const SHOWN: usize = 60;
            let shown: String = text.chars().take(SHOWN).collect();
            let more = if length(text) > SHOWN { "…" } else { "" };
            Err(too_long(&format!("{what} `{shown}{more}`"), text, limit))
        }
        false => Ok(()),
    }
}

/// Neither empty nor too long.
pub(super) fn label(what: &str, text: &str, limit: usize) -> Result<(), String> {
    filled(&format!("the {what}"), text)?;
    within(what, text, limit)
}

pub(super) fn too_long(what: &str, text: &str, limit: usize) -> String {
    format!("{what} has {} characters, and {limit} are allowed", length(text))
}

pub(super) fn between(what: &str, number: f64, limit: f64) -> Result<(), String> {
    match number.abs() <= limit {
        true => Ok(()),
        false => Err(format!("{what} is {number}, and -{limit} to {limit} are allowed")),
    }
}

/// An address that a phone can open.
pub(super) fn web(what: &str, url: &str) -> Result<(), String> {
    filled(what, url)?;
    match url.starts_with("https://") || url.starts_with("http://") {
        true => within(what, url, URL_MAX),
        false => Err(format!("{what} `{url}` must begin with `https://` or `http://`")),
    }
}

const URL_MAX: usize = 2000;

pub(super) fn ids<'a>(
    what: &str,
    limit: usize,
    ids: impl Iterator<Item = &'a str>,
) -> Result<(), String> {
    let mut seen = HashSet::new();
    for id in ids {
        filled(&format!("a {what} id"), id)?;
        within(&format!("{what} id"), id, limit)?;
        if !seen.insert(id) {
            return Err(format!("two {what}s have the id `{id}`"));
        }
    }
    Ok(())
}

/// What a provider wants as a JSON object and gets as it was given.
pub(super) fn object(what: &str, json: &str) -> Result<serde_json::Value, String> {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(_) => Err(format!("{what} is not a JSON object")),
        Err(error) => Err(format!("{what} is not JSON: {error}")),
    }
}
