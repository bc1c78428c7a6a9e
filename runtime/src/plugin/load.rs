//! From a name to a plugin that has been compiled, checked and asked who it
//! is.

use super::{
    bundled,
    code::{Code, CodeReport, Ready},
    compile::{Made, Workshop},
    compiled::{self, ComponentHash, Folder},
    describe::Descriptor,
    engine::{Compiler, Machine},
    instance::{Failure, Instance},
};
use crate::{
    clock::Clock,
    config::{BUNDLED, Document, Limits, Problem, Schema},
    media::Shelf,
};
use bytes::Bytes;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The largest component, in MB: Python's interpreter makes 18.
pub(super) const COMPONENT_MB: u64 = 64;

/// Why a plugin could not be loaded, in words for its owner.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    #[error("there is no file {name}")]
    Missing { name: String },
    #[error("there is no bundled plugin `{name}`: there are `{known}`; a file ends in .wasm")]
    Unknown { name: String, known: String },
    #[error("{name} can't be read: {reason}")]
    Unreadable { name: String, reason: String },
    #[error("{name} has {mb} MB, and {limit_mb} MB are allowed")]
    TooBig { name: String, mb: u64, limit_mb: u64 },
    #[error("{name} is not WebAssembly")]
    NotWasm { name: String },
    #[error(
        "{name} is a core WebAssembly module: build it as a component, in Rust with \
         `cargo build --target wasm32-wasip2`"
    )]
    CoreModule { name: String },
    #[error("{name} can't be compiled: {reason}")]
    Invalid { name: String, reason: String },
    #[error("{name} is not a Switchboard plugin: {reason}")]
    WrongWorld { name: String, reason: String },
    #[error("{name} is made for switchboard:plugin {wants}, and this host serves {offers}")]
    WrongVersion { name: String, wants: String, offers: String },
    #[error("{name} could not describe itself: it {reason}")]
    Describe { name: String, reason: String },
    #[error("{name} describes itself wrongly: {reason}")]
    Descriptor { name: String, reason: String },
}

/// Where a plugin comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Bundled(String),
    File(PathBuf),
    /// Bytes that are no file yet, with what to call them.
    Fetched {
        name: String,
        bytes: Arc<[u8]>,
    },
}

impl Source {
    /// The component's bytes.
    pub(super) async fn read(&self) -> Result<Bytes, LoadError> {
        let path = match self {
            Self::Bundled(name) => {
                let known = || BUNDLED.join("`, `");
                return bundled::bytes(name)
                    .map(Bytes::from_static)
                    .ok_or_else(|| LoadError::Unknown { name: name.clone(), known: known() });
            }
            Self::File(path) => path,
            Self::Fetched { bytes, .. } => return Ok(Bytes::copy_from_slice(bytes)),
        };
        let name = self.to_string();
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => LoadError::Missing { name: name.clone() },
            _ => LoadError::Unreadable { name: name.clone(), reason: error.to_string() },
        };
        let mb = tokio::fs::metadata(path).await.map_err(failed)?.len().div_ceil(1024 * 1024);
        if mb > COMPONENT_MB {
            return Err(LoadError::TooBig { name, mb, limit_mb: COMPONENT_MB });
        }
        tokio::fs::read(path).await.map(Bytes::from).map_err(failed)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
            Self::Fetched { name, .. } => f.write_str(name),
        }
    }
}

/// How components came to be, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loads {
    pub compiled: u64,
    pub from_cache: u64,
}

/// Loads plugins; one for the whole host.
pub struct Plugins {
    workshop: Arc<Workshop>,
    /// What is in use, so that the same bytes are compiled once. Each has a
    /// lock of its own, held while it is made: different plugins do not wait
    /// for each other.
    known: Mutex<HashMap<ComponentHash, Slot>>,
    compiled: AtomicU64,
    from_cache: AtomicU64,
    /// Checks of components that passed.
    checks: Mutex<HashSet<String>>,
}

type Slot = Arc<tokio::sync::Mutex<Weak<Code>>>;

/// Checks remembered; more than any business has versions of plugins.
const CHECKS: usize = 1_000;

/// A loaded plugin.
pub struct Plugin {
    pub(super) code: Arc<Code>,
    pub(super) machine: Arc<Machine>,
    pub(super) workshop: Arc<Workshop>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) bundled: bool,
}

impl Plugin {
    /// Of the component's bytes: two plugins with the same are the same.
    pub fn hash(&self) -> String {
        hex::encode(self.code.hash)
    }

    pub fn descriptor(&self) -> &Descriptor {
        &self.code.descriptor
    }

    /// Whether its instances can be made from a snapshot that has its rules
    /// already. Error: why not. One set of rules may still be in the way.
    pub fn snapshot_possible(&self) -> Result<(), &str> {
        self.code.never_frozen.as_deref().map_or(Ok(()), Err)
    }

    /// What its new instances run on now.
    pub fn code(&self) -> CodeReport {
        let live = self.code.live();
        CodeReport {
            compiler: live.compiler.name(),
            component_bytes: self.code.size,
            took: live.took,
            cached: live.cached,
        }
    }

    /// Where rules do not keep to the plugin's own schema. Error: that is none.
    pub fn schema_problems(&self, rules: &Document) -> Result<Vec<Problem>, String> {
        Ok(self.schema()?.map(|schema| schema.check(rules)).unwrap_or_default())
    }

    /// What is likely to be an oversight in rules that keep to it.
    pub fn schema_remarks(&self, rules: &Document) -> Result<Vec<Problem>, String> {
        Ok(self.schema()?.map(|schema| schema.remarks(rules)).unwrap_or_default())
    }

