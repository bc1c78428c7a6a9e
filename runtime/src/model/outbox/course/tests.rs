//! Items through attempts, ends and receipts in any order.

use super::*;
use crate::model::{Address, ChannelId, ContactId, Lane, Outgoing, Rule, SendId, TurnId};
use ReceiptState::{Delivered, Failed, Played, Read, Sent};
use proptest::prelude::*;

fn item() -> OutboxItem {
    let turn = TurnId { lane: Lane::Contact(ContactId(1)), seq: 1 };
    let place = (ChannelId::new("main"), ContactId(1), Address::default());
    OutboxItem::new(SendId { turn, index: 0 }, place, Outgoing::Text("hi".into()), "faq", 0)
}

fn failure(passing: bool) -> Option<Failure> {
    Some(Failure { code: 7, reason: "no luck".into(), passing })
}

impl OutboxItem {
    fn attempt(&mut self, at: Millis) {
        self.begin(&Attempt::new(self.id.clone(), at, at + 10));
    }
    fn ends(&mut self, delivery: Delivery, at: Millis) {
        self.record(&DeliveryRecord { id: self.id.clone(), delivery, at });
    }
    fn is_taken(&mut self, message_id: &str, at: Millis) {
        self.ends(Delivery::Sent { message_id: message_id.into() }, at);
    }
    fn fails(&mut self, message_id: &str, passing: bool) {
        self.receive(message_id, Failed, failure(passing), 9);
    }
}

/// Taken as `a` at 5.
fn taken() -> OutboxItem {
    let mut item = item();
    item.attempt(4);
    item.is_taken("a", 5);
    item
}

/// Taken, failed, and waiting for its second attempt at 20.
fn waits_again() -> OutboxItem {
    let mut item = taken();
    item.fails("a", true);
    item.ends(Delivery::RetryAfter { due: 20, reason: "no luck".into() }, 10);
    item
}

#[test]
fn what_failed_for_a_passing_reason_comes_back_apart() {
    let mut item = taken();
    item.fails("a", true);
    assert_eq!((item.state.clone(), item.apart), (SendState::Returned { taken: 5 }, true));
    assert_eq!(
        (item.error, item.reason.as_deref(), item.receipt),
        (Some(7), Some("no luck"), None)
    );
    assert!(!item.may_begin(99), "nothing is decided yet");
    item.ends(Delivery::RetryAfter { due: 20, reason: "no luck".into() }, 10);
    assert!(item.apart && !item.may_begin(19) && item.may_begin(20));
    item.attempt(20);
    item.is_taken("b", 21);
    assert_eq!((item.state, item.message_id.as_deref()), (SendState::Sent, Some("b")));
    assert_eq!(item.reason, None);
}

#[test]
fn a_final_reason_is_final() {
    for failure in [failure(false), None] {
        let mut item = taken();
        item.receive("a", Failed, failure, 9);
        assert_eq!((item.state, item.apart), (SendState::Failed, false));
    }
    let mut item = waits_again();
    item.attempt(20);
    item.is_taken("b", 21);
    item.fails("b", false);
    assert_eq!((item.state, item.receipt), (SendState::Failed, Some(Failed)));
}

#[test]
fn what_has_arrived_does_not_come_back() {
    for state in [Delivered, Read, Played] {
        let mut item = taken();
        item.receive("a", state, None, 8);
        let before = item.clone();
        item.fails("a", true);
        item.fails("a", false);
        assert_eq!((&item.state, item.receipt), (&before.state, Some(state)));
        assert_eq!((item.reason, item.error), (None, None));
    }
}

#[test]
fn what_has_arrived_after_all_is_not_sent_again() {
    let mut item = waits_again();
    item.receive("a", Delivered, None, 15);
    assert_eq!((item.due(), item.receipt, item.reason.clone()), (None, Some(Delivered), None));
    // The sender had read it before, and decided on it.
    item.ends(Delivery::Held { due: 30, rule: Rule::Quiet, reason: "night".into() }, 16);
    assert_eq!((item.state, item.hold.rule), (SendState::Sent, None));
}

#[test]
fn what_was_said_before_it_failed_changes_nothing() {
    let mut item = waits_again();
    item.receive("a", Sent, None, 15);
    assert_eq!(item.state, SendState::Waiting { due: 20 });
    item.attempt(20);
    item.receive("a", Sent, None, 21);
    assert!(matches!(item.state, SendState::Attempting { .. }), "it is not about this attempt");
    item.receive("b", Sent, None, 22);
    assert_eq!((item.state, item.message_id.as_deref()), (SendState::Sent, Some("b")));
    let mut item = taken();
    item.fails("a", false);
    item.receive("a", Sent, None, 15);
    assert_eq!(item.state, SendState::Failed);
}

