//! Snapshots: a component with the memory that it had after `configure`, as a
//! component of its own, so that a new instance has its rules already.
//!
//! Memories and globals are kept. Handles to things of the host are not, so a
//! guest that holds one then is not snapshotted, nor is one whose code could
//! change what can't be read back (tables).

use super::{
    code::{Code, Ready},
    compile::Workshop,
    compiled::{ComponentHash, hash},
    describe::Descriptor,
    engine::{Compiler, Pool},
    instance::{Failure, Instance},
    world,
};
use crate::clock::Stopwatch;
use std::{panic::catch_unwind, sync::Arc, time::Duration};
use wasmtime::{
    Store,
    component::{Component, Lift, WasmList},
};
use wasmtime_wizer::{ComponentContext, ComponentInstanceState, Wizer};

/// Changes whenever a snapshot would be made otherwise.
const VERSION: &str = "1";
/// The largest component that snapshots are made of: each set of rules means
/// compiling it again, which takes Cranelift some 15 s of CPU at this size.
const COMPONENT_BYTES: usize = 8 * 1024 * 1024;
/// The largest snapshot: what is beyond the component's own size is rules.
const SNAPSHOT_BYTES: usize = 16 * 1024 * 1024;
/// Memory beyond the step's own, in MB: reading a memory takes a page of it.
const SPARE_MB: u32 = 1;
/// The export that a component gets to be read through.
const ACCESS: &str = "wasmtime:wizer/access";

/// What one step's snapshot is made from.
pub struct Order {
    pub workshop: Arc<Workshop>,
    pub code: Arc<Code>,
    /// As JSON text.
    pub rules: String,
    pub memory_mb: u32,
    /// Of `configure`.
    pub limit: Duration,
    pub name: String,
}

/// Why no snapshot can be made of a component, whatever its rules.
pub fn never(bytes: &[u8]) -> Option<String> {
    if bytes.len() > COMPONENT_BYTES {
        let mb = |bytes: usize| bytes.div_ceil(1024 * 1024);
        return Some(format!(
            "it has {} MB, and a snapshot is made only up to {} MB, because each change of its \
             rules compiles it again",
            mb(bytes.len()),
            mb(COMPONENT_BYTES)
        ));
    }
    match catch_unwind(|| Wizer::new().instrument_component(bytes).map(drop)) {
        Ok(read) => read.err().map(|error| in_words(&error)),
        Err(_) => Some("its form is not one that can be read back".into()),
    }
}

/// What the snapshot's maker says of a component, in our words.
fn in_words(error: &wasmtime::Error) -> String {
    let said = format!("{error:#}");
    let of = |part: &str| said.contains(part);
    if of("nested component") || of("component instantiation") || of("component alias") {
        return "it is made of several components in each other".into();
    }
    match said.split('`').nth(1).filter(|_| of("unsupported")) {
        Some(instruction) => format!("its code changes tables (`{instruction}`)"),
        None => said,
    }
}

impl Order {
    /// What the cache has under this goes with the component, the rules and
    /// the way of making it.
    fn key(&self) -> ComponentHash {
        let parts = [VERSION.as_bytes(), &self.code.hash, self.rules.as_bytes()];
        hash(&parts.join(&b"/"[..]))
    }

    /// The one that an earlier process made, if it is good.
    pub fn kept(&self) -> Option<Ready> {
        let watch = Stopwatch::start();
        let pool = self.workshop.machine.cranelift();
        let kept = self.workshop.cache.as_ref()?.load(&pool.engine, &self.key())?;
        let ready = self.ready(pool, Compiler::Cranelift, &kept.component, (watch, true)).ok()?;
        let ready = Arc::new(ready);
        let good = waiting(self.verify(&ready)).and_then(|good| good);
        if let Err(why) = good {
            tracing::debug!(plugin.name = self.name, why, "the kept snapshot is not used");
            return None;
        }
        Arc::into_inner(ready)
    }

    /// Makes it; takes a second or more. Error: why not, in words.
    pub fn make(&self) -> Result<Ready, String> {
        let watch = Stopwatch::start();
        let wizer = Wizer::new();
        let instrumented = wizer.instrument_component(&self.code.bytes);
        let (parts, instrumented) = instrumented.map_err(|error| in_words(&error))?;
        let readable = self.readable(&instrumented)?;
        // Compiling and waiting take turns, never one within the other: while
        // it compiles, this thread may be lent to another snapshot.
        let frozen = waiting(self.freeze(&wizer, &parts, &Arc::new(readable)))??;
        if frozen.len() > SNAPSHOT_BYTES {
            return Err(format!(
                "with these rules it has {} MB, and {} MB are allowed",
                frozen.len().div_ceil(1024 * 1024),
                SNAPSHOT_BYTES / (1024 * 1024)
            ));
        }
        let pool = self.workshop.machine.cranelift();
        let component = Component::from_binary(&pool.engine, &frozen).map_err(told)?;
        let ready = self.ready(pool, Compiler::Cranelift, &component, (watch, false))?;
        let ready = Arc::new(ready);
        waiting(self.verify(&ready))??;
        if let Some(cache) = &self.workshop.cache {
            cache.keep(&pool.engine, &self.key(), &component, "");
        }
        Arc::into_inner(ready).ok_or_else(|| "it is in use".into())
    }

