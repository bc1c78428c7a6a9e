//! Files that customers send: from their message to their end.

use super::*;

const DAY: Millis = 24 * 3_600_000;

fn picture(digits: &str, id: &str, copy: u32) -> Happening {
    let media = Media {
        kind: MediaKind::Image,
        id: id.into(),
        mime_type: "image/jpeg".into(),
        caption: None,
        filename: None,
        url: None,
        sha256: None,
    };
    let name = format!("{digits} {id} {copy}");
    let kind = EventKind::Message(Message::new(&name, NOW, Content::Media(media)));
    Happening { kind, ..message(phone(digits), &name) }
}

fn here(at: Millis) -> MediaState {
    MediaState::Here(MediaHere {
        bytes: 3,
        sha256: "ab".repeat(32),
        mime_type: "image/jpeg".into(),
        looks_like: None,
        at,
    })
}

async fn file(store: &Shared, id: &str) -> MediaFile {
    store.media(&main_channel(), id).await.unwrap().expect("an entry")
}

pub async fn files_wait_are_here_and_go(store: Shared) {
    let batch = vec![picture("1", "a", 1), message(phone("1"), "hi"), picture("2", "b", 1)];
    store.accept(batch, NOW).await.unwrap();
    let ids = |files: Vec<MediaFile>| files.into_iter().map(|it| it.media.id).collect::<Vec<_>>();
    assert_eq!(store.next_media().await.unwrap(), Some(NOW));
    assert_eq!(store.due_media(NOW - 1, 9).await.unwrap(), []);
    assert_eq!(store.due_media(NOW, 9).await.unwrap().len(), 2);
    // A try that came to nothing moves it; it is the only one due then.
    let tried = MediaFile { tries: 1, ..file(&store, "a").await };
    let later = MediaState::Waiting { due: NOW + 5, reason: Some("no answer".into()) };
    assert!(store.record_media(&tried, later).await.unwrap());
    assert_eq!(ids(store.due_media(NOW, 9).await.unwrap()), ["b"]);
    assert_eq!(file(&store, "a").await.tries, 1);
    // Two with the same bytes; a second record of the same changes nothing.
    for id in ["a", "b"] {
        assert!(store.record_media(&file(&store, id).await, here(NOW + 9)).await.unwrap());
    }
    assert!(!store.record_media(&file(&store, "a").await, here(NOW + 99)).await.unwrap());
    assert_eq!(store.next_media().await.unwrap(), None);
    assert!(store.media_needs(&"ab".repeat(32)).await.unwrap());
    assert!(!store.media_needs(&"cd".repeat(32)).await.unwrap());
    // The same id from another contact: two may see it. A copy of the message
    // changes nothing.
    store.accept(vec![picture("2", "a", 1), picture("2", "a", 1)], NOW + 20).await.unwrap();
    assert_eq!(file(&store, "a").await.lanes.len(), 2);
    assert_eq!(file(&store, "a").await.state, here(NOW + 9));
    assert_eq!(ids(store.media_of(&"c2".parse().unwrap(), 9).await.unwrap()), ["a", "b"]);
    assert_eq!(ids(store.media_of(&"c1".parse().unwrap(), 9).await.unwrap()), ["a"]);
    // Their time ends, and then that of their entries.
    assert_eq!(store.sweep_media(NOW + 8 + DAY, DAY).await.unwrap(), []);
    assert_eq!(store.sweep_media(NOW + 9 + DAY, DAY).await.unwrap().len(), 2);
    assert!(!store.media_needs(&"ab".repeat(32)).await.unwrap());
    assert_eq!(file(&store, "b").await.state, MediaState::Expired { at: NOW + 9 + DAY });
    // One that comes anew is fetched anew.
    store.accept(vec![picture("1", "a", 2)], NOW + 2 * DAY).await.unwrap();
    assert_eq!(store.next_media().await.unwrap(), Some(NOW + 2 * DAY));
    assert_eq!(ids(store.sweep_media(NOW + 9 + 2 * DAY, DAY).await.unwrap()), ["b"]);
    assert_eq!(store.media(&main_channel(), "b").await.unwrap(), None);
    assert_eq!(ids(store.media_of(&"c2".parse().unwrap(), 9).await.unwrap()), ["a"]);
}

pub async fn a_merged_contact_has_the_files_of_both(store: Shared) {
    let from_id = |id: &str| Happening { sender: Some(bsuid("US.1")), ..picture("9", id, 1) };
    let batch = vec![picture("1", "a", 1), from_id("b"), picture("1", "c", 1)];
    store.accept(batch, NOW).await.unwrap();
    store.accept(vec![from_id("c")], NOW + 1).await.unwrap();
    let lanes: [Lane; 2] = ["c1", "c2"].map(|lane| lane.parse().unwrap());
    assert_eq!(file(&store, "b").await.lanes, lanes[1..]);
    accept(&store, message(both("1", "US.1"), "it is me")).await;
    for id in ["a", "b", "c"] {
        assert_eq!(file(&store, id).await.lanes, lanes[..1], "{id}");
    }
    for lane in &lanes {
        let files = store.media_of(lane, 9).await.unwrap();
        let ids = Vec::from_iter(files.iter().map(|file| file.media.id.as_str()));
        assert_eq!((ids[0], ids.len()), ("c", 3), "the newest first, each once: {ids:?}");
        assert!(files.iter().all(|file| file.lanes == lanes[..1]));
        assert_eq!(store.media_of(lane, 2).await.unwrap(), files[..2]);
    }
    // They are fetched and go as any.
    for id in ["a", "b", "c"] {
        assert!(store.record_media(&file(&store, id).await, here(NOW + 9)).await.unwrap());
    }
    assert_eq!(store.next_media().await.unwrap(), None);
    for at in [NOW + 9 + DAY, NOW + 9 + 3 * DAY] {
        assert_eq!(store.sweep_media(at, DAY).await.unwrap().len(), 3);
    }
    assert_eq!(store.media_of(&lanes[0], 9).await.unwrap(), []);
}

pub async fn an_upload_is_known_till_it_ends_or_is_forgotten(store: Shared) {
    let (main, other, sum) = (main_channel(), ChannelId::new("other"), "ab".repeat(32));
    let uploaded = |id: &str| Uploaded { id: id.into(), until: NOW + DAY };
    let known = async |channel: &ChannelId, at| store.upload(channel, &sum, at).await.unwrap();
    store.keep_upload(&main, &sum, uploaded("1")).await.unwrap();
    assert_eq!(known(&main, NOW).await, Some(uploaded("1")));
    assert_eq!(known(&main, NOW + DAY).await, None);
    assert_eq!(known(&other, NOW).await, None);
    // Two found it gone, and the first has uploaded the file anew already.
    store.forget_upload(&main, &sum, "1").await.unwrap();
    assert_eq!(known(&main, NOW).await, None);
    store.keep_upload(&main, &sum, uploaded("2")).await.unwrap();
    store.forget_upload(&main, &sum, "1").await.unwrap();
    assert_eq!(known(&main, NOW).await, Some(uploaded("2")));
}
