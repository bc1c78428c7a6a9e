//! Which lanes run next. Without turns: those are tested end to end.

use super::*;
use crate::clock::SimulatedClock;

fn dispatch(store: Arc<dyn Store>) -> Arc<Dispatch> {
    let generation = Generation {
        number: 1,
        calendar: None,
        business: Arc::new(serde_json::from_str("{}").unwrap()),
        channels: Default::default(),
        by_number: Default::default(),
        consent: Default::default(),
        warnings: Vec::new(),
        wants: Default::default(),
        origins: Default::default(),
    };
    Arc::new(Dispatch {
        store,
        clock: Arc::new(SimulatedClock::new(1_000_000, 1)),
        generation: Arc::new(ArcSwap::from_pointee(generation)),
        bell: Bell::default(),
        outbox: Bell::default(),
        timers: Bell::default(),
        templates: Default::default(),
        metrics: TurnMetrics::default(),
    })
}

/// Something happens on each of these channels.
async fn happen(store: &dyn Store, key: &str, channels: impl IntoIterator<Item = String>) {
    let happening = |channel: String| Happening {
        channel: ChannelId::new(&channel),
        dedup: key.into(),
        sender: None,
        kind: EventKind::Account { field: "test".into(), news: Default::default() },
        raw: String::new(),
    };
    store.accept(channels.into_iter().map(happening).collect(), 1_000_000).await.unwrap();
}

fn lane(channel: &str) -> Lane {
    Lane::Channel(ChannelId::new(channel))
}

fn rung() -> Lanes {
    Lanes { rung: true, ..Lanes::default() }
}

#[tokio::test]
async fn an_event_that_comes_as_its_lane_ends_is_not_forgotten() {
    let store = crate::store::memory();
    let dispatch = dispatch(Arc::clone(&store));
    let mut lanes = rung();
    // The lane was found empty, and before the dispatcher hears of its end,
    // an event comes and a scan passes over the lane as running.
    lanes.busy.insert(lane("a"), false);
    happen(&*store, "1", ["a".into()]).await;
    dispatch.scan(&mut lanes).await.unwrap();
    assert!(lanes.next.is_empty());
    assert!(!lanes.unseen());
    dispatch.ended(&mut lanes, Ok((lane("a"), Ran::Empty)));
    assert!(lanes.unseen());
    dispatch.scan(&mut lanes).await.unwrap();
    assert_eq!(lanes.next, [lane("a")]);
}

#[tokio::test]
async fn a_long_lane_lets_the_others_have_their_turn() {
    let store = crate::store::memory();
    let dispatch = dispatch(Arc::clone(&store));
    let mut lanes = rung();
    happen(&*store, "1", ["a".into()]).await;
    dispatch.scan(&mut lanes).await.unwrap();
    let first = lanes.next.pop_front().unwrap();
    lanes.busy.insert(first.clone(), false);
    happen(&*store, "2", ["b".into()]).await;
    dispatch.ended(&mut lanes, Ok((first, Ran::More)));
    assert!(lanes.next.is_empty() && lanes.unseen());
    dispatch.scan(&mut lanes).await.unwrap();
    assert_eq!(lanes.next, [lane("a"), lane("b")]);
}

#[tokio::test]
async fn lanes_behind_many_resting_ones_run_at_once() {
    let store = crate::store::memory();
    let dispatch = dispatch(Arc::clone(&store));
    let name = |number: usize| format!("{number:04}");
    happen(&*store, "1", (0..=LANES_AT_ONCE * 3).map(name)).await;
    let mut lanes = rung();
    for number in 0..LANES_AT_ONCE * 3 {
        lanes.resting.insert(lane(&name(number)), 1_000_100);
    }
    let mut running = JoinSet::new();
    dispatch.fill(&mut lanes, &mut running).await;
    assert!(lanes.busy.contains_key(&lane(&name(LANES_AT_ONCE * 3))));
    assert!(!lanes.unseen(), "it would look again and again");
}

#[test]
fn a_clock_set_back_lets_no_lane_rest_for_ever() {
    let mut lanes = Lanes::default();
    lanes.resting.insert(lane("now"), 5_500);
    lanes.resting.insert(lane("before"), 90_000_000);
    lanes.wake(5_000);
    assert_eq!(lanes.resting.into_keys().collect::<Vec<_>>(), [lane("now")]);
}

#[tokio::test]
async fn an_event_waits_for_a_channel_that_left_the_config() {
    let store = crate::store::memory();
    let clock = Arc::new(SimulatedClock::new(1_000_000, 1));
    let dispatch = Dispatch {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        ..Arc::into_inner(dispatch(Arc::clone(&store))).unwrap()
    };
    happen(&*store, "1", ["a".into()]).await;
    assert!(matches!(dispatch.lane(&lane("a")).await, Ran::Failed(_)));
    assert_eq!(store.parked(10).await.unwrap(), []);
    // A day later nobody waits for the channel any more.
    clock.advance(CHANNEL_GONE_MS);
    assert!(matches!(dispatch.lane(&lane("a")).await, Ran::Empty));
    assert!(store.parked(10).await.unwrap()[0].reason.contains("no channel `a`"));
}
