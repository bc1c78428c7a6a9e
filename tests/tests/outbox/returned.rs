//! Messages that were taken and failed afterwards, as a receipt said.

use super::*;
use switchboard::provider::{Provider, meta::Meta};
use switchboard_tests::shop;

impl Host {
    /// A receipt says that what was taken last of an item has failed.
    fn fails(&self, id: &SendId, code: u32) {
        let (class, reason) = Meta::new(&shop::channel("http://127.0.0.1:1")).explain(code, "");
        let failure = Failure { code, reason, passing: class.is_passing() };
        self.hears(id, ReceiptState::Failed, Some(failure));
    }

    fn hears(&self, id: &SendId, state: ReceiptState, failure: Option<Failure>) {
        let now = self.clock.now();
        let mut kept = self.store.kept();
        let item = kept.items.get_mut(id).unwrap();
        let last = item.copies.last().unwrap().message_id.clone();
        item.receive(&last, state, failure, now);
    }

    /// Each time it is taken, it fails, until it is given up; how often it left.
    async fn fails_for_good(&self, id: &SendId, code: u32) -> usize {
        for _ in 0..99 {
            self.pass_until("it is taken or given up", 20_000, |host| {
                host.sent(id) || host.state(id) == SendState::Failed
            })
            .await;
            if self.state(id) == SendState::Failed {
                break;
            }
            self.fails(id, code);
        }
        self.graph.ids().iter().filter(|one| **one == id.to_string()).count()
    }
}

#[tokio::test]
async fn what_failed_late_leaves_again_after_its_pause() {
    let host = host(80).await;
    let (first, second) = (host.text(1, 0), host.text(1, 1));
    host.until("both are taken", |host| host.sent(&first) && host.sent(&second)).await;
    host.fails(&first, 131_016);
    host.until("it waits", |host| matches!(host.state(&first), SendState::Waiting { .. })).await;
    let reason = host.store.item(&first).reason.unwrap();
    assert!(reason.contains("it is tried again (error 131016)"), "{reason}");
    let third = host.text(1, 2);
    host.until("the others go on", |host| host.sent(&third)).await;
    let took = host.pass_until("it is taken again", 100, |host| host.sent(&first)).await;
    assert!((1_000..=1_600).contains(&took), "{took}");
    // The second time it waits for longer.
    host.fails(&first, 131_016);
    host.settle().await;
    let took = host.pass_until("and once more", 100, |host| host.sent(&first)).await;
    assert!((2_000..=3_200).contains(&took), "{took}");
    assert_eq!(host.graph.count(), 5);
    host.finish().await;
}

#[tokio::test]
async fn what_fails_each_time_is_given_up() {
    for (code, tries) in [(131_016, 20), (131_000, 5), (131_053, 2), (131_026, 1), (132_015, 20)] {
        let host = host(80).await;
        let id = host.put(1, 0, sale());
        assert_eq!(host.fails_for_good(&id, code).await, tries, "{code}");
        let reason = host.store.item(&id).reason.unwrap();
        assert!(reason.contains(&format!("(error {code})")), "{reason}");
        host.finish().await;
    }
}

#[tokio::test]
async fn once_is_once_after_other_trouble_too() {
    let host = host(80).await;
    host.graph.then(&[Do::Refuse(500, 131_016)]);
    let id = host.text(1, 0);
    host.pass_until("it is taken", 250, |host| host.sent(&id)).await;
    assert_eq!(host.fails_for_good(&id, 131_053).await, 3);
    host.finish().await;
}

#[tokio::test]
async fn what_arrived_after_all_is_not_sent_again() {
    let host = host(80).await;
    let id = host.text(1, 0);
    host.until("it is taken", |host| host.sent(&id)).await;
    host.fails(&id, 131_016);
    host.until("it waits", |host| matches!(host.state(&id), SendState::Waiting { .. })).await;
    // While the sender has it in hand.
    host.graph.then(&[Do::Refuse(400, 190)]);
    let probe = host.text(2, 0);
    host.until("nothing leaves", |host| !host.outbox.status().is_empty()).await;
    host.clock.advance(2_000);
    host.settle().await;
    host.hears(&id, ReceiptState::Delivered, None);
    host.pass_until("it goes on", 5_000, |host| host.sent(&probe)).await;
    host.clock.advance(60_000);
    host.settle().await;
    assert_eq!(host.graph.ids(), ["c1-1-0", "c2-1-0", "c2-1-0"]);
    // And what fails then, fails for nobody.
    host.fails(&id, 131_016);
    host.settle().await;
    assert!(host.sent(&id));
    host.finish().await;
}

