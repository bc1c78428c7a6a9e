//! The HTTP client for plugins: what it connects to has been looked at, and it
//! does nothing of its own accord.

use super::{address, request::Checked};
use crate::model::HttpResponse;
use reqwest::{
    Client, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::CONTENT_ENCODING,
    redirect,
};
use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Bytes and number of an answer's headers.
const HEADERS_BYTES: usize = 32 * 1024;
const HEADERS: usize = 100;
/// Addresses of one name that are tried.
const ADDRESSES: usize = 16;
/// Connections kept to one host for the next requests: a file descriptor each.
const IDLE_EACH: usize = 8;
/// A connection that no request waits for any more is given up after this.
const CONNECT: Duration = Duration::from_secs(10);

/// The clients of all steps. Almost all share one, and its connections.
#[derive(Default)]
pub struct Clients {
    shared: Mutex<Option<Client>>,
    cut_off: AtomicBool,
}

impl Clients {
    /// One that connects to public addresses and to `named`. A step with named
    /// ones has a client for itself: a kept connection must not serve a step
    /// that may not have made it. None: there is no network here.
    pub fn with(&self, named: &[IpAddr]) -> Result<Option<Client>, String> {
        if self.cut_off.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if !named.is_empty() {
            return build(named.into()).map(Some);
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*shared {
            return Ok(Some(client.clone()));
        }
        Ok(Some(shared.insert(build(Arc::default())?).clone()))
    }

    /// Steps that are made from now on reach nothing, whatever is granted.
    pub fn cut_off(&self) {
        self.cut_off.store(true, Ordering::Relaxed);
    }
}

/// Encrypted by ring, with the machine's roots. No proxy, no redirects, no
/// cookies, nothing unpacked.
fn build(named: Arc<[IpAddr]>) -> Result<Client, String> {
    // An error says that the process has a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .dns_resolver(Arc::new(Looked { named }))
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .http1_max_headers(HEADERS)
        .pool_max_idle_per_host(IDLE_EACH)
        .connect_timeout(CONNECT)
        .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("the HTTP client could not be made: {}", cause(&error)))
}

/// Looks names up and leaves out what plugins are not connected to. The
/// connection is made to what is returned here, without another look-up.
struct Looked {
    named: Arc<[IpAddr]>,
}

impl Resolve for Looked {
    fn resolve(&self, name: Name) -> Resolving {
        let named = self.named.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found = allowed(name.as_str(), found.take(ADDRESSES), &named)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Why a name leads nowhere.
#[derive(thiserror::Error, Debug, PartialEq, Eq)]
pub enum Nowhere {
    #[error("{name} has no address")]
    None { name: String },
    #[error(
        "{name} leads to {address}, {kind}: its chain would allow it with `private = \
         [\"{address}\"]` in the step's `grants`"
    )]
    Refused { name: String, address: IpAddr, kind: &'static str },
}

fn allowed(
    name: &str,
    found: impl Iterator<Item = SocketAddr>,
    named: &[IpAddr],
) -> Result<Vec<SocketAddr>, Nowhere> {
    let mut nowhere = Nowhere::None { name: name.into() };
    let mut kept = Vec::new();
    for one in found {
        let ip = one.ip();
        match address::refused(ip) {
            Some(kind) if !named.iter().any(|named| address::same(*named, ip)) => {
                nowhere = Nowhere::Refused { name: name.into(), address: ip, kind };
            }
            Some(_) | None => kept.push(one),
        }
    }
    if kept.is_empty() { Err(nowhere) } else { Ok(kept) }
}

/// Sends the request and takes the answer, with at most `limit` bytes of body.
/// Error: in words for the plugin.
pub async fn fetch(
    client: &Client,
    request: Checked,
    limit: usize,
) -> Result<HttpResponse, String> {
    let host = request.url.host_str().unwrap_or_default().to_owned();
    let sent = client
        .request(request.method, request.url)
        .headers(request.headers)
        .body(request.body)
        .send()
        .await;
    let mut answer = sent.map_err(|error| match nowhere(&error) {
        Some(nowhere) => nowhere.to_string(),
        None if error.is_connect() => format!("{host} can't be reached: {}", cause(&error)),
        None => format!("{host} gave no proper answer: {}", cause(&error)),
    })?;
    let headers = headers(&answer, &host)?;
    let too_large = || format!("the answer of {host} has more than {limit} bytes of body");
    if answer.content_length().is_some_and(|bytes| bytes > limit as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    let broken = |error| format!("the answer of {host} broke off: {}", cause(&error));
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status: answer.status().as_u16(), headers, body })
}

fn headers(answer: &Response, host: &str) -> Result<Vec<(String, String)>, String> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers: Vec<(String, String)> = answer
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect();
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > HEADERS_BYTES {
        return Err(format!("the answer of {host} has more than {HEADERS_BYTES} bytes of headers"));
    }
    Ok(headers)
}

/// Whether the body is packed, so that it can't be searched.
pub fn is_packed(answer: &HttpResponse) -> bool {
    let packed = |(name, value): &(String, String)| {
        *name == CONTENT_ENCODING.as_str() && !value.trim().eq_ignore_ascii_case("identity")
    };
    answer.headers.iter().any(packed)
}

fn nowhere(error: &reqwest::Error) -> Option<&Nowhere> {
    let mut cause: &dyn Error = error;
    loop {
        if let Some(nowhere) = cause.downcast_ref() {
            return Some(nowhere);
        }
        cause = cause.source()?;
    }
}

/// The innermost cause: the outer ones repeat the address.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(found: &[&str], named: &[&str]) -> Result<Vec<String>, String> {
        let found = found.iter().map(|it| SocketAddr::new(it.parse().unwrap(), 0));
        let named: Vec<IpAddr> = named.iter().map(|it| it.parse().unwrap()).collect();
        let kept = allowed("a.example", found, &named).map_err(|why| why.to_string())?;
        Ok(kept.into_iter().map(|it| it.ip().to_string()).collect())
    }

    #[test]
    fn a_name_leads_to_what_is_public_or_named() {
        assert_eq!(kept(&["1.1.1.1", "127.0.0.1", "::1"], &[]), Ok(vec!["1.1.1.1".into()]));
        let refused = kept(&["10.1.2.3"], &["10.1.2.4"]).unwrap_err();
        assert!(
            refused.starts_with("a.example leads to 10.1.2.3, an address of a private network"),
            "{refused}"
        );
        assert!(refused.contains("`private = [\"10.1.2.3\"]`"), "{refused}");
        assert_eq!(kept(&["10.1.2.3"], &["10.1.2.3"]), Ok(vec!["10.1.2.3".into()]));
        assert_eq!(kept(&["::ffff:10.1.2.3"], &["10.1.2.3"]), Ok(vec!["::ffff:10.1.2.3".into()]));
        assert!(kept(&["::ffff:127.0.0.1"], &[]).is_err());
        assert_eq!(kept(&[], &[]), Err("a.example has no address".into()));
    }
}
