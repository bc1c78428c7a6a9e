//! Which code runs, what it is made from, and that nothing of one contact
//! stays for the next where it must not.

#[path = "plugin/stage.rs"]
mod stage;

use stage::*;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use switchboard::{
    config::Isolation,
    plugin::{Isolated, Loads, Plugin, PluginStep, Plugins},
};
use switchboard_tests::{
    components::{nested, remarked, swollen},
    eventually,
    meta::{Graph, post_webhook, text_from},
    server::Server,
    shop::{CHAIN, Shop},
};

const LEAKY: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_LEAKY"));

async fn step_of(
    plugin: &Arc<Plugin>,
    isolation: Isolation,
    rules: serde_json::Value,
) -> PluginStep {
    let mut config = step("leaky");
    config.isolation = isolation;
    plugin.configure(&config, &rules).await.unwrap()
}

fn greeting() -> serde_json::Value {
    serde_json::json!({ "greeting": "before" })
}

/// What it replies and why.
async fn answer(step: &PluginStep, text: &str) -> (String, String) {
    let (draft, verdict) = step.run(says(text)).await.into_parts();
    assert!(verdict.is_ok(), "{verdict:?}");
    (replies(&draft)[0].to_owned(), draft.because[0].clone())
}

async fn until_snapshot(step: &PluginStep) {
    eventually("the snapshot", || match step.isolation() {
        Isolated::Snapshot => true,
        Isolated::Configured { why } => {
            assert!(!why.contains("cannot"), "{why}");
            false
        }
        Isolated::Warm { why } => panic!("{why}"),
    })
    .await;
}

mod isolation {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn fresh_never_tells_one_contact_what_another_wrote() {
        let leaky = load_file(&plugins(), LEAKY).await.unwrap();
        assert_eq!(leaky.snapshot_possible(), Ok(()));
        for isolation in [Isolation::Fresh, Isolation::Auto] {
            let step = step_of(&leaky, isolation, greeting()).await;
            let nothing = ("before: nothing".to_owned(), "configured 1 times, 0 bytes".to_owned());
            assert!(matches!(step.isolation(), Isolated::Configured { .. }));
            assert_eq!(answer(&step, "my secret").await, nothing);
            assert_eq!(answer(&step, "hello").await, nothing);
            until_snapshot(&step).await;
            assert_eq!(step.isolation().to_string(), "fresh from a snapshot");
            for _ in 0..20 {
                assert_eq!(answer(&step, "my secret").await, nothing);
            }
        }
    }

