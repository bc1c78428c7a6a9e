//! Asks the running `serve` by its admin address.

use crate::config::{self, Env, Http, Problem};
use anyhow::{Context, bail};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    time::Duration,
};

/// Plugins may have to be compiled.
const WAIT: Duration = Duration::from_secs(60);
/// Every contact may have to be looked at.
const LONG: Duration = Duration::from_secs(300);

/// The admin address of a business folder, with its token.
pub(super) struct Admin {
    address: SocketAddr,
    http: Http,
    client: reqwest::Client,
}

#[derive(thiserror::Error, Debug)]
#[error(
    "nothing listens at {admin}: is `switchboard serve` running? If it said another address, put \
     that into SWITCHBOARD__HTTP__ADMIN"
)]
pub(super) struct NobodyListens {
    admin: SocketAddr,
}

/// What is wrong with the folder's `[http]`, or the client for it.
pub(super) type Found = Result<Admin, Vec<Problem>>;

impl Admin {
    pub(super) fn of(folder: &Path, env: &Env) -> anyhow::Result<Found> {
        let http = match config::load_http(folder, env) {
            Ok(http) => http,
            Err(problems) => return Ok(Err(problems)),
        };
        let address = reachable(http.admin.parse().context("`http.admin` is no address")?);
        // Fails only if one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(WAIT).build();
        let client = client.context("could not make an HTTP client")?;
        Ok(Ok(Self { address, http, client }))
    }

    /// The answer, whatever its status. Error: there is none, or none of ours.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let (_, body) = self.ask(self.client.post(self.url(path))).await?;
        self.read(&body)
    }

    /// Error: also what the server says instead.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.told(path, self.client.get(self.url(path))).await
    }

    /// As `get`, of what takes its time.
    pub(super) async fn ask_long<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.told(path, self.client.get(self.url(path)).timeout(LONG)).await
    }

    /// As `get`, for what is asked in JSON.
    pub(super) async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: &impl Serialize,
    ) -> anyhow::Result<T> {
        self.told(path, self.client.post(self.url(path)).json(asked)).await
    }

    async fn told<T: DeserializeOwned>(
        &self,
        path: &str,
        request: reqwest::RequestBuilder,
    ) -> anyhow::Result<T> {
        let (status, body) = self.ask(request).await?;
        if status.is_success() {
            return self.read(&body);
        }
        #[derive(serde::Deserialize)]
        struct Failure {
            error: String,
        }
        match serde_json::from_slice::<Failure>(&body) {
            Ok(failure) => bail!("{}", failure.error),
            Err(_) => bail!("{} answered {status} to `{path}`", self.address),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn ask(
        &self,
        request: reqwest::RequestBuilder,
    ) -> anyhow::Result<(reqwest::StatusCode, Vec<u8>)> {
        let admin = self.address;
        let request = match &self.http.admin_token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        let response = request.send().await.map_err(|error| match error.is_connect() {
            true => anyhow::Error::new(NobodyListens { admin }),
            false => anyhow::Error::new(error).context(format!("{admin} did not answer")),
        })?;
        let status = response.status();
        if status.as_u16() == 401 || status.as_u16() == 403 {
            bail!("{admin} does not take the `http.admin_token` of this folder");
        }
        let body = response.bytes().await.with_context(|| format!("{admin} did not answer"))?;
        Ok((status, body.to_vec()))
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> anyhow::Result<T> {
        serde_json::from_slice(body).with_context(|| {
            format!("what listens at {} does not answer as switchboard", self.address)
        })
    }
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
