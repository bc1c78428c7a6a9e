//! What the shop says: one text, several that take turns, or one per language.

use serde::Deserialize;
use std::collections::BTreeMap;
use switchboard_plugin::{
    business, contact,
    template::{Template, value},
};

/// A text with values in it.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Said {
    Same(Variants),
    Each(BTreeMap<String, Variants>),
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Variants {
    One(String),
    Several(Vec<String>),
}

/// A short text: a title, a footer.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Label {
    Same(String),
    Each(BTreeMap<String, String>),
}

/// The language of one turn, as the rules name it.
#[derive(Clone, PartialEq, Debug)]
pub struct Language {
    pub tag: String,
    /// Where there is no text in it.
    pub default: String,
}

impl Said {
    /// The text for this contact, with its values.
    pub fn to(&self, language: &Language) -> String {
        match self {
            Self::Same(variants) => language.fill(&language.tag, variants.of_today()),
            Self::Each(each) => language.of(each, Variants::of_today),
        }
    }

    /// Each text, with where it is beneath this one.
    pub fn texts(&self) -> Vec<(String, &str)> {
        match self {
            Self::Same(variants) => variants.texts(""),
            Self::Each(each) => {
                each.iter().flat_map(|(tag, texts)| texts.texts(&format!("/{tag}"))).collect()
            }
        }
    }

    /// The languages that it is in; none if it is for all.
    pub fn languages(&self) -> Vec<&str> {
        match self {
            Self::Same(_) => Vec::new(),
            Self::Each(each) => each.keys().map(String::as_str).collect(),
        }
    }
}

impl Variants {
    fn texts(&self, place: &str) -> Vec<(String, &str)> {
        match self {
            Self::One(text) => vec![(place.to_owned(), text)],
            Self::Several(texts) => {
                let texts = texts.iter().enumerate();
                texts.map(|(at, text)| (format!("{place}/{at}"), text.as_str())).collect()
            }
        }
    }

    /// One contact reads the same all day, and something else another day.
    fn of_today(&self) -> &str {
        match self {
            Self::One(text) => text,
            Self::Several(texts) => {
                let now = business::now();
                let today = business::local_time(now, &business::zone()).unwrap_or_default();
                let today = today.get(..10).unwrap_or_default();
                let seed = hash(&[&contact::id(), today]);
                let at = seed.checked_rem(texts.len() as u64).unwrap_or_default() as usize;
                texts.get(at).map_or("", String::as_str)
            }
        }
    }
}

impl Label {
    pub fn to(&self, language: &Language) -> String {
        match self {
            Self::Same(text) => language.fill(&language.tag, text),
            Self::Each(each) => language.of(each, String::as_str),
        }
    }

    /// Each text, with where it is beneath this one.
    pub fn texts(&self) -> Vec<(String, &str)> {
        match self {
            Self::Same(text) => vec![(String::new(), text)],
            Self::Each(each) => {
                each.iter().map(|(tag, text)| (format!("/{tag}"), text.as_str())).collect()
            }
        }
    }

    pub fn languages(&self) -> Vec<&str> {
        match self {
            Self::Same(_) => Vec::new(),
            Self::Each(each) => each.keys().map(String::as_str).collect(),
        }
    }
}

impl Language {
    /// The text in this language, else in the default one, with its values.
    fn of<T>(&self, each: &BTreeMap<String, T>, text: impl Fn(&T) -> &str) -> String {
        let found = each.get_key_value(&self.tag).or_else(|| each.get_key_value(&self.default));
        found.map_or_else(String::new, |(tag, own)| self.fill(tag, text(own)))
    }

    /// `tag` is the language of the text; empty where the rules do not say.
    fn fill(&self, tag: &str, text: &str) -> String {
        let own = contact::language();
        let tag = Some(tag).filter(|tag| !tag.is_empty()).or(own.as_deref());
        let value = |name: &str| match name {
            "language" => Some(self.tag.clone()).filter(|tag| !tag.is_empty()).or(own.clone()),
            name => value(name, tag),
        };
        // The rules were taken, so every text is well-formed.
        Template::new(text).map_or_else(|_| text.to_owned(), |text| text.fill(value))
    }
}

/// FNV-1a: the same on every host, for ever.
fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
