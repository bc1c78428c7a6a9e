//! Campaigns: `/api/v1/campaigns`. What became of their members, and whether
//! they go on.

use super::{Answer, Failure, PAGE, Shared, bad};
use crate::{
    dispatch::policy_rules,
    model::*,
    outbox::recent,
    policy::Price,
    store::{Funnels, Store, funnels},
};
use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::IntoResponse,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Campaigns that are looked through for one of a name.
const KNOWN: usize = 10_000;
/// Members that are looked at for one answer.
const READ_AT_ONCE: usize = 500;

#[derive(Deserialize)]
pub(super) struct Listed {
    limit: Option<usize>,
}

/// The newest first, without their members: quick however many there are.
pub(super) async fn list(State(console): Shared, Query(asked): Query<Listed>) -> Answer {
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, 500);
    let found = console.store.campaigns(limit).await?;
    let campaigns: Vec<_> = found.iter().map(campaign).collect();
    Ok(Json(json!({ "campaigns": campaigns })).into_response())
}

/// Which, where several have the same id.
#[derive(Deserialize)]
pub(super) struct Which {
    channel: Option<String>,
    step: Option<String>,
}

impl Which {
    async fn of(&self, store: &dyn Store, id: &str) -> Result<CampaignKey, Failure> {
        let all = store.campaigns(KNOWN).await?;
        let is = |one: &&Broadcast| {
            one.id == id
                && self.step.as_ref().is_none_or(|step| *step == one.step)
                && self.channel.as_ref().is_none_or(|channel| channel == one.channel.as_str())
        };
        let found: Vec<&Broadcast> = all.iter().filter(is).collect();
        match found.as_slice() {
            [one] => Ok(one.key()),
            [] => {
                let known: Vec<_> = all.iter().take(5).map(|one| format!("`{}`", one.id)).collect();
                let known = match known.is_empty() {
                    true => "none has begun yet".to_owned(),
                    false => format!("the newest are {}", known.join(", ")),
                };
                let why = format!("there is no campaign `{id}`: {known}");
                Err(Failure(StatusCode::NOT_FOUND, why))
            }
            several => {
                let one = |it: &&Broadcast| format!("channel `{}`, step `{}`", it.channel, it.step);
                let several: Vec<_> = several.iter().map(one).collect();
                Err(bad(format!(
                    "there are several campaigns `{id}`: name the `channel` and the `step` ({})",
                    several.join("; ")
                )))
            }
        }
    }
}

