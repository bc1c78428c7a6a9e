//! Runs lanes: one turn at a time per contact, many contacts at once, a bound
//! over all. Keeps nothing that the store does not have: after a restart the
//! same scan finds the same lanes.

use crate::{
    clock::Clock,
    generation::Generation,
    model::*,
    policy,
    store::{Store, StoreError},
    telemetry::TurnMetrics,
    turn::{self, Setting, Stage},
    wake::{self, Bell, Shutdown},
};
use arc_swap::ArcSwap;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};
use tokio::task::JoinSet;

/// Events of one lane taken in a row before others get their turn.
const EVENTS_IN_A_ROW: usize = 16;
/// Lanes read from the store at once.
const LANES_AT_ONCE: usize = 256;
/// The longest sleep: a look even if nobody rang.
const PERIOD_MS: Millis = 2_000;
/// The pause of a lane after a failed turn, times the failures so far.
const PAUSE_MS: Millis = 500;

pub struct Dispatch {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub generation: Arc<ArcSwap<Generation>>,
    /// Rung when events were accepted.
    pub bell: Bell,
    pub outbox: Bell,
    pub timers: Bell,
    pub metrics: TurnMetrics,
}

/// Which lanes run, rest or are to run next.
#[derive(Default)]
struct Lanes {
    busy: HashSet<Lane>,
    next: VecDeque<Lane>,
    /// Until when a lane waits after a failed turn.
    resting: HashMap<Lane, Millis>,
    /// Where the next scan begins.
    cursor: Option<Lane>,
    /// Whether the store may hold lanes that were not seen.
    unseen: bool,
}

/// How a lane's run ended.
enum Ran {
    Empty,
    More,
    /// A turn failed: let the lane rest until then.
    Failed(Millis),
}

