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
