//! STAND-IN: replaced at the merge. Builds everything and runs it.

use crate::config::Env;
use std::{net::SocketAddr, path::PathBuf};

/// Why `serve` or `demo` ended; the command's exit code goes by it.
#[derive(Debug)]
pub enum Failure {
    /// Before the first request was taken: a port is busy, the data are
    /// locked, the disk is full.
    CannotStart(anyhow::Error),
    /// After it had started.
    Running(anyhow::Error),
}

#[derive(Clone, Debug)]
pub struct ServeOptions {
    pub folder: PathBuf,
    pub env: Env,
}

#[derive(Clone, Debug)]
pub struct DemoOptions {
    pub folder: PathBuf,
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub chat: SocketAddr,
    /// Open the chat page in the browser.
    pub open: bool,
    pub env: Env,
}

pub fn serve(_options: ServeOptions) -> Result<(), Failure> {
    Err(Failure::CannotStart(anyhow::anyhow!("`serve` is not built yet")))
}

pub fn demo(_options: DemoOptions) -> Result<(), Failure> {
    Err(Failure::CannotStart(anyhow::anyhow!("`demo` is not built yet")))
}
