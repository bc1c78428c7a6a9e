//! Real components in the real plugin host, with a store and a provider that
//! only do what a draft needs.

#[path = "plugin/stage.rs"]
mod stage;

mod bundled {
    use super::stage::*;
    use switchboard::model::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn faq_answers() {
        let plugins = plugins();
        let faq = plugins.load(&bundled("faq")).await.unwrap();
        let descriptor = faq.descriptor();
        assert_eq!(
            (descriptor.name.as_str(), &descriptor.events[..]),
            ("faq", &["message".into()][..])
        );
        assert!(descriptor.rules_schema.as_ref().unwrap()["properties"]["answer"].is_object());
        let rules = default_rules("faq");
        assert_eq!(schema_problems(descriptor, &rules), Vec::<String>::new());
        let step = faq.configure(&step("faq"), &rules).await.unwrap();
        assert_eq!(step.plugin(), concat!("faq ", env!("CARGO_PKG_VERSION")));
        let (draft, verdict) = step.run(says("When do you open on Saturdays?")).await;
        assert_eq!(verdict, Ok(Verdict::Stop));
        assert_eq!(replies(&draft), ["We are open 9 to 18, Monday to Saturday."]);
        assert_eq!(draft.because[0].split(" (").next(), Some("`hours` is asked as a phrase"));
        // Again, with the same instance.
        let (draft, _) = step.run(says("delivery cost?")).await;
        assert_eq!(replies(&draft), ["Delivery is 3 euros, and free from 40 euros."]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tagger_tags() {
        let tagger = plugins().load(&bundled("tagger")).await.unwrap();
        let rules = default_rules("tagger");
        assert_eq!(schema_problems(tagger.descriptor(), &rules), Vec::<String>::new());
        let step = tagger.configure(&step("tagger"), &rules).await.unwrap();
        let (draft, verdict) = step.run(says("This is TERRIBLE")).await;
        assert_eq!(verdict, Ok(Verdict::Continue));
        let [Effect::Tag { name, expires: Some(at) }] = &draft.effects[..] else {
            panic!("{:?}", draft.effects)
        };
        assert_eq!((name.as_str(), *at), ("complaint", NOW + 30 * 24 * 3_600_000));
        assert_eq!(draft.contact.unwrap().tags[0].by, "tagger");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn promo_plans_starts_and_sends() {
        let promo = plugins().load(&bundled("promo")).await.unwrap();
        assert_eq!(promo.descriptor().wants[0].name, "broadcast");
        let rules = default_rules("promo");
        assert_eq!(schema_problems(promo.descriptor(), &rules), Vec::<String>::new());
        let mut config = step("promo");
        config.grants.broadcast = true;
        let step = promo.configure(&config, &rules).await.unwrap();
        assert!(["message", "timer", "broadcast", "account"].iter().all(|kind| step.wants(kind)));
        assert!(!step.wants("receipt"));

        let loaded = EventKind::Account { field: "rules-loaded".into() };
        let (draft, verdict) = step.run(in_channel_lane(loaded, &config)).await;
        assert_eq!(verdict, Ok(Verdict::Continue), "{:?}", draft.because);
        let [Effect::SetTimer { name, due, payload }] = &draft.effects[..] else {
            panic!("{:?}", draft.effects)
        };
        assert_eq!((name.as_str(), draft.kv.len()), ("weekly", 1));
        let fired = EventKind::TimerFired {
            step: "promo".into(),
            name: name.clone(),
            payload: payload.clone(),
            due: *due,
        };
        let (draft, _) = step.run(in_channel_lane(fired, &config)).await;
        let [Effect::Broadcast { id, to, payload }, Effect::SetTimer { .. }] = &draft.effects[..]
        else {
            panic!("{:?}", draft.effects)
        };
        assert_eq!(to.none, ["complaint"]);
        let event =
            EventKind::Broadcast { step: "promo".into(), id: id.clone(), payload: payload.clone() };
        let mut draft = draft_of(event, &config);
        let contact = draft.contact.as_mut().unwrap();
        contact.apply(&Effect::Tag { name: "vip".into(), expires: None }, "test", NOW);
        let zone = Effect::SetAttribute { name: "zone".into(), value: Some("Asia/Tokyo".into()) };
        contact.apply(&zone, "test", NOW);
        let (draft, _) = step.run(draft).await;
        // Monday 10:00 in Tokyo.
        let [Effect::SetTimer { name, due, .. }] = &draft.effects[..] else {
            panic!("{:?} {:?}", draft.effects, draft.because)
        };
        assert_eq!(
            (name.as_str(), *due),
            ("send/weekly", NOW + 6 * 24 * 3_600_000 + 15 * 3_600_000)
        );
        let (draft, verdict) = step.run(says("STOP")).await;
        assert_eq!(verdict, Ok(Verdict::Stop));
        assert!(matches!(draft.contact.unwrap().consent, Consent::OptedOut { .. }));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rule_problems_have_places() {
        let promo = plugins().load(&bundled("promo")).await.unwrap();
        let rules = serde_json::json!({"promo": [
            {"id": "a", "template": "t", "language": "en", "every": "0 9 * * *", "zone": "Mars/Base"}]});
        let error = promo.configure(&step("promo"), &rules).await.unwrap_err();
        let switchboard::plugin::ConfigureError::Rules(problems) = error else { panic!("{error}") };
        assert_eq!(problems[0].path, "/promo/0/zone");
        assert!(problems[0].message.contains("Mars/Base"));
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
        assert!(unknown.contains("`fqa`") && unknown.contains("`faq`, `promo`, `tagger`"));
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
            let (draft, outcome) = hostile(what, 50).await.run(says("hi")).await;
            assert_eq!(outcome, Err(error), "{what}");
            assert!(draft.contact.is_some(), "{what}");
        }
        // To fill it may take a busy machine longer.
        let (_, outcome) = hostile("memory", 5_000).await.run(says("hi")).await;
        assert_eq!(outcome, Err(StepError::Memory { limit_mb: 64 }));
        for what in ["huge", "many", "exit"] {
            let (_, outcome) = hostile(what, 50).await.run(says("hi")).await;
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
            assert_eq!(error, ConfigureError::Failed(format!("hostile 0.1.0 {words}")));
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
        config.limits.memory_mb = 100_000;
        let error = plugin.configure(&config, &serde_json::json!({})).await.unwrap_err();
        assert_eq!(error.to_string(), "`memory_mb` is 100000, and 512 are allowed");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn bound_what_floods() {
        let run = async |what: &str| {
            let (draft, outcome) = hostile(what, 60_000).await.run(says("hi")).await;
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
        let (draft, outcome) = hostile("ungranted", 50).await.run(says("hi")).await;
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
            assert!(bad.1.is_err());
            assert_eq!(good.1, Ok(Verdict::Stop));
            assert_eq!(replies(&good.0).len(), 1);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_step_that_keeps_failing_rests() {
        let clock = clock();
        let plugins = plugins_with(None, clock.clone());
        let hostile = load_file(&plugins, HOSTILE).await.unwrap();
        let rules = serde_json::json!({"handle": "panic"});
        let hostile = hostile.configure(&step("hostile"), &rules).await.unwrap();
        for _ in 0..5 {
            assert!(matches!(hostile.run(says("hi")).await.1, Err(StepError::Trap(_))));
        }
        let until = "2026-03-02T10:00:01Z".to_owned();
        assert_eq!(hostile.run(says("hi")).await.1, Err(StepError::Quarantined { until }));
        clock.advance(1_000);
        assert!(matches!(hostile.run(says("hi")).await.1, Err(StepError::Trap(_))));
        clock.advance(1_000);
        assert!(matches!(hostile.run(says("hi")).await.1, Err(StepError::Quarantined { .. })));
    }
}

mod isolation {
    use super::stage::*;
    use switchboard::{config::Isolation, model::*, turn::Step};

    async fn hostile(isolation: Isolation, handle: &str) -> switchboard::plugin::PluginStep {
        let plugin = load_file(&plugins(), HOSTILE).await.unwrap();
        let mut config = step("hostile");
        config.isolation = isolation;
        plugin.configure(&config, &serde_json::json!({ "handle": handle })).await.unwrap()
    }

    async fn told(step: &dyn Step, draft: switchboard::turn::Draft) -> Vec<String> {
        let (draft, outcome) = step.run(draft).await;
        assert_eq!(outcome, Ok(Verdict::Continue));
        draft.because
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn memory_stays_warm_and_goes_fresh() {
        for (isolation, second) in [
            (Isolation::Warm, "called 1 times before"),
            (Isolation::Fresh, "called 0 times before"),
            // A dropped-in file.
            (Isolation::Auto, "called 0 times before"),
        ] {
            let step = hostile(isolation, "remember").await;
            assert_eq!(told(&step, says("hi")).await, ["called 0 times before"]);
            assert_eq!(told(&step, says("hi")).await, [second], "{isolation:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_replay_sees_the_same() {
        let step = hostile(Isolation::Fresh, "look").await;
        let first = told(&step, says("hi")).await;
        assert!(first[0].contains(&format!(" {NOW} true ")), "{first:?}");
        // Nothing of this machine.
        assert_eq!(first[1], "0 variables, 0 arguments, None");
        assert_eq!(told(&step, says("hi")).await, first);
        let mut other = says("hi");
        let mut event = (*other.setting.event).clone();
        event.id.seq += 1;
        other.setting.event = event.into();
        assert_ne!(told(&step, other).await[0], first[0]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_kind_of_event_arrives() {
        let step = hostile(Isolation::Warm, "tell").await;
        let config = super::stage::step("hostile");
        let told = async |kind: EventKind| told(&step, draft_of(kind, &config)).await.join("|");
        let content = Content::Location(Location {
            latitude: 1.5,
            longitude: 2.0,
            name: None,
            address: None,
        });
        let message = Message { content, ..text_message("") };
        let text = told(EventKind::Message(message)).await;
        assert!(
            text.contains("latitude: 1.5") && text.ends_with("|contact c1 {\"a\":1}"),
            "{text}"
        );
        let receipt = Receipt {
            message_id: "wamid.1".into(),
            send: Some("c1-4-0".parse().unwrap()),
            state: ReceiptState::Failed,
            at: NOW,
            error: Some((131026, "x".into())),
        };
        let text = told(EventKind::Receipt(receipt)).await;
        let (_, reason) = provider().explain(131026, "x");
        let expected = format!("send-id: \"c1-4-0\", state: \"failed\", reason: Some({reason:?})");
        assert!(text.contains(&expected), "{text}");
        let text = told(EventKind::Operator(Operator::Resume { by: "ann".into() })).await;
        assert!(
            text.contains(r#"kind: "operator""#) && text.contains(r#"\"by\":\"ann\""#),
            "{text}"
        );
        let text = told(EventKind::Account { field: "template".into() }).await;
        assert!(text.contains(r#"{\"field\":\"template\"}"#), "{text}");
    }
}

mod cache {
    use super::stage::*;
    use switchboard::plugin::Loads;

    #[tokio::test(flavor = "multi_thread")]
    async fn compiled_code_is_kept_and_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("compiled");
        let fresh = || plugins_with(Some(cache.clone()), clock());

        let plugins = fresh();
        let first = plugins.load(&bundled("tagger")).await.unwrap();
        // In use, so not even read again.
        plugins.load(&bundled("tagger")).await.unwrap();
        assert_eq!(plugins.loads(), Loads { compiled: 1, from_cache: 0 });
        assert_eq!(first.descriptor().name, "tagger");

        let plugins = fresh();
        plugins.load(&bundled("tagger")).await.unwrap();
        assert_eq!(plugins.loads(), Loads { compiled: 0, from_cache: 1 });

        let files: Vec<_> =
            std::fs::read_dir(&cache).unwrap().map(|it| it.unwrap().path()).collect();
        let [file] = &files[..] else { panic!("{files:?}") };
        let whole = std::fs::read(file).unwrap();
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        for damaged in [&flipped[..], &whole[..whole.len() / 2], b"", b"swbcwsm1"] {
            std::fs::write(file, damaged).unwrap();
            let plugins = fresh();
            let tagger = plugins.load(&bundled("tagger")).await.unwrap();
            assert_eq!(plugins.loads(), Loads { compiled: 1, from_cache: 0 });
            assert_eq!(tagger.descriptor().name, "tagger");
            assert_eq!(std::fs::read(file).unwrap().len(), whole.len());
        }
    }
}

mod documented {
    use super::stage::*;
    use switchboard::model::Verdict;

    /// The plugin of `docs/plugins.md` is the one that is built here.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_first_plugin_answers() {
        let read = |path: &str| {
            let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).unwrap()
        };
        let source = read("guests/loyalty/src/lib.rs");
        assert!(read("../docs/plugins.md").contains(&source), "docs/plugins.md shows another");
        assert!(source.lines().filter(|line| !line.is_empty()).count() <= 20);

        let loyalty = load_file(&plugins(), LOYALTY).await.unwrap();
        let rules = serde_json::json!({"ask": "my points"});
        let step = loyalty.configure(&step("loyalty"), &rules).await.unwrap();
        let (draft, verdict) = step.run(says("What are MY points?")).await;
        assert_eq!((replies(&draft), verdict), (vec!["You have 20 points."], Ok(Verdict::Stop)));
        let (draft, verdict) = step.run(says("hello")).await;
        assert_eq!((draft.effects.len(), verdict), (0, Ok(Verdict::Continue)));
    }
}
