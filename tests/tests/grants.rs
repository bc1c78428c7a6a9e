//! What a plugin may reach, with the guest `fetcher` and real servers on this
//! machine: hosts, addresses, limits, credentials, records.

#[path = "grants/credentials.rs"]
mod credentials;
#[path = "grants/far.rs"]
mod far;
#[path = "grants/folder.rs"]
mod folder;
#[path = "plugin/stage.rs"]
mod stage;

use axum::{Router, http::StatusCode, routing::get};
use far::{Fetcher, greeter, raw, serve};
use std::time::Duration;
use switchboard::{
    model::{Exchange, HttpRequest, HttpResponse},
    plugin::ConfigureError,
    turn::{Network, Step},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_host_answers() {
    let (port, heard) = greeter().await;
    let fetcher = Fetcher::new(&format!("grants = {{ http = ['http://127.0.0.1:{port}'] }}")).await;
    let draft = fetcher.told(&format!("GET http://127.0.0.1:{port}/orders?id=7#x")).await;
    assert_eq!(draft.because[0], "200 5 hello");
    assert!(draft.because.iter().any(|line| line.starts_with("content-type: text/plain")));
    let asked = &heard.all()[0];
    assert!(asked.starts_with("GET /orders?id=7 "), "{asked}");
    assert!(asked.contains("switchboard/"), "{asked}");
    assert!(!asked.contains("idempotency-key"), "{asked}");
    // The same address in other letters is the same address.
    for form in ["2130706433", "0177.0.0.1", "0x7f.1", "127.1"] {
        let said = fetcher.first(&format!("GET http://{form}:{port}/")).await;
        assert_eq!(said, "200 5 hello", "{form}");
    }
    let [exchange] = &draft.inputs.exchanges[..] else { panic!("{:?}", draft.inputs) };
    assert_eq!(exchange.request.url, format!("http://127.0.0.1:{port}/orders?id=7#x"));
    assert_eq!(exchange.response.as_ref().unwrap().body, b"hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_where_a_turn_is_only_looked_at() {
    let (port, heard) = greeter().await;
    let fetcher = Fetcher::new(&format!("grants = {{ http = ['http://127.0.0.1:{port}'] }}")).await;
    let mut draft = fetcher.draft(&format!("GET http://127.0.0.1:{port}/orders"));
    draft.network = Network::Closed("a dry run asks nothing of other machines");
    let (draft, _) = fetcher.step.run(draft).await.into_parts();
    assert!(draft.because[0].contains("a dry run asks nothing"), "{:?}", draft.because);
    assert_eq!(heard.all(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_reached() {
    let (port, heard) = greeter().await;
    let other = greeter().await;
    let granted = format!(
        "grants = {{ http = ['http://127.0.0.1:{port}', 'http://*.b.example:{port}', \
         'api.example.com'] }}"
    );
    let fetcher = Fetcher::new(&granted).await;
    for url in [
        format!("http://127.0.0.1:{}/", other.0),
        format!("https://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://127.0.0.2:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://b.example:{port}/"),
        format!("http://a.b.example.evil.example:{port}/"),
        "http://api.example.com/".into(),
        "https://api.example.com:8443/".into(),
        "https://api.example.com.evil.example/".into(),
    ] {
        let said = fetcher.first(&format!("GET {url}")).await;
        assert!(
            said.contains("the step `fetcher` has not been granted requests to"),
            "{url} {said}"
        );
        assert!(said.contains("http = [\""), "{url} {said}");
    }
    let disguised = fetcher.first(&format!("GET http://127.0.0.1:{port}@evil.example/")).await;
    assert!(disguised.contains("a user or a password"), "{disguised}");
    // What the pattern holds passes it, and is looked up.
    let below = fetcher.first(&format!("GET http://no-such-name.b.example:{port}/")).await;
    assert!(below.starts_with("error: ") && !below.contains("granted"), "{below}");
    assert_eq!((heard.all(), other.1.all()), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_the_words_say_which() {
    let (port, heard) = greeter().await;
    let fetcher = Fetcher::new("").await;
    let said = fetcher.first(&format!("GET http://127.0.0.1:{port}/")).await;
    let line = format!("with `http = [\"http://127.0.0.1:{port}\"]` in the step's `grants`");
    assert!(said.contains(&line), "{said}");
    assert_eq!(heard.all(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_leads_nowhere_private_unless_that_is_granted_too() {
    let (port, heard) = greeter().await;
    let url = format!("GET http://localhost:{port}/");
    // The address by itself is granted, and the name; not the name for it.
    let hosts = format!("http = ['http://localhost:{port}', 'http://127.0.0.1:{port}']");
    let fetcher = Fetcher::new(&format!("grants = {{ {hosts} }}")).await;
    let said = fetcher.first(&url).await;
    assert!(said.contains("localhost leads to"), "{said}");
    assert!(said.contains("an address of this machine: its chain would allow it"), "{said}");
    assert_eq!(heard.all(), [""; 0]);
    let named = Fetcher::new(&format!("grants = {{ {hosts}, private = ['127.0.0.1'] }}")).await;
    assert_eq!(named.first(&url).await, "200 5 hello");
    // Its connection is not for the step that may not make one.
    assert!(fetcher.first(&url).await.contains("localhost leads to"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_only_told() {
    let (inside, heard) = greeter().await;
    let location = format!("http://127.0.0.1:{inside}/admin");
    let there = move || async move { (StatusCode::FOUND, [("location", location)]) };
    let port = serve(Router::new().route("/", get(there))).await;
    let fetcher = Fetcher::new(&format!("grants = {{ http = ['http://127.0.0.1:{port}'] }}")).await;
    let draft = fetcher.told(&format!("FOLLOW http://127.0.0.1:{port}/")).await;
    assert!(draft.because[0].starts_with("302 0"), "{:?}", draft.because);
    let last = draft.because.last().unwrap();
    assert!(last.contains(&format!("requests to http://127.0.0.1:{inside}")), "{last}");
    assert_eq!(heard.all(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_is_waited_for_as_long_as_is_granted() {
    let never = async || std::future::pending::<&str>().await;
    // Longer than `time_ms`, and longer than a call may wait for other things.
    let late = async || {
        tokio::time::sleep(Duration::from_millis(5_500)).await;
        "late"
    };
    let port = serve(Router::new().route("/never", get(never)).route("/late", get(late))).await;
    let granted = format!("grants = {{ http = ['http://127.0.0.1:{port}'] }}");
    let patient =
        Fetcher::new(&format!("{granted}\nlimits = {{ time_ms = 50, http_ms = 60000 }}")).await;
    let hasty = Fetcher::new(&format!("{granted}\nlimits = {{ http_ms = 300 }}")).await;
    let late = format!("GET http://127.0.0.1:{port}/late");
    let never = format!("3 http://127.0.0.1:{port}/never");
    let (waited, gave_up) = tokio::join!(patient.first(&late), hasty.told(&never));
    assert_eq!(waited, "200 4 late");
    // The time is one for all requests of the turn.
    assert_eq!(gave_up.because.len(), 3, "{:?}", gave_up.because);
    for words in &gave_up.because {
        assert!(words.starts_with("error: no answer came within 300 ms"), "{words}");
    }
    assert_eq!(gave_up.inputs.exchanges.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_served_while_one_waits() {
    let never = async || std::future::pending::<&str>().await;
    let quick = async || "quick";
    let port = serve(Router::new().route("/never", get(never)).route("/", get(quick))).await;
    let granted = format!(
        "grants = {{ http = ['http://127.0.0.1:{port}'] }}\nlimits = {{ http_ms = 60000 }}"
    );
    let fetcher = Fetcher::new(&granted).await;
    let waiting = fetcher.draft(&format!("GET http://127.0.0.1:{port}/never"));
    let quick = format!("GET http://127.0.0.1:{port}/");
    tokio::select! {
        biased;
        _ = fetcher.step.run(waiting) => panic!("it was answered"),
        said = fetcher.first(&quick) => {
            assert_eq!(said, "200 5 quick");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_whole() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let endless = raw(chunked, Some("4\r\nmore\r\n")).await;
    let announced = raw("HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n".into(), None).await;
    let header = |name: usize, bytes| format!("x-{name}: {}\r\n", "h".repeat(bytes));
    let long: String = (0..90).map(|name| header(name, 500)).collect();
    let long = raw(format!("HTTP/1.1 200 OK\r\n{long}content-length: 0\r\n\r\n"), None).await;
    let many: String = (0..150).map(|name| header(name, 1)).collect();
    let many = raw(format!("HTTP/1.1 200 OK\r\n{many}content-length: 0\r\n\r\n"), None).await;
    let unending = raw("HTTP/1.1 200 OK\r\n".into(), Some("x-more: and more\r\n")).await;
    let hosts = [endless, announced, long, many, unending];
    let hosts = hosts.map(|port| format!("'http://127.0.0.1:{port}'")).join(", ");
    let limits = "limits = { http_kb = 64, http_ms = 60000, memory_mb = 16 }";
    let fetcher = Fetcher::new(&format!("grants = {{ http = [{hosts}] }}\n{limits}")).await;
    for (port, words) in [
        (endless, "has more than 65536 bytes of body"),
        (announced, "has more than 65536 bytes of body"),
        (long, "has more than 32768 bytes of headers"),
        (many, "gave no proper answer"),
        (unending, "gave no proper answer"),
    ] {
        let said = fetcher.first(&format!("GET http://127.0.0.1:{port}/")).await;
        assert!(said.starts_with("error: ") && said.contains(words), "{said}");
    }
    let large = serde_json::json!({ "body_bytes": 300 * 1024 });
    let fetcher = Fetcher::with_rules(&format!("grants = {{ http = [{hosts}] }}"), large).await;
    let said = fetcher.first(&format!("POST http://127.0.0.1:{many}/")).await;
    assert!(said.contains("body has 307200 bytes, and 262144 are allowed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_also_those_that_are_refused() {
    let (port, heard) = greeter().await;
    let granted = format!("grants = {{ http = ['http://127.0.0.1:{port}'] }}");
    let fetcher = Fetcher::new(&format!("{granted}\nlimits = {{ http_calls = 3 }}")).await;
    let draft = fetcher.told(&format!("5 http://127.0.0.1:{port}/")).await;
    let refused = "error: a turn may send 3 HTTP requests (`http_calls`)";
    let answers = |words: &str| draft.because.iter().filter(|line| *line == words).count();
    assert_eq!((answers("200 5 hello"), answers(refused)), (3, 2), "{:?}", draft.because);
    assert_eq!(heard.all().len(), 3);
    let draft = fetcher.told("5 https://elsewhere.example/").await;
    assert_eq!(draft.because.iter().filter(|line| *line == refused).count(), 2);
    // The next turn has its own.
    assert_eq!(fetcher.first(&format!("GET http://127.0.0.1:{port}/")).await, "200 5 hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_something_is_named_alike_when_the_turn_runs_again() {
    let (port, heard) = greeter().await;
    let rules = serde_json::json!({ "headers": [["Connection", "upgrade"], ["Host", "evil"], ["X-Own", "1"]] });
    let granted = format!("grants = {{ http = ['http://127.0.0.1:{port}'] }}");
    let fetcher = Fetcher::with_rules(&granted, rules).await;
    for _ in 0..2 {
        fetcher.told(&format!("POST http://127.0.0.1:{port}/orders")).await;
    }
    let heard = heard.all();
    assert_eq!(heard[0], heard[1]);
    assert!(heard[0].contains("\"idempotency-key\": \"c1-4-fetcher-0-"), "{}", heard[0]);
    assert!(heard[0].contains("\"x-own\": \"1\""), "{}", heard[0]);
    assert!(!heard[0].contains("evil") && !heard[0].contains("upgrade"), "{}", heard[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_network_reaches_nothing() {
    let (port, heard) = greeter().await;
    let granted = format!("grants = {{ http = ['http://127.0.0.1:{port}'] }}");
    let fetcher = Fetcher::new(&granted).await;
    let exchange = |url: &str, response| Exchange {
        request: HttpRequest {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
        },
        response,
    };
    let answer = HttpResponse { status: 418, headers: Vec::new(), body: b"tea".to_vec() };
    let recorded = vec![
        exchange("https://a.example/1", Ok(answer)),
        exchange("https://a.example/2", Err("it was down".into())),
    ];
    let url = format!("http://127.0.0.1:{port}/");
    for (words, expected) in [
        ("GET https://a.example/1".to_owned(), "418 3 tea".to_owned()),
        ("GET https://a.example/2".to_owned(), "error: it was down".to_owned()),
        (
            "POST https://a.example/1".to_owned(),
            "error: no recorded answer for POST https://a.example/1".to_owned(),
        ),
        (format!("GET {url}"), format!("error: no recorded answer for GET {url}")),
    ] {
        let mut draft = fetcher.draft(&words);
        draft.network = Network::Recorded(recorded.clone());
        let (draft, _) = fetcher.step.run(draft).await.into_parts();
        assert_eq!(draft.because[0], expected);
        assert_eq!(draft.inputs.exchanges.len(), 1);
    }
    assert_eq!(heard.all(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_while_the_rules_are_taken() {
    let (port, heard) = greeter().await;
    let plugin = stage::load_file(&stage::plugins(), far::FETCHER).await.unwrap();
    let mut config = stage::step("fetcher");
    config.grants.http.push(format!("http://127.0.0.1:{port}"));
    let rules = serde_json::json!({ "at_once": format!("http://127.0.0.1:{port}/") });
    let Err(ConfigureError::Rules(problems)) = plugin.configure(&config, &rules).await else {
        panic!("it was taken")
    };
    assert_eq!(problems[0].path, "/at_once");
    assert!(problems[0].message.contains("before an event is handled"), "{problems:?}");
    assert_eq!(heard.all(), [""; 0]);
}