    fn schema(&self) -> Result<Option<Schema>, String> {
        let schema = self.descriptor().rules_schema.clone().map(Schema::parse).transpose();
        schema.map_err(|why| format!("the plugin's schema for its rules is not valid: {why}"))
    }

    /// The cases that the component carries, as `cases::pack` made them.
    pub fn packed_cases(&self) -> Option<&[u8]> {
        self.code.cases.as_deref()
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("descriptor", self.descriptor()).finish_non_exhaustive()
    }
}

impl Plugins {
    /// Compiled code is kept in `cache_dir`, which must be the host's own.
    /// Without one, or where it can't be written, every start compiles anew.
    pub fn new(cache_dir: Option<PathBuf>, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Self>> {
        let machine = Machine::new().map_err(|error| anyhow::anyhow!("{error:#}"))?;
        let cache = cache_dir.and_then(|path| match Folder::new(path.clone(), clock.clone()) {
            Ok(folder) => Some(Arc::new(folder)),
            Err(error) => {
                let path = path.display();
                tracing::warn!(%path, %error, "compiled plugins can't be kept: each start compiles");
                None
            }
        });
        Ok(Arc::new(Self {
            workshop: Workshop::new(machine, cache, clock)?,
            known: Mutex::default(),
            compiled: AtomicU64::new(0),
            from_cache: AtomicU64::new(0),
            checks: Default::default(),
        }))
    }

    /// Lets plugins read the files that customers send, where that is granted.
    /// The first shelf stays.
    pub fn lend(&self, shelf: &Arc<Shelf>) {
        self.workshop.machine.shelf.get_or_init(|| Arc::clone(shelf));
    }

    /// Plugins that are configured from now on reach no network, whatever is
    /// granted: for rehearsals.
    pub fn cut_off(&self) {
        self.workshop.machine.http.cut_off();
    }

    /// Reads, compiles, checks and describes a plugin.
    pub async fn load(&self, source: &Source) -> Result<Arc<Plugin>, LoadError> {
        let bytes = source.read().await?;
        let name = source.to_string();
        check_form(&bytes, &name)?;
        let hash = hash(&bytes, &name).await?;
        let slot = self.slot(hash);
        let mut known = slot.lock().await;
        let code = match known.upgrade() {
            Some(code) => code,
            None => {
                let code = self.make(bytes, hash, &name).await?;
                *known = Arc::downgrade(&code);
                code
            }
        };
        Ok(Arc::new(Plugin {
            code,
            machine: self.workshop.machine.clone(),
            workshop: self.workshop.clone(),
            clock: self.workshop.clock.clone(),
            bundled: matches!(source, Source::Bundled(_)),
        }))
    }

    /// The lock of these bytes; those of plugins that are gone are forgotten.
    fn slot(&self, hash: ComponentHash) -> Slot {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, slot| {
            // Held by someone else: being made.
            Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|code| code.strong_count() > 0)
        });
        known.entry(hash).or_default().clone()
    }

    async fn make(
        &self,
        bytes: Bytes,
        hash: ComponentHash,
        name: &str,
    ) -> Result<Arc<Code>, LoadError> {
        let Made { ready, never_frozen } = self.workshop.make(&bytes, hash, name).await?;
        let ready = Arc::new(ready);
        let count = if ready.cached { &self.from_cache } else { &self.compiled };
        count.fetch_add(1, Ordering::Relaxed);
        let descriptor = self.describe(&ready, name).await?;
        let quick = match ready.compiler {
            Compiler::Winch => true,
            Compiler::Cranelift => false,
        };
        let code = Arc::new(Code::new((hash, bytes.clone()), never_frozen, ready, descriptor));
        if quick {
            self.workshop.improve(code.clone(), bytes, name);
        }
        Ok(code)
    }

    /// Whether `remember` was told so of this check.
    pub fn has_passed(&self, check: &str) -> bool {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).contains(check)
    }

    /// Keeps that a check of a component passed, so that it is done once.
    pub fn remember(&self, check: String) {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        if checks.len() >= CHECKS {
            checks.clear();
        }
        checks.insert(check);
    }

    pub fn loads(&self) -> Loads {
        Loads {
            compiled: self.compiled.load(Ordering::Relaxed),
            from_cache: self.from_cache.load(Ordering::Relaxed),
        }
    }

    async fn describe(&self, ready: &Arc<Ready>, name: &str) -> Result<Descriptor, LoadError> {
        // Before any step: the limits that a step has by default.
        let limits = Limits::default();
        let limit = Duration::from_millis(limits.configure_ms);
        let now = (self.workshop.clock.now(), 0);
        let said = async {
            let machine = &self.workshop.machine;
            let instance = Instance::new(machine, ready, limits.memory_mb, limit, now);
            instance.await?.describe(limit).await
        };
        let failed = |failure: Failure| LoadError::Describe {
            name: name.into(),
            reason: failure.step_error(limit, limits.memory_mb).to_string(),
        };
        Descriptor::check(said.await.map_err(failed)?)
            .map_err(|reason| LoadError::Descriptor { name: name.into(), reason })
    }
}

/// Away from the threads that serve contacts: of 18 MB it takes some 50 ms.
async fn hash(bytes: &Bytes, name: &str) -> Result<ComponentHash, LoadError> {
    let bytes = bytes.clone();
    let hashed = tokio::task::spawn_blocking(move || compiled::hash(&bytes)).await;
    hashed.map_err(|error| LoadError::Invalid { name: name.into(), reason: error.to_string() })
}

/// Tells apart what the compiler would only call malformed.
pub(super) fn check_form(bytes: &[u8], name: &str) -> Result<(), LoadError> {
    let name = name.to_owned();
    match bytes {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadError::CoreModule { name }),
        _ => Err(LoadError::NotWasm { name }),
    }
}
