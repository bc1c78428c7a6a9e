//! What the end of an attempt means for its message and its channel. Pure.

use super::{backoff, post::Reply};
use crate::{
    model::*,
    provider::{Answer, ErrorClass, Provider},
};
use std::collections::HashMap;

/// A message that could not be sent for so long is given up.
pub const GIVE_UP_MS: Millis = 24 * 3600 * 1000;
/// How often the provider may turn a message away before it is given up.
pub const TRIES_MAX: u32 = 20;
/// How often a message of unknown fate is sent again: each time it may be a
/// second copy.
pub const RESENDS_MAX: u32 = 5;
/// How long our own rules may hold a message in all: over the end of any month.
pub const HELD_MAX_MS: Millis = 35 * 24 * 3600 * 1000;
/// How often a paused channel is tried.
pub const PROBE_MS: Millis = 60_000;
/// How often one message of a template that rests is tried.
pub const TEMPLATE_PROBE_MS: Millis = 15 * 60_000;
/// After trouble that mostly stays.
const FEW_TRIES: u32 = 5;
/// How long a message waits that the provider lets nobody further have today.
const TIER_USED_MS: Millis = 60 * 60_000;
/// After a restart pauses go on growing from no further than here.
const TRIES_KEPT: u32 = 8;
/// Messages remembered before those of long ago are first forgotten.
const TRIES_MIN: usize = 1024;

/// What went wrong with one message so far. After a restart, its attempts are
/// all that is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Answers that said no for now.
    turned_away: u32,
    /// One of them was worth one more try.
    once: bool,
    /// Requests that did not reach the provider.
    unreached: u32,
    /// Requests whose fate is not known.
    lost: u32,
    touched: Millis,
}

#[derive(Debug, Default)]
pub(super) struct Tallies {
    by_id: HashMap<SendId, Tally>,
    sweep_at: usize,
}

impl Tallies {
    pub fn of(&mut self, item: &OutboxItem, now: Millis) -> &mut Tally {
        if self.by_id.len() > self.sweep_at.max(TRIES_MIN) {
            self.by_id.retain(|_, tally| now < tally.touched.saturating_add(GIVE_UP_MS));
            self.sweep_at = self.by_id.len() * 2;
        }
        let tally = self.by_id.entry(item.id.clone()).or_insert_with(|| {
            // Found in the middle of an attempt: the process ended there. If no
            // attempt of it ever came to an end, all of them may have been sent.
            let cut_off = matches!(item.state, SendState::Attempting { .. });
            let lost = match (cut_off, &item.reason) {
                (true, None) => item.attempts,
                (true, Some(_)) => 1,
                (false, _) => 0,
            };
            let turned_away = match item.state {
                SendState::Waiting { .. } if item.reason.is_some() && item.hold.rule.is_none() => {
                    item.attempts.min(TRIES_KEPT)
                }
                // But for the last one, on which nothing is decided yet.
                SendState::Returned { .. } => item.attempts.saturating_sub(1).min(TRIES_KEPT),
                SendState::Waiting { .. }
                | SendState::Attempting { .. }
                | SendState::Sent
                | SendState::Failed
                | SendState::Refused => 0,
            };
            Tally { lost, turned_away, once: turned_away > 0, ..Tally::default() }
        });
        tally.touched = now;
        tally
    }

    pub fn forget(&mut self, id: &SendId) {
        self.by_id.remove(id);
    }

    /// The provider took it. What was turned away before is remembered, as it
    /// may come back.
    pub fn taken(&mut self, id: &SendId) {
        if self.by_id.get(id).is_some_and(|tally| tally.turned_away == 0) {
            self.by_id.remove(id);
        }
    }
}

/// Why a message is not worth another attempt, if it is not.
pub(super) fn hopeless(item: &OutboxItem, tally: &Tally, now: Millis) -> Option<String> {
    let uncertain = matches!(item.state, SendState::Attempting { .. });
    let doubt = if uncertain { "; it may have been sent" } else { "" };
    if uncertain && tally.lost > RESENDS_MAX {
        return Some(format!("given up after {} attempts without an answer{doubt}", tally.lost));
    }
    // Time in which our own rules held it does not count, but for a template
    // that may rest for ever.
    let from = match item.hold.rule {
        Some(Rule::Template) => item.created_at.max(item.hold.ended),
        _ => item.created_at.max(item.hold.until),
    };
    let worth = now < from.saturating_add(GIVE_UP_MS);
    if worth && now < item.created_at.saturating_add(HELD_MAX_MS) {
        return None;
    }
    let last = item.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("given up because it could not be sent within 24 hours{doubt}{last}"))
}

