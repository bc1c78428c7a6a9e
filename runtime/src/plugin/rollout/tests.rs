//! The phases of a roll-out, with closures for plugins.

use super::*;
use crate::{
    config::{Grants, Limits},
    policy,
    provider::meta::Meta,
    turn::Setting,
};
use serde_json::json;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use tokio::sync::Semaphore;

type Does = dyn Fn(&mut Draft) -> Result<Verdict, StepError> + Send + Sync;

struct Closure {
    label: &'static str,
    kinds: &'static [&'static str],
    runs: AtomicU32,
    /// What the turn `SLOW` waits for.
    gate: Semaphore,
    does: Box<Does>,
}

/// The number of an event.
const SLOW: u64 = 7;

#[async_trait]
impl Step for Closure {
    fn name(&self) -> &str {
        "points"
    }
    fn plugin(&self) -> &str {
        self.label
    }
    fn wants(&self, kind: &str) -> bool {
        self.kinds.contains(&kind)
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        self.runs.fetch_add(1, Ordering::SeqCst);
        if draft.event().id.seq == SLOW {
            self.gate.acquire().await.unwrap().forget();
        }
        let outcome = (self.does)(&mut draft);
        if outcome == Err(StepError::Plugin("hang".into())) {
            std::future::pending::<()>().await;
        }
        Ran::unmeasured(draft, outcome, self.label)
    }
}

fn version(
    label: &'static str,
    hash: &str,
    does: impl Fn(&mut Draft) -> Result<Verdict, StepError> + Send + Sync + 'static,
) -> Version<Closure> {
    let (runs, gate) = (AtomicU32::new(0), Semaphore::new(0));
    let step = Closure { label, kinds: &["account"], runs, gate, does: Box::new(does) };
    Version { label: label.into(), hash: hash.into(), step: Arc::new(step) }
}

/// Tags with its own label.
fn tags(label: &'static str, hash: &str) -> Version<Closure> {
    version(label, hash, move |draft| {
        draft.tag(label, None).unwrap();
        Ok(Verdict::Stop)
    })
}

fn traps(label: &'static str, hash: &str) -> Version<Closure> {
    version(label, hash, |draft| {
        draft.tag("half-done", None).unwrap();
        Err(StepError::Trap("boom".into()))
    })
}

fn config(shadow: u32, watch: u32, failures: u32) -> StepConfig {
    let mut config: StepConfig =
        serde_json::from_value(json!({ "name": "points", "plugin": "points" })).unwrap();
    config.rollout = config::Rollout { shadow, watch, failures };
    config
}

fn draft() -> Draft {
    draft_of(1)
}

fn draft_of(seq: u64) -> Draft {
    draft_in(1, seq)
}

fn draft_in(contact: u64, seq: u64) -> Draft {
    let contact = ContactId(contact);
    let channel = serde_json::from_value(json!({
        "id": "main", "provider": "meta", "phone_number_id": "1060",
        "access_token": "t", "app_secret": ["s"], "verify_token": "v",
    }));
    let event = Event {
        id: EventId { lane: Lane::Contact(contact), seq },
        channel: ChannelId::new("main"),
        sender: None,
        kind: EventKind::Account { field: "test".into(), news: Default::default() },
        raw: String::new(),
        accepted_at: 1_000,
        attempts: 0,
        member: None,
        tries: 0,
    };
    let setting = Setting {
        event: Arc::new(event),
        now: 1_772_445_600_000,
        zone: "UTC".into(),
        calendar: None,
        provider: Arc::new(Meta::new(&channel.unwrap())),
        store: crate::store::memory(),
        policy: policy::Rules { window_margin_ms: 0, handoff_ms: 0, ..Default::default() },
        templates: Default::default(),
    };
    let limits = (&Limits::default()).into();
    let mut draft = Draft::new(setting, "points", Grants::default(), limits);
    draft.contact = Some(Contact::new(contact));
    draft
}

/// A closure can't wait, so its thread does.
fn at_once(asked: impl Future<Output = Result<Result<(), String>, crate::store::StoreError>>) {
    let asked = async { asked.await.unwrap().unwrap() };
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(asked));
}

type Tried = Rollout<Closure>;

