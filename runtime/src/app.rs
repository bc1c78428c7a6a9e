//! Builds everything in reading order, runs it, and lets it end.

mod demo;
mod listen;
mod signals;
mod simulate;

pub use demo::{DemoOptions, demo};
pub use simulate::{SimulateOptions, TwilioAccount, Wire, simulate};

use crate::{
    clock::{Clock, SystemClock},
    config::{self, Business, Env, Problem, StoreBackend},
    console::{self, Console},
    dispatch::{self, Dispatch},
    generation::{Channel, Generation},
    ingress::{self, Ingress},
    media::{self, Downloads, Shelf},
    model::*,
    outbox::{self, Outbox},
    plugin::Plugins,
    reload::{self, First, Reloader},
    store::{self, SledOptions, Store, StoreError},
    telemetry::{self, Metrics},
    templates::{Known, Templates, Updater},
    timers::Timers,
    wake::{Bell, Shutdown},
};
use anyhow::{Context, anyhow};
use arc_swap::ArcSwap;
use listen::Bounds;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// How long running turns and sends may take to end after the signal.
const DRAIN: Duration = Duration::from_secs(20);
/// Connections that wait to be taken: Meta sends many webhooks at once.
const BACKLOG: u32 = 4_096;

/// Why `serve` or `demo` ended; the command's exit code goes by it.
#[derive(Debug)]
pub enum Failure {
    /// The business folder is not in order.
    Problems(Vec<Problem>),
    /// Before the first request was taken: a port is busy, the data are
    /// locked, the disk is full.
    CannotStart(anyhow::Error),
    /// After it had started.
    Running(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::CannotStart(error)
    }
}

#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The business folder.
    pub folder: PathBuf,
    pub env: Env,
}

/// Serves a business until a signal ends it. `say` gets the lines for the
/// terminal. Opens the store before it loads the plugins, so that a second
/// process on the same data is turned away at once.
pub fn serve(options: ServeOptions, say: &dyn Fn(&str)) -> Result<(), Failure> {
    telemetry::init_log(options.env.get("SWITCHBOARD_LOG").unwrap_or("info"));
    runtime()?.block_on(async {
        let folder = options.folder.clone();
        let app = App::build(options, Arc::new(SystemClock)).await?;
        app.greet(&folder, say);
        let (end, shutdown) = watch::channel(false);
        signals::listen(end, Arc::clone(&app.reloader))?;
        app.run(shutdown).await.map_err(Failure::Running)
    })
}

/// The same within another program, which owns the clock, the log and the end:
/// for rehearsals of what takes days.
///
/// # Errors
/// As `serve`.
pub async fn serve_within(
    options: ServeOptions,
    clock: Arc<dyn Clock>,
    shutdown: Shutdown,
    say: &dyn Fn(&str),
) -> Result<(), Failure> {
    let folder = options.folder.clone();
    let app = App::build(options, clock).await?;
    app.greet(&folder, say);
    app.run(shutdown).await.map_err(Failure::Running)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let builder = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    builder.context("the event loop could not be started")
}

/// A built process: its ports are taken, its data is open, nothing runs yet.
struct App {
    public: SocketAddr,
    admin: SocketAddr,
    listeners: [TcpListener; 2],
    business: Arc<Business>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    ingress: Arc<Ingress>,
    outbox: Arc<Outbox>,
    downloads: Arc<Downloads>,
    reloader: Arc<Reloader>,
    templates: Arc<Templates>,
    updater: Arc<Updater>,
    bells: Bells,
}

/// One bell for each worker.
#[derive(Clone, Default)]
struct Bells {
    dispatch: Bell,
    outbox: Bell,
    timers: Bell,
    templates: Bell,
    media: Bell,
}

