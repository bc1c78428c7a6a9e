//! What a command stands on that needs no server: an async runtime, and the
//! plugin engine.

use crate::{clock::SystemClock, plugin::Plugins};
use anyhow::Context;
use std::sync::Arc;

/// Waits for a future, on a runtime of its own.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    Ok(runtime.block_on(future))
}

/// Without a cache: a command leaves nothing behind.
pub(super) fn plugins() -> anyhow::Result<Arc<Plugins>> {
    Plugins::new(None, Arc::new(SystemClock)).context("could not start the plugin engine")
}
