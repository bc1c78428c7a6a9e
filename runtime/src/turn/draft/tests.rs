//! What a draft takes, and what it turns away.

use super::*;
use crate::provider::meta::Meta;
use serde_json::json;

/// A step's draft on a message that has just come.
fn draft(effects: usize) -> Draft {
    let config = serde_json::from_value(json!({
        "id": "main", "provider": "meta", "phone_number_id": "1060",
        "access_token": "t", "app_secret": ["s"], "verify_token": "v",
    }));
    let channel = ChannelId::new("main");
    let mut contact = Contact::new(ContactId(1));
    contact.phone = Some("15550001".into());
    contact.saw_message(&channel, 1_000_000);
    let event = Event {
        id: EventId { lane: Lane::Contact(ContactId(1)), seq: 1 },
        channel,
        sender: None,
        kind: EventKind::Account { field: "test".into(), news: Default::default() },
        raw: String::new(),
        accepted_at: 1_000_000,
        attempts: 0,
        member: None,
        tries: 0,
    };
    let setting = Setting {
        event: Arc::new(event),
        now: 1_000_000,
        zone: "UTC".into(),
        calendar: None,
        provider: Arc::new(Meta::new(&config.unwrap())),
        store: crate::store::memory(),
        policy: policy::Rules { window_margin_ms: 0, handoff_ms: 0, ..Default::default() },
        templates: Default::default(),
    };
    let limits = DraftLimits { effects, log_lines: 10, value_bytes: 100_000, kv_bytes: 1_000 };
    let mut draft = Draft::new(setting, "faq", Grants::default(), limits);
    draft.contact = Some(contact);
    draft
}

#[test]
fn a_long_text_is_asked_for_whole_or_not_at_all() {
    let long = || Outgoing::Text("word ".repeat(2_000));
    let mut draft = draft(3);
    draft.reply(long()).unwrap();
    assert_eq!((draft.effects.len(), draft.sends), (3, 3));
    draft.effects.truncate(1);
    assert!(draft.reply(long()).is_err());
    assert_eq!((draft.effects.len(), draft.sends), (1, 3), "half an answer was kept");
}

const SPANISH: &str = "¿Podrían decirme a qué hora se sirve el desayuno mañana?";

/// As `draft`, on a message with this text.
fn on_text(text: &str) -> Draft {
    let mut draft = draft(3);
    let event = Event::clone(draft.event());
    let kind = EventKind::Message(Message {
        id: "wamid.1".into(),
        sent_at: 1_000_000,
        content: Content::Text(text.into()),
        replies_to: None,
        referral: None,
        forwarded: false,
        product: None,
    });
    draft.setting.event = Arc::new(Event { kind, ..event });
    draft
}

#[test]
fn a_language_is_preferred_or_written_or_was_written() {
    let tags = ["en", "es", "de"].map(str::to_owned);
    let mut draft = on_text(SPANISH);
    draft.set_attribute("language", Some("de-AT".into())).unwrap();
    assert_eq!(draft.language_among(&tags).as_deref(), Some("de"));
    assert_eq!(draft.contact.as_ref().unwrap().written, None);
    draft.set_attribute("language", None).unwrap();
    assert_eq!(draft.language_among(&tags).as_deref(), Some("es"));
    let contact = draft.contact.clone();
    let mut later = on_text("ok");
    assert_eq!(later.language_among(&tags), None);
    later.contact = contact;
    assert_eq!(later.language_among(&tags).as_deref(), Some("es"));
    later.setting.now += 90 * 24 * 3_600_000;
    assert_eq!(later.language_among(&tags), None);
    // In a channel's lane there is nobody to answer.
    let mut nobody = on_text(SPANISH);
    nobody.contact = None;
    assert_eq!(nobody.language_among(&tags), None);
}

#[test]
fn one_message_is_bounded_in_bytes() {
    let template = |text: String, count| {
        Outgoing::Template(Template::new(
            "sale",
            "en",
            Category::Utility,
            vec![Parameter { name: None, text }; count],
        ))
    };
    let mut draft = draft(3);
    draft.reply(template("x".repeat(1_000), 1)).unwrap();
    let error = draft.reply(template("x".repeat(1_000), 40)).unwrap_err();
    assert!(error.contains("32768"), "{error}");
    draft.reply(Outgoing::Text("\u{1F600}".repeat(4_096))).unwrap();
}