#[test]
fn a_receipt_that_overtakes_the_answer_counts() {
    let mut item = item();
    item.attempt(4);
    item.fails("a", true);
    assert_eq!(item.state, SendState::Returned { taken: 4 });
    item.is_taken("a", 5);
    item.ends(Delivery::Unknown { until: 99, reason: "no answer".into() }, 5);
    assert_eq!(item.state, SendState::Returned { taken: 4 });
    // It was about the attempt before, and this one was taken.
    item.is_taken("b", 6);
    assert_eq!(item.state, SendState::Sent);
}

#[test]
fn one_copy_that_lives_is_enough() {
    let mut item = item();
    item.attempt(4);
    item.ends(Delivery::Unknown { until: 10, reason: "no answer".into() }, 5);
    item.attempt(10);
    item.is_taken("b", 11);
    item.receive("a", Sent, None, 12);
    item.fails("b", true);
    assert_eq!(item.state, SendState::Sent, "the first may arrive yet");
    item.fails("a", true);
    assert!(matches!(item.state, SendState::Returned { .. }));
}

/// What can happen to an item, with a copy's number where it is about one.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Begin,
    Taken,
    Lost,
    Again,
    Receipt(usize, ReceiptState, bool),
}

fn happens() -> impl Strategy<Value = Happens> {
    let state = prop::sample::select(vec![Sent, Failed, Failed, Delivered, Read]);
    prop_oneof![
        3 => Just(Happens::Begin),
        3 => Just(Happens::Taken),
        1 => Just(Happens::Lost),
        2 => Just(Happens::Again),
        4 => (0..4usize, state, prop::bool::weighted(0.8))
            .prop_map(|(copy, state, passing)| Happens::Receipt(copy, state, passing)),
    ]
}

proptest! {
    /// Receipts in any order, doubled and out of place: a message is to be sent
    /// only while all that is known of it has failed, and never once it arrived.
    #[test]
    fn nothing_that_lives_is_sent_again(steps in prop::collection::vec(happens(), 1..40)) {
        let (mut item, mut attempts, mut arrived) = (item(), 0_usize, false);
        let ids = |copy: usize| format!("wamid.{copy}");
        for (now, step) in (1..).map(|n| n * 100).zip(steps) {
            match step {
                Happens::Begin => if item.may_begin(now) {
                    prop_assert!(!arrived && item.copies.iter().all(|copy| copy.failed));
                    attempts += 1;
                    item.attempt(now);
                },
                Happens::Taken => if matches!(item.state, SendState::Attempting { .. } | SendState::Returned { .. }) { item.is_taken(&ids(attempts), now) },
                Happens::Lost => {
                    let reason = "no answer".into();
                    if matches!(item.state, SendState::Attempting { .. }) {
                        item.ends(Delivery::Unknown { until: now + 1, reason }, now);
                    }
                }
                Happens::Again => if item.due().is_some() {
                    item.ends(Delivery::RetryAfter { due: now, reason: "again".into() }, now);
                },
                Happens::Receipt(copy, state, passing) => {
                    if (1..=attempts).contains(&copy) {
                        let failure = failure(passing).filter(|_| state == Failed);
                        item.receive(&ids(copy), state, failure, now);
                        arrived |= state > Failed;
                    }
                }
            }
            if arrived {
                prop_assert_eq!(&item.state, &SendState::Sent);
                prop_assert!(item.receipt > Some(Failed));
            }
            if item.due().is_some() {
                prop_assert!(item.copies.iter().all(|copy| copy.failed), "{:?}", item);
            }
            if item.state == SendState::Sent {
                prop_assert!(item.reason.is_none() && item.error.is_none() && item.hold.rule.is_none());
                prop_assert!(arrived || item.copies.iter().any(|copy| !copy.failed), "{:?}", item);
            }
        }
    }
}

/// Cut off in an attempt, it was shown as held by a template that had long come
/// back.
#[test]
fn what_is_under_way_is_held_by_nothing() {
    let mut item = item();
    item.ends(Delivery::Held { due: 20, rule: Rule::Template, reason: "it rests".into() }, 10);
    assert_eq!((item.hold.rule, item.apart), (Some(Rule::Template), true));
    item.attempt(20);
    assert_eq!((item.hold.rule, item.hold.until, item.apart), (None, 20, true));
}
