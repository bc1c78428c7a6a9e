//! The interface's paths for messages and for typing.

use super::{
    Account,
    check::{self, Form},
    codes::Refusal,
    contents,
};
use crate::simulator::{
    Shared, Sim,
    sends::{self, Outcome, Taken},
    wire::Wire,
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

/// `POST /2010-04-01/Accounts/{account}/Messages.json`.
pub async fn send(
    State(sim): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let delay = sim.world().settings.answer_delay_ms;
    if delay > 0 {
        sim.pause(delay).await;
    }
    let send = authorise(&sim, &headers).and_then(|account| {
        our_account(account, &path)?;
        let find = |sid: &str| contents::find(&sim, sid);
        check::send(&Form::read(&body), account, &sim.config.display_phone_number, &find)
    });
    let outcome = match send {
        Ok(send) => sends::accept(&sim, send),
        Err(refusal) => return refusal.into_answer(),
    };
    match outcome {
        Outcome::Taken(taken) => {
            (StatusCode::CREATED, Json(answer(&sim, &path, &taken))).into_response()
        }
        Outcome::Slow(taken, millis) => {
            sim.wait(millis).await;
            (StatusCode::CREATED, Json(answer(&sim, &path, &taken))).into_response()
        }
        Outcome::Refuse(problem) => Refusal::of(&problem).into_answer(),
        Outcome::Break(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "upstream connect error").into_response()
        }
        Outcome::Hang(millis) => {
            sim.wait(millis).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}

fn answer(sim: &Sim, account: &str, taken: &Taken) -> Value {
    json!({
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": "",
        "direction": "outbound-api",
        "error_code": null,
        "error_message": null,
        "from": format!("whatsapp:+{}", sim.config.display_phone_number),
        "num_media": "0",
        "num_segments": "1",
        "price": null,
        "sid": taken.id,
        "status": "queued",
        "to": taken.input,
        "uri": format!("/2010-04-01/Accounts/{account}/Messages/{}.json", taken.id),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typing {
    channel: String,
    message_id: String,
}

/// `POST /v3/Indicators/Typing.json`: marks as read too.
pub async fn typing(State(sim): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refusal) = authorise(&sim, &headers) {
        return refusal.into_answer();
    }
    let asked: Option<Typing> = serde_json::from_slice(&body).ok();
    let Some(asked) = asked.filter(|asked| asked.channel == "WHATSAPP") else {
        return Refusal::new(20_422, "channel and messageId are needed").into_answer();
    };
    match sends::mark_read(&sim, &asked.message_id, true) {
        Ok(()) => Json(json!({"success": true})).into_response(),
        Err(_) => Refusal::new(20_404, "messageId").into_answer(),
    }
}

/// The account, if the request bears its sid and token, and the token has not
/// been replaced.
pub fn authorise<'a>(sim: &'a Sim, headers: &HeaderMap) -> Result<&'a Account, Refusal> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.strip_prefix("Basic "));
    let given = given.and_then(|coded| STANDARD.decode(coded.trim()).ok());
    let works = sim.world().account.token_works(sim.now());
    match &sim.config.wire {
        Wire::Twilio(account)
            if works
                && given
                    == Some(format!("{}:{}", account.sid, account.auth_token).into_bytes()) =>
        {
            Ok(account)
        }
        Wire::Twilio(_) | Wire::Meta => Err(Refusal::new(20_003, "")),
    }
}

pub fn our_account(account: &Account, path: &str) -> Result<(), Refusal> {
    match path == account.sid {
        true => Ok(()),
        false => Err(Refusal::new(20_404, path)),
    }
}