#[tokio::test]
async fn a_quota_is_kept_and_what_makes_room_is_let() {
    let mut draft = draft(3);
    let set = async |draft: &mut Draft, key: &str, bytes: usize| {
        draft.kv_set(KvScope::Contact, key, vec![1; bytes], None).await.unwrap()
    };
    set(&mut draft, "a", 599).await.unwrap();
    let refusal = set(&mut draft, "b", 400).await.unwrap_err();
    assert!(refusal.contains("have 0 bytes, 1001 are to be written"), "{refusal}");
    assert_eq!(draft.kv.len(), 1, "what was refused is not kept");
    set(&mut draft, "b", 399).await.unwrap();
    // A refused write leaves the one before in its place.
    set(&mut draft, "b", 9_000).await.unwrap_err();
    let kept = draft.kv_get(KvScope::Contact, "b").await.unwrap().unwrap();
    assert_eq!(kept.len(), 399);
    draft.kv_delete(KvScope::Contact, "a").unwrap();
    set(&mut draft, "c", 599).await.unwrap();

    let mut draft = self::draft(3);
    draft.limits.kv_bytes = u64::MAX;
    for n in 0..5 {
        set(&mut draft, &n.to_string(), 99_999).await.unwrap();
    }
    let refusal = set(&mut draft, "5", 99_999).await.unwrap_err();
    assert!(refusal.contains("524288 bytes"), "{refusal}");
}

#[tokio::test]
async fn stored_values_count_and_may_be_written_over() {
    let mut draft = draft(3);
    let store = Arc::clone(&draft.setting.store);
    let sender = Sender { phone: Some("1".into()), ..Sender::default() };
    let kind = EventKind::Message(Message {
        id: "wamid.1".into(),
        sent_at: 1,
        content: Content::Text("hi".into()),
        replies_to: None,
        referral: None,
        forwarded: false,
        product: None,
    });
    let (channel, raw) = (ChannelId::new("main"), String::new());
    let came = Happening { channel, dedup: "1".into(), sender: Some(sender), kind, raw };
    store.accept(vec![came], 1).await.unwrap();
    let mut commit = TurnCommit::new("c1-1".parse().unwrap());
    let held = Some(vec![1; 1_199]);
    let (step, key) = ("faq".into(), "k".into());
    commit.kv.push(KvWrite { step, scope: KvScope::Contact, key, value: held, expires: None });
    assert!(store.commit(commit, 1).await.unwrap());
    // Over the quota, because the owner has lowered it.
    let set = async |draft: &mut Draft, key: &str, bytes: usize| {
        draft.kv_set(KvScope::Contact, key, vec![1; bytes], None).await.unwrap()
    };
    let refusal = set(&mut draft, "new", 1).await.unwrap_err();
    assert!(refusal.contains("have 1200 bytes, 4 are to be written"), "{refusal}");
    set(&mut draft, "k", 1_200).await.unwrap_err();
    set(&mut draft, "k", 1_100).await.unwrap();
    set(&mut draft, "k", 600).await.unwrap();
    set(&mut draft, "new", 300).await.unwrap();
}

#[tokio::test]
async fn timers_neither_race_nor_last_for_ever() {
    let mut draft = draft(2_000);
    let due = |effect: Option<&Effect>| match effect {
        Some(Effect::SetTimer { due, .. }) => *due,
        other => panic!("{other:?}"),
    };
    draft.set_timer("now", 0, "").await.unwrap().unwrap();
    assert_eq!(due(draft.effects.last()), 0, "one that has passed fires at once");
    let refusal = draft.set_timer("never", u64::MAX, "").await.unwrap().unwrap_err();
    assert!(refusal.contains("ten years"), "{refusal}");
    for n in 1..1_000 {
        draft.set_timer(&n.to_string(), 5, "").await.unwrap().unwrap();
    }
    let refusal = draft.set_timer("one more", 5, "").await.unwrap().unwrap_err();
    assert!(refusal.contains("1000 timers"), "{refusal}");

    let mut draft = self::draft(3);
    let mut event = draft.event().clone();
    let (step, name, payload) = ("faq".into(), "now".into(), String::new());
    event.kind = EventKind::TimerFired { step, name, payload, due: 0 };
    draft.setting.event = Arc::new(event);
    draft.set_timer("again", 0, "").await.unwrap().unwrap();
    assert_eq!(due(draft.effects.last()), draft.now() + 1_000);
}

