//! Runs lanes: one turn at a time per contact, many contacts at once, a bound
//! over all. Keeps nothing that the store does not have: after a restart the
//! same scan finds the same lanes.

mod caution;
mod drain;

use crate::{
    clock::Clock,
    generation::Generation,
    model::*,
    policy,
    store::{Store, StoreError},
    telemetry::TurnMetrics,
    templates::Templates,
    turn::{self, Setting, Stage},
    wake::{self, Bell, Shutdown},
};
use arc_swap::ArcSwap;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};
use tokio::task::JoinSet;

/// Events of one lane taken in a row before others get their turn.
const EVENTS_IN_A_ROW: usize = 16;
/// Lanes read from the store at once.
const LANES_AT_ONCE: usize = 256;
/// The longest sleep: a look even if nobody rang.
const PERIOD_MS: Millis = 2_000;
/// The pause of a lane after a failed turn, times the failures so far,
const PAUSE_MS: Millis = 500;
/// but no longer.
const PAUSE_MAX_MS: Millis = 10_000;
/// How long an event waits for its channel to come back into the config: a
/// slip there should cost nothing. As long as the outbox keeps messages.
const CHANNEL_GONE_MS: Millis = 24 * 3_600_000;

pub struct Dispatch {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub generation: Arc<ArcSwap<Generation>>,
    /// Rung when events were accepted.
    pub bell: Bell,
    pub outbox: Bell,
    pub timers: Bell,
    pub templates: Arc<Templates>,
    pub metrics: TurnMetrics,
}

/// Which lanes run, rest or are to run next. The store is read in passes from
/// its first lane to its last, so that each lane gets its turn.
#[derive(Default)]
struct Lanes {
    /// Those that run, and whether a pass met them meanwhile.
    busy: HashMap<Lane, bool>,
    next: VecDeque<Lane>,
    /// Until when a lane waits after a failed turn.
    resting: HashMap<Lane, Millis>,
    /// How far the pass has come; none between two passes.
    cursor: Option<Lane>,
    /// Whether there may be events that the pass has gone by.
    rung: bool,
}

impl Lanes {
    /// Whether the store may hold lanes that were not seen.
    fn unseen(&self) -> bool {
        self.rung || self.cursor.is_some()
    }

