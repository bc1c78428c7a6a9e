//! What a campaign would come to: `GET /api/v1/campaigns/NAME/dry-run`.

use super::{Answer, Console, Failure, Shared, bad};
use crate::{
    dispatch::policy_rules,
    dry_run::{DryRun, Forecast, Plan, Refusal},
    model::{Millis, moment},
    policy::Rules,
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Whose, where several steps have planned one of this name.
#[derive(Deserialize)]
pub(super) struct Whose {
    channel: Option<String>,
    step: Option<String>,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown(why) => Self(StatusCode::NOT_FOUND, why),
            Refusal::Ambiguous(why) => bad(why),
            Refusal::Store(error) => error.into(),
        }
    }
}

/// Ends when whoever asked hangs up.
pub(super) async fn forecast(
    State(console): Shared,
    Path(name): Path<String>,
    Query(whose): Query<Whose>,
) -> Answer {
    let Ok(_alone) = console.rehearsing.try_lock() else {
        let why = "another dry run is under way: wait for its end, or end it";
        return Err(Failure(StatusCode::CONFLICT, why.into()));
    };
    let Console { store, clock, templates, .. } = &*console;
    let generation = console.reloader.current();
    let rules = policy_rules(&generation);
    let dry = DryRun {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        generation,
        templates: Arc::clone(templates),
        rules: rules.clone(),
    };
    let plan = dry.plan(&name, whose.channel.as_deref(), whose.step.as_deref()).await?;
    let found = dry.run(&plan).await?;
    let stops = console.outbox.status();
    let paused = stops.iter().find(|one| one.channel == plan.broadcast.channel);
    let paused = paused.map(|one| one.reason.as_str());
    Ok(Json(view(&plan, &found, &rules, paused)).into_response())
}

/// `paused`: why nothing leaves the channel now.
fn view(plan: &Plan, found: &Forecast, rules: &Rules, paused: Option<&str>) -> Value {
    let begun = &plan.broadcast;
    let amount =
        |(currency, micros): (&String, &u64)| (currency.clone(), Value::from(*micros as f64 / 1e6));
    let budget = rules.budget.as_deref();
    let local = |at: Millis| local(at, rules);
    let (first, last) = found.leaves.unzip();
    json!({
        "campaign": { "id": begun.id, "channel": begun.channel, "step": begun.step, "to": begun.to },
        "begins_at": begun.started_at,
        "begins": local(begun.started_at),
        "zone": rules.zone.iana_name(),
        "audience": found.audience,
        "left_out": found.left_out,
        "refused": found.refused,
        "recipients": found.recipients,
        "held": found.held,
        "variants": found.variants,
        "messages": found.messages,
        "opened": found.opened,
        "cost": found.cost.iter().map(amount).collect::<Map<_, _>>(),
        "unpriced": found.unpriced,
        "per_day": budget.and_then(|it| it.per_day).map(|micros| micros as f64 / 1e6),
        "per_month": budget.and_then(|it| it.per_month).map(|micros| micros as f64 / 1e6),
        "first_leaves_at": first,
        "first_leaves": first.map(local),
        "last_leaves_at": last,
        "last_leaves": last.map(local),
        "cut_short": found.cut_short,
        "paused": paused,
    })
}

/// `2026-12-01 10:00:00` by the business's clock.
fn local(at: Millis, rules: &Rules) -> String {
    let at = moment(at).map(|at| at.to_zoned(rules.zone.clone()));
    at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}
