//! The templates as the provider knows them: read, kept, told of by webhooks, and held against
//! each message.

#[path = "templates/graph.rs"]
mod graph;
#[path = "templates/served.rs"]
mod served;
#[path = "templates/twilio.rs"]
mod twilio;

use async_trait::async_trait;
use graph::{Graph, template};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};
use switchboard::{
    clock::{Clock, SimulatedClock},
    config::{ChannelConfig, Grants, OnError, Policy, Turns},
    model::*,
    outbox::{self, Outbox, Route, TEMPLATE_REST_MS},
    provider::{Provider, meta::Meta},
    store::{self, SledOptions, Store},
    templates::{Known, Templates, Updater},
    turn::{
        self, Chain, ChainStep, Draft, DraftLimits, Ran, Setting, Stage, Step, consent, rules_of,
    },
    wake::Bell,
};
use switchboard_tests::{corpus, eventually, shop};
use tokio::sync::watch;

const START: Millis = 1_790_000_000_000;
const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;

fn channel() -> ChannelId {
    ChannelId::new("main")
}

fn meta(url: &str) -> Arc<dyn Provider> {
    let account = Some("1020".into());
    Arc::new(Meta::new(&ChannelConfig { business_account_id: account, ..shop::channel(url) }))
}

/// A process without its listeners.
struct Host {
    graph: Graph,
    store: Arc<dyn Store>,
    clock: Arc<SimulatedClock>,
    templates: Arc<Templates>,
    updater: Arc<Updater>,
    /// What was told to live again.
    lives: Arc<Mutex<Vec<String>>>,
    generation: Arc<Mutex<u64>>,
}

impl Host {
    fn new(graph: &Graph, store: Arc<dyn Store>) -> Self {
        let clock = Arc::new(SimulatedClock::new(START, 7));
        let templates = Arc::new(Templates::new(Bell::default()));
        let (provider, generation) = (meta(&graph.url), Arc::new(Mutex::new(1)));
        let lives: Arc<Mutex<Vec<String>>> = Arc::default();
        let (told, number) = (Arc::clone(&lives), Arc::clone(&generation));
        // Two channels of one account, which is read once.
        let channels = [channel(), ChannelId::new("second")];
        let updater = Updater::new(
            Arc::clone(&templates),
            Arc::clone(&store),
            clock.clone(),
            Arc::new(move || Known {
                generation: *number.lock().unwrap(),
                channels: channels.iter().map(|id| (id.clone(), Arc::clone(&provider))).collect(),
            }),
            Arc::new(move |channel, name, language| {
                told.lock().unwrap().push(format!("{channel} {name} {language}"));
            }),
            outbox::client().unwrap(),
        );
        let (graph, updater) = (graph.clone(), Arc::new(updater));
        Self { graph, store, clock, templates, updater, lives, generation }
    }

    async fn synced(graph: &Graph) -> Self {
        let host = Self::new(graph, store::memory());
        let outcomes = host.updater.sync().await;
        assert_eq!(outcomes[0].failure, None);
        host
    }

    fn names(&self) -> Vec<String> {
        let (_, forms) = self.templates.list("1020");
        forms.into_iter().map(|form| form.name).collect()
    }

    fn failure(&self) -> Option<String> {
        self.updater.outcomes().remove(0).failure
    }

    /// Accepts an event and runs its turn, in which the step replies with
    /// `message`.
    async fn turn(&self, happening: Happening, message: Template) -> TurnCommit {
        let now = self.clock.now();
        let Accepted::New(event) = self.store.accept(vec![happening], now).await.unwrap().remove(0)
        else {
            panic!("a duplicate")
        };
        let snapshot = self.store.next_in_lane(&event.lane).await.unwrap().unwrap();
        let limits =
            DraftLimits { effects: 10, log_lines: 10, value_bytes: 1_000, kv_bytes: 1_000 };
        let link = ChainStep {
            step: Arc::new(Replies(message)),
            on_error: OnError::Skip,
            error_reply: None,
            grants: Grants::default(),
            limits,
            rules: "0123456789abcdef".into(),
        };
        let chain = Chain { name: "default".into(), steps: vec![link] };
        let setting = Setting {
            event: Arc::new(snapshot.event.clone()),
            now,
            zone: "UTC".into(),
            calendar: None,
            provider: meta(&self.graph.url),
            store: Arc::clone(&self.store),
            policy: rules_of(&Turns::default(), &Policy::default()),
            templates: Arc::clone(&self.templates),
        };
        let consent = &consent::Words::default();
        let stage =
            Stage { setting, chain: &chain, consent, generation: 1, record: false, merge: true };
        let commit = turn::run(snapshot, stage).await.unwrap();
        assert!(self.store.commit(commit.clone(), now).await.unwrap());
        if !commit.templates.is_empty() {
            self.updater.refresh().await.unwrap();
        }
        commit
    }

