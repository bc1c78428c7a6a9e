//! The public listener: takes a provider's webhooks in. Every update is on
//! disk before the answer 200 leaves. Reads nothing of a body before its
//! signature is known to be good, and runs no turns.

mod metrics;

pub use metrics::IngressMetrics;

use crate::{
    clock::Clock,
    model::{Accepted, ChannelId, EventKind, Happening, Millis, Portfolio},
    provider::{Malformed, Provider, Webhook, WebhookRoute},
    store::{Aside, Store, StoreError},
    traffic::Traffic,
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// A channel's provider, looked up anew for each request: generations are
/// swapped whole.
pub type Providers = Arc<dyn Fn(&str) -> Option<Arc<dyn Provider>> + Send + Sync>;
/// The channel of a provider's number id.
pub type Numbers = Arc<dyn Fn(&str) -> Option<ChannelId> + Send + Sync>;

/// The portfolio of a channel.
pub type Portfolios = Arc<dyn Fn(&ChannelId) -> Portfolio + Send + Sync>;

/// How long a body may take to come in. Meta's come at once; whoever is slower
/// holds a connection for nothing.
const BODY_MS: Millis = 20_000;
/// When a provider may try again after a failure of ours, in seconds.
const RETRY_AFTER_SECONDS: &str = "5";
/// A failing store is said so often at most: each webhook meets it.
const LOG_EVERY_MS: Millis = 60_000;

/// What the listener needs of the rest of the host.
pub struct Ingress {
    pub providers: Providers,
    pub numbers: Numbers,
    portfolios: Portfolios,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// The largest body in bytes.
    pub body_bytes: usize,
    /// Told after something new was accepted.
    pub on_accept: Arc<Notify>,
    /// Told so too: what was accepted may bear a file.
    pub on_media: Arc<Notify>,
    pub metrics: IngressMetrics,
    /// What came in of late, for the sender.
    pub traffic: Arc<Traffic>,
    said: AtomicU64,
}

impl Ingress {
    pub fn new(
        providers: Providers,
        numbers: Numbers,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        body_bytes: usize,
        on_accept: Arc<Notify>,
    ) -> Self {
        let (metrics, said) = (IngressMetrics::default(), AtomicU64::new(0));
        let portfolios = Arc::new(|_: &ChannelId| Portfolio::default());
        let traffic = Arc::default();
        Self {
            providers,
            numbers,
            portfolios,
            store,
            clock,
            body_bytes,
            on_accept,
            on_media: Arc::default(),
            metrics,
            traffic,
            said,
        }
    }

    /// With channels of more than the default portfolio.
    pub fn with_portfolios(self, portfolios: Portfolios) -> Self {
        Self { portfolios, ..self }
    }

    /// Puts an authentic body into the store. An error means that the provider
    /// must send it again.
    async fn take(
        &self,
        channel: &ChannelId,
        provider: &dyn Provider,
        webhook: Webhook<'_>,
    ) -> Result<(), StoreError> {
        let parse = || {
            let mut batch = provider.parse(webhook, channel, &*self.numbers)?;
            for happening in &mut batch {
                if let Some(sender) = &mut happening.sender {
                    sender.portfolio = (self.portfolios)(&happening.channel);
                }
            }
            Ok::<_, Malformed>(batch)
        };
        let batch = match parse() {
            Ok(batch) => batch,
            Err(malformed) => {
                self.metrics.malformed.inc();
                tracing::warn!(channel.id = %channel, "a webhook could not be read and was put aside");
                return self.set_aside(channel, malformed.0, webhook.body.to_vec()).await;
            }
        };
        if batch.is_empty() {
            return Ok(());
        }
        match self.accept(batch).await {
            Err(StoreError::TooLarge { .. }) => {
                self.accept_singly(parse().unwrap_or_default()).await
            }
            result => result,
        }
    }

    async fn accept(&self, mut batch: Vec<Happening>) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.traffic.note(&batch, now);
        let kinds: Vec<_> = batch.iter().map(|happening| happening.kind.name()).collect();
        batch.iter_mut().for_each(|happening| set_time(happening, now));
        let accepted = self.store.accept(batch, now).await?;
        let mut new = false;
        for (kind, accepted) in kinds.into_iter().zip(accepted) {
            match accepted {
                Accepted::New(_) => {
                    new = true;
                    self.metrics.received(kind);
                }
                Accepted::Duplicate => {
                    self.metrics.duplicate.inc();
                }
            }
        }
        if new {
            self.on_accept.notify_one();
            self.on_media.notify_one();
        }
        Ok(())
    }

    /// One update of a batch is too large for the store. Sent again it would
    /// be no smaller, so it is put aside and the others go on.
    async fn accept_singly(&self, batch: Vec<Happening>) -> Result<(), StoreError> {
        for happening in batch {
            match self.accept(vec![happening.clone()]).await {
                Err(error @ StoreError::TooLarge { .. }) => {
                    self.metrics.malformed.inc();
                    let (channel, raw) = (happening.channel, happening.raw.into_bytes());
                    tracing::warn!(channel.id = %channel, "an update was too large and was put aside");
                    self.set_aside(&channel, error.to_string(), raw).await?;
                }
                result => result?,
            }
        }
        Ok(())
    }

    async fn set_aside(
        &self,
        channel: &ChannelId,
        reason: String,
        body: Vec<u8>,
    ) -> Result<(), StoreError> {
        let (channel, at) = (channel.clone(), self.clock.now());
        self.store.set_aside(Aside { channel, reason, body, at }).await
    }

    fn say_failure(&self, error: &StoreError) {
        let now = self.clock.now();
        let last = self.said.load(Ordering::Relaxed);
        let due = last == 0 || now >= last.saturating_add(LOG_EVERY_MS);
        let take = || self.said.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        if due && take().is_ok() {
            tracing::error!(error = %error, "webhooks are turned away until the store takes writes");
        }
    }
}

