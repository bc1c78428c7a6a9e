//! Real payloads, signed anew, through a running server: each gets its 200,
//! and nothing in the log is an error but what they say themselves: that an
//! account may not send.

use axum::http::StatusCode;
use serde_json::Value;
use std::collections::BTreeSet;
use switchboard_tests::{
    corpus,
    meta::{Graph, post_webhook},
    server::Server,
    shop::{Shop, switchboard_toml},
};

#[tokio::test(flavor = "multi_thread")]
async fn real_payloads_are_all_taken() {
    let Some(folder) = corpus("whatsapp/payloads/meta") else { return };
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| file.file_name().unwrap() != "signature_vectors.json");
    let bodies: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();

    // A channel for each number that the payloads name.
    let numbers: BTreeSet<String> = bodies.iter().flat_map(|body| numbers_in(body)).collect();
    let ids: Vec<String> = (0..numbers.len()).map(|n| format!("n{n}")).collect();
    let mut channels: Vec<(&str, &str)> =
        ids.iter().map(String::as_str).zip(numbers.iter().map(String::as_str)).collect();
    channels.push(("main", "1060"));
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    shop.write("switchboard.toml", &switchboard_toml(&graph.url, &channels, ""));
    let server = Server::start(&shop);

    let (mut messages, mut statuses) = (0, 0);
    for (file, body) in files.iter().zip(&bodies) {
        let answer = post_webhook(&server.public, "main", body).await;
        assert_eq!(answer, Ok(StatusCode::OK), "{}", file.display());
        let json: Value = serde_json::from_slice(body).unwrap();
        messages += count(&json, "messages");
        statuses += count(&json, "statuses");
    }
    let metric = |name: &str, text: &str| -> u64 {
        text.lines()
            .filter(|line| line.starts_with(name))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            .sum()
    };
    let url = format!("{}/metrics", server.admin);
    let mut text = String::new();
    for _ in 0..500 {
        text = switchboard_tests::client().get(&url).send().await.unwrap().text().await.unwrap();
        if metric("switchboard_lanes_waiting", &text) == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    eprintln!("{} payloads, {messages} messages, {statuses} statuses", files.len());
    insta::assert_snapshot!("turns_of_the_corpus", counted(&text));
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0));
    let is_told = |line: &&str| line.contains("can leave this channel for now: see /readyz");
    let (told, errors): (Vec<_>, Vec<_>) =
        log.lines().filter(|line| line.contains("\"ERROR\"")).partition(is_told);
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(!told.is_empty(), "some of the payloads stop an account");
    assert!(!log.contains("panicked"), "{log}");
}

/// The lines of `/metrics` that say which events came, which came twice (some
/// payloads bear the same ids), and which turns they became.
fn counted(metrics: &str) -> String {
    let told = ["switchboard_webhook_", "switchboard_turns_total"];
    let of_interest = |line: &&str| told.iter().any(|name| line.starts_with(name));
    let mut lines: Vec<_> = metrics.lines().filter(of_interest).collect();
    lines.sort_unstable();
    lines.join("\n")
}

fn values(json: &Value) -> impl Iterator<Item = &Value> {
    let entries = json["entry"].as_array().into_iter().flatten();
    let changes = entries.flat_map(|entry| entry["changes"].as_array().into_iter().flatten());
    changes.map(|change| &change["value"])
}

fn count(json: &Value, key: &str) -> usize {
    values(json).map(|value| value[key].as_array().map_or(0, Vec::len)).sum()
}

fn numbers_in(body: &[u8]) -> Vec<String> {
    let json: Value = serde_json::from_slice(body).unwrap();
    let ids = values(&json).filter_map(|value| value["metadata"]["phone_number_id"].as_str());
    ids.map(str::to_owned).collect()
}
