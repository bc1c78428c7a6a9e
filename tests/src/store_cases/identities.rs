//! Who an event is from: each row of the tables in `store/identity.rs`.

use super::*;

/// The lane that a message of the sender goes to.
async fn lane_of(store: &Shared, sender: Sender, text: &str) -> String {
    accept(store, message(sender, text)).await.lane.to_string()
}

/// WhatsApp's notice that who was `old` is `new` now.
pub fn moved(old: Sender, new: Sender, text: &str) -> Happening {
    let kind = if new.phone.is_some() { "user_changed_number" } else { "user_changed_user_id" };
    notice(kind, old, new, text)
}

fn notice(kind: &str, old: Sender, now: Sender, text: &str) -> Happening {
    let notice = Notice { kind: kind.into(), text: text.into(), now };
    let content = Content::Notice(notice);
    let kind = EventKind::Message(Message::new(format!("wamid.{text}"), NOW, content));
    Happening { kind, ..message(old, text) }
}

async fn by_phone(store: &Shared, digits: &str) -> Option<String> {
    find(store, &Identity::Phone(digits.into())).await.map(|id| id.to_string())
}

async fn by_bsuid(store: &Shared, id: &str) -> Option<String> {
    find(store, &Identity::Bsuid(id.into())).await.map(|id| id.to_string())
}

/// The phone and the user id in a contact's document.
async fn ids(store: &Shared, id: u64) -> (Option<String>, Option<String>) {
    let contact = store.contact(ContactId(id)).await.unwrap().expect("a contact");
    (contact.phone, contact.bsuid)
}

fn some(phone: &str, bsuid: &str) -> (Option<String>, Option<String>) {
    let id = |id: &str| (!id.is_empty()).then(|| id.to_owned());
    (id(phone), id(bsuid))
}

pub async fn ids_lead_to_one_contact(store: Shared) {
    assert_eq!(lane_of(&store, phone("1"), "by phone").await, "c1");
    assert_eq!(lane_of(&store, bsuid("US.2"), "by user id").await, "c2");
    assert_eq!(lane_of(&store, both("1", "US.1"), "learning the user id").await, "c1");
    assert_eq!(lane_of(&store, bsuid("US.1"), "learned").await, "c1");
    assert_eq!(lane_of(&store, both("2", "US.2"), "learning the number").await, "c2");
    assert_eq!(lane_of(&store, phone("2"), "learned too").await, "c2");
    assert_eq!(lane_of(&store, both("22", "US.2"), "another number").await, "c2");
    assert_eq!(
        (by_phone(&store, "2").await, by_phone(&store, "22").await),
        (None, Some("c2".into()))
    );
    let parent = Sender { parent_bsuid: Some("US.ENT.3".into()), ..both("3", "US.3") };
    assert_eq!(lane_of(&store, parent.clone(), "three at once").await, "c3");
    let by_parent = Sender { phone: None, bsuid: None, ..parent };
    assert_eq!(lane_of(&store, by_parent, "by the parent").await, "c3");
    assert_eq!(by_bsuid(&store, "3").await, None, "kinds are told apart");
    let name_only = Sender { name: Some("Ann".into()), ..Sender::default() };
    assert_eq!(lane_of(&store, name_only, "nobody").await, "@main");
    assert_eq!(ids(&store, 1).await, some("1", "US.1"));
    assert_eq!(ids(&store, 2).await, some("22", "US.2"));

    // Only messages make contacts.
    let mut change = account("new quality");
    change.sender = Some(phone("4"));
    assert_eq!(accept(&store, change).await.lane.to_string(), "@main");
    assert_eq!(lane_of(&store, phone("4"), "now for real").await, "c4");
    let mut known = account("preferences");
    known.sender = Some(both("4", "US.4"));
    assert_eq!(accept(&store, known).await.lane.to_string(), "c4");
    assert_eq!(lane_of(&store, bsuid("US.4"), "learned by the way").await, "c4");
    check_invariants(&store).await;
}

