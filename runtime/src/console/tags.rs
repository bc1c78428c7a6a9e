//! A contact's tags with who set them and why, and what changed of them; and
//! how an operator changes them: by an event in the contact's lane, so that
//! rules about tags settle in its turn.

use super::{Answer, Failure, OPERATOR, Page, Shared, bad};
use crate::model::{Millis, Operator, TAG_BYTES, check_name};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::json;

/// The history has its newest first. A tag whose time is over is in it at once,
/// also if no turn has noted it yet.
pub async fn of_contact(
    State(console): Shared,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    let contact = console.known(&id).await?;
    let now = console.clock.now();
    let mut history = contact.expired(now);
    history.reverse();
    history.extend(console.store.tag_history(contact.id).await?);
    history.truncate(page.limit());
    let tags: Vec<_> = contact.tags_at(now).collect();
    Ok(Json(json!({ "tags": tags, "history": history })).into_response())
}

/// What may be said of a tag that is set.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Set {
    why: Option<String>,
    /// From now on, in days.
    expires_days: Option<u64>,
    /// Milliseconds since 1970, as tags are shown.
    expires: Option<Millis>,
}

const DAY_MS: Millis = 24 * 3_600_000;
/// As long as a plugin's timers may be.
const DAYS_MAX: u64 = 3_650;

pub async fn set(
    State(console): Shared,
    Path((id, name)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    check_name("tag", &name, TAG_BYTES).map_err(bad)?;
    let contact = console.known(&id).await?;
    contact.has_room_for_tag(&name).map_err(|full| Failure(StatusCode::CONFLICT, full))?;
    let asked = match body.is_empty() {
        true => Set::default(),
        false => serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?,
    };
    let now = console.clock.now();
    let expires = asked.end(now).map_err(bad)?;
    let by = OPERATOR.into();
    console.tell(&contact, Operator::Tag { name, expires, why: reason(asked.why)?, by }).await
}

/// As much of a reason as a tag keeps, in characters.
const WHY_CHARS: usize = 200;

fn reason(why: Option<String>) -> Result<Option<String>, Failure> {
    match why.as_ref().map(|why| why.chars().count()) {
        Some(chars) if chars > WHY_CHARS => {
            Err(bad(format!("`why` has {chars} characters, and {WHY_CHARS} are allowed")))
        }
        _ => Ok(why),
    }
}

impl Set {
    fn end(&self, now: Millis) -> Result<Option<Millis>, String> {
        match (self.expires, self.expires_days) {
            (Some(_), Some(_)) => Err("give either `expires` or `expires_days`".into()),
            (Some(at), None) if at <= now => Err(format!("`expires` has passed: it is {now}")),
            (None, Some(days)) if !(1..=DAYS_MAX).contains(&days) => {
                Err(format!("`expires_days` is from 1 to {DAYS_MAX}"))
            }
            (at, days) => Ok(at.or(days.map(|days| now + days * DAY_MS))),
        }
    }
}

/// Why it is taken away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    why: Option<String>,
}

pub async fn remove(
    State(console): Shared,
    Path((id, name)): Path<(String, String)>,
    Query(asked): Query<Remove>,
) -> Answer {
    let contact = console.known(&id).await?;
    if !contact.has_tag(&name, console.clock.now()) {
        let none = format!("{} has no tag `{name}`", contact.id);
        return Err(Failure(StatusCode::NOT_FOUND, none));
    }
    let by = OPERATOR.into();
    console.tell(&contact, Operator::Untag { name, why: reason(asked.why)?, by }).await
}
