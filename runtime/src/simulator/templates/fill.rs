//! A template with the values of a send put in, or why they do not fit: the
//! checks that Meta makes before it takes a template message. Pure.

use super::{
    Format, Template,
    draft::{kind, variables},
};
use crate::simulator::errors::Problem;
use serde::Serialize;
use serde_json::{Map, Value};

const BODY_CHARS: usize = 1_024;
const HEADER_CHARS: usize = 60;

/// What the customer sees.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Filled {
    pub category: Option<super::Category>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    pub body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    pub buttons: Vec<Button>,
}

#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    Text(String),
    /// An image, video, document or location, as it was sent.
    Media(Value),
}

#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Button {
    pub kind: String,
    pub text: String,
    /// What a tap on a quick reply sends back; a link's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
}

type Parameters<'a> = Vec<&'a Map<String, Value>>;

/// # Errors
/// 100, 131008, 132000, 132005, 132007 or 132012.
pub fn fill(template: &Template, sent: &Value) -> Result<Filled, Problem> {
    let mut filled = Filled { category: Some(template.category), ..Filled::default() };
    for component in template.components.iter().filter_map(Value::as_object) {
        let text = component.get("text").and_then(Value::as_str).unwrap_or("");
        match kind(component).as_str() {
            "HEADER" => filled.header = Some(header(template, component, text, sent)?),
            "BODY" => {
                let given = parameters(sent, |one| kind(one) == "BODY");
                filled.body = put(template, "body", text, &given)?;
                limit("body", &filled.body, BODY_CHARS)?;
            }
            "FOOTER" => filled.footer = Some(text.to_owned()),
            "BUTTONS" => filled.buttons = buttons(component, sent)?,
            _ => {}
        }
    }
    Ok(filled)
}

fn parameters(sent: &Value, is_it: impl Fn(&Map<String, Value>) -> bool) -> Parameters<'_> {
    array(sent.get("components"))
        .filter_map(Value::as_object)
        .filter(|component| is_it(component))
        .flat_map(|component| array(component.get("parameters")))
        .filter_map(Value::as_object)
        .collect()
}

fn array(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn header(
    template: &Template,
    component: &Map<String, Value>,
    text: &str,
    sent: &Value,
) -> Result<Header, Problem> {
    let given = parameters(sent, |one| kind(one) == "HEADER");
    let format = component.get("format").and_then(Value::as_str).unwrap_or("TEXT");
    if format.eq_ignore_ascii_case("TEXT") {
        let text = put(template, "header", text, &given)?;
        limit("header", &text, HEADER_CHARS)?;
        return Ok(Header::Text(text));
    }
    let wanted = format.to_ascii_lowercase();
    match given.first().map(|one| (kind(one), one.get(&wanted))) {
        Some((kind, Some(media))) if kind.eq_ignore_ascii_case(&wanted) => {
            Ok(Header::Media(media.clone()))
        }
        found => {
            let found = found.map_or("UNKNOWN".into(), |(kind, _)| kind);
            let why = format!("header: Format mismatch, expected {format}, received {found}");
            Err(Problem::new(132012, &why))
        }
    }
}

/// Replaces each `{{…}}`.
fn put(
    template: &Template,
    part: &str,
    text: &str,
    given: &Parameters<'_>,
) -> Result<String, Problem> {
    let wanted = variables(text);
    let mut values: Vec<(&str, String)> = Vec::with_capacity(given.len());
    for (at, parameter) in given.iter().enumerate() {
        let name = match template.format {
            Format::Positional => wanted.get(at).copied().unwrap_or(""),
            Format::Named => match parameter.get("parameter_name").and_then(Value::as_str) {
                None | Some("") => {
                    return Err(Problem::new(100, "Parameter name is missing or empty"));
                }
                Some(name) => name,
            },
        };
        values.push((name, value(part, parameter)?));
    }
    let strange = values.iter().any(|(name, _)| !wanted.contains(name));
    if values.len() != wanted.len() || strange {
        let why = format!(
            "{part}: number of localizable_params ({}) does not match the expected number of \
             params ({})",
            values.len(),
            wanted.len()
        );
        return Err(Problem::new(132000, &why));
    }
    Ok(replaced(text, &values))
}

/// In one pass, so that a value that looks like a variable stays as it is.
pub fn replaced(text: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        filled.push_str(before);
        let value = values.iter().find(|(known, _)| *known == name.trim());
        filled.push_str(value.map_or("", |(_, value)| value));
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

fn value(part: &str, parameter: &Map<String, Value>) -> Result<String, Problem> {
    let kind = parameter.get("type").and_then(Value::as_str).unwrap_or("").to_ascii_lowercase();
    let text = match kind.as_str() {
        "text" => parameter.get("text"),
        "currency" | "date_time" => parameter.get(&kind).and_then(|one| one.get("fallback_value")),
        other => {
            let why = format!("{part}: Format mismatch, expected TEXT, received {other}");
            return Err(Problem::new(132012, &why));
        }
    };
    match text.and_then(Value::as_str) {
        None | Some("") => Err(Problem::new(131008, "text is required")),
        Some(text) if text.contains(['\n', '\t']) || text.contains("     ") => Err(Problem::new(
            132007,
            "a value may not have line breaks, tabs or more than 4 spaces in a row",
        )),
        Some(text) => Ok(text.to_owned()),
    }
}

fn limit(part: &str, text: &str, chars: usize) -> Result<(), Problem> {
    match text.chars().count() {
        count if count <= chars => Ok(()),
        count => {
            let why = format!("{part}: {count} characters with its values, at most {chars}");
            Err(Problem::new(132005, &why))
        }
    }
}

fn buttons(component: &Map<String, Value>, sent: &Value) -> Result<Vec<Button>, Problem> {
    let mut filled = Vec::new();
    for (at, button) in array(component.get("buttons")).filter_map(Value::as_object).enumerate() {
        let text = |name: &str| button.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
        let given = parameters(sent, |one| kind(one) == "BUTTON" && index(one) == Some(at));
        let first = |name: &str| given.first()?.get(name)?.as_str().map(str::to_owned);
        let kind = kind(button);
        let missing = || {
            let why = format!("Button at index {at} of type {kind} requires a parameter");
            Problem::new(131008, &why)
        };
        let payload = match kind.as_str() {
            "QUICK_REPLY" => Some(first("payload").unwrap_or_else(|| text("text"))),
            "URL" => {
                let url = text("url");
                match (variables(&url).first(), first("text")) {
                    (Some(_), None) => return Err(missing()),
                    (Some(name), Some(value)) => Some(replaced(&url, &[(name, value)])),
                    (None, _) => Some(url),
                }
            }
            "COPY_CODE" => Some(first("coupon_code").ok_or_else(missing)?),
            // Of an authentication template: the code again.
            "OTP" => Some(first("text").ok_or_else(missing)?),
            "PHONE_NUMBER" => Some(text("phone_number")),
            _ => first("payload"),
        };
        filled.push(Button { kind: kind.to_ascii_lowercase(), text: text("text"), payload });
    }
    let past = parameters(sent, |one| {
        kind(one) == "BUTTON" && index(one).is_none_or(|at| at >= filled.len())
    });
    match past.is_empty() {
        true => Ok(filled),
        false => Err(Problem::new(132000, "there is no button with this index")),
    }
}

/// Meta takes numbers and texts.
fn index(component: &Map<String, Value>) -> Option<usize> {
    match component.get("index")? {
        Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}
