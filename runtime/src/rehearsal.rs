//! A whole business within the process: its own chains, rules and plugins, the
//! real turns, timers, broadcasts and rules of sending, over a store in memory
//! and a clock that moves when told. Nothing leaves: what would is kept to be
//! looked at. Decides nothing itself, so that what passes here passes there.

mod chat;
mod facts;
mod play;
mod read;
mod replay;
mod said;
mod told;
mod words;

pub use chat::{Chat, ChatFile, Customer};
pub use play::{Answer, Difference, Passed, Played, Question, ask, play};
pub use read::{Unreadable, customer, moment, read, span};
pub use replay::{Change, Example, Group, Replay, Replayed, Tally};
pub use told::blessed;
pub use words::About;

use crate::{
    clock::{Clock, SimulatedClock},
    dispatch::Dispatch,
    generation::Generation,
    model::*,
    outbox::{Outbox, Steps},
    store::{self, Store, StoreError},
    telemetry::TurnMetrics,
    templates::Templates,
    timers::Timers,
    wake::Bell,
};
use arc_swap::ArcSwap;
use std::sync::{Arc, Mutex, PoisonError};

/// Chance is the same each time.
const SEED: u64 = 1;
/// Waits of the limits of rate that are no wait to a customer: time passes over
/// them by itself.
const BREATH_MS: Millis = 10_000;
/// Rounds in which one moment may go on making work. A timer that sets itself
/// for now would never end.
const ROUNDS_MAX: usize = 10_000;

/// One run, from its own beginning.
pub struct Rehearsal {
    pub store: Arc<dyn Store>,
    generation: Arc<ArcSwap<Generation>>,
    clock: Arc<SimulatedClock>,
    dispatch: Dispatch,
    timers: Timers,
    outbox: Steps,
    left: Arc<Mutex<Vec<OutboxItem>>>,
}

impl Rehearsal {
    /// At the moment `at`, with nothing that has happened before. The steps are
    /// the generation's own, and what they remember of failures is lifted.
    pub fn new(generation: &Arc<Generation>, at: Millis) -> Self {
        generation.lift_rests();
        let generation = Arc::new(ArcSwap::new(Arc::clone(generation)));
        let store = store::memory();
        let clock = Arc::new(SimulatedClock::new(at, SEED));
        let left = Arc::new(Mutex::new(Vec::new()));
        let ticking: Arc<dyn Clock> = clock.clone();
        let bell = Bell::default();
        let dispatch = Dispatch {
            store: Arc::clone(&store),
            clock: Arc::clone(&ticking),
            generation: Arc::clone(&generation),
            bell: bell.clone(),
            outbox: bell.clone(),
            timers: bell.clone(),
            // All that a business names count as approved.
            templates: Arc::new(Templates::default()),
            metrics: TurnMetrics::default(),
        };
        let timers = Timers {
            store: Arc::clone(&store),
            clock: Arc::clone(&ticking),
            bell: bell.clone(),
            dispatch: bell.clone(),
        };
        let (routes, families, accounts) =
            (Arc::clone(&generation), Arc::clone(&generation), Arc::clone(&generation));
        let taken = Arc::clone(&left);
        let take = move |item: &OutboxItem| {
            let message_id = format!("wamid.{}.{}", item.id, item.attempts);
            let item = OutboxItem { message_id: Some(message_id.clone()), ..item.clone() };
            taken.lock().unwrap_or_else(PoisonError::into_inner).push(item);
            message_id
        };
        let outbox = Outbox::rehearsed(
            Arc::clone(&store),
            ticking,
            Arc::new(move |id: &ChannelId| routes.load().route(id)),
            bell.0,
            Arc::new(take),
        );
        let outbox = outbox
            .with_families(Arc::new(move |id: &ChannelId| families.load().family(id)))
            .with_accounts(Arc::new(move |told| accounts.load().concerned(told)));
        let outbox = Arc::new(outbox).by_steps();
        Self { store, generation, clock, dispatch, timers, outbox, left }
    }

    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    pub fn generation(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// Puts something into its lane. None: it had happened before.
    pub async fn happen(&self, happening: Happening) -> Result<Option<TurnId>, StoreError> {
        let accepted = self.store.accept(vec![happening], self.now()).await?;
        Ok(accepted.into_iter().find_map(|accepted| match accepted {
            Accepted::New(turn) => Some(turn),
            Accepted::Duplicate => None,
        }))
    }

    /// Lets a contact be known from before: it is made by a message of which no
    /// plugin hears and which opens no window, and left as `change` makes it.
    /// None: it is known already.
    pub async fn meet(
        &self,
        message: Happening,
        change: impl FnOnce(&mut Contact, Millis) + Send,
    ) -> Result<Option<ContactId>, StoreError> {
        let Some(turn) = self.happen(message).await? else { return Ok(None) };
        let snapshot = self.store.next_in_lane(&turn.lane).await?;
        let known = snapshot.and_then(|snapshot| Some((snapshot.contact?, snapshot.event)));
        let Some((mut contact, event)) = known else { return Ok(None) };
        if let Some(sender) = &event.sender {
            contact.learn(sender);
        }
        change(&mut contact, self.now());
        let id = contact.id;
        let commit = TurnCommit { contact: Some(contact), ..TurnCommit::new(turn) };
        self.store.commit(commit, self.now()).await?;
        Ok(Some(id))
    }

    /// Tells the plugins that they begin, as a start does.
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        let batch = self.generation().announcement(self.now());
        self.store.accept(batch, self.now()).await?;
        self.settle().await
    }

    /// Runs whatever is due, and what comes of it, until nothing is.
    pub async fn settle(&mut self) -> Result<(), StoreError> {
        for _ in 0..ROUNDS_MAX {
            let fired = self.timers.round().await? <= self.now();
            let ran = self.dispatch.drain().await?;
            let next = self.outbox.settle().await?;
            if fired || ran || self.store.depths().await?.lanes > 0 {
                continue;
            }
            match next.filter(|next| *next <= self.now() + BREATH_MS) {
                Some(next) => self.move_to(next.max(self.now() + 1)),
                None => return Ok(()),
            }
        }
        Err(StoreError::Failed(format!(
            "work goes on without end: {ROUNDS_MAX} rounds were not enough"
        )))
    }

    /// Lets time pass until `then`, from one due moment to the next.
    pub async fn wait_until(&mut self, then: Millis) -> Result<(), StoreError> {
        loop {
            self.settle().await?;
            let outbox = self.outbox.settle().await?;
            let timer = self.store.next_timer().await?;
            match outbox.into_iter().chain(timer).min().filter(|due| *due < then) {
                Some(due) => self.move_to(due.max(self.now() + 1)),
                None => break,
            }
        }
        self.move_to(then);
        self.settle().await
    }

    fn move_to(&self, then: Millis) {
        self.clock.advance(then.saturating_sub(self.now()));
    }

    /// What has left since the last time, by contact, of each in the order in
    /// which it left.
    pub fn take_left(&self) -> Vec<OutboxItem> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = std::mem::take(&mut *left);
        left.sort_by_key(|item| item.contact);
        left
    }
}
