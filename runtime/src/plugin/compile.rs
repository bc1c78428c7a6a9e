//! Where compiling happens: threads of our own with a low priority, so that
//! no message waits for a compiler. Two groups of them, so that a small
//! plugin that is waited for does not queue behind what nobody waits for.

use super::{
    code::{Code, Ready},
    compiled::{ComponentHash, Folder},
    engine::{Compiler, Machine, Pool},
    load::LoadError,
    snapshot, world,
};
use crate::clock::{Clock, Stopwatch};
use bytes::Bytes;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Arc;
use wasmtime::component::Component;

/// From this size on a component goes live on Winch's code: Cranelift takes
/// about two seconds of CPU for each MB.
pub const BIG_BYTES: usize = 1024 * 1024;
/// How far compilers stand back where someone waits for them, and where nobody
/// does (`nice`, at most 19).
const NICE_NOW: i32 = 15;
const NICE_LATER: i32 = 19;

/// Everything that making code takes; one for the whole host.
pub struct Workshop {
    pub machine: Arc<Machine>,
    pub cache: Option<Arc<Folder>>,
    pub clock: Arc<dyn Clock>,
    now: ThreadPool,
    later: ThreadPool,
}

/// A component's first code, and why no snapshot of it can be made.
pub struct Made {
    pub ready: Ready,
    pub never_frozen: Option<String>,
}

impl Workshop {
    pub fn new(
        machine: Arc<Machine>,
        cache: Option<Arc<Folder>>,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Arc<Self>> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let now = threads("compile", cores, NICE_NOW)?;
        // Half of them: low priority alone does not keep caches and memory
        // free for those who answer.
        let later = threads("compile-later", cores.div_ceil(2), NICE_LATER)?;
        Ok(Arc::new(Self { machine, cache, clock, now, later }))
    }

    /// From the cache, or compiled by whichever compiler is soonest ready.
    pub async fn make(
        self: &Arc<Self>,
        bytes: &Bytes,
        hash: ComponentHash,
        name: &str,
    ) -> Result<Made, LoadError> {
        if let Some(made) = self.kept(hash, name).await? {
            return Ok(made);
        }
        let (workshop, bytes, name) = (self.clone(), bytes.clone(), name.to_owned());
        let what = name.clone();
        let work = move || {
            let never_frozen = snapshot::never(&bytes);
            let first = workshop.first(&bytes, hash, &name, &never_frozen);
            first.map(|ready| Made { ready, never_frozen })
        };
        self.now(work).await.unwrap_or_else(|| Err(invalid(&what, "the compiler broke off")))
    }

    /// The same code by Cranelift, put in place when it is ready. `Code` lives
    /// until then, so that nobody compiles it a second time.
    pub fn improve(self: &Arc<Self>, code: Arc<Code>, bytes: Bytes, name: &str) {
        let (workshop, name) = (self.clone(), name.to_owned());
        self.later(move || {
            match workshop.cranelift(&bytes, code.hash, &name, &code.never_frozen) {
                Ok(better) => {
                    code.replace(better);
                    tracing::info!(plugin.name = name, "plugin runs on cranelift's code now");
                }
                Err(error) => {
                    tracing::warn!(%error, "the plugin stays on winch's code, which is slower");
                }
            }
        });
    }

    /// Runs `work` when there is time for it.
    pub fn later(&self, work: impl FnOnce() + Send + 'static) {
        self.later.spawn(work);
    }

    /// None: it panicked.
    async fn now<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (done, result) = tokio::sync::oneshot::channel();
        self.now.spawn(move || {
            // Nobody waits any more: the work was not for nothing, it is kept.
            let _ = done.send(work());
        });
        result.await.ok()
    }

    async fn kept(
        self: &Arc<Self>,
        hash: ComponentHash,
        name: &str,
    ) -> Result<Option<Made>, LoadError> {
        if self.cache.is_none() {
            return Ok(None);
        }
        let (workshop, what) = (self.clone(), name.to_owned());
        let read = tokio::task::spawn_blocking(move || {
            let (pool, watch) = (workshop.machine.cranelift(), Stopwatch::start());
            let kept = workshop.cache.as_ref().and_then(|cache| cache.load(&pool.engine, &hash));
            let Some(kept) = kept else { return Ok(None) };
            let ready = ready(pool, Compiler::Cranelift, &kept.component, &what, (watch, true))?;
            let never_frozen = Some(kept.remark).filter(|remark| !remark.is_empty());
            Ok(Some(Made { ready, never_frozen }))
        });
        read.await.map_err(|error| invalid(name, &error.to_string()))?
    }

    fn first(
        &self,
        bytes: &Bytes,
        hash: ComponentHash,
        name: &str,
        never_frozen: &Option<String>,
    ) -> Result<Ready, LoadError> {
        let winch = (bytes.len() > BIG_BYTES).then(|| self.machine.winch()).flatten();
        if let Some(pool) = winch {
            let watch = Stopwatch::start();
            match Component::from_binary(&pool.engine, bytes) {
                Ok(component) => {
                    return ready(pool, Compiler::Winch, &component, name, (watch, false));
                }
                Err(error) => {
                    tracing::debug!(
                        plugin.name = name,
                        error = format!("{error:#}"),
                        "not by winch"
                    );
                }
            }
        }
        self.cranelift(bytes, hash, name, never_frozen)
    }

    fn cranelift(
        &self,
        bytes: &Bytes,
        hash: ComponentHash,
        name: &str,
        never_frozen: &Option<String>,
    ) -> Result<Ready, LoadError> {
        let (pool, watch) = (self.machine.cranelift(), Stopwatch::start());
        let component = Component::from_binary(&pool.engine, bytes)
            .map_err(|error| invalid(name, &format!("{error:#}")))?;
        let ready = ready(pool, Compiler::Cranelift, &component, name, (watch, false))?;
        if let Some(cache) = &self.cache {
            let remark = never_frozen.as_deref().unwrap_or_default();
            cache.keep(&pool.engine, &hash, &component, remark);
        }
        Ok(ready)
    }
}

fn ready(
    pool: &Pool,
    compiler: Compiler,
    component: &Component,
    name: &str,
    (watch, cached): (Stopwatch, bool),
) -> Result<Ready, LoadError> {
    let linked = world::link(&pool.linker, component, name)?;
    // Here and not with the first message: an interpreter's has many MB.
    component
        .initialize_copy_on_write_image()
        .map_err(|error| invalid(name, &format!("{error:#}")))?;
    let took = watch.elapsed();
    let duration_ms = took.as_millis() as u64;
    let compiled_by = compiler.name();
    tracing::debug!(plugin.name = name, cached, compiled_by, duration_ms, "plugin is ready to run");
    Ready::new(&linked, compiler, took, cached)
        .map_err(|error| invalid(name, &format!("{error:#}")))
}

fn invalid(name: &str, reason: &str) -> LoadError {
    LoadError::Invalid { name: name.into(), reason: reason.into() }
}

/// A group of threads. Compiling is spread over those of the group in which it
/// was begun.
fn threads(name: &'static str, count: usize, nice: i32) -> anyhow::Result<ThreadPool> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(count)
        .thread_name(move |n| format!("{name}-{n}"))
        .start_handler(move |_| stand_back(nice))
        // The default ends the process. Who waits sees that no result comes.
        .panic_handler(|_| tracing::error!("a compiler broke off"));
    Ok(pool.build()?)
}

/// Gives the calling thread a low priority. Elsewhere than on Linux this would
/// be the whole process's.
fn stand_back(nice: i32) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, nice) {
        tracing::debug!(%error, "compilers run with the priority of all else");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = nice;
}
