//! Texts in the contact's language, with values in them: `{opens}`, or with
//! other words where there is none, `{opens|soon}`.

use serde::Deserialize;
use std::collections::BTreeMap;
use switchboard_plugin::{
    Problem, contact,
    template::{Template, value},
};

/// One text for everybody, or one for each language.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Text {
    One(String),
    Each(BTreeMap<String, String>),
}

impl Text {
    /// As this contact reads it, now. What is said of the hours is in the
    /// language of the text; of a text for everybody that is unknown, so it is
    /// in the contact's.
    pub fn said(&self) -> String {
        let own = contact::language();
        let (language, text) = match self {
            Self::One(text) => (own.as_deref(), text.as_str()),
            Self::Each(texts) => of(texts, own.as_deref()),
        };
        // The rules were taken, so every text is well-formed.
        let template = Template::new(text);
        template.map_or_else(|_| text.to_owned(), |text| text.fill(|name| value(name, language)))
    }

    pub fn problems(&self, path: &str) -> Vec<Problem> {
        let wrong = |text: &str, path: String| {
            Template::of_values(text).err().map(|why| Problem::new(path, why))
        };
        match self {
            Self::One(text) => wrong(text, path.into()).into_iter().collect(),
            Self::Each(texts) => {
                let each = texts.iter();
                each.filter_map(|(tag, text)| wrong(text, format!("{path}/{tag}"))).collect()
            }
        }
    }
}

/// In `pt-BR`, or else in `pt`, or else in English, or else in the first
/// language there is; with the language that it is in.
fn of<'a>(
    texts: &'a BTreeMap<String, String>,
    language: Option<&str>,
) -> (Option<&'a str>, &'a str) {
    let language = language.unwrap_or_default().replace('_', "-");
    let primary = language.split('-').next().unwrap_or_default();
    let of = |wanted: &str| {
        texts.iter().find(|(tag, _)| tag.replace('_', "-").eq_ignore_ascii_case(wanted))
    };
    let found = of(&language).or_else(|| of(primary)).or_else(|| of("en"));
    let found = found.or(texts.iter().next());
    found.map_or((None, ""), |(tag, text)| (Some(tag.as_str()), text.as_str()))
}
