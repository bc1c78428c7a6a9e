//! Brings the files that customers send to this machine while the provider
//! still has them, and removes them when their time is over. Nothing here
//! opens, runs or shows a file; what one says of itself is never believed.

mod bytes;
mod fetch;
mod shelf;

pub use bytes::is_safe_to_name;
pub use shelf::Shelf;

use crate::{
    clock::{Clock, Stopwatch},
    config::MediaConfig,
    model::*,
    outbox::backoff,
    provider::Provider,
    store::{Store, StoreError},
    wake::{self, Bell, Shutdown},
};
use fetch::{Fetch, Fetched, Trouble};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::task::{Id, JoinSet};

/// How long a provider's id of a file works. Meta's do for 7 days.
const LIFE_MS: Millis = 7 * 24 * 3_600_000;
/// Tries that came to nothing after which a file is given up: with the pauses
/// between them, most of a day.
const TRIES_MAX: u32 = 30;
/// The first pause after passing trouble, and the longest.
const PAUSE_MS: Millis = 1_000;
const PAUSE_MAX_MS: Millis = 3_600_000;
/// The longest sleep: a look even if nobody rang.
const PERIOD_MS: Millis = 5_000;
/// The pause after the store failed.
const TROUBLE_MS: Millis = 5_000;
/// The longest that one file may take. An address works for five minutes.
const FETCH: Duration = Duration::from_secs(4 * 60);
/// How often files are looked through for those whose time is over.
const SWEEP_MS: Millis = 3_600_000;
const DAY_MS: Millis = 24 * 3_600_000;
const MB: u64 = 1024 * 1024;

/// A channel's provider, looked up anew each time: generations are swapped
/// whole.
pub type Providers = Arc<dyn Fn(&ChannelId) -> Option<Arc<dyn Provider>> + Send + Sync>;
/// The settings as they are now.
pub type Settings = Arc<dyn Fn() -> MediaConfig + Send + Sync>;

/// Why files could not be swept.
#[derive(thiserror::Error, Debug)]
pub enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the folder of files can't be used: {0}")]
    Folder(#[from] std::io::Error),
}

/// The worker that fetches and sweeps. One per store.
pub struct Downloads {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub shelf: Arc<Shelf>,
    pub providers: Providers,
    pub settings: Settings,
    /// Rung when a message was accepted.
    pub bell: Bell,
    pub client: reqwest::Client,
}

/// The client for files: no redirects by itself (each is looked at first), and
/// none of the bounds that fit short answers.
///
/// # Errors
/// The machine's certificates can't be used.
pub fn client() -> reqwest::Result<reqwest::Client> {
    fetch::client()
}

/// Which file: its channel and the provider's id.
type Which = (ChannelId, String);

fn which(file: &MediaFile) -> Which {
    (file.channel.clone(), file.media.id.clone())
}