impl Dispatch {
    /// Runs until shutdown, then lets the running turns end.
    pub async fn run(self: Arc<Self>, mut shutdown: Shutdown) {
        let mut lanes = Lanes { unseen: true, ..Lanes::default() };
        let mut running = JoinSet::new();
        loop {
            self.fill(&mut lanes, &mut running).await;
            tokio::select! {
                biased;
                _ = shutdown.wait_for(|ended| *ended) => break,
                Some(ended) = running.join_next() => self.ended(&mut lanes, ended),
                () = self.bell.0.notified() => lanes.unseen = true,
                () = self.clock.sleep_until(self.clock.now() + PERIOD_MS) => lanes.unseen = true,
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Starts lanes until the bound is reached or none is left.
    async fn fill(self: &Arc<Self>, lanes: &mut Lanes, running: &mut JoinSet<(Lane, Ran)>) {
        let parallel = self.generation.load().business.turns.parallel;
        while lanes.busy.len() < parallel {
            if lanes.next.is_empty()
                && lanes.unseen
                && let Err(error) = self.scan(lanes).await
            {
                tracing::error!("waiting lanes could not be read: {error}");
                return;
            }
            let Some(lane) = lanes.next.pop_front() else { return };
            if lanes.busy.insert(lane.clone()) {
                let dispatch = Arc::clone(self);
                running.spawn(async move {
                    // A task of its own, so that a panic costs one turn.
                    let run = tokio::spawn({
                        let (dispatch, lane) = (Arc::clone(&dispatch), lane.clone());
                        async move { dispatch.lane(&lane).await }
                    });
                    match run.await {
                        Ok(ran) => (lane, ran),
                        Err(error) => {
                            let ran = dispatch.crashed(&lane, &error.to_string()).await;
                            (lane, ran)
                        }
                    }
                });
            }
        }
    }

    /// Reads the next lanes that wait and neither run nor rest.
    async fn scan(&self, lanes: &mut Lanes) -> Result<(), StoreError> {
        let now = self.clock.now();
        lanes.resting.retain(|_, until| *until > now);
        let mut found = self.store.ready_lanes(lanes.cursor.as_ref(), LANES_AT_ONCE).await?;
        if found.len() < LANES_AT_ONCE && lanes.cursor.is_some() {
            // The end was reached: the rest stands at the beginning.
            found.extend(self.store.ready_lanes(None, LANES_AT_ONCE).await?);
            lanes.cursor = None;
        } else {
            lanes.cursor = found.last().filter(|_| found.len() == LANES_AT_ONCE).cloned();
        }
        lanes.unseen = lanes.cursor.is_some();
        let mut taken = HashSet::new();
        found.retain(|lane| {
            let free = !lanes.busy.contains(lane) && !lanes.resting.contains_key(lane);
            free && taken.insert(lane.clone())
        });
        lanes.next.extend(found);
        Ok(())
    }

    fn ended(&self, lanes: &mut Lanes, ended: Result<(Lane, Ran), tokio::task::JoinError>) {
        let Ok((lane, ran)) = ended else { return };
        lanes.busy.remove(&lane);
        match ran {
            Ran::Empty => {}
            Ran::More => lanes.next.push_back(lane),
            Ran::Failed(until) => {
                lanes.resting.insert(lane, until);
            }
        }
    }

    /// Runs the lane's events in order, up to a bound.
    async fn lane(&self, lane: &Lane) -> Ran {
        for _ in 0..EVENTS_IN_A_ROW {
            let snapshot = match self.store.next_in_lane(lane).await {
                Ok(Some(snapshot)) => snapshot,
                Ok(None) => return Ran::Empty,
                Err(error) => {
                    tracing::error!(lane = %lane, "a lane could not be read: {error}");
                    return Ran::Failed(self.clock.now() + PAUSE_MS);
                }
            };
            let turn = snapshot.event.id.clone();
            let attempts = snapshot.event.attempts;
            if let Err(error) = self.turn(snapshot).await {
                return self.failed(&turn, attempts, &error).await;
            }
        }
        Ran::More
    }

    /// One turn with its commit.
    async fn turn(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let generation = self.generation.load_full();
        let now = self.clock.now();
        let event = &snapshot.event;
        let kind = event.kind.name();
        let limit = generation.business.turns.attempts;
        let commit = match generation.channels.get(&event.channel) {
            None => {
                let reason = format!("there is no channel `{}` any more", event.channel);
                turn::park(snapshot, reason, now, generation.number)
            }
            Some(_) if event.attempts >= limit => {
                let reason = format!("its turn failed {} times", event.attempts);
                turn::park(snapshot, reason, now, generation.number)
            }
            Some(channel) => {
                let setting = Setting {
                    event: Arc::new(event.clone()),
                    now,
                    zone: generation.business.zone.as_str().into(),
                    provider: Arc::clone(&channel.provider),
                    store: Arc::clone(&self.store),
                    policy: policy_rules(&generation),
                };
                let stage = Stage { setting, chain: &channel.chain, generation: generation.number };
                turn::run(snapshot, stage).await
            }
        };
        self.commit(commit, kind).await
    }

    async fn commit(&self, commit: TurnCommit, kind: &str) -> Result<(), StoreError> {
        let sends = !commit.outbox.is_empty() || commit.receipt.is_some();
        let wakes = !commit.timers.is_empty() || !commit.broadcasts.is_empty();
        if let Some(reason) = &commit.parked {
            tracing::error!(turn.id = %commit.turn, "an event was put aside: {reason}");
        }
        self.metrics.count(kind, &commit);
        self.store.commit(commit, self.clock.now()).await?;
        if sends {
            self.outbox.ring();
        }
        if wakes {
            self.timers.ring();
        }
        Ok(())
    }

    async fn failed(&self, turn: &TurnId, attempts: u32, error: &StoreError) -> Ran {
        let now = self.clock.now();
        tracing::error!(turn.id = %turn, attempts, "a turn could not be committed: {error}");
        match error {
            // Read again and done again: nothing is wrong with the event.
            StoreError::Conflict { .. } => Ran::More,
            StoreError::TooLarge { .. } | StoreError::Corrupt { .. } => self.count(turn).await,
            StoreError::Full { .. } | StoreError::Locked { .. } | StoreError::Failed(_) => {
                Ran::Failed(now + PAUSE_MS)
            }
        }
    }

    /// The turn's task panicked: a mistake of ours, that must not stop the rest.
    async fn crashed(&self, lane: &Lane, what: &str) -> Ran {
        tracing::error!(lane = %lane, "a turn crashed: {what}");
        match self.store.next_in_lane(lane).await {
            Ok(Some(snapshot)) => self.count(&snapshot.event.id).await,
            Ok(None) => Ran::Empty,
            Err(_) => Ran::Failed(self.clock.now() + PAUSE_MS),
        }
    }

    async fn count(&self, turn: &TurnId) -> Ran {
        let attempts = self.store.count_attempt(turn).await.unwrap_or(1);
        Ran::Failed(self.clock.now() + PAUSE_MS * u64::from(attempts))
    }
}

/// The settings that decide what may leave, from the business's own.
pub fn policy_rules(generation: &Generation) -> policy::Rules {
    let turns = &generation.business.turns;
    policy::Rules {
        window_margin_ms: turns.window_margin_minutes * 60_000,
        handoff_ms: turns.handoff_hours * 3_600_000,
    }
}

/// Old things are removed while nothing else needs the store much.
pub async fn upkeep(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    generation: Arc<ArcSwap<Generation>>,
    mut shutdown: Shutdown,
) {
    const PERIOD_MS: Millis = 60_000;
    const DAY_MS: Millis = 24 * 3_600_000;
    let bell = Bell::default();
    while wake::wait(&bell, &*clock, clock.now() + PERIOD_MS, &mut shutdown).await {
        let keep_ms = generation.load().business.retention.days * DAY_MS;
        match sweep(&*store, &*clock, keep_ms).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "old entries were removed"),
            Err(error) => tracing::error!("old entries could not be removed: {error}"),
        }
    }
}

/// Sweeps until nothing is left, in steps between which others get the store.
async fn sweep(store: &dyn Store, clock: &dyn Clock, keep_ms: Millis) -> Result<usize, StoreError> {
    let mut all = 0;
    loop {
        match store.sweep(clock.now(), keep_ms).await? {
            0 => return Ok(all),
            removed => all += removed,
        }
    }
}
