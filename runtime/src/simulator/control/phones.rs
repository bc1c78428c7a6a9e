//! The control API's paths for phones and what customers do on them.

use super::{Answer, Range, Wrong};
use crate::simulator::{
    Shared, customer, echo, message::Message, phone::NewPhone, receipts, state::World,
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Messages in one `POST /sim/batch`.
const BATCH_MAX: usize = 10_000;

fn find(world: &World, key: &str) -> Result<usize, Wrong> {
    let none = || Wrong(StatusCode::NOT_FOUND, format!("no phone is called {key:?}"));
    world.find(key.trim_start_matches('+')).ok_or_else(none)
}

pub async fn phones(State(sim): State<Shared>, Query(range): Query<Range>) -> Json<Value> {
    let world = sim.world();
    let total = world.phones().len();
    let from = usize::try_from(range.after).unwrap_or(total).min(total);
    let to = from.saturating_add(range.limit()).min(total);
    let phones: Vec<_> = (from..to).map(|index| world.phone_json(index)).collect();
    Json(json!({"total": total, "next": to, "phones": phones}))
}

pub async fn add_phone(State(sim): State<Shared>, Json(new): Json<NewPhone>) -> Answer {
    let mut world = sim.world();
    let index = world.add_phone(new)?;
    let phone = world.phone_json(index);
    sim.publish(|| json!({"type": "phone", "phone": phone.clone()}));
    Ok(Json(phone))
}

pub async fn phone(State(sim): State<Shared>, Path(key): Path<String>) -> Answer {
    let world = sim.world();
    Ok(Json(world.phone_json(find(&world, &key)?)))
}

pub async fn history(
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

pub async fn send(
    State(sim): State<Shared>,
    Path(key): Path<String>,
    Json(act): Json<customer::Act>,
) -> Answer {
    let index = find(&sim.world(), &key)?;
    let id = customer::act(&sim, index, act)?;
    Ok(Json(json!({"id": id})))
}

#[derive(Deserialize)]
pub struct Batched {
    phone: String,
    #[serde(flatten)]
    act: customer::Act,
}

pub async fn batch(State(sim): State<Shared>, Json(batch): Json<Vec<Batched>>) -> Answer {
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

pub async fn read(State(sim): State<Shared>, Path(key): Path<String>) -> Answer {
    let index = find(&sim.world(), &key)?;
    let receipts = receipts::read_by_customer(&sim, index).await;
    Ok(Json(json!({"read": receipts})))
}

#[derive(Deserialize)]
pub struct Later {
    hours: u64,
}

/// As if the customer had last written so many hours earlier.
pub async fn window(
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preference {
    marketing: Choice,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Stop,
    Resume,
}

/// The customer stops promotions, or wants them again.
pub async fn preferences(
    State(sim): State<Shared>,
    Path(key): Path<String>,
    Json(chosen): Json<Preference>,
) -> Answer {
    let index = find(&sim.world(), &key)?;
    customer::preference(&sim, index, chosen.marketing == Choice::Stop)?;
    Ok(Json(sim.world().phone_json(index)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    online: bool,
}

/// The phone goes out of reach, or comes back.
pub async fn presence(
    State(sim): State<Shared>,
    Path(key): Path<String>,
    Json(Presence { online }): Json<Presence>,
) -> Answer {
    let index = find(&sim.world(), &key)?;
    let delivered = customer::presence(&sim, index, online).await?;
    Ok(Json(json!({"online": online, "delivered": delivered})))
}

/// A person of the business writes in the phone app.
pub async fn echoed(State(sim): State<Shared>, Json(written): Json<echo::Echo>) -> Answer {
    let index = find(&sim.world(), &written.phone)?;
    let id = echo::echo(&sim, index, written)?;
    Ok(Json(json!({"id": id})))
}