impl App {
    /// Reads the folder, opens the store, takes the ports, loads the plugins:
    /// what is cheap to find wrong comes first.
    async fn build(options: ServeOptions, clock: Arc<dyn Clock>) -> Result<Self, Failure> {
        let ServeOptions { folder, env } = options;
        let business = config::load_business(&folder, &env).map_err(Failure::Problems)?;
        let business = Arc::new(business);
        let data = folder.join(&business.store.path);
        let media = folder.join("media");
        let store = open_store(&data, &business)?;
        let shelf = Shelf::open(&data.join("media"), business.store.reserve_mb)
            .context("the folder of customers' files can't be used")?;
        let public = bind(&business.http.public, "http.public")?;
        let admin = bind(&business.http.admin, "http.admin")?;
        // Not in the business folder: who hands over a folder with data in it
        // would have his machine code run.
        let compiled = env.cache().map(|cache| cache.join("compiled"));
        let plugins = Plugins::new(compiled, Arc::clone(&clock))
            .context("the plugin engine could not be started")?;
        plugins.lend(&shelf);
        let first = First::load(&folder, &env, &plugins).await.map_err(Failure::Problems)?;
        for warning in &first.generation.warnings {
            tracing::warn!("{warning}");
        }
        let bells = Bells::default();
        let on_swap = announce_later(Arc::clone(&store), Arc::clone(&clock), bells.clone());
        let setting = reload::Setting { folder, env, plugins, clock: Arc::clone(&clock), on_swap };
        let reloader = Arc::new(Reloader::start(setting, first));
        let live = Arc::clone(reloader.generation());
        let ingress = ingress(&live, &store, &clock, &business, &bells);
        let templates = Arc::new(Templates::new(bells.templates.clone()));
        let outbox = outbox(&live, &store, &clock, &bells)?
            .with_traffic(Arc::clone(&ingress.traffic))
            .with_templates(standings(&live, &templates))
            .with_media(media);
        let outbox = Arc::new(outbox);
        let updater = updater(&live, &store, &clock, &templates, (&outbox, &bells))?;
        let downloads = downloads(&live, &store, &clock, &bells, &shelf)?;
        let metrics = Arc::new(Metrics::new(&ingress.metrics, &outbox.metrics));
        Ok(Self {
            public: public.local_addr().context("the public address is unknown")?,
            admin: admin.local_addr().context("the admin address is unknown")?,
            listeners: [public, admin],
            business,
            store,
            clock,
            metrics,
            ingress,
            outbox,
            downloads,
            reloader,
            templates,
            updater,
            bells,
        })
    }

    fn greet(&self, folder: &Path, say: &dyn Fn(&str)) {
        say(&format!("Switchboard serves {}", folder.display()));
        say(&format!("  webhooks  http://{}/webhooks/{{channel}}", self.public));
        say(&format!("  admin     http://{}/readyz", self.admin));
    }

