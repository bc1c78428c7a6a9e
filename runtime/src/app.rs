//! Builds everything in reading order, runs it, and lets it end.

use crate::{
    clock::{Clock, SystemClock},
    config::{Env, Folder, StoreBackend},
    console::{self, Console},
    dispatch::{self, Dispatch},
    generation::{self, Generation},
    ingress::{self, Ingress},
    model::*,
    outbox::{self, Outbox},
    plugin::Plugins,
    reload::Reloader,
    store::{self, Store, StoreError},
    telemetry::Metrics,
    timers::Timers,
    wake::{Bell, Shutdown},
};
use anyhow::Context;
use arc_swap::ArcSwap;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// How long running turns and sends may take to end after the signal.
const DRAIN: Duration = Duration::from_secs(20);

/// A built process: its ports are taken, its data is open, nothing runs yet.
pub struct App {
    pub public: SocketAddr,
    pub admin: SocketAddr,
    listeners: (TcpListener, TcpListener),
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    live: Arc<ArcSwap<Generation>>,
    reloader: Arc<Reloader>,
    outbox: Arc<Outbox>,
    bells: Bells,
    business: Arc<crate::config::Business>,
}

/// One bell for each worker.
#[derive(Clone, Default)]
struct Bells {
    dispatch: Bell,
    outbox: Bell,
    timers: Bell,
}

/// The plan for one process.
#[derive(Clone, Debug)]
pub struct Options {
    /// The business folder.
    pub folder: PathBuf,
    pub env: Env,
}

impl App {
    /// Reads the folder, opens the store, takes the ports, loads the plugins,
    /// in this order: each step costs more than the one before.
    pub async fn build(options: Options) -> Result<Self, StartError> {
        let Options { folder, env } = options;
        let business = Folder::load(&folder, &env).map_err(StartError::Problems)?.business;
        let business = Arc::new(business);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let (store, cache) = open_store(&folder, &business)?;
        let public = bind(&business.http.public, "http.public").await?;
        let admin = bind(&business.http.admin, "http.admin").await?;
        let plugins = Plugins::new(cache, Arc::clone(&clock)).map_err(StartError::Other)?;
        let first = generation::build(&folder, &env, &plugins, None, 1).await;
        let first = first.map_err(StartError::Problems)?;
        let live = Arc::new(ArcSwap::from_pointee(first));
        let bells = Bells::default();
        let metrics = Arc::new(Metrics::new());
        let outbox = Outbox::new(outbox::Parts {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            channel: Box::new(sending(Arc::clone(&live))),
            bell: bells.outbox.clone(),
            dispatch: bells.dispatch.clone(),
            metrics: metrics.outbox.clone(),
        })
        .map_err(StartError::Other)?;
        let on_swap = announce(Arc::clone(&store), Arc::clone(&clock), bells.clone());
        let reloader = Reloader::new(folder, env, plugins, Arc::clone(&live), clock.clone(), on_swap);
        let listeners = (public, admin);
        Ok(Self {
            public: address(&listeners.0)?,
            admin: address(&listeners.1)?,
            listeners,
            store,
            clock,
            metrics,
            live,
            reloader,
            outbox,
            bells,
            business,
        })
    }

    /// Runs until `shutdown`, then lets what is running end. An error if
    /// something had to give up before.
    pub async fn run(self, shutdown: Shutdown) -> anyhow::Result<()> {
        let (end, ended) = watch::channel(false);
        let mut tasks = JoinSet::new();
        self.spawn_workers(&mut tasks, &ended);
        let servers = self.spawn_servers(ended.clone());
        announce_all(&self.store, &*self.clock, &self.live.load_full(), &self.bells).await;
        let outcome = self.until_end(shutdown).await;
        end.send_replace(true);
        let drained = tokio::time::timeout(DRAIN, async {
            while tasks.join_next().await.is_some() {}
            for server in servers {
                let _ = server.await;
            }
        });
        if drained.await.is_err() {
            tracing::warn!("some work was still running after {DRAIN:?}; it goes on after a restart");
        }
        outcome
    }

    fn spawn_workers(&self, tasks: &mut JoinSet<()>, ended: &Shutdown) {
        let dispatch = Arc::new(Dispatch {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            generation: Arc::clone(&self.live),
            bell: self.bells.dispatch.clone(),
            outbox: self.bells.outbox.clone(),
            timers: self.bells.timers.clone(),
            metrics: self.metrics.turns.clone(),
        });
        let timers = Timers {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            bell: self.bells.timers.clone(),
            dispatch: self.bells.dispatch.clone(),
        };
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let live = Arc::clone(&self.live);
        tasks.spawn(dispatch.run(ended.clone()));
        tasks.spawn(timers.run(ended.clone()));
        tasks.spawn(Arc::clone(&self.outbox).run(ended.clone()));
        tasks.spawn(Arc::clone(&self.reloader).run(ended.clone()));
        tasks.spawn(dispatch::upkeep(store, clock, live, ended.clone()));
    }

    fn spawn_servers(&self, ended: Shutdown) -> Vec<tokio::task::JoinHandle<()>> {
        let _ = ended;
        Vec::new()
    }

    /// Waits for the signal to end, or for the store to fail.
    async fn until_end(&self, mut shutdown: Shutdown) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                _ = shutdown.wait_for(|ended| *ended) => return Ok(()),
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            if let Err(error @ StoreError::Failed(_)) = self.store.health() {
                return Err(error).context("the store failed, so the process ends; what was accepted is on disk, and a restart goes on with it");
            }
        }
    }
}
