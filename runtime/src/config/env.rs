//! The environment, read once. Everything else is handed a copy, so that a
//! test can hand over another.

use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Variables by name. Values may be secret, so `Debug` shows only the names.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Env {
    variables: BTreeMap<String, String>,
    /// Whether what a folder asks for and is not set gets a made-up value.
    rehearsed: bool,
}

impl Env {
    /// The process's environment. What is not UTF-8 is left out.
    pub fn read() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let variables = std::env::vars_os().filter_map(text).collect();
        Self { variables, rehearsed: false }
    }

    /// The same for a folder from which nothing leaves: its secrets need not be
    /// there.
    pub fn rehearsed(&self) -> Self {
        Self { rehearsed: true, ..self.clone() }
    }

    /// In the place of a secret that is not there, where none is needed: digits,
    /// since some values have to be numbers, and others for each name.
    pub(super) fn stand_in(&self, name: &str) -> Option<String> {
        let digits = |sum: u64, byte: u8| sum.wrapping_mul(31).wrapping_add(byte.into());
        let sum = name.bytes().fold(7, digits) % 1_000_000_000;
        self.rehearsed.then(|| format!("1{sum:09}"))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Where this user's programs keep what they can make again:
    /// `$SWITCHBOARD_CACHE`, else `switchboard` in the user's folder of caches.
    /// None without a home.
    pub fn cache(&self) -> Option<PathBuf> {
        let set = |name| self.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let caches = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
        set("SWITCHBOARD_CACHE").or_else(|| Some(caches()?.join("switchboard")))
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.into(), value.into());
    }

    /// In alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Env {
    fn from(variables: [(&str, &str); N]) -> Self {
        let variables = variables.map(|(name, value)| (name.into(), value.into())).into();
        Self { variables, rehearsed: false }
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}