    /// Runs until `shutdown`, then lets what is running end. An error if
    /// something had to give up before.
    async fn run(self, shutdown: Shutdown) -> anyhow::Result<()> {
        let (end, ended) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        if let Err(error) = self.updater.refresh().await {
            tracing::error!("the copies of the templates could not be read: {error}");
        }
        announce(&store, &*clock, &self.reloader.current(), &self.bells).await;
        self.spawn_workers(&mut tasks, &ended);
        self.spawn_servers(&mut tasks, &ended);
        let outcome = tokio::select! {
            outcome = until_end(&*store, shutdown) => outcome,
            // Going on without it would look well and do half.
            Some(_) = tasks.join_next() => Err(anyhow!(
                "a part of the process broke off, so it ends; what was accepted is on disk, and a restart goes on"
            )),
        };
        tracing::info!("ending: no more is taken, what is running may end");
        end.send_replace(true);
        let drained = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("not all work ended within {DRAIN:?}; the next start goes on with it");
        } else if outcome.is_ok()
            && let Err(error) = store.end_run().await
        {
            tracing::error!("the end could not be noted, so the next start is careful: {error}");
        }
        outcome
    }

    fn spawn_workers(&self, tasks: &mut JoinSet<()>, ended: &Shutdown) {
        let live = self.reloader.generation();
        let dispatch = Arc::new(Dispatch {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            generation: Arc::clone(live),
            bell: self.bells.dispatch.clone(),
            outbox: self.bells.outbox.clone(),
            timers: self.bells.timers.clone(),
            templates: Arc::clone(&self.templates),
            metrics: self.metrics.turns.clone(),
        });
        let timers = Timers {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            bell: self.bells.timers.clone(),
            dispatch: self.bells.dispatch.clone(),
        };
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        tasks.spawn(dispatch.run(ended.clone()));
        tasks.spawn(timers.run(ended.clone()));
        tasks.spawn(Arc::clone(&self.outbox).run(ended.clone()));
        tasks.spawn(Arc::clone(&self.updater).run(ended.clone()));
        tasks.spawn(Arc::clone(&self.downloads).run(ended.clone()));
        tasks.spawn(Arc::clone(&self.downloads).upkeep(ended.clone()));
        tasks.spawn(dispatch::upkeep(store, clock, Arc::clone(live), ended.clone()));
    }

    fn spawn_servers(self, tasks: &mut JoinSet<()>, ended: &Shutdown) {
        let [public, admin] = self.listeners;
        let console = Console {
            store: self.store,
            clock: self.clock,
            reloader: self.reloader,
            outbox: self.outbox,
            templates: self.templates,
            updater: self.updater,
            shelf: Arc::clone(&self.downloads.shelf),
            metrics: self.metrics,
            dispatch: self.bells.dispatch,
            rehearsing: tokio::sync::Mutex::default(),
            token: self.business.http.admin_token.as_ref().map(|token| token.expose().into()),
        };
        let console = console::router(Arc::new(console));
        let bounds = Bounds::of(&self.business.http);
        let webhooks = ingress::router(self.ingress);
        tasks.spawn(listen::serve(public, webhooks, bounds, ended.clone()));
        tasks.spawn(listen::serve(admin, console, bounds, ended.clone()));
    }
}

/// Waits for the signal to end, or for the store to fail.
async fn until_end(store: &dyn Store, mut shutdown: Shutdown) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            _ = shutdown.wait_for(|ended| *ended) => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        if let Err(error @ StoreError::Failed(_)) = store.health() {
            let advice = "the process ends; what was accepted is on disk, and a restart goes on";
            return Err(error).context(advice);
        }
    }
}

fn open_store(data: &Path, business: &Business) -> anyhow::Result<Arc<dyn Store>> {
    match business.store.backend {
        StoreBackend::Memory => {
            tracing::warn!("the store is in memory: everything is gone when the process ends");
            Ok(store::memory())
        }
        StoreBackend::Sled => {
            let options = SledOptions {
                cache_mb: business.store.cache_mb,
                reserve_mb: business.store.reserve_mb,
            };
            std::fs::create_dir_all(data)
                .with_context(|| format!("the data folder {} can't be made", data.display()))?;
            Ok(store::open_sled(&data.join("store"), &options)?)
        }
    }
}

fn bind(address: &str, key: &str) -> anyhow::Result<TcpListener> {
    let listen = || -> std::io::Result<TcpListener> {
        let address: SocketAddr = address.parse().map_err(std::io::Error::other)?;
        let socket = match address {
            SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
            SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "another program listens on {address}: stop it, or set another `{key}` in switchboard.toml"
        ),
        _ => anyhow!(error).context(format!("can't listen on {address}, the `{key}`")),
    })
}

type Live = Arc<ArcSwap<Generation>>;

fn ingress(
    live: &Live,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    business: &Business,
    bells: &Bells,
) -> Arc<Ingress> {
    let (channels, numbers, portfolios) = (Arc::clone(live), Arc::clone(live), Arc::clone(live));
    let mut ingress = Ingress::new(
        Arc::new(move |id| {
            let live = channels.load();
            live.channels.get(&ChannelId::new(id)).map(|channel| Arc::clone(&channel.provider))
        }),
        Arc::new(move |number| numbers.load().by_number.get(number).cloned()),
        Arc::clone(store),
        Arc::clone(clock),
        business.http.body_bytes,
        Arc::clone(&bells.dispatch.0),
    );
    ingress.on_media = Arc::clone(&bells.media.0);
    Arc::new(ingress.with_portfolios(Arc::new(move |id| {
        let live = portfolios.load();
        live.channels.get(id).map(|channel| channel.config.portfolio()).unwrap_or_default()
    })))
}

