//! One status of a message that we sent.

use super::super::sender::{Ids, sender};
use super::{Change, text, timestamp};
use crate::model::{EventKind, Happening, Receipt, ReceiptState};
use serde_json::Value;

pub(super) fn read(change: &Change<'_>, status: &Value) -> Happening {
    let name = text(status, "status").unwrap_or("unknown");
    // In a group `recipient_id` is the group's, and no number.
    let group = text(status, "recipient_type") == Some("group");
    let sender = match group {
        true => None,
        false => {
            let names = ("recipient_id", "recipient_user_id", "recipient_parent_user_id");
            sender(Ids::of(status, names.0, names.1, names.2), change.contacts())
        }
    };
    let state = match name {
        "sent" => Some(ReceiptState::Sent),
        "failed" => Some(ReceiptState::Failed),
        "delivered" => Some(ReceiptState::Delivered),
        "read" => Some(ReceiptState::Read),
        "played" => Some(ReceiptState::Played),
        _ => None,
    };
    // A payment's states are not a message's.
    let state = state.filter(|_| text(status, "type").is_none());
    let (Some(state), Some(id)) = (state, text(status, "id")) else {
        return change.account(format!("status.{name}"), status, sender);
    };
    let receipt = Receipt {
        message_id: id.to_owned(),
        send: text(status, "biz_opaque_callback_data").and_then(|echo| echo.parse().ok()),
        state,
        at: timestamp(status),
        error: status.get("errors").and_then(|errors| error(errors.get(0)?)),
        pricing: None,
        free_until: None,
    };
    let member = ["recipient_participant_id", "recipient_participant_user_id"]
        .into_iter()
        .find_map(|name| text(status, name));
    let dedup = match member {
        Some(member) => format!("status:{id}:{name}:{member}"),
        None => format!("status:{id}:{name}"),
    };
    change.happening(dedup, sender, EventKind::Receipt(receipt), status)
}

/// The code with Meta's words: the details where there are any.
fn error(error: &Value) -> Option<(u32, String)> {
    let code = error.get("code")?.as_u64().and_then(|code| code.try_into().ok())?;
    let details = error.get("error_data").and_then(|more| text(more, "details"));
    let words = details.or_else(|| text(error, "message")).or_else(|| text(error, "title"));
    Some((code, words.unwrap_or_default().to_owned()))
}
