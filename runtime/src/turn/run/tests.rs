//! What the trace of a turn keeps of what the turn ran on.

mod again;
mod handover;
mod heard;
mod retried;
mod written;

use super::{
    super::{DraftLimits, Step},
    *,
};
use crate::{
    config::Grants,
    provider::{Provider, meta::Meta},
    store::{self, Store},
};
use async_trait::async_trait;

const NOW: Millis = 1_772_445_600_000;

/// Reads `key`, writes its length there, and tags.
struct Reads(&'static str);

#[async_trait]
impl Step for Reads {
    fn name(&self) -> &str {
        "reads"
    }
    fn plugin(&self) -> &str {
        "reads 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        let scope = KvScope::Contact;
        for _ in 0..2 {
            let value = draft.kv_get(scope, self.0).await.unwrap().unwrap_or_default();
            let length = value.len().to_string().into();
            draft.kv_set(scope, self.0, length, None).await.unwrap().unwrap();
        }
        assert_eq!(draft.kv_get(scope, "none").await.unwrap(), None);
        assert_eq!(draft.kv_keys(KvScope::Contact, "", 10).await.unwrap().len(), 2);
        draft.tag("seen", None).unwrap();
        Ran::unmeasured(draft, Ok(Verdict::Continue), self.plugin())
    }
}

fn provider() -> Arc<dyn Provider> {
    let channel = r#"{"id": "main", "provider": "meta", "phone_number_id": "1", "access_token": "a",
        "app_secret": ["b"], "verify_token": "c"}"#;
    Arc::new(Meta::new(&serde_json::from_str(channel).unwrap()))
}

/// A store in which `small` and `large` are kept, and the contact's message.
async fn waiting() -> (Arc<dyn Store>, Snapshot) {
    let store = store::memory();
    let happening = |dedup: &str, raw: &str| Happening {
        channel: ChannelId::new("main"),
        dedup: dedup.into(),
        sender: Some(Sender {
            phone: Some("15550001111".into()),
            name: Some("Ann".into()),
            ..Sender::default()
        }),
        kind: EventKind::Message(Message {
            id: "wamid.HBgLMTU1NTAwMDExMTEVAgASGBQzQTdCQzE4RjQ5QjM2".into(),
            sent_at: NOW,
            content: Content::Text("When do you open on Sundays?".into()),
            replies_to: None,
            referral: None,
            forwarded: false,
            product: None,
        }),
        raw: raw.into(),
    };
    let raw = r#"{"from":"15550001111","id":"wamid.HBgLMTU1NTAwMDExMTEVAgASGBQzQTdCQzE4RjQ5QjM2",
        "text":{"body":"When do you open on Sundays?"},"timestamp":"1772445600","type":"text"}"#;
    store.accept(vec![happening("1", ""), happening("2", raw)], NOW).await.unwrap();
    let lane = Lane::Contact(ContactId(1));
    let first = store.next_in_lane(&lane).await.unwrap().unwrap();
    let write = |key: &str, bytes: usize| KvWrite {
        step: "reads".into(),
        scope: KvScope::Contact,
        key: key.into(),
        value: Some(vec![b'x'; bytes]),
        expires: None,
    };
    let mut commit = TurnCommit::new(first.event.id.clone());
    commit.kv = vec![write("small", 20), write("large", 40_000)];
    assert!(store.commit(commit, NOW).await.unwrap());
    let second = store.next_in_lane(&lane).await.unwrap().unwrap();
    (store, second)
}

async fn traced(key: &'static str, record: bool) -> Trace {
    ran(Arc::new(Reads(key)), record).await.unwrap().trace.unwrap()
}

async fn ran(step: Arc<dyn Step>, record: bool) -> Result<TurnCommit, crate::store::StoreError> {
    let (store, snapshot) = waiting().await;
    ran_on(store, snapshot, step, record).await
}

async fn ran_on(
    store: Arc<dyn Store>,
    snapshot: Snapshot,
    step: Arc<dyn Step>,
    record: bool,
) -> Result<TurnCommit, crate::store::StoreError> {
    ran_with(store, snapshot, link(step), record).await
}

fn link(step: Arc<dyn Step>) -> ChainStep {
    let limits =
        DraftLimits { effects: 10, log_lines: 10, value_bytes: 100_000, kv_bytes: 1_000_000 };
    ChainStep {
        step,
        on_error: OnError::Skip,
        error_reply: None,
        grants: Grants::default(),
        limits,
        rules: "0123456789abcdef".into(),
    }
}

