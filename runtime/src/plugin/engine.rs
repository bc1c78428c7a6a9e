//! The one engine, its pool and its ticker.

use super::http::Clients;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// The most a step's `memory_mb` may be. Every slot of the pool is this large,
/// in address space and not in memory; an interpreter of Python needs a tenth.
pub const MEMORY_MB_MAX: u32 = 512;

/// Instances alive at once. By default 64 contacts are served in parallel, one
/// instance each, so this leaves room for the idle ones of many warm steps.
const INSTANCES: u32 = 1_000;
/// Idle instances are dropped above this, so that there are slots for turns.
const KEEP_IDLE_BELOW: usize = INSTANCES as usize * 3 / 4;
/// Core modules in one component: Rust makes three (its own, and two for the
/// host's functions), Python's about a dozen.
const CORE_INSTANCES_EACH: u32 = 32;
/// On average four, so that a thousand small ones fit.
const CORE_INSTANCES: u32 = INSTANCES * 4;
/// A component has one memory; an adapter in it may bring another.
const MEMORIES_EACH: u32 = 2;
/// A module's own and the one with the host's functions; Python's have more.
const TABLES_EACH: u32 = 16;
const TABLES: u32 = INSTANCES * 3;
/// Function pointers in one table. Interpreters have about 15,000.
const TABLE_ELEMENTS: usize = 30_000;
/// Bytes of a memory that are zeroed rather than given back when a slot is
/// freed: what a small Rust plugin touches. Giving back costs more.
const KEEP_RESIDENT: usize = 1024 * 1024;
/// How finely time limits are kept.
const TICK: Duration = Duration::from_millis(1);

/// The engine with what must live as long.
pub struct Machine {
    pub engine: Engine,
    pub http: Clients,
    ticker: Ticker,
    live: Arc<AtomicUsize>,
}

impl Machine {
    pub fn new() -> wasmtime::Result<Arc<Self>> {
        // Address space may be rationed: then every instance is mapped anew.
        let engine = match Engine::new(&config(Some(pool()))) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(%error, "plugins run without a memory pool, which is slower");
                Engine::new(&config(None))?
            }
        };
        let ticker = Ticker::start(engine.clone())?;
        Ok(Arc::new(Self { engine, http: Clients::default(), ticker, live: Arc::default() }))
    }

    /// Counts an instance while it lives.
    pub fn instance(&self) -> Live {
        self.live.fetch_add(1, Ordering::Relaxed);
        Live(self.live.clone())
    }
    pub fn may_keep_idle(&self) -> bool {
        self.live.load(Ordering::Relaxed) < KEEP_IDLE_BELOW
    }
    /// Time limits are kept while this lives.
    pub fn ticking(&self) -> Ticking {
        self.ticker.begin()
    }
}

pub struct Live(Arc<AtomicUsize>);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn config(pool: Option<PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // Only switches off async in the component model, which the contract does
    // not use; calls are two to three times cheaper.
    config.concurrency_support(false);
    // A new instance maps its initial memory instead of copying it.
    config.memory_init_cow(true);
    // A crash is told by the plugin's own last words, not by addresses.
    config.wasm_backtrace_max_frames(None);
    if let Some(pool) = pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(CORE_INSTANCES)
        .total_memories(INSTANCES)
        .total_tables(TABLES)
        .total_stacks(INSTANCES)
        .max_core_instances_per_component(CORE_INSTANCES_EACH)
        .max_memories_per_component(MEMORIES_EACH)
        .max_tables_per_component(TABLES_EACH)
        .max_memory_size(MEMORY_MB_MAX as usize * 1024 * 1024)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_RESIDENT);
    pool
}

/// Moves the engine's epoch on while a guest runs, and rests otherwise.
struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    stop: AtomicBool,
}

pub struct Ticking(Arc<Shared>);

impl Ticker {
    fn start(engine: Engine) -> wasmtime::Result<Self> {
        let shared = Arc::new(Shared::default());
        let seen = shared.clone();
        let thread = thread::Builder::new().name("plugin-ticker".into()).spawn(move || {
            while !seen.stop.load(Ordering::SeqCst) {
                if seen.running.load(Ordering::SeqCst) == 0 {
                    thread::park();
                } else {
                    thread::sleep(TICK);
                    engine.increment_epoch();
                }
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    fn begin(&self) -> Ticking {
        if self.shared.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.wake();
        }
        Ticking(self.shared.clone())
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // It cannot have panicked, and nothing could be done if it had.
            let _ = thread.join();
        }
    }
}
