//! The one thread that writes. It takes all operations that wait, runs them one
//! after another on a view, and writes the outcome as one batch with one sync;
//! only then do the callers hear of it. As there is no other writer, what an
//! operation has checked still holds when it is written.
//!
//! Readers see a group when it is applied, a moment before it is durable. No
//! harm comes of it: whatever is done with what was read must pass through this
//! thread again before it leaves the host, and groups are synced in order.

use super::{Result, StoreError, engine::Engine, view::View};
use std::{
    sync::{Arc, OnceLock, PoisonError, RwLock},
    thread::JoinHandle,
};
use tokio::sync::{mpsc, oneshot};

/// Operations that share one sync.
const GROUP_OPERATIONS: usize = 1_024;
/// A group that has written so many bytes is closed: it is held in memory.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Runs an operation and returns how to tell its caller.
type Job = Box<dyn FnOnce(&mut View<'_>) -> Ran + Send>;

type Tell = Box<dyn FnOnce(Option<&StoreError>) + Send>;

struct Ran {
    /// The engine failed while the operation read.
    failure: Option<StoreError>,
    /// Tells the caller, with the failure of the group if it failed.
    tell: Tell,
}

struct Shared {
    engine: Arc<dyn Engine>,
    /// Held while a batch is applied, so that a read which takes several steps
    /// sees all of a batch or nothing of it.
    applying: RwLock<()>,
    failed: OnceLock<StoreError>,
}

pub struct Writer {
    shared: Arc<Shared>,
    /// None only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(engine: Arc<dyn Engine>) -> Self {
        let shared = Shared { engine, applying: RwLock::new(()), failed: OnceLock::new() };
        let shared = Arc::new(shared);
        let (jobs, waiting) = mpsc::channel(GROUP_OPERATIONS);
        let own = shared.clone();
        let thread = std::thread::Builder::new().name("store".into());
        // If it does not start, the line is cut at once and this is the reason.
        let thread = thread.spawn(move || run(&own, waiting)).map_err(|error| {
            let reason = format!("its thread did not start: {error}");
            let _ = shared.failed.set(StoreError::Failed(reason));
        });
        Self { shared, jobs: Some(jobs), thread: thread.ok() }
    }

    pub fn read<T>(&self, reading: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        let _whole = self.shared.applying.read().unwrap_or_else(PoisonError::into_inner);
        reading(&View::new(self.shared.engine.as_ref()))
    }

    /// Returns when what `operation` wrote is durable. If it fails, it has
    /// written nothing.
    pub async fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut View<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |view| {
            let outcome = operation(view);
            match outcome {
                Ok(_) => view.keep(),
                Err(_) => view.undo(),
            }
            let failure = match &outcome {
                Err(error @ StoreError::Failed(_)) => Some(error.clone()),
                _ => None,
            };
            let tell = move |failure: Option<&StoreError>| {
                // A caller that has gone away does not want to know.
                let _ = answer.send(failure.map_or(outcome, |failure| Err(failure.clone())));
            };
            Ran { failure, tell: Box::new(tell) }
        });
        match &self.jobs {
            Some(jobs) if jobs.send(job).await.is_ok() => {}
            _ => return Err(self.end()),
        }
        answered.await.unwrap_or_else(|_| Err(self.end()))
    }

    /// Whether there is room for new work.
    pub fn room(&self) -> Result<()> {
        self.shared.engine.room()
    }

    pub fn health(&self) -> Result<()> {
        match &self.jobs {
            Some(jobs) if !jobs.is_closed() => self.room(),
            _ => Err(self.end()),
        }
    }

    /// Why the thread ended.
    fn end(&self) -> StoreError {
        let failed = self.shared.failed.get().cloned();
        failed.unwrap_or_else(|| StoreError::Failed("its thread ended".into()))
    }
}

impl Drop for Writer {
    /// Waits until what was handed in is written.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // It ended by a panic, which has been reported where it happened.
            let _ = thread.join();
        }
    }
}

/// Ends when the store is dropped, or with the first failure of the engine:
/// callers that wait then find the line cut and read why.
fn run(shared: &Shared, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut view = View::new(shared.engine.as_ref());
        let mut ran = vec![first(&mut view)];
        while ran.len() < GROUP_OPERATIONS && view.bytes() < GROUP_BYTES {
            match jobs.try_recv() {
                Ok(job) => ran.push(job(&mut view)),
                Err(_) => break,
            }
        }
        let failure = ran.iter().find_map(|ran| ran.failure.clone());
        let failure = failure.or_else(|| store(shared, view).err());
        if let Some(failure) = &failure {
            tracing::error!(error = %failure, "the store takes no more writes");
            let _ = shared.failed.set(failure.clone());
        }
        for ran in ran {
            (ran.tell)(failure.as_ref());
        }
        if failure.is_some() {
            return;
        }
    }
}

fn store(shared: &Shared, view: View<'_>) -> Result<()> {
    let batch = view.into_batch();
    if batch.is_empty() {
        return Ok(());
    }
    {
        let _alone = shared.applying.write().unwrap_or_else(PoisonError::into_inner);
        shared.engine.apply(batch)?;
    }
    shared.engine.sync()
}
