//! Compiled code on disk, so that a restart compiles nothing.
//!
//! One file per component (or snapshot) and engine, named by the hashes of
//! both, with a checksum of its name and content within. What is damaged, of
//! another name or of another version is compiled again. What nobody has used
//! for long is removed when something is added.

use crate::clock::Clock;
use sha2::{Digest, Sha256};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, UNIX_EPOCH},
};
use wasmtime::{Engine, component::Component};

/// The first bytes of a file: what it is, and the version of this form.
const MAGIC: &[u8; 8] = b"swbcwsm2";
const CHECKSUM: usize = 32;
/// Files that no start and no reload has used for so long are removed.
const UNUSED_MS: u64 = 30 * 24 * 3_600_000;
/// What all files may hold together: a dozen of Python's. The ones that were
/// used longest ago are removed first.
const TOTAL_BYTES: u64 = 1024 * 1024 * 1024;
/// Half-written files of a process that died; writing one takes seconds.
const HALF_WRITTEN_MS: u64 = 3_600_000;
const EXTENSION: &str = ".cwasm";

/// The SHA-256 of a component's bytes, or of what a snapshot is made from.
pub type ComponentHash = [u8; 32];

pub fn hash(bytes: &[u8]) -> ComponentHash {
    Sha256::digest(bytes).into()
}

/// A folder that the host alone writes.
pub struct Folder {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// Files written, so that each is half written under a name of its own.
    written: AtomicU64,
}

/// A compiled component, and a remark that was kept with it.
pub struct Kept {
    pub component: Component,
    pub remark: String,
}

impl Folder {
    /// Makes the folder, readable by the owner alone. One that is another
    /// user's is refused: who writes there would run in this process.
    pub fn new(path: PathBuf, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        fs::create_dir_all(&path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, PermissionsExt};
            if fs::metadata(&path)?.uid() != rustix::process::geteuid().as_raw() {
                return Err(std::io::Error::other("the folder belongs to another user"));
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
        }
        Ok(Self { path, clock, written: AtomicU64::new(0) })
    }

    /// The compiled component, if there is an undamaged one.
    pub fn load(&self, engine: &Engine, hash: &ComponentHash) -> Option<Kept> {
        let name = file_name(engine, hash);
        let path = self.path.join(&name);
        let file = fs::read(&path).ok()?;
        let Some((remark, code)) = intact(&name, &file) else {
            tracing::warn!(path = %path.display(), "compiled plugin is damaged: compiling again");
            return None;
        };
        match deserialize(engine, code) {
            Ok(component) => {
                self.touch(&path);
                Some(Kept { component, remark: remark.into() })
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "compiled plugin does not fit");
                None
            }
        }
    }

    /// Keeps a compiled component. Failing costs only time at the next start.
    pub fn keep(&self, engine: &Engine, hash: &ComponentHash, component: &Component, remark: &str) {
        let name = file_name(engine, hash);
        let path = self.path.join(&name);
        let count = self.written.fetch_add(1, Ordering::Relaxed);
        let temporary = self.path.join(format!("{}-{count}.tmp", std::process::id()));
        if let Err(error) = write((&temporary, &path), &name, component, remark) {
            tracing::warn!(path = %path.display(), %error, "compiled plugin could not be kept");
            return;
        }
        self.touch(&path);
        if let Err(error) = self.sweep(engine) {
            tracing::warn!(path = %self.path.display(), %error, "old compiled plugins remain");
        }
    }

    /// The file's time of change says when it was last used.
    fn touch(&self, path: &Path) {
        let now = UNIX_EPOCH + Duration::from_millis(self.clock.now());
        let touched =
            fs::File::options().write(true).open(path).and_then(|file| file.set_modified(now));
        if let Err(error) = touched {
            tracing::debug!(path = %path.display(), %error, "use of a compiled plugin not noted");
        }
    }

    /// Removes what another engine made, what is long unused, and the least
    /// recently used of what is too much.
    fn sweep(&self, engine: &Engine) -> std::io::Result<()> {
        let ours = format!("-{}", suffix(engine));
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // Gone already: someone else sweeps too.
            let Ok(metadata) = entry.metadata() else { continue };
            let (unused, size) = self.use_of(&metadata);
            let out = match (name.ends_with(EXTENSION), name.ends_with(".tmp")) {
                (true, _) => !name.ends_with(&ours) || unused > UNUSED_MS,
                (false, true) => unused > HALF_WRITTEN_MS,
                (false, false) => continue,
            };
            match out {
                true => remove(&entry.path())?,
                false => kept.push((unused, size, entry.path())),
            }
        }
        kept.sort_unstable();
        let mut total = 0;
        for (_, size, path) in kept {
            total += size;
            if total > TOTAL_BYTES {
                remove(&path)?;
            }
        }
        Ok(())
    }

    /// For how long a file has not been used, in ms, and its bytes.
    fn use_of(&self, file: &fs::Metadata) -> (u64, u64) {
        let used = file.modified().unwrap_or(UNIX_EPOCH);
        let used = used.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        (self.clock.now().saturating_sub(used), file.len())
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn file_name(engine: &Engine, hash: &ComponentHash) -> String {
    format!("{}-{}", hex::encode(hash), suffix(engine))
}

/// Code of another engine, or of one set up otherwise, has another.
fn suffix(engine: &Engine) -> String {
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    format!("{:016x}{EXTENSION}", compatibility.finish())
}

fn checksum(name: &str, content: &[u8]) -> ComponentHash {
    Sha256::new().chain_update(name).chain_update(content).finalize().into()
}

/// The remark and the code, if the file is what was written under this name.
fn intact<'a>(name: &str, file: &'a [u8]) -> Option<(&'a str, &'a [u8])> {
    let (sum, content) = file.strip_prefix(MAGIC)?.split_at_checked(CHECKSUM)?;
    if checksum(name, content) != sum {
        return None;
    }
    let (length, rest) = content.split_first_chunk::<4>()?;
    let (remark, code) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((std::str::from_utf8(remark).ok()?, code))
}

/// Under another name first, so that nobody reads half a file.
fn write(
    (temporary, path): (&Path, &Path),
    name: &str,
    component: &Component,
    remark: &str,
) -> wasmtime::Result<()> {
    let mut content = (remark.len() as u32).to_le_bytes().to_vec();
    content.extend_from_slice(remark.as_bytes());
    content.extend(component.serialize()?);
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(&checksum(name, &content));
    file.append(&mut content);
    fs::write(temporary, file)?;
    Ok(fs::rename(temporary, path)?)
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` runs whatever machine code it is given, so the
    // bytes must be what `Component::serialize` wrote. They come from a file
    // that `keep` wrote in a folder which only this program's user can write
    // and which no business folder brings along;
    // their checksum shows that they were not damaged since, and that they
    // were written under this name, which holds the component's hash and the
    // engine's compatibility hash; and wasmtime itself refuses code of another
    // version or configuration. Who can write there as this user can replace
    // the program as well.
    unsafe { Component::deserialize(engine, code) }
}

#[cfg(test)]
mod tests;
