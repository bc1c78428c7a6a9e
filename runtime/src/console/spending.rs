//! What messages have cost: `GET /api/v1/spending?from=&to=`.

use super::{Answer, Shared, bad};
use crate::{
    dispatch::policy_rules,
    model::Spending,
    policy::{self, Budget},
};
use axum::{
    Json,
    extract::{Query, State},
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Days as 20261122, both included: this month if nothing is said.
#[derive(Deserialize)]
pub(super) struct Days {
    from: Option<u32>,
    to: Option<u32>,
}

pub(super) async fn spending(State(console): Shared, Query(days): Query<Days>) -> Answer {
    let rules = policy_rules(&console.reloader.current());
    let today = policy::day(console.clock.now(), &rules.zone);
    let from = days.from.unwrap_or(today - today % 100 + 1);
    let to = days.to.unwrap_or(today);
    for day in [from, to] {
        if !is_day(day) {
            return Err(bad(format!("`{day}` is not a day such as `20261122`")));
        }
    }
    let found = console.store.spending(from, to).await?;
    let budget = rules.budget.as_deref();
    let spent = match budget {
        Some(budget) => {
            let month = console.store.spending(today - today % 100, today).await?;
            policy::Spent::of(&month, &budget.currency, today)
        }
        None => policy::Spent::default(),
    };
    let body = json!({
        "currency": budget.map(|budget| &budget.currency),
        "today": amount(spent.today),
        "this_month": amount(spent.this_month),
        "per_day": budget.and_then(|budget: &Budget| budget.per_day).map(amount),
        "per_month": budget.and_then(|budget: &Budget| budget.per_month).map(amount),
        "from": from,
        "to": to,
        "spending": found.iter().map(one).collect::<Vec<_>>(),
    });
    Ok(Json(body).into_response())
}

fn is_day(day: u32) -> bool {
    let (month, day_of_month) = (day / 100 % 100, day % 100);
    (1970..=9999).contains(&(day / 10_000))
        && (1..=12).contains(&month)
        && (1..=31).contains(&day_of_month)
}

fn one(spending: &Spending) -> Value {
    json!({
        "channel": spending.channel,
        "day": spending.day,
        "category": spending.class.name(),
        "messages": spending.messages,
        "currency": spending.currency,
        "amount": amount(spending.micros),
    })
}

/// In whole units of the currency.
fn amount(micros: u64) -> f64 {
    micros as f64 / 1e6
}
