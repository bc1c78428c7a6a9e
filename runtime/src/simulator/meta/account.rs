//! The Graph API's paths of the business account: its numbers and the apps
//! that get its webhooks.

use super::{
    graph::{authorise, our_account},
    object,
};
use crate::simulator::{Shared, moderation};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, Method},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
pub struct Chosen {
    fields: Option<String>,
}

/// `GET /{version}/{business-account-id}/phone_numbers`.
pub async fn phone_numbers(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    Query(asked): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    match authorise(&sim, &headers).and_then(|()| our_account(&sim, &version, &id, "get")) {
        Ok(()) => {
            let number = object::chosen(object::phone_number(&sim), asked.fields.as_deref());
            Json(json!({"data": [number]})).into_response()
        }
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}

/// `GET`, `POST` and `DELETE /{version}/{business-account-id}/subscribed_apps`:
/// without a subscription no webhook is sent.
pub async fn subscribed_apps(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let verb = method.as_str().to_ascii_lowercase();
    let allowed = authorise(&sim, &headers).and_then(|()| our_account(&sim, &version, &id, &verb));
    if let Err(refusal) = allowed {
        return refusal.into_response(sim.serial());
    }
    if method == Method::GET {
        let subscribed = sim.world().account.subscribed;
        let apps = if subscribed { vec![object::app()] } else { Vec::new() };
        return Json(json!({"data": apps})).into_response();
    }
    let changes = json!({"subscribed": method == Method::POST});
    // The change is our own, so that the account takes it.
    let done = moderation::change_account(&sim, &changes).is_ok();
    Json(json!({"success": done})).into_response()
}
