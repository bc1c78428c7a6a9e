//! The whole server: a webhook in, the file on disk, the API, a plugin that
//! reads it, and a process that is killed on the way.

use crate::{
    bench::{JPEG, hash, names},
    graph::{Graph, Served},
};
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_tests::{
    client, eventually,
    meta::{envelope, post_webhook, text_from},
    now_seconds,
    server::Server,
    shop::{NUMBER_ID, Shop, switchboard_toml},
};

const VIEWER: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_VIEWER"));
const ADMIN_TOKEN: &str = "let-me-in";

/// A message with a picture, as Meta sends it.
fn picture_from(phone: &str, media: &str) -> Vec<u8> {
    envelope(json!({
        "contacts": [{ "profile": { "name": "Test" }, "wa_id": phone }],
        "messages": [{
            "from": phone, "id": format!("wamid.{media}"), "timestamp": now_seconds().to_string(),
            "type": "image",
            "image": { "id": media, "mime_type": "image/jpeg", "caption": "Look!" },
        }],
    }))
}

fn shop(graph: &Graph, grants: &str) -> Shop {
    let shop = Shop::new(&graph.url);
    let text = switchboard_toml(&graph.url, &[("main", NUMBER_ID)], "");
    let admin = format!("[http]\nadmin_token = \"{ADMIN_TOKEN}\"");
    shop.write("switchboard.toml", &text.replacen("[http]", &admin, 1));
    let step = "[[step]]\nname = \"viewer\"\nplugin = \"plugins/viewer.wasm\"\n";
    shop.write("chains/default.toml", &format!("{step}{grants}"));
    std::fs::create_dir_all(shop.path("plugins")).unwrap();
    std::fs::write(shop.path("plugins/viewer.wasm"), VIEWER).unwrap();
    shop
}

async fn ask(server: &Server, path: &str) -> reqwest::Response {
    let url = format!("{}{path}", server.admin);
    client().get(url).bearer_auth(ADMIN_TOKEN).send().await.unwrap()
}

async fn state(server: &Server, id: &str) -> Value {
    ask(server, &format!("/api/v1/media/main/{id}/state")).await.json().await.unwrap()
}

