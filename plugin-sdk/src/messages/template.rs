//! Templates with more than values for their body.

use super::{media::Media, message, shop::ProductSection};
use crate::{Category, Instant};
use serde::{Serialize, Serializer};

message!(Template as "template");

/// A template with all that fills it. Where only its body takes values,
/// [`crate::Template`] will do.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Template {
    name: String,
    language: String,
    #[serde(serialize_with = "category")]
    category: Category,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<TemplateHeader>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<Button>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer_ends: Option<Instant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cards: Vec<TemplateCard>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    marketing_interface: bool,
}

fn category<S: Serializer>(category: &Category, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match category {
        Category::Marketing => "marketing",
        Category::Utility => "utility",
        Category::Authentication => "authentication",
    })
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Parameter {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    text: String,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TemplateHeader {
    Text(Parameter),
    Media(Media),
    Location {
        latitude: f64,
        longitude: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
}

impl TemplateHeader {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Parameter { name: None, text: text.into() })
    }
    pub fn place(latitude: f64, longitude: f64) -> Self {
        Self::Location { latitude, longitude, name: None, address: None }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize)]
struct Button {
    index: u32,
    value: Value,
}

/// What fills a template's button.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The end of its address; also a one-time code.
    UrlSuffix(String),
    /// What comes back when a quick reply is tapped.
    Payload(String),
    CopyCode(String),
    Flow {
        #[serde(skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// A JSON object.
        #[serde(skip_serializing_if = "Option::is_none")]
        input: Option<serde_json::Value>,
    },
    Catalog {
        #[serde(skip_serializing_if = "Option::is_none")]
        thumbnail: Option<String>,
    },
    Products {
        thumbnail: String,
        sections: Vec<ProductSection>,
    },
}

/// One card of a template's carousel.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct TemplateCard {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<TemplateHeader>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<Button>,
}

impl TemplateCard {
    pub fn new(header: Media) -> Self {
        Self { header: Some(TemplateHeader::Media(header)), ..Self::default() }
    }
    /// The next value of its body.
    pub fn value(mut self, text: impl Into<String>) -> Self {
        self.parameters.push(Parameter { name: None, text: text.into() });
        self
    }
    /// Buttons count from 0.
    pub fn button(mut self, index: u32, value: Value) -> Self {
        self.buttons.push(Button { index, value });
        self
    }
}

impl Template {
    pub fn new(name: impl Into<String>, language: impl Into<String>, category: Category) -> Self {
        Self {
            name: name.into(),
            language: language.into(),
            category,
            parameters: Vec::new(),
            header: None,
            buttons: Vec::new(),
            offer_ends: None,
            cards: Vec::new(),
            marketing_interface: false,
        }
    }
    /// The next value of its body, by order.
    pub fn value(mut self, text: impl Into<String>) -> Self {
        self.parameters.push(Parameter { name: None, text: text.into() });
        self
    }
    /// A value of its body by name.
    pub fn named(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.parameters.push(Parameter { name: Some(name.into()), text: text.into() });
        self
    }
    pub fn header(self, header: TemplateHeader) -> Self {
        Self { header: Some(header), ..self }
    }
    /// Buttons count from 0.
    pub fn button(mut self, index: u32, value: Value) -> Self {
        self.buttons.push(Button { index, value });
        self
    }
    /// When a limited-time offer ends.
    pub fn offer_ends(self, at: Instant) -> Self {
        Self { offer_ends: Some(at), ..self }
    }
    pub fn card(mut self, card: TemplateCard) -> Self {
        self.cards.push(card);
        self
    }
    /// By Meta's marketing interface.
    pub fn by_marketing_interface(self) -> Self {
        Self { marketing_interface: true, ..self }
    }
}
