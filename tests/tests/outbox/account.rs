//! What an account says of itself stops what it stops before the first refusal.

use super::*;

const HOUR: Millis = 3_600_000;

fn stopped(templates_only: bool, until: Option<Millis>) -> Stoppage {
    let reason = "meta disabled the account".into();
    let news = AccountNews { stopped: true, reason, templates_only, until, account: None };
    Stoppage { channel: channel(), at: START, news }
}

impl Host {
    /// The account says it; none: that it can send.
    async fn told(&self, stoppage: Option<Stoppage>) {
        let shown = usize::from(stoppage.is_some()) * 2;
        self.store.kept().stoppages = stoppage.into_iter().collect();
        self.until("it is shown", |host| host.outbox.status().len() == shown).await;
    }
}

#[tokio::test]
async fn an_account_that_is_disabled_sends_nothing_until_it_says_so() {
    let mut host = host(80).await;
    host.told(Some(stopped(false, None))).await;
    let shown = host.outbox.status();
    assert_eq!(shown.iter().map(|one| &one.channel).collect::<Vec<_>>(), [&channel(), &second()]);
    assert_eq!((shown[0].since, shown[0].reason.as_str()), (START, "meta disabled the account"));
    assert!(!shown[0].templates_only);
    assert_eq!(host.outbox.metrics.paused.get(), 2);
    let (ours, other) = (host.text(1, 0), host.put_on(second(), 2, 0, sale()));
    host.clock.advance(50_000);
    host.settle().await;
    // So it is for another process, which neither asks nor forgets.
    host.restart(true).await;
    host.until("it is shown", |host| host.outbox.status().len() == 2).await;
    host.settle().await;
    assert_eq!((host.graph.count(), host.outbox.status()[0].since), (0, START));
    host.told(None).await;
    host.until("both are sent", |host| host.sent(&ours) && host.sent(&other)).await;
    assert_eq!(host.outbox.metrics.paused.get(), 0);
    host.finish().await;
}

#[tokio::test]
async fn a_message_that_gets_through_proves_an_account_wrong() {
    let mut host = host(80).await;
    host.told(Some(stopped(false, None))).await;
    host.graph.then(&[Do::Refuse(403, 131_031)]);
    let ids = [host.text(1, 0), host.put_on(second(), 2, 0, sale()), host.text(3, 0)];
    let all = |host: &Host| ids.iter().all(|id| host.sent(id));
    let took = host.pass_until("all are sent", 1000, all).await;
    assert!((60_000..125_000).contains(&took), "{took}");
    assert_eq!(host.graph.count(), 4, "one was turned away");
    host.until("it is forgotten", |host| host.store.kept().stoppages.is_empty()).await;
    host.restart(true).await;
    let next = host.text(4, 0);
    host.until("it is sent", |host| host.sent(&next)).await;
    host.finish().await;
}

#[tokio::test]
async fn a_process_that_begins_later_tries_at_once() {
    let host = host(80).await;
    host.clock.advance(HOUR);
    host.told(Some(stopped(false, None))).await;
    let id = host.text(1, 0);
    host.until("it is sent", |host| host.sent(&id)).await;
    host.finish().await;
}

#[tokio::test]
async fn an_account_that_may_send_no_templates_still_answers() {
    let host = host(80).await;
    host.told(Some(stopped(true, Some(START + 3 * HOUR)))).await;
    assert!(host.outbox.status()[0].templates_only);
    assert_eq!((host.outbox.metrics.paused.get(), host.outbox.metrics.restricted.get()), (0, 2));
    let (sale, answer) = (host.put(1, 0, sale()), host.text(1, 1));
    host.until("the answer is sent", |host| host.sent(&answer)).await;
    let reason = host.store.item(&sale).reason.unwrap();
    assert!(reason.ends_with("no templates for now (rule `restricted`)"), "{reason}");
    // Nobody says that it is over.
    let took = host.pass_until("it is sent", 60_000, |host| host.sent(&sale)).await;
    assert_eq!(took, 3 * HOUR);
    assert_eq!(host.graph.ids(), ["c1-1-1", "c1-1-0"]);
    let shown = |host: &Host| !host.outbox.status().is_empty();
    host.until("it is shown no more", |host| !shown(host)).await;
    assert_eq!(host.outbox.metrics.restricted.get(), 0);
    host.finish().await;
}
