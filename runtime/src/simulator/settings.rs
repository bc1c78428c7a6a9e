//! What can be changed while the simulator runs.

use super::{
    deliver::Retry,
    faults::{MediaFaults, WebhookFaults},
    state::Millis,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `GET` and `PATCH /sim/settings`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// More sends in a second are refused with 130429; 0 is no limit.
    pub messages_per_second: u32,
    /// One message in 6 s to one person, 45 at once: else 131056.
    pub pair_limit: bool,
    /// How a message outside the 24-hour window fails.
    pub window_error: WindowError,
    /// What a message to a number without a phone here does.
    pub unknown_numbers: UnknownNumbers,
    /// Phones read what they get; else only what the page shows is read.
    pub auto_read: bool,
    /// Before the Graph API answers.
    pub answer_delay_ms: Millis,
    /// Before a webhook is sent.
    pub webhook_delay_ms: Millis,
    /// From the answer to `sent`.
    pub sent_ms: Millis,
    /// From `sent` to `delivered`.
    pub delivered_ms: Millis,
    /// From `delivered` to `read`, with `auto_read`.
    pub read_ms: Millis,
    /// What happens to receipts on their way to the bot.
    pub receipts: WebhookFaults,
    /// The same for customers' messages.
    pub messages: WebhookFaults,
    /// The first attempts of each webhook that are lost on the way.
    pub lose_attempts: u32,
    /// When a webhook is sent again.
    pub retry: Retry,
    /// What is wrong with files that the bot downloads.
    pub media: MediaFaults,
    /// Templates that are not registered here may be sent too, unchecked.
    pub any_template: bool,
    /// How a template's review ends.
    pub template_review: ReviewOutcome,
    /// How long a review takes.
    pub template_review_ms: Millis,
    /// Promotions to one person in 24 hours outside windows, then 131049;
    /// 0 is no cap.
    pub marketing_per_day: u32,
    /// Promotions to numbers that begin with +1 fail with 131049.
    pub us_marketing_block: bool,
    /// Answers and in-window utility templates are charged.
    pub service_charged: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReviewOutcome {
    /// Approved, unless something is wrong with it.
    Approve,
    Reject,
    /// Pending until it is decided on.
    Hold,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowError {
    /// Accepted, then a `failed` receipt with 131047, as mostly in life.
    Status,
    /// Refused at once with 131047.
    Sync,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownNumbers {
    /// Accepted, then a `failed` receipt with 131026.
    Fail,
    /// A phone is made for it.
    Create,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            messages_per_second: 80,
            pair_limit: true,
            window_error: WindowError::Status,
            unknown_numbers: UnknownNumbers::Fail,
            auto_read: false,
            answer_delay_ms: 0,
            webhook_delay_ms: 0,
            sent_ms: 40,
            delivered_ms: 120,
            read_ms: 400,
            receipts: WebhookFaults::default(),
            messages: WebhookFaults::default(),
            lose_attempts: 0,
            retry: Retry::default(),
            media: MediaFaults::default(),
            any_template: true,
            template_review: ReviewOutcome::Approve,
            template_review_ms: 3_000,
            marketing_per_day: 0,
            us_marketing_block: true,
            service_charged: false,
        }
    }
}

impl Settings {
    /// These settings with some of them changed.
    ///
    /// # Errors
    /// A name that is no setting, or a value of another type.
    pub fn patched(&self, changes: &Value) -> Result<Self, String> {
        let mut all = serde_json::to_value(self).map_err(|why| why.to_string())?;
        merge(&mut all, changes);
        serde_json::from_value(all).map_err(|why| why.to_string())
    }
}

/// Puts what `changes` names into place, at any depth.
pub fn merge(into: &mut Value, changes: &Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (name, value) in changes {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, changes) => *into = changes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_changes_what_it_names_and_nothing_else() {
        let patch = json!({"auto_read": true, "receipts": {"copies": 3}});
        let patched = Settings::default().patched(&patch).unwrap();
        assert!(patched.auto_read);
        assert_eq!(patched.receipts.copies, 3);
        assert_eq!(patched.messages_per_second, 80);
        let wrong = Settings::default().patched(&json!({"autoread": true})).unwrap_err();
        assert!(wrong.contains("autoread"), "{wrong}");
    }
}
