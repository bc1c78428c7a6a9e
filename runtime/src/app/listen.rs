//! Serves a router on a listener. Owns the bounds of connections: how many are
//! open at once, and how long one may say nothing or take over the head of a
//! request. What a request may be, its router says.

use crate::{config::Http, wake::Shutdown};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

/// A client that has nothing to say for so long, or takes so long to say what
/// it wants, is let go: each connection is a place that others wait for.
const HEAD: Duration = Duration::from_secs(30);
/// The pause after a connection could not be taken: there are no free files.
const TROUBLE: Duration = Duration::from_millis(200);

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub connections: usize,
    pub head: Duration,
}

impl Bounds {
    pub fn of(http: &Http) -> Self {
        Self { connections: http.connections, head: HEAD }
    }
}

/// Serves until `ended`, then lets the requests that are running end.
pub async fn serve(listener: TcpListener, router: Router, bounds: Bounds, mut ended: Shutdown) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let mut open = JoinSet::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            _ = ended.wait_for(|ended| *ended) => break,
        };
        let (Ok(place), accepted) = (
            place,
            tokio::select! {
                accepted = listener.accept() => accepted,
                _ = ended.wait_for(|ended| *ended) => break,
            },
        ) else {
            break;
        };
        match accepted {
            Ok((stream, _)) => {
                open.spawn(converse(stream, router.clone(), bounds.head, place, ended.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(TROUBLE).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// One connection, to its end.
async fn converse(
    stream: TcpStream,
    router: Router,
    head: Duration,
    _place: OwnedSemaphorePermit,
    mut ended: Shutdown,
) {
    // Answers are small: waiting to fill a packet would only delay them.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    // An error is the client's: it broke off, or spoke something else.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = ended.wait_for(|ended| *ended) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::watch,
        time::timeout,
    };

    const SOON: Duration = Duration::from_secs(10);
    const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    async fn start(connections: usize, head_ms: u64) -> (String, watch::Sender<bool>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (end, ended) = watch::channel(false);
        let router = Router::new().route("/", get(|| async { "yes" }));
        let bounds = Bounds { connections, head: Duration::from_millis(head_ms) };
        tokio::spawn(serve(listener, router, bounds, ended));
        (address, end)
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(ASK).await.unwrap();
        let mut answer = vec![0; 1024];
        let length = timeout(SOON, stream.read(&mut answer)).await.unwrap().unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    }

    #[tokio::test]
    async fn who_says_nothing_or_half_is_let_go() {
        let (address, _end) = start(8, 200).await;
        for said in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n"] {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(said).await.unwrap();
            let mut rest = Vec::new();
            // Closed, with or without a word.
            let _ = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("it hangs");
        }
        // The same for one that asked before and then keeps the connection.
        let mut stream = TcpStream::connect(&address).await.unwrap();
        assert!(ask(&mut stream).await.ends_with("yes"));
        let mut rest = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut rest)).await.expect("it hangs");
    }

    #[tokio::test]
    async fn more_connections_than_there_are_places_wait() {
        let (address, _end) = start(2, 60_000).await;
        let mut first = TcpStream::connect(&address).await.unwrap();
        let mut second = TcpStream::connect(&address).await.unwrap();
        assert!(ask(&mut first).await.contains("200 OK"));
        assert!(ask(&mut second).await.contains("200 OK"));
        let mut third = TcpStream::connect(&address).await.unwrap();
        third.write_all(ASK).await.unwrap();
        let mut answer = [0; 8];
        let waits = timeout(Duration::from_millis(300), third.read_exact(&mut answer)).await;
        assert!(waits.is_err(), "it was served though two are open");
        drop(first);
        timeout(SOON, third.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(&answer, b"HTTP/1.1");
    }

    #[tokio::test]
    async fn the_end_closes_idle_connections_and_takes_no_more() {
        let (address, end) = start(8, 60_000).await;
        let mut stream = TcpStream::connect(&address).await.unwrap();
        assert!(ask(&mut stream).await.contains("200 OK"));
        end.send_replace(true);
        let mut rest = Vec::new();
        timeout(SOON, stream.read_to_end(&mut rest)).await.expect("it hangs").unwrap();
        let refused = async {
            while TcpStream::connect(&address).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(SOON, refused).await.expect("it still listens");
    }
}
