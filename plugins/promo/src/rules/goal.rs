//! What a promotion is to bring about, and how fast it goes.

use super::Place;
use serde::Deserialize;
use switchboard_plugin::{Goal, Terms};

/// One of `tag`, `attribute` and `order`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Converted {
    tag: Option<String>,
    attribute: Option<String>,
    #[serde(default)]
    order: bool,
    within: Option<String>,
}

/// So long after the message, at most.
const WITHIN_DAYS: u64 = 90;

pub fn terms(per_hour: Option<u32>, converted: Option<Converted>, place: &mut Place<'_>) -> Terms {
    let Some(Converted { tag, attribute, order, within }) = converted else {
        return Terms { per_hour, ..Terms::default() };
    };
    let mut place = place.under("converted");
    let within_ms = place.duration("within", within.as_deref());
    if within_ms.is_some_and(|within| within > WITHIN_DAYS * super::DAY_MS) {
        place.problem("within", format!("at most `{WITHIN_DAYS} days` after the message"));
    }
    let goals = [tag.map(Goal::Tag), attribute.map(Goal::Attribute), order.then_some(Goal::Order)];
    let mut goals = goals.into_iter().flatten();
    let goal = goals.next();
    if goal.is_none() || goals.next().is_some() {
        place.problem("", "needs one of `tag`, `attribute` and `order`");
    }
    Terms { per_hour, goal, within_ms }
}