impl Downloads {
    /// Fetches until told to stop. What is under way then is broken off; the
    /// next process fetches it.
    pub async fn run(self: Arc<Self>, mut shutdown: Shutdown) {
        let mut running = JoinSet::new();
        let mut busy: HashMap<Id, Which> = HashMap::new();
        loop {
            let next = match self.fill(&mut running, &mut busy).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!("files to be fetched could not be read: {error}");
                    self.clock.now() + TROUBLE_MS
                }
            };
            tokio::select! {
                biased;
                _ = shutdown.wait_for(|ended| *ended) => return,
                Some(ended) = running.join_next_with_id() => {
                    busy.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
                }
                () = self.bell.0.notified() => {}
                () = self.clock.sleep_until(next) => {}
            }
        }
    }

    /// Starts what is due, up to the bound. When to look again.
    async fn fill(
        self: &Arc<Self>,
        running: &mut JoinSet<()>,
        busy: &mut HashMap<Id, Which>,
    ) -> Result<Millis, StoreError> {
        let (now, later) = (self.clock.now(), self.clock.now() + PERIOD_MS);
        let free = (self.settings)().parallel.saturating_sub(running.len());
        if free == 0 {
            return Ok(later);
        }
        // What is under way still stands there as due.
        let listed = self.store.due_media(later, busy.len() + free).await?;
        let known: HashSet<Which> = busy.values().cloned().collect();
        for file in listed.into_iter().filter(|file| !known.contains(&which(file))) {
            match file.state {
                MediaState::Waiting { due, .. } if due > now => return Ok(due),
                _ => {
                    let name = which(&file);
                    let task = running.spawn(Arc::clone(self).one(file));
                    busy.insert(task.id(), name);
                }
            }
        }
        Ok(later)
    }

    /// One try at one file, and its record.
    async fn one(self: Arc<Self>, file: MediaFile) {
        let watch = Stopwatch::start();
        let ended = match self.attempt(&file).await {
            Ok(fetched) => self.keep(&file, fetched, watch).await,
            Err(trouble) => self.fail(file, trouble).await,
        };
        if let Err(error) = ended {
            tracing::error!("how a file was fetched could not be recorded: {error}");
            // It is still due: not again at once.
            self.clock.sleep_until(self.clock.now() + TROUBLE_MS).await;
        }
    }

    async fn attempt(&self, file: &MediaFile) -> Result<Fetched, Trouble> {
        if self.clock.now() > file.accepted_at.saturating_add(LIFE_MS) {
            let days = LIFE_MS / DAY_MS;
            let last = match &file.state {
                MediaState::Waiting { reason: Some(reason), .. } => format!(": {reason}"),
                _ => String::new(),
            };
            return Err(Trouble::Gone(format!(
                "it could not be fetched in the {days} days for which the provider keeps it{last}"
            )));
        }
        let Some(provider) = (self.providers)(&file.channel) else {
            return Err(Trouble::Wait("its channel is not in the business folder".into()));
        };
        let limit = (self.settings)().max_mb * MB;
        let fetch = Fetch { client: &self.client, provider: &*provider, shelf: &self.shelf, limit };
        let fetched = tokio::time::timeout(FETCH, fetch.file(&file.media)).await;
        fetched.unwrap_or_else(|_| {
            Err(Trouble::Again(format!("it took longer than {} s", FETCH.as_secs())))
        })
    }

    async fn keep(
        &self,
        file: &MediaFile,
        fetched: Fetched,
        watch: Stopwatch,
    ) -> Result<(), StoreError> {
        let Fetched { part, mut here } = fetched;
        // Nobody may take the file for one that is not needed meanwhile.
        let still = self.shelf.still().await;
        if let Err(error) = self.shelf.place(part, &here.sha256).await {
            drop(still);
            let words = format!("it could not be put in its place: {error}");
            return self.fail(file.clone(), Trouble::Wait(words)).await;
        }
        here.at = self.clock.now();
        let (bytes, odd) = (here.bytes, here.looks_like.is_some());
        self.store.record_media(file, MediaState::Here(here)).await?;
        drop(still);
        self.shelf.tell();
        tracing::info!(
            channel.id = %file.channel,
            media.kind = file.media.kind.name(),
            media.bytes = bytes,
            media.odd = odd,
            duration_ms = watch.elapsed().as_millis() as u64,
            "a customer's file arrived"
        );
        Ok(())
    }

    async fn fail(&self, mut file: MediaFile, trouble: Trouble) -> Result<(), StoreError> {
        let now = self.clock.now();
        let (tries_max, reason) = match trouble {
            Trouble::Gone(reason) => (0, reason),
            Trouble::Once(reason) => (2, reason),
            Trouble::Again(reason) => (TRIES_MAX, reason),
            Trouble::Wait(reason) => {
                tracing::debug!(channel.id = %file.channel, "a customer's file waits: {reason}");
                let due = now + fetch::WAIT_MS;
                let state = MediaState::Waiting { due, reason: Some(reason) };
                return self.store.record_media(&file, state).await.map(drop);
            }
        };
        file.tries += 1;
        let state = if file.tries >= tries_max {
            tracing::warn!(
                channel.id = %file.channel,
                media.kind = file.media.kind.name(),
                media.tries = file.tries,
                "a customer's file is not to be had: {reason}"
            );
            MediaState::Failed { reason, at: now }
        } else {
            let jitter = self.clock.jitter();
            let due = now + backoff::growing(PAUSE_MS, 2, file.tries, jitter, PAUSE_MAX_MS);
            MediaState::Waiting { due, reason: Some(reason) }
        };
        self.store.record_media(&file, state).await?;
        self.shelf.tell();
        Ok(())
    }

    /// Removes files whose time is over, and those that no record names, until
    /// told to stop.
    pub async fn upkeep(self: Arc<Self>, mut shutdown: Shutdown) {
        let bell = Bell::default();
        loop {
            match self.sweep().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "customers' files were removed"),
                Err(error) => tracing::error!("old files could not be removed: {error}"),
            }
            let next = self.clock.now() + SWEEP_MS;
            if !wake::wait(&bell, &*self.clock, next, &mut shutdown).await {
                return;
            }
        }
    }

    /// One sweep; how many files it removed.
    ///
    /// # Errors
    /// The store, or the folder, can't be read.
    pub async fn sweep(&self) -> Result<usize, SweepError> {
        let keep_ms = (self.settings)().days * DAY_MS;
        while !self.store.sweep_media(self.clock.now(), keep_ms).await?.is_empty() {}
        // Also those that a process left behind which ended before its record.
        let mut removed = 0;
        for name in self.shelf.names().await? {
            let _still = self.shelf.still().await;
            if !self.store.media_needs(&name).await? {
                self.shelf.remove(&name).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
