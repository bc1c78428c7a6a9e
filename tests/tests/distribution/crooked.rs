//! A server that misbehaves: each path in its own way. What a plugin is had
//! from may be anybody's.

use super::stage::*;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, Response, StatusCode, Uri, header},
};
use futures::stream;
use std::sync::Arc;

struct Crooked {
    address: String,
}

/// The manifest whose one layer is `bytes`, said to have `size` and `digest`.
fn manifest(digest: &str, size: usize) -> String {
    let config = "application/vnd.wasm.config.v0+json";
    serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": config, "digest": super::stage::digest(b"{}"), "size": 2},
        "layers": [{"mediaType": "application/wasm", "digest": digest, "size": size}],
    })
    .to_string()
}

fn endless() -> Body {
    let part = || Ok::<_, std::io::Error>(vec![0_u8; 1024 * 1024]);
    Body::from_stream(stream::repeat_with(part))
}

fn answer(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder().status(status).body(body.into()).unwrap()
}

fn redirect(to: &str) -> Response<Body> {
    Response::builder().status(302).header(header::LOCATION, to).body(Body::empty()).unwrap()
}

fn challenge(how: &str) -> Response<Body> {
    let answer = Response::builder().status(401).header(header::WWW_AUTHENTICATE, how);
    answer.body(Body::from("who are you?")).unwrap()
}

async fn behave(State(address): State<Arc<str>>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let good = || manifest(&digest(&first()), first().len());
    match uri.path() {
        "/good.wasm" => answer(200, first()),
        "/hop.wasm" => redirect("/good.wasm"),
        "/endless.wasm" => answer(200, endless()),
        "/circle.wasm" => redirect("/circle.wasm"),
        "/open.wasm" => redirect("http://acme.example/good.wasm"),
        "/file.wasm" => redirect("file:///etc/passwd"),
        "/busy.wasm" => {
            let busy = Response::builder().status(429).header(header::RETRY_AFTER, "7");
            busy.body(Body::from("slow\u{1b}[2J down")).unwrap()
        }
        "/broken.wasm" => answer(500, endless()),
        "/page.wasm" => answer(404, "<html>not here</html>"),
        // A registry whose manifests do not say what they hold.
        "/v2/changed/manifests/1" => answer(200, manifest(&digest(b"x"), first().len())),
        "/v2/short/manifests/1" => answer(200, manifest(&digest(&first()), 10)),
        "/v2/huge/manifests/1" => answer(200, manifest(&digest(&first()), 70 << 20)),
        "/v2/endless/manifests/1" => answer(200, endless()),
        "/v2/sha1/manifests/1" => answer(200, manifest("sha1:aa", first().len())),
        "/v2/lies/manifests/1" => {
            let lies = Response::builder().header("docker-content-digest", digest(b"x"));
            lies.body(Body::from(good())).unwrap()
        }
        "/v2/index/manifests/1" => answer(200, r#"{"schemaVersion": 2, "manifests": []}"#),
        "/v2/busy/manifests/1" => {
            let error = serde_json::json!({"errors": [{"code": "TOOMANYREQUESTS",
                "message": "pull limit exceeded"}]});
            answer(429, error.to_string())
        }
        "/v2/away/manifests/1" => answer(200, good()),
        "/v2/odd/manifests/1" => challenge("Negotiate"),
        "/v2/steals/manifests/1" => challenge("Bearer realm=\"http://acme.example/token\""),
        // One that hands out tokens, as the big ones do.
        "/v2/token/manifests/1" if bearer == Some("Bearer t0ken") => answer(200, good()),
        "/v2/token/manifests/1" => challenge(&format!(
            "Bearer realm=\"http://{address}/token\",service=\"shop, of acme\",scope=\"x\""
        )),
        "/token" => {
            let query = uri.query().unwrap_or_default();
            let fits = query == "scope=repository%3Atoken%3Apull&service=shop%2C+of+acme";
            let said = if fits { r#"{"access_token": "t0ken"}"# } else { "{}" };
            answer(200, said)
        }
        path if path.starts_with("/v2/away/blobs/") => redirect("http://acme.example/blob"),
        path if path.contains("/blobs/") => answer(200, first()),
        _ => answer(StatusCode::NOT_FOUND.as_u16(), ""),
    }
}

impl Crooked {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new().fallback(behave).with_state(Arc::<str>::from(&*address));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_is_not_trusted() {
    let (crooked, stage) = (Crooked::start().await, Stage::new());
    for (path, code, why) in [
        ("endless", 1, "is larger than 67108864 bytes"),
        ("circle", 3, "more than 5 redirects"),
        ("open", 3, "redirected to http://acme.example/good.wasm, which is not followed"),
        ("file", 3, "answered 302: its redirect leads to where nothing is fetched from"),
        (
            "busy",
            3,
            "answered 429: too many requests; try again in 7 seconds (it says: slow\u{fffd}[2J",
        ),
        ("broken", 3, "answered 500: it has trouble of its own"),
        ("page", 3, "answered 404: there is no such thing\n"),
    ] {
        let source = format!("http://{}/{path}.wasm", crooked.address);
        let (found, said, error) = stage.add(&[&source]);
        assert_eq!((found, said.as_str()), (code, ""), "{path}: {error}");
        assert!(error.contains(why) && error.contains(&source), "{path}: {error}");
        assert!(!stage.file().exists() && !stage.path("plugins.lock").exists());
    }
    // It can do better.
    let source = format!("http://{}/hop.wasm", crooked.address);
    let (code, _, error) = stage.add(&[&source]);
    assert_eq!((code, stage.plugin()), (0, first()), "{error}");
    assert_eq!(stage.lock()["plugin"][0]["source"].as_str(), Some(&*source));
    // A signature is asked for at an address of its own.
    stage.trust(&[&Signer::new(1)]);
    let (code, _, error) = stage.add(&[&source, "--update"]);
    assert_eq!(code, 1);
    assert!(error.contains("there is no http://") && error.contains("/hop.wasm.sig"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_is_not_trusted() {
    let (crooked, stage) = (Crooked::start().await, Stage::new());
    // What would be stolen.
    stage.login(&crooked.address, "ann", "s3cret");
    for (name, code, why) in [
        ("changed", 1, "is not what was asked for: expected sha256:"),
        ("short", 1, "is larger than 10 bytes"),
        ("huge", 1, "is larger than 67108864 bytes"),
        ("endless", 1, "is larger than 4194304 bytes"),
        ("sha1", 1, "a layer's digest is not one of sha256"),
        ("lies", 1, "is not what was asked for: expected sha256:"),
        ("index", 1, "it is an index of several"),
        ("busy", 3, "answered 429: too many requests (it says: pull limit exceeded)"),
        ("away", 3, "redirected to http://acme.example/blob, which is not followed"),
        ("odd", 3, "asks who you are: in a way that is not known here"),
        ("steals", 3, "redirected to http://acme.example/token, which is not followed"),
        ("none", 3, "answered 404: there is no such thing"),
    ] {
        let source = format!("oci://{}/{name}:1", crooked.address);
        let (found, said, error) = stage.add(&[&source]);
        assert_eq!((found, said.as_str()), (code, ""), "{name}: {error}");
        assert!(error.contains(why) && !error.contains("s3cret"), "{name}: {error}");
        assert!(!stage.file().exists() && !stage.path("plugins.lock").exists());
    }
    let (code, _, error) = stage.add(&[&format!("oci://{}/token:1", crooked.address)]);
    assert_eq!((code, stage.plugin()), (0, first()), "{error}");
}
