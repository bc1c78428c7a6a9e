//! Templates as Twilio has them: Contents with a sid.

use super::messages;
use crate::simulator::Shared;
use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

/// A template, approved for WhatsApp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// `HX…`.
    pub sid: String,
    pub name: String,
    pub language: String,
    /// `marketing`, `utility`, `authentication`.
    pub category: String,
    /// With `{{1}}` or `{{name}}` where its variables stand.
    pub body: String,
}

/// `GET /v1/ContentAndApprovals`: all on one page.
pub async fn list(State(sim): State<Shared>, headers: HeaderMap) -> Response {
    match messages::authorise(&sim, &headers) {
        Ok(account) => {
            let contents: Vec<Value> = account.contents.iter().map(entry).collect();
            let meta = json!({
                "page": 0, "page_size": contents.len(), "key": "contents",
                "next_page_url": null, "previous_page_url": null,
            });
            Json(json!({"contents": contents, "meta": meta})).into_response()
        }
        Err(refusal) => refusal.into_answer(),
    }
}

fn entry(content: &Content) -> Value {
    let variables: Map<String, Value> =
        variables(&content.body).map(|name| (name.to_owned(), "".into())).collect();
    json!({
        "sid": content.sid,
        "friendly_name": content.name,
        "language": content.language,
        "variables": variables,
        "types": {"twilio/text": {"body": content.body}},
        "approval_requests": {
            "name": content.name,
            "category": content.category.to_uppercase(),
            "content_type": "twilio/text",
            "status": "approved",
            "rejection_reason": "",
        },
    })
}

fn variables(body: &str) -> impl Iterator<Item = &str> {
    let parts = body.split("{{").skip(1);
    parts.filter_map(|part| part.split_once("}}")).map(|(name, _)| name.trim())
}
