//! Texts in the contact's language, with values in them: `{opens}`, or with
//! other words where there is none, `{opens|soon}`.

use serde::Deserialize;
use std::collections::BTreeMap;
use switchboard_plugin::Problem;

/// One text for everybody, or one for each language.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Text {
    One(String),
    Each(BTreeMap<String, String>),
}

#[derive(Default)]
pub struct Values {
    pub name: Option<String>,
    pub opening_hours: Option<String>,
    pub opens: Option<String>,
    pub closure: Option<String>,
}

const NAMES: [&str; 4] = ["closure", "name", "opening_hours", "opens"];

impl Values {
    fn get(&self, name: &str) -> Result<Option<&str>, String> {
        let value = match name {
            "name" => &self.name,
            "opening_hours" => &self.opening_hours,
            "opens" => &self.opens,
            "closure" => &self.closure,
            other => return Err(format!("unknown value `{{{other}}}`; there are {}", listed())),
        };
        Ok(value.as_deref())
    }
}

fn listed() -> String {
    NAMES.map(|name| format!("{{{name}}}")).join(", ")
}

impl Text {
    /// In `pt-BR`, or else in `pt`, or else in English, or else in the first
    /// language there is.
    pub fn of(&self, language: Option<&str>) -> &str {
        let texts = match self {
            Self::One(text) => return text,
            Self::Each(texts) => texts,
        };
        let language = language.unwrap_or_default().replace('_', "-");
        let primary = language.split('-').next().unwrap_or_default();
        let of = |wanted: &str| {
            texts.iter().find(|(tag, _)| tag.replace('_', "-").eq_ignore_ascii_case(wanted))
        };
        let found = of(&language).or_else(|| of(primary)).or_else(|| of("en"));
        found.or(texts.iter().next()).map_or("", |(_, text)| text)
    }

    pub fn problems(&self, path: &str) -> Vec<Problem> {
        let wrong = |text: &str, path: String| {
            filled(text, &Values::default()).err().map(|why| Problem::new(path, why))
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

/// Error: a value that there is not, or braces that do not close.
pub fn filled(text: &str, values: &Values) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, after) = after
            .split_once('}')
            .ok_or_else(|| format!("`{{` without `}}`: a value is written {}", listed()))?;
        let (name, otherwise) = inner.split_once('|').unwrap_or((inner, ""));
        out.push_str(before);
        out.push_str(values.get(name.trim())?.unwrap_or(otherwise));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
