//! Rules are edited while messages come.

use axum::http::StatusCode;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use switchboard_tests::{
    eventually,
    meta::{Graph, post_webhook, text_from},
    server::Server,
    shop::{FAQ, Shop},
};

/// Asks without a pause until told to stop; every webhook must be taken.
async fn ask_on(server: String, stop: Arc<AtomicBool>) -> usize {
    let mut asked = 0;
    while !stop.load(Ordering::SeqCst) {
        let phone = format!("1888{asked:07}");
        let body = text_from(&phone, &format!("wamid.{asked}"), "When do you open?");
        assert_eq!(post_webhook(&server, "main", &body).await, Ok(StatusCode::OK));
        asked += 1;
    }
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn edited_rules_go_live_and_broken_ones_do_not() {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let server = Server::start(&shop);
    graph.give_receipts(&server.public);
    let stop = Arc::new(AtomicBool::new(false));
    let load = tokio::spawn(ask_on(server.public.clone(), Arc::clone(&stop)));
    graph.wait_for(20).await;

    let saying = |text: &str| graph.sent().iter().filter(|sent| sent.text() == text).count();
    shop.replace("rules/faq.toml", &FAQ.replace("9 to 18", "8 to 20"));
    eventually("the new answer", || saying("We are open 8 to 20.") > 0).await;

    // A misspelt key: the last good rules stay, and it is said where it stands.
    let broken = FAQ.replace("say = \"There is", "sya = \"There is");
    let line = 1 + broken.lines().position(|line| line.starts_with("sya")).unwrap();
    shop.replace("rules/faq.toml", &broken);
    let mut problems = serde_json::Value::Null;
    for _ in 0..500 {
        problems = server.admin_get("/readyz").await["generation"]["problems"].clone();
        if problems != serde_json::json!([]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let named = problems.as_array().unwrap().iter().any(|problem| {
        problem["file"] == "rules/faq.toml"
            && problem["line"] == line
            && problem.to_string().contains("sya")
    });
    assert!(named, "{problems}");
    let said = format!("rules/faq.toml:{line}");
    assert!(server.log.lock().unwrap().contains(&said), "the log names {said}");
    let before = saying("We are open 8 to 20.");
    eventually("the old rules to go on", || saying("We are open 8 to 20.") > before + 20).await;

    shop.replace("rules/faq.toml", &FAQ.replace("9 to 18", "7 to 21"));
    eventually("the mended answer", || saying("We are open 7 to 21.") > 0).await;
    assert_eq!(server.admin_get("/readyz").await["generation"]["problems"], serde_json::json!([]));

    stop.store(true, Ordering::SeqCst);
    let asked = load.await.unwrap();
    let sent = graph.wait_for(asked).await;
    assert_eq!(sent.len(), asked, "each question has one answer");
    let known = ["We are open 9 to 18.", "We are open 8 to 20.", "We are open 7 to 21."];
    assert!(sent.iter().all(|sent| known.contains(&sent.text())), "no turn saw half a change");
    eprintln!("{asked} questions asked and answered over three edits");
}
