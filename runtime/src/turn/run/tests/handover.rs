//! Who speaks while a conversation is handed over.

use super::*;

/// Hands over and says so, as far as it may.
struct Hands(&'static str);

#[async_trait]
impl Step for Hands {
    fn name(&self) -> &str {
        self.0
    }
    fn plugin(&self) -> &str {
        "hands 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        let silent = draft.in_handoff();
        draft.handoff("asks for a person").unwrap();
        let said = draft.reply(Outgoing::Text("One moment.".into())).is_ok();
        draft.because(&format!("silent: {silent}, said: {said}"));
        Ran::unmeasured(draft, Ok(Verdict::Continue), self.plugin())
    }
}

/// Two messages within a millisecond: the second was answered by the bot.
#[tokio::test]
async fn from_the_turn_behind_it_on_a_person_answers() {
    let (store, lane) = (store::memory(), Lane::Contact(ContactId(1)));
    let link = |name| ChainStep {
        step: Arc::new(Hands(name)),
        on_error: OnError::Skip,
        error_reply: None,
        grants: Grants::default(),
        limits: DraftLimits { effects: 10, log_lines: 1, value_bytes: 1, kv_bytes: 1 },
        rules: String::new(),
    };
    let chain = Chain { name: "default".into(), steps: vec![link("first"), link("second")] };
    let (alone, silent) = ("silent: false, said: true", "silent: true, said: false");
    // The clock may also be put back.
    for (turn, now, expected) in
        [("1", NOW, alone), ("2", NOW, silent), ("3", NOW - 1, silent), ("4", NOW + 9, silent)]
    {
        let happening = Happening {
            channel: ChannelId::new("main"),
            dedup: turn.into(),
            sender: Some(Sender { phone: Some("15550001111".into()), ..Sender::default() }),
            kind: EventKind::Message(said(Content::Text("A person, please".into()))),
            raw: String::new(),
        };
        store.accept(vec![happening], NOW).await.unwrap();
        let snapshot = store.next_in_lane(&lane).await.unwrap().unwrap();
        let setting = Setting {
            event: Arc::new(snapshot.event.clone()),
            now,
            zone: "UTC".into(),
            calendar: None,
            provider: provider(),
            store: store.clone(),
            policy: crate::policy::Rules { handoff_ms: 1_000, ..Default::default() },
            templates: Default::default(),
        };
        let consent = &consent::Words::default();
        let stage =
            Stage { setting, chain: &chain, consent, generation: 1, record: false, merge: false };
        let commit = super::run(snapshot, stage).await.unwrap();
        let steps = &commit.trace.as_ref().unwrap().steps;
        let because: Vec<&str> = steps.iter().map(|step| step.because[0].as_str()).collect();
        assert_eq!(because, [expected, expected], "message {turn}");
        assert!(store.commit(commit, now).await.unwrap());
    }
}
