//! The public listener over HTTP, with a store that can fail.

#[path = "fakes/store.rs"]
mod store;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use std::sync::Arc;
use store::FakeStore;
use switchboard::{
    clock::SimulatedClock,
    config::{ChannelConfig, ProviderKind},
    ingress::{Ingress, router},
    model::*,
    provider::{Provider, meta::Meta, twilio::Twilio},
    store::StoreError,
};
use switchboard_tests::{
    meta,
    shop::{SECRET, VERIFY, channel},
    twilio,
};
use tokio::sync::Notify;
use tower::ServiceExt;

const LIMIT: usize = 3 * 1024 * 1024;

struct Host {
    store: Arc<FakeStore>,
    clock: Arc<SimulatedClock>,
    ingress: Arc<Ingress>,
    woken: Arc<Notify>,
    router: Router,
}

fn host() -> Host {
    host_of(Arc::new(Meta::new(&channel("https://graph.example"))))
}

fn host_of(provider: Arc<dyn Provider>) -> Host {
    let store = Arc::new(FakeStore::default());
    let clock = Arc::new(SimulatedClock::new(1_790_000_000_000, 1));
    let woken = Arc::new(Notify::new());
    let ingress = Arc::new(Ingress::new(
        Arc::new(move |channel| (channel == "main").then(|| provider.clone())),
        Arc::new(|number| (number == "1060").then(|| ChannelId::new("main"))),
        store.clone(),
        clock.clone(),
        LIMIT,
        woken.clone(),
    ));
    Host { store, clock, woken, router: router(ingress.clone()), ingress }
}

fn sign(body: &[u8]) -> String {
    meta::sign(SECRET, body)
}

impl Host {
    async fn ask(&self, request: Request<Body>) -> (StatusCode, Option<String>, String) {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let text = String::from_utf8(to_bytes(body, LIMIT).await.unwrap().to_vec()).unwrap();
        let again = parts.headers.get("retry-after").map(|value| value.to_str().unwrap().into());
        (parts.status, again, text)
    }
    async fn post_to(&self, channel: &str, body: &[u8], signature: Option<&str>) -> StatusCode {
        let mut request = Request::post(format!("/webhooks/{channel}"));
        if let Some(signature) = signature {
            request = request.header("X-Hub-Signature-256", signature);
        }
        self.ask(request.body(Body::from(body.to_vec())).unwrap()).await.0
    }
    async fn post(&self, body: &[u8]) -> StatusCode {
        self.post_to("main", body, Some(&sign(body))).await
    }
    async fn was_woken(&self) -> bool {
        use futures::FutureExt;
        self.woken.notified().now_or_never().is_some()
    }
}

fn messages(ids: impl Iterator<Item = usize>) -> Vec<u8> {
    let message = |id| {
        json!({"id": format!("wamid.{id}"), "from": "15551", "timestamp": "1790000000",
               "type": "text", "text": {"body": "hello, é"}})
    };
    let list: Vec<Value> = ids.map(message).collect();
    let value = json!({"metadata": {"phone_number_id": "1060"}, "messages": list});
    let change = json!({"field": "messages", "value": value});
    json!({"entry": [{"id": "1", "changes": [change]}]}).to_string().into_bytes()
}

