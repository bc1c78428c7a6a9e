//! A template with its values, as text.

use super::fill::value_of;
use crate::model::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a person wants to see a template with.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Values {
    /// Of the body: in order, or as `name=value` where placeholders have names.
    #[serde(default)]
    pub with: Vec<String>,
    /// Of a text header.
    #[serde(default)]
    pub header: Option<String>,
    /// Of buttons, by index: the end of an address, or a code.
    #[serde(default)]
    pub buttons: BTreeMap<String, String>,
}

/// The message as the contact would see it, line by line, and what it lacks.
pub fn preview(form: &TemplateForm, values: &Values) -> (String, Vec<String>) {
    let (given, mut wrong) = parameters(form, &values.with);
    let (mut lines, mut lacks) = (Vec::new(), Vec::new());
    // In a row, a value fills its placeholder wherever it stands.
    let in_row = |place: &str| form.row.as_ref().and_then(|_| value_of(place, &given));
    let header = values.header.as_ref().map(|text| Parameter { name: None, text: text.clone() });
    match &form.parts.header {
        FormHeader::None => {}
        FormHeader::Text(text) => {
            // It has one placeholder at most, whatever it is called.
            let value = |place: &str| {
                header
                    .as_ref()
                    .map(|value| value.text.clone())
                    .or_else(|| form.named.then(|| value_of(place, &given)).flatten())
                    .or_else(|| in_row(place))
            };
            let text = filled(text, value);
            lacks.extend(open("the header", &text));
            lines.push(format!("*{text}*"));
        }
        FormHeader::Media(kind) => lines.push(format!("[{}]", kind.name())),
        FormHeader::Location => lines.push("[location]".into()),
        FormHeader::Other(kind) => lines.push(format!("[{}]", kind.to_lowercase())),
    }
    match &form.parts.body {
        Some(body) => {
            let text = filled(body, |place| value_of(place, &given));
            lacks.extend(open("the body", &text));
            lines.push(text);
        }
        None => lines.push("[the provider's own text]".into()),
    }
    lines.extend(form.footer.iter().map(|footer| format!("_{footer}_")));
    for (index, one) in (0..).zip(&form.parts.buttons) {
        let value = values.buttons.get(&index.to_string());
        let (line, lack) = button(index, one, value, in_row);
        lines.push(line);
        lacks.extend(lack);
    }
    for (number, card) in form.cards.iter().enumerate() {
        let body = filled(card.body.as_deref().unwrap_or_default(), in_row);
        lines.push(format!("[card {}] {body}", number + 1));
    }
    if let Some(row) = &form.row {
        let places: String = row.iter().map(|place| format!("{{{{{place}}}}}")).collect();
        lacks = Vec::from_iter(open("it", &filled(&places, in_row)));
    }
    wrong.extend(lacks);
    (lines.join("\n"), wrong)
}

fn parameters(form: &TemplateForm, with: &[String]) -> (Vec<Parameter>, Vec<String>) {
    let mut wrong = Vec::new();
    let mut given = Vec::new();
    let body = form.parts.body.as_deref().unwrap_or_default();
    let mut places = placeholders(body);
    if let (FormHeader::Text(text), true) = (&form.parts.header, form.named) {
        places.extend(placeholders(text));
    }
    if let Some(row) = &form.row {
        places = row.iter().map(String::as_str).collect();
    }
    for (number, text) in with.iter().enumerate() {
        let parameter = match (form.named, text.split_once('=')) {
            (true, Some((name, text))) => {
                Parameter { name: Some(name.trim().into()), text: text.into() }
            }
            (true, None) => {
                wrong.push(format!("`{text}` has no name: this template wants name=value"));
                continue;
            }
            (false, _) => {
                let name = form.row.as_ref().and_then(|row| row.get(number).cloned());
                Parameter { name, text: text.clone() }
            }
        };
        let place = parameter.name.clone().unwrap_or_else(|| (number + 1).to_string());
        if !places.contains(&place.as_str()) {
            wrong.push(format!("there is no placeholder {{{{{place}}}}}"));
        }
        given.push(parameter);
    }
    (given, wrong)
}

/// The placeholders that are left.
fn open(part: &str, text: &str) -> Option<String> {
    let left: Vec<String> =
        placeholders(text).iter().map(|place| format!("{{{{{place}}}}}")).collect();
    (!left.is_empty()).then(|| format!("{part} lacks {}", left.join(", ")))
}

fn button(
    index: u32,
    button: &FormButton,
    value: Option<&String>,
    in_row: impl Fn(&str) -> Option<String>,
) -> (String, Option<String>) {
    let label = &button.label;
    let (shown, lacks) = match (&button.kind, value) {
        (FormButtonKind::Link(url), value) => {
            let url = filled(url, |place| value.cloned().or_else(|| in_row(place)));
            let lacks = !placeholders(&url).is_empty();
            (format!("[{label}] {url}"), lacks)
        }
        (FormButtonKind::CopyCode, Some(code)) => (format!("[{label}] {code}"), false),
        (FormButtonKind::CopyCode, None) => (format!("[{label}]"), true),
        (
            FormButtonKind::Reply
            | FormButtonKind::OneTimeCode
            | FormButtonKind::Flow
            | FormButtonKind::Catalog
            | FormButtonKind::Products
            | FormButtonKind::Plain(_),
            _,
        ) => (format!("[{label}]"), false),
    };
    (shown, lacks.then(|| format!("button {index} lacks its value")))
}
