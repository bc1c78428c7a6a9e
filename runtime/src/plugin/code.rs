//! What instances are made from: a component's machine code with what it is
//! linked to. The code of a live plugin is replaced in place when better code
//! is ready; a turn that runs ends on what it began with.

use super::{
    bindings::{PluginIndices, PluginPre},
    compiled::ComponentHash,
    describe::Descriptor,
    engine::Compiler,
    host::Host,
    sections,
};
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use wasmtime::component::InstancePre;

/// Linked code, ready to make instances from.
pub struct Ready {
    pub pre: InstancePre<Host>,
    pub indices: PluginIndices,
    /// That one instance has; at least one, for counting.
    pub memories: usize,
    pub compiler: Compiler,
    /// How long compiling it took, or reading it from the cache.
    pub took: Duration,
    pub cached: bool,
}

impl Ready {
    pub fn new(
        linked: &PluginPre<Host>,
        compiler: Compiler,
        took: Duration,
        cached: bool,
    ) -> wasmtime::Result<Self> {
        let pre = linked.instance_pre().clone();
        let indices = PluginIndices::new(&pre)?;
        let needs = pre.component().resources_required();
        let memories = needs.map_or(1, |needs| needs.num_memories.max(1)) as usize;
        Ok(Self { pre, indices, memories, compiler, took, cached })
    }
}

/// A component, whoever names it.
pub struct Code {
    pub descriptor: Descriptor,
    pub hash: ComponentHash,
    /// Of the component.
    pub size: usize,
    /// The component itself, for snapshots; empty if none can be made.
    pub bytes: Bytes,
    /// The cases that it carries, packed.
    pub cases: Option<Vec<u8>>,
    /// Why no snapshot of it can be made, whatever its rules.
    pub never_frozen: Option<String>,
    live: ArcSwap<Ready>,
}

impl Code {
    pub fn new(
        (hash, bytes): (ComponentHash, Bytes),
        never_frozen: Option<String>,
        live: Arc<Ready>,
        descriptor: Descriptor,
    ) -> Self {
        let size = bytes.len();
        let cases = sections::cases(&bytes);
        let bytes = if never_frozen.is_some() { Bytes::new() } else { bytes };
        Self { descriptor, hash, size, bytes, cases, never_frozen, live: ArcSwap::new(live) }
    }

    /// What a new instance is made from.
    pub fn live(&self) -> Arc<Ready> {
        self.live.load_full()
    }

    pub fn replace(&self, better: Ready) {
        self.live.store(Arc::new(better));
    }
}

/// How a plugin's code came to be, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeReport {
    /// `winch` or `cranelift`. What winch made is replaced when cranelift is
    /// ready.
    pub compiler: &'static str,
    pub component_bytes: usize,
    /// Compiling, or reading from the cache.
    pub took: Duration,
    pub cached: bool,
}