async fn ran_with(
    store: Arc<dyn Store>,
    snapshot: Snapshot,
    link: ChainStep,
    record: bool,
) -> Result<TurnCommit, crate::store::StoreError> {
    let chain = Chain { name: "default".into(), steps: vec![link] };
    let setting = Setting {
        event: Arc::new(snapshot.event.clone()),
        now: NOW,
        zone: "UTC".into(),
        calendar: None,
        provider: provider(),
        store,
        policy: crate::policy::Rules { window_margin_ms: 0, handoff_ms: 1, ..Default::default() },
        templates: Default::default(),
    };
    let consent = &consent::Words::default();
    let stage = Stage { setting, chain: &chain, consent, generation: 1, record, merge: true };
    super::run(snapshot, stage).await
}

/// Tags and removes tags, with reasons; and fails if it is told to.
struct Tags(Option<StepError>);

#[async_trait]
impl Step for Tags {
    fn name(&self) -> &str {
        "tags"
    }
    fn plugin(&self) -> &str {
        "tags 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        draft.tag("plain", None).unwrap();
        draft.because("it asked");
        draft.tag("asked", Some(NOW + 5)).unwrap();
        draft.tag("asked", Some(NOW + 9)).unwrap();
        draft.because("it is over");
        draft.untag("old").unwrap();
        draft.untag("over").unwrap();
        let outcome = self.0.clone().map_or(Ok(Verdict::Continue), Err);
        Ran::unmeasured(draft, outcome, self.plugin())
    }
}

#[tokio::test]
async fn tags_know_who_set_them_and_why() {
    let changes = async |fails: Option<StepError>| {
        let (store, mut snapshot) = waiting().await;
        let contact = snapshot.contact.as_mut().unwrap();
        for (name, expires) in [("old", None), ("over", Some(NOW - 3)), ("ends", Some(NOW))] {
            contact.apply(&Effect::Tag { name: name.into(), expires }, "before", NOW - 9);
        }
        let step = Arc::new(Tags(fails));
        let commit = ran_on(store, snapshot, step, false).await.unwrap();
        let told = |it: &TagChange| {
            (it.change, it.name.clone(), it.by.clone(), it.at, it.expires, it.why.clone())
        };
        (commit.tagged.iter().map(told).collect::<Vec<_>>(), commit.contact.unwrap().tags)
    };
    let told = |change, name: &str, by: &str, at, expires, why: Option<&str>| {
        (change, name.into(), by.into(), at, expires, why.map(str::to_owned))
    };
    let expired = [
        told(TagMove::Expired, "over", "before", NOW - 3, None, None),
        told(TagMove::Expired, "ends", "before", NOW, None, None),
    ];
    let (history, tags) = changes(None).await;
    assert_eq!(history[..2], expired);
    assert_eq!(
        history[2..],
        [
            told(TagMove::Added, "plain", "tags", NOW, None, None),
            told(TagMove::Added, "asked", "tags", NOW, Some(NOW + 5), Some("it asked")),
            told(TagMove::Removed, "old", "tags", NOW, None, Some("it is over")),
        ]
    );
    let there: Vec<_> =
        tags.iter().map(|it| (&*it.name, &*it.by, it.expires, it.why.as_deref())).collect();
    assert_eq!(
        there,
        [("asked", "tags", Some(NOW + 9), Some("it asked")), ("plain", "tags", None, None)]
    );
    // What a step that fails has changed, has not changed.
    let (history, tags) = changes(Some(StepError::Plugin("no".into()))).await;
    assert_eq!(history, expired);
    assert_eq!(tags.iter().map(|it| &*it.name).collect::<Vec<_>>(), ["old"]);
}

#[tokio::test]
async fn what_a_turn_ran_on_is_recorded() {
    let trace = traced("small", true).await;
    let Recording::Whole(record) = &trace.recording else { panic!("{:?}", trace.recording) };
    let contact = record.contact.as_ref().unwrap();
    // As the step saw it: counted, and not yet tagged.
    assert_eq!((contact.message_count, contact.tags.len()), (1, 0));
    assert_eq!(contact.name.as_deref(), Some("Ann"));
    let step = &record.steps[0];
    assert_eq!(step.rules, "0123456789abcdef");
    let kv = |key: &str, value: Option<&[u8]>| {
        (KvScope::Contact, key.to_owned(), value.map(<[u8]>::to_vec))
    };
    // Once, as it was before the turn, whatever the turn wrote meanwhile.
    assert_eq!(step.inputs.kv, [kv("small", Some(&[b'x'; 20])), kv("none", None)]);
    let keys: Vec<_> = step.inputs.keys.iter().map(|(_, key)| &**key).collect();
    assert_eq!(keys, ["large", "small"]);
    assert_eq!(step.writes, [kv("small", Some(b"2"))]);
}

