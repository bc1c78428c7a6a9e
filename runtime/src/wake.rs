//! How workers wake each other. A wake-up carries nothing: the worker looks
//! into the store, as it would after a restart, and looks from time to time
//! even if nobody calls.

use crate::{clock::Clock, model::Millis};
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Rings one worker. Rings while it works are kept, as one.
#[derive(Clone, Debug, Default)]
pub struct Bell(pub Arc<Notify>);

impl Bell {
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// True once the process is to end.
pub type Shutdown = watch::Receiver<bool>;

/// Waits for the bell, for `due`, or for the end. False at the end.
pub async fn wait(bell: &Bell, clock: &dyn Clock, due: Millis, shutdown: &mut Shutdown) -> bool {
    tokio::select! {
        biased;
        _ = shutdown.wait_for(|ended| *ended) => false,
        () = bell.0.notified() => true,
        () = clock.sleep_until(due) => true,
    }
}