#[test]
fn what_is_said_and_asked_for_is_bounded_in_bytes() {
    let mut draft = draft(10_000);
    draft.limits.log_lines = 10_000;
    for _ in 0..1_000 {
        draft.because(&"é".repeat(2_000));
        draft.log(LogLevel::Info, &"é".repeat(2_000));
    }
    assert_eq!(draft.because.len() + draft.logs.len(), 65, "128 KiB in lines of 2,000 bytes");
    draft.grants.broadcast = true;
    let tags = vec!["t".repeat(64); 100];
    let to = |all: &[String]| Segment { all: all.to_vec(), ..Segment::default() };
    let count = (0..10_000)
        .take_while(|n| draft.broadcast(&format!("b{n}"), to(&tags), &"p".repeat(4_000)).is_ok())
        .count();
    assert!((90..110).contains(&count), "{count} of 10 KB each");
    let more = [&tags[..], &tags[..1]].concat();
    let refusal = draft.broadcast("b", to(&more), "").unwrap_err();
    assert!(refusal.contains("100 tags"), "{refusal}");
    let (step, id, payload) = ("faq".into(), "a".into(), String::new());
    let mut event = draft.event().clone();
    event.kind = EventKind::Broadcast { step, id, payload };
    draft.setting.event = Arc::new(event);
    let refusal = draft.broadcast("b", Segment::default(), "").unwrap_err();
    assert!(refusal.contains("can't begin another"), "{refusal}");
}

#[test]
fn members_are_left_out_in_turns_of_a_campaign_alone() {
    let mut draft = draft(9);
    for refusal in [draft.leave_out("no consent"), draft.variant("a")] {
        assert!(refusal.unwrap_err().contains("of no campaign"));
    }
    // A timer that was set in a member's turn.
    let mut event = draft.event().clone();
    let (step, name, payload) = ("faq".into(), "later".into(), String::new());
    event.kind = EventKind::TimerFired { step, name, payload, due: 0 };
    event.member = Some(Membership { campaign: "spring".into(), contact: ContactId(1) });
    draft.setting.event = Arc::new(event);
    draft.leave_out("no consent").unwrap();
    draft.variant("hold-out").unwrap();
    assert!(draft.leave_out(&"x".repeat(201)).unwrap_err().contains("200"));
    assert!(draft.leave_out(" ").is_err() && draft.variant("").is_err());
    assert_eq!(draft.effects.len(), 2);
}

#[test]
fn a_broadcast_goes_on_terms_that_are_understood() {
    let mut draft = draft(9);
    draft.grants.broadcast = true;
    let mut begin = |terms: &str| draft.broadcast_on("spring", Segment::default(), "p", terms);
    for (terms, wrong) in [
        ("500", "the terms: "),
        (r#"{"per_day": 5}"#, "unknown field `per_day`"),
        (r#"{"per_hour": 0}"#, "`per_hour` is 1 to 10000000"),
        (r#"{"goal": "birthday"}"#, "unknown variant `birthday`"),
        (r#"{"goal": {"tag": ""}}"#, "a tag needs a name"),
        (r#"{"goal": "order", "within_ms": 7776000001}"#, "within 90 days"),
        (r#"{"within_ms": 5}"#, "needs a `goal`"),
    ] {
        let refusal = begin(terms).unwrap_err();
        assert!(refusal.contains(wrong), "{terms}: {refusal}");
    }
    begin(r#"{"per_hour": 500, "goal": {"attribute": "card"}}"#).unwrap();
    let goal = Some(Goal::Attribute("card".into()));
    let asked = Terms { per_hour: Some(500), goal, within_ms: None };
    let [Effect::Broadcast { terms, .. }] = draft.effects.as_slice() else { panic!() };
    assert_eq!((terms, terms.within()), (&asked, 7 * 24 * 3_600_000));
}
