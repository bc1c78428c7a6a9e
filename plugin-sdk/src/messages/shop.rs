//! Products, the catalogue, and cards side by side.

use super::{Button, buttons, media::Media, message};
use serde::Serialize;

message!(
    Product as "product", Products as "products", Catalog as "catalog", Carousel as "carousel"
);

/// One product of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Product {
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    catalog: String,
    product: String,
}

impl Product {
    pub fn new(catalog: impl Into<String>, product: impl Into<String>) -> Self {
        let (catalog, product) = (catalog.into(), product.into());
        Self { body: None, footer: None, catalog, product }
    }
    pub fn body(self, body: impl Into<String>) -> Self {
        Self { body: Some(body.into()), ..self }
    }
    pub fn footer(self, footer: impl Into<String>) -> Self {
        Self { footer: Some(footer.into()), ..self }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProductSection {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The business's own ids of them.
    pub products: Vec<String>,
}

impl ProductSection {
    /// An empty title is none: one section alone needs none.
    pub fn new(title: &str, products: &[&str]) -> Self {
        let title = (!title.is_empty()).then(|| title.to_owned());
        Self { title, products: products.iter().map(|id| (*id).to_owned()).collect() }
    }
}

/// Up to 30 products of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Products {
    header: String,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    catalog: String,
    sections: Vec<ProductSection>,
}

impl Products {
    pub fn new(
        catalog: impl Into<String>,
        header: impl Into<String>,
        body: impl Into<String>,
    ) -> Self {
        let (header, body, catalog) = (header.into(), body.into(), catalog.into());
        Self { header, body, footer: None, catalog, sections: Vec::new() }
    }
    pub fn section(mut self, title: &str, products: &[&str]) -> Self {
        self.sections.push(ProductSection::new(title, products));
        self
    }
    pub fn footer(self, footer: impl Into<String>) -> Self {
        Self { footer: Some(footer.into()), ..self }
    }
}

/// The whole catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Catalog {
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
}

impl Catalog {
    pub fn new(body: impl Into<String>) -> Self {
        Self { body: body.into(), footer: None, thumbnail: None }
    }
    pub fn footer(self, footer: impl Into<String>) -> Self {
        Self { footer: Some(footer.into()), ..self }
    }
    /// The product whose picture stands above it.
    pub fn thumbnail(self, product: impl Into<String>) -> Self {
        Self { thumbnail: Some(product.into()), ..self }
    }
}

/// Two to ten cards side by side, all alike.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Carousel {
    body: String,
    cards: Vec<Card>,
}

impl Carousel {
    pub fn new(body: impl Into<String>, cards: Vec<Card>) -> Self {
        Self { body: body.into(), cards }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Card {
    header: Media,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    action: CardAction,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CardAction {
    Link { label: String, url: String },
    Buttons(Vec<Button>),
}

impl Card {
    /// With a button that opens an address. The header is an image or a video.
    pub fn link(header: Media, label: impl Into<String>, url: impl Into<String>) -> Self {
        let action = CardAction::Link { label: label.into(), url: url.into() };
        Self { header, body: None, action }
    }
    /// With reply buttons as `(id, title)`, one or two.
    pub fn buttons(header: Media, choices: &[(&str, &str)]) -> Self {
        Self { header, body: None, action: CardAction::Buttons(buttons(choices)) }
    }
    pub fn body(self, body: impl Into<String>) -> Self {
        Self { body: Some(body.into()), ..self }
    }
}
