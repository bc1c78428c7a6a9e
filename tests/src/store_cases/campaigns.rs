//! Campaigns: each member counted once, whatever becomes of it, and whether
//! they go on.

use super::{
    outbox::{begin, record, sent},
    *,
};
use switchboard::store::{Audience, Funnels, funnels};

fn key() -> CampaignKey {
    CampaignKey { channel: main_channel(), step: "promo".into(), id: "spring".into() }
}

/// So many contacts whom a campaign has reached, and whose turns are yet to come.
async fn reached(store: &Shared, count: usize) -> Vec<ContactId> {
    let mut members = Vec::new();
    for n in 1..=count {
        members.push(contact(store, &n.to_string()).await);
    }
    reach(store, members.clone()).await;
    members
}

async fn reach(store: &Shared, members: Vec<ContactId>) {
    reach_on(store, members, Terms::default()).await;
}

async fn reach_on(store: &Shared, members: Vec<ContactId>, terms: Terms) {
    accept(store, account("begin")).await;
    let begun = Broadcast::new(key(), Segment::default(), "p".into(), NOW);
    let broadcast = Broadcast { terms, ..begun };
    turn(store, &"@main".parse().unwrap(), |commit| commit.broadcasts.push(broadcast.clone()))
        .await;
    store.fan_out(&broadcast, Audience { members, next: None }, NOW).await.unwrap();
}

/// A member's turn on its next event.
async fn member_turn(
    store: &Shared,
    who: ContactId,
    fill: impl FnOnce(&mut TurnCommit, &mut MemberTurn),
) -> TurnId {
    let lane = Lane::Contact(who);
    let event = store.next_in_lane(&lane).await.unwrap().unwrap().event;
    turn(store, &lane, |commit| {
        let mut member = MemberTurn {
            of: event.member.expect("an event of a campaign"),
            step: "promo".into(),
            channel: main_channel(),
            sends: Vec::new(),
            left_out: None,
            variant: None,
            otherwise: "the step sent nothing".into(),
        };
        fill(commit, &mut member);
        commit.member = Some(member);
    })
    .await
}

/// The member's turn sends it a message.
async fn sends(store: &Shared, who: ContactId, variant: &str) -> SendId {
    let turn = member_turn(store, who, |commit, member| {
        let item = OutboxItem {
            step: "promo".into(),
            campaign: Some("spring".into()),
            member: Some(member.of.contact),
            ..item(commit, who, NOW)
        };
        member.sends.push(item.id.clone());
        member.variant = Some(variant.into());
        commit.outbox.push(item);
    })
    .await;
    SendId { turn, index: 0 }
}

fn carried(who: ContactId, due: Millis) -> Timer {
    let key = TimerKey { lane: Lane::Contact(who), step: "promo".into(), name: "spring".into() };
    let member = Some(Membership { campaign: "spring".into(), contact: who });
    Timer { key, channel: main_channel(), due, payload: String::new(), member, retry: None }
}

async fn waits(store: &Shared, who: ContactId) {
    member_turn(store, who, |commit, _| {
        commit.timers.push(TimerWrite::Set(carried(who, NOW + 50)));
    })
    .await;
}

/// The funnel, which adds up.
async fn counted(store: &Shared) -> Funnels {
    let found = funnels(&**store, &key(), |_, _| {}).await.unwrap().unwrap();
    let left_out: u64 = found.whole.left_out.values().sum();
    let whole = &found.whole;
    assert_eq!(whole.audience, found.broadcast.reached, "{whole:?}");
    assert_eq!(left_out + whole.waiting + whole.messages(), whole.audience, "{whole:?}");
    assert!(whole.accepted >= whole.sent && whole.sent >= whole.delivered, "{whole:?}");
    found
}

fn one(reason: &str) -> BTreeMap<String, u64> {
    [(reason.to_owned(), 1)].into()
}

/// A receipt of the message comes.
async fn receives(store: &Shared, id: &SendId, state: ReceiptState) {
    let receipt = receipt(&format!("wamid.{id}"), Some(id), state);
    let lane = accept(store, receipt_of(None, receipt.clone())).await.lane;
    turn(store, &lane, |commit| commit.receipt = Some((receipt, None))).await;
}

