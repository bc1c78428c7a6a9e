//! The sender between a store in memory and a stand-in for the Graph API.

use super::store::FakeStore;
use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use switchboard::{
    clock::{Clock, SimulatedClock},
    config::ChannelConfig,
    model::*,
    outbox::{self, Family, Outbox, Route},
    policy::Rules,
    provider::{Provider, meta::Meta},
};
use switchboard_tests::shop;
use tokio::{
    net::TcpListener,
    sync::{Notify, watch},
    task::JoinHandle,
};

pub const START: Millis = 1_790_000_000_000;
pub const GRACE: Millis = 30_000;

/// What the stand-in does with a request.
#[derive(Clone, Copy)]
pub enum Do {
    Take,
    Refuse(u16, u32),
    /// Takes the message and never answers.
    Hang,
    /// Takes the message and answers with nonsense.
    Mumble,
}

#[derive(Default)]
pub struct Graph {
    /// One for each request to come; then all are taken.
    pub script: Mutex<VecDeque<Do>>,
    /// When each request came, by the simulated clock, with its body.
    pub requests: Mutex<Vec<(Millis, Value)>>,
    /// The ids of those that were taken.
    pub taken: Mutex<Vec<String>>,
}

impl Graph {
    pub fn then(&self, what: &[Do]) {
        self.script.lock().unwrap().extend(what);
    }
    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
    pub fn ids(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let id =
            |(_, body): &(Millis, Value)| body["biz_opaque_callback_data"].as_str().unwrap().into();
        requests.iter().map(id).collect()
    }
    pub fn times(&self) -> Vec<Millis> {
        self.requests.lock().unwrap().iter().map(|(at, _)| at - START).collect()
    }
}

type Shared = (Arc<Graph>, Arc<SimulatedClock>);

async fn answer(
    State((graph, clock)): State<Shared>,
    Json(body): Json<Value>,
) -> axum::response::Response {
    let id = body["biz_opaque_callback_data"].as_str().unwrap_or_default().to_owned();
    let count = {
        let mut requests = graph.requests.lock().unwrap();
        requests.push((clock.now(), body));
        requests.len()
    };
    let next = graph.script.lock().unwrap().pop_front().unwrap_or(Do::Take);
    if !matches!(next, Do::Refuse(..)) {
        graph.taken.lock().unwrap().push(id);
    }
    match next {
        Do::Take => Json(json!({"messages": [{"id": format!("wamid.{count}")}]})).into_response(),
        Do::Mumble => "<html>".into_response(),
        Do::Hang => std::future::pending().await,
        Do::Refuse(status, code) => {
            let error = json!({"error": {"code": code, "message": "(#n) no"}});
            (StatusCode::from_u16(status).unwrap(), Json(error)).into_response()
        }
    }
}

pub struct Host {
    pub graph: Arc<Graph>,
    pub store: Arc<FakeStore>,
    pub clock: Arc<SimulatedClock>,
    pub outbox: Arc<Outbox>,
    pub wake: Arc<Notify>,
    pub stop: watch::Sender<bool>,
    pub run: JoinHandle<()>,
    pub server: Option<JoinHandle<()>>,
    pub address: std::net::SocketAddr,
    route: Route,
}

pub fn channel() -> ChannelId {
    ChannelId::new("main")
}

pub fn second() -> ChannelId {
    ChannelId::new("second")
}

pub async fn serve(listener: TcpListener, shared: Shared) {
    let app = Router::new().route("/1060/messages", post(answer)).with_state(shared);
    axum::serve(listener, app).await.unwrap();
}

pub fn rules() -> Rules {
    Rules { window_margin_ms: 300_000, handoff_ms: 12 * 3_600_000, ..Default::default() }
}

pub async fn host(messages_per_second: u32) -> Host {
    host_with(messages_per_second, rules()).await
}

pub async fn host_with(messages_per_second: u32, rules: Rules) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let graph = Arc::new(Graph::default());
    let clock = Arc::new(SimulatedClock::new(START, 7));
    let server = Some(tokio::spawn(serve(listener, (graph.clone(), clock.clone()))));
    let provider: Arc<dyn Provider> = Arc::new(Meta::new(&ChannelConfig {
        messages_per_second,
        grace_seconds: GRACE / 1000,
        ..shop::channel(&format!("http://{address}"))
    }));
    let route = Route { provider, messages_per_second, grace_ms: GRACE, rules };
    let (store, wake) = (Arc::new(FakeStore::default()), Arc::new(Notify::new()));
    let (outbox, stop, run) = begin(&store, &clock, &route, &wake);
    Host { graph, store, clock, outbox, wake, stop, run, server, address, route }
}

