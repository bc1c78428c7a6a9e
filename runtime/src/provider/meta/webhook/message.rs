//! One inbound message: who it is from and what stands around its content.

use super::{
    super::sender::{Ids, is_bsuid, sender},
    Change, content, owned, text, timestamp,
};
use crate::model::{Content, EventKind, Happening, Message, News, Notice, ProductRef, Sender};
use serde_json::Value;

pub(super) fn read(change: &Change<'_>, update: &Value) -> Happening {
    if update.get("group_id").is_some_and(|group| !group.is_null()) {
        // Its sender is one of several in a group: an answer would go to that
        // person alone, out of the blue. So it is nobody's message.
        return change.account("group_message", update, None, News::Other);
    }
    let sender = match text(update, "type") {
        Some("system") => former_sender(change, update),
        _ => {
            let ids = Ids::of(update, "from", "from_user_id", "from_parent_user_id");
            sender(ids, change.contacts())
        }
    };
    let Some(id) = text(update, "id") else {
        return change.account("message_without_id", update, sender, News::Other);
    };
    if sender.is_none() {
        return change.account("message_without_sender", update, None, News::Other);
    }
    let kind = EventKind::Message(message(id, update));
    change.happening(id.to_owned(), sender, kind, update)
}

/// The message itself, whoever sent it.
pub(super) fn message(id: &str, update: &Value) -> Message {
    let context = update.get("context").or_else(|| update.pointer("/edit/message/context"));
    let flag = |name| context.and_then(|context| context.get(name)) == Some(&Value::Bool(true));
    let referral = update.get("referral").filter(|referral| !referral.is_null());
    Message {
        id: id.to_owned(),
        sent_at: timestamp(update),
        content: content::read(update),
        replies_to: context.and_then(|context| owned(context, "id")),
        referral: referral.map(Value::to_string),
        forwarded: flag("forwarded") || flag("frequently_forwarded"),
        product: context.and_then(|context| product(context.get("referred_product")?)),
    }
}

fn product(product: &Value) -> Option<ProductRef> {
    let (catalog, id) = (owned(product, "catalog_id")?, owned(product, "product_retailer_id")?);
    Some(ProductRef { catalog, id })
}

/// Who a system message is about, by the ids from before the change: those are
/// the ones we know the contact by.
fn former_sender(change: &Change<'_>, update: &Value) -> Option<Sender> {
    let ids = Ids::of(update, "from", "from_user_id", "from_parent_user_id");
    let Some(system) = update.get("system") else {
        return sender(ids, change.contacts());
    };
    let new = text(system, "user_id");
    let old = text(system, "previous_user_id").or_else(|| id_in_words(system));
    let ids = Ids {
        phone: ids.phone,
        bsuid: old.or(ids.bsuid.filter(|bsuid| Some(*bsuid) != new)),
        parent: text(system, "previous_parent_user_id").or(ids.parent),
    };
    let found = sender(ids, change.contacts())?;
    // The list of contacts may know the new id already.
    let bsuid = found.bsuid.filter(|bsuid| old.is_some() || Some(bsuid.as_str()) != new);
    let found = Sender { bsuid, ..found };
    (!found.identities().is_empty()).then_some(found)
}

/// Until August 2026 the former user id stood in the words alone: `User A
/// changed from US.1 to US.2`.
fn id_in_words(system: &Value) -> Option<&str> {
    let (before, _) = text(system, "body")?.rsplit_once(" to ")?;
    let (_, id) = before.rsplit_once(" from ")?;
    is_bsuid(id).then_some(id)
}

/// A user id that changed, as a field of its own (of spring 2026, withdrawn
/// since): the same as the system message about it.
pub(super) fn changed_id(change: &Change<'_>, update: &Value) -> Happening {
    let id = |name: &str| update.get("user_id").and_then(|ids| text(ids, name));
    let ids = Ids { phone: text(update, "wa_id"), bsuid: id("previous"), parent: None };
    let former = sender(ids, change.contacts());
    let (Some(former), Some(bsuid)) = (former, id("current").filter(|id| is_bsuid(id))) else {
        return change.account(change.field, update, None, News::Other);
    };
    let notice = Notice {
        kind: "user_changed_user_id".into(),
        text: owned(update, "detail").unwrap_or_default(),
        now: Sender { bsuid: Some(bsuid.to_owned()), ..Sender::default() },
    };
    // It has no id of its own.
    let id = change.known_by(change.field, update);
    let message = Message::new(id.clone(), timestamp(update), Content::Notice(notice));
    change.happening(id, Some(former), EventKind::Message(message), update)
}