/// Who answered, and the tags that were set. Each turn is another contact's.
async fn turn(rollout: &Tried) -> (String, Vec<String>) {
    static CONTACTS: AtomicU64 = AtomicU64::new(100);
    let contact = CONTACTS.fetch_add(1, Ordering::SeqCst);
    let ran = rollout.run(draft_in(contact, 1)).await;
    assert_eq!(ran.outcome, Ok(Verdict::Stop));
    let tags = ran.draft.contact.unwrap().tags.into_iter().map(|tag| tag.name).collect();
    (ran.plugin, tags)
}

async fn answers(rollout: &Tried, label: &str) {
    assert_eq!(turn(rollout).await, (label.into(), vec![label.to_owned()]));
}

fn settled() -> Tried {
    Rollout::new(&config(0, 0, 1), tags("p 1", "a1"), None, None)
}

fn runs(version: &Version<Closure>) -> u32 {
    version.step.runs.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_new_version_goes_from_the_shadow_to_trust() {
    let old = tags("p 1", "a1");
    let first = Rollout::new(&config(0, 0, 1), old.clone(), None, None);
    let gone = Arc::downgrade(&old.step);
    drop(old);
    let new = tags("p 2", "b2");
    let rollout = Rollout::new(&config(2, 3, 2), new.clone(), Some(&first), None);
    drop(first);
    for turns in 0..2 {
        assert_eq!((rollout.report().phase, rollout.report().turns), (RolloutPhase::Shadow, turns));
        answers(&rollout, "p 1").await;
        assert_eq!(runs(&new), turns + 1);
    }
    let differences = rollout.vitals().differences();
    assert_eq!(differences.len(), 2);
    assert_eq!(differences[0].differs, ["effects"]);
    assert_eq!(differences[0].old.effects, ["tagged `p 1`"]);
    assert_eq!(differences[0].new.effects, ["tagged `p 2`"]);
    for turns in 0..3 {
        let report = rollout.report();
        assert_eq!(
            (report.phase, report.turns, report.beside.as_deref()),
            (RolloutPhase::Watch, turns, Some("p 1"))
        );
        assert!(gone.upgrade().is_some(), "the old one is kept ready");
        answers(&rollout, "p 2").await;
    }
    assert_eq!(rollout.report(), RolloutReport::default());
    assert!(gone.upgrade().is_none(), "the old one is let go");
    answers(&rollout, "p 2").await;
    let vitals = rollout.vitals().report();
    assert_eq!((vitals.turns, vitals.failed(), vitals.differences), (6, 0, 2));
    let versions: Vec<_> =
        vitals.versions.iter().map(|version| (&*version.plugin, version.turns)).collect();
    assert_eq!(versions, [("p 1", 2), ("p 2", 4)]);
}

#[tokio::test]
async fn one_that_keeps_failing_is_rolled_back_and_no_turn_is_lost() {
    let first = settled();
    let new = traps("p 2", "b2");
    let rollout = Rollout::new(&config(0, 10, 3), new.clone(), Some(&first), None);
    for failures in 0..3 {
        assert_eq!(rollout.report().failures, failures);
        answers(&rollout, "p 1").await;
    }
    let why = rollout.rolled_back().unwrap();
    assert_eq!((why.failures, why.turns, &*why.last_error), (3, 3, "trap"));
    assert_eq!(
        why.to_string(),
        "p 2 was rolled back at 2026-03-02T10:00:00Z, and p 1 runs instead: 3 of 3 turns failed, \
         the last with `trap`; put a mended version into the folder, or the old one back: a \
         restart loads what is there"
    );
    answers(&rollout, "p 1").await;
    assert_eq!((runs(&new), rollout.running().hash.as_str()), (3, "a1"));
    let vitals = rollout.vitals().report();
    assert_eq!((vitals.turns, vitals.errors["trap"], vitals.rollbacks), (4, 3, 1));
    let said = rollout.vitals().logs(100);
    assert_eq!((said.len(), &*said[0].plugin, &*said[0].message), (3, "p 2", "crashed: boom"));

    // Other rules for the same plugin are another try, with the same old one
    // behind it; the mended version is one too.
    let again = Rollout::new(&config(0, 10, 3), new.clone(), Some(&rollout), None);
    assert_eq!(again.report().phase, RolloutPhase::Watch);
    answers(&again, "p 1").await;
    let mended = Rollout::new(&config(0, 1, 3), tags("p 3", "c3"), Some(&rollout), None);
    answers(&mended, "p 3").await;
    assert_eq!(mended.report().phase, RolloutPhase::Settled);
    assert_eq!(mended.vitals().report().versions.len(), 3, "vitals go on");
    // The old file put back is trusted at once.
    let back = Rollout::new(&config(5, 5, 3), tags("p 1", "a1"), Some(&rollout), None);
    assert_eq!(back.report(), RolloutReport::default());
}

#[tokio::test]
async fn one_contact_alone_does_not_take_a_version_back() {
    let rollout = Rollout::new(&config(0, 100, 3), traps("p 2", "b2"), Some(&settled()), None);
    for _ in 0..10 {
        assert_eq!(rollout.run(draft()).await.plugin, "p 1");
    }
    assert_eq!((rollout.report().failures, rollout.rolled_back()), (10, None));
    answers(&rollout, "p 1").await;
    assert_eq!(rollout.rolled_back().unwrap().failures, 11);
}

#[tokio::test]
async fn a_turn_ends_on_what_it_began_with() {
    let new = version("p 2", "b2", |draft| match draft.event().id.seq {
        SLOW => Ok(Verdict::Stop),
        _ => Err(StepError::Trap("boom".into())),
    });
    let rollout = Arc::new(Rollout::new(&config(0, 9, 1), new.clone(), Some(&settled()), None));
    let slow = Arc::clone(&rollout);
    let slow = tokio::spawn(async move { slow.run(draft_of(SLOW)).await });
    while runs(&new) == 0 {
        tokio::task::yield_now().await;
    }
    answers(&rollout, "p 1").await;
    assert!(rollout.rolled_back().is_some());
    new.step.gate.add_permits(1);
    let ran = slow.await.unwrap();
    assert_eq!((ran.plugin.as_str(), ran.outcome), ("p 2", Ok(Verdict::Stop)));
    assert_eq!(rollout.running().label, "p 1", "it brings nothing back");
}

#[tokio::test]
async fn a_failed_turn_says_in_its_trace_who_answered() {
    let rollout = Rollout::new(&config(0, 10, 3), traps("p 2", "b2"), Some(&settled()), None);
    let ran = rollout.run(draft()).await;
    assert_eq!(ran.plugin, "p 1");
    assert_eq!(ran.draft.logs[0].message, "p 2 crashed: boom, so p 1 answered instead");
}

#[tokio::test]
async fn one_that_fails_in_the_shadow_never_answers() {
    let new = traps("p 2", "b2");
    let rollout = Rollout::new(&config(100, 100, 2), new.clone(), Some(&settled()), None);
    for _ in 0..4 {
        answers(&rollout, "p 1").await;
    }
    assert_eq!(rollout.rolled_back().unwrap().during, RolloutPhase::Shadow);
    assert_eq!(runs(&new), 2);
    let vitals = rollout.vitals().report();
    assert_eq!((vitals.turns, vitals.failed()), (4, 0), "no contact saw a failure");
    assert_eq!(rollout.vitals().differences()[0].differs, ["error"]);
}

#[tokio::test]
async fn what_both_fail_at_is_not_the_new_ones_fault() {
    let plugin = |label, hash| version(label, hash, |_| Err(StepError::Plugin("no".into())));
    let first = Rollout::new(&config(0, 0, 1), plugin("p 1", "a1"), None, None);
    let rollout = Rollout::new(&config(0, 5, 1), plugin("p 2", "b2"), Some(&first), None);
    for _ in 0..10 {
        let ran = rollout.run(draft()).await;
        assert_eq!((ran.plugin.as_str(), ran.outcome.is_err()), ("p 2", true));
    }
    assert_eq!((rollout.report().phase, rollout.report().turns), (RolloutPhase::Watch, 0));
    // Nor is a rest a failure.
    let rests = |_: &mut Draft| Err(StepError::Quarantined { until: String::new() });
    let rollout =
        Rollout::new(&config(0, 5, 1), version("p 2", "b2", rests), Some(&settled()), None);
    for _ in 0..10 {
        answers(&rollout, "p 1").await;
    }
    assert_eq!(rollout.report().failures, 0);
}

#[tokio::test]
async fn a_third_version_is_tried_against_the_last_trusted_one() {
    let second = Rollout::new(&config(5, 5, 1), tags("p 2", "b2"), Some(&settled()), None);
    let third = Rollout::new(&config(5, 5, 1), tags("p 3", "c3"), Some(&second), None);
    answers(&third, "p 1").await;
    let second = Rollout::new(&config(0, 5, 1), tags("p 2", "b2"), Some(&settled()), None);
    answers(&second, "p 2").await;
    let third = Rollout::new(&config(0, 5, 1), traps("p 3", "c3"), Some(&second), None);
    answers(&third, "p 1").await;
    assert_eq!(third.rolled_back().unwrap().back_to, "p 1");
}

#[tokio::test]
async fn an_edit_by_the_owner_goes_live_at_once() {
    let edited = Rollout::new(&config(5, 5, 1), tags("p 1", "a1"), Some(&settled()), None);
    assert_eq!(edited.report(), RolloutReport::default());
    // Also of one that is watched: it answers already.
    let watched = Rollout::new(&config(0, 5, 1), tags("p 2", "b2"), Some(&settled()), None);
    answers(&watched, "p 2").await;
    let edited = Rollout::new(&config(5, 5, 1), tags("p 2", "b2"), Some(&watched), None);
    assert_eq!((edited.report().phase, edited.report().turns), (RolloutPhase::Watch, 1));
    let at_once = Rollout::new(&config(0, 0, 1), tags("p 2", "b2"), Some(&settled()), None);
    assert_eq!(at_once.report(), RolloutReport::default());
    answers(&at_once, "p 2").await;
}

#[tokio::test]
async fn a_version_that_was_not_counted_up_is_told_by_its_hash() {
    let new = tags("p 1", "b2c3d4e5f6a7");
    let rollout = Rollout::new(&config(0, 5, 1), new, Some(&settled()), None);
    assert_eq!(turn(&rollout).await.0, "p 1 (b2c3d4e5)");
}

fn asks(draft: &mut Draft, url: &str) {
    let request = HttpRequest {
        method: "GET".into(),
        url: url.into(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    draft.inputs.exchanges.push(Exchange { request, response: Err("no".into()) });
}

#[tokio::test]
async fn what_nobody_could_answer_is_no_failure_of_a_shadow() {
    let new = version("p 2", "b2", |draft| {
        asks(draft, "https://other.example/");
        Err(StepError::Plugin("no answer".into()))
    });
    let rollout = Rollout::new(&config(3, 3, 1), new, Some(&settled()), None);
    answers(&rollout, "p 1").await;
    let report = rollout.report();
    // It told nothing, so it is no turn of the shadow.
    assert_eq!((report.phase, report.turns, report.failures), (RolloutPhase::Shadow, 0, 0));
    assert_eq!(report.differences, 1, "it is told all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shadow_does_stays_with_it() {
    let new = version("p 2", "b2", |draft| {
        at_once(draft.kv_set(KvScope::Contact, "k", b"v".to_vec(), None));
        draft.log(LogLevel::Info, "from the shadow");
        let Network::Recorded(exchanges) = &draft.network else { panic!("it has a network") };
        assert_eq!(exchanges.len(), 1, "it sees what the old one saw");
        at_once(draft.set_timer("t", 5, ""));
        asks(draft, "https://api.example/");
        Ok(Verdict::Stop)
    });
    let old = version("p 1", "a1", |draft| {
        asks(draft, "https://api.example/");
        at_once(draft.set_timer("t", 4, ""));
        Ok(Verdict::Stop)
    });
    let first = Rollout::new(&config(0, 0, 1), old, None, None);
    let rollout = Rollout::new(&config(5, 5, 1), new, Some(&first), None);
    let ran = rollout.run(draft()).await;
    assert!(ran.draft.kv.is_empty() && ran.draft.logs.is_empty());
    assert_eq!(rollout.vitals().logs(9)[0].message, "from the shadow");
    let difference = &rollout.vitals().differences()[0];
    assert_eq!(difference.differs, ["effects", "stored"]);
    assert_eq!(difference.new.stored, ["`k`: v"]);
    assert_eq!(difference.new.requests, ["GET https://api.example/"]);
    assert_eq!((rollout.rolled_back(), rollout.report().failures), (None, 0));
}

#[tokio::test]
async fn a_shadow_that_panics_or_hangs_costs_no_turn() {
    let new = version("p 2", "b2", |_| panic!("a mistake in the host"));
    let rollout = Rollout::new(&config(2, 5, 1), new, Some(&settled()), None);
    answers(&rollout, "p 1").await;
    assert_eq!((rollout.report().turns, rollout.report().failures), (0, 0));
    let mut config = config(2, 5, 1);
    config.limits.time_ms = 1;
    let new = version("p 2", "b2", |_| Err(StepError::Plugin("hang".into())));
    let rollout = Rollout::new(&config, new, Some(&settled()), None);
    answers(&rollout, "p 1").await;
    assert_eq!((rollout.report().turns, rollout.report().failures), (0, 0));
}

#[tokio::test]
async fn events_that_only_one_version_wants() {
    let kinds = |label: &'static str, hash: &str, kinds: &'static [&'static str]| {
        let step = Closure {
            label,
            kinds,
            runs: AtomicU32::new(0),
            gate: Semaphore::new(0),
            does: Box::new(|_| Err(StepError::Trap("boom".into()))),
        };
        Version { label: label.into(), hash: hash.into(), step: Arc::new(step) }
    };
    let first = Rollout::new(&config(0, 0, 1), kinds("p 1", "a1", &["message"]), None, None);
    let rollout =
        Rollout::new(&config(9, 9, 9), kinds("p 2", "b2", &["account"]), Some(&first), None);
    assert!(rollout.wants("message") && rollout.wants("account") && !rollout.wants("timer"));
    let ran = rollout.run(draft()).await;
    assert_eq!((ran.plugin.as_str(), ran.outcome), ("p 1", Ok(Verdict::Continue)));
    assert_eq!(rollout.report().failures, 1);
    let rollout =
        Rollout::new(&config(0, 9, 9), kinds("p 2", "b2", &["account"]), Some(&first), None);
    assert!(!rollout.wants("message"));
    assert_eq!(rollout.run(draft()).await.outcome, Ok(Verdict::Continue));
}

#[tokio::test]
async fn what_the_new_version_asked_is_not_asked_again() {
    let old = version("p 1", "a1", |draft| {
        let Network::Resumed { exchanges, asked: 1 } = &draft.network else {
            panic!("{:?}", draft.network)
        };
        assert_eq!(exchanges[0].request.url, "https://api.example/");
        Ok(Verdict::Stop)
    });
    let new = version("p 2", "b2", |draft| {
        asks(draft, "https://api.example/");
        Err(StepError::Trap("boom".into()))
    });
    let first = Rollout::new(&config(0, 0, 1), old, None, None);
    let rollout = Rollout::new(&config(0, 9, 9), new, Some(&first), None);
    let ran = rollout.run(draft()).await;
    assert_eq!((ran.plugin.as_str(), ran.outcome), ("p 1", Ok(Verdict::Stop)));
}

#[tokio::test]
async fn a_store_that_fails_is_no_fault_of_a_version() {
    let broken = |draft: &mut Draft| {
        draft.broken = Some(crate::store::StoreError::Failed("gone".into()));
        Err(StepError::Trap("the store failed".into()))
    };
    let new = version("p 2", "b2", broken);
    for shadow in [0, 5] {
        let rollout = Rollout::new(&config(shadow, 9, 1), new.clone(), Some(&settled()), None);
        let ran = rollout.run(draft()).await;
        assert_eq!((ran.draft.broken.is_some(), rollout.rolled_back()), (shadow == 0, None));
    }
}

#[tokio::test]
async fn what_the_owner_changes_reaches_the_version_that_answers() {
    let first = settled();
    let rollout = Rollout::new(&config(9, 9, 9), traps("p 2", "b2"), Some(&first), None);
    answers(&rollout, "p 1").await;
    // Rules and grants were changed: the same version, made anew.
    let anew = version("p 1", "a1", |draft| {
        draft.tag("anew", None).unwrap();
        Ok(Verdict::Stop)
    });
    let rollout = Rollout::new(&config(9, 9, 9), traps("p 2", "b2"), Some(&rollout), Some(anew));
    assert_eq!(turn(&rollout).await, ("p 1".into(), vec!["anew".into()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_looked_at_counts_for_nothing() {
    let old = version("a 1.0.0", "a", |draft| {
        draft.tag("a", None).unwrap();
        Ok(Verdict::Stop)
    });
    let before = Tried::new(&config(0, 5, 1), old, None, None);
    let rollout = Tried::new(&config(0, 5, 1), traps("b 1.0.0", "b"), Some(&before), None);
    for contact in 1..=9 {
        let mut draft = draft_in(contact, 1);
        draft.network = Network::Closed("nothing is asked");
        let ran = rollout.run(draft).await;
        assert_eq!(ran.outcome, Err(StepError::Trap("boom".into())), "the old one did not answer");
    }
    assert_eq!((rollout.rolled_back(), rollout.report().turns), (None, 0));
    let (answered, _) = turn(&rollout).await;
    assert_eq!(answered, "a 1.0.0", "and in a real turn it does");
}