    async fn news(&self, news: TemplateNews) -> TurnCommit {
        let dedup = format!("{} {news:?}", self.clock.now());
        let kind = EventKind::Account { field: "templates".into(), news: News::Template(news) };
        let (channel, raw) = (ChannelId::new("second"), String::new());
        let happening = Happening { channel, dedup, sender: None, kind, raw };
        self.turn(happening, sale()).await
    }

    /// The contact has had enough.
    async fn stop_marketing(&self) {
        let Accepted::New(event) = self.store.accept(vec![hello()], START).await.unwrap().remove(0)
        else {
            panic!("a duplicate")
        };
        let snapshot = self.store.next_in_lane(&event.lane).await.unwrap().unwrap();
        let mut contact = snapshot.contact.unwrap();
        contact.apply(&Effect::OptOut { proof: "stop".into() }, "test", START);
        let commit = TurnCommit { contact: Some(contact), ..TurnCommit::new(event) };
        assert!(self.store.commit(commit, START).await.unwrap());
    }

    /// Sends what waits, with the templates in view.
    fn send(&self) -> Sending {
        let (templates, provider) = (Arc::clone(&self.templates), meta(&self.graph.url));
        let rules = rules_of(&Turns::default(), &Policy::default());
        let (messages_per_second, grace_ms) = (80, 1_000);
        let route = Route { provider: provider.clone(), messages_per_second, grace_ms, rules };
        let outbox = Outbox::new(
            Arc::clone(&self.store),
            self.clock.clone(),
            Arc::new(move |_| Some(route.clone())),
            Arc::default(),
            outbox::client().unwrap(),
        );
        let outbox = outbox
            .with_templates(Arc::new(move |_, template| templates.standing(&*provider, template)));
        let (stop, stopped) = watch::channel(false);
        Sending { stop, run: tokio::spawn(Arc::new(outbox).run(stopped)) }
    }

    /// What becomes of a reply with `message`: what leaves, or why nothing.
    async fn reply(&self, message: Template) -> Result<Template, String> {
        let commit = self.turn(hello(), message).await;
        match commit.outbox.into_iter().next() {
            Some(OutboxItem { message: Outgoing::Template(template), .. }) => Ok(template),
            Some(other) => panic!("{other:?}"),
            None => Err(commit.trace.unwrap().steps[0].error.clone().unwrap()),
        }
    }
}

struct Sending {
    stop: watch::Sender<bool>,
    run: tokio::task::JoinHandle<()>,
}

impl Sending {
    async fn finish(self) {
        self.stop.send(true).unwrap();
        self.run.await.unwrap();
    }
}

fn hello() -> Happening {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let dedup = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string();
    let message = Message::new(format!("wamid.{dedup}"), START, Content::Text("hello".into()));
    Happening {
        channel: channel(),
        dedup,
        sender: Some(Sender { phone: Some("15550000001".into()), ..Sender::default() }),
        kind: EventKind::Message(message),
        raw: String::new(),
    }
}

/// Replies to messages with a template.
struct Replies(Template);

#[async_trait]
impl Step for Replies {
    fn name(&self) -> &str {
        "replies"
    }
    fn plugin(&self) -> &str {
        "replies 1.0.0"
    }
    fn wants(&self, kind: &str) -> bool {
        kind == "message"
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        let outcome = match draft.reply(Outgoing::Template(self.0.clone())) {
            Ok(_) => Ok(Verdict::Stop),
            Err(reason) => Err(turn::StepError::Plugin(reason)),
        };
        Ran::unmeasured(draft, outcome, self.plugin())
    }
}

