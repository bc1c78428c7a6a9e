//! The account, its one sender and its messaging service, as Twilio shows them.

use super::{codes::Refusal, messages};
use crate::simulator::{Shared, Sim, account::Restriction};
use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// `GET /2010-04-01/Accounts/{account}.json`.
pub async fn account(
    State(sim): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    let found = messages::authorise(&sim, &headers).and_then(|account| {
        let sid = path.strip_suffix(".json").unwrap_or(&path);
        messages::our_account(account, sid)?;
        let locked = sim.world().account.restricted == Restriction::Locked;
        Ok(json!({
            "sid": account.sid,
            "friendly_name": sim.config.business_name,
            "status": if locked { "suspended" } else { "active" },
            "type": "Full",
        }))
    });
    answer(found)
}

/// `GET /v2/Channels/Senders`: all on one page.
pub async fn senders(State(sim): State<Shared>, headers: HeaderMap) -> Response {
    answer(messages::authorise(&sim, &headers).map(|_| {
        let meta = json!({"page": 0, "page_size": 1, "key": "senders", "next_page_url": null});
        json!({"senders": [sender(&sim)], "meta": meta})
    }))
}

fn sender(sim: &Sim) -> Value {
    let online = sim.world().account.registered;
    json!({
        "sid": super::sid("XE", sim.salt, 1),
        "sender_id": format!("whatsapp:+{}", sim.config.display_phone_number),
        "status": if online { "ONLINE" } else { "OFFLINE" },
        "profile": {"name": sim.config.business_name},
        "webhook": {"callback_url": sim.config.webhook_url, "callback_method": "POST"},
    })
}

/// `GET /v1/Services/{service}`.
pub async fn service(
    State(sim): State<Shared>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    answer(messages::authorise(&sim, &headers).and_then(|account| {
        if account.messaging_service_sid.as_ref() != Some(&path) {
            return Err(Refusal::new(20_404, path));
        }
        Ok(json!({
            "sid": path,
            "account_sid": account.sid,
            "friendly_name": sim.config.business_name,
            "inbound_request_url": sim.config.webhook_url,
            "inbound_method": "POST",
            "use_inbound_webhook_on_number": false,
        }))
    }))
}

fn answer(found: Result<Value, Refusal>) -> Response {
    match found {
        Ok(found) => Json(found).into_response(),
        Err(refusal) => refusal.into_answer(),
    }
}
