//! A webhook as happenings. Nothing is dropped but states on the way to the
//! first that says something: what has no form of ours is kept as an account
//! event with all its fields.

mod message;
mod status;

pub(super) use status::SEND;

use super::{fields::Fields, sender};
use crate::{
    model::{ChannelId, EventKind, Happening, News, Sender},
    provider::{Malformed, Webhook},
};
use sha2::{Digest, Sha256};

/// A message or a state by its fields, whichever address it came to: owners mix
/// the two up in Twilio's console.
pub(super) fn parse(
    webhook: Webhook<'_>,
    here: &ChannelId,
    channel_of: &dyn Fn(&str) -> Option<ChannelId>,
) -> Result<Vec<Happening>, Malformed> {
    let fields = Fields::read(webhook)?;
    let state = fields.any(&["MessageStatus", "SmsStatus"]).unwrap_or("received").to_owned();
    let mut form = Form { raw: fields.to_json().to_string(), fields, channel: here.clone() };
    if !matches!(state.as_str(), "received" | "receiving") {
        return Ok(status::read(&form, &state, webhook.query));
    }
    if let Some(number) = form.fields.get("To").map(sender::business) {
        match channel_of(number) {
            Some(channel) => form.channel = channel,
            // Nobody here may answer for that number.
            None => {
                let field = format!("messages for number {number}");
                return Ok(vec![form.account(field, None)]);
            }
        }
    }
    Ok(message::read(&form))
}

/// The fields, and the channel that they go to.
struct Form {
    fields: Fields,
    raw: String,
    channel: ChannelId,
}

impl Form {
    fn happening(&self, dedup: String, sender: Option<Sender>, kind: EventKind) -> Happening {
        Happening { channel: self.channel.clone(), dedup, sender, kind, raw: self.raw.clone() }
    }

    /// What has no id of its own: known again by its content, which a repeated
    /// delivery repeats.
    fn account(&self, field: String, sender: Option<Sender>) -> Happening {
        let mut hash = Sha256::new();
        hash.update(&self.raw);
        hash.update([0]);
        hash.update(&field);
        let dedup = format!("account:{}", hex::encode(hash.finalize()));
        self.happening(dedup, sender, EventKind::Account { field, news: News::Other })
    }
}

#[cfg(test)]
mod tests;
