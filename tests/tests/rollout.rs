//! A plugin is replaced by another version while customers write: real
//! components, the real process.

#[path = "plugin/stage.rs"]
mod stage;

use axum::http::StatusCode;
use serde_json::Value;
use stage::{HOSTILE, LOYALTY, Step, load_file, patched, plugins, says, step};
use std::{
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use switchboard::turn::StepError;
use switchboard_tests::{
    meta::{Graph, post_webhook, text_from},
    server::{Server, binary},
    shop::{FAQ, Shop, text},
};

/// Has the step `points`; `handle` is for the plugin that misbehaves.
fn shop(graph: &Graph, rollout: &str) -> Shop {
    let shop = Shop::new(&graph.url);
    let chain = format!(
        "[[step]]\nname = 'points'\nplugin = 'plugins/points.wasm'\nrules = 'rules/points.toml'\n\
         limits = {{ time_ms = 5000 }}\nrollout = {{ {rollout} }}\n\n\
         [[step]]\nname = 'faq'\nplugin = 'faq'\nrules = 'rules/faq.toml'\n"
    );
    shop.write("chains/default.toml", &chain);
    shop.write("rules/points.toml", "ask = 'points'\nhandle = 'panic'\n");
    std::fs::create_dir_all(shop.path("plugins")).unwrap();
    put(&shop, LOYALTY);
    shop
}

/// Puts a version into the folder, whole.
fn put(shop: &Shop, component: &[u8]) {
    let new = shop.path("plugins/points.new~");
    std::fs::write(&new, component).unwrap();
    std::fs::rename(new, shop.path("plugins/points.wasm")).unwrap();
}

/// Answers in other words.
fn other() -> Vec<u8> {
    patched(LOYALTY, "You have ", "You hold ")
}

async fn reload(server: &Server) -> Value {
    let url = format!("{}/api/v1/reload", server.admin);
    switchboard_tests::client().post(url).send().await.unwrap().json().await.unwrap()
}

async fn points(server: &Server) -> Value {
    server.admin_get("/api/v1/plugins").await["plugins"][0].clone()
}

/// A new customer asks; what comes is returned.
async fn ask(server: &Server, graph: &Graph, phone: &str) -> String {
    let before = graph.count();
    let body = text_from(phone, &format!("wamid.{phone}"), "my points?");
    assert_eq!(post_webhook(&server.public, "main", &body).await, Ok(StatusCode::OK));
    let sent = graph.wait_for(before + 1).await;
    let own: Vec<_> = sent.iter().filter(|sent| sent.to == phone).collect();
    assert_eq!(own.len(), 1, "one answer for each");
    own[0].text().to_owned()
}

fn with_admin(server: &Server, arguments: &[&str]) -> Output {
    let admin = server.admin.strip_prefix("http://").unwrap();
    let mut command = Command::new(binary());
    command.env("SWITCHBOARD__HTTP__ADMIN", admin).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Customers write without a pause until told to stop.
async fn ask_on(server: String, stop: Arc<AtomicBool>) -> usize {
    let mut asked = 0;
    while !stop.load(Ordering::SeqCst) {
        let phone = format!("1888{asked:07}");
        let body = text_from(&phone, &format!("wamid.{asked}"), "my points?");
        assert_eq!(post_webhook(&server, "main", &body).await, Ok(StatusCode::OK));
        asked += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_traps_is_rolled_back_and_every_customer_is_answered() {
    let graph = Graph::start().await;
    let shop = shop(&graph, "watch = 1000, failures = 4");
    let server = Server::start(&shop);
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(ask_on(server.public.clone(), Arc::clone(&stop)));
    graph.wait_for(10).await;
    put(&shop, HOSTILE);
    let mut status = Value::Null;
    for _ in 0..3_000 {
        status = server.admin_get("/api/v1/status").await;
        if status.to_string().contains("rolled back") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let warning = status["readiness"]["generation"]["warnings"][0].clone();
    assert_eq!((&warning["file"], &warning["line"]), (&"chains/default.toml".into(), &3.into()));
    let message = warning["message"].as_str().unwrap();
    assert!(message.starts_with("hostile 0.1.0 was rolled back at "), "{message}");
    assert!(message.contains("loyalty 0.1.0 runs instead: 4 of 4 turns failed"), "{message}");
    let before = graph.count();
    graph.wait_for(before + 10).await;
    stop.store(true, Ordering::SeqCst);
    let asked = load.await.unwrap();
    graph.wait_for(asked).await;
    let tally = graph.tally();
    assert_eq!(tally.len(), asked);
    assert!(tally.values().all(|count| *count == 1), "nobody is answered twice");
    assert!(tally.keys().all(|(_, text)| text == "You have 10 points."), "{tally:?}");

    let report = points(&server).await;
    assert_eq!(report["plugin"], "loyalty 0.1.0");
    assert_eq!(report["rollout"]["phase"], "rolled-back");
    // Turns that had begun with it may have failed after the fourth.
    let traps = report["vitals"]["errors"]["trap"].as_u64().unwrap();
    assert!(traps >= 4, "{report}");
    assert_eq!(report["vitals"]["rollbacks"], 1);
    assert!(report["vitals"]["memory_bytes"].as_u64().unwrap() >= 64 * 1024, "{report}");
    assert!(report["vitals"]["cpu"]["mean_us"].as_u64().unwrap() > 0, "{report}");

    // A reload of something else leaves it as it is.
    shop.replace("rules/faq.toml", &FAQ.replace("9 to 18", "8 to 20"));
    let answer = reload(&server).await;
    assert!(answer["generation"].as_u64() > Some(2), "{answer}");
    assert!(answer["warnings"].to_string().contains("rolled back"), "{answer}");
    assert_eq!(ask(&server, &graph, "19990001").await, "You have 10 points.");
    assert_eq!(points(&server).await["vitals"]["errors"]["trap"], traps, "it was not tried again");

    people_are_told(&server, &shop);

    // A mended one goes live.
    put(&shop, &other());
    reload(&server).await;
    assert_eq!(ask(&server, &graph, "19990002").await, "You hold 10 points.");
    let report = points(&server).await;
    assert_eq!(report["rollout"]["phase"], "watch");
    assert_eq!(report["rollout"]["beside"], "loyalty 0.1.0");
    let status = server.admin_get("/api/v1/status").await;
    assert_eq!(status["readiness"]["generation"]["warnings"], serde_json::json!([]));
}

fn people_are_told(server: &Server, shop: &Shop) {
    let told = with_admin(server, &["reload", text(&shop.folder)]);
    assert!(said(&told).contains("warning: chains/default.toml:3: step[0].plugin: hostile 0.1.0"));
    let list = said(&with_admin(server, &["plugin", "list", text(&shop.folder)]));
    eprintln!("{list}");
    let row = list.lines().find(|line| line.starts_with("points ")).unwrap();
    assert!(row.contains("loyalty 0.1.0") && row.ends_with("ROLLED BACK, see below"), "{row}");
    assert!(list.contains("points: hostile 0.1.0 was rolled back"), "{list}");
    let arguments = ["plugin", "list", text(&shop.folder), "--logs", "points"];
    let logs = said(&with_admin(server, &arguments));
    eprintln!("{logs}");
    assert!(logs.contains("hostile 0.1.0: crashed: boom at 5"), "{logs}");
    let unknown = ["plugin", "list", text(&shop.folder), "--logs", "pionts"];
    let unknown = with_admin(server, &unknown);
    let words = String::from_utf8(unknown.stderr).unwrap();
    assert!(words.contains("there is no step `pionts`: there are `points`, `faq`"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_in_the_shadow_is_compared_and_then_goes_live() {
    let graph = Graph::start().await;
    let shop = shop(&graph, "shadow = 3, watch = 2");
    let server = Server::start(&shop);
    assert_eq!(ask(&server, &graph, "18880000").await, "You have 10 points.");
    put(&shop, &other());
    reload(&server).await;
    for turn in 0..3 {
        let report = points(&server).await;
        assert_eq!(report["rollout"]["phase"], "shadow");
        assert_eq!(report["rollout"]["differences"], turn);
        let phone = format!("1888001{turn}");
        assert_eq!(ask(&server, &graph, &phone).await, "You have 10 points.");
    }
    let found = server.admin_get("/api/v1/plugins/points/differences").await;
    let found = found["differences"].as_array().unwrap();
    assert_eq!(found.len(), 3);
    let one = &found[0];
    assert_eq!(one["differs"], serde_json::json!(["effects"]));
    assert_eq!(one["old"]["effects"], serde_json::json!(["replied: You have 10 points."]));
    assert_eq!(one["new"]["effects"], serde_json::json!(["replied: You hold 10 points."]));
    let arguments = ["plugin", "list", text(&shop.folder), "--differences", "points"];
    let shown = said(&with_admin(&server, &arguments));
    eprintln!("{shown}");
    assert_eq!(shown.lines().filter(|line| line.ends_with(" differ: effects")).count(), 3);
    assert!(shown.contains("replied: You hold 10 points."), "{shown}");
    // Two builds of one version are told apart by their hash.
    let label = one["new"]["plugin"].as_str().unwrap();
    assert!(label.starts_with("loyalty 0.1.0 ("), "{label}");
    for turn in 0..2 {
        assert_eq!(points(&server).await["rollout"]["phase"], "watch");
        let phone = format!("1888002{turn}");
        assert_eq!(ask(&server, &graph, &phone).await, "You hold 10 points.");
        let lookup = server.lookup(&phone).await;
        assert_eq!(lookup["turns"][0]["steps"][0]["plugin"], label, "the trace says what ran");
    }
    assert_eq!(points(&server).await["rollout"]["phase"], "settled");
    // New rules are the owner's own edit: live at once.
    shop.replace("rules/points.toml", "ask = 'points'\n");
    reload(&server).await;
    let report = points(&server).await;
    assert_eq!(
        (&report["rollout"]["phase"], &report["plugin"]),
        (&"settled".into(), &label.into())
    );
    assert_eq!(report["vitals"]["turns"], 6, "counted on across generations and versions");

    let url = format!("{}/metrics", server.admin);
    let metrics = switchboard_tests::client().get(url).send().await.unwrap().text().await.unwrap();
    for line in [
        r#"switchboard_plugin_turns_total{step="points",plugin="loyalty 0.1.0"} 4"#,
        r#"switchboard_plugin_differences_total{step="points"} 3"#,
        r#"switchboard_plugin_cpu_seconds_total{step="points"} 0."#,
        r#"switchboard_plugin_memory_bytes{step="points"} "#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    let logs = server.log.lock().unwrap().clone();
    assert!(!logs.contains("You hold"), "what is said to customers is in the API alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_list_shows_the_folder() {
    let graph = Graph::start().await;
    let shop = shop(&graph, "");
    let command = |arguments: &[&str]| {
        let mut command = Command::new(binary());
        // Nothing listens on the discard port.
        command.env("SWITCHBOARD__HTTP__ADMIN", "127.0.0.1:9");
        command.args(["plugin", "list", text(&shop.folder)]).args(arguments).output().unwrap()
    };
    let list = command(&[]);
    assert_eq!(list.status.code(), Some(0));
    let list = said(&list);
    eprintln!("{list}");
    assert!(list.contains("loyalty 0.1.0") && list.contains("nothing runs"), "{list}");
    let json: Value = serde_json::from_slice(&command(&["--json"]).stdout).unwrap();
    assert_eq!((&json["running"], &json["plugins"][1]["step"]), (&false.into(), &"faq".into()));
    assert_eq!(command(&["--logs", "points"]).status.code(), Some(3));
    shop.write("plugins/points.wasm", "no component");
    assert_eq!(command(&[]).status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_turn_uses_is_measured() {
    let plugins = plugins();
    let loyalty = load_file(&plugins, LOYALTY).await.unwrap();
    let rules = serde_json::json!({ "ask": "points" });
    let loyalty = loyalty.configure(&step("points"), &rules).await.unwrap();
    let ran = loyalty.run(says("points?")).await;
    assert!(ran.outcome.is_ok() && ran.usage.cpu > Duration::ZERO);
    assert!(ran.usage.memory_bytes >= 64 * 1024, "{:?}", ran.usage);

    let hostile = load_file(&plugins, HOSTILE).await.unwrap();
    let mut config = step("hostile");
    config.limits.time_ms = 50;
    let rules = serde_json::json!({ "handle": "loop" });
    let looping = hostile.configure(&config, &rules).await.unwrap();
    let ran = looping.run(says("hi")).await;
    assert!(matches!(ran.outcome, Err(StepError::Deadline { .. })));
    assert!(ran.usage.cpu > Duration::from_millis(20), "{:?}", ran.usage);
    config.limits.time_ms = 5_000;
    let rules = serde_json::json!({ "handle": "memory" });
    let greedy = hostile.configure(&config, &rules).await.unwrap();
    let ran = greedy.run(says("hi")).await;
    assert!(matches!(ran.outcome, Err(StepError::Memory { .. })));
    let megabytes = ran.usage.memory_bytes / 1024 / 1024;
    assert!((32..=64).contains(&megabytes), "{megabytes}");
}
