//! Builders for the kinds of message that the contract has by name and JSON
//! (`docs/messages.md`), and for those that can have more than its records
//! hold. Each can be given to [`reply`](crate::reply) as it is.
//!
//! ```
//! # use switchboard_plugin::*;
//! use switchboard_plugin::messages::{Header, Link, Media};
//! # fn answer() -> Result<(), String> {
//! let menu = Header::Media(Media::file("image", "menu.png"));
//! reply(Link::new("Order for tomorrow.", "Order", "https://shop.example").header(menu))?;
//! # Ok(())
//! # }
//! ```

mod media;
mod shop;
mod template;

pub use media::{Contact, Contacts, Header, Media, Phone, Source};
pub use shop::{Card, CardAction, Carousel, Catalog, Product, ProductSection, Products};
pub use template::{Parameter, Template, TemplateCard, TemplateHeader, Value};

use crate::{Choice, Other, Outgoing};
use serde::Serialize;

/// As the contract has it. Nothing here can fail to become JSON.
fn other(kind: &str, form: &impl Serialize) -> Outgoing {
    let json = serde_json::to_string(form).unwrap_or_default();
    Outgoing::Other(Other { kind: kind.into(), json })
}

/// The message under its name.
macro_rules! message {
    ($($name:ident as $kind:literal),*) => {
        $(impl From<$name> for $crate::Outgoing {
            fn from(form: $name) -> Self {
                $crate::messages::other($kind, &form)
            }
        })*
    };
}
use message;

message!(
    Buttons as "buttons", List as "list", Link as "link", Flow as "flow", Request as "request",
    Numbered as "numbered"
);

/// What the contact sees and the id that comes back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Button {
    id: String,
    title: String,
}

impl From<&Choice> for Button {
    fn from(choice: &Choice) -> Self {
        Self { id: choice.id.clone(), title: choice.title.clone() }
    }
}

fn buttons(choices: &[(&str, &str)]) -> Vec<Button> {
    let button = |(id, title): &(&str, &str)| Button { id: (*id).into(), title: (*title).into() };
    choices.iter().map(button).collect()
}

/// Reply buttons with a header. Without one, [`crate::Buttons`] will do.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Buttons {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    buttons: Vec<Button>,
}

impl Buttons {
    /// With buttons as `(id, title)`.
    pub fn new(body: impl Into<String>, choices: &[(&str, &str)]) -> Self {
        Self { header: None, body: body.into(), footer: None, buttons: buttons(choices) }
    }
    pub fn header(self, header: Header) -> Self {
        Self { header: Some(header), ..self }
    }
    pub fn footer(self, footer: impl Into<String>) -> Self {
        Self { footer: Some(footer.into()), ..self }
    }
}

/// Choices that the text names by their numbers, from 1.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Numbered {
    text: String,
    choices: Vec<Button>,
}

impl Numbered {
    /// With choices as `(id, title)`.
    pub fn new(text: impl Into<String>, choices: &[(&str, &str)]) -> Self {
        Self { text: text.into(), choices: buttons(choices) }
    }
}

/// A list with a header. Without one, [`crate::Options`] will do.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct List {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    label: String,
    sections: Vec<Section>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Section {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    rows: Vec<Row>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
struct Row {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl List {
    /// `label` stands on the button that opens it.
    pub fn new(body: impl Into<String>, label: impl Into<String>) -> Self {
        let (body, label) = (body.into(), label.into());
        Self { header: None, body, footer: None, label, sections: Vec::new() }
    }
    /// With rows as `(id, title, description)`; empty is none.
    pub fn section(mut self, title: &str, rows: &[(&str, &str, &str)]) -> Self {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let row = |(id, title, more): &(&str, &str, &str)| Row {
            id: (*id).into(),
            title: (*title).into(),
            description: given(more),
        };
        let rows = rows.iter().map(row).collect();
        self.sections.push(Section { title: given(title), rows });
        self
    }
    pub fn header(self, header: Header) -> Self {
        Self { header: Some(header), ..self }
    }
    pub fn footer(self, footer: impl Into<String>) -> Self {
        Self { footer: Some(footer.into()), ..self }
    }
}

/// A button that opens an address.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Link {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    label: String,
    url: String,
}

impl Link {
    /// `label` stands on the button.
    pub fn new(body: impl Into<String>, label: impl Into<String>, url: impl Into<String>) -> Self {
        let (body, label, url) = (body.into(), label.into(), url.into());
        Self { header: None, body, footer: None, label, url }
    }
    pub fn header(self, header: Header) -> Self {
        Self { header: Some(header), ..self }
    }
    pub fn footer(self, footer: impl Into<String>) -> Self {
        Self { footer: Some(footer.into()), ..self }
    }
}

/// A button that opens a form (WhatsApp Flows).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Flow {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    flow: Which,
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    screen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    draft: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    Id(String),
    Name(String),
}

impl Flow {
    /// By its id; `label` stands on the button.
    pub fn by_id(id: impl Into<String>, body: impl Into<String>, label: impl Into<String>) -> Self {
        Self::of(Which::Id(id.into()), body.into(), label.into())
    }
    /// By its name.
    pub fn by_name(
        name: impl Into<String>,
        body: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self::of(Which::Name(name.into()), body.into(), label.into())
    }
    fn of(flow: Which, body: String, label: String) -> Self {
        let (header, footer, token, screen, input) = Default::default();
        Self { header, body, footer, flow, label, token, screen, input, draft: false }
    }
    pub fn header(self, header: Header) -> Self {
        Self { header: Some(header), ..self }
    }
    pub fn footer(self, footer: impl Into<String>) -> Self {
        Self { footer: Some(footer.into()), ..self }
    }
    /// Comes back with the answer.
    pub fn token(self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self }
    }
    /// Where it begins; else it asks its endpoint.
    pub fn screen(self, screen: impl Into<String>) -> Self {
        Self { screen: Some(screen.into()), ..self }
    }
    /// What the first screen gets: a struct or a map. Error: it is no JSON.
    pub fn input(self, input: &impl Serialize) -> Result<Self, String> {
        let input = serde_json::to_value(input).map_err(|error| error.to_string())?;
        Ok(Self { input: Some(input), ..self })
    }
    /// Not published yet.
    pub fn draft(self) -> Self {
        Self { draft: true, ..self }
    }
}

/// A button with which the contact gives something away.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Request {
    what: What,
    body: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Location,
    Phone,
    Address { country: String },
}

impl Request {
    pub fn location(body: impl Into<String>) -> Self {
        Self { what: What::Location, body: body.into() }
    }
    /// The contact's phone number.
    pub fn phone(body: impl Into<String>) -> Self {
        Self { what: What::Phone, body: body.into() }
    }
    /// A postal address; `country` is ISO 3166, and WhatsApp takes `IN` alone.
    pub fn address(country: impl Into<String>, body: impl Into<String>) -> Self {
        Self { what: What::Address { country: country.into() }, body: body.into() }
    }
}

/// A message in WhatsApp's own form, a JSON object with its `type`: for kinds
/// without a builder here, such as orders with payment.
pub fn interactive(form: &impl Serialize) -> Outgoing {
    other("interactive", form)
}

#[cfg(test)]
mod tests;
