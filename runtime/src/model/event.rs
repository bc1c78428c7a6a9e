//! What can happen.

use super::{ChannelId, EventId, Millis, SendId, Sender};
use serde::{Deserialize, Serialize};

/// An event before it has a place in a lane: what providers parse, what timers
/// and operators hand in, and what the store accepts.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Happening {
    pub channel: ChannelId,
    /// Two happenings with the same key are one. Unique per channel: the
    /// provider's id of the message, the id and state of a receipt.
    pub dedup: String,
    /// Who it concerns. None: the channel's own lane.
    pub sender: Option<Sender>,
    pub kind: EventKind,
    /// As the provider sent it; empty where there is none.
    pub raw: String,
}

/// An event with its place in a lane.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub channel: ChannelId,
    pub sender: Option<Sender>,
    pub kind: EventKind,
    pub raw: String,
    pub accepted_at: Millis,
    /// Turns that began with it and did not commit.
    pub attempts: u32,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum EventKind {
    Message(Message),
    Receipt(Receipt),
    /// A timer of `step` came due.
    TimerFired {
        step: String,
        name: String,
        payload: String,
        due: Millis,
    },
    /// The contact's turn in a broadcast of `step`.
    Broadcast {
        step: String,
        id: String,
        payload: String,
    },
    Operator(Operator),
    /// Something about the channel or account, by the provider's field name;
    /// the body is in `raw`. `rules-loaded` is our own: a generation went live.
    Account {
        field: String,
    },
}

impl EventKind {
    /// The names that a plugin's descriptor uses.
    pub const NAMES: [&'static str; 6] =
        ["message", "receipt", "timer", "broadcast", "operator", "account"];

    pub fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Receipt(_) => "receipt",
            Self::TimerFired { .. } => "timer",
            Self::Broadcast { .. } => "broadcast",
            Self::Operator(_) => "operator",
            Self::Account { .. } => "account",
        }
    }

    /// The one step that this event is for, if it is for one.
    pub fn step(&self) -> Option<&str> {
        match self {
            Self::TimerFired { step, .. } | Self::Broadcast { step, .. } => Some(step),
            Self::Message(_) | Self::Receipt(_) | Self::Operator(_) | Self::Account { .. } => None,
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Message {
    /// The provider's id: `wamid.…`.
    pub id: String,
    /// The provider's clock, whole seconds.
    pub sent_at: Millis,
    pub content: Content,
    /// The provider's id of the message that this one answers.
    pub replies_to: Option<String>,
    /// The advertisement or post, as JSON.
    pub referral: Option<String>,
    pub forwarded: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Content {
    Text(String),
    Choice(Choice),
    Media(Media),
    Location(Location),
    Reaction(Reaction),
    /// A type without a case here; `json` is its body.
    Other {
        kind: String,
        json: String,
    },
}

/// A tap on a reply button, a list row or a template's quick reply.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Choice {
    pub id: String,
    pub title: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Media {
    pub kind: MediaKind,
    pub id: String,
    pub mime_type: String,
    pub caption: Option<String>,
    pub filename: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    Image,
    Video,
    Audio,
    /// A voice note: audio with `voice: true`.
    Voice,
    Document,
    Sticker,
}

impl MediaKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Voice => "voice",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
    pub name: Option<String>,
    pub address: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reaction {
    pub message_id: String,
    /// None when the reaction was taken back.
    pub emoji: Option<String>,
}

/// A message we sent got a new state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// The provider's id of our message.
    pub message_id: String,
    /// From `biz_opaque_callback_data`, where the provider echoed it.
    pub send: Option<SendId>,
    pub state: ReceiptState,
    /// The provider's clock, whole seconds.
    pub at: Millis,
    /// The provider's code and its words, for `Failed`.
    pub error: Option<(u32, String)>,
}

/// In the order in which they can follow each other. Receipts come late and
/// out of order; a lower state never replaces a higher one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptState {
    Sent,
    Failed,
    Delivered,
    Read,
    Played,
}

impl ReceiptState {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
        }
    }
}

/// What a person at the business did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Operator {
    /// Gives the conversation back to the bot.
    Resume { by: String },
}

/// What became of one happening.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// Stored at this place.
    New(EventId),
    /// Seen before; nothing was stored.
    Duplicate,
}
