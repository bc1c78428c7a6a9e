//! Values in texts: `Hello {name|friend}!`. A text holds names of values and
//! nothing that runs.
//!
//! ```
//! use switchboard_plugin::template::Template;
//!
//! let hello = Template::new("Hello {name|friend}, you are in {city}.").unwrap();
//! let known = |name: &str| (name == "city").then(|| "Bogotá".to_owned());
//! assert_eq!(hello.fill(known), "Hello friend, you are in Bogotá.");
//! assert!(Template::new("Hello {name").unwrap_err().contains("braces stand for a value"));
//! ```

use crate::{business, contact};
use leon::{Item, ParseError};

/// So that a text's size is bounded, whatever its values are.
const MAX_VALUES: usize = 50;
/// As long as an attribute may be, in bytes; the rest of a value is left out.
const MAX_VALUE_BYTES: usize = 1_000;

/// What every plugin can say of a contact, and of the business at this moment.
/// Any other value is an attribute of the contact.
pub const VALUES: [&str; 5] = ["name", "language", "opening_hours", "opens", "closure"];

/// A text with places for values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value { name: String, instead: Option<String> },
}

impl Template {
    /// `{name}` is a value, `{name|friend}` says what to take where there is
    /// none; a brace or a backslash that is meant as one is written `\{`, `\}`
    /// or `\\`. Error: what is malformed, and where.
    pub fn new(text: &str) -> Result<Self, String> {
        let items = leon::Template::parse(text).map_err(|error| told(&error))?.items;
        let parts: Vec<Part> = items.iter().map(part).collect::<Result<_, _>>()?;
        let template = Self(parts);
        match template.values().count() {
            ..=MAX_VALUES => Ok(template),
            count => Err(format!("has {count} values, and at most {MAX_VALUES} are allowed")),
        }
    }

    /// As `new`, for texts that [`value`] fills. Error: also an attribute
    /// without what to take where a contact has none, which is most likely a
    /// misspelt value.
    pub fn of_values(text: &str) -> Result<Self, String> {
        let template = Self::new(text)?;
        let told = |name: &str| {
            format!(
                "`{{{name}}}` is none of {}. If it is an attribute, say what to take where a \
                 contact has none: `{{{name}|…}}`",
                VALUES.map(|value| format!("`{{{value}}}`")).join(", ")
            )
        };
        let unknown = |(name, instead): &(&str, bool)| !instead && !VALUES.contains(name);
        let wrong = template.values().find(unknown).map(|(name, _)| told(name));
        wrong.map_or(Ok(template), Err)
    }

    /// The values it names, each with whether it says what to take instead.
    pub fn values(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value { name, instead } => Some((name.as_str(), instead.is_some())),
        })
    }

    /// The first value that is not there and for which nothing is to be taken
    /// instead.
    pub fn missing(&self, value: impl Fn(&str) -> Option<String>) -> Option<&str> {
        let lacking = |(name, instead): &(&str, bool)| !instead && known(&value, name).is_none();
        self.values().find(lacking).map(|(name, _)| name)
    }

    /// The text with its values. One that is missing leaves nothing behind,
    /// nor the space before it: `Hi {name}!` becomes `Hi!`.
    pub fn fill(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value { name, instead } => {
                    match known(&value, name).or_else(|| instead.clone()) {
                        Some(value) => out.push_str(&value),
                        None => out.truncate(out.trim_end_matches(' ').len()),
                    }
                }
            }
        }
        out
    }
}

/// What the contact is known by: `name`, `language`, or any attribute.
pub fn of_contact(name: &str) -> Option<String> {
    match name {
        "name" => contact::name(),
        "language" => contact::language(),
        attribute => contact::attribute(attribute),
    }
}

/// Any of [`VALUES`], or an attribute. What is said of the hours is said in
/// `language`, that of the text; without a calendar there is nothing to say.
pub fn value(name: &str, language: Option<&str>) -> Option<String> {
    match name {
        "opening_hours" => business::opening_hours(language),
        "opens" => business::opens(business::now(), language),
        "closure" => business::closure_at(business::now()),
        name => of_contact(name),
    }
}

fn part(item: &Item<'_>) -> Result<Part, String> {
    let key = match item {
        Item::Text(text) => return Ok(Part::Text((*text).into())),
        Item::Key(key) => key,
    };
    let (name, instead) = match key.split_once('|') {
        Some((name, instead)) => (name.trim(), Some(instead.trim().to_owned())),
        None => (*key, None),
    };
    match name {
        "" => Err(format!("`{{{key}}}` names no value")),
        name if name.contains(['{', '\n']) => {
            Err(format!("`{{{}` has no `}}` behind it; a brace itself is `\\{{`", name.trim_end()))
        }
        name => Ok(Part::Value { name: name.into(), instead }),
    }
}

/// On one line and short: it comes from outside.
fn known(value: impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    let value = value(name)?;
    let words = value.split(|c: char| c.is_whitespace() || c.is_control());
    let mut line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.truncate(line.floor_char_boundary(MAX_VALUE_BYTES));
    (!line.is_empty()).then_some(line)
}

fn told(error: &ParseError) -> String {
    let error = error.to_string();
    let what = error.split(" at span").next().unwrap_or_default();
    format!(
        "braces stand for a value, as in `{{name}}` or `{{name|friend}}`; one that is meant as \
         a brace is written `\\{{` or `\\}}`, and a backslash `\\\\` ({what})"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        Template::new(text).unwrap().fill(|name| match name {
            "name" => Some("Ana \n María\u{7}".into()),
            "empty" => Some("  ".into()),
            "long" => Some("é".repeat(2_000)),
            "braces" => Some("{name} \\{".into()),
            _ => None,
        })
    }

    #[test]
    fn values_take_their_places() {
        for (text, read) in [
            ("no value", "no value"),
            ("Hi {name}!", "Hi Ana María!"),
            ("Hi { name | friend }!", "Hi Ana María!"),
            ("Hi {nobody|friend}!", "Hi friend!"),
            ("Hi {nobody}! {empty|}.", "Hi! ."),
            ("Hi {empty|friend}", "Hi friend"),
            (r"\{name\} \\ {name}", r"{name} \ Ana María"),
            ("{braces}", "{name} \\{"),
            ("你好{name|朋友}！", "你好Ana María！"),
        ] {
            assert_eq!(filled(text), read, "{text}");
        }
        assert_eq!(filled("{long}").len(), MAX_VALUE_BYTES);
        let template = Template::new("{a|x} {b} {c}").unwrap();
        assert_eq!(template.missing(|name| (name == "b").then(|| "b".into())), Some("c"));
        assert_eq!(
            template.values().collect::<Vec<_>>(),
            [("a", true), ("b", false), ("c", false)]
        );
    }

    #[test]
    fn a_value_that_nobody_has_needs_a_substitute() {
        let opens = "Hi {name}, we open {opens}; {city|here} it is {closure}.";
        assert_eq!(Template::of_values(opens), Template::new(opens));
        let problem = Template::of_values("We open {opnes}.").unwrap_err();
        assert!(problem.contains("`{opens}`") && problem.contains("`{opnes|…}`"), "{problem}");
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in ["Hi {name", "Hi name}", "{}", "{ }", "{|x}", r"\n", "{a {b}}", "{a\nb}"] {
            let problem = Template::new(text).unwrap_err();
            assert!(problem.contains('`'), "{text}: {problem}");
        }
        let many = "{a}".repeat(MAX_VALUES + 1);
        assert_eq!(Template::new(&many).unwrap_err(), "has 51 values, and at most 50 are allowed");
    }
}
