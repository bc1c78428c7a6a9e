//! What cannot start says why and what to do, with an exit code, and nothing
//! is lost.

use axum::http::StatusCode;
use std::{net::TcpListener, time::Duration};
use switchboard_tests::{
    meta::{Graph, post_webhook, text_from},
    server::{Server, switchboard},
    shop::{CHAIN, NUMBER_ID, Shop, switchboard_toml, text},
};

/// Starts a shop that must not start; what it said.
fn refused(shop: &Shop, code: i32) -> String {
    let output = switchboard(&["serve", text(&shop.folder)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

const NOWHERE: &str = "http://127.0.0.1:9/v26.0";

#[test]
fn a_busy_port_is_named() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let shop = Shop::new(NOWHERE);
    let toml = switchboard_toml(NOWHERE, &[("main", NUMBER_ID)], "");
    shop.write("switchboard.toml", &toml.replacen("127.0.0.1:0", &address, 1));
    let said = refused(&shop, 3);
    assert!(said.contains(&address) && said.contains("http.public"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused() {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let first = Server::start(&shop);
    let said = refused(&shop, 3);
    assert!(said.contains("in use by another process"), "{said}");
    // The first one has not noticed.
    let body = text_from("15550000001", "wamid.1", "parking");
    assert_eq!(post_webhook(&first.public, "main", &body).await, Ok(StatusCode::OK));
    graph.wait_for(1).await;
}

#[test]
fn bad_plugins_are_told_apart() {
    let shop = Shop::new(NOWHERE);
    let chain = format!("{CHAIN}\n[[step]]\nname = \"own\"\nplugin = \"plugins/own.wasm\"\n");
    shop.write("chains/default.toml", &chain);
    let said = refused(&shop, 1);
    assert!(said.contains("plugins/own.wasm"), "{said}");
    shop.write("plugins/own.wasm", "this is no WebAssembly");
    let said = refused(&shop, 1);
    assert!(said.contains("chains/default.toml:") && said.contains("WebAssembly"), "{said}");
    std::fs::write(shop.path("plugins/own.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let said = refused(&shop, 1);
    assert!(said.contains("component"), "{said}");
}

#[test]
fn every_problem_of_a_folder_is_listed() {
    let shop = Shop::new(NOWHERE);
    let toml = switchboard_toml(NOWHERE, &[("main", NUMBER_ID)], "");
    shop.write("switchboard.toml", &toml.replace("messages_per_second", "messages_per_secnd"));
    shop.write(
        "chains/default.toml",
        &CHAIN.replace(
            "[[step]]\nname = \"tagger\"",
            "[[step]]\non_error = \"skipp\"\nname = \"tagger\"",
        ),
    );
    let output = switchboard(&["check", text(&shop.folder)]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("did you mean `messages_per_second`"), "{said}");
    assert!(said.contains("skipp") && said.contains("handoff"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_provider_loses_nothing() {
    let graph = Graph::start().await;
    let shop = Shop::new(NOWHERE);
    let server = Server::start(&shop);
    let body = text_from("15550000001", "wamid.1", "parking");
    assert_eq!(post_webhook(&server.public, "main", &body).await, Ok(StatusCode::OK));
    let mut message = serde_json::Value::Null;
    for _ in 0..500 {
        message = server.admin_get("/api/v1/contacts/c1/messages").await["messages"][0].clone();
        if message["reason"].is_string() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(message["state"], "waiting", "{message}");
    assert!(message["reason"].as_str().unwrap().contains("reach"), "{message}");
    // The address is mended, by an edit: the message leaves by itself.
    let toml = switchboard_toml(&graph.url, &[("main", NUMBER_ID)], "");
    shop.replace("switchboard.toml", &toml);
    let sent = graph.wait_for(1).await;
    assert_eq!(sent[0].text(), "There is a car park behind the shop.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_recovers() {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    // More in reserve than any disk has: as if it were full.
    let toml = switchboard_toml(&graph.url, &[("main", NUMBER_ID)], "");
    shop.write("switchboard.toml", &toml.replace("reserve_mb = 16", "reserve_mb = 900000000"));
    let server = Server::start(&shop);
    let body = text_from("15550000001", "wamid.1", "parking");
    let answer = post_webhook(&server.public, "main", &body).await;
    assert_eq!(answer, Ok(StatusCode::SERVICE_UNAVAILABLE), "so that Meta sends it again");
    let log = server.log.lock().unwrap().clone();
    assert!(log.contains("free") && log.contains("MB"), "{log}");
    assert_eq!(server.terminate().0, Some(0));
    shop.write("switchboard.toml", &toml);
    let server = Server::start(&shop);
    assert_eq!(post_webhook(&server.public, "main", &body).await, Ok(StatusCode::OK));
    assert_eq!(graph.wait_for(1).await.len(), 1);
}