async fn leaves(store: &Shared, id: &SendId) {
    assert!(begin(store, id, NOW).await);
    record(store, id, sent(&format!("wamid.{id}"))).await;
}

/// One in each state; returns the messages that were delivered, failed and wait.
async fn one_of_each(store: &Shared) -> (Vec<ContactId>, [SendId; 3]) {
    let members = reached(store, 7).await;
    assert_eq!(counted(store).await.whole.waiting, 7);
    let delivered = sends(store, members[0], "a").await;
    let failed = sends(store, members[1], "b").await;
    let queued = sends(store, members[2], "b").await;
    member_turn(store, members[3], |_, member| member.left_out = Some("no consent".into())).await;
    member_turn(store, members[4], |_, _| {}).await;
    waits(store, members[5]).await;
    assert_eq!(counted(store).await.whole.queued, [("its turn".into(), 3)].into());
    leaves(store, &delivered).await;
    receives(store, &delivered, ReceiptState::Delivered).await;
    assert!(begin(store, &failed, NOW).await);
    record(store, &failed, Delivery::Rejected { reason: "no".into(), code: Some(131_026) }).await;
    let held = Delivery::Held { due: NOW + 9, rule: Rule::Quiet, reason: "at night".into() };
    record(store, &queued, held).await;
    (members, [delivered, failed, queued])
}

pub async fn every_member_of_a_campaign_is_counted_once(store: Shared) {
    let (members, _) = one_of_each(&store).await;
    let Funnels { whole, variants, .. } = counted(&store).await;
    let left_out = [("no consent".into(), 1), ("the step sent nothing".into(), 1)];
    assert_eq!(whole.left_out, left_out.into());
    assert_eq!((whole.waiting, whole.accepted, whole.delivered, whole.read), (2, 1, 1, 0));
    assert_eq!((whole.failed, whole.queued), (one("no (131026)"), one("quiet")));
    assert_eq!((variants["a"].audience, variants["b"].audience, variants.len()), (1, 2, 2));
    // The timer fires, its event waits, its turn sends.
    let due = store.due_timers(NOW + 50, 9).await.unwrap();
    store.fire(due, NOW + 50).await.unwrap();
    assert_eq!(counted(&store).await.whole.waiting, 2);
    sends(&store, members[5], "a").await;
    assert_eq!(counted(&store).await.whole.waiting, 1);

    // In pages, in order, each once.
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.members(&key(), after, 3).await.unwrap();
        seen.extend(page.members.iter().map(|one| one.member.contact));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, members);
    assert_eq!(store.campaigns(9).await.unwrap().len(), 1);
    let unknown = CampaignKey { id: "autumn".into(), ..key() };
    assert!(store.campaign(&unknown).await.unwrap().is_none());
    check_invariants(&store).await;
}

pub async fn members_who_are_swept_stay_counted(store: Shared) {
    one_of_each(&store).await;
    let before = counted(&store).await;
    while store.sweep(NOW + 10_000, 1_000).await.unwrap() > 3 {}
    assert_eq!(counted(&store).await, before);
    // Who waits is still known one by one, the others are numbers.
    let kept = store.members(&key(), None, 99).await.unwrap().members;
    let states: Vec<_> = kept.iter().map(|one| one.standing.name()).collect();
    assert_eq!(states, ["queued", "waiting", "waiting"]);
    check_invariants(&store).await;
}

pub async fn a_paused_campaign_begins_nothing(store: Shared) {
    let members = reached(&store, 2).await;
    let message = sends(&store, members[0], "a").await;
    assert_eq!(store.steer(&key(), Going::Paused).await.unwrap(), Some(Going::Paused));
    assert!(!begin(&store, &message, NOW).await, "it is paused");
    assert_eq!(store.steer(&key(), Going::On).await.unwrap(), Some(Going::On));
    assert!(begin(&store, &message, NOW).await);
    // Nobody further is reached while it is paused.
    let other = CampaignKey { id: "other".into(), ..key() };
    let broadcast = Broadcast::new(other.clone(), Segment::default(), "p".into(), NOW);
    accept(&store, account("another")).await;
    turn(&store, &"@main".parse().unwrap(), |commit| commit.broadcasts.push(broadcast.clone()))
        .await;
    store.steer(&other, Going::Paused).await.unwrap();
    assert_eq!(store.open_broadcasts().await.unwrap(), []);
    let page = Audience { members: members.clone(), next: None };
    store.fan_out(&broadcast, page.clone(), NOW).await.unwrap();
    assert_eq!(store.members(&other, None, 9).await.unwrap().members, []);
    store.steer(&other, Going::On).await.unwrap();
    assert_eq!(store.open_broadcasts().await.unwrap(), std::slice::from_ref(&broadcast));
    store.fan_out(&broadcast, page, NOW).await.unwrap();
    assert_eq!(store.members(&other, None, 9).await.unwrap().members.len(), 2);
    let nobody = CampaignKey { id: "autumn".into(), ..key() };
    assert_eq!(store.steer(&nobody, Going::Paused).await.unwrap(), None);
    check_invariants(&store).await;
}

