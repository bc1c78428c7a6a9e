//! Which texts are answers, and a question and its answer through whole turns.

use super::{
    super::{Chain, ChainStep, Draft, DraftLimits, Ran, Setting, Stage, Step, run},
    *,
};
use crate::{
    config::{Grants, OnError},
    policy,
    provider::meta::Meta,
    store::{self, Store},
};
use async_trait::async_trait;
use serde_json::json;
use std::sync::Arc;

fn choice(title: &str) -> Choice {
    Choice { id: title.to_lowercase(), title: title.into() }
}

fn asked(titles: &[&str]) -> Contact {
    let mut contact = Contact::new(ContactId(1));
    let choices = titles.iter().copied().map(choice).collect();
    let message = Outgoing::Numbered { text: "Which?".into(), choices };
    contact.asked = by(&ChannelId::new("main"), &message, 1_000).unwrap();
    contact
}

fn chosen(contact: &Contact, text: &str) -> Option<String> {
    let mut contact = contact.clone();
    let choice = answer(&mut contact, &ChannelId::new("main"), text, 2_000);
    assert_eq!(contact.asked.is_none(), choice.is_some(), "{text}");
    choice.map(|choice| choice.title)
}

#[test]
fn a_number_or_a_title_is_an_answer() {
    let contact = asked(&["Rye bread", "Oat bread", "Cake"]);
    for text in [
        "3",
        " 3 ",
        "3.",
        "3)",
        "(3)",
        "#3",
        "no 3",
        "No. 3",
        "Nr 3",
        "number 3",
        "Option 3!",
        "３",
        "③",
        "3️⃣",
        "٣",
        "۳",
        "३",
        "๓",
        "cake",
        "CAKE ",
        "№ 3",
        "3。",
    ] {
        assert_eq!(chosen(&contact, text).as_deref(), Some("Cake"), "{text}");
    }
    assert_eq!(chosen(&contact, "rye  Bread").as_deref(), Some("Rye bread"));
    for text in ["0", "4", "33", "3 please", "1 or 3", "-3", "3.5", "3rd", "", "bread", "no", "٣x"]
    {
        assert_eq!(chosen(&contact, text), None, "{text}");
    }
}

#[test]
fn what_could_mean_two_things_is_no_answer() {
    let contact = asked(&["2", "1", "10", "Cake", "cake"]);
    assert_eq!(chosen(&contact, "1"), None);
    assert_eq!(chosen(&contact, "10").as_deref(), Some("10"));
    assert_eq!(chosen(&contact, "cake"), None);
    assert_eq!(chosen(&contact, "4").as_deref(), Some("Cake"));
    let same = asked(&["1", "2"]);
    assert_eq!(chosen(&same, "2").as_deref(), Some("2"));
}

#[test]
fn a_question_stands_for_a_day_on_its_channel_until_another() {
    let (main, other) = (ChannelId::new("main"), ChannelId::new("other"));
    let contact = asked(&["Rye"]);
    let answered = |channel, at| answer(&mut contact.clone(), channel, "1", 1_000 + at).is_some();
    assert!(answered(&main, STANDS_MS) && !answered(&main, STANDS_MS + 1));
    assert!(!answered(&other, 0));
    assert_eq!(by(&main, &Outgoing::Text("Take your time".into()), 2_000), None, "it stands");
    let (header, footer, body) = (None, None, "Sure?".to_owned());
    let buttons = Outgoing::Buttons { header, body, footer, buttons: vec![choice("Yes")] };
    assert_eq!(by(&main, &buttons, 3_000), Some(None), "it stands no more");
}

/// Asks which of twelve on any text, and thanks for a choice. Asked to, it asks
/// another contact.
struct Asks;

#[async_trait]
impl Step for Asks {
    fn name(&self) -> &str {
        "asks"
    }
    fn plugin(&self) -> &str {
        "asks 1.0.0"
    }
    fn wants(&self, _: &str) -> bool {
        true
    }
    async fn run(&self, mut draft: Draft) -> Ran {
        let EventKind::Message(message) = draft.event().kind.clone() else { panic!() };
        match message.content {
            Content::Choice(choice) => {
                draft.reply(Outgoing::Text(format!("Thank you for {}.", choice.id))).unwrap()
            }
            _ => {
                let row =
                    |n| Row { id: format!("r{n}"), title: format!("Bread {n}"), description: None };
                let sections = vec![Section { title: None, rows: (1..=12).map(row).collect() }];
                let (header, footer, body) = (None, None, "Which?".to_owned());
                let list = Outgoing::List { header, body, footer, label: "Open".into(), sections };
                match message.content {
                    Content::Text(text) if text.starts_with("ask ") => {
                        draft.send(text["ask ".len()..].parse().unwrap(), list).unwrap()
                    }
                    _ => {
                        draft.reply(Outgoing::Text("Good day!".into())).unwrap();
                        draft.reply(list).unwrap()
                    }
                }
            }
        };
        Ran::unmeasured(draft, Ok(Verdict::Stop), self.plugin())
    }
}

/// The first contact writes `text`; what the turn wrote.
async fn turn(store: &Arc<dyn Store>, text: &str, now: Millis) -> TurnCommit {
    turn_of(store, "15550001111", text, now).await
}

