//! `GET /{version}/{id}`: the business number, or a file's description.

use super::{
    graph::{authorise, our_number},
    media,
    refusal::Refusal,
};
use crate::simulator::Shared;
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::json;

pub async fn object(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let refuse = |refusal: Refusal| refusal.into_response(sim.serial());
    if let Err(refusal) = authorise(&sim, &headers) {
        return refuse(refusal);
    }
    if let Some(answer) = media::describe(&id, &headers) {
        return answer;
    }
    match our_number(&sim, &version, &id, "get") {
        Ok(()) => Json(json!({
            "verified_name": sim.config.business_name,
            "display_phone_number": sim.config.display_phone_number,
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "id": sim.config.phone_number_id,
        }))
        .into_response(),
        Err(refusal) => refuse(refusal),
    }
}
