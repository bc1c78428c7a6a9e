//! An event whose turn ends the whole process: the host comes back each time,
//! serves the others, and puts it aside in the end. The process is a child,
//! with a step that aborts on a certain text.

use arc_swap::ArcSwap;
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};
use switchboard::{
    clock::SystemClock,
    dispatch::Dispatch,
    generation::{Channel, Generation},
    model::*,
    provider::meta::Meta,
    store::{SledOptions, Store, open_sled},
    telemetry::TurnMetrics,
    turn::{Chain, ChainStep, Draft, DraftLimits, Ran, Step},
    wake::Bell,
};
use switchboard_tests::store_cases::{NOW, message, phone};

const FOLDER: &str = "SWITCHBOARD_TEST_LOOP_FOLDER";
const ACCEPT: &str = "SWITCHBOARD_TEST_LOOP_ACCEPT";
const ATTEMPTS: &str = "SWITCHBOARD_TEST_LOOP_ATTEMPTS";
const SIGABRT: i32 = 6;
const CONTACTS: u64 = 20;
/// The contact with whose second message the process ends.
const POISONED: u64 = 7;

fn open(folder: &Path) -> Arc<dyn Store> {
    open_sled(folder, &SledOptions { cache_mb: 8, reserve_mb: 0 }).unwrap()
}

// The child.

struct Aborts;

#[async_trait]
impl Step for Aborts {
    fn name(&self) -> &str {
        "aborts"
    }
    fn plugin(&self) -> &str {
        "aborts 0.1.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, draft: Draft) -> Ran {
        if let EventKind::Message(Message { content: Content::Text(text), .. }) =
            &draft.event().kind
            && text.starts_with("poison")
        {
            std::process::abort();
        }
        Ran::unmeasured(draft, Ok(Verdict::Continue), self.plugin())
    }
}

fn generation(attempts: u32) -> Generation {
    let config = switchboard_tests::shop::channel("https://graph.example");
    let id = ChannelId::new("main");
    let step = ChainStep {
        step: Arc::new(Aborts),
        on_error: Default::default(),
        error_reply: None,
        grants: Default::default(),
        limits: DraftLimits { effects: 1, log_lines: 1, value_bytes: 1, kv_bytes: 1 },
        rules: Default::default(),
    };
    let chain = Arc::new(Chain { name: "default".into(), steps: vec![step] });
    let provider = Arc::new(Meta::new(&config));
    let channel = Arc::new(Channel { id: id.clone(), config, provider, chain });
    let text = format!("[turns]\nattempts = {attempts}\nparallel = 8");
    Generation {
        number: 1,
        calendar: None,
        business: Arc::new(toml::from_str(&text).unwrap()),
        channels: BTreeMap::from([(id, channel)]),
        by_number: Default::default(),
        consent: Default::default(),
        warnings: Vec::new(),
        wants: Default::default(),
        origins: Default::default(),
    }
}

/// Does nothing unless it runs as the child.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = open(Path::new(&folder));
    let attempts = std::env::var(ATTEMPTS).unwrap().parse().unwrap();
    let bell = Bell::default();
    let dispatch = Arc::new(Dispatch {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        generation: Arc::new(ArcSwap::from_pointee(generation(attempts))),
        bell: bell.clone(),
        outbox: Bell::default(),
        timers: Bell::default(),
        templates: Default::default(),
        metrics: TurnMetrics::default(),
    });
    let (end, ended) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(dispatch.run(ended));
    if std::env::var_os(ACCEPT).is_some() {
        let said = |id: u64, n: u64| {
            let what = if (id, n) == (POISONED, 1) { "poison" } else { "hello" };
            message(phone(&format!("1555{id:02}")), &format!("{what} {n} of {id}"))
        };
        let batch = (0..3).flat_map(|n| (1..=CONTACTS).map(move |id| said(id, n))).collect();
        store.accept(batch, NOW).await.unwrap();
        bell.ring();
    }
    while store.depths().await.unwrap().lanes > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    end.send_replace(true);
    running.await.unwrap();
    store.end_run().await.unwrap();
}

// The parent.

fn run(folder: &Path, attempts: u32, accept: bool) -> ExitStatus {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["child", "--exact"]).env(FOLDER, folder).env(ATTEMPTS, attempts.to_string());
    if accept {
        child.env(ACCEPT, "1");
    }
    child.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap()
}

/// Runs children until one ends in good order. How many did not.
fn crashes(folder: &Path, attempts: u32) -> u32 {
    for crashes in 0..20 {
        let status = run(folder, attempts, crashes == 0);
        if status.success() {
            return crashes;
        }
        assert_eq!(status.signal(), Some(SIGABRT), "{status}");
    }
    panic!("it would never end");
}

#[tokio::test]
async fn an_event_that_ends_the_process_is_put_aside() {
    for attempts in [1, 3] {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("store");
        // Once when nobody expects it, then as often as it may be tried.
        assert_eq!(crashes(&folder, attempts), 1 + attempts);
        let store = open(&folder);
        let parked = store.parked(99).await.unwrap();
        let [only] = &parked[..] else { panic!("{parked:?}") };
        assert_eq!(only.event.id.to_string(), format!("c{POISONED}-2"));
        assert_eq!(only.reason, format!("its turn failed {attempts} times"));
        for id in 1..=CONTACTS {
            let lane = Lane::Contact(ContactId(id));
            let traces = store.traces(&lane, None, 99).await.unwrap();
            let seqs: Vec<u64> = traces.iter().map(|trace| trace.turn.seq).collect();
            assert_eq!(seqs, [3, 2, 1], "{lane}");
            let done = traces.iter().filter(|trace| trace.steps.len() == 1).count();
            assert_eq!(done, if id == POISONED { 2 } else { 3 }, "{lane}");
        }
        assert!(store.begin_run().await.unwrap(), "the last one ended in good order");
    }
}
