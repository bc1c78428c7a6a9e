//! A message as the simulator remembers it, whichever way it went. Pure.

use super::{errors::Problem, state::Millis};
use serde::Serialize;
use serde_json::Value;

/// How far a message got. A customer's message is delivered once the bot has
/// answered its webhook with 200.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Accepted,
    Sent,
    Delivered,
    Read,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    Customer,
    Business,
}

#[derive(Clone, Debug, Serialize)]
pub struct Message {
    pub seq: u64,
    pub id: String,
    pub by: Author,
    pub at: Millis,
    pub kind: String,
    /// What stands under the kind's name, as on the wire.
    pub content: Value,
    pub status: Status,
    pub status_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opaque: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// `to` or `recipient` as the business wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_reaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_reaction: Option<String>,
    /// The id of the button or row that the customer tapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tapped: Option<String>,
    #[serde(skip)]
    pub phone: Option<usize>,
}

impl Message {
    pub fn new(id: String, by: Author, at: Millis, kind: &str, content: Value) -> Self {
        Self {
            seq: 0,
            id,
            by,
            at,
            kind: kind.into(),
            content,
            status: Status::Accepted,
            status_at: at,
            problem: None,
            opaque: None,
            reply_to: None,
            to: None,
            customer_reaction: None,
            business_reaction: None,
            tapped: None,
            phone: None,
        }
    }
}
