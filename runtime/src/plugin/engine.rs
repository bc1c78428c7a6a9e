//! The engines, their pools and the ticker of both.

use super::{allowance::TICK, host::Host, http::Clients, world};
use crate::{config::MEMORY_MB_MAX, media::Shelf};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy,
    component::Linker,
};

/// Memories alive at once, of which an instance has one, or three if QuickJS
/// is in it. Address space for 2,000 is a sixteenth of what there is.
const MEMORIES: u32 = 2_000;
/// The same of the second engine, whose code runs for seconds.
const MEMORIES_WINCH: u32 = 1_000;
/// So many are left for turns, by dropping idle instances: 250 turns at once
/// (the most that `[turns] parallel` allows), three memories each.
const FOR_TURNS: usize = 750;
/// In one component. QuickJS has three.
const MEMORIES_EACH: u32 = 8;
/// Core modules in one component: Rust makes three (its own, and two for the
/// host's functions), Python's about a dozen.
const CORE_INSTANCES_EACH: u32 = 64;
/// For each memory, on average.
const CORE_INSTANCES_PER: u32 = 16;
/// A module's own and the one with the host's functions; Python's have more.
const TABLES_EACH: u32 = 32;
/// For each memory, on average.
const TABLES_PER: u32 = 8;
/// Function pointers in one table. Interpreters have about 15,000.
const TABLE_ELEMENTS: usize = 30_000;
/// Bytes of a memory that are zeroed rather than given back when a slot is
/// freed: what a small Rust plugin touches. Giving back costs more.
const KEEP_RESIDENT: usize = 1024 * 1024;
/// The same where only written pages count (Linux 6.7 and later).
const KEEP_RESIDENT_SCANNED: usize = 4 * 1024 * 1024;

/// Who made the machine code that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// Quick to compile, half as fast to run: a big component's first seconds.
    Winch,
    /// The code that stays.
    Cranelift,
}

impl Compiler {
    pub fn name(self) -> &'static str {
        match self {
            Self::Winch => "winch",
            Self::Cranelift => "cranelift",
        }
    }
}

/// One compiler's engine, what it links to, and its instances.
pub struct Pool {
    pub engine: Engine,
    pub linker: Linker<Host>,
    /// Memories of all instances.
    live: Arc<AtomicUsize>,
    memories: usize,
}

/// The engines with what must live as long.
pub struct Machine {
    cranelift: Pool,
    /// Made when the first big component comes; none where this machine's
    /// processor has no such compiler.
    winch: OnceLock<Option<Pool>>,
    pub http: Clients,
    /// Where customers' files are. Unset where there are none, as in cases.
    pub shelf: OnceLock<Arc<Shelf>>,
    ticker: Ticker,
}

impl Machine {
    pub fn new() -> wasmtime::Result<Arc<Self>> {
        let cranelift = Pool::new(Strategy::Cranelift, MEMORIES)?;
        let ticker = Ticker::start(cranelift.engine.clone())?;
        let http = Clients::default();
        Ok(Arc::new(Self {
            cranelift,
            winch: OnceLock::new(),
            http,
            shelf: OnceLock::new(),
            ticker,
        }))
    }

    pub fn cranelift(&self) -> &Pool {
        &self.cranelift
    }

    /// None: there is none for this processor.
    pub fn winch(&self) -> Option<&Pool> {
        let make = || match Pool::new(Strategy::Winch, MEMORIES_WINCH) {
            Ok(pool) => {
                self.ticker.also(pool.engine.clone());
                Some(pool)
            }
            Err(error) => {
                tracing::debug!(%error, "big plugins are compiled by cranelift alone");
                None
            }
        };
        self.winch.get_or_init(make).as_ref()
    }

    /// Counts an instance's memories while it lives.
    pub fn instance(&self, compiler: Compiler, memories: usize) -> Live {
        let live = &self.pool(compiler).live;
        live.fetch_add(memories, Ordering::Relaxed);
        Live(live.clone(), memories)
    }

    /// Idle instances are dropped where turns may need their slots.
    pub fn may_keep_idle(&self, compiler: Compiler) -> bool {
        let pool = self.pool(compiler);
        pool.live.load(Ordering::Relaxed) + FOR_TURNS < pool.memories
    }

    fn pool(&self, compiler: Compiler) -> &Pool {
        match compiler {
            // Code of Winch is there only if its pool is.
            Compiler::Winch => self.winch().unwrap_or(&self.cranelift),
            Compiler::Cranelift => &self.cranelift,
        }
    }

    /// Time limits are kept while this lives.
    pub fn ticking(&self) -> Ticking {
        self.ticker.begin()
    }
}

impl Pool {
    fn new(strategy: Strategy, memories: u32) -> wasmtime::Result<Self> {
        // Address space may be rationed: then every instance is mapped anew.
        let engine = match Engine::new(&config(strategy, Some(pool(memories)))) {
            Ok(engine) => engine,
            Err(error) => {
                let engine = Engine::new(&config(strategy, None))?;
                tracing::warn!(%error, "plugins run without a memory pool, which is slower");
                engine
            }
        };
        let linker = world::linker(&engine)?;
        Ok(Self { engine, linker, live: Arc::default(), memories: memories as usize })
    }
}

pub struct Live(Arc<AtomicUsize>, usize);

impl Drop for Live {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

fn config(strategy: Strategy, pool: Option<PoolingAllocationConfig>) -> Config {
    let mut config = Config::new();
    config.strategy(strategy);
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

fn pool(memories: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(memories)
        .total_core_instances(memories * CORE_INSTANCES_PER)
        .total_memories(memories)
        .total_tables(memories * TABLES_PER)
        .total_stacks(memories)
        .max_core_instances_per_component(CORE_INSTANCES_EACH)
        .max_memories_per_component(MEMORIES_EACH)
        .max_tables_per_component(TABLES_EACH)
        // Of every slot of the pool, in address space and not in memory.
        .max_memory_size(MEMORY_MB_MAX as usize * 1024 * 1024)
        .table_elements(TABLE_ELEMENTS);
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        // The kernel names the pages that were written, and only they count.
        pool.pagemap_scan(Enabled::Yes).linear_memory_keep_resident(KEEP_RESIDENT_SCANNED);
    } else {
        pool.linear_memory_keep_resident(KEEP_RESIDENT);
    }
    pool
}

/// Moves the engines' epochs on while a guest runs, and rests otherwise.
struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// The second engine, once there is one.
    also: OnceLock<Engine>,
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
                    if let Some(also) = seen.also.get() {
                        also.increment_epoch();
                    }
                }
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    fn also(&self, engine: Engine) {
        // Asked once: the second pool is made once.
        let _ = self.shared.also.set(engine);
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