/// One with its funnel.
pub(super) async fn show(
    State(console): Shared,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Answer {
    let key = which.of(&*console.store, &id).await?;
    let rules = policy_rules(&console.reloader.current());
    let price = |unpaid: &Unpaid, funnel: &mut Funnel| {
        let Some(budget) = &rules.budget else { return };
        match budget.price_of(unpaid.class, &unpaid.to) {
            Price::Micros(micros) if unpaid.waits => {
                count(&mut funnel.expected, &budget.currency, micros);
            }
            Price::Micros(_) => {}
            Price::Unknown(kind) => count(&mut funnel.unpriced, &kind, 1),
        }
    };
    let found = funnels(&*console.store, &key, price).await?;
    let found = found.ok_or_else(|| bad(format!("there is no campaign `{id}` any more")))?;
    let Funnels { broadcast, whole, variants } = &found;
    // Of before members were kept one by one.
    let unknown = broadcast.reached.saturating_sub(whole.audience);
    let body = json!({
        "campaign": campaign(broadcast),
        "funnel": funnel(whole),
        "variants": variants.iter().map(|(name, one)| (name.clone(), funnel(one)))
            .collect::<Map<_, _>>(),
        "unknown": unknown,
    });
    Ok(Json(body).into_response())
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    /// As `Standing::name`; all without it.
    state: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
    channel: Option<String>,
    step: Option<String>,
}

/// The states that a member may be in.
const STATES: [&str; 9] =
    ["left-out", "waiting", "queued", "refused", "failed", "accepted", "sent", "delivered", "read"];

pub(super) async fn members(
    State(console): Shared,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let Wanted { state, after, limit, channel, step } = wanted;
    if let Some(state) = state.as_deref().filter(|state| !STATES.contains(state)) {
        return Err(bad(format!("`{state}` is no state: there are {}", STATES.join(", "))));
    }
    let store = &*console.store;
    let key = Which { channel, step }.of(store, &id).await?;
    let mut after = after.as_deref().map(str::parse).transpose().map_err(bad)?;
    let limit = limit.unwrap_or(PAGE).clamp(1, 500);
    let mut found = Vec::new();
    let next = loop {
        let page = store.members(&key, after, READ_AT_ONCE).await?;
        let is = |one: &&MemberNow| state.as_ref().is_none_or(|it| *it == one.standing.name());
        found.extend(page.members.iter().filter(is).cloned());
        after = page.next;
        if found.len() > limit {
            found.truncate(limit);
            break found.last().map(|one| one.member.contact);
        }
        if after.is_none() || found.len() == limit {
            break after;
        }
    };
    let members: Vec<_> = found.iter().map(member).collect();
    let next = next.map(|next| next.to_string());
    Ok(Json(json!({ "members": members, "next": next })).into_response())
}

pub(super) async fn pause(state: Shared, id: Path<String>, which: Query<Which>) -> Answer {
    steer(state, id, which, Going::Paused).await
}

pub(super) async fn resume(state: Shared, id: Path<String>, which: Query<Which>) -> Answer {
    steer(state, id, which, Going::On).await
}

pub(super) async fn stop(state: Shared, id: Path<String>, which: Query<Which>) -> Answer {
    steer(state, id, which, Going::Stopped).await
}

async fn steer(
    State(console): Shared,
    Path(id): Path<String>,
    Query(which): Query<Which>,
    going: Going,
) -> Answer {
    let key = which.of(&*console.store, &id).await?;
    let now = console.store.steer(&key, going).await?;
    if now != Some(going) {
        return Err(stopped(&id));
    }
    if going == Going::On {
        console.outbox.campaign_resumed();
    }
    tracing::info!(campaign.id = id, campaign.state = going.name(), "a campaign was steered");
    Ok(Json(json!({ "id": id, "state": going.name() })).into_response())
}

/// Tries those again whose message has failed for a reason that may pass.
pub(super) async fn resend(
    State(console): Shared,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Answer {
    let store = &*console.store;
    let key = which.of(store, &id).await?;
    let generation = console.reloader.current();
    let channel = generation.channels.get(&key.channel);
    let channel = channel.ok_or_else(|| bad(format!("there is no channel `{}`", key.channel)))?;
    if store.campaign(&key).await?.is_some_and(|it| it.broadcast.going == Going::Stopped) {
        return Err(stopped(&id));
    }
    let (mut again, mut left, mut after) = (0, 0, None);
    loop {
        let page = store.members(&key, after, READ_AT_ONCE).await?;
        let failed = |one: &&MemberNow| matches!(one.standing, Standing::Failed(_));
        let mut found = Vec::new();
        for one in page.members.iter().filter(failed) {
            let before = found.len();
            for send in &one.member.sends {
                let item = store.outbox_item(send).await?;
                let due = item.and_then(|item| recent::worth_again(&item, &*channel.provider));
                found.extend(due.map(|due| (send.clone(), due)));
            }
            left += usize::from(found.len() == before);
        }
        again += store.revive(found, console.clock.now()).await?.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    console.outbox.ring();
    tracing::info!(campaign.id = id, again, left, "failed messages of a campaign are tried again");
    Ok(Json(json!({ "id": id, "again": again, "left": left })).into_response())
}

fn stopped(id: &str) -> Failure {
    let why = format!("the campaign `{id}` was stopped, and can't go on: begin another one");
    Failure(StatusCode::CONFLICT, why)
}

fn campaign(broadcast: &Broadcast) -> Value {
    let Broadcast { channel, step, id, to, started_at, reached, done, going, terms, .. } =
        broadcast;
    json!({
        "id": id,
        "channel": channel,
        "step": step,
        "state": going.name(),
        "to": to,
        "started_at": started_at,
        "reached": reached,
        "reached_all": done,
        "terms": terms,
    })
}

/// Amounts in whole units of their currency.
fn funnel(funnel: &Funnel) -> Value {
    let amounts = |sums: &BTreeMap<String, u64>| -> Map<String, Value> {
        let all = sums.iter().filter(|(_, micros)| **micros > 0);
        all.map(|(currency, micros)| (currency.clone(), (*micros as f64 / 1e6).into())).collect()
    };
    json!({
        "audience": funnel.audience,
        "left_out": funnel.left_out,
        "waiting": funnel.waiting,
        "messages": funnel.messages(),
        "queued": funnel.queued,
        "refused": funnel.refused,
        "failed": funnel.failed,
        "accepted": funnel.accepted,
        "sent": funnel.sent,
        "delivered": funnel.delivered,
        "read": funnel.read,
        "clicked": funnel.clicked,
        "replied": funnel.replied,
        "converted": funnel.converted,
        "charged": amounts(&funnel.charged),
        "expected": amounts(&funnel.expected),
        "unpriced": funnel.unpriced,
    })
}

fn member(one: &MemberNow) -> Value {
    let Member { contact, reached_at, sends, variant, clicked, replied, converted, .. } =
        &one.member;
    json!({
        "contact": contact.to_string(),
        "state": one.standing.name(),
        "reason": one.standing.reason(),
        "variant": variant,
        "messages": sends.iter().map(SendId::to_string).collect::<Vec<_>>(),
        "reached_at": reached_at,
        "clicked_at": clicked,
        "replied_at": replied,
        "converted_at": converted,
    })
}
