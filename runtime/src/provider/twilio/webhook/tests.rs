//! Forms as Twilio sends them, and what they become.

use super::*;
use crate::model::*;
use std::collections::HashMap;

const OUR_NUMBER: &str = "+15550001111";
const HEAD: &str = "AccountSid=AC1&From=whatsapp%3A%2B15551234567&To=whatsapp%3A%2B15550001111\
                    &MessageSid=SM1&ProfileName=Ann&WaId=15551234567&SmsStatus=received";

fn parse_at(query: &str, body: &str) -> Result<Vec<Happening>, Malformed> {
    let headers = HashMap::new();
    let (route, path) = (Default::default(), "/webhooks/main");
    let webhook = Webhook { route, headers: &headers, path, query, body: body.as_bytes() };
    let (here, other) = (ChannelId::new("main"), ChannelId::new("other"));
    let channel_of = |number: &str| match number {
        OUR_NUMBER => Some(here.clone()),
        "+15550002222" => Some(other.clone()),
        _ => None,
    };
    parse(webhook, &here, &channel_of)
}

fn parse_one(body: &str) -> Happening {
    let mut all = parse_at("", body).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

fn message(more: &str) -> Message {
    match parse_one(&format!("{HEAD}&{more}")).kind {
        EventKind::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_text_has_its_sender_and_its_fields() {
    let happening = parse_one(&format!("{HEAD}&Body=Hello+%C3%BC&NumMedia=0&Brand=new"));
    assert_eq!((happening.channel.as_str(), happening.dedup.as_str()), ("main", "SM1"));
    let sender = happening.sender.unwrap();
    assert_eq!(
        (sender.phone.as_deref(), sender.name.as_deref()),
        (Some("15551234567"), Some("Ann"))
    );
    let EventKind::Message(message) = happening.kind else { panic!() };
    assert_eq!(message, Message::new("SM1", 0, Content::Text("Hello ü".into())));
    let raw: serde_json::Value = serde_json::from_str(&happening.raw).unwrap();
    assert_eq!((&raw["Brand"], &raw["AccountSid"]), (&"new".into(), &"AC1".into()));
}

#[test]
fn what_stands_around_a_message_is_kept() {
    let message = message(
        "Body=x&Forwarded=true&OriginalRepliedMessageSid=SM0&ReferralHeadline=Sale\
         &ReferralSourceType=ad&ReferralSourceId=7&ReferralSourceUrl=https%3A%2F%2Ffb.me%2F1\
         &ReferralMediaContentType=image%2Fjpeg&ReferralMediaUrl=https%3A%2F%2Fx%2Fa&ReferralCtwaClid=Af",
    );
    assert!(message.forwarded);
    assert_eq!(message.replies_to.as_deref(), Some("SM0"));
    let referral: serde_json::Value = serde_json::from_str(&message.referral.unwrap()).unwrap();
    let expected = serde_json::json!({
        "headline": "Sale", "source_type": "ad", "source_id": "7", "source_url": "https://fb.me/1",
        "media_type": "image", "image_url": "https://x/a", "ctwa_clid": "Af",
    });
    assert_eq!(referral, expected);
    assert!(self::message("Body=x&FrequentlyForwarded=true").forwarded);
    let plain = self::message("Body=x&Forwarded=false&ReferralNumMedia=0");
    assert!(!plain.forwarded && plain.referral.is_none());
}

#[test]
fn each_file_is_a_message_and_the_first_bears_the_text() {
    let all = parse_at("", &format!(
        "{HEAD}&Body=two&NumMedia=2&MediaContentType0=image%2Fjpeg&MediaUrl0=https%3A%2F%2Fapi%2FMedia%2FME1\
         &MediaContentType1=audio%2Fogg&MediaUrl1=https%3A%2F%2Fapi%2FMedia%2FME2"
    )).unwrap();
    let media: Vec<Media> = all
        .iter()
        .map(|one| match &one.kind {
            EventKind::Message(Message { content: Content::Media(media), id, .. })
                if id == "SM1" =>
            {
                media.clone()
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(all.iter().map(|one| one.dedup.as_str()).collect::<Vec<_>>(), ["SM1", "SM1:1"]);
    assert_eq!((media[0].kind, media[0].caption.as_deref()), (MediaKind::Image, Some("two")));
    assert_eq!(
        (media[0].id.as_str(), media[0].url.as_deref()),
        ("ME1", Some("https://api/Media/ME1"))
    );
    assert_eq!((media[1].kind, &media[1].caption), (MediaKind::Audio, &None));
}

#[test]
fn the_kind_of_a_file_is_by_its_type() {
    for (message_type, mime, kind) in [
        ("", "image/webp", MediaKind::Sticker),
        ("sticker", "image/webp", MediaKind::Sticker),
        ("image", "image/png", MediaKind::Image),
        ("", "video/mp4", MediaKind::Video),
        ("document", "video/mp4", MediaKind::Document),
        ("", "application/pdf", MediaKind::Document),
        ("contacts", "text/vcard", MediaKind::Document),
        ("", "", MediaKind::Document),
    ] {
        let more = format!(
            "MessageType={message_type}&NumMedia=1&MediaContentType0={mime}&MediaUrl0=https://x/1"
        );
        let Content::Media(media) = message(&more).content else { panic!() };
        assert_eq!(media.kind, kind, "{message_type} {mime}");
    }
}

#[test]
fn each_other_kind_of_content_is_read() {
    let choice =
        |id: &str, title: &str| Content::Choice(Choice { id: id.into(), title: title.into() });
    let flow = |body: Option<&str>, response: &str| {
        let (name, body) = (None, body.map(str::to_owned));
        Content::Flow(FlowAnswer { name, body, response: response.into() })
    };
    for (more, expected) in [
        ("Body=Yes&ButtonText=Yes&ButtonPayload=book", choice("book", "Yes")),
        ("ButtonText=Yes", choice("Yes", "Yes")),
        ("ListId=a&ListTitle=Apple&Body=Apple", choice("a", "Apple")),
        ("ListItemId=a&ListItemTitle=Apple", choice("a", "Apple")),
        ("ListReplyId=a&Body=Apple", choice("a", "Apple")),
        (r#"InteractiveData={"list_reply":{"id":"a","title":"Apple"}}"#, choice("a", "Apple")),
        (r#"InteractiveData={"buttonReply":{"id":"a"}}"#, choice("a", "a")),
        (
            r#"Body=done&FlowData={"day":"x"}&InteractiveData={"b":1}"#,
            flow(Some("done"), r#"{"day":"x"}"#),
        ),
        (r#"InteractiveData={"pages":[]}"#, flow(None, r#"{"pages":[]}"#)),
        (
            "Latitude=51.5&Longitude=-0.1&Label=Shop&Address=High+St",
            Content::Location(Location {
                latitude: 51.5,
                longitude: -0.1,
                name: Some("Shop".into()),
                address: Some("High St".into()),
            }),
        ),
        ("Latitude=NaN&Longitude=1&Body=here", Content::Text("here".into())),
        (
            "MessageType=reaction&Body=%F0%9F%91%8D&OriginalRepliedMessageSid=SM0",
            Content::Reaction(Reaction { message_id: "SM0".into(), emoji: Some("👍".into()) }),
        ),
        (
            "MessageType=reaction&OriginalRepliedMessageSid=SM0",
            Content::Reaction(Reaction { message_id: "SM0".into(), emoji: None }),
        ),
        (
            "MessageType=unsupported",
            Content::Unsupported { kind: None, reason: "WhatsApp can't show it to a bot".into() },
        ),
    ] {
        assert_eq!(message(more).content, expected, "{more}");
    }
    let Content::Other { kind, json } = message("MessageType=order&OrderId=7").content else {
        panic!()
    };
    assert!(kind == "order" && json.contains("\"OrderId\":\"7\""), "{json}");
    assert_eq!(message("Body=").content.kind(), "unknown");
}

#[test]
fn a_person_without_a_number_is_one() {
    let happening =
        parse_one("MessageSid=SM1&From=whatsapp%3AUS.77&To=whatsapp%3A%2B15550001111&Body=x");
    let sender = happening.sender.unwrap();
    assert_eq!((sender.phone, sender.bsuid.as_deref()), (None, Some("US.77")));
}

#[test]
fn a_message_goes_to_the_channel_of_its_number() {
    let other = HEAD.replace("0001111", "0002222");
    assert_eq!(parse_one(&format!("{other}&Body=x")).channel.as_str(), "other");
    let unknown = parse_one(&format!("{}&Body=x", HEAD.replace("0001111", "0003333")));
    assert_eq!(unknown.kind.name(), "account");
    assert_eq!(unknown.channel.as_str(), "main");
}

#[test]
fn what_is_no_whatsapp_message_is_kept_and_answered_by_no_one() {
    for (body, field) in [
        ("MessageSid=SM1&From=%2B15551234567&Body=sms", "message_without_sender"),
        ("From=whatsapp%3A%2B15551234567&Body=x", "webhook"),
        ("Hello=there", "webhook"),
    ] {
        let happening = parse_one(body);
        let EventKind::Account { field: found, .. } = &happening.kind else {
            panic!("{happening:?}")
        };
        assert_eq!(found, field);
        assert_eq!(parse_one(body).dedup, happening.dedup);
    }
    assert!(parse_at("", "").is_err());
}

#[test]
fn states_find_their_message() {
    let state = |name: &str, more: &str| {
        let body = format!(
            "MessageSid=SM9&MessageStatus={name}&SmsStatus={name}&To=whatsapp%3A%2B15551234567\
             &From=whatsapp%3A%2B15550001111&ChannelPrefix=whatsapp{more}"
        );
        parse_at("send=c17-4-0", &body).unwrap()
    };
    for (name, expected) in [
        ("sent", ReceiptState::Sent),
        ("delivered", ReceiptState::Delivered),
        ("read", ReceiptState::Read),
        ("undelivered", ReceiptState::Failed),
        ("failed", ReceiptState::Failed),
    ] {
        let [happening] = &state(name, "")[..] else { panic!("{name}") };
        let EventKind::Receipt(receipt) = &happening.kind else { panic!("{name}") };
        assert_eq!((receipt.state, receipt.message_id.as_str()), (expected, "SM9"));
        assert_eq!(receipt.send, Some("c17-4-0".parse().unwrap()));
        assert_eq!(receipt.error, None);
        assert_eq!(happening.dedup, format!("status:SM9:{name}"));
        assert_eq!(happening.sender.as_ref().unwrap().phone.as_deref(), Some("15551234567"));
        assert_eq!(happening.sender.as_ref().unwrap().name, None);
    }
    for name in ["accepted", "scheduled", "queued", "sending", "canceled", "partially_delivered"] {
        assert_eq!(state(name, ""), [], "{name}");
    }
    let [failed] = &state("undelivered", "&ErrorCode=63016&ErrorMessage=late")[..] else {
        panic!()
    };
    let EventKind::Receipt(receipt) = &failed.kind else { panic!() };
    assert_eq!(receipt.error, Some((63_016, "late".into())));
    let [seen] = &state("delivered", "&EventType=READ")[..] else { panic!() };
    assert!(matches!(&seen.kind, EventKind::Receipt(one) if one.state == ReceiptState::Read));
    assert!(
        matches!(&state("melted", "")[0].kind, EventKind::Account { field, .. } if field == "status.melted")
    );
}

#[test]
fn a_webhook_may_come_by_get_or_as_json() {
    let all = parse_at(&format!("{HEAD}&Body=x"), "").unwrap();
    assert!(
        matches!(&all[0].kind, EventKind::Message(one) if one.content == Content::Text("x".into()))
    );
    let headers = HashMap::from([("content-type".to_owned(), "application/json".to_owned())]);
    let body = br#"{"MessageSid":"SM1","From":"whatsapp:+1555","Body":"x","NumMedia":0}"#;
    let (route, path, query) = (Default::default(), "/", "");
    let webhook = Webhook { route, headers: &headers, path, query, body };
    let here = ChannelId::new("main");
    let all = parse(webhook, &here, &|_| None).unwrap();
    assert!(
        matches!(&all[0].kind, EventKind::Message(one) if one.content == Content::Text("x".into()))
    );
    let broken = Webhook { body: b"[1]", ..webhook };
    assert!(parse(broken, &here, &|_| None).is_err());
}
