//! Calls. The media of a call is none of ours; that somebody called is.

use super::{
    super::sender::{Ids, sender},
    Change, owned, seconds, text, timestamp,
};
use crate::model::{Happening, News};
use serde_json::Value;

/// A call that began or ended.
pub(super) fn read(change: &Change<'_>, call: &Value) -> Happening {
    let from_contact = match text(call, "direction") {
        Some("BUSINESS_INITIATED") => false,
        Some("USER_INITIATED") => true,
        _ => text(call, "from").is_some_and(|from| !change.is_own(from)),
    };
    let ids = match from_contact {
        true => Ids::of(call, "from", "from_user_id", "from_parent_user_id"),
        false => Ids::of(call, "to", "to_user_id", "to_parent_user_id"),
    };
    // A call's ends may be given the wrong way round: never the business itself.
    let ids = Ids { phone: ids.phone.filter(|phone| !change.is_own(phone)), ..ids };
    let ended = text(call, "event") == Some("terminate");
    let began = seconds(call, "start_time");
    let news = match (from_contact, owned(call, "id")) {
        (true, Some(id)) => {
            let at = began.unwrap_or_else(|| timestamp(call));
            News::Call { id, at, missed: ended && began.is_none() }
        }
        _ => News::Remark(format!(
            "a call to a contact: {}",
            text(call, "event").unwrap_or("without a word").to_lowercase()
        )),
    };
    change.account(change.field, call, sender(ids, change.contacts()), news)
}

/// How a call that we made fares.
pub(super) fn status(change: &Change<'_>, status: &Value) -> Happening {
    let names = ("recipient_id", "recipient_user_id", "recipient_parent_user_id");
    let ids = Ids::of(status, names.0, names.1, names.2);
    let state = text(status, "status").unwrap_or("without a word").to_lowercase();
    let news = News::Remark(format!("a call to a contact: {state}"));
    change.account("calls.status", status, sender(ids, change.contacts()), news)
}
