//! Meta's webhooks against real payloads, where these are at hand, and against fixtures of our own.

use serde_json::Value;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};
use switchboard::{
    config::ChannelConfig,
    model::*,
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

/// One line: kind, what, and which parts of the sender are known.
fn summary(happening: &Happening) -> String {
    let what = match &happening.kind {
        EventKind::Message(message) => {
            let content = match &message.content {
                Content::Text(_) => "text".into(),
                Content::Choice(_) => "choice".into(),
                Content::Media(media) => media.kind.name().into(),
                Content::Location(_) => "location".into(),
                Content::Reaction(Reaction { emoji: None, .. }) => "reaction gone".into(),
                Content::Reaction(_) => "reaction".into(),
                other => format!("other:{}", other.kind()),
            };
            let flags = [
                (message.replies_to.is_some(), " reply"),
                (message.referral.is_some(), " referral"),
                (message.forwarded, " forwarded"),
            ];
            let flags: String = flags.iter().filter(|flag| flag.0).map(|flag| flag.1).collect();
            format!("{content}{flags}")
        }
        EventKind::Receipt(receipt) => {
            let code =
                receipt.error.as_ref().map_or(String::new(), |error| format!(" {}", error.0));
            let ours = if receipt.send.is_some() { " ours" } else { "" };
            format!("{}{code}{ours}", receipt.state.name())
        }
        EventKind::Account { field, .. } => field.clone(),
        other => panic!("a provider does not make {other:?}"),
    };
    let sender = happening.sender.as_ref().map_or("none".into(), |sender| {
        let parts = [
            (&sender.phone, "phone"),
            (&sender.bsuid, "bsuid"),
            (&sender.parent_bsuid, "parent"),
            (&sender.name, "name"),
            (&sender.username, "username"),
        ];
        let known = parts.iter().filter(|part| part.0.is_some()).map(|part| part.1);
        known.collect::<Vec<_>>().join("+")
    });
    format!("{} {what} <- {sender}", happening.kind.name())
}

fn summaries(files: Vec<(String, String)>) -> serde_json::Map<String, Value> {
    let parse = |(name, body): (String, String)| {
        let here = ChannelId::new("main");
        let happenings = meta("s")
            .parse(webhook(&HashMap::new(), body.as_bytes()), &here, &|_| Some(here.clone()))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!happenings.is_empty(), "{name} has nothing in it");
        for happening in &happenings {
            serde_json::from_str::<Value>(&happening.raw).unwrap();
            assert!(!happening.dedup.is_empty() && body.len() >= happening.raw.len(), "{name}");
        }
        (name, happenings.iter().map(summary).collect::<Vec<_>>().into())
    };
    files.into_iter().map(parse).collect()
}

fn check(name: &str, summaries: serde_json::Map<String, Value>) {
    if summaries.is_empty() {
        return;
    }
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_yaml_snapshot!(name, summaries);
    });
}

#[test]
fn every_real_payload_is_read() {
    let mut files = files("../../shared/whatsapp/payloads/meta");
    files.retain(|(name, _)| name != "signature_vectors");
    check("provider_real_payloads", summaries(files));
}

#[test]
fn every_fixture_is_read() {
    let files = files("fixtures/meta");
    assert!(files.len() >= 5, "the fixtures are part of this repository");
    check("provider_fixtures", summaries(files));
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
