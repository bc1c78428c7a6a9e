//! What waited for its campaign or its template, and need not any more.

use super::*;

const CAMPAIGN: &str = "spring";
/// Longer than a campaign that is paused is looked at.
const HELD_MS: Millis = 5 * 60_000;

fn steer(host: &Host, going: Going) {
    let key = CampaignKey { channel: channel(), step: "faq".into(), id: CAMPAIGN.into() };
    let begun = Broadcast::new(key, Segment::default(), String::new(), START);
    let broadcast = Broadcast { done: true, going, ..begun };
    host.store.kept().campaigns.insert(CAMPAIGN.into(), broadcast);
}

/// A message of the campaign that a rule has held since just now.
fn held(host: &Host, contact: u64, rule: Rule) -> SendId {
    let (id, now) = (ContactId(contact), host.clock.now());
    host.store.know(id, &channel(), now);
    let turn = TurnId { lane: Lane::Contact(id), seq: 1 };
    let to = Address { phone: Some(format!("1555000{contact}")), bsuid: None };
    let item = OutboxItem::new(SendId { turn, index: 0 }, (channel(), id, to), sale(), "faq", now);
    let mut item = OutboxItem { campaign: Some(CAMPAIGN.into()), ..item };
    let delivery = Delivery::Held { due: now + HELD_MS, rule, reason: "it waits".into() };
    item.record(&DeliveryRecord { id: item.id.clone(), delivery, at: now });
    let id = item.id.clone();
    host.store.put(item);
    id
}

/// It was let go by what had held it before, and was sent a second time.
#[tokio::test]
async fn what_is_under_way_is_not_let_go() {
    let host = host(80).await;
    steer(&host, Going::On);
    host.graph.then(&[Do::Hang]);
    let id = held(&host, 1, Rule::Campaign);
    host.outbox.campaign_resumed();
    let unknown = |host: &Host| {
        let item = host.store.item(&id);
        matches!(item.state, SendState::Attempting { .. }) && item.reason.is_some()
    };
    host.until("the request is given up", unknown).await;
    host.outbox.campaign_resumed();
    host.settle().await;
    host.outbox.template_lives(&channel(), "sale", "en");
    host.settle().await;
    assert!(matches!(host.state(&id), SendState::Attempting { .. }));
    assert_eq!(host.graph.count(), 1);
    host.finish().await;
}

/// Of many, those behind the first ten thousand waited for minutes.
#[tokio::test]
async fn all_go_however_many_they_are_and_nothing_else() {
    const MANY: u64 = 4_500;
    let host = host(1_000).await;
    steer(&host, Going::On);
    let all: Vec<_> = (1..=MANY).map(|contact| held(&host, contact, Rule::Campaign)).collect();
    let other = held(&host, MANY + 1, Rule::Quiet);
    host.outbox.campaign_resumed();
    let until = host.clock.now() + HELD_MS;
    let free = |host: &Host| {
        let kept = host.store.kept();
        all.iter().all(|id| kept.items[id].due().is_none_or(|due| due < until))
    };
    host.until("all are free", free).await;
    assert_eq!(host.store.item(&other).due(), Some(until));
    host.finish().await;
}

/// What was to be let go was known in memory alone.
#[tokio::test]
async fn a_process_that_begins_lets_go_what_nothing_holds() {
    let mut host = host(80).await;
    steer(&host, Going::Paused);
    host.settle().await;
    let ids = [held(&host, 1, Rule::Campaign), held(&host, 2, Rule::Campaign)];
    host.restart(false).await;
    host.settle().await;
    assert_eq!(host.graph.count(), 0, "it is paused");
    steer(&host, Going::On);
    let third = held(&host, 3, Rule::Template);
    host.restart(false).await;
    let sent = |host: &Host| ids.iter().chain([&third]).all(|id| host.sent(id));
    host.until("all are sent", sent).await;
    assert_eq!(host.graph.count(), 3);
    host.finish().await;
}
