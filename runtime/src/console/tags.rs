//! A contact's tags with who set them and why, and what changed of them.

use super::{Answer, Failure, Page, Shared, bad};
use crate::model::ContactId;
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde_json::json;

/// The history has its newest first. A tag whose time is over is in it at once,
/// also if no turn has noted it yet.
pub async fn of_contact(
    State(console): Shared,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    let id: ContactId = id.parse().map_err(bad)?;
    let contact = console.store.contact(id).await?;
    let contact = contact
        .ok_or_else(|| Failure(StatusCode::NOT_FOUND, format!("there is no contact {id}")))?;
    let now = console.clock.now();
    let mut history = contact.expired(now);
    history.reverse();
    history.extend(console.store.tag_history(id).await?);
    history.truncate(page.limit());
    let tags: Vec<_> = contact.tags_at(now).collect();
    Ok(Json(json!({ "tags": tags, "history": history })).into_response())
}
