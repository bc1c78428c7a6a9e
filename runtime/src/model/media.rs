//! A file that a customer sent, and how far the host has got with it.

use super::{ChannelId, Lane, Media, Millis};
use serde::{Deserialize, Serialize};

/// One file by the provider's id. Two ids may name the same bytes, which are
/// then kept once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MediaFile {
    pub channel: ChannelId,
    /// As the message named it.
    pub media: Media,
    /// The lanes of the messages that bore it: who may see it.
    pub lanes: Vec<Lane>,
    /// When the last such message was accepted. The provider's id lives from
    /// then on.
    pub accepted_at: Millis,
    /// Tries to fetch it that came to nothing.
    pub tries: u32,
    pub state: MediaState,
}

impl MediaFile {
    /// How many lanes are remembered; of more, the oldest go. Each message has
    /// an id of its own, so one is the rule.
    pub const LANES: usize = 16;
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MediaState {
    /// It is to be fetched, at `due` at the earliest.
    Waiting {
        due: Millis,
        /// Why it is not here yet, after a try.
        reason: Option<String>,
    },
    Here(MediaHere),
    /// It is not to be had.
    Failed {
        reason: String,
        at: Millis,
    },
    /// It was here, and its time is over.
    Expired {
        at: Millis,
    },
}

/// A file on this disk, under the name of its hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MediaHere {
    pub bytes: u64,
    /// Of its bytes, in hexadecimal.
    pub sha256: String,
    /// What the provider says it is, without parameters: `audio/ogg`.
    pub mime_type: String,
    /// Where the bytes are not what the type says, what they look like.
    pub looks_like: Option<String>,
    pub at: Millis,
}

impl MediaState {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Here(_) => "here",
            Self::Failed { .. } => "failed",
            Self::Expired { .. } => "expired",
        }
    }
}

/// A provider's form of a SHA-256 as hexadecimal in small letters: it comes so,
/// or as base64. None: it is neither.
pub fn media_hash(said: &str) -> Option<String> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let bytes = hex::decode(said).ok().or_else(|| STANDARD.decode(said).ok())?;
    (bytes.len() == 32).then(|| hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_comes_in_two_forms() {
        let hex = "4d".repeat(32);
        assert_eq!(media_hash(&hex.to_uppercase()).as_ref(), Some(&hex));
        let base64 = "TU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU0=";
        assert_eq!(media_hash(base64), Some(hex));
        for odd in ["", "4654+8g=", "abc123def456", "a1b2c3d4e5f6..."] {
            assert_eq!(media_hash(odd), None, "{odd}");
        }
    }
}
