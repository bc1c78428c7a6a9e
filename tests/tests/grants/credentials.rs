//! The host adds the credential; nobody but the other side sees it.

use crate::{
    far::{FETCHER, Fetcher, Heard, greeter, serve},
    stage,
};
use axum::{Router, extract::Request, http::StatusCode, routing::get};
use base64::Engine;
use switchboard_tests::{
    meta::{Graph, post_webhook, text_from},
    server::Server,
    shop::{CHAIN, Shop},
};

const TOKEN: &str = "s3cret/of-the+shop";

fn grants(hosts: &[u16], with_credential: u16, credential: &str) -> String {
    let hosts: Vec<String> =
        hosts.iter().map(|port| format!("'http://127.0.0.1:{port}'")).collect();
    format!(
        "grants = {{ http = [{}], credentials = {{ 'http://127.0.0.1:{with_credential}' = \
         '{credential}' }} }}",
        hosts.join(", ")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_added_in_the_place_of_the_plugins_own() {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("shop:{TOKEN}"));
    for (credential, header) in [
        (format!("bearer {TOKEN}"), format!("\"authorization\": Sensitive Bearer {TOKEN}")),
        (format!("basic shop:{TOKEN}"), format!("\"authorization\": Sensitive Basic {pair}")),
        (format!("header X-Key: {TOKEN}"), format!("\"x-key\": Sensitive {TOKEN}")),
    ] {
        let (port, heard) = greeter().await;
        let rules = serde_json::json!({ "headers": [["Authorization", "own"], ["X-Key", "own"]] });
        let fetcher = Fetcher::with_rules(&grants(&[port], port, &credential), rules).await;
        let draft = fetcher.told(&format!("GET http://127.0.0.1:{port}/")).await;
        assert_eq!(draft.because[0], "200 5 hello");
        let heard = &heard.all()[0];
        let header = header.replace("Sensitive ", "\"") + "\"";
        assert!(heard.contains(&header), "{heard} lacks {header}");
        assert_eq!(heard.matches("\"own\"").count(), 1, "{heard}");
        let seen = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            draft.because, draft.logs, draft.inputs, draft.effects, fetcher.config
        );
        assert!(!seen.contains(TOKEN) && !seen.contains(&pair), "{seen}");
    }
}

