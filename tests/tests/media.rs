//! The files that customers send: fetched in time, kept whole or not at all,
//! and gone when their time is over.

#[path = "media/bench.rs"]
mod bench;
#[path = "media/graph.rs"]
mod graph;
#[path = "media/whole.rs"]
mod whole;

use bench::{Bench, DAY, JPEG, hash, is_waiting};
use graph::Served;
use std::time::Duration;
use switchboard::model::*;
use switchboard_tests::eventually;

fn picture() -> Served {
    Served { bytes: JPEG.to_vec(), mime_type: "image/jpeg", ..Served::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_fetched_as_soon_as_its_message_is_there() {
    let bench = Bench::started().await;
    bench.graph.serve("71", picture());
    bench.sends("71").await;
    let here = bench.here("71").await;
    assert_eq!((here.bytes, here.sha256.as_str()), (JPEG.len() as u64, hash(JPEG).as_str()));
    assert_eq!((here.mime_type.as_str(), here.looks_like), ("image/jpeg", None));
    assert!(here.at < bench::NOW + 300_000, "within the life of the address");
    assert_eq!(std::fs::read(bench.folder.path().join(&here.sha256)).unwrap(), JPEG);
    assert_eq!(bench.graph.asked(), [("71/0".to_owned(), true)]);
    let asked = bench.store.media_of(&"c1".parse().unwrap(), 9).await.unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(bench.store.media_of(&"c2".parse().unwrap(), 9).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_are_kept_once_and_oddities_are_noted() {
    let bench = Bench::started().await;
    bench.graph.serve("71", picture());
    bench.graph.serve("72", picture());
    bench.graph.serve_plain("73", "image/png", b"%PDF-1.7 with something else in it");
    for (id, phone) in [("71", "15550001"), ("72", "15550002"), ("73", "15550001")] {
        bench.sends_as(id, phone, None).await;
    }
    let (one, other) = (bench.here("71").await, bench.here("72").await);
    assert_eq!(one.sha256, other.sha256);
    assert_eq!(bench.here("73").await.looks_like.as_deref(), Some("application/pdf"));
    assert_eq!(bench.names().len(), 2);
    assert_eq!(bench.file("71").await.lanes, ["c1".parse().unwrap()]);
    // The same id again, from another contact: known, not fetched again.
    bench.sends_as("71", "15550002", None).await;
    let lanes: Vec<Lane> = ["c1", "c2"].map(|lane| lane.parse().unwrap()).into();
    assert_eq!(bench.file("71").await.lanes, lanes);
    assert_eq!(bench.graph.questions(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_address_is_asked_for_anew() {
    let bench = Bench::started().await;
    bench.graph.serve("71", Served { dead: 2, ..picture() });
    bench.sends("71").await;
    bench.here("71").await;
    assert_eq!(bench.graph.questions(), 3);
    assert_eq!(bench.file("71").await.tries, 0, "it was one try");
    // One whose addresses are all dead is tried again later.
    bench.graph.serve("72", Served { dead: 4, ..picture() });
    bench.sends("72").await;
    bench.here("72").await;
    assert_eq!((bench.graph.questions(), bench.file("72").await.tries), (8, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_those_promised_are_not_kept() {
    let bench = Bench::started().await;
    let wrong = Some(hash(b"something else"));
    bench.graph.serve("71", Served { sha256: wrong.clone(), ..picture() });
    bench.sends("71").await;
    assert!(bench.failed("71").await.contains("hash"));
    assert_eq!(bench.file("71").await.tries, 2, "a file may be damaged on its way once");
    assert_eq!(bench.names(), [""; 0]);
    // What the message itself says counts where the answer says nothing that
    // can be read.
    bench.graph.serve("72", Served { sha256: Some("a1b2c3...".into()), ..picture() });
    bench.sends_as("72", "15550001", wrong).await;
    assert!(bench.failed("72").await.contains("hash"));
    bench.graph.serve("73", Served { sha256: Some("a1b2c3...".into()), ..picture() });
    bench.sends_as("73", "15550001", Some("////".into())).await;
    bench.here("73").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_too_large_is_refused_before_it_is_whole() {
    let bench = Bench::started().await;
    let bytes = vec![7; 8 * 1024 * 1024];
    let large = Served { bytes, mime_type: "image/jpeg", ..Served::default() };
    // Meta says how large it is: not a byte is asked for.
    bench.graph.serve("71", large.clone());
    bench.sends("71").await;
    assert!(bench.failed("71").await.contains("1048576 bytes"));
    assert_eq!(bench.graph.asked(), []);
    // Only the answer says it.
    bench.graph.serve("72", Served { size: Some(10), ..large.clone() });
    bench.sends("72").await;
    bench.failed("72").await;
    // Nobody says it.
    bench.graph.serve("73", Served { sizeless: true, ..large });
    bench.sends("73").await;
    assert!(bench.failed("73").await.contains("`media.max_mb`"));
    assert_eq!(bench.graph.asked().len(), 2);
    assert!(bench.graph.given() < 16 * 1024 * 1024, "{} bytes were taken", bench.graph.given());
    assert_eq!(bench.file("73").await.tries, 1);
    assert_eq!(bench.names(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_falls_silent_is_left_and_asked_again() {
    let bench = Bench::started().await;
    bench.graph.serve("71", Served { hangs_after: Some(9), ..picture() });
    bench.sends("71").await;
    eventually("a part", || !bench.names().is_empty()).await;
    // Others are not kept waiting.
    bench.graph.serve("72", picture());
    bench.sends("72").await;
    bench.here("72").await;
    assert!(is_waiting(&bench.file("71").await));
    let here = bench.here("71").await;
    assert_eq!(here.sha256, hash(JPEG));
    assert_eq!(bench.file("71").await.tries, 1);
    assert_eq!(bench.names(), [hash(JPEG)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_allowed_are_fetched_at_once() {
    let mut bench = Bench::new().await;
    for id in ["71", "72", "73", "74"] {
        bench.graph.serve(id, Served { hangs_after: Some(5), ..picture() });
        bench.sends(id).await;
    }
    bench.start();
    let graph = bench.graph.clone();
    eventually("two", || graph.asked().len() == 2).await;
    bench.clock.advance(60_000);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.graph.asked().len(), 2);
    // What is under way at the end is left to the next process, without a trace.
    bench.stop().await;
    eventually("no parts", || bench.names().is_empty()).await;
    bench.start();
    for id in ["71", "72", "73", "74"] {
        bench.graph.serve(id, picture());
    }
    for id in ["71", "72", "73", "74"] {
        bench.here(id).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_disk_a_file_waits() {
    let mut bench = Bench::new().await;
    bench.reserve_mb = 1 << 40;
    bench.start();
    bench.graph.serve("71", picture());
    bench.sends("71").await;
    let tried = |file: &MediaFile| {
        matches!(&file.state, MediaState::Waiting { reason: Some(reason), .. }
            if reason.contains("`store.reserve_mb`"))
    };
    let file = bench.until("71", tried).await;
    assert_eq!((file.tries, bench.graph.questions()), (0, 0), "nothing was even asked");
    bench.stop().await;
    bench.reserve_mb = 0;
    bench.start();
    bench.clock.advance(60_000);
    bench.here("71").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passing_trouble_passes_and_a_stopped_channel_costs_no_tries() {
    let bench = Bench::started().await;
    let refusals = vec![(503, 2), (500, 131_000), (401, 190), (401, 190), (401, 190)];
    bench.graph.serve("71", Served { refusals, ..picture() });
    bench.sends("71").await;
    for _ in 0..5 {
        bench.clock.advance(61_000);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bench.here("71").await;
    assert_eq!(bench.file("71").await.tries, 2);
    // What Meta does not know is not asked for again.
    bench.sends("72").await;
    bench.failed("72").await;
    assert_eq!(bench.graph.questions(), 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_goes_nowhere_else() {
    let bench = Bench::started().await;
    let other = graph::Graph::start().await;
    other.serve("71", picture());
    let there = format!("{}/files/71/0", other.origin());
    bench.graph.serve("71", Served { url: Some(there.clone()), ..picture() });
    bench.sends("71").await;
    assert!(bench.failed("71").await.contains("not one of the provider's hosts"));
    // Nor does a redirect lead there, with or without it.
    bench.graph.serve("72", Served { redirect: Some(there), ..picture() });
    bench.sends("72").await;
    assert!(bench.failed("72").await.contains("not one of the provider's hosts"));
    assert_eq!(other.asked(), []);
    // One to where the provider keeps files is followed, without the token.
    bench.graph.serve("73", Served { redirect: Some("/files/73/elsewhere".into()), ..picture() });
    bench.sends("73").await;
    bench.here("73").await;
    let asked = bench.graph.asked();
    assert_eq!(asked.last(), Some(&("73/elsewhere".to_owned(), false)), "{asked:?}");
    // An id that is a path asks for nothing.
    let before = bench.graph.questions();
    bench.sends("../1060").await;
    assert!(bench.failed("../1060").await.contains("id"));
    assert_eq!(bench.graph.questions(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_when_their_time_is_over() {
    let bench = Bench::started().await;
    let sweep = async || bench.downloads().sweep().await.unwrap();
    for id in ["71", "72"] {
        bench.graph.serve(id, picture());
    }
    bench.sends("71").await;
    bench.here("71").await;
    bench.clock.advance(DAY / 2);
    bench.sends("72").await;
    bench.here("72").await;
    assert_eq!(sweep().await, 0);
    // The bytes stay as long as one of the two needs them.
    bench.clock.advance(DAY / 2 + 60_000);
    assert_eq!(sweep().await, 0);
    assert!(matches!(bench.file("71").await.state, MediaState::Expired { .. }));
    assert_eq!(bench.names(), [hash(JPEG)]);
    bench.clock.advance(DAY / 2);
    assert_eq!(sweep().await, 1);
    assert!(matches!(bench.file("72").await.state, MediaState::Expired { .. }));
    assert_eq!(bench.names(), [""; 0]);
    // In the end the entries go too.
    bench.clock.advance(DAY + 60_000);
    sweep().await;
    let channel = bench::main_channel();
    assert_eq!(bench.store.media(&channel, "71").await.unwrap(), None);
    assert_eq!(bench.store.media_of(&"c1".parse().unwrap(), 9).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_entry_names_is_swept() {
    let bench = Bench::started().await;
    bench.graph.serve("71", picture());
    bench.sends("71").await;
    bench.here("71").await;
    // A process that ended between the file and its entry left this.
    let orphan = hash(b"orphan");
    std::fs::write(bench.folder.path().join(&orphan), "orphan").unwrap();
    // Not one of ours: left alone.
    std::fs::write(bench.folder.path().join("README"), "x").unwrap();
    assert_eq!(bench.downloads().sweep().await.unwrap(), 1);
    assert_eq!(bench.names(), {
        let mut expected = [hash(JPEG), "README".to_owned()];
        expected.sort();
        expected
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_has_lived_its_life_is_given_up() {
    let mut bench = Bench::new().await;
    bench.graph.serve("71", picture());
    bench.sends("71").await;
    bench.clock.advance(7 * DAY + 1);
    bench.start();
    assert!(bench.failed("71").await.contains("in the 7 days"));
    assert_eq!(bench.graph.questions(), 0);
    // A message that bears it again gives it a new one.
    bench.sends("71").await;
    bench.here("71").await;
    assert!(bench.file("71").await.accepted_at > bench::NOW + 7 * DAY);
}
