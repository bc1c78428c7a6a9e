//! What was promised holds after a crash, and nothing is half written. A child
//! process works on a store and says what it was promised; it is killed at
//! random, or ends itself at the N-th step of its engine, for every N; then the
//! store is opened again and asked.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use switchboard::{
    clock::{Clock, SimulatedClock},
    model::*,
    store::{
        Result, SledEngine, SledOptions,
        engine::{Batch, Engine, Order, Pairs, Span},
        with_engine,
    },
};
use switchboard_tests::store_cases::*;

const OPTIONS: SledOptions = SledOptions { cache_mb: 8, reserve_mb: 0 };
/// Long enough to be stored in parts.
const VALUE_BYTES: usize = 9_000;

const FOLDER: &str = "SWITCHBOARD_TEST_CRASH_FOLDER";
const ROUND: &str = "SWITCHBOARD_TEST_CRASH_ROUND";
const STEP: &str = "SWITCHBOARD_TEST_CRASH_STEP";
const TASKS: &str = "SWITCHBOARD_TEST_CRASH_TASKS";

// The child.

/// Ends the process when `left` steps of the medium have been taken. There are
/// four for each group: before and after it is applied, and again for the sync.
struct Ending {
    inner: SledEngine,
    left: AtomicU64,
}

impl Ending {
    fn step(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

impl Engine for Ending {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.inner.get(key)
    }
    fn range<'a>(&'a self, span: &Span, order: Order) -> Pairs<'a> {
        self.inner.range(span, order)
    }
    fn apply(&self, batch: Batch) -> Result<()> {
        self.step();
        let outcome = self.inner.apply(batch);
        self.step();
        outcome
    }
    fn sync(&self) -> Result<()> {
        self.step();
        let outcome = self.inner.sync();
        self.step();
        outcome
    }
    fn room(&self) -> Result<()> {
        self.inner.room()
    }
}

fn number(name: &str) -> u64 {
    std::env::var(name).unwrap().parse().unwrap()
}

/// Does nothing unless it runs as the child.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let inner = SledEngine::open(Path::new(&folder), &OPTIONS).unwrap();
    let store = with_engine(Arc::new(Ending { inner, left: AtomicU64::new(number(STEP)) }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let (round, tasks) = (number(ROUND), number(TASKS));
        let work = (0..tasks).map(|task| tokio::spawn(work(store.clone(), round, task)));
        futures::future::join_all(work.collect::<Vec<_>>()).await;
    });
}

