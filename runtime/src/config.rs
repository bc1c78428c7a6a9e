//! A business folder as typed values. Every limit is named here, with its
//! unit. The only place that reads the environment.
//!
//! The way of a file: `document` reads it and remembers the line of every key;
//! `overrides` and `values` put in what comes from the environment; `schema`
//! finds everything that has the wrong form; `checks` what a form cannot say;
//! `folder` does all this for a whole business and gathers the problems.
//!
//! Beside it: `lock`, which plugins were fetched and their exact bytes, and
//! `keys`, the public keys of which one must have signed them.

mod business;
mod calendar;
mod chain;
mod checks;
mod document;
mod env;
mod folder;
mod grants;
mod ics;
mod json_lines;
mod keys;
mod leaving;
mod lock;
mod overrides;
mod problem;
mod schema;
mod secret;
mod values;
mod words;

pub use business::{
    Business, ChannelConfig, ConsentWords, ContentConfig, ContentForm, Http, MediaConfig,
    ProviderKind, Retention, StoreBackend, StoreConfig, Trust, Turns,
};
pub use calendar::read as read_calendar;
pub use chain::{
    BUNDLED, ChainConfig, Isolation, Limits, MEMORY_MB_MAX, OnError, Rollout, StepConfig,
};
pub use document::Document;
pub use env::Env;
pub use folder::{
    BUSINESS_FILE, CalendarFile, ChainFile, Folder, Found, load_business, load_http, load_trust,
};
pub use grants::Grants;
pub use keys::PublicKey;
pub use leaving::{Budget, MarketingConsent, Policy, Prices};
pub use lock::{LOCK_FILE, Lock, PLUGIN_NAME, Pin, digest, is_digest, is_plugin_name, write_whole};
pub use problem::{Problem, list};
pub use schema::Schema;
pub use secret::Secret;
pub use words::closest;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Every key with its default, of every table in a schema.
    fn keys(schema: &Value, found: &mut Vec<(String, Option<Value>)>) {
        for (name, value) in schema.as_object().into_iter().flatten() {
            if name == "properties" {
                for (key, one) in value.as_object().unwrap() {
                    found.push((key.clone(), one.get("default").cloned()));
                }
            } else if name != "default" {
                keys(value, found);
            }
        }
    }

    #[test]
    fn every_key_and_its_default_is_in_the_docs() {
        let docs = include_str!("../../docs/configuration.md");
        let mut found = Vec::new();
        keys(Schema::of::<Business>().unwrap().root(), &mut found);
        keys(Schema::of::<ChainConfig>().unwrap().root(), &mut found);
        keys(Schema::of::<calendar::CalendarForm>().unwrap().root(), &mut found);
        assert!(found.len() > 35, "{found:?}");
        for (key, default) in found.into_iter().filter(|(key, _)| key != "step") {
            let names = |row: &&str| {
                row.starts_with("| ")
                    && row.split('|').nth(1).unwrap().contains(&format!("`{key}`"))
            };
            let rows: Vec<&str> = docs.lines().filter(names).collect();
            assert!(!rows.is_empty(), "`{key}` is not in docs/configuration.md");
            let default = default.filter(|value| !value.is_object() && !value.is_array());
            if let Some(default) = default.filter(|value| !value.is_null()) {
                let told =
                    |row: &&str| row.split('|').nth(2).unwrap().contains(&format!("`{default}`"));
                assert!(rows.iter().any(told), "`{key}` is not said to be {default}");
            }
        }
    }
}
