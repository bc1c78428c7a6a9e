//! What is followed, what is a source, who signed: without a network.

use super::{registry::Challenge, web, *};
use base64::{Engine, engine::general_purpose::STANDARD};
use p256::{
    ecdsa::{DerSignature, SigningKey, signature::Signer},
    pkcs8::{EncodePublicKey, LineEnding},
};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn encryption_is_not_given_up() {
    let follows = |from: &str, to: &str| web::may_follow(&url(from), &url(to)).is_ok();
    assert!(follows("https://a.example/x", "https://b.example/y"));
    assert!(follows("http://127.0.0.1:1/x", "http://localhost:2/y"));
    assert!(follows("http://[::1]:1/x", "https://b.example/y"));
    assert!(!follows("https://a.example/x", "http://a.example/x"));
    assert!(!follows("https://a.example/x", "http://127.0.0.1/x"));
    assert!(!follows("http://127.0.0.1/x", "http://a.example/x"));
    assert!(!follows("https://a.example/x", "file:///etc/passwd"));
}

#[test]
fn sources_are_told_apart() {
    let parse = |text: &str| Origin::parse(text, Path::new("/shop"));
    assert!(matches!(parse("oci://ghcr.io/acme/loyalty:1.4"), Ok(Origin::Registry(_))));
    assert!(matches!(parse("https://acme.example/x.wasm"), Ok(Origin::Web(_))));
    assert!(matches!(parse("http://127.0.0.1:9/x.wasm"), Ok(Origin::Web(_))));
    let Ok(Origin::File(path)) = parse("../x.wasm") else { panic!() };
    assert_eq!(path, Path::new("/shop/../x.wasm"));
    for (bad, why) in [
        ("http://acme.example/x.wasm", "for this machine alone"),
        ("ftp://acme.example/x.wasm", "neither with `oci://`"),
        ("https://ann:secret@acme.example/x.wasm", "plugins.lock"),
        ("oci://ghcr.io/Acme Shop", "not a reference"),
        ("oci://ghcr.io/acme@sha512:00", "not a reference"),
    ] {
        let told = parse(bad).unwrap_err().to_string();
        assert!(told.contains(why), "{bad}: {told}");
    }
    // A tag may be moved; a digest may not.
    let exact = format!("sha256:{}", "a".repeat(64));
    let pinned = parse("oci://ghcr.io/acme/loyalty:1.4").unwrap().exactly(&exact);
    assert_eq!(pinned.to_string(), format!("oci://ghcr.io/acme/loyalty@{exact}"));
}

#[test]
fn challenges_are_read() {
    let bearer = |service: Option<&str>| Challenge::Bearer {
        realm: "https://auth.example/token".into(),
        service: service.map(Into::into),
    };
    for (header, meant) in [
        ("Basic realm=\"x\"", Challenge::Basic),
        ("Bearer realm=\"https://auth.example/token\"", bearer(None)),
        (
            "bearer realm=\"https://auth.example/token\",service=\"a, b\",scope=\"x:y:pull\"",
            bearer(Some("a, b")),
        ),
        ("Bearer service=a, realm=https://auth.example/token", bearer(Some("a"))),
        ("Negotiate", Challenge::Unknown),
        ("Bearer service=\"a", Challenge::Unknown),
        ("", Challenge::Unknown),
    ] {
        assert_eq!(Challenge::parse(header), meant, "{header}");
    }
}

fn pair(seed: u8) -> (SigningKey, PublicKey) {
    let key = SigningKey::from_slice(&[seed; 32]).unwrap();
    let pem = key.verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    (key, PublicKey::parse(&pem).unwrap())
}

fn sign(key: &SigningKey, bytes: &[u8]) -> String {
    let signature: DerSignature = key.sign(bytes);
    STANDARD.encode(signature.as_bytes())
}

#[test]
fn a_signature_is_for_these_bytes_and_by_this_key() {
    let ((ours, our_key), (theirs, _)) = (pair(1), pair(2));
    let keys = [our_key];
    let judge = |bytes: &[u8], text: &str| signature::detached("x", bytes, text.as_bytes(), &keys);
    let signed = format!("{}\n", sign(&ours, b"component"));
    assert_eq!(judge(b"component", &signed).unwrap(), keys[0].fingerprint);
    for wrong in [
        judge(b"tampered", &signed),
        judge(b"component", &sign(&theirs, b"component")),
        judge(b"component", "not base64!"),
        judge(b"component", ""),
    ] {
        assert!(matches!(wrong, Err(FetchError::WrongKey { .. })), "{wrong:?}");
    }
}

#[test]
fn a_payload_names_this_manifest() {
    let (ours, our_key) = pair(1);
    let keys = [our_key];
    let judge = |payload: &str| {
        let text = sign(&ours, payload.as_bytes());
        signature::of_manifest("x", "sha256:aa", payload.as_bytes(), &text, &keys)
    };
    let payload = |kind: &str, digest: &str| {
        serde_json::json!({"critical": {"identity": {"docker-reference": ""}, "type": kind,
            "image": {"docker-manifest-digest": digest}}, "optional": null})
        .to_string()
    };
    let kind = "cosign container image signature";
    assert!(judge(&payload(kind, "sha256:aa")).is_ok());
    for wrong in [payload(kind, "sha256:bb"), payload("a blob", "sha256:aa"), "{}".into()] {
        let told = judge(&wrong);
        assert!(matches!(told, Err(FetchError::WrongPayload { .. })), "{wrong}: {told:?}");
    }
}

#[test]
fn keys_of_another_kind_are_refused_in_words() {
    for (pem, why) in [
        ("", "ECDSA P-256 in PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "ECDSA P-256 in PEM"),
    ] {
        assert!(PublicKey::parse(pem).unwrap_err().contains(why));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cosign.key");
    std::fs::write(&file, "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----").unwrap();
    assert!(PublicKey::read(&file).unwrap_err().contains("the public one is needed"));
}
