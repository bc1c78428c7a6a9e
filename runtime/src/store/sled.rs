//! The engine on disk: the only place that names sled. It is kept honest by
//! four rules, each of which has lost acknowledged writes when broken:
//! `flush` alone does not survive a crash of the system, so `fdatasync` of the
//! file follows it; values stay small (see `codec`), because sled would put
//! large ones into files it never syncs; `flush_async` is never called, as it
//! can hang; the background flusher stays on, as it also frees segments.

use super::{
    Result, StoreError,
    engine::{Batch, Engine, Order, Pairs, Span},
    key,
};
use crate::clock::Stopwatch;
use rustix::fs::{FlockOperation, flock, statvfs};
use std::{
    fs::File,
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

#[derive(Clone, Copy, Debug)]
pub struct SledOptions {
    /// The engine's cache in MB.
    pub cache_mb: u64,
    /// Disk space in MB below which nothing new is accepted, so that what was
    /// accepted can be finished.
    pub reserve_mb: u64,
}

/// The layout of keys and values; another number can't be read by this version.
const FORMAT: &[u8] = b"1";
/// Stands beside the database once that has been set up, so that a database
/// which lost all it had is not taken for a new one.
const MARKER: &str = "format";
/// How long an answer about free space holds: it is asked for every webhook.
const FREE_HOLDS: Duration = Duration::from_millis(200);
const MB: u64 = 1024 * 1024;
/// A process that is about to end, or a database just closed, lets go of its
/// lock within this many tries.
const LOCK_TRIES: u32 = 10;
const LOCK_WAIT: Duration = Duration::from_millis(50);

pub struct SledEngine {
    db: sled::Db,
    /// A second descriptor of the database's file, for `fdatasync`.
    file: File,
    path: PathBuf,
    reserve_mb: u64,
    free: Mutex<Option<(Stopwatch, u64)>>,
}

impl SledEngine {
    /// Opens the database in the folder `path`, or makes one.
    ///
    /// # Errors
    /// `Locked` if another process has it open, `Corrupt` if it can't be read,
    /// `Failed` if the folder can't be used.
    pub fn open(path: &Path, options: &SledOptions) -> Result<Self> {
        let config = sled::Config::new().path(path).cache_capacity(options.cache_mb.max(1) * MB);
        let db = open_database(&config, path)?;
        let file = File::open(path.join("db")).map_err(|error| unusable(path, &error))?;
        let (path, reserve_mb) = (path.to_owned(), options.reserve_mb);
        let engine = Self { db, file, path, reserve_mb, free: Mutex::new(None) };
        engine.check_format()?;
        Ok(engine)
    }

    fn check_format(&self) -> Result<()> {
        let marker = self.path.join(MARKER);
        let corrupt = |reason: &str| Err(unreadable(&self.path, reason.into()));
        match self.get(&key::format())? {
            Some(format) if format == FORMAT => {}
            Some(_) => return corrupt("it was written by a newer version"),
            None if marker.exists() => {
                return corrupt("all it held is gone; restore it from a backup");
            }
            None => {
                self.apply(Batch::from([(key::format(), Some(FORMAT.into()))]))?;
                self.sync()?;
            }
        }
        if !marker.exists() {
            mark(&self.path, &marker).map_err(|error| unusable(&self.path, &error))?;
        }
        Ok(())
    }

    fn free_mb(&self) -> Result<u64> {
        let mut known = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, free)) = *known
            && since.elapsed() < FREE_HOLDS
        {
            return Ok(free);
        }
        let disk = statvfs(&self.path).map_err(|error| unusable(&self.path, &error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize) / MB;
        *known = Some((Stopwatch::start(), free));
        Ok(free)
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.db.get(key).map_err(failed)?.map(|value| value.to_vec()))
    }

    fn range<'a>(&'a self, span: &Span, order: Order) -> Pairs<'a> {
        let pairs = self.db.range(span.from.as_slice()..span.to.as_slice());
        let own = |pair: sled::Result<(sled::IVec, sled::IVec)>| {
            pair.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(failed)
        };
        match order {
            Order::Forward => Box::new(pairs.map(own)),
            Order::Reverse => Box::new(pairs.rev().map(own)),
        }
    }

    fn apply(&self, batch: Batch) -> Result<()> {
        let mut writes = sled::Batch::default();
        for (key, value) in batch {
            match value {
                Some(value) => writes.insert(key, value),
                None => writes.remove(key),
            }
        }
        self.db.apply_batch(writes).map_err(failed)
    }

    fn sync(&self) -> Result<()> {
        self.db.flush().map_err(failed)?;
        self.file.sync_data().map_err(|error| StoreError::Failed(error.to_string()))
    }

    fn room(&self) -> Result<()> {
        let (free_mb, needed_mb) = (self.free_mb()?, self.reserve_mb);
        if free_mb < needed_mb {
            let path = self.path.display().to_string();
            return Err(StoreError::Full { path, free_mb, needed_mb });
        }
        Ok(())
    }
}

fn open_database(config: &sled::Config, path: &Path) -> Result<sled::Db> {
    let mut tries = 0;
    loop {
        // On damaged files sled may panic instead of returning an error.
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        let error = match opened {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(error)) => error,
            Err(_) => return Err(unreadable(path, "its files are damaged".into())),
        };
        tries += 1;
        match error {
            sled::Error::Io(_) if is_locked(path) => {
                if tries == LOCK_TRIES {
                    return Err(StoreError::Locked { path: path.display().to_string() });
                }
                std::thread::sleep(LOCK_WAIT);
            }
            // Let go between the failed attempt and the question.
            sled::Error::Io(ref error)
                if error.kind() == io::ErrorKind::Other && tries < LOCK_TRIES =>
            {
                std::thread::sleep(LOCK_WAIT);
            }
            sled::Error::Io(error) => return Err(unusable(path, &error)),
            sled::Error::CollectionNotFound(_)
            | sled::Error::Unsupported(_)
            | sled::Error::ReportableBug(_)
            | sled::Error::Corruption { .. } => return Err(unreadable(path, error.to_string())),
        }
    }
}

fn is_locked(path: &Path) -> bool {
    let lock = |file| flock(file, FlockOperation::NonBlockingLockExclusive);
    File::open(path.join("db")).is_ok_and(|file| lock(file).is_err())
}

fn mark(folder: &Path, marker: &Path) -> io::Result<()> {
    let mut file = File::create(marker)?;
    file.write_all(FORMAT)?;
    file.sync_all()?;
    // The names of new files are durable only with their folders.
    File::open(folder)?.sync_all()?;
    match folder.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn failed(error: sled::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn unreadable(path: &Path, reason: String) -> StoreError {
    StoreError::Corrupt { what: format!("database in {}", path.display()), reason }
}

fn unusable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Failed(format!("the data folder {} can't be used: {error}", path.display()))
}
