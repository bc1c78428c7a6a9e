//! The demo as a customer sees it: the real binary, the real page, a real
//! browser.

use serde_json::{Value, json};
use std::{path::PathBuf, process::Command, time::Duration};
use switchboard_tests::{client, server::Server};

const PHONE: &str = "15550000001";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// None, said aloud, where there is no browser; in CI there has to be one.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places = BROWSERS.iter().flat_map(|name| folders.iter().map(move |at| at.join(name)));
    let found = places.into_iter().find(|place| place.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "none of {BROWSERS:?} is installed");
        eprintln!("SKIPPED: none of {BROWSERS:?} is installed");
    }
    found
}

/// The page as the browser has built it.
async fn look(browser: PathBuf, url: String) -> String {
    let page = tokio::task::spawn_blocking(move || {
        let profile = tempfile::tempdir().unwrap();
        let output = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--window-size=1280,860"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            // Its own clock, which waits for what is being loaded.
            .args(["--virtual-time-budget=10000", "--dump-dom", &url])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    });
    page.await.unwrap()
}

async fn get(url: &str) -> Value {
    client().get(url).send().await.unwrap().json().await.unwrap()
}

/// Asks until the answer is the one that is waited for; after a minute it
/// never will be.
async fn until(url: &str, holds: impl Fn(&Value) -> bool) {
    for _ in 0..3_000 {
        if holds(&get(url).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{url} stays {:#}", get(url).await);
}

async fn write(chat: &str, text: &str) {
    let url = format!("{chat}/sim/phones/{PHONE}/send");
    let message = json!({"kind": "text", "body": text});
    assert!(client().post(url).json(&message).send().await.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_answer_and_why() {
    let Some(browser) = browser() else { return };
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("bakery");
    let (demo, chat) = Server::demo(&folder);
    let page = format!("{chat}/?still#{PHONE}");
    write(&chat, "Can I order a birthday <i>cake</i>?").await;
    // The greeting and the answer, in one.
    let sent = format!("{chat}/sim/sent");
    until(&sent, |sent| sent["messages"].as_array().unwrap().len() == 1).await;
    let shown = look(browser.clone(), page.clone()).await;
    for expected in [
        // What a customer writes is text, never markup.
        "Can I order a birthday &lt;i&gt;cake&lt;/i&gt;?",
        "Cakes to order need two days.",
        // A button under the answer.
        ">Prices</button>",
        // Which step set which tag, and why each step did what it did.
        "<span class=\"tag\"",
        ">cake-lover<small> by tagger</small>",
        "`cake` occurs",
        "stops the chain",
        "generation 1",
    ] {
        assert!(shown.contains(expected), "`{expected}` is not in the page:\n{shown}");
    }
    assert!(!shown.contains("The last edit is not live"), "{shown}");
    // A broken edit is shown to who looks at the page.
    let rules = folder.join("rules/faq.toml");
    let good = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, good.replace("fallback =", "fallbck =")).unwrap();
    let ready = format!("{}/readyz", demo.admin);
    until(&ready, |ready| ready["generation"]["problems"] != json!([])).await;
    let shown = look(browser, page).await;
    assert!(shown.contains("The last edit is not live: rules/faq.toml:"), "{shown}");
    assert!(shown.contains("did you mean `fallback`?"), "{shown}");
}
