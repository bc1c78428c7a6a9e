//! A WhatsApp on this machine by itself, for a bot of any make.

use super::{Failure, runtime};
use crate::{
    config::Env,
    simulator::{self, Draft, NewPhone, SimulatorConfig},
    telemetry,
};
use anyhow::{Context, anyhow};
use std::{net::SocketAddr, path::PathBuf};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

pub use crate::simulator::{TwilioAccount, Wire};

/// What went wrong with the bot's answers: who tests a bot looks here.
const LOG: &str = "warn,switchboard::simulator=info";
/// From the range that Britain keeps for films: `+44 7700 900001` and on.
const FIRST_NUMBER: u64 = 447_700_900_000;

#[derive(Clone, Debug)]
pub struct SimulateOptions {
    pub wire: Wire,
    /// Where the bot takes webhooks.
    pub webhook_url: String,
    pub app_secret: String,
    pub verify_token: String,
    pub access_token: String,
    pub phone_number_id: String,
    pub business_account_id: String,
    pub listen: SocketAddr,
    /// Customers that are there from the start.
    pub phones: u32,
    /// A JSON file with templates in Meta's form.
    pub templates: Option<PathBuf>,
    pub env: Env,
}

/// Runs the simulator until a signal ends it.
///
/// # Errors
/// The templates cannot be read, the port is busy, or the listener fails.
pub fn simulate(options: SimulateOptions, say: &dyn Fn(&str)) -> Result<(), Failure> {
    telemetry::init_log(options.env.get("SWITCHBOARD_LOG").unwrap_or(LOG));
    runtime()?.block_on(run(options, say))
}

async fn run(options: SimulateOptions, say: &dyn Fn(&str)) -> Result<(), Failure> {
    let templates = options.templates.as_deref().map_or(Ok(Vec::new()), read_templates)?;
    let listen = options.listen;
    let listener = TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow!("another program listens on {listen}: stop it, or name another with --listen")
        }
        _ => anyhow!(error).context(format!("can't listen on {listen}")),
    })?;
    let address = listener.local_addr().context("the listener's address is unknown")?;
    let phones = (1..=options.phones).map(|number| NewPhone {
        name: format!("Phone {number}"),
        number: Some((FIRST_NUMBER + u64::from(number)).to_string()),
        ..NewPhone::default()
    });
    let config = SimulatorConfig {
        wire: options.wire,
        webhook_url: options.webhook_url,
        app_secret: options.app_secret,
        verify_token: options.verify_token,
        access_token: options.access_token,
        phone_number_id: options.phone_number_id,
        business_account_id: options.business_account_id,
        phones: phones.collect(),
        templates,
        ..SimulatorConfig::default()
    };
    let shutdown = ending()?;
    greet(&config, address, say);
    simulator::run(config, listener, shutdown).await.map_err(Failure::Running)
}

/// A list of templates, or the Graph API's answer with one in `data`.
fn read_templates(file: &std::path::Path) -> anyhow::Result<Vec<Draft>> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the templates can't be read from {}", file.display()))?;
    simulator::templates_of(&text).map_err(|why| anyhow!("{}: {why}", file.display()))
}

/// Turns true at the first signal to end.
fn ending() -> anyhow::Result<watch::Receiver<bool>> {
    let catch = |kind| signal(kind).context("signals can't be caught");
    let mut terminate = catch(SignalKind::terminate())?;
    let mut interrupt = catch(SignalKind::interrupt())?;
    let (end, shutdown) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        end.send_replace(true);
    });
    Ok(shutdown)
}

fn greet(config: &SimulatorConfig, address: SocketAddr, say: &dyn Fn(&str)) {
    say("Switchboard simulator");
    say(&format!("  page      http://{address}/   ← open this: you are the customers"));
    say(&format!("  webhooks  {}", config.webhook_url));
    say("");
    say("Put this into the bot:");
    let rows = match &config.wire {
        Wire::Meta => vec![
            ("Graph API address", format!("http://{address}/v26.0")),
            ("phone number id", config.phone_number_id.clone()),
            ("business account id", config.business_account_id.clone()),
            ("access token", config.access_token.clone()),
            ("app secret", config.app_secret.clone()),
            ("verify token", config.verify_token.clone()),
        ],
        Wire::Twilio(account) => vec![
            ("Twilio's address", format!("http://{address}")),
            ("account sid", account.sid.clone()),
            ("auth token", account.auth_token.clone()),
            ("number", format!("+{}", config.display_phone_number)),
        ],
    };
    for (name, value) in rows {
        say(&format!("  {name:<20} {value}"));
    }
    say("");
    say("Ctrl-C ends.");
}