/// A provider whose webhooks bear no time leaves 0: then it is the moment of
/// acceptance.
fn set_time(happening: &mut Happening, now: Millis) {
    let at = match &mut happening.kind {
        EventKind::Message(message) => &mut message.sent_at,
        EventKind::Receipt(receipt) => &mut receipt.at,
        EventKind::TimerFired { .. }
        | EventKind::Broadcast { .. }
        | EventKind::Operator(_)
        | EventKind::Account { .. } => return,
    };
    if *at == 0 {
        *at = now;
    }
}

/// `GET` and `POST /webhooks/{channel}` and `/webhooks/{channel}/status`.
pub fn router(ingress: Arc<Ingress>) -> Router {
    let limit = DefaultBodyLimit::max(ingress.body_bytes);
    Router::new()
        .route("/webhooks/{channel}", get(test_address).post(receive))
        .route("/webhooks/{channel}/status", get(receive_status).post(receive_status))
        .layer(limit)
        .with_state(ingress)
}

/// The provider tries the address out. Such a request bears no signature; one
/// that does is a webhook, which Twilio sends by GET if told to.
async fn test_address(
    State(ingress): State<Arc<Ingress>>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let Some(provider) = (ingress.providers)(&channel) else {
        return unknown_channel();
    };
    let query = query.unwrap_or_default();
    match provider.challenge(&query) {
        Ok(challenge) => challenge.into_response(),
        Err(_) if is_signed(&*provider, &request, &query) => {
            take(&ingress, &channel, WebhookRoute::Main, request).await
        }
        Err(denied) => {
            ingress.metrics.denied.inc();
            tracing::debug!(channel.id = %channel, reason = %denied, "a test of the address was denied");
            (StatusCode::FORBIDDEN, "denied").into_response()
        }
    }
}

/// Whether the address itself is signed, without a body.
fn is_signed(provider: &dyn Provider, request: &Request, query: &str) -> bool {
    let (headers, path) = (text_headers(request.headers()), request.uri().path());
    let route = WebhookRoute::Main;
    provider.verify(Webhook { route, headers: &headers, path, query, body: &[] }).is_ok()
}

async fn receive(
    State(ingress): State<Arc<Ingress>>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    take(&ingress, &channel, WebhookRoute::Main, request).await
}

async fn receive_status(
    State(ingress): State<Arc<Ingress>>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    take(&ingress, &channel, WebhookRoute::Status, request).await
}

async fn take(ingress: &Ingress, channel: &str, route: WebhookRoute, request: Request) -> Response {
    let Some(provider) = (ingress.providers)(channel) else {
        return unknown_channel();
    };
    let path = request.uri().path().to_owned();
    let headers = text_headers(request.headers());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = match read_body(ingress, request).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let webhook = Webhook { route, headers: &headers, path: &path, query: &query, body: &body };
    if let Err(denied) = provider.verify(webhook) {
        ingress.metrics.denied.inc();
        tracing::debug!(channel.id = %channel, reason = %denied, "a webhook was denied");
        return (StatusCode::UNAUTHORIZED, "denied").into_response();
    }
    match ingress.take(&ChannelId::new(channel), &*provider, webhook).await {
        Ok(()) => {
            let taken = provider.taken();
            ([(header::CONTENT_TYPE, taken.content_type)], taken.body).into_response()
        }
        Err(error) => {
            ingress.metrics.failed.inc();
            ingress.say_failure(&error);
            let again = [(header::RETRY_AFTER, RETRY_AFTER_SECONDS)];
            (StatusCode::SERVICE_UNAVAILABLE, again, "try again").into_response()
        }
    }
}

async fn read_body(ingress: &Ingress, request: Request) -> Result<Bytes, Response> {
    let late = ingress.clock.now().saturating_add(BODY_MS);
    let read = tokio::select! {
        read = Bytes::from_request(request, &()) => read,
        () = ingress.clock.sleep_until(late) => {
            return Err((StatusCode::REQUEST_TIMEOUT, "the body took too long").into_response());
        }
    };
    read.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ingress.metrics.too_large.inc();
            let text = format!("the body has more than {} bytes", ingress.body_bytes);
            (StatusCode::PAYLOAD_TOO_LARGE, text).into_response()
        }
        _ => (StatusCode::BAD_REQUEST, "the body could not be read").into_response(),
    })
}

fn text_headers(headers: &HeaderMap) -> HashMap<String, String> {
    let text = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

fn unknown_channel() -> Response {
    (StatusCode::NOT_FOUND, "there is no such channel").into_response()
}
