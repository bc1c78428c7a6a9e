//! The other side: servers on this machine that behave as a test needs, and a
//! step with the guest `fetcher` that asks them.

use crate::stage::{draft_of, load_file, plugins, text_message};
use axum::{Router, extract::Request};
use std::sync::{Arc, Mutex};
use switchboard::{
    config::StepConfig,
    model::EventKind,
    plugin::PluginStep,
    turn::{Draft, Step},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

pub const FETCHER: &[u8] = include_bytes!(env!("SWITCHBOARD_GUEST_FETCHER"));

/// What reached a server, one text a request: its line and headers.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
    pub fn note(&self, request: &Request) {
        let (method, headers) = (request.method(), request.headers());
        self.0.lock().unwrap().push(format!("{method} {} {headers:?}", request.uri()));
    }
}

/// Serves on a port of its own.
pub async fn serve(router: Router) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

/// Says `hello` to whatever comes, and remembers it.
pub async fn greeter() -> (u16, Heard) {
    let heard = Heard::default();
    let noted = heard.clone();
    let answer = async move |request: Request| {
        noted.note(&request);
        "hello"
    };
    (serve(Router::new().fallback(answer)).await, heard)
}

/// Answers with these bytes, whatever is asked; then with `more`, for ever.
pub async fn raw(head: String, more: Option<&'static str>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = head.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(head.as_bytes()).await;
                while let Some(more) = more {
                    if stream.write_all(more.as_bytes()).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

/// A step with the guest, and what it was made from.
pub struct Fetcher {
    pub config: StepConfig,
    pub step: PluginStep,
}

impl Fetcher {
    /// `config` is the rest of the step in its chain.
    pub async fn new(config: &str) -> Self {
        Self::with_rules(config, serde_json::json!({})).await
    }

    pub async fn with_rules(config: &str, rules: serde_json::Value) -> Self {
        let config: StepConfig =
            toml::from_str(&format!("name = 'fetcher'\nplugin = 'fetcher'\n{config}")).unwrap();
        let plugin = load_file(&plugins(), FETCHER).await.unwrap();
        let step = plugin.configure(&config, &rules).await.unwrap();
        Self { config, step }
    }

    pub fn draft(&self, words: &str) -> Draft {
        draft_of(EventKind::Message(text_message(words)), &self.config)
    }

    /// The draft after a turn in which the contact wrote `words`.
    pub async fn told(&self, words: &str) -> Draft {
        let (draft, verdict) = self.step.run(self.draft(words)).await.into_parts();
        assert!(verdict.is_ok(), "{words}: {verdict:?} {:?}", draft.because);
        draft
    }

    /// What came of the first request of such a turn.
    pub async fn first(&self, words: &str) -> String {
        self.told(words).await.because.first().cloned().unwrap_or_default()
    }
}
