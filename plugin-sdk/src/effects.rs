//! What a plugin may ask for. Each is checked at once, so a mistake is an
//! `Err` here with the limit in its words, and each is held back until the
//! turn commits.

pub use crate::values::text_with_buttons;
use crate::{Instant, Outgoing, Segment, host::effects};
use serde::{Deserialize, Serialize};

/// On which terms a broadcast goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// How many contacts an hour have their event; none for all at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<u32>,
    /// What counts as reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// How long after the message was delivered, in milliseconds; 7 days if it
    /// is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<Instant>,
}

/// What a broadcast is to bring about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// The tag is set.
    Tag(String),
    /// The attribute gets a value.
    Attribute(String),
    /// An order from the catalogue.
    Order,
}

type Asked<T = ()> = Result<T, String>;

/// Answers the contact. Returns the send's id, which its receipts name.
pub fn reply(message: impl Into<Outgoing>) -> Asked<String> {
    effects::reply(&message.into())
}
/// As [`reply`], above it the message with this id of the provider's:
/// `message.id`, or another one.
pub fn reply_to(quoted: &str, message: impl Into<Outgoing>) -> Asked<String> {
    effects::reply_to(&message.into(), quoted)
}
/// Writes to another contact, by our own id. Needs the grant `send_to_others`.
pub fn send(contact: &str, message: impl Into<Outgoing>) -> Asked<String> {
    effects::send(contact, &message.into())
}
/// Marks the message as read; with `typing`, also shows that an answer is
/// being written.
pub fn mark_read(typing: bool) -> Asked {
    effects::mark_read(typing)
}

/// Tags the contact for good.
pub fn tag(name: &str) -> Asked {
    effects::tag(name, None)
}
/// Tags the contact until a moment.
pub fn tag_until(name: &str, expires: Instant) -> Asked {
    effects::tag(name, Some(expires))
}
pub fn untag(name: &str) -> Asked {
    effects::untag(name)
}
/// Sets a named value of at most 1,000 bytes on the contact.
pub fn set_attribute(name: &str, value: &str) -> Asked {
    effects::set_attribute(name, Some(value))
}
pub fn clear_attribute(name: &str) -> Asked {
    effects::set_attribute(name, None)
}

/// Wakes this step in this lane at `due`. The same name replaces.
pub fn set_timer(name: &str, due: Instant, payload: &str) -> Asked {
    effects::set_timer(name, due, payload)
}
pub fn cancel_timer(name: &str) -> Asked {
    effects::cancel_timer(name)
}

/// Hands the conversation to a person; the bot keeps silent until [`resume`].
pub fn handoff(reason: &str) -> Asked {
    effects::handoff(reason)
}
pub fn resume() -> Asked {
    effects::resume()
}

/// Records that the contact agreed to marketing, with the words they used.
pub fn opt_in(proof: &str) -> Asked {
    effects::opt_in(proof)
}
/// Records that the contact stopped marketing, with the words they used.
pub fn opt_out(proof: &str) -> Asked {
    effects::opt_out(proof)
}

/// Gives every contact of a segment a `broadcast` event for this step, once
/// per id. Needs the grant `broadcast`.
pub fn broadcast(id: &str, to: &Segment, payload: &str) -> Asked {
    effects::broadcast(id, to, payload)
}
/// As [`broadcast`], on terms.
pub fn broadcast_on(id: &str, to: &Segment, payload: &str, terms: &Terms) -> Asked {
    let terms = serde_json::to_string(terms).map_err(|error| error.to_string())?;
    effects::broadcast_on(id, to, payload, &terms)
}
/// In the turn of a broadcast, or of a timer set in one: the contact is not to
/// get it. The same words for all who are left out for the same reason.
pub fn leave_out(reason: &str) -> Asked {
    effects::leave_out(reason)
}
/// In such a turn: which variant the contact is in, also `hold-out`.
pub fn variant(name: &str) -> Asked {
    effects::variant(name)
}
/// Leaves a note on the contact for the people who answer.
pub fn note(text: &str) -> Asked {
    effects::note(text)
}
/// Keeps what the contact asked and nothing here answers, of at most 1,000
/// bytes, for the owner.
pub fn unanswered(question: &str) -> Asked {
    effects::unanswered(question)
}
/// Says why, for the owner. A tag that is set or removed after it keeps it as
/// its reason.
pub fn because(reason: impl AsRef<str>) {
    effects::because(reason.as_ref());
}
