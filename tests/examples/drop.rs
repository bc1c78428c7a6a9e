//! A big plugin is dropped into a busy server: how long the messages of others
//! take before, while it is compiled and made live, and afterwards.
//!
//! `cargo run --release -p switchboard-tests --example drop [component.wasm]`
//!
//! Without a component it makes one of its own: a small plugin with 16,000
//! functions beside it.

#[path = "load/wire.rs"]
#[allow(dead_code)]
mod wire;

use std::time::{Duration, Instant};
use switchboard_tests::{
    components::swollen,
    server::Server,
    shop::{CHAIN, Shop, switchboard_toml},
};
use wire::{Graph, Run, drive};

const LOYALTY: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_LOYALTY"));
/// How many ask at once, each waiting for its webhook's answer.
const CONNECTIONS: usize = 2;
/// Length of one row of the table.
const ROW: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let given = std::env::args().nth(1);
    let big = match &given {
        Some(path) => std::fs::read(path).expect("a component"),
        None => swollen(LOYALTY, 16_000),
    };
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    shop.write("switchboard.toml", &switchboard_toml(&graph.url, &[("n0", "9000")], ""));
    std::fs::create_dir(shop.path("plugins")).expect("a folder");
    std::fs::write(shop.path("plugins/big.wasm"), &big).expect("written");
    // At the end of the chain, and only for contacts whom nobody else answers.
    let rules = given.map_or("rules = \"rules/big.toml\"\n", |_| "");
    shop.write("rules/big.toml", "ask = \"my points\"\n");
    let step = format!(
        "\n[[step]]\nname = \"big\"\nplugin = \"plugins/big.wasm\"\n{rules}\
         limits = {{ memory_mb = 256, configure_ms = 20000, time_ms = 1000 }}\n"
    );
    let server = Server::start_cold(&shop);
    let address = server.public.strip_prefix("http://").expect("http").to_owned();
    println!("a component of {:.1} MB", big.len() as f64 / 1024.0 / 1024.0);
    println!("\n                                taken, ms        answered, ms");
    println!("                      messages  p50     p99      p50     p99");
    drive(&address, &graph, ROW, CONNECTIONS, 1, 0).await;
    row("before", &drive(&address, &graph, ROW, CONNECTIONS, 1, 1).await);

    let dropped = Instant::now();
    shop.replace("chains/default.toml", &format!("{CHAIN}{step}"));
    let (mut live, mut swapped) = (None, None);
    for round in 2..20 {
        let asking = drive(&address, &graph, ROW, CONNECTIONS, 1, round);
        let watching = watch(&server, dropped, &mut live, &mut swapped);
        let (run, ()) = tokio::join!(asking, watching);
        let now = match (live, swapped) {
            (None, _) => "compiling, winch",
            (Some(_), None) => "compiling, cranelift",
            (Some(_), Some(_)) => "cranelift",
        };
        row(now, &run);
        if swapped.is_some() && now == "cranelift" && round > 4 {
            break;
        }
    }
    let told = |at: Option<Duration>| match at {
        Some(at) => format!("after {:.1} s", at.as_secs_f64()),
        None => "not yet".into(),
    };
    println!("\nlive on the first code: {}", told(live));
    println!("on cranelift's code:    {}", told(swapped));
}

/// Looks for about the length of a row.
async fn watch(
    server: &Server,
    dropped: Instant,
    live: &mut Option<Duration>,
    swapped: &mut Option<Duration>,
) {
    let until = Instant::now() + ROW;
    while Instant::now() < until {
        let generation = &server.admin_get("/readyz").await["generation"];
        if generation["problems"].as_array().is_some_and(|problems| !problems.is_empty()) {
            panic!("{}", generation["problems"]);
        }
        if live.is_none() && generation["generation"].as_u64() > Some(1) {
            *live = Some(dropped.elapsed());
        }
        let log = server.log.lock().expect("a log").contains("runs on cranelift's code");
        if swapped.is_none() && log {
            *swapped = Some(dropped.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn row(name: &str, run: &Run) {
    let ((taken, taken_99), (answered, answered_99)) = (run.taken, run.answers);
    let count = run.answered;
    println!(
        "{name:<21} {count:>8}  {taken:<6.1}  {taken_99:<6.1}   {answered:<6.1}  {answered_99:<6.1}"
    );
    assert_eq!(run.accepted, run.answered, "some were not answered");
}
