//! Meta's signatures against real ones, where these are at hand.

use serde_json::Value;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};
use switchboard::{
    config::ChannelConfig,
    provider::{Denied, Provider, Webhook, WebhookRoute, meta::Meta},
};
use switchboard_tests::{meta::sign, shop::channel};

fn meta(secret: &str) -> Meta {
    Meta::new(&ChannelConfig {
        app_secret: vec!["retired".into(), secret.into()],
        ..channel("https://graph.example/v26.0/")
    })
}

fn webhook<'a>(headers: &'a HashMap<String, String>, body: &'a [u8]) -> Webhook<'a> {
    Webhook { route: WebhookRoute::Main, headers, path: "/webhooks/main", query: "", body }
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The JSON files of a folder by name; none, said aloud, if it is not there.
fn files(path: &str) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(folder(path)) else {
        eprintln!("SKIPPED: there is no folder {path}");
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn verify(secret: &str, body: &[u8], signature: &str) -> Result<(), Denied> {
    let headers = HashMap::from([("x-hub-signature-256".to_owned(), signature.to_owned())]);
    meta(secret).verify(webhook(&headers, body))
}

#[test]
fn real_signatures_hold_for_their_own_body_alone() {
    let files = files("../../shared/whatsapp/payloads/meta");
    let Some((_, vectors)) = files.into_iter().find(|(name, _)| name == "signature_vectors") else {
        eprintln!("SKIPPED: there are no signature vectors");
        return;
    };
    let vectors: Vec<Value> = serde_json::from_str(&vectors).unwrap();
    let text = |vector: &Value, name: &str| vector[name].as_str().unwrap().to_owned();
    for one in &vectors {
        for other in &vectors {
            let body = text(other, "body");
            let verified = verify(&text(one, "app_secret"), body.as_bytes(), &text(one, "header"));
            assert_eq!(verified.is_ok(), one == other, "{} / {}", one["name"], other["name"]);
        }
    }
}

#[test]
fn a_webhook_without_signature_is_told_apart() {
    let headers = HashMap::from([("x-hub-signature".to_owned(), "sha1=00".to_owned())]);
    let denied = meta("s").verify(webhook(&headers, b"{}"));
    assert_eq!(denied, Err(Denied::NoSignature));
    let signature = sign("retired", b"{}");
    assert_eq!(verify("s", b"{}", &signature), Ok(()));
}
