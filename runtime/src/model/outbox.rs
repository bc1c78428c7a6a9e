//! Messages on their way out, and what became of them.

use super::{ChannelId, ContactId, Millis, Outgoing, ReceiptState, SendId};
use serde::{Deserialize, Serialize};

/// Where a message goes: by phone if known, else by BSUID.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Address {
    pub phone: Option<String>,
    pub bsuid: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OutboxItem {
    pub id: SendId,
    pub channel: ChannelId,
    pub contact: ContactId,
    pub to: Address,
    pub message: Outgoing,
    /// The provider's id of the message that it answers.
    #[serde(default)]
    pub quote: Option<String>,
    /// The step that asked for it.
    pub step: String,
    /// The broadcast that it is part of; none for answers.
    #[serde(default)]
    pub campaign: Option<String>,
    pub created_at: Millis,
    pub state: SendState,
    /// Attempts begun, this one included.
    pub attempts: u32,
    /// The provider's id, once known.
    pub message_id: Option<String>,
    /// The highest receipt so far.
    pub receipt: Option<ReceiptState>,
    /// Why it waits, failed or was parked, in plain words.
    pub reason: Option<String>,
    /// The provider's code behind `reason`, if there is one.
    #[serde(default)]
    pub error: Option<u32>,
    pub updated_at: Millis,
    /// The ids of what was asked for behind it in the same turn and joined to
    /// it. Receipts name `id` alone.
    #[serde(default)]
    pub also: Vec<SendId>,
}

/// Where an item stands. `Waiting` and `Attempting` are in the outbox queue,
/// the others are history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SendState {
    /// To be sent at `due` or later.
    Waiting { due: Millis },
    /// An attempt began at `since` and its end is not recorded: after a crash
    /// or a time-out it may or may not have been sent. Until `until` a receipt
    /// may settle it; then it is sent again.
    Attempting { since: Millis, until: Millis },
    /// The provider took it.
    Sent,
    /// The provider refused it, or it was given up: see `reason`.
    Failed,
    /// Our own rules forbade it when it was about to leave.
    Refused,
}

/// An attempt about to begin, to be recorded before it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    pub id: SendId,
    pub since: Millis,
    /// When it may be tried again if nothing is heard of it.
    pub until: Millis,
}

/// How one attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// Taken, with the provider's id.
    Sent { message_id: String },
    /// Not taken; try at `due`.
    RetryAfter { due: Millis, reason: String },
    /// Not taken, and trying again would not help.
    Rejected { reason: String, code: Option<u32> },
    /// Our own rules forbade it.
    Refused { reason: String },
    /// It may have been taken: wait until `until` for a receipt that says so.
    Unknown { until: Millis, reason: String },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRecord {
    pub id: SendId,
    pub delivery: Delivery,
    pub at: Millis,
}

impl OutboxItem {
    /// When the item next needs attention; none once it is history.
    pub fn due(&self) -> Option<Millis> {
        match self.state {
            SendState::Waiting { due } => Some(due),
            SendState::Attempting { until, .. } => Some(until),
            SendState::Sent | SendState::Failed | SendState::Refused => None,
        }
    }

    pub fn begin(&mut self, attempt: &Attempt) {
        self.state = SendState::Attempting { since: attempt.since, until: attempt.until };
        self.attempts += 1;
        self.updated_at = attempt.since;
    }

    /// Takes the end of an attempt. Once the item is history, it stays so: a
    /// receipt may have settled it first.
    pub fn record(&mut self, record: &DeliveryRecord) {
        if self.due().is_none() {
            return;
        }
        self.error = None;
        let (state, reason) = match &record.delivery {
            Delivery::Sent { message_id } => {
                self.message_id = Some(message_id.clone());
                (SendState::Sent, None)
            }
            Delivery::RetryAfter { due, reason } => {
                (SendState::Waiting { due: *due }, Some(reason.clone()))
            }
            Delivery::Rejected { reason, code } => {
                self.error = *code;
                (SendState::Failed, Some(reason.clone()))
            }
            Delivery::Refused { reason } => (SendState::Refused, Some(reason.clone())),
            Delivery::Unknown { until, reason } => {
                let since = record.at;
                (SendState::Attempting { since, until: *until }, Some(reason.clone()))
            }
        };
        self.state = state;
        self.reason = reason;
        self.updated_at = record.at;
    }

    /// Takes a receipt, in whatever order they come. Any receipt proves that
    /// the provider took the message.
    pub fn receive(
        &mut self,
        message_id: &str,
        state: ReceiptState,
        (error, reason): (Option<u32>, Option<String>),
        now: Millis,
    ) {
        if self.message_id.is_none() {
            self.message_id = Some(message_id.to_owned());
        }
        let newer = self.receipt.is_none_or(|known| state > known);
        if newer {
            self.receipt = Some(state);
            self.updated_at = now;
        }
        match (state, self.receipt) {
            (ReceiptState::Failed, Some(ReceiptState::Failed)) => {
                self.state = SendState::Failed;
                (self.error, self.reason) = (error, reason);
            }
            _ => {
                self.state = SendState::Sent;
                (self.error, self.reason) = (None, None);
            }
        }
    }
}
