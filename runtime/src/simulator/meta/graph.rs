//! The Graph API's path for messages, and what all its paths check first.

use super::{
    check::{self, Body},
    refusal::Refusal,
};
use crate::simulator::{
    Shared, Sim,
    account::Scope,
    sends::{self, Outcome, Taken, Target},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// `POST /{version}/{phone-number-id}/messages`, and `…/marketing_messages`,
/// which takes promotions alone.
pub async fn send(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let delay = sim.world().settings.answer_delay_ms;
    if delay > 0 {
        sim.wait(delay).await;
    }
    let body = authorise(&sim, &headers)
        .and_then(|()| our_number(&sim, &version, &id, "post"))
        .and_then(|()| check::body(&bytes));
    let outcome = match body {
        Ok(Body::Read { message_id, typing }) => {
            return match sends::mark_read(&sim, &message_id, typing) {
                Ok(()) => Json(json!({"success": true})).into_response(),
                Err(problem) => Refusal::from(problem).into_response(sim.serial()),
            };
        }
        Ok(Body::Send(mut send)) => {
            send.marketing_api = uri.path().ends_with("/marketing_messages");
            if send.marketing_api && send.kind != "template" {
                let refusal = Refusal::new(100, "only marketing templates may be sent here");
                return refusal.into_response(sim.serial());
            }
            sends::accept(&sim, send)
        }
        Err(refusal) => return refusal.into_response(sim.serial()),
    };
    match outcome {
        Outcome::Taken(taken) => Json(answer(&taken)).into_response(),
        Outcome::Refuse(problem) => Refusal::from(problem).into_response(sim.serial()),
        Outcome::Break(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, "Sorry, something went wrong.").into_response()
        }
        Outcome::Slow(taken, millis) => {
            sim.wait(millis).await;
            Json(answer(&taken)).into_response()
        }
        Outcome::Hang(millis) => {
            sim.wait(millis).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}

fn answer(taken: &Taken) -> Value {
    let Taken { id, kind, target, input, user_id } = taken;
    let contact = match (target, user_id) {
        (Target::Number(number), Some(user_id)) => {
            json!({"input": input, "wa_id": number, "user_id": user_id})
        }
        (Target::Number(number), None) => json!({"input": input, "wa_id": number}),
        (Target::User(user), _) => json!({"input": input, "user_id": user}),
        (Target::Lost, _) => json!({"input": input, "wa_id": input}),
    };
    let message = match kind.as_str() {
        "template" => json!({"id": id, "message_status": "accepted"}),
        _ => json!({"id": id}),
    };
    json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})
}

/// # Errors
/// No token, another's, or one whose time is over.
pub fn authorise(sim: &Sim, headers: &HeaderMap) -> Result<(), Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if token.map(str::trim) != Some(sim.config.access_token.as_str()) {
        return Err(Refusal::new(190, "Invalid OAuth access token - Cannot parse access token"));
    }
    let now = sim.now();
    if !sim.world().account.token_works(now) {
        return Err(Refusal::new(190, "Error validating access token: Session has expired"));
    }
    Ok(())
}

/// # Errors
/// The token was made without this right.
pub fn allowed(sim: &Sim, scope: Scope) -> Result<(), Refusal> {
    match sim.world().account.scopes.contains(&scope) {
        true => Ok(()),
        false => Err(Refusal::new(200, "")),
    }
}

/// Checks a version's form, that the id is the business number's, and that the
/// token may send by it.
pub fn our_number(sim: &Sim, number: &str, id: &str, method: &str) -> Result<(), Refusal> {
    version(number)?;
    allowed(sim, Scope::Messaging)?;
    if id == sim.config.phone_number_id { Ok(()) } else { Err(Refusal::no_object(method, id)) }
}

/// Checks a version's form, that the id is the business account's, and that
/// the token may look after it.
pub fn our_account(sim: &Sim, number: &str, id: &str, method: &str) -> Result<(), Refusal> {
    version(number)?;
    allowed(sim, Scope::Management)?;
    if id == sim.config.business_account_id { Ok(()) } else { Err(Refusal::no_object(method, id)) }
}

/// `v26.0`, or any other of this form.
pub fn version(text: &str) -> Result<(), Refusal> {
    let numbers = text.strip_prefix('v').and_then(|version| version.split_once('.'));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if numbers.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
        Ok(())
    } else {
        Err(Refusal::new(100, "the path must begin with a version, such as v26.0"))
    }
}
