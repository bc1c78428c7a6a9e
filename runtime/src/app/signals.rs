//! SIGTERM and Ctrl-C end the process, SIGHUP reads the folder again.

use crate::reload::Reloader;
use anyhow::Context;
use std::sync::Arc;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Turns `end` true at the first signal to end. A second one ends at once, by
/// the system's own way.
pub fn listen(end: watch::Sender<bool>, reloader: Arc<Reloader>) -> anyhow::Result<()> {
    let catch = |kind| signal(kind).context("signals can't be caught");
    let mut terminate = catch(SignalKind::terminate())?;
    let mut interrupt = catch(SignalKind::interrupt())?;
    let mut hang_up = catch(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => drop(reloader.reload().await),
            }
        }
        end.send_replace(true);
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(())
}
