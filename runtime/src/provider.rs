//! The wire forms of the providers: bytes in, values out. No I/O.

pub mod meta;

use crate::model::*;
use std::collections::HashMap;

/// Why a webhook was turned away. Said to nobody but the metrics: an answer
/// that explains would help a forger.
#[derive(thiserror::Error, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    #[error("no signature")]
    NoSignature,
    #[error("wrong signature")]
    WrongSignature,
    #[error("wrong verify token")]
    WrongToken,
}

/// A webhook as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Webhook<'a> {
    /// Header names in lower case.
    pub headers: &'a HashMap<String, String>,
    /// Without the `?`.
    pub query: &'a str,
    /// The exact bytes: signatures are over these.
    pub body: &'a [u8],
}

/// A body that could not be read at all.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
#[error("{0}")]
pub struct Malformed(pub String);

/// One HTTP request to the provider, ready to be sent with the channel's
/// credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct SendRequest {
    pub url: String,
    /// Sent as `Authorization: Bearer …`.
    pub bearer: String,
    pub body: serde_json::Value,
}

/// What the provider's answer to a send means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Taken. The id is empty for what has none (read marks).
    Sent { message_id: String },
    /// Not taken. The reason is in plain words, with the code.
    Refused { class: ErrorClass, code: Option<u32>, reason: String },
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// Passing trouble: again, with growing pauses from a second on.
    Retry,
    /// A limit counted over an hour or so: again, with pauses from a minute on.
    RetrySlow,
    /// Too much to this one contact: again after 4^n seconds.
    PairLimit,
    /// Nothing can leave this channel until a person acts (token, payment,
    /// policy): keep everything, try again now and then, and say so.
    PauseChannel,
    /// Trying again would not help.
    Permanent,
    /// The contact has stopped marketing: record it.
    OptedOut,
}

/// One business number at one provider. Implementations: `meta::Meta`.
pub trait Provider: Send + Sync + 'static {
    /// Answers the provider's test of the address, or denies it.
    fn challenge(&self, query: &str) -> Result<String, Denied>;
    /// Whether the provider sent this.
    fn verify(&self, webhook: Webhook<'_>) -> Result<(), Denied>;
    /// Every message, status and change in the body. `channel_of` names the
    /// channel of a number id; what is of no number, or of one we do not have,
    /// goes to `here`.
    fn parse(
        &self,
        body: &[u8],
        here: &ChannelId,
        channel_of: &dyn Fn(&str) -> Option<ChannelId>,
    ) -> Result<Vec<Happening>, Malformed>;
    /// The message as one or more that keep the provider's limits: long texts
    /// are split, too many buttons become a list, too many rows a numbered
    /// text. Error: a limit that no such change can keep, with its number.
    fn fit(&self, message: Outgoing) -> Result<Vec<Outgoing>, String>;
    /// The request that sends an item.
    fn render(&self, item: &OutboxItem) -> SendRequest;
    /// What an HTTP answer means.
    fn classify(&self, status: u16, body: &[u8]) -> Answer;
    /// A provider's error code in plain words with what to do, and its class.
    fn explain(&self, code: u32, text: &str) -> (ErrorClass, String);
}
