//! A local WhatsApp: Graph API in, signed webhooks out, receipts, faults and
//! a chat page. It knows a bot by HTTP alone, so it can stand in for Meta for
//! any bot; it must not name our store, our provider or our nouns. All it
//! remembers is in memory and bounded.

mod account;
mod control;
mod customer;
mod deliver;
mod echo;
mod errors;
mod faults;
mod files;
mod first_contacts;
mod inspect;
mod limits;
mod message;
mod meta;
mod moderation;
mod names;
mod page;
mod phone;
mod pricing;
mod receipts;
mod sends;
mod settings;
mod state;
mod templates;
mod time;
mod twilio;
mod wire;

pub use deliver::Retry;
pub use faults::{MediaFaults, WebhookFaults};
pub use phone::NewPhone;
pub use settings::{ReviewOutcome, Settings, UnknownNumbers, WindowError};
pub use templates::{Draft, templates_of};
pub use twilio::Account as TwilioAccount;
pub use wire::Wire;

use crate::clock::{Clock, SystemClock};
use anyhow::{Context as _, Result, anyhow};
use axum::Router;
use deliver::Courier;
use serde_json::Value;
use state::{Millis, World};
use time::Time;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{broadcast, watch},
};

/// Page updates that a slow browser may fall behind by before it is told to
/// load everything anew.
const FEED_LENGTH: usize = 1_024;

/// Whom the simulator plays, and for which bot.
#[derive(Clone, Debug)]
pub struct SimulatorConfig {
    /// The API that the bot is made for.
    pub wire: Wire,
    /// Where the bot takes webhooks, e.g. `http://127.0.0.1:8080/webhooks/main`.
    pub webhook_url: String,
    /// Signs the webhooks, as the app secret of the Meta app does.
    pub app_secret: String,
    /// Sent with the verification request.
    pub verify_token: String,
    /// The business number's id: in the bot's send URL and in each webhook.
    pub phone_number_id: String,
    pub business_account_id: String,
    /// The business number itself, digits only.
    pub display_phone_number: String,
    /// The name at the top of the chat.
    pub business_name: String,
    /// The bearer token that the bot must send with.
    pub access_token: String,
    /// Base address of a runtime's admin API, whose view of a contact the
    /// page may show.
    pub inspect_url: Option<String>,
    /// Bearer token for that API. It stays on this side of the page.
    pub inspect_token: Option<String>,
    /// What can be changed while it runs, as it is at the start.
    pub settings: Settings,
    /// Templates that are there from the start; one without a status is
    /// pending until it is decided on.
    pub templates: Vec<Draft>,
    /// Phones that are there from the start.
    pub phones: Vec<NewPhone>,
    /// First messages that the page offers in an empty chat.
    pub suggestions: Vec<String>,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            wire: Wire::default(),
            webhook_url: "http://127.0.0.1:8080/webhooks/main".into(),
            app_secret: "simulator-app-secret".into(),
            verify_token: "simulator-verify-token".into(),
            phone_number_id: "1060".into(),
            business_account_id: "1020".into(),
            display_phone_number: "15550001060".into(),
            business_name: "My shop".into(),
            access_token: "simulator-access-token".into(),
            inspect_url: None,
            inspect_token: None,
            settings: Settings::default(),
            templates: Vec::new(),
            phones: Vec::new(),
            suggestions: ["Hello!", "When do you open?", "I want to complain", "STOP"]
                .map(String::from)
                .to_vec(),
        }
    }
}

/// Runs until `shutdown` turns true. The listener is the caller's, so that it
/// may have asked for any free port.
///
/// # Errors
/// A start-up phone that cannot be made, or a listener that fails.
pub async fn run(
    config: SimulatorConfig,
    listener: TcpListener,
    shutdown: watch::Receiver<bool>,
) -> Result<()> {
    let sim = Sim::new(config, Arc::new(SystemClock), shutdown.clone())?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(simulator.address = %address, "the simulator is at http://{address}/");
        // It is set but once, so there is none before it.
        let _ = sim.address.set(format!("http://{address}"));
    }
    tokio::spawn(wire::verify_at_start(sim.clone()));
    let mut shutdown = shutdown;
    axum::serve(listener, router(sim))
        .with_graceful_shutdown(async move {
            let _ = shutdown.wait_for(|stop| *stop).await;
        })
        .await
        .context("the simulator's listener failed")
}

fn router(sim: Shared) -> Router {
    Router::new()
        .merge(page::routes())
        .merge(control::routes())
        .merge(inspect::routes())
        .merge(wire::routes(&sim.config.wire))
        .layer(axum::middleware::from_fn(page::same_site))
        .with_state(sim)
}

/// What every route holds.
type Shared = Arc<Sim>;

struct Sim {
    config: SimulatorConfig,
    /// The simulator's own.
    time: Time,
    world: Mutex<World>,
    /// Updates for the page, as JSON.
    feed: broadcast::Sender<Arc<str>>,
    courier: Courier,
    closing: watch::Receiver<bool>,
    /// Makes ids of this run differ from another's.
    salt: u32,
    last_id: AtomicU64,
    /// Where it listens, as an address for files.
    address: OnceLock<String>,
}

impl Sim {
    fn new(
        config: SimulatorConfig,
        clock: Arc<dyn Clock>,
        closing: watch::Receiver<bool>,
    ) -> Result<Shared> {
        let mut world = World::new(config.settings.clone());
        for phone in &config.phones {
            world.add_phone(phone.clone()).map_err(anyhow::Error::msg)?;
        }
        for draft in &config.templates {
            draft.check().map_err(|why| anyhow!("the template {}: {why}", draft.name))?;
            world.templates.add(draft.clone()).map_err(anyhow::Error::msg)?;
        }
        let salt = (clock.jitter() * f64::from(u32::MAX)) as u32;
        Ok(Arc::new(Self {
            courier: Courier::new()?,
            config,
            time: Time::new(clock),
            world: Mutex::new(world),
            feed: broadcast::Sender::new(FEED_LENGTH),
            closing,
            salt,
            last_id: AtomicU64::new(0),
            address: OnceLock::new(),
        }))
    }

    /// Held for a moment only, and never across an await.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        self.time.now()
    }

    /// A number that is not given twice in a run.
    fn serial(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits on the simulator's own clock. False if the simulator is closing.
    async fn pause(&self, millis: Millis) -> bool {
        if millis == 0 {
            return !*self.closing.borrow();
        }
        let due = self.now().saturating_add(millis);
        let mut closing = self.closing.clone();
        tokio::select! {
            () = self.time.until(due) => true,
            _ = closing.wait_for(|stop| *stop) => false,
        }
    }

    /// The same on the machine's clock: a client's patience is real.
    async fn wait(&self, millis: Millis) -> bool {
        let mut closing = self.closing.clone();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(millis)) => true,
            _ = closing.wait_for(|stop| *stop) => false,
        }
    }

    /// Tells open pages; costs nothing when there are none.
    fn publish(&self, update: impl FnOnce() -> Value) {
        if self.feed.receiver_count() > 0 {
            // An error means that the last page closed just now.
            let _ = self.feed.send(update().to_string().into());
        }
    }
}
