//! Who may use the admin listener.

use super::{Console, Failure};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{net::IpAddr, sync::Arc};

/// With a token: whoever knows it. Without one the listener is on loopback,
/// and only requests addressed to loopback pass: a web page in the owner's
/// browser must not reach the API, neither under a name of its own nor by a
/// form that it sends there.
pub async fn check(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let allowed = match &console.token {
        Some(token) => bearer(request.headers()).is_some_and(|given| same(given, token)),
        None => local(request.headers()) && at_home(request.headers()),
    };
    if allowed {
        return next.run(request).await;
    }
    let reason = match console.token {
        Some(_) => "send the `admin_token` of switchboard.toml as `Authorization: Bearer …`",
        None => "without an `admin_token`, only requests to localhost are answered",
    };
    Failure(StatusCode::UNAUTHORIZED, reason.into()).into_response()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Compares without telling by its time how much was right: as MACs of the
/// two under one key.
fn same(given: &str, token: &str) -> bool {
    let mac = |text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(token.as_bytes()).ok()?;
        mac.update(text.as_bytes());
        Some(mac)
    };
    match (mac(given), mac(token)) {
        (Some(given), Some(token)) => given.verify(&token.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}

fn local(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    is_local(host.unwrap_or_default())
}

/// Browsers say where a page that sends something comes from.
fn at_home(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://"));
    host.is_some_and(is_local)
}

fn is_local(host: &str) -> bool {
    // `[::1]:8081`, `127.0.0.1:8081`, `localhost`.
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        let with = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            local(&headers)
        };
        for host in ["localhost", "localhost:8081", "127.0.0.1:1", "[::1]:8081", "127.9.9.9"] {
            assert!(with(host), "{host}");
        }
        for host in ["evil.example:8081", "192.0.2.1", "localhost.evil.example", ""] {
            assert!(!with(host), "{host}");
        }
    }

    #[test]
    fn pages_from_elsewhere_are_not_answered() {
        let from = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ORIGIN, origin.parse().unwrap());
            at_home(&headers)
        };
        assert!(at_home(&HeaderMap::new()), "no browser");
        assert!(from("http://localhost:8081") && from("http://127.0.0.1:8081"));
        for origin in ["https://evil.example", "http://localhost.evil.example", "null"] {
            assert!(!from(origin), "{origin}");
        }
    }

    #[test]
    fn tokens_are_the_same_only_if_equal() {
        assert!(same("secret", "secret"));
        assert!(!same("secre", "secret"));
        assert!(!same("", "secret"));
    }
}
