//! Messages as JSON: what a plugin hands over by name where the contract has no
//! case for them, what cases expect, and what `docs/messages.md` shows. A form
//! of its own, apart from the model, so that the model can change.

mod parts;

use crate::model::{Flow, Outgoing};
pub use parts::ButtonForm;
use parts::{
    CardForm, ContactForm, FlowRefForm, HeaderForm, LinkForm, LocationForm, MediaForm, ObjectForm,
    ProductsForm, RequestedForm, SectionForm, TemplateForm,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum MessageForm {
    Text(String),
    Buttons {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<HeaderForm>,
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        buttons: Vec<ButtonForm>,
    },
    #[serde(alias = "list")]
    Options {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<HeaderForm>,
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        label: String,
        sections: Vec<SectionForm>,
    },
    Numbered {
        text: String,
        choices: Vec<ButtonForm>,
    },
    Template(TemplateForm),
    Media(MediaForm),
    Location(LocationForm),
    Contacts(Vec<ContactForm>),
    Link(LinkForm),
    Flow {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<HeaderForm>,
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        flow: FlowRefForm,
        label: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        screen: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<ObjectForm>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        draft: bool,
    },
    Request {
        what: RequestedForm,
        body: String,
    },
    Product {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        catalog: String,
        product: String,
    },
    Products(ProductsForm),
    Catalog {
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thumbnail: Option<String>,
    },
    Carousel {
        body: String,
        cards: Vec<CardForm>,
    },
    Interactive(Map<String, Value>),
    Reaction {
        message_id: String,
        /// None takes it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emoji: Option<String>,
    },
    /// What `mark_read` becomes in the end; no plugin sends it as a message.
    Read {
        message_id: String,
        typing: bool,
    },
}

/// What a plugin may name beside its JSON.
const KINDS: [&str; 17] = [
    "text",
    "buttons",
    "list",
    "numbered",
    "template",
    "media",
    "location",
    "contacts",
    "link",
    "flow",
    "request",
    "product",
    "products",
    "catalog",
    "carousel",
    "interactive",
    "reaction",
];

impl MessageForm {
    /// A message by the name of its kind and its JSON. Error: the kind is
    /// unknown, or what is wrong in the JSON, with its path.
    pub fn read(kind: &str, json: &str) -> Result<Self, String> {
        if !KINDS.contains(&kind) {
            return Err(format!("`{kind}` is no kind of message; there are {}", KINDS.join(", ")));
        }
        let value: Value = serde_json::from_str(json)
            .map_err(|error| format!("the JSON of a {kind} can't be read: {error}"))?;
        let named = Value::Object(Map::from_iter([(kind.to_owned(), value)]));
        serde_path_to_error::deserialize(named)
            .map_err(|error| format!("in a {kind}, at `{}`: {}", error.path(), error.inner()))
    }
}

impl From<MessageForm> for Outgoing {
    fn from(form: MessageForm) -> Self {
        match form {
            MessageForm::Text(text) => Self::Text(text),
            MessageForm::Buttons { header, body, footer, buttons } => Self::Buttons {
                header: header.map(Into::into),
                body,
                footer,
                buttons: parts::all(buttons),
            },
            MessageForm::Options { header, body, footer, label, sections } => Self::List {
                header: header.map(Into::into),
                body,
                footer,
                label,
                sections: parts::all(sections),
            },
            MessageForm::Numbered { text, choices } => {
                Self::Numbered { text, choices: parts::all(choices) }
            }
            MessageForm::Template(form) => Self::Template(form.into()),
            MessageForm::Media(form) => Self::Media(form.into()),
            MessageForm::Location(form) => Self::Location(form.into()),
            MessageForm::Contacts(cards) => Self::Contacts(parts::all(cards)),
            MessageForm::Link(form) => Self::Link(form.into()),
            MessageForm::Flow {
                header,
                body,
                footer,
                flow,
                label,
                token,
                screen,
                input,
                draft,
            } => Self::Flow(Flow {
                header: header.map(Into::into),
                body,
                footer,
                which: flow.into(),
                label,
                token,
                screen,
                input: input.map(Into::into),
                draft,
            }),
            MessageForm::Request { what, body } => Self::Request { what: what.into(), body },
            MessageForm::Product { body, footer, catalog, product } => {
                Self::Product { body, footer, catalog, product }
            }
            MessageForm::Products(form) => Self::Products(form.into()),
            MessageForm::Catalog { body, footer, thumbnail } => {
                Self::Catalog { body, footer, thumbnail }
            }
            MessageForm::Carousel { body, cards } => {
                Self::Carousel { body, cards: parts::all(cards) }
            }
            MessageForm::Interactive(json) => Self::Interactive(Value::Object(json).to_string()),
            MessageForm::Reaction { message_id, emoji } => {
                Self::Reaction { message_id, emoji: emoji.unwrap_or_default() }
            }
            MessageForm::Read { message_id, typing } => Self::Read { message_id, typing },
        }
    }
}

impl From<Outgoing> for MessageForm {
    fn from(message: Outgoing) -> Self {
        match message {
            Outgoing::Text(text) => Self::Text(text),
            Outgoing::Buttons { header, body, footer, buttons } => Self::Buttons {
                header: header.map(Into::into),
                body,
                footer,
                buttons: parts::all(buttons),
            },
            Outgoing::List { header, body, footer, label, sections } => Self::Options {
                header: header.map(Into::into),
                body,
                footer,
                label,
                sections: parts::all(sections),
            },
            Outgoing::Numbered { text, choices } => {
                Self::Numbered { text, choices: parts::all(choices) }
            }
            Outgoing::Template(template) => Self::Template(template.into()),
            Outgoing::Media(media) => Self::Media(media.into()),
            Outgoing::Location(place) => Self::Location(place.into()),
            Outgoing::Contacts(cards) => Self::Contacts(parts::all(cards)),
            Outgoing::Link(link) => Self::Link(link.into()),
            Outgoing::Flow(flow) => {
                let Flow { header, body, footer, which, label, token, screen, input, draft } = flow;
                Self::Flow {
                    header: header.map(Into::into),
                    body,
                    footer,
                    flow: which.into(),
                    label,
                    token,
                    screen,
                    input: input.map(Into::into),
                    draft,
                }
            }
            Outgoing::Request { what, body } => Self::Request { what: what.into(), body },
            Outgoing::Product { body, footer, catalog, product } => {
                Self::Product { body, footer, catalog, product }
            }
            Outgoing::Products(products) => Self::Products(products.into()),
            Outgoing::Catalog { body, footer, thumbnail } => {
                Self::Catalog { body, footer, thumbnail }
            }
            Outgoing::Carousel { body, cards } => Self::Carousel { body, cards: parts::all(cards) },
            Outgoing::Interactive(json) => {
                Self::Interactive(serde_json::from_str(&json).unwrap_or_default())
            }
            Outgoing::Reaction { message_id, emoji } => {
                let emoji = Some(emoji).filter(|emoji| !emoji.is_empty());
                Self::Reaction { message_id, emoji }
            }
            Outgoing::Read { message_id, typing } => Self::Read { message_id, typing },
        }
    }
}

#[cfg(test)]
mod tests;