/// Says what was promised, at once and in one piece.
fn promised(what: &str, which: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\npromised {what} {which}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Works through one contact's messages for ever.
async fn work(store: Shared, round: u64, task: u64) {
    for n in 0.. {
        let batch = batch_of(round, task, n);
        let answers = store.accept(batch, NOW).await.unwrap();
        promised("accepted", format!("{round} {task} {n}"));
        let Accepted::New(first) = &answers[0] else { panic!("{answers:?}") };
        let lane = first.lane.clone();
        while let Some(snapshot) = store.next_in_lane(&lane).await.unwrap() {
            let turn = snapshot.event.id.clone();
            assert!(store.commit(everything(snapshot), NOW).await.unwrap());
            promised("committed", &turn);
        }
        for item in store.due_outbox(Millis::MAX, 99).await.unwrap() {
            if Lane::Contact(item.contact) == lane {
                deliver(&store, item).await;
            }
        }
    }
}

/// Two messages of the task's contact and something of the channel.
fn batch_of(round: u64, task: u64, n: u64) -> Vec<Happening> {
    let name = |part: &str| format!("{part} {n} of task {task} in round {round}");
    let said = |part| message(phone(&format!("1555{task}")), &name(part));
    vec![said("first"), account(&name("middle")), said("second")]
}

/// A commit that writes something of every kind, each telling its turn.
fn everything(snapshot: switchboard::model::Snapshot) -> TurnCommit {
    let turn = snapshot.event.id;
    let mut commit = TurnCommit::new(turn.clone());
    let mut contact = snapshot.contact.unwrap();
    let name = |n: u64| format!("tag {}", n % 3);
    contact.apply(&Effect::Untag { name: name(turn.seq + 2) }, "test", NOW);
    contact.apply(&Effect::Tag { name: name(turn.seq), expires: None }, "test", NOW);
    commit.contact = Some(contact);
    commit.kv.push(kv("test", KvScope::Contact, "turn", Some(value_of(turn.seq))));
    commit.timers.push(TimerWrite::Set(timer(&turn.lane, "turn", NOW + turn.seq)));
    commit.outbox.push(item(&commit, turn.lane.contact().unwrap(), NOW + turn.seq));
    commit.trace = Some(trace(&turn, NOW));
    commit
}

fn value_of(seq: u64) -> Vec<u8> {
    bytes(VALUE_BYTES + seq as usize % 7 * 1_000, seq as usize)
}

async fn deliver(store: &Shared, item: OutboxItem) {
    let attempt = Attempt::new(item.id.clone(), Millis::MAX - 1, Millis::MAX);
    let begun = store.begin_attempts(vec![attempt]).await.unwrap();
    if begun.is_empty() {
        return;
    }
    promised("begun", &item.id);
    let delivery = Delivery::Sent { message_id: format!("wamid.{}", item.id) };
    let record = DeliveryRecord { id: item.id.clone(), delivery, at: NOW };
    store.record_deliveries(vec![record]).await.unwrap();
    promised("recorded", &item.id);
}

// The parent.

fn start(folder: &Path, round: u64, tasks: u64, steps: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .env(TASKS, tasks.to_string())
        .env(STEP, steps.to_string())
        .stdout(Stdio::piped())
        .stderr(File::create(folder.with_extension("err")).unwrap())
        .spawn()
        .unwrap()
}

#[derive(Default)]
struct Promises {
    accepted: Vec<(u64, u64, u64)>,
    committed: Vec<TurnId>,
    begun: Vec<SendId>,
    recorded: Vec<SendId>,
}

impl Promises {
    fn note(&mut self, line: &str) {
        let Some(promise) = line.strip_prefix("promised ") else { return };
        let (what, which) = promise.split_once(' ').unwrap();
        match what {
            "accepted" => {
                let n: Vec<u64> = which.split(' ').map(|n| n.parse().unwrap()).collect();
                self.accepted.push((n[0], n[1], n[2]));
            }
            "committed" => self.committed.push(which.parse().unwrap()),
            "begun" => self.begun.push(which.parse().unwrap()),
            "recorded" => self.recorded.push(which.parse().unwrap()),
            other => panic!("{other}"),
        }
    }

    fn count(&self) -> usize {
        let turns = self.committed.len() + self.accepted.len();
        turns + self.begun.len() + self.recorded.len()
    }
}

async fn check(folder: &Path, promises: &Promises) {
    let engine = SledEngine::open(folder, &OPTIONS).expect("it opens after a crash");
    let store = with_engine(Arc::new(engine));
    check_invariants(&store).await;
    let lanes = store.contacts(None, usize::MAX).await.unwrap();
    let lanes: Vec<Lane> = lanes.iter().map(|contact| Lane::Contact(contact.id)).collect();
    if !lanes.is_empty() {
        check_usage(&store, "test", &lanes).await;
    }
    check_turns(&store, promises).await;
    check_batches(&store, promises).await;
    for (ids, recorded) in [(&promises.begun, false), (&promises.recorded, true)] {
        for id in ids {
            let item = store.outbox_item(id).await.unwrap().expect("a promised item");
            assert!(item.attempts > 0, "{id} was begun");
            assert!(!recorded || item.state == SendState::Sent, "{id} was recorded");
        }
    }
}

/// Of each lane the turns up to some number have happened with all their
/// effects, and those behind it with none.
async fn check_turns(store: &Shared, promises: &Promises) {
    let mut last: BTreeMap<Lane, u64> = BTreeMap::new();
    for turn in &promises.committed {
        let seq = last.entry(turn.lane.clone()).or_default();
        *seq = turn.seq.max(*seq);
    }
    for (lane, promised) in last {
        let contact = store.contact(lane.contact().unwrap()).await.unwrap().unwrap();
        let done = contact.version;
        assert!(done >= promised, "{lane} has lost turns: {done} of {promised}");
        let traces = store.traces(&lane, None, usize::MAX).await.unwrap();
        let seqs: Vec<u64> = traces.iter().map(|trace| trace.turn.seq).collect();
        assert_eq!(seqs, Vec::from_iter((1..=done).rev()), "traces of {lane}");
        let items = store.outbox_of(contact.id, usize::MAX).await.unwrap();
        let seqs: Vec<u64> = items.iter().map(|item| item.id.turn.seq).collect();
        assert_eq!(seqs, Vec::from_iter((1..=done).rev()), "messages of {lane}");
        let value = store.kv_get("test", KvScope::Contact, &lane, "turn", NOW).await.unwrap();
        assert!(value == Some(value_of(done)), "{lane} has another turn's value");
        let timers = store.due_timers(Millis::MAX, usize::MAX).await.unwrap();
        let timers: Vec<_> = timers.into_iter().filter(|timer| timer.key.lane == lane).collect();
        assert_eq!(timers, [timer(&lane, "turn", NOW + done)]);
        let tags: Vec<&str> = contact.tags.iter().map(|tag| tag.name.as_str()).collect();
        assert!(tags.contains(&format!("tag {}", done % 3).as_str()), "{tags:?}");
        if let Some(next) = store.next_in_lane(&lane).await.unwrap() {
            assert_eq!(next.event.id.seq, done + 1);
        }
    }
}

/// Every batch was accepted as a whole or not at all.
async fn check_batches(store: &Shared, promises: &Promises) {
    let mut last: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for (round, task, n) in &promises.accepted {
        let answers = store.accept(batch_of(*round, *task, *n), NOW).await.unwrap();
        assert_eq!(answers, vec![Accepted::Duplicate; 3], "task {task} was promised batch {n}");
        last.insert((*round, *task), *n);
    }
    for ((round, task), n) in last {
        let answers = store.accept(batch_of(round, task, n + 1), NOW).await.unwrap();
        let known = answers.iter().filter(|answer| **answer == Accepted::Duplicate).count();
        assert!(known == 0 || known == 3, "half a batch was accepted");
    }
}

/// Clears what `check_batches` has put into the lanes.
async fn drain(folder: &Path) {
    let store = with_engine(Arc::new(SledEngine::open(folder, &OPTIONS).unwrap()));
    for lane in store.ready_lanes(None, usize::MAX).await.unwrap() {
        while let Some(snapshot) = store.next_in_lane(&lane).await.unwrap() {
            let commit = match lane {
                Lane::Contact(_) => everything(snapshot),
                Lane::Channel(_) => TurnCommit::new(snapshot.event.id),
            };
            assert!(store.commit(commit, NOW).await.unwrap());
        }
    }
}

fn assert_ended(child: &mut Child, folder: &Path, by: i32) {
    use std::os::unix::process::ExitStatusExt;
    let status = child.wait().unwrap();
    let mut said = String::new();
    File::open(folder.with_extension("err")).unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(status.signal(), Some(by), "the child ended otherwise: {said}");
}

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// The same folder over many rounds: what recovery made is crashed again.
#[tokio::test]
async fn promises_outlive_a_kill_at_any_moment() {
    let seed = switchboard::clock::SystemClock.now();
    println!("seed {seed}");
    let chance = SimulatedClock::new(0, seed);
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("store");
    std::fs::create_dir(&folder).unwrap();
    let mut promises = Promises::default();
    for round in 0..12 {
        let mut child = start(&folder, round, 6, u64::MAX);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let child = Arc::new(Mutex::new(child));
        let mut delay = Some(Duration::from_micros((chance.jitter() * 150_000.0) as u64));
        for line in lines {
            let line = line.unwrap();
            promises.note(&line);
            if let Some(delay) = delay.take_if(|_| line.starts_with("promised")) {
                // While this thread goes on reading what is promised.
                let child = child.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(delay);
                    child.lock().unwrap().kill().unwrap();
                });
            }
        }
        assert_ended(&mut child.lock().unwrap(), &folder, SIGKILL);
        check(&folder, &promises).await;
        drain(&folder).await;
    }
    assert!(promises.count() > 500, "only {} promises were made", promises.count());
}