async fn until_here(server: &Server, id: &str) -> Value {
    for _ in 0..1_500 {
        let state = state(server, id).await;
        if state["state"] == "here" {
            return state;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    panic!("waited a minute; it is {}", state(server, id).await);
}

async fn answer(graph: &Graph, count: usize) -> String {
    eventually("an answer", || graph.said().len() >= count).await;
    graph.said()[count - 1].1.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_reaches_the_disk_the_api_and_the_plugin() {
    let graph = Graph::start().await;
    let shop = shop(&graph, "grants = { media = true }\nlimits = { http_ms = 20000 }\n");
    let server = Server::start(&shop);
    let late = Duration::from_millis(700);
    let picture =
        Served { bytes: JPEG.to_vec(), mime_type: "image/jpeg", late, ..Served::default() };
    graph.serve("71", picture);
    post_webhook(&server.public, "main", &picture_from("15550001", "71")).await.unwrap();
    // The plugin's turn begins before the file is here, and waits for it.
    let expected = format!("{} bytes of image/jpeg: {}", JPEG.len(), hash(JPEG));
    assert_eq!(answer(&graph, 1).await, expected);

    let shown = until_here(&server, "71").await;
    assert_eq!((&shown["sha256"], &shown["bytes"]), (&json!(hash(JPEG)), &json!(JPEG.len())));
    let file = ask(&server, "/api/v1/media/main/71").await;
    let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/jpeg");
    assert_eq!(header("content-disposition"), "attachment; filename=\"image\"");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(file.bytes().await.unwrap(), JPEG);

    // For those alone who may use the API, and on no other listener.
    let bare = client().get(format!("{}/api/v1/media/main/71", server.admin)).send().await;
    assert_eq!(bare.unwrap().status(), 401);
    let public = client().get(format!("{}/api/v1/media/main/71", server.public));
    assert_eq!(public.bearer_auth(ADMIN_TOKEN).send().await.unwrap().status(), 404);
    assert_eq!(ask(&server, "/api/v1/media/main/99").await.status(), 404);
    assert_eq!(ask(&server, "/api/v1/media/other/71").await.status(), 404);

    // The contact's own turns and files show it.
    let person: Value =
        ask(&server, "/api/v1/contacts/lookup?phone=15550001").await.json().await.unwrap();
    assert_eq!(person["turns"][0]["media"]["state"], "here", "{person}");
    let steps = &person["turns"][0]["steps"][0];
    assert_eq!(steps["because"], json!(["State::Waiting"]), "{steps}");
    let id = person["contact"]["id"].as_str().unwrap();
    let files: Value =
        ask(&server, &format!("/api/v1/contacts/{id}/media")).await.json().await.unwrap();
    assert_eq!(files["media"][0]["id"], "71");

    // Another contact's file is none, by whatever name.
    post_webhook(&server.public, "main", &text_from("15550002", "w2", "71")).await.unwrap();
    assert_eq!(answer(&graph, 2).await, "error: this contact has sent no file `71`");
    post_webhook(&server.public, "main", &text_from("15550001", "w3", "71")).await.unwrap();
    assert_eq!(answer(&graph, 3).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_granted_or_not_here_is_said_in_words() {
    let graph = Graph::start().await;
    let shop = shop(&graph, "");
    let server = Server::start(&shop);
    graph.serve_plain("71", "text/html", b"<script>alert(1)</script>");
    post_webhook(&server.public, "main", &picture_from("15550001", "71")).await.unwrap();
    let words = "error: the step `viewer` has not been granted `media` in its chain";
    assert_eq!(answer(&graph, 1).await, words);
    // A page is a file to be saved, of no type that a browser would open.
    until_here(&server, "71").await;
    let file = ask(&server, "/api/v1/media/main/71").await;
    assert_eq!(file.headers()["content-type"], "application/octet-stream");
    drop(server);

    let chain = std::fs::read_to_string(shop.path("chains/default.toml")).unwrap();
    shop.replace("chains/default.toml", &format!("{chain}grants = {{ media = true }}\n"));
    let server = Server::start(&shop);
    post_webhook(&server.public, "main", &text_from("15550001", "w1", "71")).await.unwrap();
    assert!(answer(&graph, 2).await.starts_with("25 bytes of text/html"));
    let slow = Served { hangs_after: Some(5), bytes: JPEG.to_vec(), ..Served::default() };
    graph.serve("72", slow);
    post_webhook(&server.public, "main", &picture_from("15550001", "72")).await.unwrap();
    let said = answer(&graph, 3).await;
    assert!(said.starts_with("error: the file has not arrived yet: within 2000 ms"), "{said}");
    post_webhook(&server.public, "main", &picture_from("15550001", "73")).await.unwrap();
    let said = answer(&graph, 4).await;
    assert!(said.starts_with("error: the file is not to be had: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_read_in_pieces() {
    let graph = Graph::start().await;
    let shop =
        shop(&graph, "grants = { media = true }\nlimits = { http_ms = 20000, time_ms = 5000 }\n");
    let server = Server::start(&shop);
    let mut bytes = JPEG.to_vec();
    bytes.extend((0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    graph.serve_plain("71", "image/jpeg", &bytes);
    post_webhook(&server.public, "main", &picture_from("15550001", "71")).await.unwrap();
    let expected = format!("{} bytes of image/jpeg: {}", bytes.len(), hash(&bytes));
    assert_eq!(answer(&graph, 1).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_nothing_and_the_next_one_goes_on() {
    let graph = Graph::start().await;
    let shop = shop(&graph, "");
    let server = Server::start(&shop);
    let mut bytes = JPEG.to_vec();
    bytes.resize(400_000, 7);
    let picture = Served {
        bytes: bytes.clone(),
        mime_type: "image/jpeg",
        hangs_after: Some(200_000),
        ..Served::default()
    };
    graph.serve("71", picture);
    post_webhook(&server.public, "main", &picture_from("15550001", "71")).await.unwrap();
    let folder = shop.path("data/media");
    eventually("a part of it", || names(&folder).iter().any(|name| name.starts_with("part-")))
        .await;
    server.kill();
    assert_eq!(names(&folder).len(), 1, "it was killed in the middle");

    let server = Server::start(&shop);
    let shown = until_here(&server, "71").await;
    assert_eq!(shown["tries"], 0);
    assert_eq!(names(&folder), [hash(&bytes)]);
    let file = ask(&server, "/api/v1/media/main/71").await;
    assert_eq!(file.bytes().await.unwrap(), bytes);
}
