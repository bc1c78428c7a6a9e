//! Brings in what the owner edits: watch → wait for quiet → build → swap, or
//! keep the running generation and say why. One task does all loads, so they
//! never race. Must not touch the store or a turn: those read the generation.

mod watch;

use crate::{
    clock::Clock,
    config::{self, Env, Problem, StoreConfig},
    generation::{self, Generation, Occasion},
    model::Millis,
    plugin::Plugins,
};
use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::sync::{mpsc, oneshot};
use watch::Watch;

/// Quiet time after a change before the folder is read: editors write a file
/// in several goes.
const DEBOUNCE_MS: Millis = 100;
/// Files are compared this often, because watching misses changes on network
/// drives, in containers and behind links.
const RESCAN_MS: Millis = 2_000;
/// A problem counts only if it is still there after this, because a file may
/// have been read half written.
const SECOND_LOOK_MS: Millis = 150;
/// Reloads that may wait for one that is running.
const WAITING: usize = 16;

/// Called with each new generation after it is in place.
pub type OnSwap = Box<dyn Fn(Arc<Generation>) + Send + Sync>;

/// What a reloader works with.
pub struct Setting {
    pub folder: PathBuf,
    pub env: Env,
    pub plugins: Arc<Plugins>,
    pub clock: Arc<dyn Clock>,
    pub on_swap: OnSwap,
}

/// How the last load went.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The generation that runs.
    pub generation: u64,
    pub loaded_at: Millis,
    /// Of the last attempt; empty when what runs is what is in the folder.
    pub problems: Vec<Problem>,
    pub failed_at: Option<Millis>,
    /// Of the generation that runs.
    pub warnings: Vec<Problem>,
}

/// The answer to a reload that was asked for, as the API writes it and
/// `switchboard reload` reads it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    /// The new generation; none if there were problems.
    pub generation: Option<u64>,
    #[serde(default)]
    pub problems: Vec<Problem>,
    #[serde(default)]
    pub warnings: Vec<Problem>,
}

/// The generation that a runtime starts with, and the state of the files that
/// it was made from, so that no edit after that is missed.
pub struct First {
    pub generation: Generation,
    watch: Watch,
    seen: u64,
}

impl First {
    /// Loads generation 1. Error: every problem there is.
    pub async fn load(
        folder: &Path,
        env: &Env,
        plugins: &Arc<Plugins>,
    ) -> Result<Self, Vec<Problem>> {
        let store = config::load_business(folder, env).map(|business| business.store);
        // Where it can't be told, the load below fails too and says why.
        let store = store.unwrap_or_else(|_| StoreConfig::default());
        let watch = Watch::start(folder, &store.path);
        let seen = watch.fingerprint();
        let generation = generation::build(folder, env, plugins, Occasion::Start, 1).await?;
        Ok(Self { generation, watch, seen })
    }
}

type Outcome = Result<u64, Vec<Problem>>;

/// Owns which generation runs. When it is dropped, watching ends.
pub struct Reloader {
    generation: Arc<ArcSwap<Generation>>,
    status: Arc<ArcSwap<Status>>,
    asks: mpsc::Sender<oneshot::Sender<Outcome>>,
}

impl Reloader {
    /// Starts watching. `first` is what runs until something changes. Needs a
    /// tokio runtime around it.
    pub fn start(setting: Setting, first: First) -> Self {
        let First { generation, watch, seen } = first;
        let status = Status {
            generation: generation.number,
            loaded_at: setting.clock.now(),
            problems: Vec::new(),
            failed_at: None,
            warnings: generation.warnings.clone(),
        };
        let generation = Arc::new(ArcSwap::from_pointee(generation));
        let status = Arc::new(ArcSwap::from_pointee(status));
        let (asks, asked) = mpsc::channel(WAITING);
        let (current, shown) = (Arc::clone(&generation), Arc::clone(&status));
        let task = Task { setting, watch, seen, generation: current, status: shown };
        tokio::spawn(task.run(asked));
        Self { generation, status, asks }
    }