#[tokio::test]
async fn what_is_too_large_is_not_recorded() {
    let trace = traced("large", true).await;
    let Recording::TooLarge { bytes, limit } = trace.recording else { panic!() };
    assert!(bytes > 40_000 && bytes > limit, "{bytes}");
}

#[tokio::test]
async fn a_recording_is_small_and_old_traces_open() {
    let recorded = traced("small", true).await;
    let without = traced("small", false).await;
    assert_eq!(without.recording, Recording::None);
    let encoded = |trace: &Trace| rmp_serde::to_vec_named(trace).unwrap();
    let (long, short) = (encoded(&recorded), encoded(&without));
    // Without the field at all, as traces were before there was one.
    assert!(!String::from_utf8_lossy(&short).contains("recording"));
    assert_eq!(rmp_serde::from_slice::<Trace>(&short).unwrap().steps, without.steps);
    assert_eq!(rmp_serde::from_slice::<Trace>(&long).unwrap(), recorded);
    let json = serde_json::to_string(&recorded).unwrap();
    assert_eq!(serde_json::from_str::<Trace>(&json).unwrap(), recorded);
    let bytes = long.len() - short.len();
    let encode = |trace: &Trace| {
        let watch = Stopwatch::start();
        (0..1_000).for_each(|_| drop(encoded(trace)));
        watch.micros() as f64 / 1_000.0
    };
    let (with, without) = (encode(&recorded), encode(&without));
    eprintln!("a recording takes {bytes} bytes beside the {} of the trace", short.len());
    eprintln!("encoding takes {with:.1} µs with it and {without:.1} without, unoptimised");
    assert!(bytes < 1_500, "{bytes}");
}

/// Its store has failed.
struct Broken;

#[async_trait]
impl Step for Broken {
    fn name(&self) -> &str {
        "broken"
    }
    fn plugin(&self) -> &str {
        "broken 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        draft.broken = Some(crate::store::StoreError::Failed("gone".into()));
        Ran::unmeasured(draft, Err(StepError::Trap("the store failed".into())), self.plugin())
    }
}

#[tokio::test]
async fn a_turn_whose_store_fails_is_not_finished() {
    let error = ran(Arc::new(Broken), true).await.unwrap_err();
    assert!(error.to_string().contains("gone"), "{error}");
}

/// The contact after a turn without steps, and what the trace remarks.
async fn after(kinds: Vec<EventKind>) -> (Contact, Vec<String>) {
    let store = store::memory();
    let (phone, username) = (Some("15550001111".into()), Some("ann.w".into()));
    let sender = Sender { phone, username, ..Sender::default() };
    let chain = Chain { name: "default".into(), steps: Vec::new() };
    let mut remarks = Vec::new();
    for (number, kind) in kinds.into_iter().enumerate() {
        let happening = Happening {
            channel: ChannelId::new("main"),
            dedup: number.to_string(),
            sender: Some(sender.clone()),
            kind,
            raw: "{}".into(),
        };
        store.accept(vec![happening], NOW).await.unwrap();
        let lane = Lane::Contact(ContactId(1));
        let snapshot = store.next_in_lane(&lane).await.unwrap().expect("a contact is made");
        let setting = Setting {
            event: Arc::new(snapshot.event.clone()),
            now: NOW + number as Millis,
            zone: "UTC".into(),
            calendar: None,
            provider: provider(),
            store: Arc::clone(&store),
            policy: crate::policy::Rules {
                window_margin_ms: 0,
                handoff_ms: 1_000,
                ..Default::default()
            },
            templates: Default::default(),
        };
        let consent = &consent::Words::default();
        let stage =
            Stage { setting, chain: &chain, consent, generation: 1, record: true, merge: true };
        let commit = super::run(snapshot, stage).await.unwrap();
        if let Some(trace) = &commit.trace {
            remarks.extend(trace.remarks.clone());
            assert_eq!(trace.account.is_some(), trace.event == "account");
        }
        assert!(store.commit(commit, NOW).await.unwrap());
    }
    (store.contact(ContactId(1)).await.unwrap().unwrap_or(Contact::new(ContactId(1))), remarks)
}

fn account(news: News) -> EventKind {
    EventKind::Account { field: "f".into(), news }
}

fn said(content: Content) -> Message {
    Message::new("wamid.1", NOW, content)
}

#[tokio::test]
async fn a_call_opens_the_window_and_is_no_message() {
    let call = |at| account(News::Call { id: "w".into(), at, missed: true });
    let (contact, remarks) = after(vec![call(NOW - 5_000), call(NOW - 9_000)]).await;
    assert_eq!(contact.last_inbound[&ChannelId::new("main")], NOW - 5_000);
    assert_eq!((contact.message_count, contact.last_seen), (0, None));
    assert!(remarks[0].ends_with("and nobody answered"), "{remarks:?}");
}

