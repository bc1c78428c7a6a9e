//! How fast messages leave, whatever happens: errors, restarts, traffic.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use switchboard::clock::SimulatedClock;

impl Host {
    fn promo(&self, campaign: &str, contact: u64) -> SendId {
        let id = self.put(contact, 0, sale());
        self.store.kept().items.get_mut(&id).unwrap().campaign = Some(campaign.into());
        id
    }
}

#[tokio::test]
async fn a_small_campaign_has_its_turn_beside_a_large_one() {
    let host = host(10).await;
    (1..=300).for_each(|contact| drop(host.promo("large", contact)));
    host.pass_until("it has begun", 200, |host| host.graph.count() >= 10).await;
    let small: Vec<_> = (1001..=1010).map(|contact| host.promo("small", contact)).collect();
    let before = host.graph.count();
    let sent = |host: &Host| small.iter().all(|id| host.sent(id));
    host.pass_until("the small one is through", 200, sent).await;
    let took = host.graph.count() - before;
    assert!((19..=32).contains(&took), "{took}");
    host.finish().await;
}

#[tokio::test]
async fn a_throttled_channel_sends_at_half_its_rate_for_a_while() {
    let host = host(40).await;
    host.graph.then(&[Do::Refuse(400, 130_429)]);
    let first = host.text(1, 0);
    host.until("it is turned away", |host| host.store.item(&first).reason.is_some()).await;
    let from = host.clock.now();
    (2..=200).for_each(|contact| drop(host.text(contact, 0)));
    host.pass_until("most are sent", 100, |host| host.graph.count() >= 150).await;
    let times = host.graph.times();
    let within = |from: Millis| {
        let from = from - START;
        times.iter().filter(|at| (from..from + 1000).contains(*at)).count()
    };
    assert!(within(from) <= 22 && within(from + 3_000) <= 24, "{times:?}");
    // After two minutes it has its whole rate again.
    host.clock.advance(120_000);
    host.settle().await;
    let from = host.clock.now();
    (201..=300).for_each(|contact| drop(host.text(contact, 0)));
    host.settle().await;
    let times = host.graph.times();
    let at_once = times.iter().filter(|at| **at == from - START).count();
    assert_eq!(at_once, 40);
    host.finish().await;
}

#[tokio::test]
async fn spam_complaints_rest_the_channel_for_growing_hours() {
    let hour: Millis = 3_600_000;
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(400, 131_048), Do::Refuse(400, 131_048)]);
    let ids: Vec<_> = (1..=3).map(|contact| host.text(contact, 0)).collect();
    // Three at once: one is turned away by the script, and the second.
    host.until("it rests", |host| !host.outbox.status().is_empty()).await;
    host.settle().await;
    assert!(host.outbox.status()[0].reason.contains("blocked or reported"));
    let before = host.graph.count();
    let sent = |host: &Host| ids.iter().all(|id| host.sent(id));
    let took = host.pass_until("all are sent", 300_000, sent).await;
    assert!((hour..2 * hour).contains(&took), "{took}");
    assert!(host.outbox.status().is_empty() && host.graph.count() > before);
    // One that tries and is turned away makes the next pause longer.
    host.graph.then(&[Do::Refuse(400, 131_048), Do::Refuse(400, 131_048)]);
    let id = host.text(4, 0);
    let took = host.pass_until("it is sent", 300_000, |host| host.sent(&id)).await;
    assert!((3 * hour..5 * hour).contains(&took), "{took}");
    host.finish().await;
}

#[tokio::test]
async fn what_the_account_may_not_do_pauses_the_channel_with_its_reason() {
    for code in [0, 3, 10, 190, 200, 299, 368, 131_005, 131_031, 131_037, 131_042, 131_045, 133_010]
    {
        let host = host(80).await;
        host.graph.then(&[Do::Refuse(400, code)]);
        let id = host.text(1, 0);
        host.until("it is paused", |host| !host.outbox.status().is_empty()).await;
        let reason = host.outbox.status().remove(0).reason;
        assert!(reason.contains(&format!("error {code}")), "{reason}");
        assert_eq!(host.outbox.metrics.paused.get(), 1);
        host.pass_until("it goes on by itself", 5_000, |host| host.sent(&id)).await;
        assert!(host.outbox.status().is_empty(), "{code}");
        host.finish().await;
    }
}

#[tokio::test]
async fn a_calls_limit_slows_the_channel_and_not_for_ever() {
    for code in [4, 80_007] {
        let host = host(80).await;
        host.graph.then(&[Do::Refuse(400, code), Do::Refuse(400, code)]);
        let id = host.text(1, 0);
        host.until("it is paused", |host| !host.outbox.status().is_empty()).await;
        let other = host.text(2, 0);
        host.settle().await;
        assert_eq!(host.graph.count(), 1, "the others wait too");
        let sent = |host: &Host| host.sent(&id) && host.sent(&other);
        let took = host.pass_until("both are sent", 5_000, sent).await;
        assert!((180_000..300_000).contains(&took), "{code}: {took}");
        host.finish().await;
    }
}

impl Host {
    fn trouble(&self, chance: &mut Chance) {
        let codes = [130_429, 131_056, 131_000, 131_016, 4, 190];
        let code = codes[chance.of(6) as usize];
        self.graph.then(&[Do::Refuse(400, code)]);
    }

