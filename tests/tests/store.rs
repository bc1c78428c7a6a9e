//! The store's contract, on every back-end; then what is particular to the one
//! on disk; then both against each other.

use switchboard_tests::store_cases as cases;

macro_rules! contract {
    ($($case:ident)*) => {
        mod memory {
            $(#[tokio::test]
            async fn $case() {
                super::cases::$case(switchboard::store::memory()).await;
            })*
        }
        mod sled {
            $(#[tokio::test]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                super::cases::$case(super::disk::open(folder.path())).await;
                super::disk::assert_no_blobs(folder.path());
            })*
        }
    };
}

contract! {
    one_of_many_copies_is_new
    duplicates_are_known_for_two_weeks_per_channel
    lanes_keep_their_order
    ids_lead_to_one_contact
    a_number_that_has_passed_on_is_another_person_s
    a_number_is_one_in_all_its_forms
    portfolios_do_not_share_contacts
    a_notice_moves_the_contact
    a_notice_joins_who_has_written_already
    a_late_notice_is_not_of_who_took_the_number_since
    a_late_event_takes_no_number_back
    a_late_event_gives_no_former_number_back
    another_phone_in_the_hand_changes_nothing
    an_own_card_teaches_the_number
    receipts_teach_what_is_missing
    the_host_names_the_contact_itself
    a_turn_cannot_change_who_it_is_of
    changes_of_tags_are_kept_and_bounded
    a_merger_moves_all_that_there_is
    a_running_turn_does_not_commit_twice
    an_attempt_outlives_the_merger
    merged_contacts_merge_again
    too_much_is_not_merged_at_once
    a_broadcast_passes_over_who_has_merged
    what_a_rule_holds_goes_to_who_the_contact_became
    files_wait_are_here_and_go
    an_upload_is_known_till_it_ends_or_is_forgotten
    a_merged_contact_has_the_files_of_both
    receipts_find_the_lane_of_their_message
    long_bodies_are_kept_whole
    a_turn_commits_once_and_in_order
    a_contact_changed_meanwhile_is_a_conflict
    a_refused_commit_harms_no_other
    failed_attempts_are_counted
    key_values_have_their_scope
    key_values_of_any_length
    key_values_expire
    key_values_are_counted_by_step
    a_refused_commit_counts_nothing
    timers_are_counted_by_lane_and_step
    the_end_of_a_process_is_known
    long_values_are_never_mixed
    messages_leave_in_order
    others_messages_join_the_queue
    receipts_settle_items
    what_a_rule_holds_keeps_nothing_in
    what_comes_back_keeps_nothing_in
    what_arrived_after_all_is_not_sent_again
    what_comes_back_is_not_swept
    what_comes_back_is_charged_once
    what_comes_back_follows_its_contact
    messages_are_charged_once
    attempts_are_remembered_for_a_while
    the_providers_limit_is_kept
    what_stops_an_account_is_kept_until_it_is_over
    old_things_are_swept
    questions_are_kept_for_the_owner
    the_oldest_questions_make_room
    timers_fire_once
    broadcasts_reach_each_member_once
    every_member_of_a_campaign_is_counted_once
    members_who_are_swept_stay_counted
    a_paused_campaign_begins_nothing
    a_stopped_campaign_leaves_out_who_waits
    taps_and_answers_count_for_the_campaign
    goals_are_reached_within_their_time
    what_has_failed_goes_again_unless_it_arrived
    a_timer_of_a_campaign_that_goes_ends_the_wait
    segments_follow_the_tags
    segments_come_in_pages
}

/// What only the store on disk can show.
mod disk {
    use super::cases::*;
    use std::{
        path::Path,
        process::{Command, Stdio},
        sync::Arc,
        sync::atomic::{AtomicBool, AtomicU64, Ordering},
    };
    use switchboard::{
        model::*,
        store::{
            MemoryEngine, Result, SledOptions, StoreError,
            engine::{Batch, Engine, Order, Pairs, Span},
            open_sled, with_engine,
        },
    };

    const OPTIONS: SledOptions = SledOptions { cache_mb: 8, reserve_mb: 0 };

    pub fn open(folder: &Path) -> Shared {
        open_sled(folder, &OPTIONS).unwrap()
    }

