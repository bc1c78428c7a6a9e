//! The Graph API's single objects: the business number, its account, the
//! token, a template, a file's description.

use super::{
    graph::{allowed, authorise, version},
    media,
    refusal::Refusal,
};
use crate::simulator::{
    Shared, Sim,
    account::{DisplayName, Scope},
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub struct Chosen {
    fields: Option<String>,
    input_token: Option<String>,
}

/// `GET /{version}/{id}`.
pub async fn object(
    State(sim): State<Shared>,
    Path((number, id)): Path<(String, String)>,
    Query(asked): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let found = authorise(&sim, &headers).and_then(|()| version(&number));
    match found.and_then(|()| look_up(&sim, &id, &asked, &headers)) {
        Ok(found) => Json(found).into_response(),
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}

/// `GET /me` and `GET /debug_token`, which need no version.
pub async fn bare(
    State(sim): State<Shared>,
    uri: axum::http::Uri,
    Query(asked): Query<Chosen>,
    headers: HeaderMap,
) -> Response {
    let name = uri.path().trim_start_matches('/');
    match authorise(&sim, &headers).and_then(|()| look_up(&sim, name, &asked, &headers)) {
        Ok(found) => Json(found).into_response(),
        Err(refusal) => refusal.into_response(sim.serial()),
    }
}

fn look_up(sim: &Sim, id: &str, asked: &Chosen, headers: &HeaderMap) -> Result<Value, Refusal> {
    let fields = asked.fields.as_deref();
    let config = &sim.config;
    if id == "debug_token" {
        return Ok(debug_token(sim, asked.input_token.as_deref()));
    }
    if id == "me" {
        return Ok(chosen(json!({"id": APP_USER, "name": "Simulated system user"}), fields));
    }
    if id == config.phone_number_id {
        allowed(sim, Scope::Management)?;
        return Ok(chosen(phone_number(sim), fields));
    }
    if id == config.business_account_id {
        allowed(sim, Scope::Management)?;
        return Ok(chosen(business_account(sim), fields));
    }
    let template = sim.world().templates.by_id(id).map(|template| template.listed());
    if let Some(template) = template {
        allowed(sim, Scope::Management)?;
        return Ok(chosen(template, fields));
    }
    media::describe(sim, id, headers).ok_or_else(|| Refusal::no_object("get", id))
}

const APP: &str = "5550001";
const APP_USER: &str = "5550002";

pub fn phone_number(sim: &Sim) -> Value {
    let account = sim.world().account.clone();
    let name = match account.display_name {
        DisplayName::Approved => "APPROVED",
        DisplayName::Pending => "PENDING_REVIEW",
        DisplayName::Declined => "DECLINED",
    };
    json!({
        "verified_name": sim.config.business_name,
        "display_phone_number": sim.config.display_phone_number,
        "quality_rating": account.quality,
        "code_verification_status": "VERIFIED",
        "name_status": name,
        "platform_type": "CLOUD_API",
        "account_mode": "LIVE",
        "status": if account.registered { "CONNECTED" } else { "DISCONNECTED" },
        "throughput": {"level": "STANDARD"},
        "messaging_limit_tier": account.tier(),
        "whatsapp_business_manager_messaging_limit": account.tier(),
        "webhook_configuration": {"application": sim.config.webhook_url},
        "id": sim.config.phone_number_id,
    })
}

fn business_account(sim: &Sim) -> Value {
    json!({
        "id": sim.config.business_account_id,
        "name": sim.config.business_name,
        "currency": "USD",
        "timezone_id": "1",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "message_template_namespace": "simulator",
        "whatsapp_business_manager_messaging_limit": sim.world().account.tier(),
    })
}

/// Any token may be asked about; only the bot's own works.
fn debug_token(sim: &Sim, token: Option<&str>) -> Value {
    let now = sim.now();
    let account = sim.world().account.clone();
    let ours = token == Some(sim.config.access_token.as_str());
    if !ours {
        return json!({"data": {"is_valid": false, "scopes": [],
            "error": {"code": 190, "message": "The access token could not be decrypted"}}});
    }
    // 0 stands for a token that never ends.
    let expires = account.token_expires_at.map_or(0, |at| at / 1_000);
    let targets = json!([sim.config.business_account_id]);
    json!({"data": {
        "app_id": APP,
        "application": "Simulated app",
        "type": "SYSTEM_USER",
        "user_id": APP_USER,
        "is_valid": account.token_works(now),
        "expires_at": expires,
        "data_access_expires_at": 0,
        "scopes": account.scopes,
        "granular_scopes": account
            .scopes
            .iter()
            .map(|scope| json!({"scope": scope, "target_ids": targets}))
            .collect::<Vec<_>>(),
    }})
}

/// One entry of `GET …/subscribed_apps`.
pub fn app() -> Value {
    json!({"whatsapp_business_api_data": {"id": APP, "name": "Simulated app",
        "link": "https://www.facebook.com/games/?app_id=5550001"}})
}

/// The fields that were asked for, and the id; all if none were named.
pub fn chosen(object: Value, fields: Option<&str>) -> Value {
    let (Some(fields), Value::Object(object)) = (fields, &object) else { return object };
    // `components{type}` asks for a part of a field: it is given whole.
    let names: Vec<&str> = fields
        .split(',')
        .filter_map(|field| field.split(['{', '.']).next())
        .map(str::trim)
        .collect();
    let kept = object.iter().filter(|(name, _)| *name == "id" || names.contains(&name.as_str()));
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fields_that_were_asked_for() {
        let object = json!({"id": "1", "name": "a", "status": "b", "more": {"c": 1}});
        assert_eq!(chosen(object.clone(), None), object);
        let part = chosen(object, Some("name, more{c}"));
        assert_eq!(part, json!({"id": "1", "name": "a", "more": {"c": 1}}));
    }
}
