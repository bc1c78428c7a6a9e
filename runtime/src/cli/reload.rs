//! `switchboard reload`: has the running `serve` read its folder again.

use super::{Ending, Exit, out};
use crate::{
    app::Failure,
    config::{self, Env, Http},
    reload::Answer,
};
use anyhow::{Context, anyhow, bail};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

const EXAMPLES: &str = "\
Examples:
  switchboard reload my-shop

Edits are taken up by themselves within a second; this is for scripts that want to know when, and
for values in files outside the folder (`${file:…}`). Asks the address `http.admin` of the folder's
switchboard.toml, with its `http.admin_token`. `demo` may have taken another address; name it:
  SWITCHBOARD__HTTP__ADMIN=127.0.0.1:18081 switchboard reload switchboard-demo
Exit code 0 with the new generation, 1 if it was refused (the old one goes on), 3 if nothing listens.";

/// Plugins may have to be compiled.
const WAIT: Duration = Duration::from_secs(60);

/// Have the running `serve` read its folder again.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The business folder.
    folder: PathBuf,
}

pub(super) fn run(arguments: &Arguments, env: &Env) -> Ending {
    let http = match config::load_http(&arguments.folder, env) {
        Ok(http) => http,
        Err(problems) => {
            problems.iter().for_each(out::line);
            return Ok(Exit::Problems);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start the runtime")
        .map_err(Failure::CannotStart)?;
    let answer = runtime.block_on(ask(&http)).map_err(Failure::CannotStart)?;
    answer.warnings.iter().for_each(|warning| out::line(format_args!("warning: {warning}")));
    answer.problems.iter().for_each(out::line);
    Ok(match answer.generation {
        Some(number) => {
            out::line(format_args!("loaded: generation {number} runs now"));
            Exit::Done
        }
        None => {
            out::line("not loaded: the generation before goes on");
            Exit::Problems
        }
    })
}

async fn ask(http: &Http) -> anyhow::Result<Answer> {
    let answered = request(http, reqwest::Method::POST, "/api/v1/reload", WAIT).await?;
    let (admin, status, body) = answered.map_err(|admin| {
        anyhow!(
            "nothing listens at {admin}: is `switchboard serve` running? If it said another \
             address, put that into SWITCHBOARD__HTTP__ADMIN"
        )
    })?;
    serde_json::from_slice(&body).with_context(|| {
        format!("what listens at {admin} does not answer as switchboard ({status})")
    })
}

/// Where the request went, and the answer to it.
pub(super) type Answered = (SocketAddr, reqwest::StatusCode, Vec<u8>);

/// Asks the API of the running server. The inner error: nothing listens at
/// that address.
pub(super) async fn request(
    http: &Http,
    method: reqwest::Method,
    path: &str,
    wait: Duration,
) -> anyhow::Result<Result<Answered, SocketAddr>> {
    let admin = reachable(http.admin.parse().context("`http.admin` is no address")?);
    let url = format!("http://{admin}{path}");
    // Fails only if one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(wait)
        .build()
        .context("could not make an HTTP client")?;
    let request = match &http.admin_token {
        Some(token) => client.request(method, &url).bearer_auth(token.expose()),
        None => client.request(method, &url),
    };
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Ok(Err(admin)),
        Err(error) => {
            return Err(anyhow::Error::new(error).context(format!("{admin} did not answer")));
        }
    };
    let status = response.status();
    if status.as_u16() == 401 || status.as_u16() == 403 {
        bail!("{admin} does not take the `http.admin_token` of this folder");
    }
    let body = response.bytes().await.with_context(|| format!("{admin} did not answer"))?;
    Ok(Ok((admin, status, body.to_vec())))
}

/// Where to reach what listens at `address`: "everywhere" is no destination.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
