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
            let waits = matches!(item.state, SendState::Waiting { .. });
            let tried = waits && item.reason.is_some() && item.hold.rule.is_none();
            let turned_away = if tried { item.attempts.min(TRIES_KEPT) } else { 0 };
            Tally { lost, turned_away, ..Tally::default() }
        });
        tally.touched = now;
        tally
    }

    pub fn forget(&mut self, id: &SendId) {
        self.by_id.remove(id);
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
    /// The provider's code and words, where the contact has stopped marketing.
    pub opted_out: Option<(u32, String)>,
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
    let code_of_opt_out = (class == ErrorClass::OptedOut).then_some(code).flatten();
    let opted_out = code_of_opt_out.map(|code| (code, reason.clone()));
    let template = match class {
        ErrorClass::PauseTemplate => TemplateFate::Rests,
        _ => TemplateFate::NotKnown,
    };
    let (delivery, channel) = refused(item, tally, at, class, (code, reason));
    Outcome { delivery, channel, template, opted_out }
}

/// What an error does to its message and its channel.
fn refused(
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
    match class {
        ErrorClass::Retry => {
            (again(item, tally, at, backoff::retry, &reason), ChannelState::NotKnown)
        }
        ErrorClass::RetryFew if tally.turned_away + 1 < FEW_TRIES => {
            (again(item, tally, at, backoff::retry, &reason), ChannelState::NotKnown)
        }
        ErrorClass::RetryOnce if item.attempts < 2 => {
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
        ErrorClass::TierUsed => {
            let due = later(TIER_USED_MS);
            (Delivery::Held { due, rule: Rule::Tier, reason }, ChannelState::TierUsed)
        }
        // The worker holds what else such a template has to send.
        ErrorClass::PauseTemplate => {
            let due = later(TEMPLATE_PROBE_MS);
            (Delivery::Held { due, rule: Rule::Template, reason }, ChannelState::Works)
        }
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
        let reason = format!("given up after {TRIES_MAX} attempts: {reason}");
        return Delivery::Rejected { reason, code: None };
    }
    let due = at.now.saturating_add(pause(tally.turned_away, at.jitter));
    Delivery::RetryAfter { due, reason: reason.to_owned() }
}

/// A read mark that failed is let go: the answer waits behind it.
pub(super) fn is_read_mark(item: &OutboxItem) -> bool {
    matches!(item.message, Outgoing::Read { .. })
}

/// The provider says so to us alone and sends no webhook: the contact's own
/// lane has to learn of it, as of any receipt.
pub(super) fn opt_out(item: &OutboxItem, error: (u32, String), now: Millis) -> Happening {
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
            error: Some(error),
            pricing: None,
            free_until: None,
        }),
        raw: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::tests::{item, marketing, meta};

    const AT: Moment = Moment { now: 1_000_000, grace_ms: 30_000, jitter: 0.0 };

    fn text() -> OutboxItem {
        item(1, Outgoing::Text("hi".into()))
    }

    fn error(status: u16, code: u32) -> Reply {
        let body = format!(r#"{{"error":{{"code":{code},"message":"m"}}}}"#).into_bytes();
        Reply::Answer { status, body }
    }

    fn end(item: &OutboxItem, reply: Reply, tally: &mut Tally) -> Outcome {
        outcome(item, reply, &meta("http://127.0.0.1:1"), tally, AT)
    }

    fn due(delivery: &Delivery) -> Millis {
        match delivery {
            Delivery::RetryAfter { due, .. } => due - AT.now,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_class_has_its_pause() {
        for (code, pauses, channel) in [
            (131_016, [1000, 2000, 4000], ChannelState::NotKnown),
            (130_429, [1000, 2000, 4000], ChannelState::Throttled),
            (132_069, [60_000, 120_000, 240_000], ChannelState::Works),
            (131_056, [1000, 4000, 16_000], ChannelState::Works),
        ] {
            let mut tally = Tally::default();
            for pause in pauses {
                let outcome = end(&text(), error(400, code), &mut tally);
                assert_eq!((due(&outcome.delivery), &outcome.channel), (pause, &channel), "{code}");
            }
        }
    }

    #[test]
    fn a_message_turned_away_twenty_times_is_given_up() {
        let mut tally = Tally::default();
        for _ in 1..TRIES_MAX {
            due(&end(&text(), error(500, 131_016), &mut tally).delivery);
        }
        let last = end(&text(), error(500, 131_016), &mut tally).delivery;
        let Delivery::Rejected { reason, .. } = last else { panic!("{last:?}") };
        assert!(reason.starts_with("given up after 20 attempts: "), "{reason}");
    }

    #[test]
    fn what_did_not_reach_the_provider_is_tried_on_and_on() {
        let mut tally = Tally::default();
        for _ in 0..200 {
            due(&end(&text(), Reply::NotSent("refused".into()), &mut tally).delivery);
        }
        let pause = due(&end(&text(), error(500, 131_000), &mut tally).delivery);
        assert_eq!(pause, 1000);
    }

    #[test]
    fn an_uncertain_end_waits_for_a_receipt() {
        let answer = |status, body: &str| Reply::Answer { status, body: body.into() };
        for reply in
            [Reply::Lost("time".into()), answer(200, "{}"), answer(504, ""), answer(502, "x")]
        {
            let mut tally = Tally::default();
            let delivery = end(&text(), reply, &mut tally).delivery;
            assert!(matches!(delivery, Delivery::Unknown { until: 1_030_000, .. }), "{delivery:?}");
            assert_eq!(tally.lost, 1);
        }
    }

    #[test]
    fn a_stopped_channel_keeps_the_message() {
        let outcome = end(&text(), error(401, 190), &mut Tally::default());
        assert_eq!(due(&outcome.delivery), PROBE_MS);
        let ChannelState::Stopped { stop, code, reason } = outcome.channel else { panic!() };
        assert!(code == Some(190) && reason.contains("token"), "{reason}");
        assert_eq!(stop, Stop::Person);
    }

    #[test]
    fn each_stop_is_tried_at_its_own_pace() {
        let minute = 60_000;
        for (code, stop, pauses) in [
            (131_042, Stop::Person, [1, 1, 1]),
            (4, Stop::Calls, [1, 2, 4]),
            (80_007, Stop::Calls, [1, 2, 4]),
            (131_048, Stop::Spam, [60, 120, 240]),
        ] {
            let outcome = end(&text(), error(400, code), &mut Tally::default());
            let ChannelState::Stopped { stop: found, .. } = outcome.channel else { panic!() };
            assert_eq!((found, due(&outcome.delivery)), (stop, stop.pause(0, 0.0)), "{code}");
            assert_eq!([0, 1, 2].map(|probes| stop.pause(probes, 0.0) / minute), pauses, "{code}");
        }
    }

    #[test]
    fn what_others_of_its_kind_wait_for_too_steps_aside() {
        for (code, wait, named, channel, template) in [
            (131_064, 60, Rule::Tier, ChannelState::TierUsed, TemplateFate::NotKnown),
            (132_015, 15, Rule::Template, ChannelState::Works, TemplateFate::Rests),
        ] {
            let outcome = end(&item(1, marketing()), error(400, code), &mut Tally::default());
            let Delivery::Held { due, rule, .. } = outcome.delivery else { panic!("{code}") };
            assert_eq!((due - AT.now, rule), (wait * 60_000, named));
            assert_eq!((outcome.channel, outcome.template), (channel, template));
        }
    }

    #[test]
    fn some_trouble_is_worth_few_tries() {
        let is_tried = |attempts, code, tally: &mut Tally| {
            let item = OutboxItem { attempts, ..text() };
            let delivery = end(&item, error(400, code), tally).delivery;
            matches!(delivery, Delivery::RetryAfter { .. })
        };
        let once: Vec<_> = (1..4).map(|n| is_tried(n, 131_053, &mut Tally::default())).collect();
        assert_eq!(once, [true, false, false]);
        let mut tally = Tally::default();
        let few: Vec<_> = (1..7).map(|n| is_tried(n, 131_000, &mut tally)).collect();
        assert_eq!(few, [true, true, true, true, false, false]);
    }

    #[test]
    fn pauses_go_on_growing_after_a_restart() {
        let waits = OutboxItem { attempts: 3, reason: Some("too fast".into()), ..text() };
        let mut tally = *Tallies::default().of(&waits, 0);
        assert_eq!(due(&end(&waits, error(400, 131_056), &mut tally).delivery), 64_000);
        // But not from where a provider that could not be reached has led.
        let long = OutboxItem { attempts: 300, ..waits.clone() };
        let mut tally = *Tallies::default().of(&long, 0);
        due(&end(&long, error(400, 131_056), &mut tally).delivery);
        let held = Hold { rule: Some(Rule::Quiet), ..Hold::default() };
        assert_eq!(Tallies::default().of(&OutboxItem { hold: held, ..waits }, 0).turned_away, 0);
    }

    #[test]
    fn what_our_rules_held_has_its_day_afterwards() {
        let day = GIVE_UP_MS;
        let gone = |rule, until, now: Millis| {
            let hold = Hold { rule, until, ended: 0 };
            let item = OutboxItem { hold, created_at: 0, ..text() };
            hopeless(&item, &Tally::default(), now).is_some()
        };
        for rule in [Some(Rule::Quiet), Some(Rule::Budget), None] {
            assert!(!gone(rule, 3 * day, 4 * day - 1), "{rule:?}");
            assert!(gone(rule, 3 * day, 4 * day), "{rule:?}");
            assert!(gone(rule, 35 * day, 35 * day), "{rule:?}");
        }
        assert!(!gone(Some(Rule::Template), day - 1, day - 1));
        assert!(gone(Some(Rule::Template), day, day));
    }

    #[test]
    fn a_template_that_rests_after_other_holds_has_its_day_too() {
        let day = GIVE_UP_MS;
        let mut item = OutboxItem { created_at: 0, ..item(1, marketing()) };
        let mut hold = |rule, due| {
            let delivery = Delivery::Held { due, rule, reason: "wait".into() };
            item.record(&DeliveryRecord { id: item.id.clone(), delivery, at: 0 });
            item.clone()
        };
        let gone = |item: &OutboxItem, now| hopeless(item, &Tally::default(), now).is_some();
        let rests = hold(Rule::Template, day - 1);
        assert!(!gone(&rests, day - 1) && gone(&rests, day));
        hold(Rule::Budget, 10 * day);
        // However often it is looked at.
        for hours in [1, 5, 23] {
            let rests = hold(Rule::Template, 10 * day + hours * day / 24);
            assert!(!gone(&rests, 11 * day - 1), "{hours}");
            assert!(gone(&rests, 11 * day), "{hours}");
        }
    }

    #[test]
    fn a_final_no_is_final() {
        let outcome = end(&text(), error(400, 131_047), &mut Tally::default());
        assert!(matches!(outcome.delivery, Delivery::Rejected { .. }));
        assert_eq!((outcome.channel, outcome.opted_out), (ChannelState::Works, None));
        let stopped = end(&text(), error(400, 131_050), &mut Tally::default());
        assert!(matches!(stopped.delivery, Delivery::Rejected { .. }));
        assert_eq!(stopped.opted_out.map(|(code, _)| code), Some(131_050));
    }

    #[test]
    fn a_failed_read_mark_does_not_hold_up_the_answer() {
        let read = item(1, Outgoing::Read { message_id: "w".into(), typing: true });
        for reply in [error(500, 131_000), error(400, 131_056), Reply::Lost("time".into())] {
            let delivery = end(&read, reply, &mut Tally::default()).delivery;
            assert!(matches!(delivery, Delivery::Rejected { .. }), "{delivery:?}");
        }
    }

    #[test]
    fn hope_ends_after_a_day_or_five_resends() {
        let mut item = text();
        let verdict =
            |item: &OutboxItem, lost, now| hopeless(item, &Tally { lost, ..Tally::default() }, now);
        assert_eq!(verdict(&item, 9, item.created_at + GIVE_UP_MS - 1), None);
        item.reason = Some("no network".into());
        let late = verdict(&item, 0, item.created_at + GIVE_UP_MS).unwrap();
        assert!(late.ends_with("within 24 hours: no network"), "{late}");
        item.state = SendState::Attempting { since: 0, until: 0 };
        assert_eq!(verdict(&item, RESENDS_MAX, item.created_at), None);
        let uncertain = verdict(&item, RESENDS_MAX + 1, item.created_at).unwrap();
        assert!(uncertain.contains("may have been sent"), "{uncertain}");
    }

    #[test]
    fn an_attempt_that_a_crash_cut_off_counts_as_lost() {
        let mut item = text();
        let tally = |item: &OutboxItem| *Tallies::default().of(item, 0);
        assert_eq!(tally(&item).lost, 0);
        item.attempts = 3;
        item.state = SendState::Attempting { since: 0, until: 0 };
        assert_eq!(tally(&item).lost, 3);
        item.reason = Some("passing trouble".into());
        assert_eq!(tally(&item).lost, 1);
    }
}
