//! What one instance's store holds: the turn's draft, the limits, and a WASI
//! with nothing behind it: no files, no environment, no arguments, no input;
//! a clock that is the turn's, and chance that comes from the turn's id.

use super::{allowance::Allowance, http::Line, output::Output};
use crate::{media::Shelf, model::Millis, turn::Draft};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use wasmtime::{
    ResourceLimiter,
    component::{Resource, ResourceTable},
};
use wasmtime_wasi::{
    HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView,
    p2::{
        DynPollable,
        bindings::{
            io::poll,
            random::{insecure, insecure_seed, random},
        },
    },
};

/// Elements of one table; see the pool.
const TABLE_ELEMENTS: usize = 30_000;
/// Elements of all tables of a guest: an element takes eight bytes, and an
/// interpreter has one large table and some small ones.
const TABLE_ELEMENTS_ALL: usize = 240_000;
/// Streams and the like that a guest may hold open: it has three.
const RESOURCES: usize = 1_000;
/// Bytes of chance that a guest may ask for at once.
const RANDOM_BYTES: u64 = 64 * 1024;

pub struct Host {
    /// None while the plugin is described or configured.
    pub draft: Option<Draft>,
    /// Where the turn's HTTP requests go. None as above.
    pub line: Option<Line>,
    /// Where customers' files are, and how many bytes of them the turn has
    /// read.
    pub shelf: Option<Arc<Shelf>>,
    pub read: u64,
    pub memory: Memory,
    pub time: Allowance,
    pub out: Output,
    pub err: Output,
    moment: Arc<Moment>,
    chance: fastrand::Rng,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl Host {
    pub fn new(memory_mb: u32) -> Self {
        let (out, err) = (Output::default(), Output::default());
        let moment = Arc::new(Moment::default());
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        let wasi = WasiCtx::builder()
            .stdout(out.clone())
            .stderr(err.clone())
            .wall_clock(Wall(moment.clone()))
            .monotonic_clock(Steady(moment.clone()))
            .build();
        Self {
            draft: None,
            line: None,
            shelf: None,
            read: 0,
            memory: Memory::of_mb(memory_mb),
            time: Allowance::default(),
            out,
            err,
            moment,
            chance: fastrand::Rng::with_seed(0),
            wasi,
            table,
        }
    }

    /// Whether the guest has opened anything of the host's that is not closed.
    pub fn holds_handles(&self) -> bool {
        !self.table.is_empty()
    }

    /// Sets the clock and the chance that the next call sees.
    pub fn begin(&mut self, now: Millis, seed: u64) {
        self.moment.now.store(now, Ordering::Relaxed);
        self.chance.seed(seed);
        self.memory.refused = false;
        self.out.take();
        self.err.take();
    }
}

impl Host {
    /// How long the turn's HTTP requests may take: they have a limit of their
    /// own and do not count as running.
    pub fn http_limit(&self) -> Duration {
        self.line.as_ref().map(Line::limit).unwrap_or_default()
    }
}

/// Counts the memory of all of a guest's memories together, and the elements
/// of its tables.
pub struct Memory {
    limit: usize,
    /// Memories never shrink, so this is also the most that was held.
    pub held: usize,
    elements: usize,
    /// Whether more was asked for than is allowed.
    pub refused: bool,
}

impl Memory {
    fn of_mb(mb: u32) -> Self {
        let limit = mb as usize * 1024 * 1024;
        Self { limit, held: 0, elements: 0, refused: false }
    }
}

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let held = self.held.saturating_add(desired.saturating_sub(current));
        if held > self.limit {
            // The guest may cope: its allocator says that there is none left.
            self.refused = true;
            return Ok(false);
        }
        self.held = held;
        Ok(true)
    }
    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self.elements.saturating_add(desired.saturating_sub(current));
        if desired > TABLE_ELEMENTS || elements > TABLE_ELEMENTS_ALL {
            return Ok(false);
        }
        self.elements = elements;
        Ok(true)
    }
}

/// A guest that waits for a moment or a stream waits in its own time.
impl poll::Host for Host {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        let wait = self.time.wait();
        wait.end(&mut self.time, poll::Host::poll(&mut self.table, pollables)).await?
    }
}

impl poll::HostPollable for Host {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        let wait = self.time.wait();
        wait.end(&mut self.time, poll::HostPollable::block(&mut self.table, pollable)).await?
    }
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(&mut self.table, pollable).await
    }
    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(&mut self.table, pollable)
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The moment of the turn, and a step on for each look at the steady clock, so
/// that it moves and a replay sees it move alike.
#[derive(Default)]
struct Moment {
    now: AtomicU64,
    looks: AtomicU64,
}

struct Wall(Arc<Moment>);
struct Steady(Arc<Moment>);

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.now.load(Ordering::Relaxed))
    }
}

impl HostMonotonicClock for Steady {
    fn resolution(&self) -> u64 {
        1_000
    }
    /// In nanoseconds from nowhere in particular.
    fn now(&self) -> u64 {
        self.0.looks.fetch_add(1, Ordering::Relaxed).saturating_mul(1_000)
    }
}

impl Host {
    fn random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > RANDOM_BYTES {
            wasmtime::bail!("{len} random bytes asked for, and {RANDOM_BYTES} are given at once");
        }
        let mut bytes = vec![0; len as usize];
        self.chance.fill(&mut bytes);
        Ok(bytes)
    }
}

impl random::Host for Host {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }
    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.chance.u64(..))
    }
}

impl insecure::Host for Host {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }
    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.chance.u64(..))
    }
}

impl insecure_seed::Host for Host {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.chance.u64(..), self.chance.u64(..)))
    }
}