    /// Lets go of those that have rested. A rest that seems longer than any
    /// is one from before the clock was set back.
    fn wake(&mut self, now: Millis) {
        self.resting.retain(|_, until| *until > now && *until <= now + PAUSE_MAX_MS);
    }
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
        self.begin(&shutdown).await;
        let mut lanes = Lanes { rung: true, ..Lanes::default() };
        let mut running = JoinSet::new();
        loop {
            self.fill(&mut lanes, &mut running).await;
            tokio::select! {
                biased;
                _ = shutdown.wait_for(|ended| *ended) => break,
                Some(ended) = running.join_next() => self.ended(&mut lanes, ended),
                () = self.bell.0.notified() => lanes.rung = true,
                () = self.clock.sleep_until(self.clock.now() + PERIOD_MS) => lanes.rung = true,
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Starts lanes until the bound is reached or none is left.
    async fn fill(self: &Arc<Self>, lanes: &mut Lanes, running: &mut JoinSet<(Lane, Ran)>) {
        let parallel = self.generation.load().business.turns.parallel;
        while lanes.busy.len() < parallel {
            while lanes.next.is_empty() && lanes.unseen() {
                if let Err(error) = self.scan(lanes).await {
                    tracing::error!("waiting lanes could not be read: {error}");
                    return;
                }
            }
            let Some(lane) = lanes.next.pop_front() else { return };
            lanes.busy.insert(lane.clone(), false);
            running.spawn(Arc::clone(self).guarded(lane));
        }
    }

    /// Runs a lane in a task of its own, so that a panic costs one turn: not
    /// the other lanes, and not the place of this one.
    async fn guarded(self: Arc<Self>, lane: Lane) -> (Lane, Ran) {
        let (dispatch, own) = (Arc::clone(&self), lane.clone());
        let run = tokio::spawn(async move { dispatch.lane(&own).await });
        let ran = match run.await {
            Ok(ran) => Ok(ran),
            Err(error) => {
                let (dispatch, own) = (Arc::clone(&self), lane.clone());
                tokio::spawn(async move { dispatch.crashed(&own, &error.to_string()).await }).await
            }
        };
        (lane, ran.unwrap_or_else(|_| Ran::Failed(self.clock.now() + PAUSE_MS)))
    }

    /// Reads the pass's next lanes that wait and neither run nor rest.
    async fn scan(&self, lanes: &mut Lanes) -> Result<(), StoreError> {
        lanes.wake(self.clock.now());
        let found = self.store.ready_lanes(lanes.cursor.as_ref(), LANES_AT_ONCE).await?;
        // A pass that begins sees whatever was there when it was rung for.
        lanes.rung &= lanes.cursor.is_some();
        lanes.cursor = found.last().filter(|_| found.len() == LANES_AT_ONCE).cloned();
        for lane in found {
            if let Some(met) = lanes.busy.get_mut(&lane) {
                *met = true;
            } else if !lanes.resting.contains_key(&lane) {
                lanes.next.push_back(lane);
            }
        }
        Ok(())
    }

    fn ended(&self, lanes: &mut Lanes, ended: Result<(Lane, Ran), tokio::task::JoinError>) {
        let Ok((lane, ran)) = ended else { return };
        let met = lanes.busy.remove(&lane).unwrap_or_default();
        match ran {
            // What the pass met may have come after the lane was found empty.
            Ran::Empty => lanes.rung |= met,
            // The others first: the next pass comes back to it.
            Ran::More => lanes.rung = true,
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
            if self.waits_for_channel(&snapshot.event) {
                return Ran::Failed(self.clock.now() + PAUSE_MAX_MS);
            }
            let turn = snapshot.event.id.clone();
            let attempts = snapshot.event.attempts;
            if let Err(error) = self.turn(snapshot).await {
                return self.failed(&turn, attempts, &error).await;
            }
        }
        Ran::More
    }

    fn waits_for_channel(&self, event: &Event) -> bool {
        let gone = !self.generation.load().channels.contains_key(&event.channel);
        gone && self.clock.now() < event.accepted_at + CHANNEL_GONE_MS
    }

    /// One turn with its commit.
    async fn turn(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        let generation = self.generation.load_full();
        let now = self.clock.now();
        let event = &snapshot.event;
        let kind = event.kind.name();
        // What an account says of itself may stop what waits, or free it.
        let told = matches!(event.kind, EventKind::Account { .. });
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
                    calendar: generation.calendar.clone(),
                    provider: Arc::clone(&channel.provider),
                    store: Arc::clone(&self.store),
                    policy: policy_rules(&generation),
                    templates: Arc::clone(&self.templates),
                };
                let stage = Stage {
                    setting,
                    chain: &channel.chain,
                    consent: &generation.consent,
                    generation: generation.number,
                    record: generation.business.turns.record,
                    merge: generation.business.turns.merge_replies,
                };
                turn::run(snapshot, stage).await?
            }
        };
        self.commit(commit, kind).await?;
        if told {
            self.outbox.ring();
        }
        Ok(())
    }

    async fn commit(&self, commit: TurnCommit, kind: &str) -> Result<(), StoreError> {
        let sends = !commit.outbox.is_empty() || commit.receipt.is_some();
        let wakes = !commit.timers.is_empty() || !commit.broadcasts.is_empty();
        if let Some(reason) = &commit.parked {
            tracing::error!(turn.id = %commit.turn, "an event was put aside: {reason}");
        }
        let templates = !commit.templates.is_empty();
        self.metrics.count(kind, &commit);
        self.store.commit(commit, self.clock.now()).await?;
        if sends {
            self.outbox.ring();
        }
        if wakes {
            self.timers.ring();
        }
        if templates {
            self.templates.ring();
        }
        Ok(())
    }

    async fn failed(&self, turn: &TurnId, attempts: u32, error: &StoreError) -> Ran {
        let now = self.clock.now();
        tracing::error!(turn.id = %turn, attempts, "a turn could not be committed: {error}");
        match error {
            // A conflict should go by itself. Counted all the same: one that
            // does not would be tried for ever.
            StoreError::Conflict { .. }
            | StoreError::TooLarge { .. }
            | StoreError::Corrupt { .. } => self.count(turn).await,
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
        let pause = (PAUSE_MS * u64::from(attempts)).min(PAUSE_MAX_MS);
        Ran::Failed(self.clock.now() + pause)
    }
}

/// The settings that decide what may leave, from the business's own.
pub fn policy_rules(generation: &Generation) -> policy::Rules {
    turn::policy_rules(&generation.business)
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

#[cfg(test)]
mod tests;
