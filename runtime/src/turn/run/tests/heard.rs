//! What the host hears of marketing before any plugin does.

use super::*;
use crate::config::ConsentWords;

/// Opts out and in as a plugin with words of its own does, and answers.
struct Repeats(Option<Effect>);

#[async_trait]
impl Step for Repeats {
    fn name(&self) -> &str {
        "promo"
    }
    fn plugin(&self) -> &str {
        "promo 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        match &self.0 {
            Some(Effect::OptOut { proof }) => draft.opt_out(proof).unwrap(),
            Some(Effect::OptIn { proof }) => draft.opt_in(proof).unwrap(),
            _ => {}
        }
        Ran::unmeasured(draft, Ok(Verdict::Continue), self.plugin())
    }
}

/// The consent after a turn on `kind`, by a contact that had `before`.
async fn after(kind: EventKind, before: &Consent, says: Option<Effect>) -> (Consent, TurnCommit) {
    let store = store::memory();
    let happening = Happening {
        channel: ChannelId::new("main"),
        dedup: "1".into(),
        sender: Some(Sender { phone: Some("15550001111".into()), ..Sender::default() }),
        kind: EventKind::Message(Message::new("wamid.1", NOW, Content::Welcome)),
        // What an event means stands in its kind alone.
        raw: r#"{"category": "utility_messages", "value": "resume"}"#.into(),
    };
    let next = Happening { kind, dedup: "2".into(), ..happening.clone() };
    store.accept(vec![happening, next], NOW).await.unwrap();
    let lane = Lane::Contact(ContactId(1));
    let first = store.next_in_lane(&lane).await.unwrap().unwrap();
    let contact = first.contact.map(|contact| Contact { consent: before.clone(), ..contact });
    let first = TurnCommit { contact, ..TurnCommit::new(first.event.id) };
    assert!(store.commit(first, NOW).await.unwrap());
    let snapshot = store.next_in_lane(&lane).await.unwrap().unwrap();
    let link = ChainStep {
        step: Arc::new(Repeats(says)),
        on_error: OnError::Skip,
        error_reply: None,
        grants: Grants::default(),
        limits: DraftLimits { effects: 10, log_lines: 1, value_bytes: 1, kv_bytes: 1 },
        rules: String::new(),
    };
    let chain = Chain { name: "default".into(), steps: vec![link] };
    let setting = Setting {
        event: Arc::new(snapshot.event.clone()),
        now: NOW,
        zone: "UTC".into(),
        calendar: None,
        provider: provider(),
        store: store.clone(),
        policy: crate::policy::Rules { window_margin_ms: 0, handoff_ms: 1, ..Default::default() },
        templates: Default::default(),
    };
    let words = consent::Words::new(&ConsentWords::default());
    let stage = Stage {
        setting,
        chain: &chain,
        consent: &words,
        generation: 1,
        record: false,
        merge: true,
    };
    let commit = super::run(snapshot, stage).await.unwrap();
    assert!(store.commit(commit.clone(), NOW).await.unwrap());
    (store.contact(ContactId(1)).await.unwrap().unwrap().consent, commit)
}

fn text(text: &str) -> EventKind {
    EventKind::Message(Message::new("wamid.2", NOW, Content::Text(text.into())))
}

fn tap(title: &str) -> EventKind {
    let choice = Choice { id: "1".into(), title: title.into() };
    EventKind::Message(Message::new("wamid.2", NOW, Content::Choice(choice)))
}

fn switch(wanted: bool) -> EventKind {
    let news = News::Marketing { wanted };
    EventKind::Account { field: "user_preferences".into(), news }
}

fn failed(code: u32) -> EventKind {
    EventKind::Receipt(Receipt {
        message_id: "wamid.9".into(),
        send: None,
        state: ReceiptState::Failed,
        at: NOW,
        error: Some((code, "no".into())),
        pricing: None,
        free_until: None,
    })
}

fn out(by: &str, at: Millis, proof: &str) -> Consent {
    Consent::OptedOut { by: by.into(), at, proof: proof.into() }
}

fn into(by: &str, at: Millis, proof: &str) -> Consent {
    Consent::OptedIn { by: by.into(), at, proof: proof.into() }
}

#[tokio::test]
async fn a_word_a_tap_the_switch_and_an_error_are_recorded() {
    let unknown = Consent::Unknown;
    let (early_in, early_out) = (into("promo", 5, "yes"), out("promo", 5, "no"));
    let by_switch = "the switch for marketing messages in WhatsApp";
    for (kind, before, expected) in [
        (text(" Stop! "), &unknown, out("contact", NOW, "Stop!")),
        (text("退订"), &early_in, out("contact", NOW, "退订")),
        (text("stop"), &early_out, early_out.clone()),
        (text("stop sending me the wrong size"), &unknown, unknown.clone()),
        (text("ALTA"), &unknown, into("contact", NOW, "ALTA")),
        (text("START"), &early_out, into("contact", NOW, "START")),
        (text("START"), &early_in, early_in.clone()),
        (tap("Stop"), &unknown, out("contact", NOW, "Stop")),
        (tap("Start"), &unknown, unknown.clone()),
        (switch(false), &early_in, out("whatsapp", NOW, by_switch)),
        (switch(true), &early_out, into("whatsapp", NOW, by_switch)),
        (failed(131_026), &unknown, unknown.clone()),
    ] {
        let what = format!("{kind:?}");
        let (consent, commit) = after(kind, before, None).await;
        assert_eq!(consent, expected, "{what}");
        let remarked = commit.trace.is_some_and(|trace| {
            trace.remarks.iter().any(|remark| remark.starts_with("marketing: "))
        });
        assert_eq!(remarked, consent != *before || consent != unknown, "{what}");
    }
    let (consent, _) = after(failed(131_050), &early_in, None).await;
    assert!(matches!(&consent, Consent::OptedOut { by, .. } if by == "whatsapp"), "{consent:?}");
}

#[tokio::test]
async fn a_plugin_that_says_the_same_records_nothing_anew() {
    let says = |proof: &str| Some(Effect::OptOut { proof: proof.into() });
    let (consent, commit) = after(text("STOP"), &Consent::Unknown, says("the plugin's")).await;
    assert_eq!(consent, out("contact", NOW, "STOP"));
    let steps = commit.trace.unwrap().steps;
    assert_eq!(steps[0].effects.len(), 1, "its wish is in the trace");
    // On its own, and against what was heard, it is what it always was.
    let (consent, _) = after(text("no more"), &Consent::Unknown, says("no more")).await;
    assert_eq!(consent, out("promo", NOW, "no more"));
    let (consent, _) = after(text("START"), &Consent::Unknown, says("mine")).await;
    assert_eq!(consent, out("promo", NOW, "mine"));
}

#[tokio::test]
async fn a_preference_about_something_else_is_not_about_marketing() {
    let kind = EventKind::Account { field: "user_preferences".into(), news: News::Other };
    let stopped = out("contact", 5, "STOP");
    let (consent, commit) = after(kind, &stopped, None).await;
    assert_eq!(consent, stopped);
    assert_eq!(commit.trace.unwrap().remarks, [""; 0]);
}
