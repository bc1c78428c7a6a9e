//! The sample business with a WhatsApp on this machine.

use super::{App, Failure, ServeOptions, runtime, signals};
use crate::{
    clock::SystemClock,
    config::Env,
    sample::{self, Demo, SampleKind, SampleLanguage},
    simulator::{self, Draft, NewPhone, Settings, SimulatorConfig},
    telemetry,
};
use anyhow::Context;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{net::TcpListener, sync::watch};

/// The values that the sample and the simulator agree on. Not secrets: they
/// guard nothing but a simulator on this machine.
const NUMBER_ID: &str = "1060";
const ACCOUNT_ID: &str = "1020";
const TOKEN: &str = "demo-access-token";
const SECRET: &str = "demo-app-secret";
const VERIFY: &str = "demo-verify-token";
/// What went wrong, and that an edit is live: who edits looks here.
const LOG: &str = "warn,switchboard::reload=info";

#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Made from the sample if it is not there.
    pub folder: PathBuf,
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub chat: SocketAddr,
    /// Open the chat page in the browser.
    pub open: bool,
    pub env: Env,
}

/// Runs the demo until a signal ends it.
pub fn demo(options: DemoOptions, say: &dyn Fn(&str)) -> Result<(), Failure> {
    telemetry::init_log(options.env.get("SWITCHBOARD_LOG").unwrap_or(LOG));
    runtime()?.block_on(run(options, say))
}

async fn run(options: DemoOptions, say: &dyn Fn(&str)) -> Result<(), Failure> {
    let chat = take_port(options.chat).await?;
    let chat_address = chat.local_addr().context("the chat page's address is unknown")?;
    let public = free(options.public).await?;
    let admin = free(options.admin).await?;
    let env = environment(options.env, public, admin, chat_address);
    let made = make_folder(&options.folder, public, admin, chat_address)?;
    say("Starting. The first start compiles the plugins, which takes some seconds.");
    let served = ServeOptions { folder: options.folder.clone(), env };
    let app = App::build(served, Arc::new(SystemClock)).await?;
    let (end, shutdown) = watch::channel(false);
    signals::listen(end, Arc::clone(&app.reloader))?;
    let simulator = simulator(&app);
    let simulating = tokio::spawn(simulator::run(simulator, chat, shutdown.clone()));
    greet(&options.folder, made, &app, chat_address, say);
    if options.open {
        open(&format!("http://{chat_address}/"), say);
    }
    let outcome = app.run(shutdown).await.map_err(Failure::Running);
    // Its own end follows from the same signal.
    let _ = simulating.await;
    outcome
}

fn greet(folder: &Path, made: bool, app: &App, chat: SocketAddr, say: &dyn Fn(&str)) {
    let folder = folder.display();
    say("");
    say("Switchboard demo");
    say(&format!("  chat      http://{chat}/   ← open this: you are the customer"));
    say(&format!("  admin     http://{}/readyz", app.admin));
    say(&format!("  webhooks  http://{}/webhooks/{{channel}}", app.public));
    let how = if made { "made from the sample" } else { "as you left it" };
    say(&format!("  folder    {folder}/ ({how})"));
    say("");
    say(&format!("Edit {folder}/rules/faq.toml while it runs, and ask again. Ctrl-C ends."));
}

fn simulator(app: &App) -> SimulatorConfig {
    let phone = |name: &str, number: Option<&str>, username: Option<&str>| NewPhone {
        name: name.into(),
        number: number.map(str::to_owned),
        username: username.map(str::to_owned),
        user_id: None,
    };
    let token = app.business.http.admin_token.as_ref();
    SimulatorConfig {
        webhook_url: format!("http://{}/webhooks/main", app.public),
        app_secret: SECRET.into(),
        verify_token: VERIFY.into(),
        phone_number_id: NUMBER_ID.into(),
        business_account_id: ACCOUNT_ID.into(),
        access_token: TOKEN.into(),
        business_name: "Corner Bakery".into(),
        inspect_url: Some(format!("http://{}", app.admin)),
        inspect_token: token.map(|token| token.expose().to_owned()),
        phones: vec![
            phone("Phone 1", Some("15550000001"), None),
            phone("Phone 2", Some("573000000002"), None),
            phone("No number shown", None, Some("hidden.number")),
        ],
        templates: templates(),
        settings: Settings {
            // The phones have numbers of the +1 kind that belong to nobody.
            us_marketing_block: false,
            ..Settings::default()
        },
        ..SimulatorConfig::default()
    }
}

/// The one that the sample's promotion is sent as.
fn templates() -> Vec<Draft> {
    const LIST: &str = r#"[{"name": "spring_cakes", "language": "en", "category": "MARKETING",
        "components": [
            {"type": "BODY", "text": "Spring is here, and so is our {{1}}: from {{2}} on."},
            {"type": "FOOTER", "text": "Write STOP to get no more of these"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Order one"}]}]}]"#;
    // A test reads it; a demo without it would still be one.
    simulator::templates_of(LIST).unwrap_or_default()
}

/// True if the folder was made now.
fn make_folder(
    folder: &Path,
    public: SocketAddr,
    admin: SocketAddr,
    chat: SocketAddr,
) -> anyhow::Result<bool> {
    if folder.join("switchboard.toml").is_file() {
        return Ok(false);
    }
    let demo = Demo {
        phone_number_id: NUMBER_ID.into(),
        business_account_id: ACCOUNT_ID.into(),
        access_token: TOKEN.into(),
        app_secret: SECRET.into(),
        verify_token: VERIFY.into(),
        api_url: api_url(chat),
        public,
        admin,
    };
    sample::write(folder, SampleKind::Shop, SampleLanguage::En, Some(&demo))
        .with_context(|| format!("the sample could not be put into {}", folder.display()))?;
    Ok(true)
}

fn api_url(chat: SocketAddr) -> String {
    format!("http://{chat}/v26.0")
}

/// The folder's addresses may be of an earlier run: this run's go before.
fn environment(mut env: Env, public: SocketAddr, admin: SocketAddr, chat: SocketAddr) -> Env {
    env.set("SWITCHBOARD__HTTP__PUBLIC", &public.to_string());
    env.set("SWITCHBOARD__HTTP__ADMIN", &admin.to_string());
    env.set("SWITCHBOARD__CHANNEL__0__API_URL", &api_url(chat));
    env
}

/// The address asked for, or, if another program has it, any free port beside
/// it: a demo should not fail for that.
async fn take_port(wanted: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(wanted).await {
        Ok(listener) => Ok(listener),
        Err(_) => {
            let any = (wanted.ip(), 0);
            let listener = TcpListener::bind(any).await;
            listener.with_context(|| format!("can't listen on {}", wanted.ip()))
        }
    }
}

async fn free(wanted: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener = take_port(wanted).await?;
    listener.local_addr().context("the listener's address is unknown")
}

/// A browser that does not open is no failure: the address is on the screen.
fn open(url: &str, say: &dyn Fn(&str)) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    if std::process::Command::new(program).arg(url).spawn().is_err() {
        say(&format!("(no browser could be opened with {program})"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_has_its_template() {
        assert_eq!(templates().len(), 1);
    }
}