    fn receive(&self, count: usize) {
        let message = Message::new("w", 0, Content::Text("hi".into()));
        let happening = Happening {
            channel: channel(),
            dedup: String::new(),
            sender: None,
            kind: EventKind::Message(message),
            raw: String::new(),
        };
        self.outbox.traffic.note(&vec![happening; count], self.clock.now());
    }
}

/// What happens in a run of chance.
struct Chance(SimulatedClock);

impl Chance {
    fn of(&mut self, choices: u64) -> u64 {
        (self.0.jitter() * choices as f64) as u64
    }
}

/// No span of a second sees more than the rate, and no contact more than its
/// share, in whatever span; counted by brute force.
fn check_pace(seed: u64, requests: &[(Millis, String)], rate: usize) {
    for (first, (start, _)) in requests.iter().enumerate() {
        let within = requests[first..].iter().take_while(|(at, _)| *at < start + 1000).count();
        assert!(within <= rate, "seed {seed}: {within} within a second of {start}");
    }
    let mut pairs: BTreeMap<&str, Vec<Millis>> = BTreeMap::new();
    for (at, id) in requests {
        pairs.entry(id.split('-').next().unwrap()).or_default().push(*at);
    }
    for (contact, times) in pairs {
        for (first, start) in times.iter().enumerate() {
            for (count, at) in (1..).zip(&times[first..]) {
                assert!(count <= 45 + (at - start) / 6000, "seed {seed}: {contact} at {at}");
            }
        }
    }
}

async fn random_run(seed: u64) {
    let mut chance = Chance(SimulatedClock::new(0, seed));
    let rate = 3 + chance.of(20) as u32;
    let mut host = host(rate).await;
    let (mut next, mut all, mut campaigns) = (100, Vec::new(), BTreeSet::new());
    // Of each answer to a new contact: how many requests there were before it.
    let mut answers = Vec::new();
    for _ in 0..60 {
        match chance.of(10) {
            0..=2 => {
                let promo = host.promo(&chance.of(3).to_string(), next);
                campaigns.insert(promo.to_string());
                all.push(promo);
                next += 1;
            }
            3 | 4 => {
                answers.push((host.text(next, 0), host.graph.count()));
                all.push(answers.last().unwrap().0.clone());
                next += 1;
            }
            5 => {
                // Many to one contact, some with a whole burst.
                let (contact, from) = (1 + chance.of(2), all.len() as u32);
                let count = if chance.of(4) == 0 { 60 } else { 3 };
                all.extend((from..from + count).map(|index| host.text(contact, index)));
            }
            6 => host.trouble(&mut chance),
            7 => host.receive(chance.of(30) as usize),
            8 => {
                host.restart(chance.of(2) == 0).await;
                receipts_settle(&host);
                // What was cut off waits for its grace.
                let cut = |id: &SendId| matches!(host.state(id), SendState::Attempting { .. });
                answers.retain(|(id, _)| !cut(id));
            }
            _ => {}
        }
        // The bell has rung before time goes on.
        host.settle().await;
        host.clock.advance(chance.of(4) * chance.of(500));
        host.settle().await;
    }
    let done = |host: &Host| all.iter().all(|id| host.sent(id));
    host.pass_until("all are sent", 6_000, done).await;
    let taken = host.graph.taken.lock().unwrap().clone();
    let unique: BTreeSet<_> = taken.iter().collect();
    assert_eq!(taken.len(), unique.len(), "seed {seed}: something was sent twice");
    assert_eq!(taken.len(), all.len(), "seed {seed}: something was lost");
    let requests: Vec<_> = host.graph.times().into_iter().zip(host.graph.ids()).collect();
    check_pace(seed, &requests, rate as usize);
    for (answer, before) in answers {
        let answer = answer.to_string();
        let left = requests[before..].iter().find(|(_, id)| *id == answer).unwrap().0;
        // Of one moment, the network decides.
        let earlier =
            requests[before..].iter().filter(|(at, id)| *at < left && campaigns.contains(id));
        let overtook: Vec<_> = earlier.collect();
        assert!(overtook.is_empty(), "seed {seed}: {answer} at {left} behind {overtook:?}");
    }
    host.finish().await;
}

/// What the end of the process cut off is settled by its receipts.
fn receipts_settle(host: &Host) {
    let taken = host.graph.taken.lock().unwrap().clone();
    let now = host.clock.now();
    for item in host.store.kept().items.values_mut() {
        if matches!(item.state, SendState::Attempting { .. })
            && taken.contains(&item.id.to_string())
        {
            item.receive("wamid.x", ReceiptState::Sent, None, now);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_the_pace_is_kept_and_each_message_leaves_once() {
    for seed in 0..8 {
        random_run(seed).await;
    }
}

#[test]
fn the_check_of_the_pace_can_see() {
    let of = |times: &[Millis]| -> Vec<(Millis, String)> {
        times.iter().map(|at| (*at, "c1-1-0".to_owned())).collect()
    };
    check_pace(0, &of(&[0, 500, 1000]), 2);
    assert!(std::panic::catch_unwind(|| check_pace(0, &of(&[0, 500, 999]), 2)).is_err());
    let burst = vec![5; 46];
    assert!(std::panic::catch_unwind(|| check_pace(0, &of(&burst), 99)).is_err());
}
