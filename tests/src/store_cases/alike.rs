//! Two stores against each other: the same random actions, the same answers.

use super::*;
use crate::store_cases::identities::moved;
use proptest::prelude::*;
use std::fmt::Debug;
use switchboard::store::{Result, memory};

#[derive(Clone, Debug)]
pub enum Action {
    Accept {
        who: Vec<u8>,
        what: u8,
    },
    Receipt {
        send: u8,
        by_id: bool,
        state: u8,
        earlier: bool,
    },
    Turn {
        lane: u8,
        tags: Vec<(u8, bool)>,
        sends: Vec<(u8, u64)>,
        timer: Option<u64>,
        value: usize,
        stale: bool,
    },
    Fire {
        first: bool,
    },
    Begin,
    Record {
        which: u8,
        how: u8,
    },
    FanOut,
    Sweep,
    Wait {
        ms: u64,
    },
    Reopen,
}

pub fn actions() -> impl Strategy<Value = Vec<Action>> {
    let turn = (
        0..4u8,
        prop::collection::vec((0..3u8, any::<bool>()), 0..3),
        prop::collection::vec((1..4u8, 0..50u64), 0..3),
        prop::option::of(0..60u64),
        0..9_000usize,
        prop::bool::weighted(0.1),
    );
    let turn = turn.prop_map(|(lane, tags, sends, timer, value, stale)| Action::Turn {
        lane,
        tags,
        sends,
        timer,
        value,
        stale,
    });
    let action = prop_oneof![
        4 => (prop::collection::vec(0..10u8, 1..4), 0..12u8)
            .prop_map(|(who, what)| Action::Accept { who, what }),
        3 => (0..8u8, any::<bool>(), 0..7u8, prop::bool::weighted(0.3)).prop_map(
            |(send, by_id, state, earlier)| Action::Receipt { send, by_id, state, earlier }
        ),
        6 => turn,
        1 => any::<bool>().prop_map(|first| Action::Fire { first }),
        3 => Just(Action::Begin),
        3 => (0..8u8, 0..7u8).prop_map(|(which, how)| Action::Record { which, how }),
        1 => Just(Action::FanOut),
        1 => Just(Action::Sweep),
        2 => (1..80u64).prop_map(|ms| Action::Wait { ms }),
        1 => Just(Action::Reopen),
    ];
    prop::collection::vec(action, 1..60)
}

struct Run {
    store: Shared,
    now: Millis,
    sends: Vec<SendId>,
    log: Vec<String>,
}

impl Run {
    fn new(store: Shared) -> Self {
        Self { store, now: NOW, sends: Vec::new(), log: Vec::new() }
    }

    fn note(&mut self, outcome: impl Debug) {
        self.log.push(format!("{outcome:?}"));
    }

    fn send(&self, which: u8) -> SendId {
        let none = || "c99-1-0".parse().unwrap();
        self.sends.iter().rev().nth(which.into()).cloned().unwrap_or_else(none)
    }