pub async fn a_number_that_has_passed_on_is_another_person_s(store: Shared) {
    // To somebody new.
    assert_eq!(lane_of(&store, both("1", "US.1"), "first owner").await, "c1");
    assert_eq!(lane_of(&store, both("1", "US.2"), "second owner").await, "c2");
    assert_eq!((ids(&store, 1).await, ids(&store, 2).await), (some("", "US.1"), some("1", "US.2")));
    assert_eq!(lane_of(&store, phone("1"), "by phone").await, "c2");
    assert_eq!(lane_of(&store, bsuid("US.1"), "the first, without it").await, "c1");
    // To somebody known without a number.
    assert_eq!(lane_of(&store, both("1", "US.1"), "back again").await, "c1");
    assert_eq!((ids(&store, 1).await, ids(&store, 2).await), (some("1", "US.1"), some("", "US.2")));
    // To somebody known with another number: the one who had it was never seen
    // with a user id, and is not the same for that.
    assert_eq!(lane_of(&store, phone("3"), "a number alone").await, "c3");
    assert_eq!(lane_of(&store, both("3", "US.1"), "passed on").await, "c1");
    assert_eq!((ids(&store, 1).await, ids(&store, 3).await), (some("3", "US.1"), some("", "")));
    assert_eq!(by_phone(&store, "1").await, None, "the former number");
    // What is no message makes nobody, and takes nothing from anybody.
    let mut change = account("preferences");
    change.sender = Some(both("3", "US.9"));
    assert_eq!(accept(&store, change).await.lane.to_string(), "@main");
    assert_eq!(ids(&store, 1).await, some("3", "US.1"));
    check_invariants(&store).await;
}

