//! What Meta sends, as the typed events it becomes: real payloads, where these
//! are at hand, by their shape alone; fixtures of our own in full.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};
use switchboard::{
    model::{ChannelId, EventKind, Happening},
    provider::{Malformed, Provider, Webhook, WebhookRoute, meta::Meta},
};
use switchboard_tests::{corpus, shop::channel};

fn parse(body: &[u8]) -> Result<Vec<Happening>, Malformed> {
    let here = ChannelId::new("main");
    let headers = HashMap::new();
    let webhook = Webhook {
        route: WebhookRoute::Main,
        headers: &headers,
        path: "/webhooks/main",
        query: "",
        body,
    };
    let meta = Meta::new(&channel("https://graph.example/v26.0"));
    meta.parse(webhook, &here, &|_| Some(here.clone()))
}

/// The JSON files of a folder by name.
fn files(folder: PathBuf) -> Vec<(String, String)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let json = paths.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let mut files: Vec<_> = json
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).unwrap())
        })
        .filter(|(name, _)| name != "signature_vectors")
        .collect();
    files.sort();
    files
}

fn fixtures() -> Vec<(String, String)> {
    let files = files(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/meta"));
    assert!(files.len() >= 11, "the fixtures are part of this repository");
    files
}

/// The events of a payload; its bodies are checked and left out.
fn events(name: &str, body: &str) -> Vec<Value> {
    let happenings = parse(body.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!happenings.is_empty(), "{name} has nothing in it");
    let event = |happening: &Happening| {
        serde_json::from_str::<Value>(&happening.raw).unwrap();
        let mut event = serde_json::to_value(happening).unwrap();
        event.as_object_mut().unwrap().remove("raw");
        without_nulls(event)
    };
    happenings.iter().map(event).collect()
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            // A username of none is one that was given up.
            let said = |key: &str, value: &Value| !value.is_null() || key == "Username";
            let said = map.into_iter().filter(|(key, value)| said(key, value));
            said.map(|(key, value)| (key, without_nulls(value))).collect()
        }
        Value::Array(list) => list.into_iter().map(without_nulls).collect(),
        plain => plain,
    }
}

fn check(name: &str, payloads: &Map<String, Value>) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_yaml_snapshot!(name, payloads);
    });
}

#[test]
fn every_real_payload_has_its_typed_event() {
    let Some(folder) = corpus("whatsapp/payloads/meta") else { return };
    let shape = |(name, body): (String, String)| {
        let events: Vec<Value> = events(&name, &body).into_iter().map(|it| shape("", it)).collect();
        (name, Value::from(events))
    };
    check("inbound_real_payloads", &files(folder).into_iter().map(shape).collect());
}

#[test]
fn every_fixture_has_its_typed_event() {
    let whole = |(name, body): (String, String)| {
        let events = events(&name, &body);
        (name, Value::from(events))
    };
    check("inbound_fixtures", &fixtures().into_iter().map(whole).collect());
}

/// The value with a placeholder of its kind for every text but the words of
/// the wire and of our own enums, which stand under these keys.
fn shape(key: &str, value: Value) -> Value {
    const WORDS: [&str; 11] = [
        "field",
        "kind",
        "state",
        "status",
        "category",
        "quality",
        "event",
        "news",
        "content",
        "currency",
        "mime_type",
    ];
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (key.clone(), shape(&key, value))).collect()
        }
        Value::Array(list) => list.into_iter().map(|value| shape(key, value)).collect(),
        Value::String(text) if !WORDS.contains(&key) => placeholder(&text).into(),
        plain => plain,
    }
}

fn placeholder(text: &str) -> String {
    let length = text.chars().count();
    let kind = match text {
        "" => return "<empty>".into(),
        text if text.starts_with("account:") => return "<account:hash>".into(),
        text if text.starts_with("status:") => {
            let state = text.rsplit(':').next().unwrap();
            return format!("<status:id:{state}>");
        }
        text if text.starts_with("echo:") => {
            let kind = text.rsplit(':').next().unwrap();
            return format!("<echo:id:{kind}>");
        }
        text if text.starts_with("wamid.") || text.starts_with("wacid.") => return "<id>".into(),
        text if text.starts_with("http") => "url",
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => "digits",
        text if text.get(2..3) == Some(".") => "user id",
        text if text.starts_with(['{', '[']) => "json",
        _ => "text",
    };
    format!("<{kind} {length}>")
}

/// Every JSON pointer of a value.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers(value, &format!("{here}/{key}"), found);
            }
        }
        Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                pointers(value, &format!("{here}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("")),
        // What is meant by something elsewhere.
        prop_oneof![Just("system"), Just("edit"), Just("order"), Just("4930000001"), Just("US.1")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What has to be in some event: each thing of each list of each change. What
/// describes the number and the people is in the events already.
fn updates(body: &Value) -> Vec<String> {
    let lists = |value: &Value| -> Vec<Value> {
        let all = value.as_object().into_iter().flatten();
        let around = ["contacts", "metadata", "messaging_product"];
        let lists = all.filter(|(key, _)| !around.contains(&key.as_str()));
        lists.flat_map(|(_, list)| list.as_array().cloned().unwrap_or_default()).collect()
    };
    let entries = body["entry"].as_array().into_iter().flatten();
    let changes = entries.flat_map(|entry| entry["changes"].as_array().into_iter().flatten());
    changes.flat_map(|change| lists(&change["value"])).map(|update| update.to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_odd_value_anywhere_loses_an_update(
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        odd in any_json(),
    ) {
        let fixtures = fixtures();
        let (name, body) = which.get(&fixtures);
        let mut body: Value = serde_json::from_str(body).unwrap();
        let mut places = Vec::new();
        pointers(&body, "", &mut places);
        let place = place.get(&places);
        *body.pointer_mut(place).unwrap() = odd;
        let Ok(happenings) = parse(body.to_string().as_bytes()) else {
            // Put aside whole: only what is no envelope at all.
            prop_assert!(!body["entry"].is_array(), "{name} {place}");
            return Ok(());
        };
        for update in updates(&body) {
            let kept = happenings.iter().any(|happening| happening.raw.contains(&update));
            prop_assert!(kept, "{name} {place}: {update}");
        }
        for happening in &happenings {
            prop_assert!(!happening.dedup.is_empty());
            let told = match &happening.kind {
                EventKind::Message(message) => message.content.json().unwrap_or("{}".into()),
                EventKind::Account { news, .. } => {
                    news.json().map_or("{}".into(), |(_, json)| json.to_string())
                }
                _ => "{}".into(),
            };
            prop_assert!(serde_json::from_str::<Value>(&told).is_ok());
        }
    }
}
