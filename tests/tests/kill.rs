//! The process is killed at many moments under load: every message that got
//! its 200 is answered, exactly once.

use axum::http::StatusCode;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use switchboard_tests::{
    eventually,
    meta::{Graph, post_webhook, text_from},
    server::Server,
    shop::Shop,
};

const KILLS: u64 = 12;
const CUSTOMERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn every_accepted_message_is_answered_once() {
    let graph = Graph::start().await;
    let shop = Shop::new(&graph.url);
    let mut server = Server::start(&shop);
    graph.give_receipts(&server.public);
    let address = Arc::new(Mutex::new(server.public.clone()));
    let stop = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> = (0..CUSTOMERS)
        .map(|n| tokio::spawn(customer(n, Arc::clone(&address), Arc::clone(&stop))))
        .collect();

    // The moments differ from kill to kill, and are the same in each run.
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..KILLS {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        tokio::time::sleep(Duration::from_millis(120 + (chance >> 33) % 500)).await;
        server.kill();
        server = Server::start(&shop);
        (*address.lock().unwrap()).clone_from(&server.public);
        graph.give_receipts(&server.public);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::SeqCst);
    let mut accepted = BTreeSet::new();
    for customer in customers {
        accepted.extend(customer.await.unwrap());
    }
    assert!(accepted.len() > 100, "there was too little load: {}", accepted.len());

    eventually("every accepted message to be answered", || {
        let answered: BTreeSet<String> = graph.sent().into_iter().map(|sent| sent.to).collect();
        accepted.is_subset(&answered)
    })
    .await;
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0), "{log}");
    let twice: Vec<_> = graph.tally().into_iter().filter(|(_, count)| *count > 1).collect();
    assert!(twice.is_empty(), "answered more than once: {twice:?}");
    eprintln!("{} messages accepted over {KILLS} kills, each answered once", accepted.len());
}

/// Writes from one number after another, repeating what was not taken, as Meta
/// does. Returns the numbers whose message was taken.
async fn customer(
    n: usize,
    address: Arc<Mutex<String>>,
    stop: Arc<AtomicBool>,
) -> BTreeSet<String> {
    let mut accepted = BTreeSet::new();
    for message in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let phone = format!("1777{n:02}{message:06}");
        let body = text_from(&phone, &format!("wamid.{n}.{message}"), "parking");
        loop {
            let server = address.lock().unwrap().clone();
            if post_webhook(&server, "main", &body).await == Ok(StatusCode::OK) {
                accepted.insert(phone);
                break;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    accepted
}
