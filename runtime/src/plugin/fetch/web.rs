//! HTTP for fetching plugins: encrypted, bounded in bytes and time. Owns the
//! client and what it follows; must not know of registries or signatures.

use super::FetchError;
use crate::model::plain_line;
use reqwest::{Client, Url, header::HeaderMap, redirect};
use std::{net::IpAddr, time::Duration};

/// Until a server takes the connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest silence.
const SILENCE: Duration = Duration::from_secs(30);
/// For one answer: 64 MB on a slow line.
const WHOLE: Duration = Duration::from_secs(600);
/// Redirects of one request: registries send to their storage by one or two.
const HOPS: usize = 5;
/// What is read of the body of a refusal, in bytes, for its reason.
const REFUSAL_BYTES: u64 = 16 * 1024;
/// What is shown of it.
const REFUSAL_CHARS: usize = 200;

pub struct Web(Client);

/// An answer, read whole.
pub struct Answer {
    pub url: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Web {
    /// For requests to the place of `url`.
    pub fn new(url: &Url) -> Result<Self, FetchError> {
        // Fails only if one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let follow = redirect::Policy::custom(|attempt| {
            if attempt.previous().len() > HOPS {
                return attempt.error(format!("more than {HOPS} redirects"));
            }
            let followed = attempt
                .previous()
                .last()
                .map_or(Ok(()), |previous| may_follow(previous, attempt.url()));
            match followed {
                Ok(()) => attempt.follow(),
                Err(why) => attempt.error(why),
            }
        });
        let mut client = Client::builder()
            .redirect(follow)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .timeout(WHOLE)
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")));
        if is_loopback(url) {
            client = client.no_proxy();
        }
        client.build().map(Self).map_err(|error| unreachable(url, &error))
    }

    /// Gets `url`, whatever it answers. Error: it is out of reach, or has more
    /// than `limit` bytes.
    pub async fn get(
        &self,
        url: &Url,
        headers: &[(&str, &str)],
        limit: u64,
    ) -> Result<Answer, FetchError> {
        let mut request = self.0.get(url.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send().await.map_err(|error| unreachable(url, &error))?;
        let status = response.status();
        let limit = if status.is_success() { limit } else { REFUSAL_BYTES };
        let too_big = || FetchError::TooBig { what: url.to_string(), limit };
        if status.is_success() && response.content_length().is_some_and(|length| length > limit) {
            return Err(too_big());
        }
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| unreachable(url, &error))? {
            body.extend_from_slice(&part);
            if body.len() as u64 > limit {
                match status.is_success() {
                    true => return Err(too_big()),
                    // It has said enough.
                    false => break,
                }
            }
        }
        let headers = response.headers().clone();
        Ok(Answer { url: url.to_string(), status: status.as_u16(), headers, body })
    }
}

impl Answer {
    pub fn success(self) -> Result<Self, FetchError> {
        if (200..=299).contains(&self.status) {
            return Ok(self);
        }
        let mut reason = match self.status {
            300..=399 => ": its redirect leads to where nothing is fetched from".into(),
            404 => ": there is no such thing".into(),
            401 | 403 => ": it does not give this to you".into(),
            429 => ": too many requests".into(),
            500.. => ": it has trouble of its own; try again later".into(),
            _ => String::new(),
        };
        let wait = self.header("retry-after").filter(|wait| wait.parse::<u32>().is_ok());
        if let Some(wait) = wait {
            reason += &format!("; try again in {wait} seconds");
        }
        let said = said(&self.body);
        if !said.is_empty() {
            reason += &format!(" (it says: {said})");
        }
        Err(FetchError::Refused { what: self.url, status: self.status, reason })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The reason in a refusal's body: a registry's own, or a short text.
fn said(body: &[u8]) -> String {
    let json: Option<oci_client::errors::OciEnvelope> = serde_json::from_slice(body).ok();
    let text = match json {
        Some(envelope) => {
            let each = envelope.errors.into_iter().map(|error| error.message);
            each.filter(|message| !message.is_empty()).collect::<Vec<_>>().join("; ")
        }
        None => match std::str::from_utf8(body) {
            // A page for browsers says nothing in a terminal.
            Ok(text) if !text.contains('<') => text.trim().to_owned(),
            Ok(_) | Err(_) => String::new(),
        },
    };
    plain_line(&text, REFUSAL_CHARS)
}

fn unreachable(url: &Url, error: &reqwest::Error) -> FetchError {
    // The chain's last link says what happened; the first ones only where.
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let reason = match error.is_timeout() {
        true => "it took too long".into(),
        false => cause.to_string(),
    };
    FetchError::Unreachable { what: url.to_string(), reason }
}

/// `https`, or `http` on this machine.
pub fn may_fetch(url: &Url) -> Result<(), String> {
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err("must begin with `https://`: `http://` is for this machine alone".into()),
        scheme => Err(format!("is an address of the kind `{scheme}`, and `https` is needed")),
    }
}

/// Encryption, once there, is not given up.
pub fn may_follow(previous: &Url, next: &Url) -> Result<(), String> {
    let why = match (previous.scheme(), next.scheme()) {
        ("https", "https") => return Ok(()),
        ("https", _) => "only https may follow https".to_owned(),
        (_, _) => match may_fetch(next) {
            Ok(()) => return Ok(()),
            Err(why) => format!("that {why}"),
        },
    };
    Err(format!("it is redirected to {next}, which is not followed: {why}"))
}

pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
