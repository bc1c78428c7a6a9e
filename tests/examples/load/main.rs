//! Load through the real binary: signed webhooks in, sends out to a Graph API
//! in this process, sled on disk, three plugins. Prints answers per second,
//! CPU per answer by stage, start times and memory. Bounded, loopback only.
//!
//! `cargo run --release --example load [seconds] [connections]`

mod stages;
mod wire;

use std::time::{Duration, Instant};
use switchboard_tests::{
    server::Server,
    shop::{FAQ, Shop, switchboard_toml},
};
use wire::{Graph, drive, until_answered_with};

/// Numbers of the business, since one may send 1,000 messages a second at most.
const CHANNELS: usize = 16;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(10, |text| text.parse().expect("seconds"));
    let connections: usize = arguments.next().map_or(64, |text| text.parse().expect("connections"));
    if cfg!(debug_assertions) {
        println!("note: this is a debug build; use --release for figures that mean something\n");
    }
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let ids: Vec<String> = (0..CHANNELS).map(|n| format!("n{n}")).collect();
    let numbers: Vec<String> = (0..CHANNELS).map(|n| format!("9{n:03}")).collect();
    let channels: Vec<(&str, &str)> =
        ids.iter().map(String::as_str).zip(numbers.iter().map(String::as_str)).collect();
    shop.write("switchboard.toml", &switchboard_toml(&graph.url, &channels, ""));

    switchboard_tests::server::binary();
    let (cold, server) = timed_start(&shop);
    server.terminate();
    let mut warm = Vec::new();
    for _ in 0..5 {
        let (took, server) = timed_start(&shop);
        warm.push(took);
        server.terminate();
    }
    warm.sort();
    let (_, server) = timed_start(&shop);
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("start, nothing compiled yet     {:>8.0} ms", millis(cold));
    println!("start, compiled cache (median)  {:>8.0} ms", millis(warm[warm.len() / 2]));
    println!("resident memory, idle           {:>8.1} MB", resident_mb(server.pid()));

    let address = server.public.strip_prefix("http://").unwrap().to_owned();
    // Warms instances and caches.
    drive(&address, &graph, Duration::from_secs(2), connections, CHANNELS, 0).await;
    let cpu = cpu_seconds(server.pid());
    let began = Instant::now();
    let length = Duration::from_secs(seconds);
    let run = drive(&address, &graph, length, connections, CHANNELS, 1).await;
    let wall = began.elapsed().as_secs_f64();
    let cpu = cpu_seconds(server.pid()) - cpu;
    let answers = run.answered as f64;
    println!(
        "\n{} connections, {wall:.1} s, {} webhooks taken, {} answers sent",
        connections, run.accepted, run.answered
    );
    println!("answers per second              {:>8.0}", answers / wall);
    println!("CPU of the server per answer    {:>8.0} µs", cpu * 1e6 / answers);
    println!("webhook to 200,    p50 / p99    {:>8.1} / {:.1} ms", run.taken.0, run.taken.1);
    println!("webhook to answer, p50 / p99    {:>8.1} / {:.1} ms", run.answers.0, run.answers.1);
    println!("resident memory, after          {:>8.1} MB", resident_mb(server.pid()));

    let mut edits = edits(&shop, &address, &graph, connections).await;
    edits.sort();
    let (median, worst) = (edits[edits.len() / 2], edits[edits.len() - 1]);
    println!(
        "edit to live answer, under load {:>8.0} ms median, {:.0} ms worst of {}",
        millis(median),
        millis(worst),
        edits.len()
    );
    server.terminate();

    println!("\nCPU by stage, one thread, in this process (µs per message):");
    stages::print(&shop).await;
}

/// How long edits of a rule take to show in an answer while others are served.
async fn edits(shop: &Shop, address: &str, graph: &Graph, connections: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    let load = drive(address, graph, Duration::from_secs(8), connections / 8 + 1, CHANNELS, 2);
    let edit = async {
        for n in 0..7 {
            let text = format!("There is a car park number {n}.");
            let rules = FAQ.replace("There is a car park behind the shop.", &text);
            shop.replace("rules/faq.toml", &rules);
            took.push(until_answered_with(address, graph, &text).await);
        }
    };
    tokio::join!(load, edit);
    took
}

fn timed_start(shop: &Shop) -> (Duration, Server) {
    let began = Instant::now();
    let server = Server::start_cold(shop);
    (began.elapsed(), server)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Seconds of CPU that a process has used, from `/proc`.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    // USER_HZ has been 100 on Linux for as long as anybody remembers.
    ticks / 100.0
}

fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
