//! What a promotion says: a template and what fills it.

use super::Place;
use serde::Deserialize;
use switchboard_plugin::{Category, template::Template};

/// What a promotion's rule and a variant's both may hold; a variant takes from
/// its promotion what it does not say itself.
#[derive(Clone)]
pub struct Fill {
    pub template: Option<String>,
    pub parameters: Option<Vec<String>>,
    pub header: Option<Header>,
    pub buttons: Option<Vec<Button>>,
}

/// What stands above the body. A link begins with `https://`; else it is a
/// file under `media/` of the business.
#[derive(Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    Text(String),
    Image(String),
    Video(String),
    Document(String),
}

impl Header {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Text(text) => ("text", text),
            Self::Image(source) => ("image", source),
            Self::Video(source) => ("video", source),
            Self::Document(source) => ("document", source),
        }
    }
}

/// What fills a button, counted from 0.
#[derive(Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Button {
    pub index: u32,
    /// The end of its address.
    pub url: Option<String>,
    /// The code that it copies.
    pub code: Option<String>,
    /// What comes back when it is tapped.
    pub payload: Option<String>,
}

/// A template with what fills it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mould {
    pub template: String,
    pub parameters: Vec<String>,
    pub header: Option<Header>,
    pub buttons: Vec<Button>,
}

/// What holds for all variants.
pub struct Message {
    /// Taken where none of the others is the contact's.
    pub language: String,
    pub languages: Vec<String>,
    pub category: Category,
}

impl Fill {
    pub fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            template: self.template.or(other.template),
            parameters: self.parameters.or(other.parameters),
            header: self.header.or(other.header),
            buttons: self.buttons.or(other.buttons),
        }
    }

    pub fn settle(self, place: &mut Place<'_>) -> Option<Mould> {
        let buttons = self.buttons.unwrap_or_default();
        for (at, button) in buttons.iter().enumerate() {
            let given = [&button.url, &button.code, &button.payload];
            if given.into_iter().flatten().count() != 1 {
                let key = format!("buttons/{at}");
                place.problem(&key, "needs one of `url`, `code` and `payload`");
            }
        }
        let parameters = self.parameters.unwrap_or_default();
        for (at, text) in parameters.iter().enumerate() {
            check(text, &format!("parameters/{at}"), place);
        }
        if let Some(header) = &self.header {
            let (key, text) = header.parts();
            check(text, &format!("header/{key}"), place);
        }
        for (at, button) in buttons.iter().enumerate() {
            for (key, text) in
                [("url", &button.url), ("code", &button.code), ("payload", &button.payload)]
            {
                let text = text.as_deref().unwrap_or_default();
                check(text, &format!("buttons/{at}/{key}"), place);
            }
        }
        if self.template.is_none() {
            place.problem("", "needs a `template`");
        }
        Some(Mould { template: self.template?, parameters, header: self.header, buttons })
    }
}

/// A text with values, whose braces have to match.
fn check(text: &str, key: &str, place: &mut Place<'_>) {
    if let Err(why) = Template::new(text) {
        place.problem(key, why);
    }
}