pub async fn a_stopped_campaign_leaves_out_who_waits(store: Shared) {
    one_of_each(&store).await;
    store.steer(&key(), Going::Stopped).await.unwrap();
    let whole = counted(&store).await.whole;
    assert_eq!(whole.left_out[Going::STOPPED], 2);
    assert_eq!((whole.waiting, whole.queued, whole.refused), (0, [].into(), one("campaign")));
    assert_eq!((whole.delivered, whole.failed), (1, one("no (131026)")), "what was, was");
    assert_eq!(store.steer(&key(), Going::On).await.unwrap(), Some(Going::Stopped), "for ever");
    check_invariants(&store).await;
}

pub async fn what_has_failed_goes_again_unless_it_arrived(store: Shared) {
    let members = reached(&store, 3).await;
    let mut ids = Vec::new();
    for member in &members {
        ids.push(sends(&store, *member, "a").await);
    }
    let [refused, failed, delivered] = ids.as_slice() else { panic!() };
    assert!(begin(&store, refused, NOW).await);
    record(&store, refused, Delivery::Rejected { reason: "no".into(), code: Some(130_472) }).await;
    for id in [failed, delivered] {
        leaves(&store, id).await;
    }
    receives(&store, failed, ReceiptState::Failed).await;
    receives(&store, delivered, ReceiptState::Delivered).await;
    assert_eq!(counted(&store).await.whole.failed.values().sum::<u64>(), 2);
    let all: Vec<_> = ids.iter().map(|id| (id.clone(), NOW)).collect();
    let revived = store.revive(all.clone(), NOW + 5).await.unwrap();
    assert_eq!(revived, [refused.clone(), failed.clone()]);
    assert_eq!(store.revive(all, NOW + 5).await.unwrap(), [], "they wait already");
    assert_eq!(counted(&store).await.whole.queued.values().sum::<u64>(), 2);
    check_invariants(&store).await;
    // A receipt comes late: it was there after all.
    receives(&store, failed, ReceiptState::Read).await;
    assert!(!begin(&store, failed, NOW + 6).await, "it has got it");
    assert!(begin(&store, refused, NOW + 6).await);
    record(&store, refused, sent("wamid.again")).await;
    let whole = counted(&store).await.whole;
    assert_eq!((whole.accepted, whole.read, whole.failed.len()), (3, 1, 0));
    check_invariants(&store).await;
}

pub async fn taps_and_answers_count_for_the_campaign(store: Shared) {
    let members = reached(&store, 4).await;
    let mut messages = Vec::new();
    for member in &members {
        let id = sends(&store, *member, "a").await;
        leaves(&store, &id).await;
        messages.push(id);
    }
    let writes = async |at: usize, tapped: Option<&SendId>, now: Millis| {
        let phone = phone(&(at + 1).to_string());
        let lane = accept(&store, message(phone, &format!("{at} at {now}"))).await.lane;
        let tapped = tapped.map(|id| format!("wamid.{id}"));
        let wrote = Wrote { contact: lane.contact().unwrap(), tapped };
        let commit = draft(&store, &lane, |commit| commit.wrote = Some(wrote)).await;
        assert!(store.commit(commit, now).await.unwrap());
    };
    for (at, message) in messages.iter().enumerate().skip(1) {
        receives(&store, message, ReceiptState::Delivered).await;
        let now = if at == 3 { NOW + REPLY_MS + 1 } else { NOW + REPLY_MS };
        writes(at, (at == 1).then_some(message), now).await;
    }
    // Before it arrived, so it is no answer to it.
    writes(0, None, NOW).await;
    let whole = counted(&store).await.whole;
    assert_eq!((whole.clicked, whole.replied), (1, 2));
    writes(2, None, NOW + 5).await;
    assert_eq!(counted(&store).await.whole.replied, 2, "each once");
}