#[tokio::test]
async fn a_channel_heeds_what_it_hears_late() {
    let host = host(40).await;
    let ids: Vec<_> = (1..=40).map(|contact| host.text(contact, 0)).collect();
    host.until("all are taken", |host| ids.iter().all(|id| host.sent(id))).await;
    host.clock.advance(5_000);
    // All of one moment: that is one complaint.
    ids.iter().for_each(|id| host.fails(id, 130_429));
    host.settle().await;
    host.clock.advance(10_000);
    let from = host.clock.now() - START;
    (100..200).for_each(|contact| drop(host.text(contact, 0)));
    host.settle().await;
    host.clock.advance(999);
    host.settle().await;
    let times = host.graph.times();
    let within = times.iter().filter(|at| (from..from + 1_000).contains(*at)).count();
    assert!((20..=25).contains(&within), "{within}");
    host.finish().await;
}

#[tokio::test]
async fn what_stops_a_channel_stops_it_late_too() {
    let host = host(80).await;
    let id = host.text(1, 0);
    host.until("it is taken", |host| host.sent(&id)).await;
    host.fails(&id, 131_042);
    host.until("it is paused", |host| !host.outbox.status().is_empty()).await;
    assert!(host.outbox.status()[0].reason.contains("payment"));
    let other = host.text(2, 0);
    host.settle().await;
    assert_eq!(host.graph.count(), 1, "nothing leaves");
    let sent = |host: &Host| host.sent(&id) && host.sent(&other);
    host.pass_until("all leave once it works", 5_000, sent).await;
    assert_eq!(host.graph.count(), 3);
    assert!(host.outbox.status().is_empty());
    host.finish().await;
}

#[tokio::test]
async fn a_template_that_rests_rests_late_too() {
    let host = host(80).await;
    let id = host.put(1, 0, sale());
    host.until("it is taken", |host| host.sent(&id)).await;
    host.fails(&id, 132_015);
    let held = |host: &Host, id: &SendId| host.store.item(id).hold.rule == Some(Rule::Template);
    host.until("it is held", |host| held(host, &id)).await;
    let (other, answer) = (host.put(2, 0, sale()), host.text(2, 1));
    host.until("the answer leaves", |host| host.sent(&answer)).await;
    assert!(held(&host, &other));
    host.finish().await;
}

#[tokio::test]
async fn what_came_back_is_decided_on_after_a_restart() {
    let mut host = host(80).await;
    let id = host.text(1, 0);
    host.until("it is taken", |host| host.sent(&id)).await;
    host.restart(false).await;
    host.fails(&id, 131_016);
    host.restart(false).await;
    let took = host.pass_until("it is taken again", 100, |host| host.sent(&id)).await;
    assert!((1_000..=1_700).contains(&took), "{took}");
    assert_eq!(host.graph.count(), 2);
    host.finish().await;
}

#[tokio::test]
async fn what_came_back_to_a_channel_that_is_gone_waits_for_it() {
    let host = host(80).await;
    let id = host.text(1, 0);
    host.until("it is taken", |host| host.sent(&id)).await;
    host.fails(&id, 131_016);
    host.store.kept().items.get_mut(&id).unwrap().channel = ChannelId::new("gone");
    host.until("it waits", |host| matches!(host.state(&id), SendState::Waiting { .. })).await;
    host.clock.advance(120_000);
    host.until("it is said", |host| !host.outbox.status().is_empty()).await;
    let next = host.text(1, 1);
    host.until("others go on", |host| host.sent(&next)).await;
    host.finish().await;
}
