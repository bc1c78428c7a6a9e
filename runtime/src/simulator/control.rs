//! The control API under `/sim/`: for the page, for tests, for whoever writes
//! a script. Described in `docs/simulator.md`.

use super::{
    Shared, customer, deliver, errors, faults::Fault, message::Message, phone::NewPhone, receipts,
    state::World, wire,
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Items in one answer, unless asked for less.
const PAGE: usize = 200;
const PAGE_MAX: usize = 10_000;
/// Messages in one `POST /sim/batch`.
const BATCH_MAX: usize = 10_000;

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/sim/state", get(state))
        .route("/sim/phones", get(phones).post(add_phone))
        .route("/sim/phones/{phone}", get(phone))
        .route("/sim/phones/{phone}/messages", get(history))
        .route("/sim/phones/{phone}/send", post(send))
        .route("/sim/phones/{phone}/read", post(read))
        .route("/sim/phones/{phone}/window", post(window))
        .route("/sim/batch", post(batch))
        .route("/sim/sent", get(sent))
        .route("/sim/settings", get(settings).patch(change_settings))
        .route("/sim/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/sim/receipts/release", post(release))
        .route("/sim/webhooks", get(webhooks).post(raw_webhook))
        .route("/sim/verify", post(verify))
        .route("/sim/clear", post(clear))
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

fn find(world: &World, key: &str) -> Result<usize, Wrong> {
    let none = || Wrong(StatusCode::NOT_FOUND, format!("no phone is called {key:?}"));
    world.find(key.trim_start_matches('+')).ok_or_else(none)
}

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
        "received": world.received_total,
        "webhooks_delivered": world.delivered_total,
        "webhook_attempts_failed": world.attempts_failed,
        "webhooks_given_up": world.given_up_total,
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

async fn phones(State(sim): State<Shared>, Query(range): Query<Range>) -> Json<Value> {
    let world = sim.world();
    let total = world.phones().len();
    let from = usize::try_from(range.after).unwrap_or(total).min(total);
    let to = from.saturating_add(range.limit()).min(total);
    let phones: Vec<_> = (from..to).map(|index| world.phone_json(index)).collect();
    Json(json!({"total": total, "next": to, "phones": phones}))
}

async fn add_phone(State(sim): State<Shared>, Json(new): Json<NewPhone>) -> Answer {
    let mut world = sim.world();
    let index = world.add_phone(new)?;
    let phone = world.phone_json(index);
    sim.publish(|| json!({"type": "phone", "phone": phone.clone()}));
    Ok(Json(phone))
}

async fn phone(State(sim): State<Shared>, Path(key): Path<String>) -> Answer {
    let world = sim.world();
    Ok(Json(world.phone_json(find(&world, &key)?)))
}

async fn history(
    State(sim): State<Shared>,
    Path(key): Path<String>,
    Query(range): Query<Range>,
) -> Answer {
    let world = sim.world();
    let index = find(&world, &key)?;
    let before = range.before.unwrap_or(u64::MAX);
    let mut messages: Vec<&Message> = world.history(index, before).take(range.limit()).collect();
    messages.reverse();
    Ok(Json(json!({"phone": world.phone_json(index), "messages": messages})))
}

async fn send(
    State(sim): State<Shared>,
    Path(key): Path<String>,
    Json(act): Json<customer::Act>,
) -> Answer {
    let index = find(&sim.world(), &key)?;
    let id = customer::act(&sim, index, act)?;
    Ok(Json(json!({"id": id})))
}

#[derive(Deserialize)]
struct Batched {
    phone: String,
    #[serde(flatten)]
    act: customer::Act,
}

async fn batch(State(sim): State<Shared>, Json(batch): Json<Vec<Batched>>) -> Answer {
    if batch.len() > BATCH_MAX {
        return Err(format!("at most {BATCH_MAX} messages in a batch").into());
    }
    let mut ids = Vec::with_capacity(batch.len());
    for Batched { phone, act } in batch {
        let index = find(&sim.world(), &phone)?;
        ids.push(customer::act(&sim, index, act)?);
    }
    Ok(Json(json!({"ids": ids})))
}

async fn read(State(sim): State<Shared>, Path(key): Path<String>) -> Answer {
    let index = find(&sim.world(), &key)?;
    let receipts = receipts::read_by_customer(&sim, index).await;
    Ok(Json(json!({"read": receipts})))
}

#[derive(Deserialize)]
struct Later {
    hours: u64,
}

/// As if the customer had last written so many hours earlier.
async fn window(
    State(sim): State<Shared>,
    Path(key): Path<String>,
    Json(Later { hours }): Json<Later>,
) -> Answer {
    let mut world = sim.world();
    let index = find(&world, &key)?;
    if let Some(phone) = world.phone_mut(index) {
        let millis = hours.saturating_mul(60 * 60 * 1_000);
        phone.last_inbound = phone.last_inbound.map(|at| at.saturating_sub(millis));
    }
    let phone = world.phone_json(index);
    sim.publish(|| json!({"type": "phone", "phone": phone.clone()}));
    Ok(Json(phone))
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

/// Faults and what is done to receipts; what is held back stays held.
async fn clear_faults(State(sim): State<Shared>) -> Json<Value> {
    let mut world = sim.world();
    world.faults.clear();
    world.settings.receipts = super::ReceiptFaults::default();
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
