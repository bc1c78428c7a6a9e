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
            Self::Each(texts) => among(texts),
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

/// In the contact's language, or else in English, or else in the first language
/// there is; with the language that it is in.
fn among(texts: &BTreeMap<String, String>) -> (Option<&str>, &str) {
    let tags: Vec<String> = texts.keys().cloned().collect();
    let known = contact::language_among(&tags);
    let found = known.and_then(|tag| texts.get_key_value(&tag));
    let english = || texts.iter().find(|(tag, _)| tag.eq_ignore_ascii_case("en"));
    let found = found.or_else(english).or_else(|| texts.iter().next());
    found.map_or((None, ""), |(tag, text)| (Some(tag.as_str()), text.as_str()))
}