async fn turn_of(store: &Arc<dyn Store>, phone: &str, text: &str, now: Millis) -> TurnCommit {
    let snapshot = says(store, phone, text, now).await;
    let commit = ran(store, snapshot, now).await;
    assert!(store.commit(commit.clone(), now).await.unwrap());
    commit
}

async fn says(store: &Arc<dyn Store>, phone: &str, text: &str, now: Millis) -> Snapshot {
    let message = Message::new(format!("wamid.{now}"), now, Content::Text(text.into()));
    let happening = Happening {
        channel: ChannelId::new("main"),
        dedup: now.to_string(),
        sender: Some(Sender { phone: Some(phone.into()), ..Sender::default() }),
        kind: EventKind::Message(message),
        raw: String::new(),
    };
    let accepted = store.accept(vec![happening], now).await.unwrap();
    let [Accepted::New(event)] = &accepted[..] else { panic!("{accepted:?}") };
    store.next_in_lane(&event.lane).await.unwrap().unwrap()
}

async fn ran(store: &Arc<dyn Store>, snapshot: Snapshot, now: Millis) -> TurnCommit {
    let config = json!({
        "id": "main", "provider": "meta", "phone_number_id": "1060",
        "access_token": "t", "app_secret": ["s"], "verify_token": "v",
    });
    let limits = DraftLimits { effects: 10, log_lines: 10, value_bytes: 1_000, kv_bytes: 1_000 };
    let link = ChainStep {
        step: Arc::new(Asks),
        on_error: OnError::Skip,
        error_reply: None,
        grants: Grants { send_to_others: true, ..Grants::default() },
        limits,
        rules: String::new(),
    };
    let chain = Chain { name: "default".into(), steps: vec![link] };
    let setting = Setting {
        event: Arc::new(snapshot.event.clone()),
        now,
        zone: "UTC".into(),
        calendar: None,
        provider: Arc::new(Meta::new(&serde_json::from_value(config).unwrap())),
        store: store.clone(),
        policy: policy::Rules { window_margin_ms: 0, handoff_ms: 1, ..Default::default() },
        templates: Default::default(),
    };
    let consent = &crate::turn::consent::Words::default();
    let stage =
        Stage { setting, chain: &chain, consent, generation: 1, record: false, merge: true };
    run(snapshot, stage).await.unwrap()
}

#[tokio::test]
async fn a_number_reaches_plugins_as_the_choice() {
    let store = store::memory();
    let asked = turn(&store, "bread?", 1_000).await;
    // Joined with the greeting before it, and still a question.
    let [OutboxItem { message: Outgoing::Numbered { text, choices }, also, .. }] =
        &asked.outbox[..]
    else {
        panic!("{:?}", asked.outbox);
    };
    assert!(text.starts_with("Good day!\n\nWhich?\n\n1. Bread 1\n"), "{text}");
    assert_eq!((choices.len(), also.len()), (12, 1));
    assert!(asked.trace.unwrap().remarks[0].ends_with("c1-1-1 went out as part of c1-1-0"));

    let answered = turn(&store, "No. 11", 2_000).await;
    assert_eq!(answered.outbox[0].message, Outgoing::Text("Thank you for r11.".into()));
    let trace = answered.trace.unwrap();
    assert_eq!(trace.remarks, ["`No. 11` was taken for the choice `r11`"]);
    // Once answered it is answered: the same words ask again.
    assert_eq!(store.contact(ContactId(1)).await.unwrap().unwrap().asked, None);
    let again = turn(&store, "11", 3_000).await;
    assert!(matches!(again.outbox[0].message, Outgoing::Numbered { .. }));
    // A day later a number is a number.
    let late = turn(&store, "11", 3_001 + STANDS_MS).await;
    assert!(matches!(late.outbox[0].message, Outgoing::Numbered { .. }));
}

/// The number was taken for a text: the question was noted as the asker's.
#[tokio::test]
async fn another_contacts_turn_may_ask() {
    let store = store::memory();
    turn(&store, "bread?", 1_000).await;
    let ben = "15550002222";
    turn_of(&store, ben, "hello", 2_000).await;
    let ann = async || store.contact(ContactId(1)).await.unwrap().unwrap();
    let before = ann().await;
    // A turn of Ann's is on its way meanwhile: it runs again.
    let snapshot = says(&store, "15550001111", "1", 3_000).await;
    let late = ran(&store, snapshot, 3_000).await;
    let asked = turn_of(&store, ben, "ask c1", 4_000).await;
    assert_eq!(asked.outbox[0].contact, ContactId(1));
    let conflict = store.commit(late, 4_500).await.unwrap_err();
    assert!(conflict.to_string().contains("changed by another turn"), "{conflict}");
    let after = ann().await;
    assert_eq!(after.asked.as_ref().map(|asked| asked.at), Some(4_000));
    assert_eq!(after, Contact { asked: after.asked.clone(), version: after.version, ..before });
    let again = store.next_in_lane(&Lane::Contact(ContactId(1))).await.unwrap().unwrap();
    let again = ran(&store, again, 5_000).await;
    assert_eq!(again.outbox[0].message, Outgoing::Text("Thank you for r1.".into()));
    assert!(store.commit(again, 5_000).await.unwrap());
    assert_eq!(ann().await.asked, None);
    // Nothing was asked of Ben since then.
    assert_eq!(store.contact(ContactId(2)).await.unwrap().unwrap().asked.unwrap().at, 2_000);
}
