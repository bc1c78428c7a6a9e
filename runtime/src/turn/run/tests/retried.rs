//! What is done about an event of a step's own when the step fails.

use super::*;
use crate::store::funnels;

/// Fails with this as often as it runs, and would send if it did not.
struct Fails(Option<StepError>);

#[async_trait]
impl Step for Fails {
    fn name(&self) -> &str {
        "promo"
    }
    fn plugin(&self) -> &str {
        "promo 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        draft.tag("ran", None).unwrap();
        let outcome = self.0.clone().map_or(Ok(Verdict::Continue), Err);
        Ran::unmeasured(draft, outcome, self.plugin())
    }
}

fn late() -> StepError {
    StepError::Deadline { limit: std::time::Duration::from_millis(100) }
}

fn rests() -> StepError {
    StepError::Quarantined { until: "soon".into() }
}

/// A campaign of one member, whose event waits.
struct Campaigning {
    store: Arc<dyn Store>,
    key: CampaignKey,
    lane: Lane,
}

impl Campaigning {
    async fn begin() -> Self {
        let (store, message) = waiting().await;
        let member = message.contact.as_ref().unwrap().id;
        let channel = ChannelId::new("main");
        let key = CampaignKey { channel, step: "promo".into(), id: "spring".into() };
        let broadcast = Broadcast::new(key.clone(), Segment::default(), "p".into(), NOW);
        let mut commit = TurnCommit::new(message.event.id);
        commit.broadcasts.push(broadcast.clone());
        assert!(store.commit(commit, NOW).await.unwrap());
        let page = store::Audience { members: vec![member], next: None };
        store.fan_out(&broadcast, page, NOW).await.unwrap();
        Self { store, key, lane: Lane::Contact(member) }
    }

    /// Its turn at `now`. Returns the event, what the trace remarks and what the
    /// step's failure is called.
    async fn turn(&self, fails: Option<StepError>) -> (Event, Vec<String>) {
        let snapshot = self.store.next_in_lane(&self.lane).await.unwrap().unwrap();
        let event = snapshot.event.clone();
        let (store, step) = (Arc::clone(&self.store), Arc::new(Fails(fails)));
        let commit = ran_on(store, snapshot, step, false).await.unwrap();
        let remarks = commit.trace.as_ref().unwrap().remarks.clone();
        assert!(self.store.commit(commit, NOW).await.unwrap());
        (event, remarks)
    }

    /// When its next timer is due, if one is set.
    async fn due(&self) -> Option<Millis> {
        self.store.next_timer().await.unwrap()
    }

    async fn fire(&self) {
        let due = self.store.due_timers(NOW + 600_000, 10).await.unwrap();
        assert_eq!(due.len(), 1);
        self.store.fire(due, NOW).await.unwrap();
    }

    async fn counted(&self) -> (u64, Vec<String>) {
        let found = funnels(&*self.store, &self.key, |_, _| {}).await.unwrap().unwrap();
        (found.whole.waiting, found.whole.left_out.into_keys().collect())
    }
}

#[tokio::test]
async fn a_campaigns_member_is_not_lost_to_a_busy_moment() {
    let campaign = Campaigning::begin().await;
    let (first, remarks) = campaign.turn(Some(late())).await;
    assert_eq!(remarks, ["`promo` took longer than 100ms: it is tried again in 1 min"]);
    assert_eq!(campaign.due().await, Some(NOW + 60_000));
    assert_eq!(campaign.counted().await, (1, vec![]));
    campaign.fire().await;
    let (second, _) = campaign.turn(Some(rests())).await;
    assert_eq!((&second.kind, &second.member, second.tries), (&first.kind, &first.member, 1));
    assert_eq!(campaign.due().await, Some(NOW + 300_000));
    campaign.fire().await;
    let (third, remarks) = campaign.turn(None).await;
    assert_eq!((&third.kind, third.tries, remarks), (&first.kind, 2, vec![]));
    assert_eq!(campaign.due().await, None);
    assert_eq!(campaign.counted().await, (0, vec!["the step sent nothing".into()]));
}

#[tokio::test]
async fn a_step_that_fails_each_time_or_by_itself_leaves_its_member_out() {
    let campaign = Campaigning::begin().await;
    for _ in 0..2 {
        campaign.turn(Some(late())).await;
        campaign.fire().await;
    }
    campaign.turn(Some(late())).await;
    assert_eq!(campaign.due().await, None);
    assert_eq!(campaign.counted().await, (0, vec!["the step failed (deadline)".into()]));

    let campaign = Campaigning::begin().await;
    campaign.turn(Some(StepError::Trap("boom".into()))).await;
    assert_eq!(campaign.due().await, None);
    assert_eq!(campaign.counted().await, (0, vec!["the step failed (trap)".into()]));
}

#[tokio::test]
async fn a_timer_that_came_in_a_busy_moment_comes_again_beside_a_newer_one() {
    let (store, message) = waiting().await;
    let lane = message.event.id.lane.clone();
    let channel = ChannelId::new("main");
    let timer = |due| Timer {
        key: TimerKey { lane: lane.clone(), step: "promo".into(), name: "opening".into() },
        channel: channel.clone(),
        due,
        payload: "p".into(),
        member: None,
        retry: None,
    };
    let mut commit = TurnCommit::new(message.event.id);
    commit.timers.push(TimerWrite::Set(timer(NOW - 5)));
    assert!(store.commit(commit, NOW).await.unwrap());
    store.fire(store.due_timers(NOW, 10).await.unwrap(), NOW).await.unwrap();
    let fired = store.next_in_lane(&lane).await.unwrap().unwrap();
    let event = fired.event.clone();
    let step = Arc::new(Fails(Some(late())));
    let mut commit = ran_on(Arc::clone(&store), fired, step, false).await.unwrap();
    commit.timers.push(TimerWrite::Set(timer(NOW + 7)));
    assert!(store.commit(commit, NOW).await.unwrap());
    let due = store.due_timers(NOW + 60_000, 10).await.unwrap();
    assert_eq!(due.iter().map(Timer::event).collect::<Vec<_>>()[1], event.kind);
    assert_eq!(due[0], timer(NOW + 7));
}

#[tokio::test]
async fn only_whoever_has_written_is_owed_an_excuse() {
    let excused = |snapshot: Snapshot, store| async move {
        let step = Arc::new(Fails(Some(StepError::Trap("boom".into()))));
        let link = ChainStep {
            on_error: OnError::Reply,
            error_reply: Some("Sorry!".into()),
            ..link(step)
        };
        ran_with(store, snapshot, link, false).await.unwrap().outbox.len()
    };
    let (store, message) = waiting().await;
    assert_eq!(excused(message, store).await, 1);
    let campaign = Campaigning::begin().await;
    let member = campaign.store.next_in_lane(&campaign.lane).await.unwrap().unwrap();
    assert_eq!(excused(member, Arc::clone(&campaign.store)).await, 0);
}
