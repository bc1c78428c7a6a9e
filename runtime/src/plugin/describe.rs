//! What a plugin says of itself, checked.

use super::{bindings::switchboard::plugin::types as wit, wants};
use crate::model::EventKind;

/// A checked descriptor.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    pub name: String,
    pub version: String,
    /// One sentence for the owner.
    pub summary: String,
    /// A JSON Schema for the rules; none if the plugin takes any.
    pub rules_schema: Option<serde_json::Value>,
    /// The kinds of event it wants, by [`EventKind::name`].
    pub events: Vec<String>,
    pub wants: Vec<Want>,
}

/// A capability that the owner may grant, and why the plugin asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// `broadcast`, `send-to-others`, or `http:` and a host as grants have it.
    pub name: String,
    pub reason: String,
}

const NAME_BYTES: usize = 64;
const VERSION_BYTES: usize = 64;
/// Capabilities that an owner is asked for: a list to be read.
const WANTS: usize = 50;
/// Shown on one line; so is a reason.
const SUMMARY_CHARS: usize = 300;

impl Descriptor {
    /// Error: which part of it is not what the contract asks for.
    pub(super) fn check(said: wit::Descriptor) -> Result<Self, String> {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let name_fits = said.name.len() <= NAME_BYTES
            && said.name.split('-').all(|part| !part.is_empty() && part.chars().all(word));
        if !name_fits {
            return Err(format!(
                "its name `{}` is not lower-case words joined by `-`, {NAME_BYTES} bytes at most",
                said.name.chars().take(NAME_BYTES).collect::<String>()
            ));
        }
        if said.version.is_empty() || said.version.len() > VERSION_BYTES {
            return Err(format!("its version has between 1 and {VERSION_BYTES} bytes"));
        }
        if let Some(kind) = said.events.iter().find(|it| !EventKind::NAMES.contains(&it.as_str())) {
            let kinds = EventKind::NAMES.join("`, `");
            return Err(format!("it wants events of the kind `{kind}`, and there are `{kinds}`"));
        }
        if said.wants.len() > WANTS {
            return Err(format!("it wants {} things, and {WANTS} are allowed", said.wants.len()));
        }
        for want in &said.wants {
            if let Some(why) = wants::ungrantable(&want.name) {
                let name: String = want.name.chars().take(SUMMARY_CHARS).collect();
                return Err(format!("it wants `{name}`, {why}"));
            }
        }
        let rules_schema = said.rules_schema.as_deref().map(serde_json::from_str).transpose();
        let reason = |said: String| said.chars().take(SUMMARY_CHARS).collect();
        let want = |it: wit::Capability| Want { name: it.name, reason: reason(it.reason) };
        Ok(Self {
            name: said.name,
            version: said.version,
            summary: said.summary.chars().take(SUMMARY_CHARS).collect(),
            rules_schema: rules_schema
                .map_err(|error| format!("its schema for the rules is not JSON: {error}"))?,
            events: said.events,
            wants: said.wants.into_iter().map(want).collect(),
        })
    }

    pub fn wants_event(&self, kind: &str) -> bool {
        self.events.iter().any(|wanted| wanted == kind)
    }
}
