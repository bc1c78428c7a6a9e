//! Questions that nothing answered.

use super::*;

fn asked(contact: ContactId, question: &str, at: Millis) -> Unanswered {
    let (channel, step) = (main_channel(), "faq".into());
    let because = vec!["no answer matches".into()];
    Unanswered { contact, channel, step, question: question.into(), at, because }
}

async fn keep(store: &Shared, sender: Sender, questions: &[(&str, Millis)]) -> ContactId {
    let key = format!("{sender:?} {}", questions[0].0);
    let lane = accept(store, message(sender, &key)).await.lane;
    let contact = lane.contact().unwrap();
    turn(store, &lane, |commit| {
        commit.unanswered =
            questions.iter().map(|(question, at)| asked(contact, question, *at)).collect();
    })
    .await;
    contact
}

async fn kept(store: &Shared) -> Vec<(ContactId, String)> {
    let questions = store.unanswered(usize::MAX).await.unwrap();
    questions.into_iter().map(|it| (it.contact, it.question)).collect()
}

pub async fn questions_are_kept_for_the_owner(store: Shared) {
    let long = "é".repeat(500);
    let one = keep(&store, phone("1"), &[("first", NOW), ("second", NOW + 1)]).await;
    let other = keep(&store, bsuid("US.1"), &[(&long, NOW + 2)]).await;
    let of = |contact, question: &str| (contact, question.to_owned());
    assert_eq!(kept(&store).await, [of(other, &long), of(one, "second"), of(one, "first")]);
    let newest = store.unanswered(1).await.unwrap();
    assert_eq!(newest, [asked(other, &long, NOW + 2)]);
    // Both turn out to be one person, who has asked all of it.
    accept(&store, message(both("1", "US.1"), "it is me")).await;
    assert_eq!(kept(&store).await[0], of(one, &long));
    // Kept as long as the history.
    store.sweep(NOW + 1_000, 1_000).await.unwrap();
    assert_eq!(kept(&store).await.len(), 3);
    store.sweep(NOW + 1_002, 1_000).await.unwrap();
    assert_eq!(kept(&store).await, [of(one, &long)]);
    check_invariants(&store).await;
}

pub async fn the_oldest_questions_make_room(store: Shared) {
    keep(&store, phone("1"), &[("first", NOW), ("second", NOW)]).await;
    for batch in 0..2 {
        let names: Vec<String> = (0..2_500).map(|n| format!("{batch}-{n}")).collect();
        let questions: Vec<(&str, Millis)> = names.iter().map(|name| (&name[..], NOW)).collect();
        keep(&store, phone("2"), &questions[usize::from(batch == 1)..]).await;
    }
    let kept = kept(&store).await;
    assert_eq!(kept.len(), 5_000);
    assert_eq!((kept[0].1.as_str(), kept[4_999].1.as_str()), ("1-2499", "second"));
}
