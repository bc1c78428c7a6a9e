//! The fields of a webhook, from a form, a query or a JSON object. Unknown ones
//! are kept: Twilio adds some without notice.

use crate::provider::{Malformed, Webhook};
use serde_json::{Map, Value};

/// Names and decoded values, in the order in which they came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// From the body, or from the query of a request without one.
    pub fn read(webhook: Webhook<'_>) -> Result<Self, Malformed> {
        let fields = match (webhook.body, is_json(webhook)) {
            ([], _) => Self::form(webhook.query.as_bytes()),
            (body, false) => Self::form(body),
            (body, true) => Self::json(body)?,
        };
        match fields.0.is_empty() {
            true => Err(Malformed("the webhook has no fields".into())),
            false => Ok(fields),
        }
    }

    pub fn form(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    fn json(body: &[u8]) -> Result<Self, Malformed> {
        let body: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| Malformed(format!("the body is not a JSON object: {error}")))?;
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Ok(Self(body.into_iter().map(|(name, value)| (name, text(value))).collect()))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first value of this name that is not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(one, value)| *one == name && !value.is_empty()).map(|(_, value)| value)
    }

    /// The first of several names that has a value.
    pub fn any(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// An object; a name that is there twice has a list.
    pub fn to_json(&self) -> Value {
        let mut object: Map<String, Value> = Map::new();
        for (name, value) in self.iter() {
            match object.get_mut(name) {
                None => {
                    object.insert(name.into(), value.into());
                }
                Some(Value::Array(values)) => values.push(value.into()),
                Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
            }
        }
        Value::Object(object)
    }
}

pub(super) fn is_json(webhook: Webhook<'_>) -> bool {
    let kind = webhook.headers.get("content-type").map(String::as_str).unwrap_or_default();
    kind.trim_start().to_ascii_lowercase().starts_with("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_field_is_kept() {
        let fields = Fields::form(b"Body=a+b%2B&New=&MediaUrl0=x&MediaUrl0=y&MediaUrl0=z");
        assert_eq!(fields.get("Body"), Some("a b+"));
        assert_eq!(fields.get("New"), None);
        assert_eq!(fields.any(&["None", "New", "MediaUrl0"]), Some("x"));
        let expected = json!({"Body": "a b+", "New": "", "MediaUrl0": ["x", "y", "z"]});
        assert_eq!(fields.to_json(), expected);
    }
}