pub async fn goals_are_reached_within_their_time(store: Shared) {
    let mut members = Vec::new();
    for n in 1..=4 {
        members.push(contact(&store, &n.to_string()).await);
    }
    let goal = Some(Goal::Tag("bought".into()));
    let terms = Terms { per_hour: None, goal, within_ms: Some(50) };
    reach_on(&store, members.clone(), terms).await;
    let mut messages = Vec::new();
    for member in &members {
        let id = sends(&store, *member, "a").await;
        leaves(&store, &id).await;
        messages.push(id);
    }
    let achieves = async |at: usize, what: Goal, now: Millis| {
        let name = format!("{at} at {now} {what:?}");
        let lane = accept(&store, message(phone(&(at + 1).to_string()), &name)).await.lane;
        let wrote = Wrote { contact: lane.contact().unwrap(), tapped: None };
        let commit = draft(&store, &lane, |commit| {
            commit.achieved.push(what);
            commit.wrote = Some(wrote);
        });
        assert!(store.commit(commit.await, now).await.unwrap());
    };
    let bought = || Goal::Tag("bought".into());
    achieves(0, bought(), NOW).await;
    assert_eq!(counted(&store).await.whole.converted, 0, "it was before the message came");
    for message in &messages {
        receives(&store, message, ReceiptState::Delivered).await;
    }
    achieves(1, Goal::Order, NOW + 1).await;
    achieves(2, bought(), NOW + 51).await;
    assert_eq!(counted(&store).await.whole.converted, 0, "another goal, and too late");
    // Who answered first counts too, and each once.
    for now in [NOW + 49, NOW + 50] {
        achieves(1, bought(), now).await;
    }
    achieves(3, bought(), NOW + 5).await;
    let Funnels { whole, variants, .. } = counted(&store).await;
    assert_eq!((whole.converted, whole.replied, variants["a"].converted), (2, 3, 2));
    check_invariants(&store).await;
}

pub async fn a_timer_of_a_campaign_that_goes_ends_the_wait(store: Shared) {
    let mut members = Vec::new();
    for sender in [phone("1"), phone("2"), phone("3"), bsuid("US.3")] {
        let lane = accept(&store, message(sender.clone(), &format!("{sender:?}"))).await.lane;
        turn(&store, &lane, |_| {}).await;
        members.push(lane.contact().unwrap());
    }
    reach(&store, members.clone()).await;
    for member in &members {
        waits(&store, *member).await;
    }
    assert_eq!(counted(&store).await.whole.waiting, 4);
    // Cancelled; and set anew by a turn that is of no campaign.
    let cancel = TimerWrite::Cancel(carried(members[0], 0).key);
    let anew = TimerWrite::Set(Timer { member: None, ..carried(members[1], NOW + 70) });
    for (digits, write) in [("1", cancel), ("2", anew)] {
        let lane = accept(&store, message(phone(digits), &format!("stop {digits}"))).await.lane;
        turn(&store, &lane, |commit| commit.timers.push(write)).await;
    }
    let whole = counted(&store).await.whole;
    assert_eq!(whole.left_out["its timer was cancelled"], 1);
    assert_eq!((whole.waiting, whole.left_out.len()), (2, 2));
    // Two who turn out to be one have one timer of a name.
    accept(&store, message(both("3", "US.3"), "it is me")).await;
    let whole = counted(&store).await.whole;
    assert_eq!((whole.waiting, whole.left_out.len()), (1, 3), "{whole:?}");
    // The other one's timer goes on, for the member that set it.
    let due = store.due_timers(NOW + 50, 9).await.unwrap();
    store.fire(due, NOW + 50).await.unwrap();
    turn(&store, &Lane::Contact(members[2]), |_| {}).await;
    sends(&store, members[2], "a").await;
    assert_eq!(counted(&store).await.whole.waiting, 0);
    check_invariants(&store).await;
}
