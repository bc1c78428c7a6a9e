//! Messages to send, free of any provider's wire form.

use super::{Choice, MediaKind};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Outgoing {
    Text(String),
    Buttons {
        body: String,
        footer: Option<String>,
        buttons: Vec<Button>,
    },
    List {
        body: String,
        footer: Option<String>,
        label: String,
        sections: Vec<Section>,
    },
    Template(Template),
    Media(OutgoingMedia),
    Reaction {
        message_id: String,
        emoji: String,
    },
    /// Marks a message of the contact's as read; not seen as a message.
    Read {
        message_id: String,
        typing: bool,
    },
}

impl Outgoing {
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Buttons { .. } => "buttons",
            Self::List { .. } => "list",
            Self::Template(_) => "template",
            Self::Media(_) => "media",
            Self::Reaction { .. } => "reaction",
            Self::Read { .. } => "read",
        }
    }
}

/// A reply button: what the contact sees and the id that comes back.
pub type Button = Choice;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Section {
    pub title: Option<String>,
    pub rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Row {
    pub id: String,
    pub title: String,
    pub description: Option<String>,
}

/// A message form approved beforehand: all that may leave outside the window.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    pub language: String,
    pub category: Category,
    pub parameters: Vec<Parameter>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    Marketing,
    Utility,
    Authentication,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Parameter {
    /// None for positional parameters.
    pub name: Option<String>,
    pub text: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OutgoingMedia {
    pub kind: MediaKind,
    pub source: MediaSource,
    pub caption: Option<String>,
    pub filename: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MediaSource {
    Id(String),
    Link(String),
}