/// What an attempt's end says of its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChannelState {
    NotKnown,
    Works,
    /// It sends too fast.
    Throttled,
    /// No further contact may be written to first.
    TierUsed,
    Stopped {
        stop: Stop,
        code: Option<u32>,
        reason: String,
    },
}

/// Why nothing can leave a channel, which decides how soon it is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Until a person acts.
    Person,
    /// The calls of this hour are used up.
    Calls,
    /// Too many contacts blocked or reported the number.
    Spam,
}

impl Stop {
    /// How long to wait before the next message tries, after `probes` that were
    /// turned away.
    pub fn pause(self, probes: u32, jitter: f64) -> Millis {
        match self {
            Self::Person => PROBE_MS,
            Self::Calls => backoff::slow(probes + 1, jitter),
            Self::Spam => backoff::spam(probes + 1, jitter),
        }
    }
}

/// What an attempt's end says of its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TemplateFate {
    NotKnown,
    Lives,
    Rests,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub delivery: Delivery,
    pub channel: ChannelState,
    pub template: TemplateFate,
    /// The provider's code, where the contact has stopped marketing.
    pub opted_out: Option<u32>,
}

/// What the pauses depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub now: Millis,
    /// How long a receipt is awaited before a lost message is sent again.
    pub grace_ms: Millis,
    pub jitter: f64,
}

pub(super) fn outcome(
    item: &OutboxItem,
    reply: Reply,
    provider: &dyn Provider,
    tally: &mut Tally,
    at: Moment,
) -> Outcome {
    let (status, answer) = match reply {
        Reply::Rehearsed(message_id) => (200, Answer::Sent { message_id }),
        Reply::Answer { status, body } => (status, provider.classify(status, &body)),
        Reply::NotSent(reason) => {
            tally.unreached += 1;
            let due = at.now.saturating_add(backoff::retry(tally.unreached, at.jitter));
            return ended(Delivery::RetryAfter { due, reason });
        }
        Reply::Lost(reason) => return ended(lost(item, tally, at, reason)),
        Reply::Unfit(reason) => return ended(Delivery::Rejected { reason, code: None }),
    };
    let (class, code, reason) = match answer {
        Answer::Sent { message_id } => {
            let delivery = Delivery::Sent { message_id };
            let template = TemplateFate::Lives;
            return Outcome { delivery, channel: ChannelState::Works, template, opted_out: None };
        }
        // A success that names no message, or a gateway that gave up waiting.
        Answer::Refused { code: None, reason, .. } if matches!(status, 200..300 | 502 | 504) => {
            return ended(lost(item, tally, at, reason));
        }
        Answer::Refused { class, code, reason } => (class, code, reason),
    };
    refused(item, tally, at, class, (code, reason))
}

/// What comes of a receipt by which a message failed that had been taken: the
/// same as if the provider had said so at once.
pub(super) fn come_back(
    item: &OutboxItem,
    provider: &dyn Provider,
    tally: &mut Tally,
    at: Moment,
) -> Outcome {
    let class = item.error.map_or(ErrorClass::Permanent, |code| provider.explain(code, "").0);
    let reason = item.reason.clone().unwrap_or_default();
    let tries = tally.turned_away + 1;
    let mut outcome = refused(item, tally, at, class, (item.error, reason.clone()));
    // What a channel or a template waits for is no try where the answer says
    // so. Here the provider had taken the message.
    tally.turned_away = tries;
    if tries >= TRIES_MAX {
        outcome.delivery = given_up(&reason);
    }
    outcome
}

fn refused(
    item: &OutboxItem,
    tally: &mut Tally,
    at: Moment,
    class: ErrorClass,
    (code, reason): (Option<u32>, String),
) -> Outcome {
    let opted_out = (class == ErrorClass::OptedOut).then_some(code).flatten();
    let template = match class {
        ErrorClass::PauseTemplate => TemplateFate::Rests,
        _ => TemplateFate::NotKnown,
    };
    let (delivery, channel) = judge(item, tally, at, class, (code, reason));
    Outcome { delivery, channel, template, opted_out }
}

