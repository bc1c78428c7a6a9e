//! What a command stands on that needs no server: an async runtime, and the
//! plugin engine.

use crate::{
    clock::SystemClock,
    config::{Env, Problem},
    generation::{self, Generation, Occasion},
    plugin::Plugins,
};
use anyhow::Context;
use std::{path::Path, sync::Arc};

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

/// A folder from which nothing is to leave: its plugins are cut off, and its
/// secrets need not be there.
pub(super) fn rehearsed(
    folder: &Path,
    env: &Env,
) -> anyhow::Result<Result<Arc<Generation>, Vec<Problem>>> {
    let plugins = plugins()?;
    plugins.cut_off();
    let env = env.rehearsed();
    let built = wait(generation::build(folder, &env, &plugins, Occasion::Start, 1))?;
    Ok(built.map(Arc::new))
}
