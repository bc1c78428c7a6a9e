//! Lets the page ask a runtime's admin API about a phone: what is known of
//! the contact, and why it answered as it did; and whether the last edit is
//! live. The token stays here.

use super::Shared;
use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// For a page that somebody looks at.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Turns with their traces; more is not read.
const ANSWER_BYTES: u64 = 4 << 20;

pub fn routes() -> Router<Shared> {
    Router::new().route("/sim/inspect", get(inspect)).route("/sim/inspect/ready", get(ready))
}

#[derive(Deserialize)]
struct Asked {
    /// As the control API calls it: a number or a BSUID.
    phone: String,
}

async fn inspect(State(sim): State<Shared>, Query(asked): Query<Asked>) -> Response {
    let who = {
        let world = sim.world();
        world.find(&asked.phone).and_then(|index| world.phone(index)).map(|phone| {
            match &phone.who.number {
                Some(number) => ("phone", number.clone()),
                None => ("bsuid", phone.who.user_id.clone()),
            }
        })
    };
    match who {
        Some(who) => ask(&sim, "/api/v1/contacts/lookup", Some(who)).await,
        None => refuse(StatusCode::NOT_FOUND, "no such phone"),
    }
}

/// Which rules run, and what is wrong with the last edit of them.
async fn ready(State(sim): State<Shared>) -> Response {
    ask(&sim, "/readyz", None).await
}

async fn ask(sim: &Shared, path: &str, parameter: Option<(&str, String)>) -> Response {
    let Some(base) = &sim.config.inspect_url else {
        return refuse(StatusCode::NOT_FOUND, "no runtime to ask was given");
    };
    let address = format!("{}{path}", base.trim_end_matches('/'));
    let Ok(mut url) = address.parse::<Url>() else {
        return refuse(StatusCode::BAD_GATEWAY, "the inspect address is not a URL");
    };
    if let Some((name, value)) = parameter {
        url.query_pairs_mut().append_pair(name, &value);
    }
    let mut request = sim.courier.client.get(url).timeout(ANSWER_TIME);
    if let Some(token) = &sim.config.inspect_token {
        request = request.bearer_auth(token);
    }
    let Ok(answer) = request.send().await else {
        return refuse(StatusCode::BAD_GATEWAY, "the runtime's admin API could not be reached");
    };
    let status = answer.status().as_u16();
    if answer.content_length().is_some_and(|length| length > ANSWER_BYTES) {
        return refuse(StatusCode::BAD_GATEWAY, "the runtime's answer is too long");
    }
    let Ok(body) = answer.bytes().await else {
        return refuse(StatusCode::BAD_GATEWAY, "the runtime's answer broke off");
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": why}))).into_response()
}
