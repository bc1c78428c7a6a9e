//! Contacts, tags and segments.

use super::*;

async fn tag(store: &Shared, id: ContactId, effects: &[Effect]) {
    let text = format!("{id} {effects:?}");
    accept(store, message(phone(&id.0.to_string()), &text)).await;
    turn(store, &Lane::Contact(id), |commit| {
        for effect in effects {
            commit.contact.as_mut().unwrap().apply(effect, "tagger", NOW);
        }
    })
    .await;
}

fn add(name: &str, expires: Option<Millis>) -> Effect {
    Effect::Tag { name: name.into(), expires }
}

fn remove(name: &str) -> Effect {
    Effect::Untag { name: name.into() }
}

fn segment(all: &[&str], any: &[&str], none: &[&str]) -> Segment {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Segment { all: own(all), any: own(any), none: own(none) }
}

pub async fn segments_follow_the_tags(store: Shared) {
    for n in 1..=6 {
        contact(&store, &n.to_string()).await;
    }
    let id = ContactId;
    tag(&store, id(1), &[add("vip", None), add("en", None)]).await;
    tag(&store, id(2), &[add("vip", None), add("complaint", None)]).await;
    tag(&store, id(3), &[add("en", None)]).await;
    tag(&store, id(4), &[add("vip", Some(NOW + 10)), add("en", None)]).await;
    tag(&store, id(5), &[add("vip2", None), add("vi", None)]).await;

    let members = async |segment: Segment, now| {
        let page = store.audience(&segment, None, 99, now).await.unwrap();
        assert_eq!(page.next, None);
        page.members.iter().map(|id| id.0).collect::<Vec<_>>()
    };
    assert_eq!(members(segment(&["vip"], &[], &[]), NOW).await, [1, 2, 4]);
    assert_eq!(members(segment(&["vip"], &[], &[]), NOW + 10).await, [1, 2], "expired");
    assert_eq!(members(segment(&["vip", "en"], &[], &[]), NOW).await, [1, 4]);
    assert_eq!(members(segment(&[], &["vip", "en"], &[]), NOW).await, [1, 2, 3, 4]);
    assert_eq!(members(segment(&["en"], &["vip", "vip2"], &[]), NOW).await, [1, 4]);
    assert_eq!(members(segment(&["vip"], &[], &["complaint"]), NOW).await, [1, 4]);
    assert_eq!(members(segment(&[], &[], &["vip", "vip2"]), NOW).await, [3, 6]);
    assert_eq!(members(segment(&[], &[], &["vip"]), NOW + 10).await, [3, 4, 5, 6]);
    assert_eq!(members(segment(&[], &[], &[]), NOW).await, [1, 2, 3, 4, 5, 6]);
    assert_eq!(members(segment(&["nobody"], &[], &[]), NOW).await, Vec::<u64>::new());

    tag(&store, id(2), &[remove("complaint"), remove("vip")]).await;
    tag(&store, id(4), &[add("vip", None)]).await;
    assert_eq!(members(segment(&["vip"], &[], &["complaint"]), NOW + 10).await, [1, 4]);
    assert_eq!(members(segment(&["complaint"], &[], &[]), NOW).await, Vec::<u64>::new());
    check_invariants(&store).await;
}

pub fn tag_change(name: &str, at: Millis) -> TagChange {
    TagChange {
        name: name.into(),
        change: TagMove::Added,
        by: "tagger".into(),
        at,
        expires: None,
        why: Some("it said so".into()),
    }
}

pub async fn changes_of_tags_are_kept_and_bounded(store: Shared) {
    let ann = contact(&store, "1").await;
    let (lane, max) = (Lane::Contact(ann), TAG_HISTORY_MAX as u64);
    let note = async |range: std::ops::Range<u64>| {
        accept(&store, message(phone("1"), &format!("{range:?}"))).await;
        turn(&store, &lane, |commit| {
            commit.tagged = range.map(|n| tag_change(&format!("t{n}"), NOW + n)).collect();
        })
        .await;
    };
    assert_eq!(store.tag_history(ann).await.unwrap(), []);
    note(0..3).await;
    note(3..3).await;
    let history = store.tag_history(ann).await.unwrap();
    let names: Vec<&str> = history.iter().map(|change| change.name.as_str()).collect();
    assert_eq!(names, ["t2", "t1", "t0"]);
    assert_eq!(history[2], tag_change("t0", NOW));
    note(3..max + 2).await;
    let history = store.tag_history(ann).await.unwrap();
    assert_eq!(history.len() as u64, max);
    assert_eq!((history[0].at, history[history.len() - 1].at), (NOW + max + 1, NOW + 2));
    // Another's are its own.
    let bob = contact(&store, "2").await;
    assert_eq!(store.tag_history(bob).await.unwrap(), []);
    check_invariants(&store).await;
}

pub async fn segments_come_in_pages(store: Shared) {
    let mut expected = Vec::new();
    for n in 1..=7 {
        let id = contact(&store, &n.to_string()).await;
        let name = if n % 2 == 1 { "odd" } else { "even" };
        tag(&store, id, &[add(name, None)]).await;
        if name == "odd" {
            expected.push(id);
        }
    }
    for wanted in
        [segment(&["odd"], &[], &[]), segment(&[], &["odd"], &[]), segment(&[], &[], &["even"])]
    {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.audience(&wanted, after, 1, NOW).await.unwrap();
            assert!(page.members.len() <= 1);
            found.extend(page.members);
            match page.next {
                Some(next) => assert!(after.replace(next) < Some(next), "it moves on"),
                None => break,
            }
        }
        assert_eq!(found, expected);
    }
    let ids = async |after, limit| -> Vec<u64> {
        let contacts = store.contacts(after, limit).await.unwrap();
        contacts.iter().map(|contact| contact.id.0).collect()
    };
    assert_eq!(ids(None, 3).await, [1, 2, 3]);
    assert_eq!(ids(Some(ContactId(3)), 99).await, [4, 5, 6, 7]);
    assert_eq!(ids(Some(ContactId(u64::MAX)), 99).await, Vec::<u64>::new());
}
