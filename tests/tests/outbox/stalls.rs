//! What must not keep the sender from going on.

use super::*;

#[tokio::test]
async fn without_room_for_what_it_learned_the_sender_goes_on() {
    let host = host(80).await;
    host.store.kept().full = true;
    host.graph.then(&[Do::Refuse(400, 131_050)]);
    let stopped = host.put(1, 0, sale());
    host.until("it is recorded", |host| host.state(&stopped) == SendState::Failed).await;
    let other = host.text(2, 0);
    host.until("the other is sent", |host| host.sent(&other)).await;
    assert!(host.store.kept().accepted.is_empty());
    host.store.kept().full = false;
    let later = |host: &Host| !host.store.kept().accepted.is_empty();
    host.pass_until("the lane learns of it", 1000, later).await;
    host.finish().await;
}

#[tokio::test]
async fn a_removed_channel_does_not_hold_up_its_contacts_for_ever() {
    let host = host(80).await;
    host.store.know(ContactId(1), &channel(), START);
    let lost = host.put_on(ChannelId::new("gone"), 1, 0, Outgoing::Text("x".into()));
    host.store.kept().items.get_mut(&lost).unwrap().created_at = START - 24 * 3_600_000;
    let next = host.text(1, 1);
    host.until("the next is sent", |host| host.sent(&next)).await;
    assert_eq!(host.state(&lost), SendState::Failed);
    host.finish().await;
}
