//! The control API under `/sim/`: for the page, for tests, for whoever writes
//! a script. Described in `docs/simulator.md`.

mod account;
mod phones;

use super::{
    Shared, deliver, errors,
    faults::{Fault, MediaFaults, WebhookFaults},
    receipts,
    state::World,
    wire,
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Items in one answer, unless asked for less.
const PAGE: usize = 200;
const PAGE_MAX: usize = 10_000;
/// A file of 5 MB in base64, or a large batch.
const BODY_BYTES: usize = 16 << 20;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/sim/state", get(state))
        .route("/sim/phones", get(phones::phones).post(phones::add_phone))
        .route("/sim/phones/{phone}", get(phones::phone))
        .route("/sim/phones/{phone}/messages", get(phones::history))
        .route("/sim/phones/{phone}/send", post(phones::send))
        .route("/sim/phones/{phone}/read", post(phones::read))
        .route("/sim/phones/{phone}/window", post(phones::window))
        .route("/sim/phones/{phone}/preferences", post(phones::preferences))
        .route("/sim/phones/{phone}/presence", post(phones::presence))
        .route("/sim/batch", post(phones::batch))
        .route("/sim/echo", post(phones::echoed))
        .route("/sim/account", get(account::account).post(account::change_account))
        .route("/sim/templates", get(account::templates).post(account::add_template))
        .route("/sim/templates/{name}/{language}", patch(account::decide))
        .route("/sim/clock", get(account::clock).post(account::move_clock))
        .route("/sim/sent", get(sent))
        .route("/sim/settings", get(settings).patch(change_settings))
        .route("/sim/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/sim/receipts/release", post(release))
        .route("/sim/webhooks", get(webhooks).post(raw_webhook))
        .route("/sim/verify", post(verify))
        .route("/sim/clear", post(clear))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
}

/// What is wrong with a request to the control API.
struct Wrong(StatusCode, String);

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self(StatusCode::BAD_REQUEST, why)
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

type Answer = Result<Json<Value>, Wrong>;

async fn state(State(sim): State<Shared>) -> Json<Value> {
    let world = sim.world();
    let config = &sim.config;
    Json(json!({
        "business": {
            "name": config.business_name,
            "number": config.display_phone_number,
            "phone_number_id": config.phone_number_id,
            "webhook_url": config.webhook_url,
        },
        "now": sim.now(),
        "phones": (0..world.phones().len().min(PAGE)).map(|i| world.phone_json(i))
            .collect::<Vec<_>>(),
        "clock": {"now": sim.now(), "ahead_ms": sim.time.ahead()},
        "account": world.account,
        "templates": world.templates.iter().map(|one| one.listed()).collect::<Vec<_>>(),
        "settings": world.settings,
        "faults": world.faults.waiting(),
        "held": world.held.len(),
        "verification": world.verification,
        "counts": counts(&world),
        "inspect": config.inspect_url.is_some(),
        "suggestions": config.suggestions,
        "codes": errors::KNOWN.iter()
            .map(|known| json!({"code": known.code, "http": known.http, "title": known.title,
                "plain": known.plain}))
            .collect::<Vec<_>>(),
    }))
}

fn counts(world: &World) -> Value {
    json!({
        "phones": world.phones().len(),
        "sent": world.sent_total,
        "refused": world.refused,
        "received": world.received_total,
        "webhooks_delivered": world.delivered_total,
        "webhook_attempts_failed": world.attempts_failed,
        "webhooks_given_up": world.given_up_total,
        "webhooks_not_subscribed": world.unsubscribed_total,
    })
}

#[derive(Deserialize)]
struct Range {
    limit: Option<usize>,
    /// For lists that grow at the end: what comes after this number.
    #[serde(default)]
    after: u64,
    /// For histories: what comes before this number.
    before: Option<u64>,
}

impl Range {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(PAGE).min(PAGE_MAX)
    }
}

async fn sent(State(sim): State<Shared>, Query(range): Query<Range>) -> Json<Value> {
    let world = sim.world();
    let list: Vec<_> = world
        .sent(range.after)
        .take(range.limit())
        .map(|message| {
            let phone = message.phone.and_then(|index| world.phone(index)).map(|p| p.who.key());
            let mut entry = json!(message);
            if let Some(entry) = entry.as_object_mut() {
                entry.insert("phone".into(), json!(phone));
            }
            entry
        })
        .collect();
    let next = list.last().and_then(|m| m.get("seq")?.as_u64()).unwrap_or(range.after);
    Json(json!({"total": world.sent_total, "next": next, "messages": list}))
}

async fn settings(State(sim): State<Shared>) -> Json<Value> {
    Json(json!(sim.world().settings))
}

async fn change_settings(State(sim): State<Shared>, Json(changes): Json<Value>) -> Answer {
    let mut world = sim.world();
    world.settings = world.settings.patched(&changes)?;
    let settings = json!(world.settings);
    sim.publish(|| json!({"type": "settings", "settings": settings.clone()}));
    Ok(Json(settings))
}

async fn faults(State(sim): State<Shared>) -> Json<Value> {
    Json(json!(sim.world().faults.waiting()))
}

async fn add_fault(State(sim): State<Shared>, Json(fault): Json<Fault>) -> Answer {
    let mut world = sim.world();
    world.faults.add(fault)?;
    Ok(Json(json!(world.faults.waiting())))
}

/// Faults, and what is done to webhooks and files; what is held back stays
/// held.
async fn clear_faults(State(sim): State<Shared>) -> Json<Value> {
    let mut world = sim.world();
    world.faults.clear();
    let settings = &mut world.settings;
    settings.receipts = WebhookFaults::default();
    settings.messages = WebhookFaults::default();
    settings.media = MediaFaults::default();
    settings.lose_attempts = 0;
    Json(json!(world.faults.waiting()))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Release {
    newest_first: bool,
}

async fn release(State(sim): State<Shared>, Json(how): Json<Release>) -> Json<Value> {
    Json(json!({"released": receipts::release(&sim, how.newest_first).await}))
}

async fn webhooks(State(sim): State<Shared>, Query(range): Query<Range>) -> Json<Value> {
    let world = sim.world();
    let attempts: Vec<_> = world.log.iter().rev().take(range.limit()).collect();
    Json(json!({"counts": counts(&world), "attempts": attempts}))
}

#[derive(Deserialize)]
struct Raw {
    field: String,
    value: Value,
}

/// Any webhook at all, signed: account events and whatever is new.
async fn raw_webhook(State(sim): State<Shared>, Json(raw): Json<Raw>) -> Answer {
    let Some(parcel) = sim.account_parcel(&raw.field, raw.value) else {
        return Err("this wire has no webhooks for the account".to_owned().into());
    };
    let body = String::from_utf8_lossy(&parcel.body).into_owned();
    tokio::spawn(async move { deliver::post(&sim, parcel).await });
    Ok(Json(json!({"body": body})))
}

async fn verify(State(sim): State<Shared>) -> Json<Value> {
    Json(json!(wire::verify(&sim).await))
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Clear {
    phones: bool,
}

async fn clear(State(sim): State<Shared>, Json(what): Json<Clear>) -> Json<Value> {
    let mut world = sim.world();
    world.clear(what.phones);
    sim.publish(|| json!({"type": "resync"}));
    Json(counts(&world))
}
