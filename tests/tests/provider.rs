//! Meta's wire against real payloads, where these are at hand, and against fixtures of our own.

use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};
use switchboard::{
    config::ChannelConfig,
    model::*,
    provider::{Auth, Body, Denied, Provider, Webhook, WebhookRoute, meta::Meta},
};
use switchboard_tests::{
    meta::sign,
    shop::{TOKEN, channel},
};

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

fn body_of(message: Outgoing) -> Value {
    let request = meta("s").render(&OutboxItem {
        id: "c17-4-0".parse().unwrap(),
        channel: ChannelId::new("main"),
        contact: ContactId(17),
        to: Address { phone: Some("16315555555".into()), bsuid: Some("US.1".into()) },
        message,
        quote: None,
        step: "faq".into(),
        campaign: None,
        created_at: 0,
        state: SendState::Waiting { due: 0 },
        attempts: 1,
        message_id: None,
        receipt: None,
        reason: None,
        error: None,
        hold: Default::default(),
        updated_at: 0,
    });
    assert_eq!(request.url, "https://graph.example/v26.0/1060/messages");
    assert_eq!(request.auth, Auth::Bearer(TOKEN.into()));
    match request.body {
        Body::Json(json) => json,
        other => panic!("{other:?}"),
    }
}

fn media(kind: MediaKind, source: MediaSource, caption: &str, filename: &str) -> Outgoing {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (caption, filename) = (given(caption), given(filename));
    Outgoing::Media(OutgoingMedia { kind, source, caption, filename })
}

#[test]
fn requests_are_as_meta_shows_them() {
    use MediaKind::*;
    let id = |text: &str| MediaSource::Id(text.into());
    let link = |text: &str| MediaSource::Link(text.into());
    let button = |n: u8| Button {
        id: format!("<UNIQUE_BUTTON_ID_{n}>"),
        title: format!("<BUTTON_TITLE_{n}>"),
    };
    let buttons = vec![button(1), button(2)];
    let cases = [
        ("send_text_message", Outgoing::Text("text-message-content".into())),
        (
            "send_reply_button",
            Outgoing::Buttons { header: None, body: "<BUTTON_TEXT>".into(), footer: None, buttons },
        ),
        (
            "send_reply_with_reaction_message",
            Outgoing::Reaction { message_id: "wamid.HBgLM...".into(), emoji: "😀".into() },
        ),
        ("send_audio_message_by_id", media(Audio, id("<AUDIO_OBJECT_ID>"), "", "")),
        ("send_audio_message_by_url", media(Audio, link("<http(s)://audio-url>"), "", "")),
        (
            "send_document_message_by_id",
            media(
                Document,
                id("<DOCUMENT_OBJECT_ID>"),
                "<DOCUMENT_CAPTION_TO_SEND>",
                "<DOCUMENT_FILENAME>",
            ),
        ),
        (
            "send_document_message_by_url",
            media(Document, link("<http(s)://document-url>"), "<DOCUMENT-CAPTION-TEXT>", ""),
        ),
        ("send_image_message_by_id", media(Image, id("<IMAGE_OBJECT_ID>"), "", "")),
        ("send_image_message_by_url", media(Image, link("http(s)://image-url"), "", "")),
        ("send_sticker_message_by_id", media(Sticker, id("<MEDIA_OBJECT_ID>"), "", "")),
        ("send_sticker_message_by_url", media(Sticker, link("<http(s)://sticker-url>"), "", "")),
        (
            "send_video_message_by_id",
            media(Video, id("<VIDEO_OBJECT_ID>"), "<VIDEO_CAPTION_TEXT>", ""),
        ),
        (
            "send_video_message_by_url",
            media(Video, link("<http(s)://video-url>"), "<VIDEO_CAPTION_TEXT>", ""),
        ),
        ("send_list_message", list()),
        ("send_message_template_text", template()),
    ];
    let real: HashMap<_, _> = files("../../shared/whatsapp/send").into_iter().collect();
    for (name, message) in cases {
        let mut ours = body_of(message);
        let own = ours.as_object_mut().unwrap().remove("biz_opaque_callback_data");
        assert_eq!((own, &ours["to"]), (Some(json!("c17-4-0")), &json!("16315555555")));
        let Some(theirs) = real.get(&format!("messages_post__{name}")) else {
            continue;
        };
        let mut theirs = serde_json::from_str::<Value>(theirs).unwrap()["request"].take();
        theirs["to"] = ours["to"].clone();
        // What our messages do not have: a header, and parameters that are not texts.
        theirs["interactive"].as_object_mut().map(|form| form.remove("header"));
        if let Some(all) = theirs.pointer_mut("/template/components/0/parameters") {
            all.as_array_mut().unwrap().retain(|one| one["type"] == "text");
        }
        theirs.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(ours, theirs, "{name}");
    }
    for (name, typing) in [("mark_read", false), ("mark_read_typing", true)] {
        let ours = body_of(Outgoing::Read { message_id: "wamid.1".into(), typing });
        if let Some(theirs) = real.get(name) {
            assert_eq!(ours, serde_json::from_str::<Value>(theirs).unwrap(), "{name}");
        }
    }
}

fn list() -> Outgoing {
    let row = |section: u8, row: u8| Row {
        id: format!("<LIST_SECTION_{section}_ROW_{row}_ID>"),
        title: format!("<SECTION_{section}_ROW_{row}_TITLE>"),
        description: Some(format!("<SECTION_{section}_ROW_{row}_DESC>")),
    };
    let section = |n: u8| Section {
        title: Some(format!("<LIST_SECTION_{n}_TITLE>")),
        rows: vec![row(n, 1), row(n, 2)],
    };
    Outgoing::List {
        header: None,
        body: "<BODY_TEXT>".into(),
        footer: Some("<FOOTER_TEXT>".into()),
        label: "<BUTTON_TEXT>".into(),
        sections: vec![section(1), section(2)],
    }
}

fn template() -> Outgoing {
    Outgoing::Template(Template::new(
        "template-name",
        "language-and-locale-code",
        Category::Utility,
        vec![Parameter { name: None, text: "text-string".into() }],
    ))
}
