//! What the tests share: a business folder, the real binary, Meta's side.

pub mod components;
pub mod hostile;
pub mod meta;
pub mod server;
pub mod shop;
pub mod store_cases;
pub mod twilio;

use std::{
    path::PathBuf,
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The repository's root.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Real payloads, kept outside the repository. None, said aloud, where they
/// are absent.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let path = repository().join("../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: there are no real payloads at {}", path.display());
    None
}

pub fn client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Connections are not kept: each test has an event loop of its own, and
        // a kept connection would die with the loop that made it.
        let client = reqwest::Client::builder().pool_max_idle_per_host(0);
        client.timeout(Duration::from_secs(30)).build().unwrap()
    })
}

pub fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Waits until something holds; fails after a minute, which is no measure of
/// speed but the sign that it never will.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited a minute for {what}");
}
