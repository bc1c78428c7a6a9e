//! A case as one value: what its folder holds, and what is embedded in a
//! component.

use super::{contact::ContactForm, effect::EffectForm, event::EventForm};
use crate::{
    calendar::Calendar,
    config::{Document, Grants, Limits, Schema, list, read_calendar},
    model::{Exchange, HttpRequest, HttpResponse, KvScope, Verdict},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactForm>,
    /// The business's `calendar.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<StoredForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Vec<ExchangeForm>>,
    /// `grants` and `limits` of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Value>,
    /// None where it is yet to be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// What should come of a case: one of `verdict`, `problems` and `error`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<EffectForm>,
    /// What is stored for these keys afterwards, and that no other was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<StoredAfter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Vec<String>>,
    /// `configure` refuses the rules; none in the list: it takes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problems: Option<Vec<ProblemForm>>,
    /// Part of what is said when `handle` fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemForm {
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoredForm {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contact: BTreeMap<String, Bytes>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub plugin: BTreeMap<String, Bytes>,
}

/// None: deleted, or never there.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoredAfter {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contact: BTreeMap<String, Option<Bytes>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub plugin: BTreeMap<String, Option<Bytes>>,
}

impl StoredForm {
    pub fn entries(&self) -> impl Iterator<Item = (KvScope, &String, &Bytes)> {
        let of = |scope| move |(key, value)| (scope, key, value);
        let contact = self.contact.iter().map(of(KvScope::Contact));
        contact.chain(self.plugin.iter().map(of(KvScope::Plugin)))
    }

    pub fn get(&self, scope: KvScope, key: &str) -> Option<&Bytes> {
        match scope {
            KvScope::Contact => self.contact.get(key),
            KvScope::Plugin => self.plugin.get(key),
        }
    }

    pub fn insert(&mut self, scope: KvScope, key: String, value: Vec<u8>) {
        let map = match scope {
            KvScope::Contact => &mut self.contact,
            KvScope::Plugin => &mut self.plugin,
        };
        map.insert(key, Bytes(value));
    }
}

impl StoredAfter {
    pub fn entries(&self) -> impl Iterator<Item = (KvScope, &String, &Option<Bytes>)> {
        let of = |scope| move |(key, value)| (scope, key, value);
        let contact = self.contact.iter().map(of(KvScope::Contact));
        contact.chain(self.plugin.iter().map(of(KvScope::Plugin)))
    }

    pub fn get(&self, scope: KvScope, key: &str) -> Option<&Option<Bytes>> {
        match scope {
            KvScope::Contact => self.contact.get(key),
            KvScope::Plugin => self.plugin.get(key),
        }
    }

    pub fn insert(&mut self, scope: KvScope, key: String, value: Option<Vec<u8>>) {
        let map = match scope {
            KvScope::Contact => &mut self.contact,
            KvScope::Plugin => &mut self.plugin,
        };
        map.insert(key, value.map(Bytes));
    }

    pub fn is_empty(&self) -> bool {
        self.contact.is_empty() && self.plugin.is_empty()
    }
}

/// Text where it is text, else `{"base64": "…"}`. Read from other JSON: its
/// text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => json!({ "base64": BASE64_STANDARD.encode(&self.0) }).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Value::deserialize(deserializer)? {
            Value::String(text) => return Ok(Self(text.into_bytes())),
            Value::Null => return Err(D::Error::custom("a value is text or {\"base64\": \"…\"}")),
            value => value,
        };
        let only = value.as_object().filter(|object| object.len() == 1);
        match only.and_then(|object| object.get("base64")).and_then(Value::as_str) {
            Some(text) => BASE64_STANDARD
                .decode(text)
                .map(Self)
                .map_err(|error| D::Error::custom(format!("`base64`: {error}"))),
            None => Ok(Self(value.to_string().into_bytes())),
        }
    }
}