    async fn act(&mut self, action: &Action) -> Result<()> {
        let store = self.store.clone();
        let now = self.now;
        match action {
            Action::Accept { who, what } => {
                let one = |who: &u8| match who {
                    0 => account(&format!("m{what}")),
                    4 => message(bsuid("US.1"), &format!("m{what}")),
                    5 => message(both("1", "US.1"), &format!("m{what}")),
                    6 => message(both("2", "US.1"), &format!("m{what}")),
                    7 => message(both("3", "US.2"), &format!("m{what}")),
                    8 => message(bsuid("US.2"), &format!("m{what}")),
                    9 => moved(both("1", "US.1"), both("3", "US.3"), &format!("m{what}")),
                    who => message(phone(&who.to_string()), &format!("m{what}")),
                };
                self.note(store.accept(who.iter().map(one).collect(), now).await?);
            }
            Action::Receipt { .. } => self.receipt(action).await?,
            Action::Turn { .. } => self.turn(action).await?,
            Action::Fire { first } => {
                let mut due = store.due_timers(now, 9).await?;
                self.note(&due);
                if let (true, Some(timer)) = (first, due.first_mut()) {
                    timer.payload = "not the one that is stored".into();
                }
                store.fire(due, now).await?;
            }
            Action::Begin => {
                let due = store.due_outbox(now, 9).await?;
                let charge = Charge {
                    day: 20_261_122,
                    class: PriceClass::Service,
                    currency: "EUR".into(),
                    micros: 7,
                };
                let begin = |item: OutboxItem| Attempt {
                    opens: item.attempts > 0,
                    charge: Some(charge.clone()),
                    ..Attempt::new(item.id, now, now + 30)
                };
                self.note(store.begin_attempts(due.into_iter().map(begin).collect()).await?);
            }
            Action::Record { which, how } => self.record(*which, *how).await?,
            Action::FanOut => {
                for broadcast in store.open_broadcasts().await? {
                    let page = store.audience(&broadcast.to, broadcast.cursor, 2, now).await?;
                    self.note(&page);
                    store.fan_out(&broadcast, page, now).await?;
                }
            }
            Action::Sweep => {
                self.note(store.attempts_since(now - 60, 9).await?);
                self.note(store.openings_since(NOW, 9).await?);
                self.note(store.spending(0, u32::MAX).await?);
                self.note(store.sweep(now, 100).await?);
            }
            Action::Wait { ms } => self.now += ms,
            Action::Reopen => {}
        }
        Ok(())
    }

    async fn receipt(&mut self, action: &Action) -> Result<()> {
        use ReceiptState::*;
        let Action::Receipt { send, by_id, state, earlier } = action else { return Ok(()) };
        let send = self.send(*send);
        let state = [Sent, Failed, Failed, Failed, Delivered, Read, Played][usize::from(*state)];
        // Of the last attempt, or of one before it.
        let attempts = self.store.outbox_item(&send).await?.map_or(0, |item| item.attempts);
        let copy = attempts.saturating_sub(u32::from(*earlier));
        let id = format!("wamid.{send}.{copy}");
        let receipt = receipt(&id, (!by_id).then_some(&send), state);
        self.note(self.store.accept(vec![receipt_of(None, receipt)], self.now).await?);
        Ok(())
    }

    async fn record(&self, which: u8, how: u8) -> Result<()> {
        let (id, now) = (self.send(which), self.now);
        let reason = "because".to_owned();
        let attempts = self.store.outbox_item(&id).await?.map_or(0, |item| item.attempts);
        let delivery = match how {
            0 => Delivery::Sent { message_id: format!("wamid.{id}.{attempts}") },
            1 => Delivery::RetryAfter { due: now + 20, reason },
            2 => Delivery::Rejected { reason, code: None },
            5 | 6 => Delivery::Held { due: now + 30, rule: Rule::Quiet, reason },
            3 => Delivery::Refused { rule: Rule::Window, reason },
            _ => Delivery::Unknown { until: now + 40, reason },
        };
        self.store.record_deliveries(vec![DeliveryRecord { id, delivery, at: now }]).await
    }

