//! Measures the store: tasks that each accept a message and commit its turn,
//! waiting for both to be durable.
//!
//! `cargo run --release --example store_bench -- [tasks] [seconds]`

use anyhow::{Result, anyhow};
use std::{io::Write, sync::Arc, time::Duration};
use switchboard::{
    clock::{Clock, Stopwatch, SystemClock},
    model::*,
    store::{SledOptions, Store, memory, open_sled},
};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let tasks: u64 = arguments.next().map_or(Ok(128), |tasks| tasks.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(5), |seconds| seconds.parse())?;
    let folder = std::env::temp_dir().join(format!("store-bench-{}", std::process::id()));
    let options = SledOptions { cache_mb: 64, reserve_mb: 0 };
    for (name, store) in [("memory", memory()), ("sled", open_sled(&folder, &options)?)] {
        measure(name, store, tasks, Duration::from_secs(seconds)).await?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn measure(name: &str, store: Arc<dyn Store>, tasks: u64, time: Duration) -> Result<()> {
    let watch = Stopwatch::start();
    let tasks = (0..tasks).map(|task| tokio::spawn(work(store.clone(), task, watch, time)));
    let mut accepts = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        accepts.extend(task.await??);
    }
    accepts.sort_unstable();
    let at = |percent: usize| {
        let micros = accepts.get(accepts.len() * percent / 100).copied().unwrap_or(0);
        micros as f64 / 1_000.0
    };
    let rate = accepts.len() as f64 / watch.elapsed().as_secs_f64();
    let (half, most) = (at(50), at(99));
    writeln!(
        std::io::stdout(),
        "{name}: {rate:.0} turns/s, accept {half:.1} ms (p50), {most:.1} ms (p99)"
    )?;
    Ok(())
}

/// Returns how long each accept took, in microseconds.
async fn work(
    store: Arc<dyn Store>,
    task: u64,
    watch: Stopwatch,
    time: Duration,
) -> Result<Vec<u64>> {
    let mut accepts = Vec::new();
    while watch.elapsed() < time {
        let now = SystemClock.now();
        let n = accepts.len();
        let accept = Stopwatch::start();
        let answers = store.accept(vec![message(task, n, now)], now).await?;
        accepts.push(accept.micros());
        let Some(Accepted::New(event)) = answers.into_iter().next() else {
            return Err(anyhow!("message {n} of task {task} is not new"));
        };
        let snapshot = store.next_in_lane(&event.lane).await?.ok_or(anyhow!("no event"))?;
        store.commit(turn(snapshot, now)?, now).await?;
    }
    Ok(accepts)
}

fn message(task: u64, n: usize, now: Millis) -> Happening {
    let id = format!("wamid.HBgLMTU1NTAwMDExMTEVAgASGBQ{task:08}{n:08}AA==");
    Happening {
        channel: ChannelId::new("main"),
        dedup: id.clone(),
        sender: Some(Sender { phone: Some(format!("1555{task:07}")), ..Sender::default() }),
        kind: EventKind::Message(Message::new(
            id,
            now,
            Content::Text("what are your opening hours?".into()),
        )),
        raw: "x".repeat(400),
    }
}

fn turn(snapshot: Snapshot, now: Millis) -> Result<TurnCommit> {
    let mut commit = TurnCommit::new(snapshot.event.id.clone());
    let mut contact = snapshot.contact.ok_or(anyhow!("no contact"))?;
    let id = contact.id;
    contact.saw_message(&snapshot.event.channel, now);
    commit.contact = Some(contact);
    let message = Outgoing::Text("We are open 9 to 18, Monday to Saturday.".into());
    commit.outbox.push(OutboxItem::new(
        SendId { turn: commit.turn.clone(), index: commit.outbox.len() as u32 },
        (snapshot.event.channel.clone(), id, Address::default()),
        message,
        "faq",
        now,
    ));
    commit.trace = Some(Trace {
        turn: commit.turn.clone(),
        channel: snapshot.event.channel,
        event: "message".into(),
        text: Some("what are your opening hours?".into()),
        media: None,
        at: now,
        generation: 1,
        steps: Vec::new(),
        sends: vec![],
        remarks: Vec::new(),
        duration_us: 100,
        recording: Default::default(),
        account: None,
    });
    Ok(commit)
}
