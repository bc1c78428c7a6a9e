//! Real components in the real plugin host, with a store and a provider that
//! only do what a draft needs.

#[path = "plugin/stage.rs"]
mod stage;

mod bundled {
    use super::stage::*;
    use std::{path::Path, sync::Arc};
    use switchboard::{
        config::{Document, read_calendar},
        model::*,
        turn::Draft,
    };

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
        let (draft, verdict) = step.run(says("When do you open on Saturdays?")).await.into_parts();
        assert_eq!(verdict, Ok(Verdict::Stop));
        assert_eq!(replies(&draft), ["We are open 9 to 18, Monday to Saturday."]);
        assert_eq!(draft.because[0].split(" (").next(), Some("`hours` is asked as a phrase"));
        // Again, with the same instance.
        let (draft, _) = step.run(says("delivery cost?")).await.into_parts();
        assert_eq!(replies(&draft), ["Delivery is 3 euros, and free from 40 euros."]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tagger_tags() {
        let tagger = plugins().load(&bundled("tagger")).await.unwrap();
        let rules = default_rules("tagger");
        assert_eq!(schema_problems(tagger.descriptor(), &rules), Vec::<String>::new());
        let step = tagger.configure(&step("tagger"), &rules).await.unwrap();
        let (draft, verdict) = step.run(says("This is TERRIBLE")).await.into_parts();
        assert_eq!(verdict, Ok(Verdict::Continue));
        let [complaint, new, Effect::SetTimer { name, due, .. }] = &draft.effects[..] else {
            panic!("{:?}", draft.effects)
        };
        const DAY: Millis = 24 * 3_600_000;
        let tag = |name: &str, expires| Effect::Tag { name: name.into(), expires: Some(expires) };
        assert_eq!(complaint, &tag("complaint", NOW + 30 * DAY));
        assert_eq!(new, &tag("new", NOW - 1_000 + 14 * DAY));
        assert_eq!((name.as_str(), *due), ("tagger", NOW - 1_000 + 14 * DAY));
        assert!(draft.contact.unwrap().tags.iter().all(|tag| tag.by == "tagger"));

        // A basket, as the host reads it.
        let mut order = says("");
        let of =
            |price| OrderItem { product: "p".into(), quantity: 2, price, currency: "EUR".into() };
        let basket = Order { catalog: "7".into(), text: None, items: vec![of(100.0), of(50.5)] };
        let message = Message::new("wamid.2", NOW, Content::Order(basket));
        let event = Event { kind: EventKind::Message(message), ..order.event().clone() };
        order.setting.event = event.into();
        let (draft, _) = step.run(order).await.into_parts();
        let because = "+ vip: ordered for 301.00 EUR within 180 days";
        assert!(draft.because.iter().any(|line| line == because), "{:?}", draft.because);

        // Time alone.
        let kind = EventKind::TimerFired {
            step: "tagger".into(),
            name: "tagger".into(),
            payload: String::new(),
            due: NOW,
        };
        let mut later = draft_of(kind, &super::stage::step("tagger"));
        later.setting.now = NOW + 60 * DAY;
        let (draft, _) = step.run(later).await.into_parts();
        assert_eq!(draft.because, ["+ inactive: no message for 60 days"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn hours_says_when_it_opens_again() {
        let hours = plugins().load(&bundled("hours")).await.unwrap();
        let rules = default_rules("hours");
        assert_eq!(schema_problems(hours.descriptor(), &rules), Vec::<String>::new());
        let step = hours.configure(&step("hours"), &rules).await.unwrap();
        assert!(step.wants("message") && step.wants("timer") && !step.wants("receipt"));
        // It is Monday, 10:00 in UTC.
        let mut draft = says("Anybody there?");
        let (asked, verdict) = step.run(draft.clone()).await.into_parts();
        assert_eq!((replies(&asked), verdict), (vec![], Ok(Verdict::Continue)));
        assert!(asked.because[0].contains("no calendar"), "{:?}", asked.because);
        let text = "zone = 'Asia/Tokyo'\n[hours]\nmonday = '9:00-18:00'\nwednesday = '9:30-18:00'";
        let document = Document::parse(Path::new("calendar.toml"), text).unwrap();
        let calendar = read_calendar(&document, None, "UTC").unwrap();
        draft.setting.calendar = Some(Arc::new(calendar));
        let (asked, verdict) = step.run(draft).await.into_parts();
        assert_eq!(verdict, Ok(Verdict::Stop));
        let told = "We are closed right now and open again on Wednesday at 9:30. We will read your \
                    message then.";
        assert_eq!(replies(&asked), [told]);
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

        let loaded = EventKind::Account { field: "rules-loaded".into(), news: Default::default() };
        let (draft, verdict) = step.run(in_channel_lane(loaded, &config)).await.into_parts();
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
        let (draft, _) = step.run(in_channel_lane(fired, &config)).await.into_parts();
        let [Effect::Broadcast { id, to, payload, .. }, Effect::SetTimer { .. }] =
            &draft.effects[..]
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
        let (draft, _) = step.run(draft).await.into_parts();
        // Monday 10:00 in Tokyo.
        let [Effect::SetTimer { name, due, .. }] = &draft.effects[..] else {
            panic!("{:?} {:?}", draft.effects, draft.because)
        };
        assert_eq!(
            (name.as_str(), *due),
            ("send/weekly", NOW + 6 * 24 * 3_600_000 + 15 * 3_600_000)
        );
        let (draft, verdict) = step.run(says("STOP")).await.into_parts();
        assert_eq!(verdict, Ok(Verdict::Stop));
        assert!(matches!(draft.contact.unwrap().consent, Consent::OptedOut { .. }));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn promo_follows_what_happens() {
        let promo = plugins().load(&bundled("promo")).await.unwrap();
        let rules = serde_json::json!({"promo": [
            {"id": "review", "template": "review", "language": "en", "languages": ["de"],
             "after": {"order": true}, "category": "utility",
             "parameters": ["{name|friend}"], "buttons": [{"index": 0, "payload": "fine"}],
             "variant": [{"name": "only"}]},
            {"id": "birthday", "template": "birthday", "language": "en", "at_best_hour": true,
             "to": {"attribute": {"points": ">= 10"}, "seen_within": "1 day"},
             "yearly": {"attribute": "birthday", "time": "10:00"}}]});
        assert_eq!(schema_problems(promo.descriptor(), &rules), Vec::<String>::new());
        let mut config = step("promo");
        config.grants.broadcast = true;
        let step = promo.configure(&config, &rules).await.unwrap();
        let mut message = text_message("");
        let order = Order { catalog: "55".into(), text: None, items: Vec::new() };
        message.content = Content::Order(order);
        let (draft, _) =
            step.run(draft_of(EventKind::Message(message), &config)).await.into_parts();
        let [Effect::SetTimer { name, due, payload }] = &draft.effects[..] else {
            panic!("{:?} {:?}", draft.effects, draft.because)
        };
        assert_eq!((name.as_str(), *due), ("send/review", NOW));
        let (name, payload, due) = (name.clone(), payload.clone(), NOW);
        let fired = EventKind::TimerFired { step: "promo".into(), name, payload, due };
        let mut draft = draft_of(fired, &config);
        let set = |draft: &mut Draft, name: &str, value: &str| {
            let effect = Effect::SetAttribute { name: name.into(), value: Some(value.into()) };
            draft.contact.as_mut().unwrap().apply(&effect, "test", NOW);
        };
        set(&mut draft, "language", "de-AT");
        let (draft, _) = step.run(draft).await.into_parts();
        let [Effect::Send { message: Outgoing::Template(template), .. }] = &draft.effects[..]
        else {
            panic!("{:?} {:?}", draft.effects, draft.because)
        };
        assert_eq!((template.name.as_str(), template.language.as_str()), ("review", "de"));
        assert_eq!((template.parameters[0].text.as_str(), template.buttons.len()), ("friend", 1));
        assert_eq!(draft.because[0], "`review` in its variant `only`");

        let payload = r#"{"promo": "birthday", "local": "2026-03-02T00:00:00"}"#;
        for (points, goes) in [("9", false), ("10", true)] {
            let (step_name, id) = ("promo".into(), "birthday@2026-03-02T00:00:00".into());
            let event = EventKind::Broadcast { step: step_name, id, payload: payload.into() };
            let mut draft = draft_of(event, &config);
            set(&mut draft, "birthday", "1990-03-02");
            set(&mut draft, "points", points);
            let (draft, _) = step.run(draft).await.into_parts();
            let [effect] = &draft.effects[..] else { panic!("{:?}", draft.effects) };
            let left_out = matches!(effect, Effect::LeaveOut { .. });
            assert_eq!(left_out, !goes, "{effect:?} {:?}", draft.because);
        }
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
        let (draft, outcome) = step.run(draft).await.into_parts();
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
            pricing: None,
            free_until: None,
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
        let text =
            told(EventKind::Account { field: "template".into(), news: Default::default() }).await;
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
        let (draft, verdict) = step.run(says("What are MY points?")).await.into_parts();
        assert_eq!((replies(&draft), verdict), (vec!["You have 20 points."], Ok(Verdict::Stop)));
        let (draft, verdict) = step.run(says("hello")).await.into_parts();
        assert_eq!((draft.effects.len(), verdict), (0, Ok(Verdict::Continue)));
    }
}