    async fn turn(&mut self, action: &Action) -> Result<()> {
        let Action::Turn { lane, tags, sends, timer: due, value, stale } = action else {
            return Ok(());
        };
        let (store, now) = (self.store.clone(), self.now);
        let lane = match lane {
            0 => Lane::Channel(main_channel()),
            id => Lane::Contact(ContactId((*id).into())),
        };
        let Some(snapshot) = store.next_in_lane(&lane).await? else { return Ok(()) };
        self.note((&snapshot.event, &snapshot.contact));
        let mut commit = TurnCommit::new(snapshot.event.id.clone());
        commit.trace = Some(trace(&commit.turn, now));
        commit.contact = snapshot.contact;
        if let Some(contact) = &mut commit.contact {
            for (name, set) in tags {
                let name = format!("tag {name}");
                let expires = Some(now + 50).filter(|_| *value % 2 == 0);
                let effect = match set {
                    true => Effect::Tag { name, expires },
                    false => Effect::Untag { name },
                };
                contact.apply(&effect, "tagger", now);
            }
            contact.version += u64::from(*stale);
        }
        if let EventKind::Receipt(receipt) = snapshot.event.kind {
            commit.receipt = Some(failing(receipt, value % 4 > 0));
        }
        for (to, wait) in sends {
            let to = ContactId((*to).into());
            // The host names nobody who is not there.
            if store.contact(to).await?.is_some() {
                commit.outbox.push(item(&commit, to, now + wait));
            }
        }
        let sends: Vec<SendId> = commit.outbox.iter().map(|item| item.id.clone()).collect();
        let name = format!("timer {}", value % 2);
        commit.timers.push(match due {
            Some(wait) => TimerWrite::Set(timer(&lane, &name, now + wait)),
            None => TimerWrite::Cancel(timer(&lane, &name, 0).key),
        });
        let scope = if *stale { KvScope::Plugin } else { KvScope::Contact };
        let value_of = (value % 5 > 0).then(|| bytes(*value, 1));
        let mut write = kv("faq", scope, &format!("key {}", value % 3), value_of);
        write.expires = Some(now + 70).filter(|_| value % 2 == 1);
        commit.kv.push(write);
        if value % 7 == 0 {
            let to = Segment { any: vec!["tag 0".into(), "tag 1".into()], ..Segment::default() };
            let (channel, step, id) = (main_channel(), "promo".into(), format!("{}", value % 3));
            let key = CampaignKey { channel, step, id };
            commit.broadcasts.push(Broadcast::new(key, to, String::new(), now));
        }
        if value % 11 == 0 {
            commit.parked = Some("no more".into());
        }
        let outcome = store.commit(commit, now).await;
        if let Ok(true) = outcome {
            self.sends.extend(sends);
        }
        self.note(outcome.map_err(|error| error.to_string()));
        Ok(())
    }

    /// All that can be read.
    async fn read_all(&mut self) -> Result<()> {
        let (store, now) = (self.store.clone(), self.now);
        self.note(store.depths().await?);
        self.note(store.contacts(None, 99).await?);
        self.note(store.due_outbox(Millis::MAX, 99).await?);
        self.note(store.due_timers(Millis::MAX, 99).await?);
        self.note(store.open_broadcasts().await?);
        self.note(store.parked(99).await?);
        for lane in ["c1", "c2", "c3", "@main"].map(|lane| lane.parse::<Lane>().unwrap()) {
            self.note(store.traces(&lane, None, 99).await?);
            for scope in [KvScope::Contact, KvScope::Plugin] {
                for key in store.kv_keys("faq", scope, &lane, "", 99, now).await? {
                    self.note((&key, store.kv_get("faq", scope, &lane, &key, now).await?));
                }
            }
            if let Some(id) = lane.contact() {
                self.note(store.outbox_of(id, 99).await?);
            }
        }
        Ok(())
    }
}

/// With what one of failure says.
fn failing(receipt: Receipt, passing: bool) -> (Receipt, Option<Failure>) {
    let failure = (receipt.state == ReceiptState::Failed).then(|| outbox::failure(1, passing));
    (receipt, failure)
}

/// Runs the actions on a store in memory and on one that can be opened again.
pub async fn compare(actions: &[Action], open: impl Fn() -> Shared) {
    let mut remembered = Run::new(memory());
    let mut stored = Run::new(open());
    for action in actions {
        if let Action::Reopen = action {
            stored.store = memory();
            stored.store = open();
        }
        remembered.act(action).await.unwrap();
        stored.act(action).await.unwrap();
        assert_eq!(remembered.log.last(), stored.log.last(), "after {action:?}");
        check_invariants(&remembered.store).await;
    }
    remembered.read_all().await.unwrap();
    stored.read_all().await.unwrap();
    assert_eq!(remembered.log, stored.log);
    let lanes = ["c1", "c2", "c3", "@main"].map(|lane| lane.parse::<Lane>().unwrap());
    for store in [&remembered.store, &stored.store] {
        check_invariants(store).await;
        check_usage(store, "faq", &lanes).await;
    }
}