#[tokio::test]
async fn the_address_test_needs_the_token_and_no_signature() {
    let host = host();
    let ask = |query: &str| {
        let uri = format!("/webhooks/{query}");
        host.ask(Request::get(uri).body(Body::empty()).unwrap())
    };
    let query = &format!("main?hub.mode=subscribe&hub.challenge=42%2F7&hub.verify_token={VERIFY}");
    assert_eq!(ask(query).await, (StatusCode::OK, None, "42/7".into()));
    let wrong = query.replace(VERIFY, "other");
    assert_eq!(ask(&wrong).await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask("main").await.0, StatusCode::FORBIDDEN);
    assert_eq!(ask(&query.replace("main", "nobody")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_signed_webhook_is_stored_before_the_answer() {
    let host = host();
    assert_eq!(host.post(&messages(1..3)).await, StatusCode::OK);
    assert_eq!(host.store.kept().accepted.len(), 2);
    assert!(host.was_woken().await);
    // The same again: Meta repeats itself.
    assert_eq!(host.post(&messages(1..4)).await, StatusCode::OK);
    assert_eq!(host.store.kept().accepted.len(), 3);
    let metrics = &host.ingress.metrics;
    assert_eq!((metrics.received_of("message"), metrics.duplicate.get()), (3, 2));
}

#[tokio::test]
async fn nothing_new_wakes_nobody() {
    let host = host();
    host.post(&messages(1..2)).await;
    assert!(host.was_woken().await);
    host.post(&messages(1..2)).await;
    assert!(!host.was_woken().await);
    assert_eq!(host.post(br#"{"entry":[]}"#).await, StatusCode::OK);
    assert_eq!(host.store.kept().batches, 2);
}

#[tokio::test]
async fn a_batch_of_more_than_a_thousand_goes_in_at_once() {
    let host = host();
    assert_eq!(host.post(&messages(0..1500)).await, StatusCode::OK);
    let kept = host.store.kept();
    assert_eq!((kept.accepted.len(), kept.batches), (1500, 1));
}

#[tokio::test]
async fn what_is_not_signed_leaves_no_trace() {
    let host = host();
    let body = messages(1..2);
    let mut bent = body.clone();
    bent[10] ^= 1;
    assert_eq!(host.post_to("main", &body, None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(host.post_to("main", &bent, Some(&sign(&body))).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        host.post_to("main", b"not json", Some("sha256=00")).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(host.post_to("nobody", &body, Some(&sign(&body))).await, StatusCode::NOT_FOUND);
    let kept = host.store.kept();
    assert!(kept.accepted.is_empty() && kept.asides.is_empty());
    assert_eq!(host.ingress.metrics.denied.get(), 3);
}

#[tokio::test]
async fn a_signed_body_that_can_not_be_read_is_put_aside() {
    let host = host();
    assert_eq!(host.post(b"{\"entry\":").await, StatusCode::OK);
    let kept = host.store.kept();
    assert_eq!(kept.asides[0].body, b"{\"entry\":");
    assert!(kept.asides[0].reason.contains("JSON"));
    assert_eq!(host.ingress.metrics.malformed.get(), 1);
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_over_it_is_not() {
    let host = host();
    let mut body = br#"{"entry":[]}"#.to_vec();
    body.resize(LIMIT, b' ');
    assert_eq!(host.post(&body).await, StatusCode::OK);
    body.push(b' ');
    let request = Request::post("/webhooks/main").body(Body::from(body)).unwrap();
    let (status, _, text) = host.ask(request).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(text, format!("the body has more than {LIMIT} bytes"));
}

#[tokio::test]
async fn a_failing_store_makes_meta_try_again() {
    let host = host();
    let full = StoreError::Full { path: "data".into(), free_mb: 1, needed_mb: 128 };
    for failure in [full, StoreError::Failed("disk".into())] {
        host.store.kept().failure = Some(failure);
        let body = messages(1..2);
        for body in [&body[..], b"not json"] {
            let signature = sign(body);
            let request = Request::post("/webhooks/main").header("x-hub-signature-256", signature);
            let answer = host.ask(request.body(Body::from(body.to_vec())).unwrap()).await;
            let again = (StatusCode::SERVICE_UNAVAILABLE, Some("5".into()), "try again".into());
            assert_eq!(answer, again);
        }
    }
    assert!(!host.was_woken().await);
    host.store.kept().failure = None;
    assert_eq!(host.post(&messages(1..2)).await, StatusCode::OK);
    assert_eq!(host.store.kept().accepted.len(), 1);
}

#[tokio::test]
async fn one_update_too_large_for_the_store_does_not_hold_up_the_others() {
    let host = host();
    host.store.kept().raw_limit = Some(200);
    let text = String::from_utf8(messages(1..4)).unwrap();
    let long = text.replacen("hello", &"long ".repeat(100), 1);
    assert_eq!(host.post(long.as_bytes()).await, StatusCode::OK);
    let kept = host.store.kept();
    assert_eq!((kept.accepted.len(), kept.asides.len()), (2, 1));
    assert!(kept.asides[0].reason.contains("200 are allowed"), "{}", kept.asides[0].reason);
}

#[tokio::test]
async fn a_body_that_never_ends_is_not_awaited() {
    let host = host();
    let endless = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let request = Request::post("/webhooks/main").body(Body::from_stream(endless)).unwrap();
    let (answer, ()) = tokio::join!(host.ask(request), async {
        tokio::task::yield_now().await;
        host.clock.advance(20_000);
    });
    assert_eq!(answer.0, StatusCode::REQUEST_TIMEOUT);
}

/// A channel of Twilio's, and a post to one of its addresses.
fn twilio_host() -> Host {
    host_of(Arc::new(Twilio::new(&ChannelConfig {
        public_url: Some(twilio::PUBLIC_URL.into()),
        auth_token: vec![twilio::TOKEN.into()],
        number: Some(twilio::NUMBER.into()),
        ..ChannelConfig::new("main", ProviderKind::Twilio)
    })))
}

fn twilio_post(path: &str, fields: &twilio::Fields) -> Request<Body> {
    let signature = twilio::sign(twilio::TOKEN, &format!("{}{path}", twilio::PUBLIC_URL), fields);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post(path).header("x-twilio-signature", signature);
    let form = "application/x-www-form-urlencoded";
    request.header("content-type", form).body(Body::from(body)).unwrap()
}

#[tokio::test]
async fn what_bears_no_time_bears_that_of_its_acceptance() {
    let host = twilio_host();
    let message = twilio::text_from("15551234567", "SM1", "hello", &[]);
    let (status, _, text) = host.ask(twilio_post("/webhooks/main", &message)).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "<Response/>"));
    host.clock.advance(500);
    let pairs = [("MessageSid", "SM2"), ("MessageStatus", "sent"), ("To", "whatsapp:+15551234567")];
    let state = twilio_post("/webhooks/main/status?send=c1-1-0", &twilio::fields(&pairs));
    assert_eq!(host.ask(state).await.0, StatusCode::OK);
    let kept = host.store.kept();
    let EventKind::Message(message) = &kept.accepted[0].kind else { panic!() };
    let EventKind::Receipt(receipt) = &kept.accepted[1].kind else { panic!() };
    assert_eq!((message.sent_at, receipt.at), (1_790_000_000_000, 1_790_000_000_500));
    assert_eq!(receipt.send, Some("c1-1-0".parse().unwrap()));
    // What bears one keeps it.
    drop(kept);
    let meta = self::host();
    meta.clock.advance(60_000);
    meta.post(&messages(1..2)).await;
    let kept = meta.store.kept();
    let EventKind::Message(message) = &kept.accepted[0].kind else { panic!() };
    assert_eq!(message.sent_at, 1_790_000_000_000);
}

#[tokio::test]
async fn a_failing_store_makes_twilio_try_again_and_a_bare_body_is_put_aside() {
    let host = twilio_host();
    host.store.kept().failure = Some(StoreError::Failed("disk".into()));
    let message = twilio::text_from("15551234567", "SM1", "hello", &[]);
    let again = (StatusCode::SERVICE_UNAVAILABLE, Some("5".into()), "try again".into());
    assert_eq!(host.ask(twilio_post("/webhooks/main", &message)).await, again);
    host.store.kept().failure = None;
    assert_eq!(host.ask(twilio_post("/webhooks/main", &message)).await.0, StatusCode::OK);
    assert_eq!(host.ask(twilio_post("/webhooks/main", &vec![])).await.0, StatusCode::OK);
    let kept = host.store.kept();
    assert_eq!((kept.accepted.len(), kept.asides.len()), (1, 1));
    assert_eq!(kept.asides[0].reason, "the webhook has no fields");
}
