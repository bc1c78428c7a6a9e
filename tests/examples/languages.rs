//! What a language costs: the loyalty plugin of `plugins/examples`, in each of
//! its five languages, with each isolation.
//!
//! `cargo run --release -p switchboard-tests --example languages [language…]`

#[path = "../tests/plugin/stage.rs"]
mod stage;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use switchboard::{
    author::{self, Built, Language},
    config::{Env, Isolation},
    model::{Content, EventKind},
    plugin::{Isolated, Plugin, PluginStep, Plugins, Source},
    turn::Step,
};
use switchboard_tests::{
    meta::Graph,
    repository,
    server::Server,
    shop::{CHAIN, Shop},
};

const TURNS: usize = 300;
/// Instances whose memory is measured together.
const INSTANCES: usize = 8;
/// Better code and snapshots are there by then, or never.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    println!("| language | isolation | µs a turn, min / median | KB private, each |");
    println!("|---|---|---|---|");
    let mut compiled = Vec::new();
    for language in Language::ALL {
        if !asked.is_empty() && !asked.iter().any(|name| name == language.name()) {
            continue;
        }
        let folder = repository().join("plugins/examples").join(language.name());
        let built = author::build(&folder, &Env::read(), &|line| eprintln!("{line}"));
        match built {
            Ok(built) => compiled.push(measure(language, &built).await),
            Err(error) => eprintln!("{language}: left out: {error}"),
        }
    }
    println!(
        "\n| language | component | compile to first code | to cranelift's | file drop to live |"
    );
    println!("|---|---|---|---|---|");
    compiled.iter().for_each(|row| println!("{row}"));
}

/// Prints the rows of the first table, and gives the one of the second.
async fn measure(language: Language, built: &Built) -> String {
    let cache = tempfile::tempdir().expect("a folder");
    let plugins = stage::plugins_with(Some(cache.path().into()), stage::clock());
    let began = Instant::now();
    let plugin = plugins.load(&Source::File(built.component.clone())).await.expect("a plugin");
    let (first, compiler) = (began.elapsed(), plugin.code().compiler);
    wait(|| plugin.code().compiler == "cranelift").await;
    let best = began.elapsed();
    for isolation in [Isolation::Fresh, Isolation::Warm] {
        turns(language, &plugins, built, isolation).await;
    }
    let live = drop_into_a_server(built).await;
    format!(
        "| {language} | {:.1} MB | {:.2} s ({compiler}) | {:.2} s | {:.2} s |",
        built.bytes as f64 / 1e6,
        first.as_secs_f64(),
        best.as_secs_f64(),
        live.as_secs_f64()
    )
}

async fn wait(mut ready: impl FnMut() -> bool) {
    let began = Instant::now();
    while !ready() && began.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn step(plugin: &Arc<Plugin>, isolation: Isolation) -> PluginStep {
    let mut config = stage::step("loyalty");
    config.isolation = isolation;
    config.limits.time_ms = 2_000;
    config.limits.configure_ms = 20_000;
    plugin.configure(&config, &serde_json::json!({})).await.expect("rules")
}

async fn turn(step: &PluginStep) -> Duration {
    let mut message = stage::text_message("");
    message.content = Content::Other { kind: "order".into(), json: "{}".into() };
    let draft = stage::draft_of(EventKind::Message(message), &stage::step("loyalty"));
    let began = Instant::now();
    let (draft, verdict) = step.run(draft).await.into_parts();
    let took = began.elapsed();
    verdict.expect("a verdict");
    assert_eq!(draft.effects.len(), 3, "a timer, a tag and an answer");
    took
}

async fn turns(language: Language, plugins: &Plugins, built: &Built, isolation: Isolation) {
    let plugin = plugins.load(&Source::File(built.component.clone())).await.expect("a plugin");
    let tried = step(&plugin, isolation).await;
    turn(&tried).await;
    // The first turn has the snapshot made.
    wait(|| !tried.isolation().to_string().contains("is being made")).await;
    let mut took = Vec::new();
    for _ in 0..TURNS {
        took.push(turn(&tried).await);
    }
    took.sort();
    let us = |time: Duration| time.as_secs_f64() * 1e6;
    let memory = match isolation {
        Isolation::Warm => format!("{:.0}", memory_of_instances(&plugin).await),
        Isolation::Auto | Isolation::Fresh => "none between turns".into(),
    };
    let word = match tried.isolation() {
        Isolated::Snapshot => "fresh, snapshot",
        Isolated::Configured { .. } => "fresh, configured each turn",
        Isolated::Warm { .. } => "warm",
    };
    println!(
        "| {language} | {word} | {:.0} / {:.0} | {memory} |",
        us(took[0]),
        us(took[TURNS / 2])
    );
}

/// A warm step keeps the instance that took its rules.
async fn memory_of_instances(plugin: &Arc<Plugin>) -> f64 {
    let before = private_kb();
    let mut steps = Vec::new();
    for _ in 0..INSTANCES {
        let step = step(plugin, Isolation::Warm).await;
        turn(&step).await;
        steps.push(step);
    }
    (private_kb() - before) / INSTANCES as f64
}

fn private_kb() -> f64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    let kb = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kb.unwrap_or(f64::NAN)
}

/// From the file and its step being there to a generation that has it.
async fn drop_into_a_server(built: &Built) -> Duration {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let server = Server::start(&shop);
    std::fs::create_dir_all(shop.path("plugins")).expect("a folder");
    let step = "\n[[step]]\nname = \"loyalty\"\nplugin = \"plugins/loyalty.wasm\"\n\
                limits = { memory_mb = 128, configure_ms = 20000 }\n";
    let began = Instant::now();
    std::fs::copy(&built.component, shop.path("plugins/loyalty.wasm")).expect("copied");
    shop.replace("chains/default.toml", &format!("{CHAIN}{step}"));
    loop {
        let plugins = server.admin_get("/api/v1/plugins").await;
        if plugins.to_string().contains("loyalty") {
            return began.elapsed();
        }
        assert!(began.elapsed() < PATIENCE, "{}", server.log.lock().expect("a log"));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
