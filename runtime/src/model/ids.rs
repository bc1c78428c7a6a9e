//! Names of things. Every id has one text form, which `Display` writes and
//! `FromStr` reads; it appears in URLs, traces and `biz_opaque_callback_data`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// A moment, in milliseconds since the Unix epoch.
pub type Millis = u64;

/// As a date and a time. None: too far off, which only a plugin can ask for.
pub fn moment(at: Millis) -> Option<jiff::Timestamp> {
    i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_millisecond(at).ok())
}

/// The `id` of a `[[channel]]`: one business number at one provider.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChannelId(Arc<str>);

impl ChannelId {
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person, by our own number. Written `c17`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactId(pub u64);

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl FromStr for ContactId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('c').and_then(|n| n.parse().ok());
        number.map(ContactId).ok_or_else(|| format!("`{text}` is not a contact id such as `c17`"))
    }
}

/// Whose ordered line of events: a contact's, or a channel's for what concerns
/// no contact. Written `c17` or `@main`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Lane {
    Contact(ContactId),
    Channel(ChannelId),
}

impl Lane {
    pub fn contact(&self) -> Option<ContactId> {
        match self {
            Self::Contact(id) => Some(*id),
            Self::Channel(_) => None,
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contact(id) => id.fmt(f),
            Self::Channel(id) => write!(f, "@{id}"),
        }
    }
}

impl FromStr for Lane {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('@') {
            Some(channel) if !channel.is_empty() => Ok(Self::Channel(ChannelId::new(channel))),
            _ => text.parse().map(Self::Contact),
        }
    }
}

/// The `seq`-th event of a lane, counted from 1. Written `c17-4`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct EventId {
    pub lane: Lane,
    pub seq: u64,
}

/// A turn is one event processed once, so it bears the event's id and a retry
/// is the same turn.
pub type TurnId = EventId;

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.lane, self.seq)
    }
}

impl FromStr for EventId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (lane, seq) = text.rsplit_once('-')?;
            Some(Self { lane: lane.parse().ok()?, seq: seq.parse().ok()? })
        };
        parse().ok_or_else(|| format!("`{text}` is not an event id such as `c17-4`"))
    }
}

/// The `index`-th message that a turn sends, counted from 0. Written
/// `c17-4-0`. A replayed turn yields the same ids, which is what makes sending
/// once possible.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SendId {
    pub turn: TurnId,
    pub index: u32,
}

impl fmt::Display for SendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.turn, self.index)
    }
}

impl FromStr for SendId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (turn, index) = text.rsplit_once('-')?;
            Some(Self { turn: turn.parse().ok()?, index: index.parse().ok()? })
        };
        parse().ok_or_else(|| format!("`{text}` is not a send id such as `c17-4-0`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text_form() {
        for text in ["c17-4-0", "@main-12-3", "@a-b-7-0"] {
            assert_eq!(text.parse::<SendId>().unwrap().to_string(), text);
        }
        assert_eq!("@a-b".parse::<Lane>().unwrap(), Lane::Channel(ChannelId::new("a-b")));
        for text in ["", "17-4-0", "c17", "c-1-0", "@-1-0", "hello"] {
            assert!(text.parse::<SendId>().is_err(), "{text}");
        }
    }
}
