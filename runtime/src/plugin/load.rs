//! From a name to a plugin that has been compiled, checked and asked who it
//! is.

use super::{
    bindings::PluginPre,
    bundled,
    compiled::{self, ComponentHash, Folder},
    describe::Descriptor,
    engine::Machine,
    host::Host,
    instance::{Failure, Instance},
    world,
};
use crate::{
    clock::{Clock, Stopwatch},
    config::{BUNDLED, Limits},
};
use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::Mutex;
use wasmtime::component::{Component, Linker};

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
    async fn read(&self) -> Result<Cow<'static, [u8]>, LoadError> {
        let path = match self {
            Self::Bundled(name) => {
                let known = || BUNDLED.join("`, `");
                return bundled::bytes(name)
                    .map(Cow::Borrowed)
                    .ok_or_else(|| LoadError::Unknown { name: name.clone(), known: known() });
            }
            Self::File(path) => path,
            Self::Fetched { bytes, .. } => return Ok(Cow::Owned(bytes.to_vec())),
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
        tokio::fs::read(path).await.map(Cow::Owned).map_err(failed)
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
    machine: Arc<Machine>,
    linker: Linker<Host>,
    cache: Option<Arc<Folder>>,
    clock: Arc<dyn Clock>,
    /// What is in use, so that the same bytes are compiled once. Held while
    /// compiling: compiling uses all cores by itself.
    known: Mutex<HashMap<ComponentHash, Weak<Code>>>,
    compiled: AtomicU64,
    from_cache: AtomicU64,
}

/// A component, whoever names it.
pub struct Code {
    pub component: PluginPre<Host>,
    pub descriptor: Descriptor,
}

/// A loaded plugin.
pub struct Plugin {
    pub(super) code: Arc<Code>,
    pub(super) machine: Arc<Machine>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) bundled: bool,
    hash: ComponentHash,
}

impl Plugin {
    /// Of the component's bytes: two plugins with the same are the same.
    pub fn hash(&self) -> String {
        hex::encode(self.hash)
    }

    pub fn descriptor(&self) -> &Descriptor {
        &self.code.descriptor
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("descriptor", self.descriptor()).finish_non_exhaustive()
    }
}

impl Plugins {
    /// Compiled code is kept in `cache_dir`, which must be the host's own.
    /// Without one, every start compiles anew.
    pub fn new(cache_dir: Option<PathBuf>, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Self>> {
        let machine = Machine::new().map_err(|error| anyhow::anyhow!("{error:#}"))?;
        let linker = world::linker(&machine.engine);
        Ok(Arc::new(Self {
            linker: linker.map_err(|error| anyhow::anyhow!("{error:#}"))?,
            machine,
            cache: cache_dir.map(Folder::new).transpose()?.map(Arc::new),
            clock,
            known: Mutex::default(),
            compiled: AtomicU64::new(0),
            from_cache: AtomicU64::new(0),
        }))
    }

    /// Reads, compiles, checks and describes a plugin.
    pub async fn load(&self, source: &Source) -> Result<Arc<Plugin>, LoadError> {
        let bytes = source.read().await?;
        let name = source.to_string();
        check_form(&bytes, &name)?;
        let hash = compiled::hash(&bytes);
        let mut known = self.known.lock().await;
        let code = match known.get(&hash).and_then(Weak::upgrade) {
            Some(code) => code,
            None => {
                let component = self.compile(bytes, hash, &name).await?;
                let component = world::link(&self.linker, &component, &name)?;
                let descriptor = self.describe(&component, &name).await?;
                let code = Arc::new(Code { component, descriptor });
                known.retain(|_, code| code.strong_count() > 0);
                known.insert(hash, Arc::downgrade(&code));
                code
            }
        };
        Ok(Arc::new(Plugin {
            code,
            machine: self.machine.clone(),
            clock: self.clock.clone(),
            bundled: matches!(source, Source::Bundled(_)),
            hash,
        }))
    }

    pub fn loads(&self) -> Loads {
        Loads {
            compiled: self.compiled.load(Ordering::Relaxed),
            from_cache: self.from_cache.load(Ordering::Relaxed),
        }
    }

    /// From the cache, or compiled away from the threads that serve contacts.
    async fn compile(
        &self,
        bytes: Cow<'static, [u8]>,
        hash: ComponentHash,
        name: &str,
    ) -> Result<Component, LoadError> {
        let (engine, cache) = (self.machine.engine.clone(), self.cache.clone());
        let watch = Stopwatch::start();
        let work = tokio::task::spawn_blocking(move || {
            if let Some(component) = cache.as_ref().and_then(|cache| cache.load(&engine, &hash)) {
                return Ok((component, true));
            }
            let component = Component::from_binary(&engine, &bytes)?;
            if let Some(cache) = cache {
                cache.keep(&engine, &hash, &component);
            }
            Ok::<_, wasmtime::Error>((component, false))
        });
        let invalid = |reason: String| LoadError::Invalid { name: name.into(), reason };
        let done = work.await.map_err(|error| invalid(error.to_string()))?;
        let (component, cached) = done.map_err(|error| invalid(format!("{error:#}")))?;
        let count = if cached { &self.from_cache } else { &self.compiled };
        count.fetch_add(1, Ordering::Relaxed);
        let duration_ms = watch.elapsed().as_millis() as u64;
        tracing::debug!(plugin.name = name, cached, duration_ms, "plugin is ready to run");
        Ok(component)
    }

    async fn describe(
        &self,
        component: &PluginPre<Host>,
        name: &str,
    ) -> Result<Descriptor, LoadError> {
        // Before any step: the limits that a step has by default.
        let limits = Limits::default();
        let limit = Duration::from_millis(limits.configure_ms);
        let now = (self.clock.now(), 0);
        let said = async {
            let instance = Instance::new(&self.machine, component, limits.memory_mb, limit, now);
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

/// Tells apart what the compiler would only call malformed.
fn check_form(bytes: &[u8], name: &str) -> Result<(), LoadError> {
    let name = name.to_owned();
    match bytes {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadError::CoreModule { name }),
        _ => Err(LoadError::NotWasm { name }),
    }
}
