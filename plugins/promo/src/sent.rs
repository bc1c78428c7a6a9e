//! What a contact has been sent, in its own key-value scope.

use crate::{
    rules::{CAP_DAYS, Cap, DAY_MS, SENT_KEPT},
    write,
};
use serde::{Deserialize, Serialize};
use switchboard_plugin::*;

/// The latest last.
#[derive(Serialize, Deserialize, Default)]
pub struct Sent(Vec<One>);

/// Was stored as a pair once, and is still read as one.
#[derive(Serialize, Deserialize)]
struct One {
    run: String,
    at: Instant,
    /// It was no marketing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    utility: bool,
}

const SENT: &str = "sent";

impl Sent {
    pub fn load() -> Self {
        let stored = kv::get(Scope::Contact, SENT);
        stored.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    pub fn has(&self, run: &str) -> bool {
        self.0.iter().any(|sent| sent.run == run)
    }

    /// When the last one was sent.
    pub fn last(&self) -> Option<Instant> {
        self.0.last().map(|sent| sent.at)
    }

    /// Whether it is as much marketing as the cap allows.
    pub fn fills(&self, cap: &Cap) -> bool {
        let from = business::now().saturating_sub(cap.window);
        self.0.iter().filter(|sent| !sent.utility && sent.at > from).count() >= cap.count
    }

    pub fn add(&mut self, run: String, category: Category) -> Result<(), String> {
        let now = business::now();
        let keep = CAP_DAYS * DAY_MS;
        self.0.retain(|sent| sent.at + keep > now);
        let surplus = (self.0.len() + 1).saturating_sub(SENT_KEPT);
        self.0.drain(..surplus);
        self.0.push(One { run, at: now, utility: category != Category::Marketing });
        kv::set(Scope::Contact, SENT, write(self)?.as_bytes(), Some(now + keep))
    }
}
