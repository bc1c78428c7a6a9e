//! Effects as cases write them. A contract of its own, apart from the model,
//! so that the model can change and old cases still read.

use super::moment::Moment;
use crate::{
    model::{Effect, Segment, Terms},
    plugin::MessageForm,
};
use serde::{Deserialize, Serialize};

pub use crate::plugin::ButtonForm;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EffectForm {
    Reply(MessageForm),
    ReplyTo {
        quoted: String,
        message: MessageForm,
    },
    Send {
        to: String,
        message: MessageForm,
    },
    MarkRead {
        #[serde(default)]
        typing: bool,
    },
    Tag {
        name: String,
        #[serde(default)]
        expires: Option<Moment>,
    },
    Untag(String),
    SetAttribute {
        name: String,
        #[serde(default)]
        value: Option<String>,
    },
    SetTimer {
        name: String,
        due: Moment,
        #[serde(default)]
        payload: String,
    },
    CancelTimer(String),
    Handoff(String),
    Resume,
    OptIn(String),
    OptOut(String),
    Broadcast {
        id: String,
        #[serde(default)]
        to: SegmentForm,
        #[serde(default)]
        payload: String,
        #[serde(default, skip_serializing_if = "Terms::is_default")]
        terms: Terms,
    },
    LeaveOut(String),
    Variant(String),
    Note(String),
    Unanswered(String),
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SegmentForm {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    all: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    any: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    none: Vec<String>,
}

impl From<&Effect> for EffectForm {
    fn from(effect: &Effect) -> Self {
        match effect.clone() {
            Effect::Send { to: None, message, quote: None } => Self::Reply(message.into()),
            Effect::Send { to: None, message, quote: Some(quoted) } => {
                Self::ReplyTo { quoted, message: message.into() }
            }
            Effect::Send { to: Some(to), message, .. } => {
                Self::Send { to: to.to_string(), message: message.into() }
            }
            Effect::MarkRead { typing } => Self::MarkRead { typing },
            Effect::Tag { name, expires } => Self::Tag { name, expires: expires.map(Moment) },
            Effect::Untag { name } => Self::Untag(name),
            Effect::SetAttribute { name, value } => Self::SetAttribute { name, value },
            Effect::SetTimer { name, due, payload } => {
                Self::SetTimer { name, due: Moment(due), payload }
            }
            Effect::CancelTimer { name } => Self::CancelTimer(name),
            Effect::Handoff { reason } => Self::Handoff(reason),
            Effect::Resume => Self::Resume,
            Effect::OptIn { proof } => Self::OptIn(proof),
            Effect::OptOut { proof } => Self::OptOut(proof),
            Effect::Broadcast { id, to: Segment { all, any, none }, payload, terms } => {
                Self::Broadcast { id, to: SegmentForm { all, any, none }, payload, terms }
            }
            Effect::LeaveOut { reason } => Self::LeaveOut(reason),
            Effect::Variant { name } => Self::Variant(name),
            Effect::Note { text } => Self::Note(text),
            Effect::Unanswered { question } => Self::Unanswered(question),
        }
    }
}

#[cfg(test)]
mod tests;
