//! `switchboard demo`: the sample business with a WhatsApp on this machine.

use super::{Ending, Exit, out};
use crate::{
    app::{self, DemoOptions},
    config::Env,
};
use std::{net::SocketAddr, path::PathBuf};

const EXAMPLES: &str = "\
Examples:
  switchboard demo
  switchboard demo --open
  switchboard demo --folder try-out --chat 127.0.0.1:9000

Makes the folder with the sample shop if it is not there, serves it, and opens a local WhatsApp: a
chat page where you are the customer. Edit the rules while it runs. Nothing leaves this machine.";

/// Try it out: the sample shop with a local WhatsApp.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder; made if it is not there.
    #[arg(long, default_value = "switchboard-demo")]
    folder: PathBuf,
    /// Address of the webhooks.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = address)]
    public: SocketAddr,
    /// Address of health, metrics and the API.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081", value_parser = address)]
    admin: SocketAddr,
    /// Address of the chat page and the local WhatsApp.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082", value_parser = address)]
    chat: SocketAddr,
    /// Open the chat page in the browser.
    #[arg(long)]
    open: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let needed = "an IP address and a port are needed, such as 127.0.0.1:8080";
    text.parse().map_err(|_| needed.to_owned())
}

pub(super) fn run(arguments: Arguments, env: Env) -> Ending {
    let Arguments { folder, public, admin, chat, open } = arguments;
    let options = DemoOptions { folder, public, admin, chat, open, env };
    app::demo(options, &|line| out::line(line))?;
    Ok(Exit::Done)
}
