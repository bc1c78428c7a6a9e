//! The folder of files, each under the name of its hash. Owns how a file comes
//! to stand there whole; which are needed, the store knows.

use rustix::fs::statvfs;
use sha2::{Digest, Sha256};
use std::{
    io::{self, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
    sync::{Mutex, MutexGuard, Notify, futures::Notified},
};

/// What the name of an unfinished file begins with.
const PART: &str = "part-";
/// Bytes of a file's beginning that are kept to tell its type.
const HEAD_BYTES: usize = 64;
/// Between two looks at the disk while a file grows.
const LOOK_BYTES: u64 = 8 * 1024 * 1024;
const MB: u64 = 1024 * 1024;

pub struct Shelf {
    folder: PathBuf,
    /// Disk space in MB that no file may take.
    reserve_mb: u64,
    parts: AtomicU64,
    /// Held while a file and its record are put in place, or found unneeded.
    still: Mutex<()>,
    told: Notify,
}

impl Shelf {
    /// Makes the folder, and removes what a process before left unfinished.
    /// Only one process may have it, which is the store's to see to.
    ///
    /// # Errors
    /// The folder can't be made or read.
    pub fn open(folder: &Path, reserve_mb: u64) -> io::Result<Arc<Self>> {
        std::fs::create_dir_all(folder)?;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(PART) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            reserve_mb,
            parts: AtomicU64::new(0),
            still: Mutex::default(),
            told: Notify::new(),
        }))
    }

    /// Whether `more` bytes may still be written. Error: why not.
    pub fn room(&self, more: u64) -> Result<(), String> {
        let disk =
            statvfs(&self.folder).map_err(|error| format!("the disk is unknown: {error}"))?;
        let free_mb = disk.f_bavail.saturating_mul(disk.f_frsize).saturating_sub(more) / MB;
        match free_mb >= self.reserve_mb {
            true => Ok(()),
            false => Err(format!(
                "the disk is too full for it: {} MB are kept in reserve (`store.reserve_mb`)",
                self.reserve_mb
            )),
        }
    }

    /// Resolves when the record of some file has changed since the call.
    pub fn change(&self) -> Notified<'_> {
        self.told.notified()
    }

    pub(super) fn tell(&self) {
        self.told.notify_waiters();
    }

    pub(super) async fn still(&self) -> MutexGuard<'_, ()> {
        self.still.lock().await
    }

    /// A new, empty file.
    pub(super) async fn part(&self) -> io::Result<Part> {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{PART}{number}"));
        let file = File::create(&path).await?;
        let (hash, head) = (Sha256::new(), Vec::with_capacity(HEAD_BYTES));
        Ok(Part { path, file, hash, head, bytes: 0, looked: 0 })
    }

    /// Gives a finished file its name, durably. One that is there already has
    /// the same bytes, so it stays.
    pub(super) async fn place(&self, mut part: Part, sha256: &str) -> io::Result<()> {
        part.file.flush().await?;
        part.file.sync_all().await?;
        let place = self.path(sha256)?;
        if !fs::try_exists(&place).await? {
            fs::rename(&part.path, &place).await?;
        }
        // The names of new files are durable only with their folder.
        File::open(&self.folder).await?.sync_all().await
    }

    fn path(&self, sha256: &str) -> io::Result<PathBuf> {
        match is_hash(sha256) {
            true => Ok(self.folder.join(sha256)),
            false => Err(io::Error::other("not the name of a file")),
        }
    }

    /// The finished files.
    pub(super) async fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        let mut entries = fs::read_dir(&self.folder).await?;
        while let Some(entry) = entries.next_entry().await? {
            names.extend(entry.file_name().into_string().ok().filter(|name| is_hash(name)));
        }
        Ok(names)
    }

    pub(super) async fn remove(&self, sha256: &str) -> io::Result<()> {
        fs::remove_file(self.path(sha256)?).await
    }

    /// A file, to be read from its beginning.
    ///
    /// # Errors
    /// It is not there, or can't be read.
    pub async fn file(&self, sha256: &str) -> io::Result<File> {
        File::open(self.path(sha256)?).await
    }

    /// At most `length` bytes from `offset`; fewer at the end, none behind it.
    ///
    /// # Errors
    /// As `file`.
    pub async fn read(&self, sha256: &str, offset: u64, length: u32) -> io::Result<Vec<u8>> {
        let mut file = self.file(sha256).await?;
        file.seek(SeekFrom::Start(offset)).await?;
        let mut bytes = Vec::new();
        file.take(u64::from(length)).read_to_end(&mut bytes).await?;
        Ok(bytes)
    }
}

fn is_hash(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A file in the making; gone when dropped without being placed.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    hash: Sha256,
    /// Its first bytes.
    pub head: Vec<u8>,
    pub bytes: u64,
    /// How many it had when the disk was last looked at.
    looked: u64,
}

impl Part {
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let missing = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).await
    }

    /// Whether it is time to look at the disk again.
    pub fn grown(&mut self) -> bool {
        let grown = self.bytes.saturating_sub(self.looked) >= LOOK_BYTES;
        if grown {
            self.looked = self.bytes;
        }
        grown
    }

    /// Of all that was written, in hexadecimal.
    pub fn sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It has been renamed, or is of no use; the next start removes what stays.
        let _ = std::fs::remove_file(&self.path);
    }
}
