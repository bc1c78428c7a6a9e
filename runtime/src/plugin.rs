//! STAND-IN: replaced at the merge by the real plugin host. It knows the
//! bundled plugins by name, takes any file as a plugin, and runs nothing.

use crate::{
    clock::Clock,
    config::StepConfig,
    model::Verdict,
    turn::{Draft, Step, StepError},
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Bundled(String),
    File(PathBuf),
}

#[derive(thiserror::Error, Debug)]
#[error("{0}")]
pub struct LoadError(String);

#[derive(Clone, Debug)]
pub struct Capability {
    pub name: String,
    pub reason: String,
}

#[derive(Clone, Debug)]
pub struct Descriptor {
    pub name: String,
    pub version: String,
    pub summary: String,
    pub rules_schema: Option<Value>,
    pub events: Vec<String>,
    pub wants: Vec<Capability>,
}

#[derive(Clone, Debug)]
pub struct RuleProblem {
    pub path: String,
    pub message: String,
}

#[derive(Debug)]
pub enum ConfigureError {
    Rules(Vec<RuleProblem>),
    Failed(String),
}

pub struct Plugins;

impl Plugins {
    pub fn new(_cache: Option<PathBuf>, _clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self))
    }
    pub async fn load(&self, source: &Source) -> Result<Arc<Plugin>, LoadError> {
        let (name, hash) = match source {
            Source::Bundled(name) => (name.clone(), name.clone()),
            Source::File(path) => {
                let bytes = std::fs::read(path).map_err(|error| LoadError(error.to_string()))?;
                if !bytes.starts_with(b"\0asm") {
                    return Err(LoadError("is not a WebAssembly component".into()));
                }
                ("dropped-in".to_owned(), format!("{bytes:?}"))
            }
        };
        let capability = |name: &str| Capability { name: name.into(), reason: "to send".into() };
        let wants = if name == "promo" { vec![capability("broadcast")] } else { Vec::new() };
        let rules_schema = (name == "faq").then(faq_schema);
        let descriptor = Descriptor {
            name,
            version: "0.1.0".into(),
            summary: String::new(),
            rules_schema,
            events: vec!["message".into()],
            wants,
        };
        Ok(Arc::new(Plugin { descriptor, hash }))
    }
}

fn faq_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "greeting": {"type": "string"},
            "fallback": {"type": "string"},
            "fallback_buttons": {"type": "array", "items": {"$ref": "#/$defs/Button"}},
            "answer": {"type": "array", "items": {"$ref": "#/$defs/Answer"}}
        },
        "$defs": {
            "Button": {
                "type": "object",
                "additionalProperties": false,
                "required": ["id", "title"],
                "properties": {"id": {"type": "string"}, "title": {"type": "string"}}
            },
            "Answer": {
                "type": "object",
                "additionalProperties": false,
                "required": ["id", "ask", "say"],
                "properties": {
                    "id": {"type": "string"},
                    "ask": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    "say": {"type": "string"},
                    "buttons": {"type": "array", "items": {"$ref": "#/$defs/Button"}}
                }
            }
        }
    })
}

pub struct Plugin {
    descriptor: Descriptor,
    hash: String,
}

impl Plugin {
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }
    pub fn hash(&self) -> &str {
        &self.hash
    }
    pub async fn configure(
        self: &Arc<Self>,
        step: &StepConfig,
        rules: &Value,
    ) -> Result<PluginStep, ConfigureError> {
        let empty = Vec::new();
        let answers = rules.get("answer").and_then(Value::as_array).unwrap_or(&empty);
        let id = |n: usize| answers.get(n).and_then(|answer| answer.get("id"));
        let twice = (1..answers.len()).filter(|n| (0..*n).any(|before| id(before) == id(*n)));
        let problems: Vec<RuleProblem> = twice
            .map(|n| RuleProblem {
                path: format!("/answer/{n}/id"),
                message: "another answer has this id".into(),
            })
            .collect();
        match problems.is_empty() {
            true => Ok(PluginStep { name: step.name.clone() }),
            false => Err(ConfigureError::Rules(problems)),
        }
    }
}

pub struct PluginStep {
    name: String,
}

#[async_trait]
impl Step for PluginStep {
    fn name(&self) -> &str {
        &self.name
    }
    fn plugin(&self) -> &str {
        "stand-in 0.1.0"
    }
    fn wants(&self, _kind: &str) -> bool {
        false
    }
    async fn run(&self, draft: Draft) -> (Draft, Result<Verdict, StepError>) {
        (draft, Ok(Verdict::Continue))
    }
}
