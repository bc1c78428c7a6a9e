//! How long a start takes with ten different plugins: the engine, and then
//! everything of the business folder, compiled anew and from the cache.
//!
//! `cargo run --release -p switchboard-tests --example start`

use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use switchboard::{clock::SystemClock, config::Env, generation, plugin::Plugins};
use switchboard_tests::{components::remarked, shop::Shop};

const LOYALTY: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_LOYALTY"));
const PLUGINS: usize = 10;
const STARTS: usize = 9;

#[tokio::main]
async fn main() {
    let shop = Shop::new("http://127.0.0.1:9/v26.0");
    std::fs::create_dir(shop.path("plugins")).expect("a folder");
    let mut chain = String::new();
    for n in 0..PLUGINS {
        let bytes = remarked(LOYALTY, &n.to_string());
        std::fs::write(shop.path(&format!("plugins/p{n}.wasm")), bytes).expect("written");
        chain += &format!(
            "[[step]]\nname = \"p{n}\"\nplugin = \"plugins/p{n}.wasm\"\nrules = \"rules/p.toml\"\n\n"
        );
    }
    shop.write("chains/default.toml", &chain);
    shop.write("rules/p.toml", "ask = \"my points\"\n");
    let cold = start(&shop).await;
    let mut warm = Vec::new();
    for _ in 0..STARTS {
        warm.push(start(&shop).await);
    }
    warm.sort_by_key(|(engine, build)| *engine + *build);
    let median = warm[STARTS / 2];
    println!("{PLUGINS} plugins of {} KB, {STARTS} starts\n", LOYALTY.len() / 1024);
    println!("                       engine     folder        all");
    for (name, (engine, build)) in [("nothing compiled yet", cold), ("compiled, median", median)] {
        let [engine, build] = [engine, build].map(|time| time.as_secs_f64() * 1e3);
        println!("{name:<20} {engine:>6.1} ms  {build:>6.1} ms  {:>6.1} ms", engine + build);
    }
}

/// Until the engine is there, and from then until all steps are configured.
async fn start(shop: &Shop) -> (Duration, Duration) {
    let began = Instant::now();
    let cache = shop.path("data/compiled");
    let plugins = Plugins::new(Some(cache), Arc::new(SystemClock)).expect("an engine");
    let engine = began.elapsed();
    let env = Env::default();
    let built =
        generation::build(&shop.folder, &env, &plugins, generation::Occasion::Start, 1).await;
    let generation = built.unwrap_or_else(|problems| panic!("{problems:?}"));
    let all = began.elapsed();
    assert!(generation.channels.values().all(|channel| channel.chain.steps.len() == PLUGINS));
    (engine, all - engine)
}
