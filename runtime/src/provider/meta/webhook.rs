//! A webhook's body as happenings. Nothing is dropped: what has no form of ours
//! is kept as an account event with what Meta wrote.

mod account;
mod call;
mod content;
mod echo;
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
            happenings.push(whole.account("entry", entry, None, News::Other));
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

    /// Whether `phone` is the business's own number.
    fn is_own(&self, phone: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let own = self.value.get("metadata").and_then(|all| text(all, "display_phone_number"));
        own.is_some_and(|own| digits(own) == digits(phone))
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

    fn account(&self, field: &str, body: &Value, sender: Option<Sender>, news: News) -> Happening {
        let kind = EventKind::Account { field: field.to_owned(), news };
        self.happening(self.known_by(field, body), sender, kind, body)
    }

    /// What has no id of its own is known again by its content, and by the time
    /// of its entry, which a repeated delivery repeats.
    fn known_by(&self, field: &str, body: &Value) -> String {
        let mut hash = Sha256::new();
        for part in [self.entry.get("id"), self.entry.get("time"), Some(body)] {
            hash.update(part.map(Value::to_string).unwrap_or_default());
            hash.update([0]);
        }
        hash.update(field);
        format!("account:{}", hex::encode(hash.finalize()))
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
            happenings.push(change.account(&field, value, None, News::Other));
            return;
        }
    };
    let change = Change::new(entry, field, value, channel);
    match field {
        "messages" | "calls" | "smb_message_echoes" | "user_preferences" | "user_id_update" => {
            read_lists(&change, happenings);
        }
        _ => {
            let news = account::news(field, value, text(entry, "id"));
            happenings.push(change.account(field, value, None, news));
        }
    }
}

/// One update of a list.
type Read = fn(&Change<'_>, &Value) -> Happening;

fn reader(field: &str, list: &str) -> Option<Read> {
    Some(match (field, list) {
        ("messages", "messages") => message::read,
        ("messages", "statuses") => status::read,
        ("calls", "calls") => call::read,
        ("calls", "statuses") => call::status,
        ("smb_message_echoes", "message_echoes") => echo::read,
        ("user_preferences", "user_preferences") => preference,
        ("user_id_update", "user_id_update") => message::changed_id,
        _ => return None,
    })
}

fn read_lists(change: &Change<'_>, happenings: &mut Vec<Happening>) {
    let before = happenings.len();
    for (name, part) in change.value.as_object().into_iter().flatten() {
        if ["messaging_product", "metadata", "contacts"].contains(&name.as_str()) {
            continue;
        }
        match (reader(change.field, name), part.as_array()) {
            (Some(read), Some(all)) => happenings.extend(all.iter().map(|one| read(change, one))),
            _ if name == "errors" => {
                happenings.push(change.account("errors", part, None, account::errors(part)));
            }
            // `messages` that are not a list, and lists yet to be invented.
            _ => {
                let field = format!("{}.{name}", change.field);
                happenings.push(change.account(&field, part, None, News::Other));
            }
        }
    }
    if happenings.len() == before {
        happenings.push(change.account(change.field, change.value, None, News::Other));
    }
}

/// Stop and resume of marketing, in the contact's lane.
fn preference(change: &Change<'_>, one: &Value) -> Happening {
    let ids = Ids::of(one, "wa_id", "user_id", "parent_user_id");
    let news = match (text(one, "category"), text(one, "value")) {
        (None | Some("marketing_messages"), Some("stop")) => News::Marketing { wanted: false },
        (None | Some("marketing_messages"), Some("resume" | "signup")) => {
            News::Marketing { wanted: true }
        }
        _ => News::Other,
    };
    change.account(change.field, one, sender(ids, change.contacts()), news)
}

/// A text field that is there and not empty.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

fn owned(value: &Value, name: &str) -> Option<String> {
    text(value, name).map(str::to_owned)
}

/// A time in seconds, as a text or a number.
fn seconds(value: &Value, name: &str) -> Option<Millis> {
    const SECOND: Millis = 1000;
    let stamp = value.get(name)?;
    let seconds: u64 = match stamp.as_str() {
        Some(text) => text.trim().parse().ok()?,
        None => stamp.as_u64()?,
    };
    Some(seconds.saturating_mul(SECOND))
}

/// 0 if it can't be read.
fn timestamp(value: &Value) -> Millis {
    seconds(value, "timestamp").unwrap_or(0)
}

#[cfg(test)]
mod tests;
