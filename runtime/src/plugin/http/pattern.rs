//! Which host a grant names: `api.example.com`, `*.example.com:8443`,
//! `http://10.0.0.5:3000`. Pure; the one reading of it, for the owner's grants
//! and for what a plugin asks for.

use reqwest::{Url, header::HeaderValue};
use std::{fmt, net::IpAddr};

/// The longest pattern in bytes: a host name has 253.
const PATTERN_BYTES: usize = 300;
/// What a pattern looks like, for those who wrote another thing.
const FORM: &str = "write a host such as `api.example.com`, `*.example.com`, \
                    `api.example.com:8443` or `http://10.0.0.5:3000`";

/// A host, or all hosts below a domain, at one port over one scheme.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostPattern {
    encrypted: bool,
    host: Host,
    port: u16,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Host {
    Name(String),
    /// Whatever has one or more labels before this domain.
    Below(String),
    Address(IpAddr),
}

impl HostPattern {
    /// Error: what is wrong with the text and what is allowed, in words that
    /// follow the text. The text is not repeated: it may not be for showing.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > PATTERN_BYTES {
            return Err(format!("has {} bytes, and {PATTERN_BYTES} are allowed", text.len()));
        }
        if text.contains(|c: char| c.is_whitespace() || c.is_control()) || text.is_empty() {
            return Err(format!("is not a host: {FORM}"));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("may begin with `https://` or `http://` and nothing else".into()),
        };
        if rest.contains('@') {
            return Err("must not hold a user or a password: those go into `credentials`".into());
        }
        if rest.contains(['/', '\\', '?', '#']) {
            return Err("must be a host without a path: a grant is for all of a host".into());
        }
        let (below, rest) = match rest.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, rest),
        };
        if rest.contains('*') {
            return Err(format!("may have `*.` only, and only at the beginning: {FORM}"));
        }
        let scheme = if encrypted { "https" } else { "http" };
        let url = Url::parse(&format!("{scheme}://{rest}/"))
            .map_err(|error| format!("is not a host ({error}): {FORM}"))?;
        let port = url.port_or_known_default().filter(|port| *port != 0);
        let port = port.ok_or_else(|| format!("has no port from 1 to 65535: {FORM}"))?;
        Ok(Self { encrypted, host: host(&url, rest, below)?, port })
    }

    /// Whether a request to `url` is one to this host.
    pub fn matches(&self, url: &Url) -> bool {
        let there = (url.scheme() == self.scheme(), url.port_or_known_default());
        there == (true, Some(self.port)) && url_host(url).is_some_and(|it| self.host.holds(&it))
    }

    /// Whether all that `other` names is named by this one too.
    pub fn covers(&self, other: &Self) -> bool {
        (self.encrypted, self.port) == (other.encrypted, other.port) && self.host.holds(&other.host)
    }

    /// The larger, the more exactly it says which host: one of several that
    /// match goes before the others by this.
    pub fn precision(&self) -> (bool, usize) {
        match &self.host {
            Host::Name(_) | Host::Address(_) => (true, 0),
            Host::Below(domain) => (false, domain.len()),
        }
    }

    /// The pattern that names the host of `url` alone: what a grant would say.
    pub fn of_url(url: &Url) -> Option<Self> {
        let port = url.port_or_known_default()?;
        Some(Self { encrypted: url.scheme() == "https", host: url_host(url)?, port })
    }

    fn scheme(&self) -> &'static str {
        if self.encrypted { "https" } else { "http" }
    }
}

impl Host {
    fn holds(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Below(domain), Self::Name(name)) => is_below(domain, name),
            (Self::Below(domain), Self::Below(other)) => domain == other || is_below(domain, other),
            _ => self == other,
        }
    }
}

fn is_below(domain: &str, name: &str) -> bool {
    let labels = name.strip_suffix(domain).and_then(|front| front.strip_suffix('.'));
    labels.is_some_and(|labels| labels.split('.').all(|label| !label.is_empty()))
}

/// As the URL reader understands it: small letters, IDNA, addresses in their
/// one form whatever way they were written.
fn url_host(url: &Url) -> Option<Host> {
    let text = url.host_str()?;
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    Some(match bare.parse::<IpAddr>() {
        Ok(address) => Host::Address(address),
        Err(_) => Host::Name(text.to_owned()),
    })
}

fn host(url: &Url, written: &str, below: bool) -> Result<Host, String> {
    match (url_host(url).ok_or_else(|| format!("is not a host: {FORM}"))?, below) {
        (Host::Address(_), true) => Err("must not have `*.` before an address".into()),
        (Host::Address(address), false) => {
            let bare = written.rsplit_once(']').map_or(written, |(front, _)| front);
            let bare = bare
                .strip_prefix('[')
                .unwrap_or_else(|| bare.rsplit_once(':').map_or(bare, |(front, _)| front));
            // 2130706433 and 0177.1 are 127.0.0.1, and should say so.
            match bare.parse::<IpAddr>() {
                Ok(_) => Ok(Host::Address(address)),
                Err(_) => Err(format!("is the address {address}: write it like this")),
            }
        }
        (Host::Name(name) | Host::Below(name), below) => {
            if name.split('.').any(str::is_empty) || HeaderValue::from_str(&name).is_err() {
                return Err(format!("is not a host name: {FORM}"));
            }
            match below {
                true if !name.contains('.') => Err("is too wide: after `*.` a domain of two or \
                                                    more parts is needed, such as `*.example.com`"
                    .into()),
                true => Ok(Host::Below(name)),
                false => Ok(Host::Name(name)),
            }
        }
    }
}

/// As a grant is written.
impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.encrypted {
            f.write_str("http://")?;
        }
        match &self.host {
            Host::Name(name) => f.write_str(name)?,
            Host::Below(domain) => write!(f, "*.{domain}")?,
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        let usual = if self.encrypted { 443 } else { 80 };
        if self.port == usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests;
