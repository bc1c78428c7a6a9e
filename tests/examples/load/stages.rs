//! What each stage of a message costs, measured alone: CPU time of all
//! threads of this process while it runs a number of messages through it.

use super::wire::webhook;
use futures::stream::{StreamExt, iter};
use std::{collections::HashMap, hint::black_box, path::Path, sync::Arc};
use switchboard::{
    clock::{Clock, SystemClock},
    config::Env,
    dispatch::policy_rules,
    generation::{self, Generation},
    model::*,
    plugin::Plugins,
    provider::{Body, Provider, Webhook, WebhookRoute},
    store::{self, SledOptions, Store},
    turn::{self, Setting, Stage},
};
use switchboard_tests::{
    meta::sign,
    shop::{SECRET, Shop},
};

/// Messages per stage.
const MESSAGES: usize = 5_000;
/// Operations on their way to the store at once, as under load.
const AT_ONCE: usize = 64;

pub async fn print(shop: &Shop) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let plugins = Plugins::new(None, Arc::clone(&clock)).expect("an engine");
    let built =
        generation::build(&shop.folder, &Env::default(), &plugins, generation::Occasion::Start, 1)
            .await;
    let live = built.unwrap_or_else(|problems| panic!("{problems:?}"));
    let channel = live.channels.values().next().expect("a channel");
    let provider = Arc::clone(&channel.provider);
    let body = webhook(0, "15550000001").into_bytes();

    row("signature", verify(&*provider, &body));
    row("parse", parse(&*provider, &live, &channel.id, &body));
    let folder = tempfile::tempdir().unwrap();
    let options = SledOptions { cache_mb: 64, reserve_mb: 16 };
    let store = store::open_sled(&folder.path().join("store"), &options).expect("a store");
    let (cost, lanes) = accept(&store, &*provider, &live, &channel.id).await;
    row("accept (sled)", cost);
    let (cost, commits) = chain(&store, &live, &clock, lanes).await;
    row("chain (three components)", cost);
    row("commit (sled)", commit(&store, commits, &*clock).await);
    let (render, record) = send(&store, &*provider, &*clock).await;
    row("render and classify", render);
    row("attempt and record (sled)", record);
}

fn row(stage: &str, micros: f64) {
    println!("  {stage:<28} {micros:>8.1}");
}

/// CPU nanoseconds of all threads of this process.
fn cpu_ns() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |path: &Path| -> Option<u64> {
        let text = std::fs::read_to_string(path.join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok()
    };
    tasks.filter_map(|task| of(&task.ok()?.path())).sum()
}

fn per_message(since: u64) -> f64 {
    cpu_ns().saturating_sub(since) as f64 / 1e3 / MESSAGES as f64
}

fn verify(provider: &dyn Provider, body: &[u8]) -> f64 {
    let header = sign(SECRET, body);
    let headers = HashMap::from([("x-hub-signature-256".to_owned(), header)]);
    let since = cpu_ns();
    for _ in 0..MESSAGES {
        provider.verify(of(&headers, black_box(body))).expect("a good signature");
    }
    per_message(since)
}

fn of<'a>(headers: &'a HashMap<String, String>, body: &'a [u8]) -> Webhook<'a> {
    Webhook { route: WebhookRoute::Main, headers, path: "/webhooks/main", query: "", body }
}

fn parse(provider: &dyn Provider, live: &Generation, here: &ChannelId, body: &[u8]) -> f64 {
    let channel_of = |number: &str| live.by_number.get(number).cloned();
    let headers = HashMap::new();
    let since = cpu_ns();
    for _ in 0..MESSAGES {
        let batch =
            provider.parse(of(&headers, black_box(body)), here, &channel_of).expect("a body");
        assert_eq!(batch.len(), 1);
    }
    per_message(since)
}

async fn accept(
    store: &Arc<dyn Store>,
    provider: &dyn Provider,
    live: &Generation,
    here: &ChannelId,
) -> (f64, Vec<Lane>) {
    let channel_of = |number: &str| live.by_number.get(number).cloned();
    let batch = |n| {
        let body = webhook(0, &format!("1555{n:07}"));
        provider.parse(of(&HashMap::new(), body.as_bytes()), here, &channel_of).expect("a body")
    };
    let batches: Vec<_> = (0..MESSAGES).map(batch).collect();
    let now = SystemClock.now();
    let since = cpu_ns();
    let work = |batch| async move { drop(store.accept(batch, now).await.expect("accepted")) };
    iter(batches).for_each_concurrent(AT_ONCE, work).await;
    let cost = per_message(since);
    let lanes = store.ready_lanes(None, MESSAGES).await.expect("read");
    assert_eq!(lanes.len(), MESSAGES);
    (cost, lanes)
}

async fn chain(
    store: &Arc<dyn Store>,
    live: &Generation,
    clock: &Arc<dyn Clock>,
    lanes: Vec<Lane>,
) -> (f64, Vec<TurnCommit>) {
    let mut snapshots = Vec::new();
    for lane in &lanes {
        snapshots.push(store.next_in_lane(lane).await.expect("read").expect("an event"));
    }
    let mut commits = Vec::with_capacity(MESSAGES);
    let since = cpu_ns();
    for snapshot in snapshots {
        let channel = &live.channels[&snapshot.event.channel];
        let setting = Setting {
            event: Arc::new(snapshot.event.clone()),
            now: clock.now(),
            zone: "UTC".into(),
            calendar: None,
            provider: Arc::clone(&channel.provider),
            store: Arc::clone(store),
            policy: policy_rules(live),
            templates: Default::default(),
        };
        let record = live.business.turns.record;
        let (chain, consent) = (&channel.chain, &live.consent);
        let stage = Stage { setting, chain, consent, generation: 1, record, merge: true };
        let commit = turn::run(snapshot, stage).await.expect("a turn");
        assert_eq!(commit.outbox.len(), 1, "{:?}", commit.trace);
        commits.push(commit);
    }
    (per_message(since), commits)
}

async fn commit(store: &Arc<dyn Store>, commits: Vec<TurnCommit>, clock: &dyn Clock) -> f64 {
    let now = clock.now();
    let since = cpu_ns();
    let work = |commit| async move { assert!(store.commit(commit, now).await.expect("done")) };
    iter(commits).for_each_concurrent(AT_ONCE, work).await;
    per_message(since)
}

async fn send(store: &Arc<dyn Store>, provider: &dyn Provider, clock: &dyn Clock) -> (f64, f64) {
    let items = store.due_outbox(clock.now(), MESSAGES).await.expect("read");
    assert_eq!(items.len(), MESSAGES);
    let answer = br#"{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.1"}]}"#;
    let since = cpu_ns();
    for item in &items {
        if let Body::Json(body) = provider.render(item).body {
            black_box(body.to_string());
        }
        black_box(provider.classify(200, answer));
    }
    let render = per_message(since);
    let now = clock.now();
    let since = cpu_ns();
    for page in items.chunks(AT_ONCE) {
        let attempt = |item: &OutboxItem| Attempt::new(item.id.clone(), now, now);
        store.begin_attempts(page.iter().map(attempt).collect()).await.expect("begun");
        let record = |item: &OutboxItem| DeliveryRecord {
            id: item.id.clone(),
            delivery: Delivery::Sent { message_id: format!("wamid.{}", item.id) },
            at: now,
        };
        store.record_deliveries(page.iter().map(record).collect()).await.expect("recorded");
    }
    (render, per_message(since))
}