/// What an error does to its message and its channel.
fn judge(
    item: &OutboxItem,
    tally: &mut Tally,
    at: Moment,
    class: ErrorClass,
    (code, reason): (Option<u32>, String),
) -> (Delivery, ChannelState) {
    let later = |pause: Millis| at.now.saturating_add(pause);
    let stopped = |stop: Stop, reason: String| {
        let due = later(stop.pause(0, at.jitter));
        let delivery = Delivery::RetryAfter { due, reason: reason.clone() };
        (delivery, ChannelState::Stopped { stop, code, reason })
    };
    let rejected = |reason: &str| Delivery::Rejected { reason: reason.to_owned(), code };
    // In the words of the rules: the operator reads one form, whoever says it.
    let held = |pause: Millis, rule: Rule| {
        let reason = format!("{reason} (rule `{}`)", rule.name());
        Delivery::Held { due: later(pause), rule, reason }
    };
    match class {
        ErrorClass::Retry => {
            (again(item, tally, at, backoff::retry, &reason), ChannelState::NotKnown)
        }
        ErrorClass::RetryFew if tally.turned_away + 1 < FEW_TRIES => {
            (again(item, tally, at, backoff::retry, &reason), ChannelState::NotKnown)
        }
        ErrorClass::RetryOnce if !std::mem::replace(&mut tally.once, true) => {
            (again(item, tally, at, backoff::retry, &reason), ChannelState::Works)
        }
        ErrorClass::RetrySlow => {
            (again(item, tally, at, backoff::slow, &reason), ChannelState::Works)
        }
        ErrorClass::Throttled => {
            (again(item, tally, at, backoff::retry, &reason), ChannelState::Throttled)
        }
        ErrorClass::PairLimit => {
            (again(item, tally, at, backoff::pair, &reason), ChannelState::Works)
        }
        ErrorClass::CallLimit => stopped(Stop::Calls, reason),
        ErrorClass::SpamLimit => stopped(Stop::Spam, reason),
        ErrorClass::PauseChannel => stopped(Stop::Person, reason),
        ErrorClass::TierUsed => (held(TIER_USED_MS, Rule::Tier), ChannelState::TierUsed),
        // The worker holds what else such a template has to send.
        ErrorClass::PauseTemplate => (held(TEMPLATE_PROBE_MS, Rule::Template), ChannelState::Works),
        ErrorClass::RetryFew
        | ErrorClass::RetryOnce
        | ErrorClass::Permanent
        | ErrorClass::NeedsTemplate
        | ErrorClass::MarketingCap
        | ErrorClass::Notice
        | ErrorClass::OptedOut => (rejected(&reason), ChannelState::Works),
    }
}

fn ended(delivery: Delivery) -> Outcome {
    let (channel, template) = (ChannelState::NotKnown, TemplateFate::NotKnown);
    Outcome { delivery, channel, template, opted_out: None }
}

fn lost(item: &OutboxItem, tally: &mut Tally, at: Moment, reason: String) -> Delivery {
    if is_read_mark(item) {
        return Delivery::Rejected { reason, code: None };
    }
    tally.lost += 1;
    Delivery::Unknown { until: at.now.saturating_add(at.grace_ms), reason }
}

fn again(
    item: &OutboxItem,
    tally: &mut Tally,
    at: Moment,
    pause: fn(u32, f64) -> Millis,
    reason: &str,
) -> Delivery {
    tally.turned_away += 1;
    if is_read_mark(item) {
        return Delivery::Rejected { reason: reason.to_owned(), code: None };
    }
    if tally.turned_away >= TRIES_MAX {
        return given_up(reason);
    }
    let due = at.now.saturating_add(pause(tally.turned_away, at.jitter));
    Delivery::RetryAfter { due, reason: reason.to_owned() }
}

fn given_up(reason: &str) -> Delivery {
    let reason = format!("given up after {TRIES_MAX} attempts: {reason}");
    Delivery::Rejected { reason, code: None }
}

/// A read mark that failed is let go: the answer waits behind it.
pub(super) fn is_read_mark(item: &OutboxItem) -> bool {
    matches!(item.message, Outgoing::Read { .. })
}

/// The provider says so to us alone and sends no webhook: the contact's own
/// lane has to learn of it, as of any receipt. The code alone: its words are
/// put to it there.
pub(super) fn opt_out(item: &OutboxItem, code: u32, now: Millis) -> Happening {
    let key = format!("optout:{}", item.id);
    Happening {
        channel: item.channel.clone(),
        dedup: key.clone(),
        sender: Some(Sender::of(item.contact)),
        kind: EventKind::Receipt(Receipt {
            message_id: key,
            send: Some(item.id.clone()),
            state: ReceiptState::Failed,
            at: now,
            error: Some((code, String::new())),
            pricing: None,
            free_until: None,
        }),
        raw: String::new(),
    }
}

#[cfg(test)]
mod tests;
