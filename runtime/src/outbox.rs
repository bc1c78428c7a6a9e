//! Sends what turns have committed: due messages, at the rates that the
//! provider allows, each recorded before it leaves and again when its fate is
//! known. Decides nothing about content and runs no turns.

pub mod backoff;
mod campaigns;
mod forms;
pub mod limiter;
mod metrics;
mod outcome;
mod post;
mod queue;
pub mod recent;
mod templates;
mod upload;
mod worker;

pub use forms::{TEMPLATE_REST_MS, TemplateStandings};
pub use metrics::OutboxMetrics;
pub use outcome::{GIVE_UP_MS, HELD_MAX_MS, PROBE_MS, RESENDS_MAX, TEMPLATE_PROBE_MS, TRIES_MAX};
pub use post::{build, client};

use crate::{
    clock::Clock,
    model::{ChannelId, Millis, OutboxItem, Portfolio, Stoppage},
    policy::Rules,
    provider::Provider,
    store::{Store, StoreError},
    traffic::Traffic,
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use templates::Resting;
use tokio::sync::{Notify, watch};

/// A failing store is said so often at most.
const LOG_EVERY_MS: Millis = 60_000;

/// What sending on a channel needs.
#[derive(Clone)]
pub struct Route {
    pub provider: Arc<dyn Provider>,
    pub messages_per_second: u32,
    /// How long a message of unknown fate waits for a receipt.
    pub grace_ms: Millis,
    pub rules: Rules,
}

/// A channel's route, looked up anew each time: generations are swapped whole.
pub type Routes = Arc<dyn Fn(&ChannelId) -> Option<Route> + Send + Sync>;

/// The channels of one portfolio: the provider counts together whom they write
/// to first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    pub portfolio: Portfolio,
    pub channels: Vec<ChannelId>,
}

/// A channel's family, looked up anew each time.
pub type Families = Arc<dyn Fn(&ChannelId) -> Family + Send + Sync>;

/// The channels that an account's stoppage concerns, looked up anew each time.
pub type Concerned = Arc<dyn Fn(&Stoppage) -> Vec<ChannelId> + Send + Sync>;

/// Takes a message in the provider's place and gives it an id.
pub type Rehearsed = Arc<dyn Fn(&OutboxItem) -> String + Send + Sync>;

/// Who takes messages away.
enum Carrier {
    Http(reqwest::Client),
    /// Nothing leaves the process.
    Rehearsed(Rehearsed),
}

/// A channel on which nothing can leave for now, or no template: until a person acts, or until
/// the provider takes messages again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    pub channel: ChannelId,
    pub since: Millis,
    /// In plain words, with what to do.
    pub reason: String,
    /// Answers may leave.
    pub templates_only: bool,
}

/// The worker that sends. One per store.
pub struct Outbox {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    routes: Routes,
    /// Told (by `notify_one`) after a commit that sends something.
    wake: Arc<Notify>,
    carrier: Carrier,
    pub metrics: OutboxMetrics,
    /// What came in of late: it counts against the same limits.
    pub traffic: Arc<Traffic>,
    resting: Resting,
    paused: Mutex<BTreeMap<ChannelId, Paused>>,
    said: AtomicU64,
    templates: TemplateStandings,
    families: Families,
    concerned: Concerned,
    uploads: upload::Uploads,
    /// What is held may be free since this was looked at last, or this process
    /// has just begun.
    freed: AtomicBool,
}

impl Outbox {
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        routes: Routes,
        wake: Arc<Notify>,
        client: reqwest::Client,
    ) -> Self {
        Self::carried_by(Carrier::Http(client), store, clock, routes, wake)
    }

    /// One that sends nothing: each message that would leave is handed to `take`.
    pub fn rehearsed(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        routes: Routes,
        wake: Arc<Notify>,
        take: Rehearsed,
    ) -> Self {
        Self::carried_by(Carrier::Rehearsed(take), store, clock, routes, wake)
    }

    fn carried_by(
        carrier: Carrier,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        routes: Routes,
        wake: Arc<Notify>,
    ) -> Self {
        let (metrics, paused, said) = Default::default();
        let (traffic, resting) = Default::default();
        let families: Families = Arc::new(|channel| Family {
            portfolio: Portfolio::default(),
            channels: vec![channel.clone()],
        });
        let concerned: Concerned = Arc::new(|stoppage| vec![stoppage.channel.clone()]);
        let (templates, uploads) = (forms::all_live(), upload::Uploads::of(None));
        Self {
            store,
            clock,
            routes,
            wake,
            carrier,
            metrics,
            traffic,
            resting,
            paused,
            said,
            templates,
            families,
            concerned,
            uploads,
            freed: AtomicBool::new(true),
        }
    }

    /// Counts what comes in where the listener does.
    pub fn with_traffic(self, traffic: Arc<Traffic>) -> Self {
        Self { traffic, ..self }
    }

    /// The provider says that a template may be sent: what waits for it is due
    /// as soon as the bell rings.
    pub fn template_lives(&self, channel: &ChannelId, name: &str, language: &str) {
        self.resting.lift(channel, name, language);
        self.freed.store(true, Ordering::Relaxed);
    }

    /// Something is due.
    pub fn ring(&self) {
        self.wake.notify_one();
    }

    /// A campaign goes on: what it held is due now.
    pub fn campaign_resumed(&self) {
        self.freed.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Asks how a template stands before a message by it leaves.
    pub fn with_templates(self, templates: TemplateStandings) -> Self {
        Self { templates, ..self }
    }

    /// With channels of more than the default portfolio.
    pub fn with_families(self, families: Families) -> Self {
        Self { families, ..self }
    }

    /// With accounts of more channels than the one whose webhook tells of them.
    pub fn with_accounts(self, concerned: Concerned) -> Self {
        Self { concerned, ..self }
    }

    /// Sends the files in this folder, which is `media/` of the business.
    pub fn with_media(self, folder: PathBuf) -> Self {
        Self { uploads: upload::Uploads::of(Some(folder)), ..self }
    }

    /// Sends until told to stop (or until nobody can tell it any more), then
    /// awaits the requests under way and records their ends.
    pub async fn run(self: Arc<Self>, shutdown: watch::Receiver<bool>) {
        worker::Worker::new(self).run(shutdown).await;
    }

    /// The same in steps that are asked for, for whoever owns the clock.
    pub fn by_steps(self: Arc<Self>) -> Steps {
        Steps(worker::Worker::new(self))
    }

    /// The channels that are paused now, and why.
    pub fn status(&self) -> Vec<Paused> {
        self.paused().values().cloned().collect()
    }

    fn paused(&self) -> MutexGuard<'_, BTreeMap<ChannelId, Paused>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say_failure(&self, error: &StoreError) {
        let now = self.clock.now();
        let last = self.said.load(Ordering::Relaxed);
        if last == 0 || now >= last.saturating_add(LOG_EVERY_MS) {
            self.said.store(now, Ordering::Relaxed);
            tracing::error!(error = %error, "nothing is sent until the store works again");
        }
    }
}

/// The worker without its loop.
pub struct Steps(worker::Worker);

impl Steps {
    /// Sends what may leave now, and returns when more may, if anything waits.
    pub async fn settle(&mut self) -> Result<Option<Millis>, StoreError> {
        self.0.settle().await
    }
}

#[cfg(test)]
mod tests;
