//! What a plugin says of itself, checked.

use super::{bindings::switchboard::plugin::types as wit, schema, wants};
use crate::{
    config::{PLUGIN_NAME, is_plugin_name},
    model::{EventKind, plain_line},
};

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
    /// `broadcast`, `send-to-others`, `media`, or `http:` and a host as grants have it.
    pub name: String,
    pub reason: String,
}

/// Shown of what should have been a name.
const NAME_CHARS: usize = 64;
const VERSION_BYTES: usize = 64;
/// Shown on one line, as is the reason of a want.
const SUMMARY_CHARS: usize = 300;
/// A schema is compiled, and shown to who writes rules.
const SCHEMA_BYTES: usize = 256 * 1024;
/// Capabilities that one plugin may ask for: each is a line for its owner.
const WANTS: usize = 32;

impl Descriptor {
    /// Error: which part of it is not what the contract asks for.
    pub(super) fn check(said: wit::Descriptor) -> Result<Self, String> {
        if !is_plugin_name(&said.name) {
            let name = plain_line(&said.name, NAME_CHARS);
            return Err(format!("its name `{name}` is no plugin's name: {PLUGIN_NAME}"));
        }
        let graphic = said.version.chars().all(|c| c.is_ascii_graphic());
        if said.version.is_empty() || said.version.len() > VERSION_BYTES || !graphic {
            return Err(format!("its version has between 1 and {VERSION_BYTES} ASCII characters"));
        }
        if said.events.len() > EventKind::NAMES.len() || said.wants.len() > WANTS {
            return Err(format!(
                "it names {} kinds of event, and there are {}; it wants {} capabilities, and {WANTS} \
                 are allowed",
                said.events.len(),
                EventKind::NAMES.len(),
                said.wants.len()
            ));
        }
        if let Some(schema) = said.rules_schema.as_ref().filter(|it| it.len() > SCHEMA_BYTES) {
            return Err(format!(
                "its schema for the rules has {} bytes, and {SCHEMA_BYTES} are allowed",
                schema.len()
            ));
        }
        if let Some(kind) = said.events.iter().find(|it| !EventKind::NAMES.contains(&it.as_str())) {
            let kinds = EventKind::NAMES.join("`, `");
            let kind = plain_line(kind, NAME_CHARS);
            return Err(format!("it wants events of the kind `{kind}`, and there are `{kinds}`"));
        }
        for want in &said.wants {
            if let Some(why) = wants::ungrantable(&want.name) {
                return Err(format!("it wants `{}`, {why}", plain_line(&want.name, SUMMARY_CHARS)));
            }
        }
        let rules_schema = said.rules_schema.as_deref().map(serde_json::from_str).transpose();
        let rules_schema: Option<serde_json::Value> = rules_schema
            .map_err(|error| format!("its schema for the rules is not JSON: {error}"))?;
        rules_schema.as_ref().map_or(Ok(()), schema::check)?;
        let want = |it: wit::Capability| Want {
            name: it.name,
            reason: plain_line(&it.reason, SUMMARY_CHARS),
        };
        Ok(Self {
            name: said.name,
            version: said.version,
            summary: plain_line(&said.summary, SUMMARY_CHARS),
            rules_schema,
            events: said.events,
            wants: said.wants.into_iter().map(want).collect(),
        })
    }

    pub fn wants_event(&self, kind: &str) -> bool {
        self.events.iter().any(|wanted| wanted == kind)
    }
}
