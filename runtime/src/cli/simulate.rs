//! `switchboard simulate`: a WhatsApp on this machine, for a bot of any make.

use super::{Ending, Exit, out};
use crate::{
    app::{self, SimulateOptions, TwilioAccount, Wire},
    config::Env,
};
use std::{net::SocketAddr, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  switchboard simulate --webhook http://127.0.0.1:3000/webhook
  switchboard simulate --webhook http://127.0.0.1:3000/webhook --phones 50 --templates templates.json
  switchboard simulate --webhook http://127.0.0.1:3000/webhook --listen 127.0.0.1:9000
  switchboard simulate --webhook http://127.0.0.1:3000/webhook --wire twilio

It needs no business folder. Prints what to put into the bot, serves a page where you are the
customers, and an API for scripts: docs/simulator.md. Nothing leaves this machine.";

/// Test any WhatsApp bot: a local WhatsApp that speaks HTTP only.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Where the bot takes webhooks.
    #[arg(long, value_name = "URL", value_parser = web_address)]
    webhook: String,
    /// Address of the page and of the API that the bot calls.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082", value_parser = address)]
    listen: SocketAddr,
    /// Whose API the bot is made for.
    #[arg(long, value_enum, default_value = "meta")]
    wire: WireName,
    /// Signs the webhooks.
    #[arg(long, value_name = "TEXT", default_value = "simulator-app-secret")]
    app_secret: String,
    /// Sent when the webhook's address is verified.
    #[arg(long, value_name = "TEXT", default_value = "simulator-verify-token")]
    verify_token: String,
    /// What the bot must send with.
    #[arg(long, value_name = "TEXT", default_value = "simulator-access-token")]
    access_token: String,
    /// The business number's id.
    #[arg(long, value_name = "ID", default_value = "1060")]
    phone_number_id: String,
    /// The business account's id.
    #[arg(long, value_name = "ID", default_value = "1020")]
    business_account_id: String,
    /// The account that the bot sends with (Twilio).
    #[arg(long, value_name = "SID", default_value = "AC00000000000000000000000000000001")]
    account_sid: String,
    /// Signs the webhooks and is the password of the API (Twilio).
    #[arg(long, value_name = "TEXT", default_value = "simulator-auth-token")]
    auth_token: String,
    /// Customers that are there from the start.
    #[arg(long, value_name = "N", default_value_t = 3)]
    phones: u32,
    /// A JSON file with templates as the Graph API lists them.
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum WireName {
    /// The WhatsApp Cloud API.
    Meta,
    /// Twilio's API for WhatsApp.
    Twilio,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let needed = "an IP address and a port are needed, such as 127.0.0.1:8082";
    text.parse().map_err(|_| needed.to_owned())
}

fn web_address(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest.filter(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace)) {
        Some(_) => Ok(text.to_owned()),
        None => Err("an address is needed, such as http://127.0.0.1:3000/webhook".to_owned()),
    }
}

pub(super) fn run(arguments: Arguments, env: Env) -> Ending {
    let options = SimulateOptions {
        wire: match arguments.wire {
            WireName::Meta => Wire::Meta,
            WireName::Twilio => Wire::Twilio(TwilioAccount {
                sid: arguments.account_sid,
                auth_token: arguments.auth_token,
                messaging_service_sid: None,
            }),
        },
        webhook_url: arguments.webhook,
        app_secret: arguments.app_secret,
        verify_token: arguments.verify_token,
        access_token: arguments.access_token,
        phone_number_id: arguments.phone_number_id,
        business_account_id: arguments.business_account_id,
        listen: arguments.listen,
        phones: arguments.phones,
        templates: arguments.templates,
        env,
    };
    app::simulate(options, &|line| out::line(line))?;
    Ok(Exit::Done)
}