fn downloads(
    live: &Live,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    bells: &Bells,
    shelf: &Arc<Shelf>,
) -> anyhow::Result<Arc<Downloads>> {
    let (channels, settings) = (Arc::clone(live), Arc::clone(live));
    Ok(Arc::new(Downloads {
        store: Arc::clone(store),
        clock: Arc::clone(clock),
        shelf: Arc::clone(shelf),
        providers: Arc::new(move |id| {
            channels.load().channels.get(id).map(|channel| Arc::clone(&channel.provider))
        }),
        settings: Arc::new(move || settings.load().business.media.clone()),
        bell: bells.media.clone(),
        client: media::client().context("the HTTP client could not be made")?,
    }))
}

fn outbox(
    live: &Live,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    bells: &Bells,
) -> anyhow::Result<Outbox> {
    let (live, all) = (Arc::clone(live), Arc::clone(live));
    let routes = Arc::new(move |id: &ChannelId| live.load().route(id));
    let client = outbox::client().context("the HTTP client could not be made")?;
    let (store, clock) = (Arc::clone(store), Arc::clone(clock));
    let outbox = Outbox::new(store, clock, routes, Arc::clone(&bells.outbox.0), client);
    let accounts = Arc::clone(&all);
    Ok(outbox
        .with_families(Arc::new(move |id: &ChannelId| all.load().family(id)))
        .with_accounts(Arc::new(move |told| accounts.load().concerned(told))))
}

fn standings(live: &Live, templates: &Arc<Templates>) -> outbox::TemplateStandings {
    let (live, templates) = (Arc::clone(live), Arc::clone(templates));
    Arc::new(move |id, template| match live.load().channels.get(id) {
        Some(channel) => templates.standing(&*channel.provider, template),
        // A channel that is gone sends nothing.
        None => TemplateStanding::default(),
    })
}

fn updater(
    live: &Live,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    templates: &Arc<Templates>,
    (outbox, bells): (&Arc<Outbox>, &Bells),
) -> anyhow::Result<Arc<Updater>> {
    let (live, outbox, bell) = (Arc::clone(live), Arc::clone(outbox), bells.outbox.clone());
    let channels = Arc::new(move || {
        let live = live.load();
        let channels = live.channels.values();
        let channel = |channel: &Arc<Channel>| (channel.id.clone(), Arc::clone(&channel.provider));
        Known { generation: live.number, channels: channels.map(channel).collect() }
    });
    let client = outbox::client().context("the HTTP client could not be made")?;
    Ok(Arc::new(Updater::new(
        Arc::clone(templates),
        Arc::clone(store),
        Arc::clone(clock),
        channels,
        // What waits for it may leave.
        Arc::new(move |channel, name, language| {
            outbox.template_lives(channel, name, language);
            bell.ring();
        }),
        client,
    )))
}

/// Tells each channel's lane that new rules are live, so that plugins can set
/// their timers.
async fn announce(store: &Arc<dyn Store>, clock: &dyn Clock, live: &Generation, bells: &Bells) {
    let now = clock.now();
    let batch = live.announcement(now);
    if let Err(error) = store.accept(batch, now).await {
        tracing::error!("plugins could not be told of the new rules: {error}");
    }
    // A swap may also have mended what kept messages from leaving.
    bells.dispatch.ring();
    bells.outbox.ring();
    bells.templates.ring();
}

fn announce_later(
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    bells: Bells,
) -> Box<dyn Fn(Arc<Generation>) + Send + Sync> {
    Box::new(move |live| {
        let (store, clock, bells) = (Arc::clone(&store), Arc::clone(&clock), bells.clone());
        tokio::spawn(async move { announce(&store, &*clock, &live, &bells).await });
    })
}