    /// What the test above is about can happen.
    #[tokio::test(flavor = "multi_thread")]
    async fn warm_does() {
        let leaky = load_file(&plugins(), LEAKY).await.unwrap();
        let step = step_of(&leaky, Isolation::Warm, greeting()).await;
        answer(&step, "my secret").await;
        assert_eq!(answer(&step, "hello").await.0, "before: my secret");
        assert_eq!(step.isolation().to_string(), "warm: the step asks for it");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_kept_is_configured_each_time() {
        let leaky = load_file(&plugins(), LEAKY).await.unwrap();
        let cases = [
            (serde_json::json!({ "greeting": "before", "print": true }), "holds something"),
            (serde_json::json!({ "greeting": "before", "fill": 20 }), "16 MB are allowed"),
        ];
        for (rules, expected) in cases {
            let step = step_of(&leaky, Isolation::Auto, rules).await;
            let first = answer(&step, "my secret").await;
            eventually("the reason", || step.isolation().to_string().contains("cannot be")).await;
            let why = step.isolation().to_string();
            assert!(why.contains(expected), "{why}");
            assert_eq!(answer(&step, "hello").await, first);
            assert!(first.1.starts_with("configured 1 times"), "{}", first.1);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn auto_is_warm_where_fresh_would_cost_too_much() {
        let plugins = plugins();
        let tagger = plugins.load(&bundled("tagger")).await.unwrap();
        let step = tagger.configure(&step("tagger"), &default_rules("tagger")).await.unwrap();
        assert!(step.isolation().to_string().starts_with("warm: a bundled"));
        let nested = load_file(&plugins, &nested(LEAKY)).await.unwrap();
        let why = "it is made of several components in each other";
        assert_eq!(nested.snapshot_possible(), Err(why));
        let step = step_of(&nested, Isolation::Auto, greeting()).await;
        assert_eq!(step.isolation().to_string(), format!("warm: it cannot be snapshotted: {why}"));
        // Asked for, it is fresh all the same.
        let step = step_of(&nested, Isolation::Fresh, greeting()).await;
        answer(&step, "my secret").await;
        assert_eq!(answer(&step, "hello").await.0, "before: nothing");
    }
}

mod kept {
    use super::*;

    fn host(cache: &Path) -> Arc<Plugins> {
        plugins_with(Some(cache.into()), clock())
    }

    fn files(cache: &Path) -> Vec<std::path::PathBuf> {
        let listed = std::fs::read_dir(cache).unwrap().map(|it| it.unwrap().path());
        listed.filter(|path| path.extension().is_some_and(|it| it == "cwasm")).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_restart_takes_the_snapshot_from_disk() {
        let folder = tempfile::tempdir().unwrap();
        let leaky = load_file(&host(folder.path()), LEAKY).await.unwrap();
        let plain = files(folder.path());
        let step = step_of(&leaky, Isolation::Auto, greeting()).await;
        answer(&step, "hello").await;
        until_snapshot(&step).await;

        let plugins = host(folder.path());
        let leaky = load_file(&plugins, LEAKY).await.unwrap();
        assert_eq!(plugins.loads(), Loads { compiled: 0, from_cache: 1 });
        assert!(leaky.code().cached);
        let step = step_of(&leaky, Isolation::Auto, greeting()).await;
        // No message has come yet.
        assert_eq!(step.isolation(), Isolated::Snapshot);
        assert_eq!(answer(&step, "hello").await.1, "configured 1 times, 0 bytes");
        let other = serde_json::json!({ "greeting": "you said" });
        let step = step_of(&leaky, Isolation::Auto, other).await;
        assert_ne!(step.isolation(), Isolated::Snapshot, "other rules, another snapshot");
        assert_eq!(answer(&step, "hello").await.0, "you said: nothing");
        until_snapshot(&step).await;
        assert_eq!(answer(&step, "hello").await.0, "you said: nothing");

        let snapshots: Vec<_> =
            files(folder.path()).into_iter().filter(|it| !plain.contains(it)).collect();
        assert_eq!(snapshots.len(), 2);
        // One under the other's name, and one cut short.
        std::fs::copy(&snapshots[0], &snapshots[1]).unwrap();
        std::fs::write(&snapshots[0], b"swbcwsm2").unwrap();
        let leaky = load_file(&host(folder.path()), LEAKY).await.unwrap();
        let step = step_of(&leaky, Isolation::Auto, greeting()).await;
        assert_ne!(step.isolation(), Isolated::Snapshot);
        assert_eq!(answer(&step, "hello").await.0, "before: nothing");
        until_snapshot(&step).await;
        assert_eq!(answer(&step, "hello").await.0, "before: nothing");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_folder_that_cannot_be_written_costs_only_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let plugins = host(&file.join("compiled"));
        load_file(&plugins, LEAKY).await.unwrap();
        assert_eq!(plugins.loads(), Loads { compiled: 1, from_cache: 0 });
        // One that goes away while it is in use.
        let gone = folder.path().join("gone");
        let plugins = host(&gone);
        std::fs::remove_dir(&gone).unwrap();
        load_file(&plugins, LEAKY).await.unwrap();
        assert!(!gone.exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_same_bytes_are_compiled_once_and_others_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let (plugins, again) = (host(folder.path()), host(folder.path()));
        let different: Vec<_> = (0..3).map(|n| remarked(LEAKY, &n.to_string())).collect();
        let all = || different.iter().chain(&different).map(|bytes| load_file(&plugins, bytes));
        let loaded = futures::future::join_all(all()).await;
        assert!(loaded.iter().all(|it| it.as_ref().unwrap().descriptor().name == "leaky"));
        assert_eq!(plugins.loads(), Loads { compiled: 3, from_cache: 0 });
        for bytes in &different {
            load_file(&again, bytes).await.unwrap();
        }
        assert_eq!(again.loads(), Loads { compiled: 0, from_cache: 3 });
    }
}

mod tiers {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_big_plugin_is_live_on_winch_and_moves_to_cranelift() {
        let folder = tempfile::tempdir().unwrap();
        let cache = || plugins_with(Some(folder.path().into()), clock());
        let big = swollen(LEAKY, 1_300);
        let plugins = cache();
        let plugin = load_file(&plugins, &big).await.unwrap();
        let report = plugin.code();
        assert_eq!((report.component_bytes, report.cached), (big.len(), false));
        // Where the processor has no Winch there is nothing to swap.
        let quick = cfg!(target_arch = "x86_64");
        assert_eq!(report.compiler, if quick { "winch" } else { "cranelift" });
        let step = step_of(&plugin, Isolation::Warm, greeting()).await;
        assert_eq!(answer(&step, "one").await.0, "before: nothing");
        assert_eq!(answer(&step, "two").await.0, "before: one");
        // Loaded again meanwhile: the same code, not compiled again.
        let again = load_file(&plugins, &big).await.unwrap();
        eventually("cranelift", || plugin.code().compiler == "cranelift").await;
        assert_eq!(again.code(), plugin.code());
        assert_eq!(plugins.loads(), Loads { compiled: 1, from_cache: 0 });
        if quick {
            // The idle instance was of the old code and is gone, and the next
            // one stays.
            assert_eq!(answer(&step, "three").await.0, "before: nothing");
        }
        answer(&step, "three").await;
        assert_eq!(answer(&step, "four").await.0, "before: three");
        let auto = step_of(&plugin, Isolation::Auto, greeting()).await;
        assert!(auto.isolation().to_string().starts_with("warm: it takes seconds"));

        // With Cranelift's code on disk there is no need of Winch.
        let plugins = cache();
        let plugin = load_file(&plugins, &big).await.unwrap();
        let report = plugin.code();
        assert_eq!((report.compiler, report.cached), ("cranelift", true));
        let step = step_of(&plugin, Isolation::Fresh, greeting()).await;
        assert_eq!(answer(&step, "hello").await.0, "before: nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_limits_hold_on_both_engines() {
    let plugins = plugins();
    for bytes in [HOSTILE.to_vec(), swollen(HOSTILE, 1_300)] {
        let plugin = load_file(&plugins, &bytes).await.unwrap();
        let mut config = step("hostile");
        config.limits.time_ms = 20;
        let rules = serde_json::json!({ "handle": "loop" });
        let step = plugin.configure(&config, &rules).await.unwrap();
        let (_, outcome) = step.run(says("hi")).await.into_parts();
        let limit = Duration::from_millis(20);
        assert_eq!(outcome, Err(switchboard::turn::StepError::Deadline { limit }));
    }
}

/// The whole of it, as an owner sees it: a big plugin is dropped into a busy
/// folder.
#[tokio::test(flavor = "multi_thread")]
async fn a_big_plugin_goes_live_while_others_are_answered() {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let server = Server::start_cold(&shop);
    let stop = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn(ask_on(server.public.clone(), stop.clone()));
    graph.wait_for(5).await;

    std::fs::create_dir(shop.path("plugins")).unwrap();
    std::fs::write(shop.path("plugins/big.wasm"), swollen(LEAKY, 1_300)).unwrap();
    shop.write("rules/big.toml", "greeting = \"big\"");
    let step =
        "[[step]]\nname = \"big\"\nplugin = \"plugins/big.wasm\"\nrules = \"rules/big.toml\"\n";
    let before = graph.count();
    shop.replace("chains/default.toml", &format!("{step}{CHAIN}"));
    // As many as came until the new one answered.
    let by_new = || graph.sent().iter().position(|sent| sent.text().starts_with("big: "));
    eventually("the new plugin's answer", || by_new().is_some()).await;
    assert!(by_new().unwrap() > before, "nobody was answered while it was compiled");
    if cfg!(target_arch = "x86_64") {
        let swapped = || server.log.lock().unwrap().contains("runs on cranelift's code");
        eventually("cranelift", swapped).await;
        let before = graph.count();
        graph.wait_for(before + 5).await;
    }
    stop.store(true, Ordering::SeqCst);
    let asked = asking.await.unwrap();
    let sent = graph.wait_for(asked).await;
    assert_eq!(sent.len(), asked, "each question has one answer");
    let known = |text: &str| text.starts_with("big: ") || text == "We are open 9 to 18.";
    assert!(sent.iter().all(|sent| known(sent.text())));
    assert_eq!(server.admin_get("/readyz").await["generation"]["problems"], serde_json::json!([]));
}

/// One question after the other; every webhook must be taken.
async fn ask_on(server: String, stop: Arc<AtomicBool>) -> usize {
    let mut asked = 0;
    while !stop.load(Ordering::SeqCst) {
        let body =
            text_from(&format!("1888{asked:07}"), &format!("wamid.{asked}"), "When do you open?");
        assert_eq!(post_webhook(&server, "main", &body).await.map(|code| code.as_u16()), Ok(200));
        asked += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    asked
}
