//! What can happen.

use super::{ChannelId, EventId, Membership, Millis, News, SendId, Sender};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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
    /// The campaign that it carries on, of our own events alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Membership>,
    /// Turns that it had as another event, in which its step failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Event {
    /// The campaign that it is part of. Broadcasts of before members were kept
    /// have none.
    pub fn campaign(&self) -> Option<&str> {
        match (&self.member, &self.kind) {
            (Some(member), _) => Some(&member.campaign),
            (None, EventKind::Broadcast { id, .. }) => Some(id),
            (None, _) => None,
        }
    }
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
    /// Something about the channel, the account or the contact's relation to
    /// it, by the provider's field name; the body is in `raw`. `rules-loaded`
    /// is our own: a generation went live.
    Account {
        field: String,
        /// What it means to the host.
        #[serde(default)]
        news: News,
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

    /// The file that its message bears.
    pub fn media(&self) -> Option<&Media> {
        match self {
            Self::Message(message) => message.content.media(),
            Self::Receipt(_)
            | Self::TimerFired { .. }
            | Self::Broadcast { .. }
            | Self::Operator(_)
            | Self::Account { .. } => None,
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
    /// The product of the business's catalogue that it asks about.
    #[serde(default)]
    pub product: Option<ProductRef>,
}

impl Message {
    /// With nothing around its content.
    pub fn new(id: impl Into<String>, sent_at: Millis, content: Content) -> Self {
        Self {
            id: id.into(),
            sent_at,
            content,
            replies_to: None,
            referral: None,
            forwarded: false,
            product: None,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProductRef {
    pub catalog: String,
    /// The business's own id of it (`product_retailer_id`).
    pub id: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Content {
    Text(String),
    Choice(Choice),
    Media(Media),
    Location(Location),
    Reaction(Reaction),
    /// Cards of people.
    Contacts(Vec<ContactCard>),
    /// A basket from the catalogue.
    Order(Order),
    /// A flow was filled in.
    Flow(FlowAnswer),
    /// WhatsApp's own notice about the contact; it opens no window.
    Notice(Notice),
    /// The contact changed a message within 15 minutes.
    Edit(Edit),
    /// The contact deleted a message for all.
    Revoked {
        message_id: String,
    },
    /// The contact opened the chat for the first time and wrote nothing yet.
    Welcome,
    /// WhatsApp can't show it to a bot. `kind` is the type, where it says so.
    Unsupported {
        kind: Option<String>,
        reason: String,
    },
    /// A type without a case here; `json` is its body.
    Other {
        kind: String,
        json: String,
    },
}

impl Content {
    /// What was written, or stands on what was tapped, or beneath a file.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Choice(choice) => Some(&choice.title),
            Self::Media(media) => media.caption.as_deref(),
            _ => None,
        }
    }
    /// The file that it bears.
    pub fn media(&self) -> Option<&Media> {
        match self {
            Self::Media(media) => Some(media),
            Self::Edit(edit) => edit.content.media(),
            Self::Text(_)
            | Self::Choice(_)
            | Self::Location(_)
            | Self::Reaction(_)
            | Self::Contacts(_)
            | Self::Order(_)
            | Self::Flow(_)
            | Self::Notice(_)
            | Self::Revoked { .. }
            | Self::Welcome
            | Self::Unsupported { .. }
            | Self::Other { .. } => None,
        }
    }

    /// A word for it: `text`, `order`, …
    pub fn kind(&self) -> &str {
        match self {
            Self::Text(_) => "text",
            Self::Choice(_) => "choice",
            Self::Media(media) => media.kind.name(),
            Self::Location(_) => "location",
            Self::Reaction(_) => "reaction",
            Self::Contacts(_) => "contacts",
            Self::Order(_) => "order",
            Self::Flow(_) => "flow",
            Self::Notice(_) => "notice",
            Self::Edit(_) => "edit",
            Self::Revoked { .. } => "revoked",
            Self::Welcome => "welcome",
            Self::Unsupported { .. } => "unsupported",
            Self::Other { kind, .. } => kind,
        }
    }

    /// The key that it stands under in our JSON: media of all kinds have one.
    pub fn key(&self) -> &str {
        match self {
            Self::Media(_) => "media",
            other => other.kind(),
        }
    }

    /// It in our JSON, the same whoever the provider is. An edit has what it
    /// says now under that content's own key.
    pub fn body(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Choice(choice) => json!(choice),
            Self::Media(media) => json!(media),
            Self::Location(location) => json!(location),
            Self::Reaction(reaction) => json!(reaction),
            Self::Contacts(cards) => json!(cards),
            Self::Order(order) => json!(order),
            Self::Flow(FlowAnswer { name, body, response }) => {
                json!({ "name": name, "body": body, "response": json_of(response) })
            }
            Self::Notice(notice) => json!(notice),
            Self::Edit(Edit { message_id, content }) => {
                json!({ "message_id": message_id, (content.key()): content.body() })
            }
            Self::Revoked { message_id } => json!({ "message_id": message_id }),
            Self::Welcome => json!({}),
            Self::Unsupported { kind, reason } => json!({ "kind": kind, "reason": reason }),
            Self::Other { json, .. } => json_of(json),
        }
    }

    /// What has no case in the contract with plugins, as JSON. None for what
    /// the contract has.
    pub fn json(&self) -> Option<String> {
        match self {
            Self::Text(_)
            | Self::Choice(_)
            | Self::Media(_)
            | Self::Location(_)
            | Self::Reaction(_) => None,
            Self::Other { json, .. } => Some(json.clone()),
            Self::Contacts(_)
            | Self::Order(_)
            | Self::Flow(_)
            | Self::Notice(_)
            | Self::Edit(_)
            | Self::Revoked { .. }
            | Self::Welcome
            | Self::Unsupported { .. } => Some(self.body().to_string()),
        }
    }

    /// Whether it opens the window: a notice comes from WhatsApp itself, and
    /// an edit or a deletion is about a message that has opened it already.
    pub fn opens_window(&self) -> bool {
        match self {
            Self::Notice(_) | Self::Edit(_) | Self::Revoked { .. } => false,
            Self::Other { kind, .. } => !kind.starts_with("system"),
            Self::Text(_)
            | Self::Choice(_)
            | Self::Media(_)
            | Self::Location(_)
            | Self::Reaction(_)
            | Self::Contacts(_)
            | Self::Order(_)
            | Self::Flow(_)
            | Self::Welcome
            | Self::Unsupported { .. } => true,
        }
    }
}

/// What is no JSON after all stays text.
fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.into()))
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
    /// Where it lies for the next minutes, if the provider said.
    #[serde(default)]
    pub url: Option<String>,
    /// Of its bytes, in hexadecimal, if the provider said.
    #[serde(default)]
    pub sha256: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactCard {
    /// The name as shown; cards may come without one.
    pub name: Option<String>,
    pub phones: Vec<CardPhone>,
    pub emails: Vec<String>,
    pub organization: Option<String>,
    /// It answers our request for the contact's own phone number.
    pub own: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CardPhone {
    pub phone: String,
    /// Digits, where the number is on WhatsApp.
    pub wa_id: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Order {
    pub catalog: String,
    pub text: Option<String>,
    pub items: Vec<OrderItem>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OrderItem {
    pub product: String,
    pub quantity: u64,
    /// Of one, in whole units of `currency`.
    pub price: f64,
    /// ISO 4217.
    pub currency: String,
}

/// What the contact filled into a flow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FlowAnswer {
    pub name: Option<String>,
    /// What the chat shows.
    pub body: Option<String>,
    /// The flow's JSON: mostly an object, but not always.
    pub response: String,
}

/// The contact's ids changed, or the phone it is used on. The happening's
/// sender bears the ids from before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// `user_changed_number`, `user_changed_user_id`,
    /// `customer_identity_changed`, or one that is yet to come.
    pub kind: String,
    pub text: String,
    /// The ids from now on; those that are none stay.
    pub now: Sender,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Edit {
    pub message_id: String,
    /// What it says now.
    pub content: Box<Content>,
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
    /// What it costs, where the provider says so.
    #[serde(default)]
    pub pricing: Option<Pricing>,
    /// Until when everything to this contact is free: it came by an
    /// advertisement or a page's button.
    #[serde(default)]
    pub free_until: Option<Millis>,
}

/// In the provider's words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pricing {
    /// `marketing`, `utility`, `authentication`, `service`, …
    pub category: String,
    /// `regular`, `free_customer_service`, `free_entry_point`.
    pub kind: Option<String>,
    pub billable: bool,
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
    Resume {
        by: String,
    },
    /// Sets a tag, or moves its end.
    Tag {
        name: String,
        expires: Option<Millis>,
        why: Option<String>,
        by: String,
    },
    Untag {
        name: String,
        why: Option<String>,
        by: String,
    },
}

/// What became of one happening.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// Stored at this place.
    New(EventId),
    /// Seen before; nothing was stored.
    Duplicate,
}
