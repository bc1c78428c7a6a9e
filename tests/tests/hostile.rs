//! Plugins that mean harm: the host stays up, what is hostile is stopped as its
//! limits say, and everybody else is served meanwhile.

#[path = "plugin/stage.rs"]
mod stage;

/// In a real server, with innocents who write all the time.
mod siege {
    use std::time::Duration;
    use switchboard_tests::hostile::{Case, Innocents, SERVED, SORRY, Siege, Strike, cases};

    #[tokio::test(flavor = "multi_thread")]
    async fn every_case_is_stopped_and_everybody_else_is_served() {
        let (cases, mut wrong) = (cases(), Vec::new());
        assert!(cases.len() >= 60, "{} cases", cases.len());
        let siege = Siege::start().await;
        let innocents = Innocents::start(&siege.server, 2, Duration::from_millis(50));
        for (number, case) in cases.iter().enumerate() {
            let before = innocents.count();
            eprintln!("{number:>3} {}", case.name);
            let strike = siege.try_case(number, case).await;
            wrong.extend(strike.check(case).err().inspect(|wrong| eprintln!("    {wrong}")));
            innocents.are_served(&siege.graph, before, 5).await;
        }
        let served = innocents.end(&siege.graph).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
        assert!(served >= 5 * cases.len(), "{served} innocents");
        let (code, log) = siege.server.terminate();
        assert_eq!(code, Some(0), "{log}");
    }