type Begun = (Arc<Outbox>, watch::Sender<bool>, JoinHandle<()>);

fn begin(
    store: &Arc<FakeStore>,
    clock: &Arc<SimulatedClock>,
    route: &Route,
    wake: &Arc<Notify>,
) -> Begun {
    // A time-out that a test can wait for.
    let _ = outbox::client().unwrap();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_millis(1500)).build();
    let route = route.clone();
    let (ours, family) = ([channel(), second()], vec![channel(), second()]);
    let outbox = Outbox::new(
        store.clone(),
        clock.clone(),
        Arc::new(move |name: &ChannelId| ours.contains(name).then(|| route.clone())),
        wake.clone(),
        client.unwrap(),
    );
    // One portfolio has both, and one account.
    let families = Arc::new(move |_: &ChannelId| Family {
        portfolio: Portfolio::new("shop"),
        channels: family.clone(),
    });
    let outbox = outbox.with_families(families);
    let outbox = Arc::new(outbox.with_accounts(Arc::new(|_| vec![channel(), second()])));
    let (stop, stopped) = watch::channel(false);
    let run = tokio::spawn(outbox.clone().run(stopped));
    (outbox, stop, run)
}

pub fn sale() -> Outgoing {
    Outgoing::Template(Template::new("sale", "en", Category::Marketing, vec![]))
}

impl Host {
    pub fn put(&self, contact: u64, index: u32, message: Outgoing) -> SendId {
        self.put_on(channel(), contact, index, message)
    }
    pub fn put_on(
        &self,
        channel: ChannelId,
        contact: u64,
        index: u32,
        message: Outgoing,
    ) -> SendId {
        let now = self.clock.now();
        let id = SendId { turn: TurnId { lane: Lane::Contact(ContactId(contact)), seq: 1 }, index };
        if !self.store.kept().contacts.contains_key(&ContactId(contact)) {
            self.store.know(ContactId(contact), &channel, now);
        }
        self.store.put(OutboxItem::new(
            id.clone(),
            (
                channel,
                ContactId(contact),
                Address { phone: Some(format!("1555000{contact}")), bsuid: None },
            ),
            message,
            "faq",
            now,
        ));
        id
    }
    pub fn text(&self, contact: u64, index: u32) -> SendId {
        self.put(contact, index, Outgoing::Text(format!("text {index}")))
    }
    pub fn state(&self, id: &SendId) -> SendState {
        self.store.item(id).state
    }
    pub fn sent(&self, id: &SendId) -> bool {
        self.state(id) == SendState::Sent
    }
    /// Waits for what happens without time going on.
    pub async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        self.wake.notify_one();
        for _ in 0..2000 {
            if done(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never: {what}");
    }
    /// Lets time go on in steps until it happens; returns how long that took.
    pub async fn pass_until(
        &self,
        what: &str,
        step: Millis,
        done: impl Fn(&Self) -> bool,
    ) -> Millis {
        let from = self.clock.now();
        for _ in 0..3000 {
            if done(self) {
                return self.clock.now() - from;
            }
            self.clock.advance(step);
            self.settle().await;
        }
        panic!("never: {what}");
    }
    /// Lets the sender do what it can do now, to the end of its requests: time
    /// must not go on while one is between here and there.
    pub async fn settle(&self) {
        self.wake.notify_one();
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if self.outbox.metrics.in_flight.get() == 0 {
                return;
            }
        }
    }
    /// Ends the sender, in good order or not, and begins another one.
    pub async fn restart(&mut self, in_order: bool) {
        match in_order {
            true => drop(self.stop.send(true)),
            false => self.run.abort(),
        }
        let _ = (&mut self.run).await;
        (self.outbox, self.stop, self.run) =
            begin(&self.store, &self.clock, &self.route, &self.wake);
    }
    pub async fn finish(self) {
        self.stop.send(true).unwrap();
        self.run.await.unwrap();
    }
}
