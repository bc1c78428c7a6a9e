//! The control API's paths for the account, its templates and the time.

use super::{Answer, Wrong};
use crate::simulator::{
    Shared, moderation,
    templates::{Decision, Draft},
    time::Move,
};
use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

pub async fn account(State(sim): State<Shared>) -> Json<Value> {
    let world = sim.world();
    let mut account = json!(world.account);
    if let Some(account) = account.as_object_mut() {
        account.insert("contacted_today".into(), world.first_contacts.len().into());
    }
    Json(account)
}

/// Changes what is named; the bot is told what Meta would tell.
pub async fn change_account(State(sim): State<Shared>, Json(changes): Json<Value>) -> Answer {
    Ok(Json(json!(moderation::change_account(&sim, &changes)?)))
}

pub async fn templates(State(sim): State<Shared>) -> Json<Value> {
    let world = sim.world();
    Json(json!(world.templates.iter().map(|one| one.listed()).collect::<Vec<_>>()))
}

pub async fn add_template(State(sim): State<Shared>, Json(new): Json<Draft>) -> Answer {
    Ok(Json(moderation::submit(&sim, new)?))
}

pub async fn decide(
    State(sim): State<Shared>,
    Path((name, language)): Path<(String, String)>,
    Json(decision): Json<Decision>,
) -> Answer {
    let none = || Wrong(StatusCode::NOT_FOUND, format!("there is no {name} in {language}"));
    moderation::decide(&sim, &name, &language, decision).map(Json).ok_or_else(none)
}

fn times(sim: &Shared) -> Value {
    json!({"now": sim.now(), "ahead_ms": sim.time.ahead()})
}

pub async fn clock(State(sim): State<Shared>) -> Json<Value> {
    Json(times(&sim))
}

/// Moves the simulator's time on, not the bot's.
pub async fn move_clock(State(sim): State<Shared>, Json(to): Json<Move>) -> Answer {
    sim.time.shift(to)?;
    let times = times(&sim);
    sim.publish(|| json!({"type": "clock", "clock": times.clone()}));
    Ok(Json(times))
}
