//! The worker by itself: a store in memory, a folder, a clock that is moved.

use crate::graph::Graph;
use sha2::{Digest, Sha256};
use std::{path::Path, sync::Arc, time::Duration};
use switchboard::{
    clock::{Clock, SimulatedClock},
    config::MediaConfig,
    media::{Downloads, Shelf, client},
    model::*,
    provider::{Provider, meta::Meta},
    store::{self, Store},
    wake::Bell,
};
use switchboard_tests::shop;
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};

pub const NOW: Millis = 1_772_445_600_000;
pub const DAY: Millis = 24 * 3_600_000;
pub const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a picture";

pub struct Bench {
    pub store: Arc<dyn Store>,
    pub clock: Arc<SimulatedClock>,
    pub folder: TempDir,
    pub config: MediaConfig,
    /// Disk space in MB that no file may take.
    pub reserve_mb: u64,
    pub graph: Graph,
    running: Option<Running>,
}

struct Running {
    downloads: Arc<Downloads>,
    end: watch::Sender<bool>,
    task: JoinHandle<()>,
}

pub fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub fn main_channel() -> ChannelId {
    ChannelId::new("main")
}

impl Bench {
    pub async fn new() -> Self {
        Self {
            store: store::memory(),
            clock: Arc::new(SimulatedClock::new(NOW, 1)),
            folder: tempfile::tempdir().unwrap(),
            config: MediaConfig { max_mb: 1, days: 1, parallel: 2 },
            reserve_mb: 0,
            graph: Graph::start().await,
            running: None,
        }
    }

    /// With a worker that runs.
    pub async fn started() -> Self {
        let mut bench = Self::new().await;
        bench.start();
        bench
    }

    pub fn start(&mut self) {
        let provider: Arc<dyn Provider> = Arc::new(Meta::new(&shop::channel(&self.graph.url)));
        let config = self.config.clone();
        let downloads = Arc::new(Downloads {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            shelf: Shelf::open(self.folder.path(), self.reserve_mb).unwrap(),
            providers: Arc::new(move |id| (*id == main_channel()).then(|| Arc::clone(&provider))),
            settings: Arc::new(move || config.clone()),
            bell: Bell::default(),
            client: client().unwrap(),
        });
        let (end, ended) = watch::channel(false);
        let task = tokio::spawn(Arc::clone(&downloads).run(ended));
        self.running = Some(Running { downloads, end, task });
    }

    /// Ends the worker, as at the end of a process.
    pub async fn stop(&mut self) {
        let Running { end, task, .. } = self.running.take().unwrap();
        end.send_replace(true);
        tokio::time::timeout(Duration::from_secs(5), task).await.expect("it ends at once").unwrap();
    }

    pub fn downloads(&self) -> &Arc<Downloads> {
        &self.running.as_ref().unwrap().downloads
    }

    /// A message with a picture is accepted.
    pub async fn sends(&self, id: &str) {
        self.sends_as(id, "15550001", None).await;
    }

    pub async fn sends_as(&self, id: &str, phone: &str, sha256: Option<String>) {
        let media = Media {
            kind: MediaKind::Image,
            id: id.into(),
            mime_type: "image/jpeg".into(),
            caption: None,
            filename: None,
            url: None,
            sha256,
        };
        let now = self.clock.now();
        let message = Message::new(format!("wamid.{id}"), now, Content::Media(media));
        let happening = Happening {
            channel: main_channel(),
            dedup: format!("{phone} {id} {now}"),
            sender: Some(Sender { phone: Some(phone.into()), ..Sender::default() }),
            kind: EventKind::Message(message),
            raw: String::new(),
        };
        self.store.accept(vec![happening], now).await.unwrap();
        if let Some(running) = &self.running {
            running.downloads.bell.ring();
        }
    }

    pub async fn file(&self, id: &str) -> MediaFile {
        self.store.media(&main_channel(), id).await.unwrap().expect("an entry")
    }

    /// Waits, while the clock goes on, until a file's state is such.
    pub async fn until(&self, id: &str, such: impl Fn(&MediaFile) -> bool) -> MediaFile {
        for _ in 0..3_000 {
            let file = self.file(id).await;
            if such(&file) {
                return file;
            }
            self.clock.advance(100);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("waited a minute; it is {:?}", self.file(id).await);
    }

    pub async fn here(&self, id: &str) -> MediaHere {
        let file = self.until(id, |file| !is_waiting(file)).await;
        match file.state {
            MediaState::Here(here) => here,
            other => panic!("{other:?}"),
        }
    }

    pub async fn failed(&self, id: &str) -> String {
        let file = self.until(id, |file| !is_waiting(file)).await;
        match file.state {
            MediaState::Failed { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }

    /// The names in the folder.
    pub fn names(&self) -> Vec<String> {
        names(self.folder.path())
    }
}

pub fn is_waiting(file: &MediaFile) -> bool {
    matches!(file.state, MediaState::Waiting { .. })
}

pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.unwrap().file_name().into_string().unwrap()
    };
    let mut names: Vec<_> = entries.map(name).collect();
    names.sort();
    names
}