pub async fn a_number_is_one_in_all_its_forms(store: Shared) {
    for (n, (first, second)) in [
        ("5511987654321", "551187654321"),
        ("525512345678", "5215512345678"),
        ("5491123456789", "541123456789"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = n as u64 + 1;
        assert_eq!(lane_of(&store, phone(first), first).await, format!("c{id}"));
        assert_eq!(lane_of(&store, phone(second), second).await, format!("c{id}"));
        assert_eq!(ids(&store, id).await, some(second, ""), "as WhatsApp gave it last");
        for form in [first, second] {
            assert_eq!(by_phone(&store, form).await, Some(format!("c{id}")));
        }
        // All forms go when the number passes on.
        let user = format!("BR.{n}");
        accept(&store, message(both(first, &user), &user)).await;
        let away = moved(both(second, &user), both(&format!("1555{n}"), &user), "away");
        accept(&store, Happening { dedup: format!("away {n}"), ..away }).await;
        assert_eq!((by_phone(&store, first).await, by_phone(&store, second).await), (None, None));
    }
    check_invariants(&store).await;
}

pub async fn portfolios_do_not_share_contacts(store: Shared) {
    let of = |name: &str, sender: Sender| Sender { portfolio: Portfolio::new(name), ..sender };
    assert_eq!(lane_of(&store, both("1", "US.1"), "one").await, "c1");
    assert_eq!(lane_of(&store, of("second", both("1", "US.2")), "two").await, "c2");
    assert_eq!(lane_of(&store, of("default", both("1", "US.1")), "three").await, "c1");
    assert_eq!(lane_of(&store, of("second", phone("1")), "four").await, "c2");
    assert_eq!(
        (ids(&store, 1).await, ids(&store, 2).await),
        (some("1", "US.1"), some("1", "US.2"))
    );
    let second = Portfolio::new("second");
    assert_eq!(store.contact(ContactId(2)).await.unwrap().unwrap().portfolio, second);
    let phone = Identity::Phone("1".into());
    assert_eq!(store.find_contact(&second, &phone).await.unwrap(), Some(ContactId(2)));
    assert_eq!(find(&store, &phone).await, Some(ContactId(1)));
}

pub async fn a_notice_moves_the_contact(store: Shared) {
    let ann = contact(&store, "1").await;
    accept(&store, message(both("1", "US.1"), "with the user id")).await;
    turn(&store, &Lane::Contact(ann), |commit| {
        let item = item(commit, ann, NOW);
        commit.outbox.push(item);
    })
    .await;
    // The number and the user id.
    let event = accept(&store, moved(both("1", "US.1"), both("2", "US.2"), "both")).await;
    assert_eq!(event.lane, Lane::Contact(ann));
    assert_eq!(ids(&store, 1).await, some("2", "US.2"));
    assert_eq!(by_phone(&store, "1").await, None);
    assert_eq!(by_bsuid(&store, "US.1").await, Some("c1".into()), "nobody else will have it");
    // What waits goes to where she is now.
    let due = store.due_outbox(NOW, 9).await.unwrap();
    let attempt = Attempt {
        id: due[0].id.clone(),
        since: NOW,
        until: NOW + 1,
        charge: None,
        opens: false,
        category: None,
    };
    let begun = store.begin_attempts(vec![attempt]).await.unwrap();
    let to = Address { phone: Some("2".into()), bsuid: Some("US.2".into()) };
    assert_eq!(begun[0].to, to);

    // The number is not shown: it is unknown, and the former one is not hers.
    accept(&store, moved(both("2", "US.2"), bsuid("US.3"), "user id")).await;
    assert_eq!(ids(&store, 1).await, some("", "US.3"));
    assert_eq!(by_phone(&store, "2").await, None);
    assert_eq!(lane_of(&store, phone("2"), "a stranger").await, "c2");
    // The number alone: the user id of before is none of the new number's.
    accept(&store, moved(bsuid("US.3"), phone("4"), "number")).await;
    assert_eq!(ids(&store, 1).await, some("4", ""));
    assert_eq!(lane_of(&store, both("4", "US.4"), "the new user id").await, "c1");
    // Without the former user id, by the former number.
    accept(&store, moved(phone("4"), both("5", "US.5"), "by number")).await;
    assert_eq!(ids(&store, 1).await, some("5", "US.5"));
    // A new number that was another's.
    accept(&store, moved(both("5", "US.5"), both("2", "US.6"), "another's")).await;
    assert_eq!((ids(&store, 1).await, ids(&store, 2).await), (some("2", "US.6"), some("", "")));
    // The former number has its new owner already.
    assert_eq!(lane_of(&store, both("2", "US.7"), "new owner").await, "c3");
    accept(&store, moved(both("2", "US.6"), both("8", "US.8"), "late")).await;
    assert_eq!(
        (ids(&store, 1).await, ids(&store, 3).await),
        (some("8", "US.8"), some("2", "US.7"))
    );
    // Nobody is made of a notice.
    let unknown = accept(&store, moved(both("90", "US.90"), both("91", "US.91"), "unknown")).await;
    assert_eq!(unknown.lane.to_string(), "@main");
    check_invariants(&store).await;
}

pub async fn a_notice_joins_who_has_written_already(store: Shared) {
    assert_eq!(lane_of(&store, both("1", "US.1"), "before").await, "c1");
    assert_eq!(lane_of(&store, both("2", "US.2"), "after").await, "c2");
    let event = accept(&store, moved(both("1", "US.1"), bsuid("US.2"), "notice")).await;
    assert_eq!(event.to_string(), "c1-3", "behind both messages");
    assert_eq!(ids(&store, 1).await, some("2", "US.2"), "the number was shown already");
    assert_eq!(by_phone(&store, "1").await, None);
    assert_eq!(lane_of(&store, both("2", "US.2"), "goes on").await, "c1");
    // The notice comes once more, under another key: nothing changes.
    accept(&store, moved(both("1", "US.1"), bsuid("US.2"), "again")).await;
    assert_eq!(ids(&store, 1).await, some("2", "US.2"));
    // Nobody knows who it was before.
    let event = accept(&store, moved(both("7", "US.7"), both("2", "US.2"), "late")).await;
    assert_eq!(event.lane.to_string(), "c1");
    check_invariants(&store).await;
}

/// The same, some seconds before now.
fn ago(seconds: u64, happening: Happening) -> Happening {
    let EventKind::Message(message) = happening.kind else { panic!("{happening:?}") };
    let sent_at = NOW - seconds * 1000;
    Happening { kind: EventKind::Message(Message { sent_at, ..message }), ..happening }
}

async fn sent(store: &Shared, seconds: u64, happening: Happening) -> String {
    accept(store, ago(seconds, happening)).await.lane.to_string()
}

/// A notice that came late moved the number's next owner, or made the two one.
pub async fn a_late_notice_is_not_of_who_took_the_number_since(store: Shared) {
    assert_eq!(sent(&store, 100, message(both("1", "US.1"), "Ann")).await, "c1");
    assert_eq!(sent(&store, 10, message(both("1", "US.2"), "Bob")).await, "c2");
    let notice = |text: &str| moved(phone("1"), both("5", "US.5"), text);
    assert_eq!(sent(&store, 50, notice("by the number alone")).await, "@main");
    assert_eq!(ids(&store, 2).await, some("1", "US.2"));
    // The same where her new ids are known already.
    assert_eq!(sent(&store, 40, message(both("5", "US.5"), "Ann, moved")).await, "c3");
    assert_eq!(sent(&store, 50, notice("again")).await, "c3");
    assert_eq!(
        (ids(&store, 2).await, ids(&store, 3).await),
        (some("1", "US.2"), some("5", "US.5"))
    );
    // A user id decides, also where the one with the number has none yet.
    assert_eq!(sent(&store, 10, message(phone("6"), "Cid, by the number")).await, "c4");
    let unknown = moved(both("6", "US.60"), both("7", "US.70"), "by an unknown user id");
    assert_eq!(sent(&store, 50, unknown).await, "@main");
    let known = moved(both("6", "US.1"), both("7", "US.70"), "by Ann's");
    assert_eq!(sent(&store, 50, known).await, "c1");
    assert_eq!((ids(&store, 1).await, ids(&store, 4).await), (some("7", "US.70"), some("6", "")));
    // A notice of after that is another matter.
    let newer = moved(phone("6"), both("8", "US.8"), "Cid moves");
    assert_eq!(sent(&store, 5, newer).await, "c4");
    assert_eq!(ids(&store, 4).await, some("8", "US.8"));
    check_invariants(&store).await;
}

pub async fn a_late_event_takes_no_number_back(store: Shared) {
    assert_eq!(sent(&store, 100, message(both("1", "US.1"), "Ann")).await, "c1");
    assert_eq!(sent(&store, 10, message(both("1", "US.2"), "Bob")).await, "c2");
    assert_eq!(sent(&store, 50, message(both("1", "US.1"), "Ann, late")).await, "c1");
    assert_eq!((ids(&store, 1).await, ids(&store, 2).await), (some("", "US.1"), some("1", "US.2")));
    // As one who was never seen, and as one without a number: not one person.
    assert_eq!(sent(&store, 10, message(phone("3"), "Cid, by the number")).await, "c3");
    assert_eq!(sent(&store, 50, message(both("3", "US.1"), "Ann had it")).await, "c1");
    assert_eq!(sent(&store, 50, message(both("3", "US.4"), "so had Dan")).await, "c4");
    assert_eq!((ids(&store, 3).await, ids(&store, 4).await), (some("3", ""), some("", "US.4")));
    // By a notice that she moved to it.
    let there = moved(bsuid("US.1"), both("3", "US.5"), "Ann moved to it");
    assert_eq!(sent(&store, 50, there).await, "c1");
    let alone = moved(bsuid("US.2"), phone("3"), "so did Bob, before he had the other");
    assert_eq!(sent(&store, 50, alone).await, "c2");
    assert_eq!((ids(&store, 1).await, ids(&store, 2).await), (some("", "US.5"), some("1", "US.2")));
    assert_eq!(by_phone(&store, "3").await, Some("c3".into()));
    let away = moved(both("1", "US.2"), phone("3"), "Bob leaves his for it");
    assert_eq!(sent(&store, 5, away).await, "c2");
    assert_eq!((ids(&store, 2).await, ids(&store, 3).await), (some("3", ""), some("", "")));
    check_invariants(&store).await;
}

pub async fn a_late_event_gives_no_former_number_back(store: Shared) {
    assert_eq!(sent(&store, 100, message(both("1", "US.1"), "Ann")).await, "c1");
    assert_eq!(sent(&store, 50, moved(both("1", "US.1"), both("2", "US.2"), "moves")).await, "c1");
    assert_eq!(sent(&store, 60, message(both("1", "US.1"), "late")).await, "c1");
    let earlier = moved(bsuid("US.0"), both("1", "US.1"), "how she came to the former one");
    assert_eq!(sent(&store, 90, earlier).await, "c1");
    assert_eq!(ids(&store, 1).await, some("2", "US.2"));
    assert_eq!(
        (by_phone(&store, "1").await, by_phone(&store, "2").await),
        (None, Some("c1".into()))
    );
    // Her new ids were seen first, and the notice names the former user id alone.
    assert_eq!(sent(&store, 90, message(both("4", "US.4"), "after")).await, "c2");
    assert_eq!(sent(&store, 95, message(both("3", "US.3"), "before")).await, "c3");
    assert_eq!(sent(&store, 92, moved(bsuid("US.3"), both("4", "US.4"), "one")).await, "c2");
    assert_eq!(ids(&store, 2).await, some("4", "US.4"));
    assert_eq!(by_phone(&store, "3").await, None, "a stranger may have it next");
    check_invariants(&store).await;
}

pub async fn another_phone_in_the_hand_changes_nothing(store: Shared) {
    assert_eq!(lane_of(&store, both("1", "US.1"), "hello").await, "c1");
    let same = notice("customer_identity_changed", phone("1"), phone("9"), "identity");
    assert_eq!(accept(&store, same).await.lane.to_string(), "c1");
    assert_eq!(ids(&store, 1).await, some("1", "US.1"));
    let unknown = notice("yet_to_come", bsuid("US.1"), bsuid("US.9"), "unknown");
    assert_eq!(accept(&store, unknown).await.lane.to_string(), "c1");
    assert_eq!(ids(&store, 1).await, some("1", "US.1"));
}

pub async fn an_own_card_teaches_the_number(store: Shared) {
    let card = |own: bool, phones: &[(&str, Option<&str>)]| ContactCard {
        own,
        phones: phones
            .iter()
            .map(|(phone, wa_id)| CardPhone {
                phone: (*phone).into(),
                wa_id: wa_id.map(str::to_owned),
            })
            .collect(),
        ..ContactCard::default()
    };
    let sent = |id: &str, card: ContactCard, text: &str| {
        let content = Content::Contacts(vec![card]);
        let kind = EventKind::Message(Message::new(text, NOW, content));
        Happening { kind, ..message(bsuid(id), text) }
    };
    accept(&store, sent("US.1", card(false, &[("+1 555 0001", Some("15550001"))]), "a friend"))
        .await;
    assert_eq!(ids(&store, 1).await, some("", "US.1"));
    let two = card(true, &[("+1 555 0001", None), ("+1 555 0002", None)]);
    accept(&store, sent("US.1", two, "which one?")).await;
    assert_eq!(ids(&store, 1).await, some("", "US.1"));
    let two = card(true, &[("+1 555 0001", None), ("+1 555 0002", Some("15550002"))]);
    accept(&store, sent("US.1", two, "the one on WhatsApp")).await;
    assert_eq!(ids(&store, 1).await, some("15550002", "US.1"));
    // It shows that two were one.
    assert_eq!(lane_of(&store, phone("15550003"), "by number").await, "c2");
    assert_eq!(lane_of(&store, bsuid("US.3"), "by user id").await, "c3");
    let event = accept(&store, sent("US.3", card(true, &[("+1 555 0003", None)]), "own")).await;
    assert_eq!(event.lane.to_string(), "c2");
    assert_eq!(ids(&store, 3).await, some("15550003", "US.3"));
    check_invariants(&store).await;
}

pub async fn receipts_teach_what_is_missing(store: Shared) {
    let ann = contact(&store, "1").await;
    accept(&store, message(phone("1"), "hello")).await;
    let mut send = None;
    turn(&store, &Lane::Contact(ann), |commit| {
        let item = item(commit, ann, NOW);
        send = Some(item.id.clone());
        commit.outbox.push(item);
    })
    .await;
    let send = send.unwrap();
    let state = |n: usize| {
        use ReceiptState::*;
        [Sent, Delivered, Read, Played, Failed][n]
    };
    let told = async |n: usize, sender: Sender| {
        let receipt = receipt("wamid.1", Some(&send), state(n));
        accept(&store, receipt_of(Some(sender), receipt)).await.lane.to_string()
    };
    assert_eq!(told(0, both("9", "US.9")).await, "c1", "of another number: it teaches nothing");
    assert_eq!((ids(&store, 1).await, by_bsuid(&store, "US.9").await), (some("1", ""), None));
    assert_eq!(told(1, both("1", "US.1")).await, "c1");
    assert_eq!(ids(&store, 1).await, some("1", "US.1"));
    assert_eq!(told(2, both("1", "US.2")).await, "c1", "of another user: nothing");
    assert_eq!(ids(&store, 1).await, some("1", "US.1"));
    accept(&store, moved(both("1", "US.1"), bsuid("US.3"), "moved")).await;
    assert_eq!(told(3, both("1", "US.1")).await, "c1", "late: of the former ids");
    assert_eq!(ids(&store, 1).await, some("", "US.3"));
    assert_eq!(told(4, both("3", "US.3")).await, "c1");
    assert_eq!(ids(&store, 1).await, some("3", "US.3"));
    check_invariants(&store).await;
}

pub async fn the_host_names_the_contact_itself(store: Shared) {
    accept(&store, message(both("1", "US.1"), "hello")).await;
    accept(&store, message(both("1", "US.2"), "took the number")).await;
    let own = |id: u64, dedup: &str| Happening {
        channel: main_channel(),
        dedup: dedup.into(),
        sender: Some(Sender { phone: Some("1".into()), ..Sender::of(ContactId(id)) }),
        kind: EventKind::Operator(Operator::Resume { by: "operator".into() }),
        raw: String::new(),
    };
    assert_eq!(accept(&store, own(1, "resume")).await.lane.to_string(), "c1");
    assert_eq!(ids(&store, 1).await, some("", "US.1"), "nothing is learned from it");
}

pub async fn a_turn_cannot_change_who_it_is_of(store: Shared) {
    let ann = Lane::Contact(contact(&store, "1").await);
    accept(&store, message(phone("1"), "hello")).await;
    let running = draft(&store, &ann, |commit| {
        let contact = commit.contact.as_mut().unwrap();
        contact.apply(&Effect::Tag { name: "vip".into(), expires: None }, "faq", NOW);
        contact.phone = Some("666".into());
    })
    .await;
    accept(&store, moved(phone("1"), both("2", "US.2"), "moved")).await;
    assert!(store.commit(running, NOW).await.unwrap(), "it is no conflict");
    assert_eq!(ids(&store, 1).await, some("2", "US.2"));
    assert!(store.contact(ContactId(1)).await.unwrap().unwrap().has_tag("vip", NOW));
}
