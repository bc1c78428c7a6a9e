//! What a contact has been sent, in its own key-value scope.

use crate::{
    rules::{CAP_DAYS, Cap, DAY_MS, SENT_KEPT},
    write,
};
use serde::{Deserialize, Serialize};
use switchboard_plugin::*;

/// The latest last.
#[derive(Serialize, Deserialize, Default)]
pub struct Sent(Vec<(String, Instant)>);

const SENT: &str = "sent";

impl Sent {
    pub fn load() -> Self {
        let stored = kv::get(Scope::Contact, SENT);
        stored.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(sent, _)| sent == name)
    }

    /// When the last one was sent.
    pub fn last(&self) -> Option<Instant> {
        self.0.last().map(|(_, at)| *at)
    }

    pub fn fills(&self, cap: &Cap) -> bool {
        let from = business::now().saturating_sub(cap.window);
        self.0.iter().filter(|(_, at)| *at > from).count() >= cap.count
    }

    pub fn add(&mut self, name: String) -> Result<(), String> {
        let now = business::now();
        let keep = CAP_DAYS * DAY_MS;
        self.0.retain(|(_, at)| at + keep > now);
        let surplus = (self.0.len() + 1).saturating_sub(SENT_KEPT);
        self.0.drain(..surplus);
        self.0.push((name, now));
        kv::set(Scope::Contact, SENT, write(self)?.as_bytes(), Some(now + keep))
    }
}