/// It went to whoever's lane the news came in.
#[tokio::test]
async fn the_businesss_own_username_is_no_contacts() {
    let known = EventKind::Message(said(Content::Welcome));
    let name = |name: Option<&str>| account(News::Username(name.map(str::to_owned)));
    let (contact, remarks) = after(vec![known, name(Some("the.shop")), name(None)]).await;
    assert_eq!(contact.username.as_deref(), Some("ann.w"));
    let told = ["the business's username is `the.shop`", "the business has no username any more"];
    assert_eq!(remarks, told);
}

#[tokio::test]
async fn an_answer_from_the_phone_app_hands_over_and_an_edit_does_not() {
    let echo = |content| account(News::Echo(Box::new(said(content))));
    let (contact, remarks) = after(vec![echo(Content::Text("I see to it".into()))]).await;
    let handoff = contact.handoff.unwrap();
    assert_eq!(handoff.reason, "answered from the phone app");
    assert!(!remarks[0].contains("I see to it"), "{remarks:?}");
    let (contact, _) = after(vec![echo(Content::Revoked { message_id: "w".into() })]).await;
    assert_eq!((contact.handoff, contact.last_inbound.len()), (None, 0));
    // Whoever has the conversation keeps it, from now on again.
    let twice = vec![echo(Content::Welcome), echo(Content::Welcome), echo(Content::Welcome)];
    assert_eq!(after(twice).await.0.handoff.unwrap().since, NOW + 2);
}

#[tokio::test]
async fn edits_and_notices_open_no_window() {
    let edit = Edit { message_id: "w".into(), content: Box::new(Content::Text("new".into())) };
    let notice = Notice { kind: "k".into(), text: String::new(), now: Sender::default() };
    let quiet = [
        Content::Edit(edit),
        Content::Revoked { message_id: "w".into() },
        Content::Notice(notice),
        Content::Other { kind: "system.later".into(), json: "{}".into() },
    ];
    let (contact, _) =
        after(quiet.into_iter().map(|content| EventKind::Message(said(content))).collect()).await;
    assert_eq!((contact.last_inbound.len(), contact.message_count), (0, 0));
    let (contact, _) = after(vec![EventKind::Message(said(Content::Welcome))]).await;
    assert_eq!((contact.last_inbound.len(), contact.message_count), (1, 1));
}

#[tokio::test]
async fn a_receipt_tells_how_long_all_is_free() {
    let receipt = |until| {
        EventKind::Receipt(Receipt {
            message_id: "wamid.2".into(),
            send: None,
            state: ReceiptState::Sent,
            at: NOW,
            error: None,
            pricing: None,
            free_until: until,
        })
    };
    let message = EventKind::Message(said(Content::Welcome));
    let told = vec![message, receipt(Some(NOW + 9)), receipt(Some(NOW + 3)), receipt(None)];
    let (contact, _) = after(told).await;
    assert_eq!(contact.free_until[&ChannelId::new("main")], NOW + 9);
}

/// One that must not run.
struct Never;

#[async_trait]
impl Step for Never {
    fn name(&self) -> &str {
        "promo"
    }
    fn plugin(&self) -> &str {
        "promo 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, draft: Draft) -> Ran {
        panic!("it ran in {}", draft.event().id);
    }
}

#[tokio::test]
async fn no_step_runs_for_a_campaign_that_was_stopped() {
    let (store, message) = waiting().await;
    let member = message.contact.as_ref().unwrap().id;
    let channel = ChannelId::new("main");
    let key = CampaignKey { channel, step: "promo".into(), id: "spring".into() };
    let broadcast = Broadcast::new(key.clone(), Segment::default(), "p".into(), NOW);
    let mut commit = TurnCommit::new(message.event.id);
    commit.broadcasts.push(broadcast.clone());
    assert!(store.commit(commit, NOW).await.unwrap());
    let page = store::Audience { members: vec![member], next: None };
    store.fan_out(&broadcast, page, NOW).await.unwrap();
    store.steer(&key, Going::Stopped).await.unwrap();
    let lane = Lane::Contact(member);
    let reached = store.next_in_lane(&lane).await.unwrap().unwrap();
    let commit = ran_on(Arc::clone(&store), reached, Arc::new(Never), false).await.unwrap();
    assert_eq!(commit.outbox, []);
    assert_eq!(commit.member.as_ref().unwrap().otherwise, Going::STOPPED);
    assert!(store.commit(commit, NOW).await.unwrap());
    assert!(store.next_in_lane(&lane).await.unwrap().is_none(), "its event is done");
}
