//! Whom a promotion is for.

use super::Place;
use serde::Deserialize;
use std::collections::BTreeMap;
use switchboard_plugin::{Instant, Segment, text::Text};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct To {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
    attribute: BTreeMap<String, Value>,
    language: Vec<String>,
    seen_within: Option<String>,
    silent_for: Option<String>,
    new_within: Option<String>,
    known_for: Option<String>,
    answered: Option<bool>,
    consent: Option<Agreed>,
}

/// An attribute's value as the rules have it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    There(bool),
    Number(f64),
    Text(String),
    OneOf(Vec<String>),
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Agreed {
    OptedIn,
    Unknown,
}

/// What an attribute has to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    There(bool),
    OneOf(Vec<Text>),
    /// Compared as numbers.
    Number(Compared, f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Compared {
    Below,
    AtMost,
    Equal,
    AtLeast,
    Above,
}

/// Tags choose the members of the broadcast; the rest is looked at in each
/// member's own turn. Times are in milliseconds.
pub struct Audience {
    pub tags: Segment,
    pub attributes: Vec<(String, Wanted)>,
    pub languages: Vec<String>,
    pub seen_within: Option<Instant>,
    pub silent_for: Option<Instant>,
    pub new_within: Option<Instant>,
    pub known_for: Option<Instant>,
    /// Whether they wrote since the last promotion of this step.
    pub answered: Option<bool>,
    /// `opted-in` or `unknown`.
    pub consent: Option<&'static str>,
}

impl To {
    pub fn settle(self, place: &mut Place<'_>) -> Audience {
        let mut attributes = Vec::new();
        for (name, value) in self.attribute {
            match value.settle() {
                Ok(wanted) => attributes.push((name, wanted)),
                Err(message) => {
                    // As JSON pointers want it.
                    let key = name.replace('~', "~0").replace('/', "~1");
                    place.under("attribute").problem(&key, message);
                }
            }
        }
        Audience {
            tags: Segment { all_of: self.all, any_of: self.any, none_of: self.none },
            attributes,
            languages: self.language,
            seen_within: place.duration("seen_within", self.seen_within.as_deref()),
            silent_for: place.duration("silent_for", self.silent_for.as_deref()),
            new_within: place.duration("new_within", self.new_within.as_deref()),
            known_for: place.duration("known_for", self.known_for.as_deref()),
            answered: self.answered,
            consent: self.consent.map(|consent| match consent {
                Agreed::OptedIn => "opted-in",
                Agreed::Unknown => "unknown",
            }),
        }
    }
}

impl Value {
    fn settle(self) -> Result<Wanted, String> {
        let text = match self {
            Self::There(there) => return Ok(Wanted::There(there)),
            Self::Number(number) => return Ok(Wanted::Number(Compared::Equal, number)),
            Self::OneOf(texts) if texts.is_empty() => {
                return Err("needs at least one value; `true` is for any value".into());
            }
            Self::OneOf(texts) => {
                return Ok(Wanted::OneOf(texts.iter().map(|text| Text::new(text)).collect()));
            }
            Self::Text(text) => text,
        };
        // The longer signs first, for they begin with the shorter.
        let signs = [
            ("<=", Compared::AtMost),
            (">=", Compared::AtLeast),
            ("<", Compared::Below),
            (">", Compared::Above),
        ];
        let compared = signs.iter().find_map(|(sign, how)| Some((text.strip_prefix(sign)?, *how)));
        let Some((number, how)) = compared else {
            return Ok(Wanted::OneOf(vec![Text::new(&text)]));
        };
        let number = number.trim().parse().ok().filter(|number: &f64| number.is_finite());
        let number = number.ok_or_else(|| {
            format!("`{text}` compares with no number: write `\">= 100\"`, `\"< 5.5\"`")
        })?;
        Ok(Wanted::Number(how, number))
    }
}

impl Wanted {
    /// Whether an attribute's value is what is wanted.
    pub fn fits(&self, value: Option<&str>) -> bool {
        let value = value.filter(|value| !value.trim().is_empty());
        match self {
            Self::There(there) => value.is_some() == *there,
            Self::OneOf(texts) => value.is_some_and(|value| texts.contains(&Text::new(value))),
            Self::Number(how, number) => {
                let value = value.and_then(|value| value.trim().parse::<f64>().ok());
                value.is_some_and(|value| how.holds(value, *number))
            }
        }
    }
}

impl Compared {
    fn holds(self, value: f64, number: f64) -> bool {
        match self {
            Self::Below => value < number,
            Self::AtMost => value <= number,
            Self::Equal => (value - number).abs() < f64::EPSILON,
            Self::AtLeast => value >= number,
            Self::Above => value > number,
        }
    }
}