/// Says back what it hears, in one of several ways.
async fn echo() -> u16 {
    let heard = |request: &Request| request.headers()["authorization"].to_str().unwrap().to_owned();
    let header = async move |request: Request| ([("x-heard", heard(&request))], "");
    let json = async move |request: Request| heard(&request).replace('/', "\\/");
    let packed = async || ([("content-encoding", "gzip")], "anything");
    let error = async move |request: Request| (StatusCode::UNAUTHORIZED, heard(&request));
    let router = Router::new()
        .route("/body", get(async move |request: Request| heard(&request)))
        .route("/header", get(header))
        .route("/json", get(json))
        .route("/packed", get(packed))
        .route("/error", get(error));
    serve(router).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_repeats_it_is_withheld() {
    let port = echo().await;
    for credential in [format!("bearer {TOKEN}"), format!("basic shop:{TOKEN}")] {
        let fetcher = Fetcher::new(&grants(&[port], port, &credential)).await;
        for (path, words) in [
            ("body", "repeats the credential"),
            ("header", "repeats the credential"),
            ("error", "repeats the credential"),
            ("packed", "the answer is packed"),
        ] {
            let draft = fetcher.told(&format!("GET http://127.0.0.1:{port}/{path}")).await;
            assert_eq!(draft.because.len(), 1, "{path} {:?}", draft.because);
            assert!(draft.because[0].contains(words), "{path} {:?}", draft.because);
            assert_eq!(draft.logs.is_empty(), path == "packed", "{path} {:?}", draft.logs);
            let seen = format!("{:?} {:?} {:?}", draft.because, draft.logs, draft.inputs);
            assert!(!seen.contains(TOKEN), "{seen}");
        }
    }
    let fetcher = Fetcher::new(&grants(&[port], port, &format!("bearer {TOKEN}"))).await;
    let said = fetcher.first(&format!("GET http://127.0.0.1:{port}/json")).await;
    assert!(said.contains("repeats the credential"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_to_its_host_alone_also_after_a_redirect() {
    let (other, heard) = greeter().await;
    let first = Heard::default();
    let noted = first.clone();
    let there = async move |request: Request| {
        noted.note(&request);
        (StatusCode::TEMPORARY_REDIRECT, [("location", format!("http://127.0.0.1:{other}/"))])
    };
    let port = serve(Router::new().route("/", get(there))).await;
    let fetcher =
        Fetcher::new(&grants(&[port, other], port, &format!("header X-Key: {TOKEN}"))).await;
    let draft = fetcher.told(&format!("FOLLOW http://127.0.0.1:{port}/")).await;
    assert!(draft.because[0].starts_with("307 "), "{:?}", draft.because);
    assert!(draft.because.contains(&"200 5 hello".to_owned()), "{:?}", draft.because);
    assert!(first.all()[0].contains(TOKEN));
    assert_eq!(heard.all().len(), 1);
    assert!(!heard.all()[0].contains(TOKEN), "{:?}", heard.all());
}

/// A whole process: the token is in the environment and in a file, and in
/// nothing that anybody can read.
#[tokio::test(flavor = "multi_thread")]
async fn it_is_in_no_log_no_trace_and_no_answer_of_the_api() {
    let graph = Graph::start().await;
    let (port, heard) = greeter().await;
    let echo = echo().await;
    let shop = Shop::new(&graph.url);
    std::fs::create_dir_all(shop.path("plugins")).unwrap();
    std::fs::write(shop.path("plugins/fetcher.wasm"), FETCHER).unwrap();
    shop.write("token", &format!("{TOKEN}\n"));
    let step = format!(
        "[[step]]\nname = \"fetcher\"\nplugin = \"plugins/fetcher.wasm\"\n\
         [step.grants]\nhttp = [\"http://127.0.0.1:{port}\", \"http://127.0.0.1:{echo}\"]\n\
         [step.grants.credentials]\n\"http://127.0.0.1:{port}\" = \"bearer ${{FAR_TOKEN}}\"\n\
         \"http://127.0.0.1:{echo}\" = \"bearer ${{file:token}}\"\n"
    );
    shop.write("chains/default.toml", &format!("{step}\n{CHAIN}"));
    let env = [("FAR_TOKEN", TOKEN), ("SWITCHBOARD_LOG", "trace")];
    let server = Server::try_start(&shop, &env).unwrap_or_else(|log| panic!("{log}"));
    for (id, words) in [
        ("wamid.1", format!("GET http://127.0.0.1:{port}/secret-path?phone=15550000009")),
        ("wamid.2", format!("GET http://127.0.0.1:{echo}/body")),
        ("wamid.3", "GET https://elsewhere.example/".into()),
    ] {
        post_webhook(&server.public, "main", &text_from("15550000001", id, &words)).await.unwrap();
    }
    let (mut contact, mut tries) = (server.lookup("15550000001").await, 0);
    let done = |contact: &serde_json::Value| {
        let turns = contact["turns"].as_array().map_or(&[][..], Vec::as_slice);
        turns.iter().filter(|turn| turn["event"] == "message").count() == 3
    };
    while !done(&contact) {
        tries += 1;
        assert!(tries < 3_000, "{contact}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        contact = server.lookup("15550000001").await;
    }
    assert!(heard.all()[0].contains(TOKEN), "{:?}", heard.all());
    let mut seen = contact.to_string();
    assert!(seen.contains("200 5 hello"), "{seen}");
    assert!(seen.contains("repeats the credential"), "{seen}");
    assert!(seen.contains("has not been granted requests to elsewhere.example"), "{seen}");
    for path in ["/api/v1/status", "/api/v1/contacts", "/readyz"] {
        seen += &server.admin_get(path).await.to_string();
    }
    let metrics = switchboard_tests::client().get(format!("{}/metrics", server.admin));
    seen += &metrics.send().await.unwrap().text().await.unwrap();
    let (_, log) = server.terminate();
    assert!(!seen.contains(TOKEN), "{seen}");
    // Of a request the log has host, status and time; not where it went.
    for own in ["a plugin's request", "http.host", "an answer repeated the step's credential"] {
        assert!(log.contains(own), "{own}: {log}");
    }
    let ours = log.lines().filter(|line| line.contains("a plugin's request"));
    for line in ours {
        assert!(!line.contains("secret-path") && !line.contains("15550000009"), "{line}");
    }
    assert!(!log.contains(TOKEN), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_one_is_told_without_it() {
    let plugin = stage::load_file(&stage::plugins(), FETCHER).await.unwrap();
    let config = format!("name = 'a'\nplugin = 'a'\n{}", grants(&[1], 1, TOKEN));
    let config = toml::from_str(&config).unwrap();
    let told = plugin.configure(&config, &serde_json::json!({})).await.unwrap_err().to_string();
    assert!(told.contains("must be `bearer TOKEN`") && !told.contains(TOKEN), "{told}");
}
