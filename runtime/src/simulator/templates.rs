//! The business's message templates and what moderation does to them. Their
//! components are in Meta's form. Pure.

mod draft;
mod fill;

pub use draft::{Draft, kind, templates_of, variables};
pub use fill::{Filled, fill, replaced};

use super::{account::Quality, errors::Problem, state::Millis};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What Meta allows a verified portfolio; each language counts.
const TEMPLATES_MAX: usize = 6_000;
/// A paused template rests for so long, the first time and the second.
const PAUSES_MS: [Millis; 2] = [3 * 60 * 60 * 1_000, 6 * 60 * 60 * 1_000];

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Category {
    Marketing,
    Utility,
    Authentication,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Review {
    Pending,
    InAppeal,
    Approved,
    /// Approved, and about to be paused.
    Flagged,
    Rejected,
    Paused,
    Disabled,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Format {
    #[default]
    #[serde(rename = "POSITIONAL", alias = "positional")]
    Positional,
    #[serde(rename = "NAMED", alias = "named")]
    Named,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    pub id: u64,
    pub name: String,
    pub language: String,
    pub category: Category,
    pub previous_category: Option<Category>,
    pub status: Review,
    pub quality: Quality,
    pub format: Format,
    pub components: Vec<Value>,
    /// Why it was rejected, paused or disabled, in Meta's words.
    pub reason: String,
    /// Changes with each decision, so that a later one can tell.
    pub version: u64,
    pauses: usize,
}

/// The body of `PATCH /sim/templates/{name}/{language}`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decision {
    pub status: Option<Review>,
    pub quality: Option<Quality>,
    pub category: Option<Category>,
    pub reason: Option<String>,
}

/// A webhook of the account: field and value.
pub type News = (&'static str, Value);

impl Template {
    /// As `GET …/message_templates` lists it.
    pub fn listed(&self) -> Value {
        let mut listed = json!({
            "name": self.name,
            "parameter_format": self.format,
            "components": self.components,
            "language": self.language,
            "status": self.status,
            "category": self.category,
            "id": self.id.to_string(),
            "quality_score": {"score": self.quality},
            "rejected_reason": if self.status == Review::Rejected { &self.reason } else { "NONE" },
        });
        if let (Some(listed), Some(category)) = (listed.as_object_mut(), self.previous_category) {
            listed.insert("previous_category".into(), json!(category));
        }
        listed
    }

    /// Whether it may be sent.
    ///
    /// # Errors
    /// Why not.
    pub fn may_be_sent(&self) -> Result<(), Problem> {
        match self.status {
            Review::Approved | Review::Flagged => Ok(()),
            Review::Paused => Err(Problem::new(132015, "")),
            Review::Disabled => Err(Problem::new(132016, "")),
            Review::Pending | Review::InAppeal | Review::Rejected => {
                let why = format!(
                    "template name ({}) is not approved in {}: it is {}",
                    self.name,
                    self.language,
                    json!(self.status).as_str().unwrap_or("")
                );
                Err(Problem::new(132001, &why))
            }
        }
    }

    /// Puts what an edit says in place; it is to be reviewed again.
    pub fn edit(&mut self, draft: &Draft) {
        self.category = draft.category;
        self.components.clone_from(&draft.components);
        self.status = Review::Pending;
        self.version += 1;
    }

    fn named(&self) -> Value {
        json!({
            "message_template_id": self.id,
            "message_template_name": self.name,
            "message_template_language": self.language,
        })
    }

    /// Does what a decision says; returns the webhooks that tell of it.
    pub fn decide(&mut self, decision: Decision, now: Millis) -> Vec<News> {
        let mut news = Vec::new();
        if let Some(quality) = decision.quality.filter(|quality| *quality != self.quality) {
            let score =
                json!({"previous_quality_score": self.quality, "new_quality_score": quality});
            news.push(("message_template_quality_update", with(self.named(), score)));
            self.quality = quality;
        }
        if let Some(category) = decision.category.filter(|category| *category != self.category) {
            let change = json!({"previous_category": self.category, "new_category": category});
            news.push(("template_category_update", with(self.named(), change)));
            self.previous_category = Some(self.category);
            self.category = category;
        }
        if let Some(status) = decision.status.filter(|status| *status != self.status) {
            self.status = status;
            self.version += 1;
            self.reason = decision.reason.unwrap_or_else(|| default_reason(status).into());
            if status == Review::Paused {
                self.pauses += 1;
            }
            news.push(("message_template_status_update", self.status_news(now)));
        }
        news
    }

    fn status_news(&self, now: Millis) -> Value {
        let mut more = json!({
            "event": self.status,
            "reason": self.reason,
            "message_template_category": self.category,
        });
        let extra = match self.status {
            Review::Paused => Some((
                "other_info",
                json!({"title": if self.pauses > 1 { "SECOND_PAUSE" } else { "FIRST_PAUSE" },
                    "description": "paused for low quality"}),
            )),
            Review::Disabled => {
                Some(("disable_info", json!({"disable_date": (now / 1_000).to_string()})))
            }
            Review::Rejected => Some((
                "rejection_info",
                json!({"reason": self.reason, "recommendation": "change the text and try again"}),
            )),
            Review::Pending | Review::InAppeal | Review::Approved | Review::Flagged => None,
        };
        if let (Some(more), Some((name, value))) = (more.as_object_mut(), extra) {
            more.insert(name.into(), value);
        }
        with(self.named(), more)
    }

    /// How long it is paused for; none if it is not, or for good.
    pub fn pause(&self) -> Option<Millis> {
        let pause = PAUSES_MS.get(self.pauses.checked_sub(1)?).copied();
        pause.filter(|_| self.status == Review::Paused)
    }
}

fn default_reason(status: Review) -> &'static str {
    match status {
        Review::Rejected => "INVALID_FORMAT",
        Review::Pending
        | Review::InAppeal
        | Review::Approved
        | Review::Flagged
        | Review::Paused
        | Review::Disabled => "NONE",
    }
}

fn with(mut value: Value, more: Value) -> Value {
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

/// By name and language.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    all: BTreeMap<(String, String), Template>,
    made: u64,
}

impl Templates {
    /// Takes a checked draft; its review, if it needs one, is the caller's.
    ///
    /// # Errors
    /// It is there already, or there are too many.
    pub fn add(&mut self, draft: Draft) -> Result<&mut Template, String> {
        let key = (draft.name.clone(), draft.language.clone());
        if self.all.contains_key(&key) {
            return Err(format!("there is already {} in {}", draft.name, draft.language));
        }
        if self.all.len() >= TEMPLATES_MAX {
            return Err(format!("at most {TEMPLATES_MAX} templates, each language counted"));
        }
        self.made += 1;
        let template = Template {
            // As long as Meta's ids are.
            id: 1_600_000_000_000_000 + self.made,
            name: draft.name,
            language: draft.language,
            category: draft.category,
            previous_category: None,
            status: draft.status.unwrap_or(Review::Pending),
            quality: Quality::Unknown,
            format: draft.parameter_format,
            components: draft.components,
            reason: "NONE".into(),
            version: 0,
            pauses: 0,
        };
        Ok(self.all.entry(key).or_insert(template))
    }

    pub fn find(&self, name: &str, language: &str) -> Option<&Template> {
        // One comparison of owned texts: sends are many, templates are few.
        self.all.get(&(name.to_owned(), language.to_owned()))
    }
    pub fn find_mut(&mut self, name: &str, language: &str) -> Option<&mut Template> {
        self.all.get_mut(&(name.to_owned(), language.to_owned()))
    }
    pub fn by_id(&mut self, id: &str) -> Option<&mut Template> {
        let id: u64 = id.parse().ok()?;
        self.all.values_mut().find(|template| template.id == id)
    }
    /// Whether any language of this name is here.
    pub fn knows(&self, name: &str) -> bool {
        let from = (name.to_owned(), String::new());
        self.all.range(from..).next().is_some_and(|((first, _), _)| first == name)
    }
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.all.values()
    }
    /// Takes away those that `gone` says yes to; returns how many.
    pub fn remove(&mut self, gone: impl Fn(&Template) -> bool) -> usize {
        let before = self.all.len();
        self.all.retain(|_, template| !gone(template));
        before - self.all.len()
    }
}

#[cfg(test)]
mod tests;