    /// The component whose memory can be read: it runs once, so what compiles
    /// soonest is best.
    fn readable(&self, instrumented: &[u8]) -> Result<Ready, String> {
        let watch = Stopwatch::start();
        if let Some(pool) = self.workshop.machine.winch()
            && let Ok(component) = Component::from_binary(&pool.engine, instrumented)
        {
            return self.ready(pool, Compiler::Winch, &component, (watch, false));
        }
        let pool = self.workshop.machine.cranelift();
        let component = Component::from_binary(&pool.engine, instrumented).map_err(told)?;
        self.ready(pool, Compiler::Cranelift, &component, (watch, false))
    }

    fn ready(
        &self,
        pool: &Pool,
        compiler: Compiler,
        component: &Component,
        (watch, cached): (Stopwatch, bool),
    ) -> Result<Ready, String> {
        let linked = world::link(&pool.linker, component, &self.name);
        let linked = linked.map_err(|error| error.to_string())?;
        component.initialize_copy_on_write_image().map_err(told)?;
        Ready::new(&linked, compiler, watch.elapsed(), cached).map_err(told)
    }

    /// Configures an instance and reads it out.
    async fn freeze(
        &self,
        wizer: &Wizer,
        parts: &ComponentContext<'_>,
        readable: &Arc<Ready>,
    ) -> Result<Vec<u8>, String> {
        let mut instance = self.instance(readable, self.memory_mb + SPARE_MB).await?;
        match instance.configure(&self.rules, self.limit).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err("it refused its rules".into()),
            Err(failure) => return Err(self.in_words(failure)),
        }
        let (store, raw) = instance.open();
        if store.data().holds_handles() {
            return Err("it holds something of the host's open, such as its output".into());
        }
        // Whole memories are handed over now.
        store.set_hostcall_fuel(usize::MAX);
        let mut access = Access { store, raw, failure: None };
        let frozen = wizer.snapshot_component(parts, &mut access).await;
        match access.failure {
            Some(failure) => Err(failure),
            None => frozen.map_err(told),
        }
    }

    /// One instance is made and asked who it is.
    async fn verify(&self, ready: &Arc<Ready>) -> Result<(), String> {
        let mut instance = self.instance(ready, self.memory_mb).await?;
        let said = instance.describe(self.limit).await.map_err(|it| self.in_words(it))?;
        match Descriptor::check(said)? == self.code.descriptor {
            true => Ok(()),
            false => Err("the snapshot describes itself otherwise".into()),
        }
    }

    async fn instance(&self, ready: &Arc<Ready>, memory_mb: u32) -> Result<Instance, String> {
        let workshop = &self.workshop;
        let now = (workshop.clock.now(), 0);
        let made = Instance::new(&workshop.machine, ready, memory_mb, self.limit, now).await;
        made.map_err(|failure| self.in_words(failure))
    }

    fn in_words(&self, failure: Failure) -> String {
        failure.step_error(self.limit, self.memory_mb).to_string()
    }
}

/// Runs a future on this thread, which is a compiler's, with timers of its own.
fn waiting<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    Ok(runtime.map_err(|error| error.to_string())?.block_on(future))
}

fn told(error: wasmtime::Error) -> String {
    format!("{error:#}")
}

/// Reads an instance through its extra exports. Whoever asks can't be told of
/// a failure, so it is noted and zeros are handed over.
struct Access<'a> {
    store: &'a mut Store<super::host::Host>,
    raw: wasmtime::component::Instance,
    failure: Option<String>,
}

impl Access<'_> {
    async fn call<R: Lift + Send + Sync + 'static>(
        &mut self,
        instance: &str,
        function: &str,
    ) -> Option<R> {
        match self.try_call(instance, function).await {
            Ok(read) => Some(read),
            Err(why) => {
                self.failure.get_or_insert(format!("its memory can't be read: {why}"));
                None
            }
        }
    }

    async fn try_call<R: Lift + Send + Sync + 'static>(
        &mut self,
        instance: &str,
        function: &str,
    ) -> Result<R, String> {
        let missing = || format!("{ACCESS} has no {function}");
        let (_, index) =
            self.raw.get_export(&mut *self.store, None, instance).ok_or_else(missing)?;
        let (_, index) =
            self.raw.get_export(&mut *self.store, Some(&index), function).ok_or_else(missing)?;
        let function = self.raw.get_typed_func::<(), (R,)>(&mut *self.store, index);
        let called = function.map_err(told)?.call_async(&mut *self.store, ()).await;
        called.map(|(read,)| read).map_err(told)
    }
}

impl ComponentInstanceState for Access<'_> {
    async fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        func: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        let list: Option<WasmList<u8>> = self.call(instance, func).await;
        contents(list.as_ref().map_or(&[], |list| list.as_le_slice(&*self.store)));
    }
    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.call(instance, func).await.unwrap_or_default()
    }
    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.call(instance, func).await.unwrap_or_default()
    }
    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.call::<f32>(instance, func).await.unwrap_or_default().to_bits()
    }
    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.call::<f64>(instance, func).await.unwrap_or_default().to_bits()
    }
}