fn sale() -> Template {
    let text = "Ann".into();
    Template::new("sale", "en", Category::Utility, vec![Parameter { name: None, text }])
}

fn news(status: &str, reason: Option<&str>) -> TemplateNews {
    TemplateNews {
        name: "sale".into(),
        language: "en".into(),
        status: Some(status.into()),
        reason: reason.map(Into::into),
        ..TemplateNews::default()
    }
}

async fn one() -> Graph {
    Graph::start(vec![template("sale", "en", "APPROVED", "UTILITY", "Hi {{1}}")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_read_in_pages_and_once_per_account() {
    let all = |count: usize| {
        let one = |n: usize| template(&format!("t{n:03}"), "en", "APPROVED", "UTILITY", "Hi");
        (0..count).map(one).collect::<Vec<_>>()
    };
    let graph = Graph::start(all(25)).await;
    *graph.shared.page.lock().unwrap() = 10;
    let host = Host::synced(&graph).await;
    assert_eq!(host.names().len(), 25);
    let after: Vec<Option<String>> = graph
        .shared
        .asked
        .lock()
        .unwrap()
        .iter()
        .map(|query| query.get("after").cloned())
        .collect();
    assert_eq!(after, [None, Some("10".into()), Some("20".into())]);
    // What is gone goes, what is new comes.
    *graph.shared.templates.lock().unwrap() = all(3);
    host.updater.sync().await;
    assert_eq!(host.names(), ["t000", "t001", "t002"]);
    // A list that no account can have changes nothing.
    *graph.shared.templates.lock().unwrap() = all(6_001);
    *graph.shared.page.lock().unwrap() = 0;
    host.updater.sync().await;
    assert!(host.failure().unwrap().contains("more than 6000 templates"));
    assert_eq!(host.names().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_keeps_the_copy_and_a_limit_makes_it_rarer() {
    let graph = one().await;
    let host = Host::new(&graph, store::memory());
    let (stop, stopped) = watch::channel(false);
    let run = tokio::spawn(Arc::clone(&host.updater).run(stopped));
    eventually("the first reading", || host.names() == ["sale"]).await;
    assert_eq!(graph.calls(), 1);
    graph.fail(Some((400, 80007)));
    host.clock.advance(HOUR);
    eventually("the second reading", || host.failure().is_some()).await;
    assert_eq!((graph.calls(), host.names()), (2, vec!["sale".into()]));
    assert_eq!(host.templates.list("1020").0, Some(START), "the copy's age is true");
    // After 5 minutes, then after 10: not sooner, also not for a reload.
    let stays = async |by: Millis, calls: usize| {
        *host.generation.lock().unwrap() += 1;
        host.clock.advance(by);
        host.templates.ring();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        assert_eq!(graph.calls(), calls);
    };
    stays(4 * MINUTE, 2).await;
    host.clock.advance(MINUTE);
    eventually("the third reading", || graph.calls() == 3).await;
    eventually("its end", || {
        host.updater.outcomes()[0].tried_at == Some(START + HOUR + 5 * MINUTE)
    })
    .await;
    graph.fail(None);
    stays(9 * MINUTE, 3).await;
    host.clock.advance(MINUTE);
    eventually("the fourth reading", || host.failure().is_none()).await;
    assert_eq!(graph.calls(), 4);
    stop.send(true).unwrap();
    run.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_and_an_unknown_name_have_it_read_within_a_minute() {
    let graph = one().await;
    let host = Host::new(&graph, store::memory());
    let (stop, stopped) = watch::channel(false);
    let run = tokio::spawn(Arc::clone(&host.updater).run(stopped));
    eventually("the first reading", || host.names() == ["sale"]).await;
    let new = template("order", "en", "APPROVED", "UTILITY", "Hi {{1}}");
    graph.shared.templates.lock().unwrap().push(new);
    let order = || Template { name: "order".into(), ..sale() };
    for _ in 0..20 {
        let unknown = host.reply(order()).await.unwrap_err();
        assert!(unknown.contains("has no template `order`; there are `sale`"), "{unknown}");
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(graph.calls(), 1, "not more than once a minute");
    host.clock.advance(MINUTE);
    eventually("the second reading", || host.names().len() == 2).await;
    host.reply(order()).await.unwrap();
    *host.generation.lock().unwrap() = 2;
    host.templates.ring();
    host.clock.advance(MINUTE);
    eventually("the third reading", || graph.calls() == 3).await;
    stop.send(true).unwrap();
    run.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_template_is_refused_until_it_is_approved_again() {
    let graph = one().await;
    let host = Host::synced(&graph).await;
    host.reply(sale()).await.unwrap();
    let commit = host.news(news("PAUSED", Some("for 3 hours, for low quality"))).await;
    assert_eq!(commit.templates.len(), 1);
    let said = host.reply(sale()).await.unwrap_err();
    let expected = "the template `sale` (en) is paused: for 3 hours, for low quality";
    assert_eq!(said, format!("said: {expected}"));
    assert_eq!(
        host.templates.standing(&*meta(&graph.url), &sale()).state,
        TemplateState::Rests { reason: expected.into() }
    );
    // A list that was read before the webhook came does not undo it.
    let (_, forms) = Host::synced(&graph).await.templates.list("1020");
    host.store.replace_templates("1020", forms, START - 1).await.unwrap();
    host.updater.refresh().await.unwrap();
    host.reply(sale()).await.unwrap_err();
    assert!(host.lives.lock().unwrap().is_empty());

    host.news(news("APPROVED", None)).await;
    host.reply(sale()).await.unwrap();
    assert_eq!(*host.lives.lock().unwrap(), ["main sale en", "second sale en"]);
    let quality = TemplateNews {
        quality: Some("RED".into()),
        category: Some("MARKETING".into()),
        status: None,
        ..news("", None)
    };
    host.news(quality).await;
    let (_, forms) = host.templates.list("1020");
    assert_eq!(forms[0].quality.as_deref(), Some("RED"));
    let sent = host.reply(sale()).await.unwrap();
    assert_eq!(sent.category, Category::Marketing, "the step had said utility");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_text_and_an_unknown_template_have_the_list_read() {
    let graph = one().await;
    let host = Host::synced(&graph).await;
    for (name, changed) in [("sale", true), ("other", false)] {
        let quiet = host.store.templates("1020").await.unwrap();
        assert!(!quiet.wanted, "{name}");
        let told = TemplateNews { name: name.into(), changed, ..news("APPROVED", None) };
        host.news(told).await;
        assert!(host.store.templates("1020").await.unwrap().wanted, "{name}");
        host.updater.sync().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consent_is_asked_by_the_provider_s_category() {
    let list = vec![template("sale", "en_US", "APPROVED", "MARKETING", "Hi {{1}}")];
    let host = Host::synced(&Graph::start(list).await).await;
    let sent = host.reply(sale()).await.unwrap();
    assert_eq!((sent.language.as_str(), sent.category), ("en_US", Category::Marketing));
    // The contact stops marketing; what the step calls it changes nothing.
    host.stop_marketing().await;
    let said = host.reply(sale()).await.unwrap_err();
    assert!(said.contains("stopped marketing"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = SledOptions { cache_mb: 16, reserve_mb: 1 };
    let open = |folder: &Path| store::open_sled(folder, &options).unwrap();
    let long = "n".repeat(512);
    let list = vec![
        template("sale", "en", "REJECTED", "UTILITY", "Hi {{1}}"),
        template(&long, "en", "APPROVED", "UTILITY", "Hi"),
    ];
    let graph = Graph::start(list).await;
    let host = Host::new(&graph, open(folder.path()));
    host.updater.sync().await;
    let before = host.templates.list("1020");
    assert_eq!(before.1.len(), 2);
    drop(host);
    graph.fail(Some((500, 1)));
    let host = Host::new(&graph, open(folder.path()));
    host.updater.refresh().await.unwrap();
    assert_eq!(host.templates.list("1020"), before);
    let said = host.reply(sale()).await.unwrap_err();
    assert!(said.ends_with("the template `sale` (en) is rejected"), "{said}");
    assert_eq!(graph.calls(), 1, "nothing was read anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_outbox_waits_for_its_template() {
    let graph = one().await;
    let host = Host::synced(&graph).await;
    for _ in 0..2 {
        host.reply(sale()).await.unwrap();
    }
    host.news(news("PAUSED", Some("low quality"))).await;
    let sending = host.send();
    let items = async || host.store.outbox_of(ContactId(1), 10).await.unwrap();
    let reason = "the template `sale` (en) is paused: low quality (rule `template`)";
    let waits = |item: &OutboxItem| item.reason.as_deref() == Some(reason) && item.due().is_some();
    until(async || items().await.iter().any(waits)).await;
    assert_eq!(graph.sent().len(), 0);
    // Approved again, both go; deleted, the next never does.
    host.news(news("APPROVED", None)).await;
    host.clock.advance(TEMPLATE_REST_MS);
    until(async || graph.sent().len() == 2).await;
    host.reply(sale()).await.unwrap();
    host.news(news("DELETED", None)).await;
    host.clock.advance(MINUTE);
    until(async || items().await.iter().all(|item| item.due().is_none())).await;
    let states: Vec<_> = items().await.into_iter().map(|item| (item.state, item.reason)).collect();
    let gone = "the template `sale` (en) is deleted".to_owned();
    assert_eq!(
        states,
        [(SendState::Failed, Some(gone)), (SendState::Sent, None), (SendState::Sent, None)]
    );
    assert_eq!(graph.sent().len(), 2);
    sending.finish().await;
}

/// It left by the category that it had in its turn, to a contact that had stopped
/// marketing meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_template_made_marketing_while_its_message_waits_is_marketing() {
    let graph = one().await;
    let host = Host::synced(&graph).await;
    let category = async |to: &str| {
        host.clock.advance(1);
        let category = Some(to.to_owned());
        host.news(TemplateNews { category, status: None, ..news("", None) }).await;
    };
    let items = async || host.store.outbox_of(ContactId(1), 10).await.unwrap();
    // Of two that were asked for as utility, one leaves as marketing; it is on
    // record as that, so that caps count it.
    host.reply(sale()).await.unwrap();
    category("MARKETING").await;
    let sending = host.send();
    until(async || graph.sent().len() == 1).await;
    sending.finish().await;
    assert_eq!(items().await[0].message.category(), Some(Category::Marketing));
    category("UTILITY").await;
    host.reply(sale()).await.unwrap();
    assert_eq!(items().await[0].message.category(), Some(Category::Utility));
    category("MARKETING").await;
    host.stop_marketing().await;
    let sending = host.send();
    until(async || items().await.iter().all(|item| item.due().is_none())).await;
    let refused = items().await.remove(0);
    assert_eq!((refused.state, refused.hold.rule), (SendState::Refused, Some(Rule::Consent)));
    assert_eq!(graph.sent().len(), 1);
    sending.finish().await;
}

/// `eventually`, for what has to be awaited.
async fn until(holds: impl AsyncFn() -> bool) {
    for _ in 0..1_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it never held");
}

#[test]
fn real_lists_are_read() {
    let Some(folder) = corpus("whatsapp/send") else { return };
    let file = folder.join("message_templates_get__other_responses.json");
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let body = file["responses"]["200"]["Example response"].to_string();
    let page = meta("http://x").read_templates(200, body.as_bytes()).unwrap();
    assert_eq!((page.unread, page.next), (0, None));
    let named = |name: &str| page.forms.iter().find(|form| form.name == name).unwrap();
    let sale = named("2023_april_promo");
    assert_eq!(sale.category, Some(Category::Marketing));
    assert_eq!(placeholders(sale.parts.body.as_deref().unwrap()), ["1", "2"]);
    assert_eq!(sale.parts.buttons[0].kind, FormButtonKind::Reply);
    assert!(sale.footer.is_some() && sale.is_live() && !sale.named);
    assert_eq!(named("hello_world").parts.header, FormHeader::Text("Hello World".into()));
}