/// An answer recorded beforehand.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeForm {
    request: RequestForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    response: Option<ResponseForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestForm {
    method: String,
    url: String,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    body: Bytes,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseForm {
    status: u16,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
    #[serde(default, skip_serializing_if = "Bytes::is_empty")]
    body: Bytes,
}

impl Bytes {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An object, or a list of pairs where a name comes twice.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Headers(Vec<(String, String)>);

impl Headers {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let map: BTreeMap<&String, &String> = self.0.iter().map(|(name, it)| (name, it)).collect();
        match map.len() == self.0.len() {
            true => map.serialize(serializer),
            false => self.0.serialize(serializer),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenHeaders {
    Object(BTreeMap<String, String>),
    Pairs(Vec<(String, String)>),
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match WrittenHeaders::deserialize(deserializer) {
            Ok(WrittenHeaders::Object(map)) => Ok(Self(map.into_iter().collect())),
            Ok(WrittenHeaders::Pairs(pairs)) => Ok(Self(pairs)),
            Err(_) => Err(D::Error::custom("`headers` is an object of texts")),
        }
    }
}

impl ExchangeForm {
    /// Error: neither an answer nor an error, or both.
    pub fn exchange(&self) -> Result<Exchange, String> {
        let RequestForm { method, url, headers, body } = self.request.clone();
        let request = HttpRequest { method, url, headers: headers.0, body: body.0 };
        let response = match (&self.response, &self.error) {
            (Some(answer), None) => Ok(HttpResponse {
                status: answer.status,
                headers: answer.headers.0.clone(),
                body: answer.body.0.clone(),
            }),
            (None, Some(error)) => Err(error.clone()),
            (Some(_), Some(_)) | (None, None) => {
                return Err(format!("`{}` needs either `response` or `error`", request.url));
            }
        };
        Ok(Exchange { request, response })
    }

    pub fn of(exchange: &Exchange) -> Self {
        let HttpRequest { method, url, headers, body } = exchange.request.clone();
        let (response, error) = match exchange.response.clone() {
            Ok(HttpResponse { status, headers, body }) => {
                (Some(ResponseForm { status, headers: Headers(headers), body: Bytes(body) }), None)
            }
            Err(error) => (None, Some(error)),
        };
        let request = RequestForm { method, url, headers: Headers(headers), body: Bytes(body) };
        Self { request, response, error }
    }
}

/// What `step.toml` may say: a part of a step in a chain.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepForm {
    pub grants: Grants,
    pub limits: Limits,
}

impl StepForm {
    /// Error: what is wrong, a problem a line.
    pub fn read(document: &Document) -> Result<Self, String> {
        let problems = |found: Vec<crate::config::Problem>| crate::config::list(&found);
        Schema::of::<Self>()?.read(document).map_err(problems)
    }
}

impl Case {
    pub(super) fn step(&self) -> Result<StepForm, String> {
        let Some(value) = &self.step else { return Ok(StepForm::default()) };
        let document = Document::parse(Path::new("step.json"), &value.to_string());
        StepForm::read(&document.map_err(|problem| problem.to_string())?)
    }

    /// `zone` is the business's.
    pub(super) fn calendar(&self, zone: &str) -> Result<Option<Calendar>, String> {
        let Some(value) = &self.calendar else { return Ok(None) };
        let document = Document::parse(Path::new("calendar.json"), &value.to_string());
        let document = document.map_err(|problem| problem.to_string())?;
        read_calendar(&document, None, zone).map(Some).map_err(|wrong| list(&wrong))
    }

    /// What is wrong with the case as a whole, beginning with the file.
    pub(super) fn check(&self) -> Result<(), String> {
        self.step()?;
        self.calendar("UTC")?;
        for exchange in self.http.iter().flatten() {
            exchange.exchange().map_err(|why| format!("http.json: {why}"))?;
        }
        if let Some(event) = &self.event {
            event.kind("step", 0).map_err(|why| format!("event.json: {why}"))?;
        }
        let Some(expected) = &self.expected else { return Ok(()) };
        let kinds =
            [expected.verdict.is_some(), expected.problems.is_some(), expected.error.is_some()];
        if kinds.iter().filter(|said| **said).count() != 1 {
            return Err("expected.json: needs one of `verdict`, `problems` and `error`".into());
        }
        let more = !expected.effects.is_empty() || expected.stored.is_some();
        if more && expected.verdict.is_none() {
            return Err("expected.json: `effects` and `stored` are expected of a turn that ends \
                        with a `verdict`"
                .into());
        }
        if self.event.is_none() && expected.problems.is_none() {
            return Err("there is no event.json, so all that can be expected are `problems`".into());
        }
        Ok(())
    }
}
