//! A template as it is handed in: what is checked at once, and what its
//! review finds. Pure.

use super::{Category, Format, Review};
use serde::Deserialize;
use serde_json::{Map, Value};

const NAME_CHARS: usize = 512;
const BODY_CHARS: usize = 1_024;
const HEADER_CHARS: usize = 60;
const FOOTER_CHARS: usize = 60;
const BUTTONS: usize = 10;
const BUTTON_CHARS: usize = 25;
const COMPONENTS: usize = 10;

#[derive(Clone, Debug, Deserialize)]
pub struct Draft {
    pub name: String,
    pub language: String,
    pub category: Category,
    #[serde(default)]
    pub parameter_format: Format,
    #[serde(default)]
    pub components: Vec<Value>,
    /// Decided on already; without it, the template is reviewed.
    #[serde(default)]
    pub status: Option<Review>,
}

/// Templates from a file: a list, or the Graph API's answer with one in
/// `data`. One without a status is approved.
///
/// # Errors
/// What is wrong, and with which template.
pub fn templates_of(json: &str) -> Result<Vec<Draft>, String> {
    let value: Value = serde_json::from_str(json).map_err(|why| why.to_string())?;
    let list = value.get("data").unwrap_or(&value).as_array();
    let list = list.ok_or("a list of templates is needed, or an object with one in `data`")?;
    let read = |(at, one): (usize, &Value)| {
        let mut draft: Draft = serde_json::from_value(one.clone())
            .map_err(|why| format!("template {}: {why}", at + 1))?;
        draft.check().map_err(|why| format!("template {} ({}): {why}", at + 1, draft.name))?;
        draft.status.get_or_insert(Review::Approved);
        Ok(draft)
    };
    list.iter().enumerate().map(read).collect()
}

impl Draft {
    /// # Errors
    /// What is wrong with it, and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.name.is_empty() || self.name.len() > NAME_CHARS || !self.name.chars().all(plain) {
            return Err(format!(
                "the name needs 1 to {NAME_CHARS} lowercase letters, digits and underscores"
            ));
        }
        let letters = |c: char| c.is_ascii_alphabetic() || c == '_';
        if !(2..=7).contains(&self.language.len()) || !self.language.chars().all(letters) {
            return Err(format!("{:?} is no language code, such as en or en_US", self.language));
        }
        if self.components.len() > COMPONENTS {
            return Err(format!("at most {COMPONENTS} components"));
        }
        let authentication = self.category == Category::Authentication;
        let mut body = false;
        for component in &self.components {
            let component = component.as_object().ok_or("each component must be an object")?;
            match kind(component).as_str() {
                "BODY" => {
                    body = true;
                    // Meta writes an authentication template's text itself.
                    if !authentication {
                        text(component, "the body", BODY_CHARS)?;
                    }
                }
                "HEADER" => header(component)?,
                "FOOTER" if !authentication => {
                    text(component, "the footer", FOOTER_CHARS)?;
                }
                "BUTTONS" => buttons(component)?,
                "FOOTER" | "CAROUSEL" | "LIMITED_TIME_OFFER" => {}
                other => return Err(format!("there is no component of the type {other:?}")),
            }
        }
        if body { Ok(()) } else { Err("a component of the type BODY is needed".into()) }
    }

    /// What a review finds wrong, as a reason and its explanation.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let texts = self.components.iter().filter_map(|one| one.get("text")?.as_str());
        for text in texts {
            let names = variables(text);
            if text.contains("}}{{") {
                let why = "variables stand next to each other without text between them";
                return Some(("INVALID_FORMAT", why.into()));
            }
            let wrong = names.iter().enumerate().find(|(at, name)| match self.parameter_format {
                Format::Positional => name.parse() != Ok(at + 1),
                Format::Named => name.is_empty() || name.chars().all(|c| c.is_ascii_digit()),
            });
            if let Some((_, name)) = wrong {
                return Some((
                    "INVALID_FORMAT",
                    format!("the variable {{{{{name}}}}} does not fit the parameter format"),
                ));
            }
        }
        None
    }
}

/// A component's type in capitals.
pub fn kind(component: &Map<String, Value>) -> String {
    component.get("type").and_then(Value::as_str).unwrap_or("").to_ascii_uppercase()
}

fn text<'a>(
    component: &'a Map<String, Value>,
    what: &str,
    chars: usize,
) -> Result<&'a str, String> {
    match component.get("text").and_then(Value::as_str) {
        Some(text) if !text.is_empty() && text.chars().count() <= chars => Ok(text),
        _ => Err(format!("{what} needs a text of 1 to {chars} characters")),
    }
}

fn header(component: &Map<String, Value>) -> Result<(), String> {
    let format = component.get("format").and_then(Value::as_str).unwrap_or("");
    match format.to_ascii_uppercase().as_str() {
        "TEXT" => {
            let text = text(component, "the header", HEADER_CHARS)?;
            let one = variables(text).len() <= 1;
            if one { Ok(()) } else { Err("the header may have one variable".into()) }
        }
        "IMAGE" | "VIDEO" | "DOCUMENT" | "LOCATION" | "PRODUCT" | "GIF" => Ok(()),
        other => Err(format!("there is no header of the format {other:?}")),
    }
}

fn buttons(component: &Map<String, Value>) -> Result<(), String> {
    let none = Vec::new();
    let buttons = component.get("buttons").and_then(Value::as_array).unwrap_or(&none);
    if buttons.is_empty() || buttons.len() > BUTTONS {
        return Err(format!("between 1 and {BUTTONS} buttons are needed"));
    }
    for button in buttons.iter().filter_map(Value::as_object) {
        match kind(button).as_str() {
            "QUICK_REPLY" | "PHONE_NUMBER" | "FLOW" => {
                text(button, "a button", BUTTON_CHARS)?;
            }
            "URL" => {
                text(button, "a button", BUTTON_CHARS)?;
                let url = button.get("url").and_then(Value::as_str).unwrap_or("");
                if !url.starts_with("http://") && !url.starts_with("https://") {
                    return Err("a button's url must begin with http:// or https://".into());
                }
            }
            "COPY_CODE"
            | "OTP"
            | "CATALOG"
            | "MPM"
            | "SPM"
            | "VOICE_CALL"
            | "REQUEST_CONTACT_INFO"
            | "ORDER_DETAILS" => {}
            other => return Err(format!("there is no button of the type {other:?}")),
        }
    }
    Ok(())
}

/// The names within `{{…}}`, in the order in which they stand, each once.
pub fn variables(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        if !names.contains(&name.trim()) {
            names.push(name.trim());
        }
        rest = behind;
    }
    names
}