    /// The generation that runs now. A turn keeps the one it began with.
    pub fn current(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// The place of the running generation, for workers.
    pub fn generation(&self) -> &Arc<ArcSwap<Generation>> {
        &self.generation
    }

    pub fn status(&self) -> Status {
        let mut status = Status::clone(&self.status.load());
        status.warnings.extend(self.current().rolled_back());
        status
    }

    /// Loads now, whether or not anything has changed, and returns the new
    /// generation's number. Error: the problems; the old one goes on.
    pub async fn reload(&self) -> Outcome {
        let (reply, answer) = oneshot::channel();
        let ended = || vec![Problem::of_file(".", "reloading has ended: the runtime is stopping")];
        self.asks.send(reply).await.map_err(|_| ended())?;
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// As `reload`, in the form that the API returns.
    pub async fn answer(&self) -> Answer {
        match self.reload().await {
            Ok(number) => {
                let warnings = self.status().warnings;
                Answer { generation: Some(number), problems: Vec::new(), warnings }
            }
            Err(problems) => {
                let warnings = self.current().rolled_back();
                Answer { generation: None, problems, warnings }
            }
        }
    }
}

struct Task {
    setting: Setting,
    watch: Watch,
    /// The state of the files that was loaded last, well or not.
    seen: u64,
    generation: Arc<ArcSwap<Generation>>,
    status: Arc<ArcSwap<Status>>,
}

impl Task {
    async fn run(mut self, mut asked: mpsc::Receiver<oneshot::Sender<Outcome>>) {
        loop {
            let clock = Arc::clone(&self.setting.clock);
            let rescan = clock.sleep_until(clock.now() + RESCAN_MS);
            let reply = tokio::select! {
                ask = asked.recv() => match ask {
                    Some(reply) => Some(reply),
                    None => return,
                },
                () = self.watch.hint() => {
                    clock.sleep_until(clock.now() + DEBOUNCE_MS).await;
                    None
                }
                () = rescan => None,
            };
            self.watch.follow_folders();
            if reply.is_none() && self.watch.fingerprint() == self.seen {
                continue;
            }
            let outcome = self.load().await;
            if let Some(reply) = reply {
                if outcome.is_ok() {
                    self.generation.load().lift_rests();
                }
                // Nobody to tell if the caller has gone.
                let _ = reply.send(outcome);
            }
        }
    }

    async fn load(&mut self) -> Outcome {
        let mut built = self.build().await;
        if built.is_err() {
            let clock = Arc::clone(&self.setting.clock);
            clock.sleep_until(clock.now() + SECOND_LOOK_MS).await;
            built = self.build().await;
        }
        match built {
            Ok(generation) => Ok(self.swap(generation)),
            Err(problems) => Err(self.keep(problems)),
        }
    }

    async fn build(&mut self) -> Result<Generation, Vec<Problem>> {
        // Taken before reading: what changes meanwhile is seen as a change.
        self.seen = self.watch.fingerprint();
        let Setting { folder, env, plugins, .. } = &self.setting;
        let running = self.generation.load_full();
        generation::build(folder, env, plugins, Occasion::Reload(&running), running.number + 1)
            .await
    }

    fn swap(&self, generation: Generation) -> u64 {
        let generation = Arc::new(generation);
        let number = generation.number;
        for warning in &generation.warnings {
            tracing::warn!(generation.number = number, "{warning}");
        }
        tracing::info!(generation.number = number, "the business folder was loaded");
        // First what runs, then what is said of it.
        self.generation.store(Arc::clone(&generation));
        self.status.store(Arc::new(Status {
            generation: number,
            loaded_at: self.setting.clock.now(),
            problems: Vec::new(),
            failed_at: None,
            warnings: generation.warnings.clone(),
        }));
        (self.setting.on_swap)(generation);
        number
    }

    fn keep(&self, problems: Vec<Problem>) -> Vec<Problem> {
        let running = self.status.load_full();
        for problem in &problems {
            tracing::error!(generation.number = running.generation, "{problem}");
        }
        tracing::error!(
            generation.number = running.generation,
            problems.count = problems.len(),
            "the business folder was not loaded; the generation before goes on"
        );
        self.status.store(Arc::new(Status {
            problems: problems.clone(),
            failed_at: Some(self.setting.clock.now()),
            ..Status::clone(&running)
        }));
        problems
    }
}
