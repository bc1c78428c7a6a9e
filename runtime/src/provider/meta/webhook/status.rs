//! One status of a message that we sent.

use super::{
    super::sender::{Ids, sender},
    Change,
    account::first_error,
    owned, seconds, text, timestamp,
};
use crate::model::{EventKind, Happening, Millis, News, Pricing, Receipt, ReceiptState};
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
        return change.account(&format!("status.{name}"), status, sender, News::Other);
    };
    let receipt = Receipt {
        message_id: id.to_owned(),
        send: text(status, "biz_opaque_callback_data").and_then(|echo| echo.parse().ok()),
        state,
        at: timestamp(status),
        error: status.get("errors").and_then(first_error),
        pricing: status.get("pricing").and_then(pricing),
        free_until: free_until(status),
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

fn pricing(pricing: &Value) -> Option<Pricing> {
    let kind = owned(pricing, "type");
    // Meta wants to drop `billable` in favour of `type`.
    let billable = pricing.get("billable").and_then(Value::as_bool);
    let billable = billable.unwrap_or_else(|| kind.as_deref() == Some("regular"));
    Some(Pricing { category: owned(pricing, "category")?, kind, billable })
}

/// The end of the free window of a contact who came by an advertisement. Other
/// conversations have an end too, but are not free.
fn free_until(status: &Value) -> Option<Millis> {
    let conversation = status.get("conversation")?;
    let origin = conversation.get("origin").and_then(|origin| text(origin, "type"));
    let priced = status.get("pricing").and_then(|pricing| text(pricing, "type"));
    let entry_point = ["referral_conversion", "free_entry_point"];
    let free = [origin, priced].into_iter().flatten().any(|name| entry_point.contains(&name));
    seconds(conversation, "expiration_timestamp").filter(|_| free)
}
