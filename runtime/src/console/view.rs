//! The JSON forms that the API gives out.

use crate::{
    model::*,
    outbox::Paused,
    policy,
    store::{Aside, Parked},
};
use serde_json::{Value, json};

/// An aside's body is shown up to here, in characters.
const BODY_CHARS: usize = 20_000;

pub fn contact(contact: &Contact, now: Millis, rules: &policy::Rules) -> Value {
    let window = contact
        .last_inbound
        .keys()
        .filter_map(|channel| policy::window_end(contact, channel, rules))
        .filter(|end| *end > now)
        .max();
    let (by, at) = match &contact.consent {
        Consent::Unknown => (None, None),
        Consent::OptedIn { by, at, .. } | Consent::OptedOut { by, at, .. } => (Some(by), Some(at)),
    };
    json!({
        "id": contact.id.to_string(),
        "portfolio": contact.portfolio,
        "merged": contact.merged.iter().map(ContactId::to_string).collect::<Vec<_>>(),
        "name": contact.name,
        "username": contact.username,
        "phone": contact.phone,
        "bsuid": contact.bsuid,
        "parent_bsuid": contact.parent_bsuid,
        "tags": contact.tags_at(now).collect::<Vec<_>>(),
        "attributes": contact.attributes,
        "consent": { "marketing": contact.consent.name(), "by": by, "at": at },
        "handoff": contact.handoff,
        "notes": contact.notes,
        "window_open_until": window,
        "first_seen": contact.first_seen,
        "last_seen": contact.last_seen,
        "message_count": contact.message_count,
    })
}

pub fn trace(trace: &Trace) -> Value {
    let steps: Vec<Value> = trace.steps.iter().map(step).collect();
    json!({
        "turn": trace.turn.to_string(),
        "channel": trace.channel,
        "event": trace.event,
        "text": trace.text,
        "at": trace.at,
        "generation": trace.generation,
        "duration_us": trace.duration_us,
        "steps": steps,
        "sends": trace.sends.iter().map(SendId::to_string).collect::<Vec<_>>(),
        "remarks": trace.remarks,
    })
}

fn step(step: &StepTrace) -> Value {
    json!({
        "step": step.step,
        "plugin": step.plugin,
        "verdict": step.verdict,
        "because": step.because,
        "effects": step.effects.iter().map(Effect::in_words).collect::<Vec<_>>(),
        "logs": step.logs,
        "error": step.error,
        "error_kind": step.error_kind,
        "duration_us": step.duration_us,
    })
}

pub fn item(item: &OutboxItem) -> Value {
    let state = match item.state {
        SendState::Waiting { .. } | SendState::Returned { .. } => "waiting",
        SendState::Attempting { .. } => "attempting",
        SendState::Sent => item.receipt.map_or("accepted", ReceiptState::name),
        SendState::Failed => "failed",
        SendState::Refused => "refused",
    };
    json!({
        "id": item.id.to_string(),
        "channel": item.channel,
        "step": item.step,
        "kind": item.message.kind(),
        "summary": item.message.summary(),
        "state": state,
        "reason": item.reason,
        "rule": item.hold.rule.map(Rule::name),
        "attempts": item.attempts,
        "due": item.due(),
        "message_id": item.message_id,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    })
}

pub fn unanswered(asked: &Unanswered) -> Value {
    let Unanswered { contact, channel, step, question, at, because } = asked;
    json!({
        "contact": contact.to_string(), "channel": channel, "step": step, "question": question,
        "at": at, "because": because,
    })
}

pub fn parked(parked: &Parked) -> Value {
    json!({
        "event": parked.event.id.to_string(),
        "channel": parked.event.channel,
        "kind": parked.event.kind.name(),
        "accepted_at": parked.event.accepted_at,
        "attempts": parked.event.attempts,
        "reason": parked.reason,
        "raw": parked.event.raw,
    })
}

pub fn paused(paused: &Paused) -> Value {
    json!({
        "channel": paused.channel,
        "since": paused.since,
        "reason": paused.reason,
        "stops": if paused.templates_only { "templates" } else { "all" },
    })
}

pub fn aside(aside: &Aside) -> Value {
    let body = String::from_utf8_lossy(&aside.body);
    json!({
        "channel": aside.channel,
        "reason": aside.reason,
        "at": aside.at,
        "bytes": aside.body.len(),
        "body": body.chars().take(BODY_CHARS).collect::<String>(),
    })
}