    /// Large values would go into files that are never synced.
    pub fn assert_no_blobs(folder: &Path) {
        let blobs = folder.join("blobs").read_dir().unwrap().count();
        assert_eq!(blobs, 0, "a value was too large for the engine");
    }

    #[tokio::test]
    async fn everything_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let lane = Lane::Contact(ContactId(1));
        {
            let store = open(folder.path());
            accept(&store, message(phone("1"), "one")).await;
            accept(&store, message(phone("1"), "two")).await;
            turn(&store, &lane, |commit| {
                let contact = commit.contact.as_mut().unwrap();
                contact.apply(&Effect::Tag { name: "vip".into(), expires: None }, "faq", NOW);
                commit.timers.push(TimerWrite::Set(timer(&lane, "t", NOW)));
                commit.kv.push(kv("faq", KvScope::Contact, "k", Some(bytes(20_000, 1))));
                commit.trace = Some(trace(&commit.turn, NOW));
                let item = item(commit, ContactId(1), NOW);
                commit.outbox.push(item);
            })
            .await;
            store.count_attempt(&"c1-2".parse().unwrap()).await.unwrap();
        }
        for round in 0..3 {
            let store = open(folder.path());
            let copy = store.accept(vec![message(phone("1"), "two")], NOW).await.unwrap();
            assert_eq!(copy, [Accepted::Duplicate]);
            let next = store.next_in_lane(&lane).await.unwrap().unwrap();
            assert_eq!((next.event.id.seq, next.event.attempts), (2, 1));
            assert_eq!(next.contact.unwrap().version, 1);
            let read = store.kv_get("faq", KvScope::Contact, &lane, "k", NOW).await.unwrap();
            assert!(read == Some(bytes(20_000, 1)));
            assert_eq!(store.due_timers(NOW, 9).await.unwrap().len(), 1);
            assert_eq!(store.due_outbox(NOW, 9).await.unwrap().len(), 1);
            assert_eq!(store.traces(&lane, None, 9).await.unwrap().len(), 1);
            check_invariants(&store).await;
            let new = accept(&store, message(phone("new"), &format!("round {round}"))).await;
            assert_eq!(new.to_string(), format!("c2-{}", round + 1));
        }
    }

    /// Re-run as a child by the test below: says what opening the folder gave.
    #[test]
    fn child_opens() {
        if let Some(folder) = std::env::var_os("SWITCHBOARD_TEST_OPEN") {
            println!("\nopened: {:?}", open_sled(Path::new(&folder), &OPTIONS).map(|_| ()));
        }
    }

    fn open_in_a_child(folder: &Path) -> String {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["disk::child_opens", "--exact", "--nocapture"])
            .env("SWITCHBOARD_TEST_OPEN", folder)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_folder_is_one_process_s() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let said = open_in_a_child(folder.path());
        assert!(said.contains("opened: Err(Locked"), "{said}");
        let Err(error) = open_sled(folder.path(), &OPTIONS) else { panic!("opened twice") };
        let text = error.to_string();
        assert!(matches!(error, StoreError::Locked { .. }), "{text}");
        assert!(text.contains("in use by another process"), "{text}");
        drop(store);
        let said = open_in_a_child(folder.path());
        assert!(said.contains("opened: Ok"), "{said}");
    }

    #[tokio::test]
    async fn a_full_disk_takes_nothing_new_and_finishes_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let lane = {
            let store = open(folder.path());
            assert!(store.health().is_ok());
            accept(&store, message(phone("1"), "one")).await.lane
        };
        let options = SledOptions { reserve_mb: u64::MAX, ..OPTIONS };
        let store = open_sled(folder.path(), &options).unwrap();
        let full = store.accept(vec![message(phone("1"), "two")], NOW).await.unwrap_err();
        assert!(matches!(full, StoreError::Full { .. }), "{full}");
        assert!(matches!(store.health(), Err(StoreError::Full { .. })));
        turn(&store, &lane, |commit| {
            let item = item(commit, ContactId(1), NOW);
            commit.outbox.push(item);
        })
        .await;
        let due = store.due_outbox(NOW, 9).await.unwrap();
        let attempt = Attempt::new(due[0].id.clone(), NOW, NOW);
        assert_eq!(store.begin_attempts(vec![attempt]).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_damaged_database_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("db");
        let store = open(folder.path());
        for n in 0..50 {
            accept(&store, message(phone("1"), &format!("{n}"))).await;
        }
        drop(store);
        let sound = std::fs::read(&file).unwrap();
        let garbage: Vec<u8> = (0..sound.len()).map(|n| (n * 31 % 253) as u8).collect();
        for damaged in [Vec::new(), vec![0; sound.len()], garbage] {
            std::fs::write(&file, damaged).unwrap();
            let Err(error) = open_sled(folder.path(), &OPTIONS) else { panic!("it opened") };
            let text = error.to_string();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{text}");
            assert!(text.contains(folder.path().to_str().unwrap()), "{text}");
        }
        let not_a_folder = folder.path().join("format");
        let Err(error) = open_sled(&not_a_folder, &OPTIONS) else { panic!("it opened") };
        assert!(matches!(error, StoreError::Failed(_)), "{error}");
    }

    /// A database from before key-values were counted.
    #[tokio::test]
    async fn what_was_never_counted_is_counted_once() {
        const COUNTED: [u8; 2] = [2, 6];
        const USE: u8 = 27;
        for by_reading in [true, false] {
            let engine = Arc::new(MemoryEngine::default());
            let lane: Lane = "c1".parse().unwrap();
            {
                let store = with_engine(engine.clone());
                accept(&store, message(phone("1"), "one")).await;
                let write = kv("faq", KvScope::Contact, "k", Some(bytes(9_000, 1)));
                turn(&store, &lane, |commit| commit.kv.push(write)).await;
                accept(&store, message(phone("1"), "two")).await;
            }
            let counts = Span::prefix(vec![USE]);
            let counts: Vec<_> =
                engine.range(&counts, Order::Forward).map(Result::unwrap).collect();
            assert_eq!(counts.len(), 1);
            let gone = counts.into_iter().map(|(key, _)| (key, None));
            engine.apply(gone.chain([(COUNTED.to_vec(), None)]).collect()).unwrap();
            let store = with_engine(engine.clone());
            if by_reading {
                assert_eq!(store.kv_usage("faq").await.unwrap().bytes, 9_001);
            }
            let write = kv("faq", KvScope::Plugin, "kk", Some(bytes(10, 1)));
            turn(&store, &lane, |commit| commit.kv.push(write)).await;
            let usage = store.kv_usage("faq").await.unwrap();
            assert_eq!((usage.bytes, usage.keys), (9_013, 2));
        }
    }

    /// An engine that takes its time, except with the writer.
    #[derive(Default)]
    struct Slow(MemoryEngine);

    impl Engine for Slow {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
            if std::thread::current().name() != Some("store") {
                std::thread::sleep(std::time::Duration::from_micros(300));
            }
            self.0.get(key)
        }
        fn range<'a>(&'a self, span: &Span, order: Order) -> Pairs<'a> {
            self.0.range(span, order)
        }
        fn apply(&self, batch: Batch) -> Result<()> {
            self.0.apply(batch)
        }
        fn sync(&self) -> Result<()> {
            Ok(())
        }
        fn room(&self) -> Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn long_values_are_never_mixed_in_a_slow_read() {
        long_values_are_never_mixed(with_engine(Arc::new(Slow::default()))).await;
    }

    /// An engine whose medium can be made to fail.
    #[derive(Default)]
    struct Failing {
        inner: MemoryEngine,
        failing: AtomicBool,
    }

    impl Engine for Failing {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
            self.inner.get(key)
        }
        fn range<'a>(&'a self, span: &Span, order: Order) -> Pairs<'a> {
            self.inner.range(span, order)
        }
        fn apply(&self, batch: Batch) -> Result<()> {
            self.inner.apply(batch)
        }
        fn sync(&self) -> Result<()> {
            match self.failing.load(Ordering::SeqCst) {
                true => Err(StoreError::Failed("input/output error".into())),
                false => Ok(()),
            }
        }
        fn room(&self) -> Result<()> {
            Ok(())
        }
    }

    /// Keeps what it is given whole, and loses all after the first so many.
    struct Losing {
        inner: MemoryEngine,
        left: AtomicU64,
    }

    impl Engine for Losing {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
            self.inner.get(key)
        }
        fn range<'a>(&'a self, span: &Span, order: Order) -> Pairs<'a> {
            self.inner.range(span, order)
        }
        fn apply(&self, batch: Batch) -> Result<()> {
            let lost = |left: u64| left.checked_sub(1);
            match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, lost) {
                Ok(_) => self.inner.apply(batch),
                Err(_) => Err(StoreError::Failed("the process ended".into())),
            }
        }
        fn sync(&self) -> Result<()> {
            Ok(())
        }
        fn room(&self) -> Result<()> {
            Ok(())
        }
    }

    /// Wherever the writing breaks off, two contacts are two or one, and never
    /// something between.
    #[tokio::test]
    async fn a_merger_is_one_write() {
        let mut seen = Vec::new();
        for writes in 4..7 {
            let engine =
                Arc::new(Losing { inner: MemoryEngine::default(), left: AtomicU64::new(writes) });
            let store = with_engine(engine.clone());
            let steps = async {
                for (sender, text) in
                    [(phone("1"), "a"), (bsuid("US.1"), "b"), (bsuid("US.1"), "c")]
                {
                    store.accept(vec![message(sender, text)], NOW).await?;
                }
                let lane = Lane::Contact(ContactId(2));
                let commit = draft(&store, &lane, |commit| {
                    commit.kv.push(kv("faq", KvScope::Contact, "k", Some(bytes(9_000, 1))));
                    commit.timers.push(TimerWrite::Set(timer(&lane, "t", NOW)));
                    let item = item(commit, ContactId(2), NOW);
                    commit.outbox.push(item);
                });
                store.commit(commit.await, NOW).await?;
                for text in ["d", "e", "f"] {
                    store.accept(vec![message(both("1", "US.1"), text)], NOW).await?;
                }
                Ok::<_, StoreError>(())
            };
            let _ = steps.await;
            drop(store);
            engine.left.store(u64::MAX, Ordering::SeqCst);
            let store = with_engine(engine);
            check_invariants(&store).await;
            check_usage(&store, "faq", &["c1".parse().unwrap(), "c2".parse().unwrap()]).await;
            let ids: Vec<u64> =
                store.contacts(None, 9).await.unwrap().iter().map(|contact| contact.id.0).collect();
            let waiting = store.ready_lanes(None, 9).await.unwrap().len();
            let timers = store.due_timers(NOW, 9).await.unwrap();
            let owner = timers[0].key.lane.contact().unwrap().0;
            let item = store.due_outbox(NOW, 9).await.unwrap()[0].contact.0;
            seen.push((ids.len(), waiting, owner, item));
        }
        // After the commit, the fifth write is the merger.
        assert_eq!(seen, [(2, 2, 2, 2), (1, 1, 1, 1), (1, 1, 1, 1)]);
    }

    #[tokio::test]
    async fn a_failed_disk_is_not_forgotten() {
        let engine = Arc::new(Failing::default());
        let store = with_engine(engine.clone());
        accept(&store, message(phone("1"), "one")).await;
        engine.failing.store(true, Ordering::SeqCst);
        let mut waiting = Vec::new();
        for n in 0..20 {
            let store = store.clone();
            let batch = vec![message(phone("1"), &format!("lost {n}"))];
            waiting.push(tokio::spawn(async move { store.accept(batch, NOW).await }));
        }
        for waiting in waiting {
            let error = waiting.await.unwrap().unwrap_err();
            assert!(error.to_string().contains("input/output error"), "{error}");
        }
        // A disk that works again proves nothing about what it has lost.
        engine.failing.store(false, Ordering::SeqCst);
        let commit = TurnCommit::new("c1-1".parse().unwrap());
        assert!(matches!(store.commit(commit, NOW).await, Err(StoreError::Failed(_))));
        let health = store.health().unwrap_err();
        assert!(health.to_string().contains("takes no more writes"), "{health}");
    }
}

/// Both back-ends do the same, whatever is done to them in whatever order.
mod alike {
    use super::{cases::*, disk};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 24,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]
        #[test]
        fn memory_and_disk_agree(actions in actions()) {
            let folder = tempfile::tempdir().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(compare(&actions, || disk::open(folder.path())));
            disk::assert_no_blobs(folder.path());
        }
    }
}
