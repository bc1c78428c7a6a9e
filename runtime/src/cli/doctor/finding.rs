//! One thing that was looked at.

use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub check: &'static str,
    pub state: State,
    /// What was found, in plain words.
    pub said: String,
    /// What to do about it.
    pub todo: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Good,
    Bad,
    /// It can't be told from here.
    Unknown,
}

impl State {
    pub fn sign(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Bad => '✗',
            Self::Unknown => '?',
        }
    }
}

impl Finding {
    pub fn good(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, state: State::Good, said: said.into(), todo: None }
    }

    pub fn bad(check: &'static str, said: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: State::Bad, said: said.into(), todo: Some(todo.into()) }
    }

    pub fn unknown(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, state: State::Unknown, said: said.into(), todo: None }
    }

    /// How many templates there are in each state.
    pub fn templates<'a>(states: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for state in states {
            let state = state.unwrap_or("of no state").to_lowercase().replace('_', " ");
            *counts.entry(state).or_default() += 1;
        }
        let told: Vec<String> =
            counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        match told.is_empty() {
            true => Self::good("templates", "none: outside the 24-hour window nothing can be sent"),
            false => Self::good("templates", told.join(", ")),
        }
    }

    pub fn todo(self, todo: impl Into<String>) -> Self {
        Self { todo: Some(todo.into()), ..self }
    }
}
