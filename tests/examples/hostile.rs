//! Every hostile plugin of the list, let loose in a real server by eight
//! contacts at once while innocents write. Prints what stopped it, how long
//! after its deadline, and what the innocents felt of it.
//!
//! `cargo run --release --example hostile [words of a name]`

use futures::future::join_all;
use std::time::{Duration, Instant};
use switchboard::turn::StepError;
use switchboard_tests::hostile::{Case, Innocents, Meets, Siege, Strike, cases};

const STRIKERS: usize = 8;
const WRITERS: usize = 8;
const PAUSE: Duration = Duration::from_millis(20);
/// For figures without anything hostile.
const CALM: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() {
    let words = std::env::args().nth(1).unwrap_or_default();
    if cfg!(debug_assertions) {
        println!("note: this is a debug build; use --release for figures that mean something\n");
    }
    let siege = Siege::start().await;
    let innocents = Innocents::start(&siege.server, WRITERS, PAUSE);
    println!(
        "{:36} {:46} {:>8} {:>10} {:>17} {:>10}",
        "hostile thing", "what stopped it", "limit", "late by", "p50 / p99 before", "p99 while"
    );
    let mut stopped = 0;
    for (number, case) in cases().iter().enumerate().filter(|(_, it)| it.name.contains(&words)) {
        let row = row(&siege, &innocents, number, case).await;
        println!("{row}");
        stopped += 1;
    }
    let served = innocents.end(&siege.graph).await;
    println!("\n{stopped} hostile things; {served} innocents, each answered rightly and once");
}

async fn row(siege: &Siege, innocents: &Innocents, number: usize, case: &Case) -> String {
    let calm = Instant::now();
    tokio::time::sleep(CALM).await;
    let step = format!("case-{number}");
    let began = Instant::now();
    let armed = siege.arm(case, &step).await;
    let mut strikes = match &armed {
        Ok(()) => join_all((0..STRIKERS).map(|_| siege.strike(&step, case.text))).await,
        Err(_) => vec![siege.strike(&step, case.text).await],
    };
    let ended = Instant::now();
    siege.disarm().await;
    innocents.are_served(&siege.graph, innocents.count(), 1).await;
    for strike in &mut strikes {
        strike.refused.clone_from(&armed.clone().err());
    }
    // Those that found the step resting say nothing of it.
    let resting = |it: &&Strike| it.error_kind.as_deref() != Some(StepError::RESTING);
    let first = strikes.iter().find(resting).unwrap_or(&strikes[0]);
    let note = match first.check(case) {
        Ok(()) => "",
        Err(_) => "  NOT AS EXPECTED",
    };
    let before = innocents.latencies(&siege.graph, calm, began);
    let during = innocents.latencies(&siege.graph, began, ended);
    let limit = limit(case, first);
    let late = limit.map(|limit| first.took.saturating_sub(limit));
    format!(
        "{:36} {:46} {:>8} {:>10} {:>8} {:>8} {:>10}{note}",
        case.name,
        what(case, first).chars().take(45).collect::<String>(),
        limit.map_or(String::new(), |it| format!("{} ms", it.as_millis())),
        late.map_or(String::new(), |it| format!("{:.1} ms", millis(it))),
        shown(percentile(&before, 50)),
        shown(percentile(&before, 99)),
        shown(percentile(&during, 99)),
    )
}

fn what(case: &Case, strike: &Strike) -> String {
    match (case.meets, &strike.error) {
        (Meets::Refusal(words), _) => format!("not loaded: {words}"),
        (Meets::Failure(_) | Meets::Bounded(_), Some(error)) => error.clone(),
        (Meets::Failure(_), None) => "nothing".into(),
        (Meets::Bounded(""), None) => "it may".into(),
        (Meets::Bounded(words), None) => format!("bounded: {}", words.trim()),
    }
}

/// The time limit that stopped it, if one did.
fn limit(case: &Case, strike: &Strike) -> Option<Duration> {
    let late = strike.error.as_ref().is_some_and(|it| it.starts_with("took longer"));
    let own = case.limits.strip_prefix("time_ms = ").and_then(|it| it.parse().ok());
    late.then(|| Duration::from_millis(own.unwrap_or(100)))
}

fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied()
}

fn shown(took: Option<Duration>) -> String {
    took.map_or("-".into(), |it| format!("{:.1} ms", millis(it)))
}

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
