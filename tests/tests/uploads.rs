//! Files of the business folder: uploaded once, sent by id, and refused with a reason.

#[path = "fakes/store.rs"]
mod store;

use axum::{
    Json, Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse,
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use store::FakeStore;
use switchboard::{
    clock::{Clock, SimulatedClock},
    model::*,
    outbox::{self, Outbox, Route},
    policy::Rules,
    provider::{Provider, meta::Meta},
};
use switchboard_tests::{corpus, shop};
use tokio::{
    net::TcpListener,
    sync::{Barrier, Notify, watch},
    task::JoinHandle,
};

const START: Millis = 1_790_000_000_000;
const DAY: Millis = 24 * 3_600_000;
const PDF: &[u8] = b"%PDF-1.7 the menu of this week";

#[derive(Default)]
struct Graph {
    uploads: Mutex<Vec<Vec<u8>>>,
    sends: Mutex<Vec<Value>>,
    /// Codes with which the next uploads are refused; 0: an answer that says nothing.
    refuse: Mutex<VecDeque<u32>>,
    /// The code with which a send by one of these ids is refused.
    gone: Mutex<(u32, Vec<String>)>,
    /// Uploads go on when so many are under way.
    meet: Mutex<Option<Arc<Barrier>>>,
    under_way: Mutex<usize>,
    most_at_once: Mutex<usize>,
}

async fn upload(State(graph): State<Arc<Graph>>, body: Bytes) -> axum::response::Response {
    let now = {
        let mut under_way = graph.under_way.lock().unwrap();
        *under_way += 1;
        *under_way
    };
    {
        let mut most = graph.most_at_once.lock().unwrap();
        *most = now.max(*most);
    }
    let meet = graph.meet.lock().unwrap().clone();
    if let Some(meet) = meet {
        meet.wait().await;
    }
    // Long enough for others to come meanwhile.
    tokio::time::sleep(Duration::from_millis(100)).await;
    *graph.under_way.lock().unwrap() -= 1;
    let count = {
        let mut uploads = graph.uploads.lock().unwrap();
        uploads.push(body.to_vec());
        uploads.len()
    };
    match graph.refuse.lock().unwrap().pop_front() {
        None => Json(json!({"id": format!("media-{count}")})).into_response(),
        Some(0) => Json(json!({})).into_response(),
        Some(code) => {
            let error = json!({"error": {"code": code, "message": "(#n) no"}});
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
    }
}

async fn send(
    State(graph): State<Arc<Graph>>,
    Json(body): Json<Value>,
) -> axum::response::Response {
    let mut sends = graph.sends.lock().unwrap();
    let (code, gone) = graph.gone.lock().unwrap().clone();
    let id = body["document"]["id"].as_str().unwrap_or_default().to_owned();
    sends.push(body);
    if gone.contains(&id) {
        let message = "Param document.id is not a valid media attachment ID";
        let error = json!({"error": {"code": code, "message": message}});
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    }
    Json(json!({"messages": [{"id": format!("wamid.{}", sends.len())}]})).into_response()
}

struct Host {
    graph: Arc<Graph>,
    store: Arc<FakeStore>,
    clock: Arc<SimulatedClock>,
    wake: Arc<Notify>,
    stop: watch::Sender<bool>,
    run: JoinHandle<()>,
}

async fn host(folder: &Path) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let graph = Arc::new(Graph::default());
    let app = Router::new()
        .route("/1060/media", post(upload))
        .route("/1060/messages", post(send))
        .with_state(graph.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let clock = Arc::new(SimulatedClock::new(START, 7));
    let provider: Arc<dyn Provider> = Arc::new(Meta::new(&shop::channel(&url)));
    let rules = Rules { window_margin_ms: 0, handoff_ms: 1, ..Default::default() };
    let route = Route { provider, messages_per_second: 80, grace_ms: 30_000, rules };
    let (store, wake) = (Arc::new(FakeStore::default()), Arc::new(Notify::new()));
    let outbox = Outbox::new(
        store.clone(),
        clock.clone(),
        Arc::new(move |_: &ChannelId| Some(route.clone())),
        wake.clone(),
        outbox::client().unwrap(),
    );
    let outbox = Arc::new(outbox.with_media(folder.to_owned()));
    let (stop, stopped) = watch::channel(false);
    let run = tokio::spawn(outbox.run(stopped));
    Host { graph, store, clock, wake, stop, run }
}

impl Host {
    fn put(&self, contact: u64, message: Outgoing) -> SendId {
        let (now, channel) = (self.clock.now(), ChannelId::new("main"));
        let lane = Lane::Contact(ContactId(contact));
        let seq = self.store.kept().items.len() as u64;
        let id = SendId { turn: TurnId { lane, seq }, index: 0 };
        self.store.know(ContactId(contact), &channel, now);
        self.store.put(OutboxItem::new(
            id.clone(),
            (
                channel,
                ContactId(contact),
                Address { phone: Some(format!("1555000{contact}")), bsuid: None },
            ),
            message,
            "menu",
            now,
        ));
        self.wake.notify_one();
        id
    }
    /// The item once it is history.
    async fn ended(&self, id: &SendId) -> OutboxItem {
        for _ in 0..400 {
            let item = self.store.item(id);
            if item.due().is_none() {
                return item;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?}", self.store.item(id));
    }
    /// The same, where it is tried more than once.
    async fn ended_at_last(&self, id: &SendId) -> OutboxItem {
        for _ in 0..400 {
            let item = self.store.item(id);
            match item.state {
                SendState::Waiting { due } if due > self.clock.now() => {
                    self.clock.advance(due - self.clock.now());
                    self.wake.notify_one();
                }
                _ if item.due().is_none() => return item,
                _ => {}
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?}", self.store.item(id));
    }
    async fn end(self) {
        self.stop.send(true).unwrap();
        self.run.await.unwrap();
    }
    fn uploads(&self) -> usize {
        self.graph.uploads.lock().unwrap().len()
    }
    fn sent(&self) -> Vec<Value> {
        self.graph.sends.lock().unwrap().clone()
    }
}

fn file(name: &str) -> OutgoingMedia {
    let (kind, source) = (MediaKind::Document, MediaSource::File(name.into()));
    OutgoingMedia { kind, source, caption: None, filename: None }
}

fn menu() -> Outgoing {
    Outgoing::Media(file("menu.pdf"))
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("menu.pdf"), PDF).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_uploads_its_file_once() {
    let folder = folder();
    let host = host(folder.path()).await;
    let ids: Vec<_> = (1..=20).map(|contact| host.put(contact, menu())).collect();
    for id in &ids {
        assert_eq!(host.ended(id).await.state, SendState::Sent);
    }
    // The same bytes by another name, in a header.
    std::fs::write(folder.path().join("copy.pdf"), PDF).unwrap();
    let buttons = vec![Button { id: "y".into(), title: "Yes".into() }];
    let header = Some(Header::Media(file("copy.pdf")));
    let headed = Outgoing::Buttons { header, body: "Order?".into(), footer: None, buttons };
    host.ended(&host.put(21, headed)).await;
    assert_eq!(host.uploads(), 1);
    let sent = host.sent();
    assert_eq!(sent.len(), 21);
    assert!(sent[..20].iter().all(|body| body["document"] == json!({"id": "media-1"})));
    let header = json!({"type": "document", "document": {"id": "media-1"}});
    assert_eq!(sent[20]["interactive"]["header"], header);
    // The store still has the file's name: what was sent can be sent again.
    assert_eq!(host.store.item(&ids[0]).message, menu());
    // Another content, and after 29 days the first one, go up again.
    std::fs::write(folder.path().join("menu.pdf"), b"%PDF-1.7 of the next week, longer").unwrap();
    host.ended(&host.put(22, menu())).await;
    assert_eq!(host.uploads(), 2);
    host.clock.advance(29 * DAY + 1);
    host.ended(&host.put(23, Outgoing::Media(file("copy.pdf")))).await;
    assert_eq!(host.uploads(), 3);
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_the_form_that_meta_takes() {
    let folder = folder();
    let host = host(folder.path()).await;
    host.ended(&host.put(1, menu())).await;
    let form = host.graph.uploads.lock().unwrap()[0].clone();
    let form = String::from_utf8_lossy(&form).into_owned();
    let mut parts = form.split("\r\n--").map(str::to_owned).collect::<Vec<_>>();
    parts.retain(|part| part.contains("Content-Disposition"));
    let part = |name: &str| {
        let named = format!("name=\"{name}\"");
        let found: Vec<_> = parts.iter().filter(|part| part.contains(&named)).collect();
        assert_eq!(found.len(), 1, "{name}: {form}");
        found[0].clone()
    };
    assert!(part("messaging_product").ends_with("\r\n\r\nwhatsapp"));
    assert!(part("type").ends_with("\r\n\r\napplication/pdf"));
    let content = part("file");
    assert!(content.contains("filename=\"menu.pdf\""), "{content}");
    assert!(content.contains("Content-Type: application/pdf"), "{content}");
    assert!(content.as_bytes().ends_with(PDF), "{content}");
    assert_eq!(parts.len(), 3);
    host.end().await;
    // The samples have the same parts; `type` stands within their `file`.
    let Some(folder) = corpus("whatsapp/send") else { return };
    for name in ["audio", "image", "sticker"] {
        let sample = folder.join(format!("media_post__upload_{name}.json"));
        let sample: Value =
            serde_json::from_str(&std::fs::read_to_string(sample).unwrap()).unwrap();
        assert_eq!(sample["request"]["messaging_product"], "whatsapp");
        let parts: Vec<_> = sample["request"].as_object().unwrap().keys().collect();
        assert_eq!(parts, ["file", "messaging_product"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_go_up_fails_with_its_reason() {
    let folder = folder();
    std::fs::write(folder.path().join("photo.png"), PDF).unwrap();
    let host = host(folder.path()).await;
    for (name, words) in [
        ("gone.pdf", "the file `media/gone.pdf` can't be read"),
        ("photo.png", "`media/photo.png` can't be sent as document: allowed are pdf, txt"),
        ("../menu.pdf", "the file `media/../menu.pdf`"),
    ] {
        let item = host.ended(&host.put(1, Outgoing::Media(file(name)))).await;
        let reason = item.reason.unwrap();
        assert_eq!(item.state, SendState::Failed);
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!((host.uploads(), host.sent().len()), (0, 0));
    // A no of the provider's has its class, as a no to a send has.
    host.graph.refuse.lock().unwrap().push_back(131_009);
    let item = host.ended(&host.put(2, menu())).await;
    assert_eq!((item.state, item.error), (SendState::Failed, Some(131_009)));
    assert_eq!((host.uploads(), host.sent().len()), (1, 0));
    host.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_without_an_answer_is_tried_again() {
    let folder = folder();
    let host = host(folder.path()).await;
    host.graph.refuse.lock().unwrap().extend([0, 131_000]);
    let id = host.put(1, menu());
    for tries in 1..=2 {
        for _ in 0..300 {
            let waits = matches!(host.store.item(&id).state, SendState::Waiting { due } if due > host.clock.now());
            if host.uploads() == tries && waits {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(host.uploads(), tries);
        assert!(matches!(host.store.item(&id).state, SendState::Waiting { .. }));
        host.clock.advance(10_000);
    }
    assert_eq!(host.ended(&host.put(2, menu())).await.state, SendState::Sent);
    host.clock.advance(10_000);
    assert_eq!(host.ended(&id).await.state, SendState::Sent);
    assert_eq!(host.uploads(), 3);
    host.end().await;
}

/// The id of a file that Meta had lost failed every message for 29 days.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_at_metas_is_uploaded_anew_once() {
    for code in [100, 131_009, 131_053] {
        let folder = folder();
        let host = host(folder.path()).await;
        let ids = || Vec::from_iter(host.sent().iter().map(|it| it["document"]["id"].clone()));
        assert_eq!(host.ended(&host.put(1, menu())).await.state, SendState::Sent);
        *host.graph.gone.lock().unwrap() = (code, vec!["media-1".into()]);
        host.clock.advance(DAY);
        let item = host.ended_at_last(&host.put(2, menu())).await;
        assert_eq!((item.state, item.error), (SendState::Sent, None), "{code}");
        assert_eq!(ids(), ["media-1", "media-1", "media-2"]);
        // It is the file that Meta does not take: another upload does not help,
        // and not each message of a campaign tries one.
        let all = (1..9).map(|n| format!("media-{n}")).collect();
        *host.graph.gone.lock().unwrap() = (code, all);
        host.clock.advance(DAY);
        for contact in 3..6 {
            let item = host.ended_at_last(&host.put(contact, menu())).await;
            assert_eq!((item.state, item.error), (SendState::Failed, Some(code)));
            let reason = item.reason.unwrap();
            assert!(reason.ends_with("is not a valid media attachment ID)"), "{reason}");
            assert_eq!(host.uploads(), 3, "{code}");
        }
        host.end().await;
    }
}

/// What has nothing to do with the file leaves its id alone.
#[tokio::test(flavor = "multi_thread")]
async fn another_refusal_keeps_the_upload() {
    let folder = folder();
    let host = host(folder.path()).await;
    host.ended(&host.put(1, menu())).await;
    *host.graph.gone.lock().unwrap() = (131_026, vec!["media-1".into()]);
    host.clock.advance(DAY);
    let item = host.ended(&host.put(2, menu())).await;
    assert_eq!((item.state, item.error), (SendState::Failed, Some(131_026)));
    host.graph.gone.lock().unwrap().1.clear();
    assert_eq!(host.ended(&host.put(3, menu())).await.state, SendState::Sent);
    assert_eq!(host.uploads(), 1);
    host.end().await;
}

/// A video of 100 MB on a slow line kept every other file waiting.
#[tokio::test(flavor = "multi_thread")]
async fn files_go_up_side_by_side_and_not_too_many() {
    let folder = folder();
    let host = host(folder.path()).await;
    *host.graph.meet.lock().unwrap() = Some(Arc::new(Barrier::new(4)));
    let mut ids = Vec::new();
    for n in 0..8 {
        let name = format!("menu{n}.pdf");
        std::fs::write(folder.path().join(&name), format!("%PDF-1.7 number {n}")).unwrap();
        // Two for each: the second one waits for the first.
        ids.extend([0, 1].map(|m| host.put(1 + 2 * n + m, Outgoing::Media(file(&name)))));
    }
    for id in &ids {
        assert_eq!(host.ended(id).await.state, SendState::Sent);
    }
    assert_eq!((host.uploads(), *host.graph.most_at_once.lock().unwrap()), (8, 4));
    host.end().await;
}
