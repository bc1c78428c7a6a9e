//! The templates as the providers know them.

use super::{Answer, Console, Failure, Shared, bad};
use crate::{
    model::*,
    templates::{self, Outcome, Values},
};
use axum::{
    Json,
    extract::{Query, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
pub struct Wanted {
    /// Of this name alone, with everything that it has.
    name: Option<String>,
}

/// Each account's copy, and the templates in it: all in short, or those of one
/// name whole.
pub async fn list(State(console): Shared, Query(wanted): Query<Wanted>) -> Answer {
    let name = wanted.name.as_deref();
    let mut shown = Vec::new();
    for account in console.templates.accounts().into_keys() {
        let (_, forms) = console.templates.list(&account);
        let forms = forms.iter().filter(|form| name.is_none_or(|name| form.name == name));
        shown.extend(forms.map(|form| match name {
            Some(_) => whole(&account, form),
            None => short(&account, form),
        }));
    }
    let accounts = console.copies(console.updater.outcomes());
    Ok(Json(json!({ "accounts": accounts, "templates": shown })).into_response())
}

/// Reads every account's list now.
pub async fn sync(State(console): Shared) -> Answer {
    let outcomes = console.updater.sync().await;
    Ok(Json(json!({ "accounts": console.copies(outcomes) })).into_response())
}

#[derive(Deserialize)]
pub struct Preview {
    name: String,
    language: Option<String>,
    #[serde(flatten)]
    values: Values,
}

/// A template filled with values, as text.
pub async fn preview(State(console): Shared, Json(asked): Json<Preview>) -> Answer {
    let mut reason = "no channel names a `business_account_id`".to_owned();
    for account in console.templates.accounts().into_keys() {
        match console.templates.form(&account, &asked.name, asked.language.as_deref()) {
            Ok(form) => {
                let (text, lacks) = templates::preview(&form, &asked.values);
                let Value::Object(mut shown) = short(&account, &form) else {
                    return Err(bad("the template has no fields".into()));
                };
                shown.insert("text".into(), json!(text));
                shown.insert("lacks".into(), json!(lacks));
                return Ok(Json(shown).into_response());
            }
            Err(why) => reason = why,
        }
    }
    Err(Failure(StatusCode::NOT_FOUND, reason))
}

impl Console {
    fn copies(&self, outcomes: Vec<Outcome>) -> Vec<Value> {
        let channels = self.templates.accounts();
        let now = self.clock.now();
        let copy = |Outcome { account, tried_at, failure }| {
            let (read_at, forms) = self.templates.list(&account);
            json!({
                "account": &*account,
                "channels": channels.get(&account),
                "templates": forms.len(),
                "read_at": read_at,
                "age_seconds": read_at.map(|at| now.saturating_sub(at) / 1_000),
                "tried_at": tried_at,
                "failure": failure,
            })
        };
        outcomes.into_iter().map(copy).collect()
    }
}

fn short(account: &Arc<str>, form: &TemplateForm) -> Value {
    json!({
        "account": &**account,
        "name": form.name,
        "language": form.language,
        "category": form.category.map(Category::word),
        "status": form.status.word(),
        "reason": form.reason,
        "quality": form.quality,
    })
}

fn whole(account: &Arc<str>, form: &TemplateForm) -> Value {
    let mut shown = short(account, form);
    if let Some(shown) = shown.as_object_mut() {
        let offer = form.offer.as_ref();
        let cards: Vec<Value> = form.cards.iter().map(parts).collect();
        shown.insert("id".into(), json!(form.id));
        shown.insert("named".into(), json!(form.named));
        shown.insert("row".into(), json!(form.row));
        shown.insert("parts".into(), parts(&form.parts));
        shown.insert("footer".into(), json!(form.footer));
        shown.insert("offer_expires".into(), json!(offer.map(|offer| offer.expires)));
        shown.insert("cards".into(), json!(cards));
    }
    shown
}

/// What stands in it, and the placeholders to be filled.
fn parts(parts: &FormParts) -> Value {
    let (header, text) = match &parts.header {
        FormHeader::None => (None, None),
        FormHeader::Text(text) => (Some("text"), Some(text)),
        FormHeader::Media(kind) => (Some(kind.name()), None),
        FormHeader::Location => (Some("location"), None),
        FormHeader::Other(kind) => (Some(kind.as_str()), None),
    };
    let buttons: Vec<Value> = parts.buttons.iter().map(button).collect();
    json!({
        "header": header,
        "header_text": text,
        "body": parts.body,
        "placeholders": placeholders(parts.body.as_deref().unwrap_or_default()),
        "buttons": buttons,
    })
}

fn button(button: &FormButton) -> Value {
    let (kind, value) = match &button.kind {
        FormButtonKind::Reply => ("reply", None),
        FormButtonKind::Link(url) => ("link", Some(url)),
        FormButtonKind::CopyCode => ("copy-code", None),
        FormButtonKind::OneTimeCode => ("one-time-code", None),
        FormButtonKind::Flow => ("flow", None),
        FormButtonKind::Catalog => ("catalog", None),
        FormButtonKind::Products => ("products", None),
        FormButtonKind::Plain(kind) => (kind.as_str(), None),
    };
    json!({ "label": button.label, "kind": kind, "url": value })
}
