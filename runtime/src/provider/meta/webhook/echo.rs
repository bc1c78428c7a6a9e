//! What a person at the business wrote on the phone app beside the bot.

use super::{
    super::sender::{Ids, sender},
    Change, message, text,
};
use crate::model::{EventKind, Happening, News};
use serde_json::Value;

/// One message, in the lane of the contact whom it went to.
pub(super) fn read(change: &Change<'_>, echo: &Value) -> Happening {
    let to = Ids::of(echo, "to", "to_user_id", "to_parent_user_id");
    // Some samples have it the other way round: never the business itself.
    let ids = match to.phone.is_some_and(|phone| change.is_own(phone)) {
        true => Ids::of(echo, "from", "from_user_id", "from_parent_user_id"),
        false => to,
    };
    let sender = sender(ids, change.contacts());
    // What went to a group went to no contact.
    let group = echo.get("group_id").is_some_and(|group| !group.is_null());
    let (Some(id), Some(_), false) = (text(echo, "id"), &sender, group) else {
        return change.account(change.field, echo, sender.filter(|_| !group), News::Other);
    };
    let news = News::Echo(Box::new(message::message(id, echo)));
    let kind = EventKind::Account { field: change.field.to_owned(), news };
    // An edit may bear the id of what it edits.
    let dedup = format!("echo:{id}:{}", text(echo, "type").unwrap_or_default());
    change.happening(dedup, sender, kind, echo)
}