    fn named(name: &str) -> Case {
        cases().into_iter().find(|case| case.name == name).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_quota_holds_over_turns_and_contacts() {
        let siege = Siege::start().await;
        let case = named("values over the quota");
        siege.arm(&case, "full").await.unwrap();
        // The channel's own event has written eight of 60,000 bytes; now the
        // first contact does, and for the others one more has room.
        let said = |strike: Strike| strike.said;
        let mut refused = 0;
        for _ in 0..4 {
            let said = said(siege.strike("full", "parking").await);
            if !said.contains(" 0 refused;") {
                refused += 1;
                let (_, words) = said.split_once("the step's stored values have ").unwrap();
                let held: u64 = words.split(' ').next().unwrap().parse().unwrap();
                assert!((900_000..=1_048_576).contains(&held), "{said}");
                assert!(words.contains("1 MB are allowed in all (`kv_mb`)"), "{said}");
            }
        }
        assert!((2..=4).contains(&refused), "{refused} turns were refused something");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn state_goes_by_the_step_and_not_by_the_plugin_s_name() {
        let siege = Siege::start().await;
        let case = Case { rules: "handle = \"keep\"".into(), ..named("panic") };
        let phone = siege.contact();
        let mut found = Vec::new();
        for step in ["one", "two", "one"] {
            siege.arm(&case, step).await.unwrap();
            found.push(siege.strike_from(&phone, step, "parking").await.said);
        }
        assert_eq!(found, ["found None", "found None", "found Some([109, 105, 110, 101])"]);
    }

    /// One contact makes a step crash again and again; for the others who
    /// write to the same step nothing changes.
    #[tokio::test(flavor = "multi_thread")]
    async fn who_crashes_a_step_loses_it_alone() {
        let siege = Siege::start().await;
        let case = named("crashes for this contact alone");
        siege.arm(&case, "picky").await.unwrap();
        let evil = siege.contact();
        let (mut errors, mut kinds) = (Vec::new(), Vec::new());
        for _ in 0..6 {
            let strike = siege.strike_from(&evil, "picky", "evil").await;
            assert_eq!(strike.answer, SORRY);
            errors.push(strike.error.unwrap());
            kinds.push(strike.error_kind.unwrap());
            let other = siege.strike("picky", "parking").await;
            assert_eq!((other.error, other.answer.as_str()), (None, SERVED));
        }
        assert!(errors[..3].iter().all(|error| error == "crashed: not you"), "{errors:?}");
        assert!(kinds[..3].iter().all(|kind| kind == "trap"), "{kinds:?}");
        assert!(kinds[3..].iter().any(|kind| kind == "quarantined"), "{kinds:?}");
        // A reload by command of what has not changed lifts the rest.
        siege.reload().await.unwrap();
        let strike = siege.strike_from(&evil, "picky", "evil").await;
        assert_eq!(strike.error.as_deref(), Some("crashed: not you"));
    }
}

mod bad_files {
    use super::stage::*;
    use switchboard::plugin::{LoadError, Source};

    async fn error(bytes: &[u8]) -> LoadError {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odd.wasm");
        std::fs::write(&path, bytes).unwrap();
        plugins().load(&Source::File(path)).await.unwrap_err()
    }

    async fn told(bytes: &[u8]) -> String {
        let text = error(bytes).await.to_string();
        assert!(text.contains("odd.wasm"), "{text}");
        text
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn are_told_apart() {
        assert!(told(b"<html>").await.ends_with("is not WebAssembly"));
        assert!(told(b"").await.ends_with("is not WebAssembly"));
        let core = told(b"\0asm\x01\0\0\0").await;
        assert!(core.contains("build it as a component"), "{core}");
        assert!(matches!(error(&HOSTILE[..5_000]).await, LoadError::Invalid { .. }));
        let nothing = told(b"\0asm\x0d\0\x01\0").await;
        assert!(nothing.contains("does not export `switchboard:plugin/guest@0.1.0`"), "{nothing}");

        let missing = plugins().load(&Source::File("/no/such.wasm".into())).await.unwrap_err();
        assert_eq!(missing.to_string(), "there is no file /no/such.wasm");
        let unknown = plugins().load(&bundled("fqa")).await.unwrap_err().to_string();
        assert!(unknown.contains("`fqa`") && unknown.contains("`faq`, `hours`, `promo`, `tagger`"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_another_contract() {
        let newer = patched(HOSTILE, "@0.1.0", "@0.9.0");
        let text = told(&newer).await;
        assert!(
            text.ends_with("made for switchboard:plugin 0.9.0, and this host serves 0.1.0"),
            "{text}"
        );
        let unknown = patched(HOSTILE, "switchboard:plugin/kv@", "switchboard:plugin/tv@");
        let text = told(&unknown).await;
        assert!(text.contains("it imports `switchboard:plugin/tv@0.1.0`, which"), "{text}");
        let files = patched(HOSTILE, "wasi:cli/exit@", "wasi:cli/file@");
        let text = told(&files).await;
        assert!(text.contains("it imports `wasi:cli/file@0.2"), "{text}");
        // A later patch of the same contract that we know all of is fine.
        let patch = patched(HOSTILE, "@0.1.0", "@0.1.7");
        load_file(&plugins(), &patch).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn that_describe_themselves_badly() {
        let text = told(SPEECHLESS).await;
        assert!(text.contains("could not describe itself: it took longer than 2s"), "{text}");
        for (how, why) in [
            ("how:kind", "events of the kind `dreams`, and there are `message`, `receipt`"),
            ("how:name", "its name `No Name`"),
            ("how:want", "it wants `the-moon`"),
            ("how:json", "its schema for the rules is not JSON"),
        ] {
            let text = told(&patched(SPEECHLESS, "how:loop", how)).await;
            assert!(text.contains(why), "{text}");
        }
    }
}

mod limits {
    use super::stage::*;
    use std::time::Duration;
    use switchboard::{
        model::*,
        plugin::ConfigureError,
        turn::{Step, StepError},
    };

    async fn hostile(handle: &str, time_ms: u64) -> switchboard::plugin::PluginStep {
        let plugin = load_file(&plugins(), HOSTILE).await.unwrap();
        let mut config = step("hostile");
        config.limits.time_ms = time_ms;
        plugin.configure(&config, &serde_json::json!({ "handle": handle })).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn stop_what_misbehaves_in_a_turn() {
        let limit = Duration::from_millis(50);
        for (what, error) in [
            ("loop", StepError::Deadline { limit }),
            ("sleep", StepError::Deadline { limit }),
            ("panic", StepError::Trap("boom at 5".into())),
            ("error", StepError::Plugin("I give up".into())),
        ] {
            let (draft, outcome) = hostile(what, 50).await.run(says("hi")).await.into_parts();
            assert_eq!(outcome, Err(error), "{what}");
            assert!(draft.contact.is_some(), "{what}");
        }
        // To fill it may take a busy machine longer.
        let (_, outcome) = hostile("memory", 5_000).await.run(says("hi")).await.into_parts();
        assert_eq!(outcome, Err(StepError::Memory { limit_mb: 64 }));
        for what in ["huge", "many", "exit"] {
            let (_, outcome) = hostile(what, 50).await.run(says("hi")).await.into_parts();
            assert!(matches!(outcome, Err(StepError::Trap(_))), "{what}: {outcome:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn stop_what_misbehaves_when_configured() {
        let plugin = load_file(&plugins(), HOSTILE).await.unwrap();
        let mut config = step("hostile");
        config.limits.configure_ms = 100;
        for (what, words) in [
            ("loop", "took longer than 100ms"),
            ("memory", "wanted more than 64 MB of memory"),
            ("panic", "crashed: boom at 5"),
        ] {
            let rules = serde_json::json!({ "configure": what });
            let error = plugin.configure(&config, &rules).await.unwrap_err();
            assert_eq!(error, ConfigureError::Failed(words.into()));
        }
        let rules = serde_json::json!({"configure": "refuse"});
        let ConfigureError::Rules(problems) = plugin.configure(&config, &rules).await.unwrap_err()
        else {
            panic!("refused otherwise")
        };
        assert_eq!(
            (problems[0].path.as_str(), problems[0].message.as_str()),
            ("/configure", "is not to my taste")
        );
        // Effects are refused before there is a turn.
        let rules = serde_json::json!({"configure": "error"});
        let error = plugin.configure(&config, &rules).await.unwrap_err().to_string();
        assert!(error.contains("before an event is handled"), "{error}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn bound_what_floods() {
        let run = async |what: &str| {
            let (draft, outcome) = hostile(what, 60_000).await.run(says("hi")).await.into_parts();
            assert_eq!(outcome, Ok(Verdict::Continue), "{what} {:?}", draft.logs);
            draft
        };
        let draft = run("effects").await;
        assert_eq!((draft.effects.len(), draft.because[0].as_str()), (50, "9950 refused"));
        let draft = run("keys").await;
        assert_eq!(draft.kv.len(), 200);
        assert!(
            draft.because[0].starts_with("9800 refused; the value has 100000 bytes, and 65536")
        );
        let draft = run("logs").await;
        assert_eq!((draft.logs.len(), draft.because.len()), (100, 100));
        let draft = run("prints").await;
        assert_eq!((draft.logs.len(), draft.logs[0].message.as_str()), (100, "line 0"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn grants_are_needed() {
        let (draft, outcome) = hostile("ungranted", 50).await.run(says("hi")).await.into_parts();
        let Err(StepError::Plugin(words)) = outcome else { panic!("{outcome:?}") };
        assert!(words.contains("has not been granted `broadcast`"), "{words}");
        assert_eq!(draft.effects, []);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn others_are_unharmed() {
        let plugins = plugins();
        let faq = plugins.load(&bundled("faq")).await.unwrap();
        let faq = faq.configure(&step("faq"), &default_rules("faq")).await.unwrap();
        let hostile = load_file(&plugins, HOSTILE).await.unwrap();
        for what in ["loop", "memory", "panic", "huge"] {
            let mut config = step("hostile");
            config.limits.time_ms = 50;
            let rules = serde_json::json!({ "handle": what });
            let hostile = hostile.configure(&config, &rules).await.unwrap();
            let (bad, good) = tokio::join!(hostile.run(says("hi")), faq.run(says("delivery cost")));
            assert!(bad.outcome.is_err());
            assert_eq!(good.outcome, Ok(Verdict::Stop));
            assert_eq!(replies(&good.draft).len(), 1);
        }
    }
}

/// What is bounded over more than one turn, or by the store behind it.
mod over_time {
    use super::stage::*;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };
    use switchboard::{
        model::*,
        plugin::{ConditionState, PluginStep},
        store::{
            MemoryEngine, Result, Store,
            engine::{Batch, Engine, Order, Pairs, Span},
            with_engine,
        },
        turn::{Draft, StepError},
    };

    async fn hostile(plugins: &switchboard::plugin::Plugins, handle: &str) -> PluginStep {
        let plugin = load_file(plugins, HOSTILE).await.unwrap();
        let rules = serde_json::json!({ "handle": handle });
        plugin.configure(&step("hostile"), &rules).await.unwrap()
    }

    /// A message of a contact of one's own.
    fn says_as(contact: u64, text: &str) -> Draft {
        let mut draft = says(text);
        let mut event = draft.event().clone();
        event.id.lane = Lane::Contact(ContactId(contact));
        draft.setting.event = Arc::new(event);
        draft
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_step_that_fails_for_several_contacts_rests_for_all() {
        let clock = clock();
        let plugins = plugins_with(None, clock.clone());
        let hostile = hostile(&plugins, "panic").await;
        for contact in 1..=5 {
            let (_, outcome) = hostile.run(says_as(contact, "hi")).await.into_parts();
            assert!(matches!(outcome, Err(StepError::Trap(_))));
        }
        let until = "2026-03-02T10:00:01Z".to_owned();
        assert_eq!(
            hostile.run(says_as(9, "hi")).await.outcome,
            Err(StepError::Quarantined { until })
        );
        let condition = hostile.condition();
        assert_eq!(condition.state, ConditionState::Resting { until: NOW + 1_000 });
        assert_eq!((condition.faults, condition.last_error), (5, Some("trap")));
        assert_eq!(
            serde_json::to_value(&condition).unwrap(),
            serde_json::json!({
                "state": "resting", "until": NOW + 1_000, "faults": 5, "last_error": "trap",
                "lanes_resting": 0,
            })
        );
        clock.advance(1_000);
        assert!(matches!(hostile.run(says_as(9, "hi")).await.outcome, Err(StepError::Trap(_))));
        assert!(matches!(
            hostile.run(says_as(9, "hi")).await.outcome,
            Err(StepError::Quarantined { .. })
        ));
        // The owner's reload lifts it, though nothing has changed.
        hostile.lift_rest();
        assert_eq!(hostile.condition().state, ConditionState::Ok);
        assert!(matches!(hostile.run(says_as(9, "hi")).await.outcome, Err(StepError::Trap(_))));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_contact_cannot_switch_a_step_off() {
        let picky = hostile(&plugins(), "picky").await;
        for n in 0..20 {
            let (_, outcome) = picky.run(says_as(1, "evil")).await.into_parts();
            match n {
                0..3 => assert_eq!(outcome, Err(StepError::Trap("not you".into()))),
                _ => assert!(matches!(outcome, Err(StepError::Quarantined { .. })), "{n}"),
            }
        }
        assert_eq!(picky.run(says_as(2, "hello")).await.outcome, Ok(Verdict::Continue));
        let (_, outcome) = picky.run(says_as(1, "hello")).await.into_parts();
        assert!(
            matches!(outcome, Err(StepError::Quarantined { .. })),
            "it rests for who failed it"
        );
        let condition = picky.condition();
        assert_eq!((condition.state, condition.lanes_resting), (ConditionState::Ok, 1));
    }

    /// An engine that takes its time for what a guest reads.
    struct Slow {
        inner: MemoryEngine,
        reads: AtomicUsize,
    }

    impl Engine for Slow {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(30));
            self.inner.get(key)
        }
        fn range<'a>(&'a self, span: &Span, order: Order) -> Pairs<'a> {
            self.inner.range(span, order)
        }
        fn apply(&self, batch: Batch) -> Result<()> {
            self.inner.apply(batch)
        }
        fn sync(&self) -> Result<()> {
            Ok(())
        }
        fn room(&self) -> Result<()> {
            Ok(())
        }
    }

    /// The time that a read of the store takes is the guest's: without that,
    /// each would cost it no more than a tick.
    #[tokio::test(flavor = "multi_thread")]
    async fn waiting_for_the_store_counts() {
        let engine = Arc::new(Slow { inner: MemoryEngine::default(), reads: AtomicUsize::new(0) });
        let store: Arc<dyn Store> = with_engine(engine.clone());
        let mut draft = says("hi");
        draft.setting.store = store;
        let (_, outcome) = hostile(&plugins(), "reads").await.run(draft).await.into_parts();
        assert_eq!(outcome, Err(StepError::Deadline { limit: Duration::from_millis(100) }));
        let reads = engine.reads.load(Ordering::SeqCst);
        assert!((1..=5).contains(&reads), "{reads} reads of 30 ms in 100 ms");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_event_that_is_too_large_for_its_guest() {
        let plugin = load_file(&plugins(), HOSTILE).await.unwrap();
        let mut config = step("hostile");
        config.limits.memory_mb = 2;
        let hostile = plugin.configure(&config, &serde_json::json!({})).await.unwrap();
        let (draft, outcome) = hostile.run(says(&"x".repeat(3_000_000))).await.into_parts();
        assert_eq!(outcome, Err(StepError::Memory { limit_mb: 2 }));
        assert!(draft.contact.is_some());
        assert_eq!(hostile.run(says("hi")).await.outcome, Ok(Verdict::Continue));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn words_are_cut_and_cleaned() {
        let plugins = plugins();
        let (_, outcome) = hostile(&plugins, "long error").await.run(says("hi")).await.into_parts();
        let Err(StepError::Plugin(words)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(words.len(), 1_000, "{words}");
        let (draft, _) = hostile(&plugins, "chatter").await.run(says("hi")).await.into_parts();
        let bytes: usize = draft.because.iter().map(String::len).sum();
        assert!(draft.because.len() == 100 && bytes < 128 * 1024, "{bytes}");
        assert!(draft.because.iter().all(|line| !line.contains(['\u{1b}', '\u{202e}'])));

        let plugin = load_file(&plugins, HOSTILE).await.unwrap();
        let rules = serde_json::json!({ "configure": "grumble" });
        let error = plugin.configure(&step("hostile"), &rules).await.unwrap_err();
        let switchboard::plugin::ConfigureError::Rules(problems) = error else { panic!("{error}") };
        assert_eq!((problems.len(), problems[0].message.chars().count()), (100, 1_000));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_made_component_does_as_it_says() {
        use switchboard_tests::hostile::{MADE, Made};
        let plugins = plugins();
        let summary = r"nice\1b[2J\e2\80\ae and tidy";
        let bytes = Made { summary, kinds: 3, ..MADE }.component();
        let plugin = load_file(&plugins, &bytes).await.unwrap();
        assert_eq!(plugin.descriptor().summary, "nice\u{FFFD}[2J and tidy");
        let made = plugin.configure(&step("made"), &serde_json::json!({})).await.unwrap();
        assert_eq!(
            made.run(says("hi")).await.outcome,
            Ok(Verdict::Continue),
            "what is hostile is the case"
        );
    }
}
