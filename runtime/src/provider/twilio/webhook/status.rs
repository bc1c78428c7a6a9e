//! One state of a message that we sent.

use super::{super::sender, Form};
use crate::{
    model::{EventKind, Happening, Receipt, ReceiptState},
    provider::twilio::fields::Fields,
};

/// The field of our own in the address that states are sent to.
pub(in crate::provider::twilio) const SEND: &str = "send";

/// `query` is that of the address which the message gave for its states.
pub(super) fn read(form: &Form, name: &str, query: &str) -> Vec<Happening> {
    let fields = &form.fields;
    let name = match fields.get("EventType") {
        Some("READ") => "read",
        _ => name,
    };
    let to = sender::sender(fields, "To");
    let state = match name {
        "sent" => ReceiptState::Sent,
        "delivered" => ReceiptState::Delivered,
        "read" => ReceiptState::Read,
        "failed" | "undelivered" => ReceiptState::Failed,
        // Still within Twilio, or of several recipients of whom we have one.
        "accepted" | "scheduled" | "queued" | "sending" | "canceled" | "partially_delivered" => {
            return Vec::new();
        }
        other => return vec![form.account(format!("status.{other}"), to)],
    };
    let Some(id) = fields.any(&["MessageSid", "SmsSid"]) else {
        return vec![form.account(format!("status.{name}"), to)];
    };
    let words = fields.get("ErrorMessage").unwrap_or_default();
    let code = fields.get("ErrorCode").and_then(|code| code.parse().ok());
    let failed = state == ReceiptState::Failed;
    let send = Fields::form(query.as_bytes()).get(SEND).and_then(|send| send.parse().ok());
    let receipt = Receipt {
        message_id: id.to_owned(),
        send,
        state,
        at: 0,
        error: code.filter(|code| failed && *code != 0).map(|code| (code, words.to_owned())),
        pricing: None,
        free_until: None,
    };
    let dedup = format!("status:{id}:{name}");
    vec![form.happening(dedup, to, EventKind::Receipt(receipt))]
}