/// A new folder for each step at which the child ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn promises_outlive_an_end_at_every_step() {
    const STEPS: u64 = 40;
    let parent = tempfile::tempdir().unwrap();
    let mut rounds = Vec::new();
    for lane in 0..3 {
        let parent = parent.path().to_owned();
        rounds.push(tokio::spawn(async move {
            let mut counts = Vec::new();
            for step in (1 + lane..=STEPS).step_by(3) {
                let folder = parent.join(format!("{step}"));
                std::fs::create_dir(&folder).unwrap();
                let mut child = start(&folder, 0, 1, step);
                let mut promises = Promises::default();
                for line in BufReader::new(child.stdout.take().unwrap()).lines() {
                    promises.note(&line.unwrap());
                }
                assert_ended(&mut child, &folder, SIGABRT);
                check(&folder, &promises).await;
                counts.push((step, promises.count()));
            }
            counts
        }));
    }
    let mut counts = Vec::new();
    for round in rounds {
        counts.extend(round.await.unwrap());
    }
    counts.sort();
    // One task waits for each of its writes, so each takes four steps, and its
    // promise comes after the last of them: never before, and never lost.
    for (step, count) in counts {
        assert_eq!(count as u64, (step - 1) / 4, "promises made before step {step}");
    }
}

/// Killed while it opens a folder for the first time, or just after.
#[tokio::test]
async fn an_opening_cut_short_can_be_repeated() {
    let parent = tempfile::tempdir().unwrap();
    for round in 0..12 {
        let folder = parent.path().join(format!("{round}"));
        std::fs::create_dir(&folder).unwrap();
        let mut child = start(&folder, round, 1, u64::MAX);
        std::thread::sleep(Duration::from_millis(2 * round));
        child.kill().unwrap();
        let mut promises = Promises::default();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        said.lines().for_each(|line| promises.note(line));
        assert_ended(&mut child, &folder, SIGKILL);
        check(&folder, &promises).await;
    }
}
