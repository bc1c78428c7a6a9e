//! Contacts who were there before a rule was: when rules about contacts change,
//! each contact is looked at once, in its own lane.

use crate::{Tagger, rules::Tag};
use serde::Deserialize;
use switchboard_plugin::*;

/// The plugin's scope is shared by all channels, their contacts may not be.
fn place() -> String {
    format!("swept/{}", business::channel())
}

impl Tagger {
    /// In the channel's lane. The host goes through the contacts page by page.
    pub fn sweep(&self, account: &str) -> Outcome {
        #[derive(Deserialize)]
        struct Account {
            field: String,
        }
        let account = serde_json::from_str::<Account>(account);
        if !account.is_ok_and(|account| account.field == "rules-loaded") {
            return Ok(Continue);
        }
        let swept = kv::get(Scope::Plugin, &place()).unwrap_or_default();
        if swept == self.version.as_bytes() {
            return Ok(Continue);
        }
        let everyone = Segment { all_of: vec![], any_of: vec![], none_of: vec![] };
        let id = format!("rules@{}", business::local_time(business::now(), "UTC")?);
        if !self.version.is_empty() {
            if let Err(refusal) = broadcast(&id, &everyone, "") {
                because(format!("rules count for whoever writes from now on: {refusal}"));
                return Ok(Continue);
            }
            because("rules about contacts have changed: each is looked at once");
        }
        kv::set(Scope::Plugin, &place(), self.version.as_bytes(), None)?;
        Ok(Continue)
    }
}

/// Of the rules that can fit without a message, and of what removes them. Empty
/// where there are none.
pub fn version(rules: &[Tag]) -> String {
    let about: Vec<&Tag> = rules.iter().filter(|rule| !rule.looks_at_message()).collect();
    if about.is_empty() {
        return String::new();
    }
    // FNV-1a: whether they are the same, no more.
    let byte = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = format!("{about:?}").bytes().fold(0xcbf2_9ce4_8422_2325, byte);
    format!("{hash:016x}")
}
