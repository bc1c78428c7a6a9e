//! Effects as cases write them. A contract of its own, apart from the model,
//! so that the model can change and old cases still read.

use super::moment::Moment;
use crate::model::{
    Button, Category, Effect, MediaKind, MediaSource, Outgoing, OutgoingMedia, Parameter, Row,
    Section, Segment, Template,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EffectForm {
    Reply(MessageForm),
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
    },
    Note(String),
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

/// A message to send: the cases of `outgoing` in `wit/types.wit`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MessageForm {
    Text(String),
    Buttons {
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        buttons: Vec<ButtonForm>,
    },
    Options {
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        label: String,
        sections: Vec<SectionForm>,
    },
    Template {
        name: String,
        language: String,
        category: CategoryForm,
        #[serde(default)]
        parameters: Vec<ParameterForm>,
    },
    Media {
        kind: MediaKind,
        source: SourceForm,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filename: Option<String>,
    },
    Reaction {
        message_id: String,
        /// None takes it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emoji: Option<String>,
    },
    /// A kind that the contract has no case of its own for.
    Other {
        kind: String,
        json: serde_json::Value,
    },
    /// What `mark_read` becomes in the end; no plugin sends it as a message.
    Read {
        message_id: String,
        typing: bool,
    },
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ButtonForm {
    pub id: String,
    pub title: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SectionForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    rows: Vec<RowForm>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowForm {
    id: String,
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CategoryForm {
    Marketing,
    Utility,
    Authentication,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceForm {
    Id(String),
    Link(String),
    File(String),
}

impl From<&Effect> for EffectForm {
    fn from(effect: &Effect) -> Self {
        match effect.clone() {
            Effect::Send { to: None, message, .. } => Self::Reply(message.into()),
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
            Effect::Broadcast { id, to: Segment { all, any, none }, payload } => {
                Self::Broadcast { id, to: SegmentForm { all, any, none }, payload }
            }
            Effect::Note { text } => Self::Note(text),
        }
    }
}

impl From<Outgoing> for MessageForm {
    fn from(message: Outgoing) -> Self {
        match message {
            Outgoing::Text(text) => Self::Text(text),
            Outgoing::Buttons { header: None, body, footer, buttons } => {
                let button = |Button { id, title }| ButtonForm { id, title };
                let buttons = buttons.into_iter().map(button).collect();
                Self::Buttons { body, footer, buttons }
            }
            Outgoing::List { header: None, body, footer, label, sections } => {
                let sections = sections.into_iter().map(section).collect();
                Self::Options { body, footer, label, sections }
            }
            Outgoing::Template(Template { name, language, category, parameters, .. }) => {
                let category = match category {
                    Category::Marketing => CategoryForm::Marketing,
                    Category::Utility => CategoryForm::Utility,
                    Category::Authentication => CategoryForm::Authentication,
                };
                let parameter = |Parameter { name, text }| ParameterForm { name, text };
                let parameters = parameters.into_iter().map(parameter).collect();
                Self::Template { name, language, category, parameters }
            }
            Outgoing::Media(OutgoingMedia { kind, source, caption, filename }) => {
                let source = match source {
                    MediaSource::Id(id) => SourceForm::Id(id),
                    MediaSource::Link(link) => SourceForm::Link(link),
                    MediaSource::File(file) => SourceForm::File(file),
                };
                Self::Media { kind, source, caption, filename }
            }
            Outgoing::Reaction { message_id, emoji } => {
                let emoji = Some(emoji).filter(|emoji| !emoji.is_empty());
                Self::Reaction { message_id, emoji }
            }
            Outgoing::Read { message_id, typing } => Self::Read { message_id, typing },
            other => {
                let json = serde_json::to_value(&other).unwrap_or_default();
                Self::Other { kind: other.kind().into(), json }
            }
        }
    }
}

fn section(section: Section) -> SectionForm {
    let row = |Row { id, title, description }| RowForm { id, title, description };
    SectionForm { title: section.title, rows: section.rows.into_iter().map(row).collect() }
}

#[cfg(test)]
mod tests;
