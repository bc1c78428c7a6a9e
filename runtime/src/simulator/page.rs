//! The chat page and its stream of updates. The page is four files, built
//! into the binary, and loads nothing from anywhere else.

use super::Shared;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    middleware::Next,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures::{Stream, stream};
use std::{convert::Infallible, net::IpAddr};
use tokio::sync::broadcast::error::RecvError;

const HTML: &str = include_str!("page/index.html");
const SCRIPT: &str = include_str!("page/chat.js");
const WHATSAPP: &str = include_str!("page/whatsapp.js");
const STYLE: &str = include_str!("page/chat.css");
/// The page runs its own script and style, and talks to its own server only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(|| async { asset("text/html; charset=utf-8", HTML) }))
        .route("/chat.js", get(|| async { asset("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/whatsapp.js", get(|| async { asset("text/javascript; charset=utf-8", WHATSAPP) }))
        .route("/chat.css", get(|| async { asset("text/css; charset=utf-8", STYLE) }))
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .route("/sim/events", get(events))
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}

/// `GET /sim/events`: JSON objects with a `type`; `resync` says that some were
/// lost and everything is to be loaded anew.
async fn events(State(sim): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let start = (sim.feed.subscribe(), sim.closing.clone());
    let updates = stream::unfold(start, |(mut feed, mut closing)| async move {
        let update = tokio::select! {
            update = feed.recv() => update,
            _ = closing.wait_for(|stop| *stop) => return None,
        };
        let text = match update {
            Ok(text) => text,
            Err(RecvError::Lagged(_)) => r#"{"type":"resync"}"#.into(),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok(Event::default().data(&*text)), (feed, closing)))
    });
    Sse::new(updates).keep_alive(KeepAlive::default())
}

/// Keeps other web pages out: a page elsewhere must not act as a customer,
/// nor read contacts through a name that it points at this machine.
pub async fn same_site(request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/sim/") && !is_same_site(request.headers()) {
        return (StatusCode::FORBIDDEN, "not for other web pages").into_response();
    }
    next.run(request).await
}

fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or("");
    if let Some(origin) = text("origin")
        && origin.split_once("://").map(|(_, host)| host) != Some(host)
    {
        return false;
    }
    is_local_name(host)
}

/// An address or a name without a dot: not one that a stranger can register.
fn is_local_name(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or(""),
    };
    name.parse::<IpAddr>().is_ok() || !name.contains('.') || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sites_are_kept_out() {
        let check = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            is_same_site(&headers)
        };
        assert!(check(&[("host", "127.0.0.1:9090")]));
        assert!(check(&[("host", "[::1]:9090"), ("origin", "http://[::1]:9090")]));
        assert!(check(&[("host", "localhost:9090"), ("origin", "http://localhost:9090")]));
        assert!(check(&[("host", "simulator:9090")]));
        assert!(!check(&[("host", "localhost:9090"), ("origin", "https://evil.test")]));
        assert!(!check(&[("host", "localhost:9090"), ("origin", "null")]));
        assert!(!check(&[("host", "evil.test:9090")]));
    }
}
