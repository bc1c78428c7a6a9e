//! A webhook's body as happenings. Nothing is dropped: what has no form of ours
//! is kept as an account event with what Meta wrote.

mod message;
mod status;

use super::sender::{Ids, sender};
use crate::{
    model::{ChannelId, EventKind, Happening, Millis, News, Sender},
    provider::Malformed,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Every update of every change of every entry.
pub(super) fn parse(
    body: &[u8],
    here: &ChannelId,
    channel_of: &dyn Fn(&str) -> Option<ChannelId>,
) -> Result<Vec<Happening>, Malformed> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Malformed(format!("the body is not JSON: {error}")))?;
    let entries = body
        .get("entry")
        .and_then(Value::as_array)
        .ok_or_else(|| Malformed("the body is not an object with a list `entry`".into()))?;
    let mut happenings = Vec::new();
    for entry in entries {
        let Some(changes) = entry.get("changes").and_then(Value::as_array) else {
            let whole = Change::new(entry, "entry", entry, here.clone());
            happenings.push(whole.account("entry".into(), entry, None));
            continue;
        };
        for change in changes {
            read_change(entry, change, here, channel_of, &mut happenings);
        }
    }
    Ok(happenings)
}

/// One change of an entry, and the channel it goes to.
struct Change<'a> {
    entry: &'a Value,
    field: &'a str,
    value: &'a Value,
    channel: ChannelId,
}

impl<'a> Change<'a> {
    fn new(entry: &'a Value, field: &'a str, value: &'a Value, channel: ChannelId) -> Self {
        Self { entry, field, value, channel }
    }

    fn contacts(&self) -> Option<&'a Value> {
        self.value.get("contacts")
    }

    fn happening(
        &self,
        dedup: String,
        sender: Option<Sender>,
        kind: EventKind,
        raw: &Value,
    ) -> Happening {
        Happening { channel: self.channel.clone(), dedup, sender, kind, raw: raw.to_string() }
    }

    /// What has no id of its own: known again by its content, and by the time
    /// of its entry, which a repeated delivery repeats.
    fn account(&self, field: String, body: &Value, sender: Option<Sender>) -> Happening {
        let mut hash = Sha256::new();
        for part in [self.entry.get("id"), self.entry.get("time"), Some(body)] {
            hash.update(part.map(Value::to_string).unwrap_or_default());
            hash.update([0]);
        }
        hash.update(&field);
        let dedup = format!("account:{}", hex::encode(hash.finalize()));
        self.happening(dedup, sender, EventKind::Account { field, news: News::Other }, body)
    }
}

fn read_change(
    entry: &Value,
    change: &Value,
    here: &ChannelId,
    channel_of: &dyn Fn(&str) -> Option<ChannelId>,
    happenings: &mut Vec<Happening>,
) {
    let field = text(change, "field").unwrap_or("unnamed");
    let value = change.get("value").unwrap_or(change);
    let number = value.get("metadata").and_then(|metadata| text(metadata, "phone_number_id"));
    let channel = match number.map(|number| channel_of(number).ok_or(number)) {
        Some(Ok(channel)) => channel,
        None => here.clone(),
        // Nobody here may answer for that number.
        Some(Err(number)) => {
            let change = Change::new(entry, field, value, here.clone());
            let field = format!("{field} for number {number}");
            happenings.push(change.account(field, value, None));
            return;
        }
    };
    let change = Change::new(entry, field, value, channel);
    match field {
        "messages" => read_messages(&change, happenings),
        "user_preferences" => read_preferences(&change, happenings),
        _ => happenings.push(change.account(field.to_owned(), value, None)),
    }
}

fn read_messages(change: &Change<'_>, happenings: &mut Vec<Happening>) {
    let before = happenings.len();
    for (name, part) in change.value.as_object().into_iter().flatten() {
        match (name.as_str(), part.as_array()) {
            ("messaging_product" | "metadata" | "contacts", _) => {}
            ("messages", Some(all)) => {
                happenings.extend(all.iter().map(|one| message::read(change, one)));
            }
            ("statuses", Some(all)) => {
                happenings.extend(all.iter().map(|one| status::read(change, one)));
            }
            ("errors", _) => happenings.push(change.account("errors".into(), part, None)),
            // `messages` that are not a list, and lists yet to be invented.
            (name, _) => happenings.push(change.account(format!("messages.{name}"), part, None)),
        }
    }
    if happenings.len() == before {
        happenings.push(change.account(change.field.to_owned(), change.value, None));
    }
}

/// Stop and resume of marketing: one for each contact, in the contact's lane.
fn read_preferences(change: &Change<'_>, happenings: &mut Vec<Happening>) {
    let field = change.field.to_owned();
    let all = change.value.get("user_preferences").and_then(Value::as_array);
    let Some(all) = all.filter(|all| !all.is_empty()) else {
        happenings.push(change.account(field, change.value, None));
        return;
    };
    for one in all {
        let ids = Ids::of(one, "wa_id", "user_id", "parent_user_id");
        let sender = sender(ids, change.contacts());
        happenings.push(change.account(field.clone(), one, sender));
    }
}

/// A text field that is there and not empty.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A time in seconds, as a text or a number; 0 if it can't be read.
fn timestamp(value: &Value) -> Millis {
    const SECOND: Millis = 1000;
    let stamp = value.get("timestamp");
    let seconds = stamp.and_then(|stamp| match stamp.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => stamp.as_u64(),
    });
    seconds.unwrap_or(0_u64).saturating_mul(SECOND)
}

#[cfg(test)]
mod tests;
