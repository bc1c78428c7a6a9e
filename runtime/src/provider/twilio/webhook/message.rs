//! One inbound message.

use super::{
    super::{fields::Fields, sender},
    Form,
};
use crate::model::{
    Choice, Content, EventKind, FlowAnswer, Happening, Location, Media, MediaKind, Message,
    Reaction,
};
use serde_json::{Map, Value};

/// Files that one message can bear.
const MEDIA_MAX: usize = 10;

/// One message for each file, the text with the first; mostly there is one or
/// none.
pub(super) fn read(form: &Form) -> Vec<Happening> {
    let fields = &form.fields;
    let sender = sender::sender(fields, "From");
    let Some(id) = fields.any(&["MessageSid", "SmsMessageSid", "SmsSid"]) else {
        return vec![form.account("webhook".into(), sender)];
    };
    if sender.is_none() {
        return vec![form.account("message_without_sender".into(), None)];
    }
    let contents = match media(fields) {
        media if media.is_empty() => vec![content(fields)],
        media => media,
    };
    let message = |(index, content): (usize, Content)| {
        let kind = EventKind::Message(Message {
            replies_to: fields.get("OriginalRepliedMessageSid").map(str::to_owned),
            referral: referral(fields),
            forwarded: fields.is_true("Forwarded") || fields.is_true("FrequentlyForwarded"),
            ..Message::new(id, 0, content)
        });
        let dedup = if index == 0 { id.to_owned() } else { format!("{id}:{index}") };
        form.happening(dedup, sender.clone(), kind)
    };
    contents.into_iter().enumerate().map(message).collect()
}

fn media(fields: &Fields) -> Vec<Content> {
    let mut caption = fields.get("Body").map(str::to_owned);
    let one = |index: usize| {
        let url = fields.get(&format!("MediaUrl{index}"))?;
        let mime_type = fields.get(&format!("MediaContentType{index}")).unwrap_or_default();
        let id = url.trim_end_matches('/').rsplit('/').next().unwrap_or(url);
        Some(Content::Media(Media {
            kind: media_kind(fields.get("MessageType"), mime_type),
            id: id.to_owned(),
            mime_type: mime_type.to_owned(),
            caption: caption.take(),
            filename: None,
            url: Some(url.to_owned()),
            sha256: None,
        }))
    };
    (0..MEDIA_MAX).filter_map(one).collect()
}

/// Cards of people come as files too, of the type `text/vcard`.
fn media_kind(message_type: Option<&str>, mime_type: &str) -> MediaKind {
    match (message_type, mime_type.split('/').next()) {
        (Some("sticker"), _) => MediaKind::Sticker,
        (Some("voice"), _) => MediaKind::Voice,
        (Some("document"), _) => MediaKind::Document,
        (_, Some("image")) if mime_type == "image/webp" => MediaKind::Sticker,
        (_, Some("image")) => MediaKind::Image,
        (_, Some("video")) => MediaKind::Video,
        (_, Some("audio")) => MediaKind::Audio,
        _ => MediaKind::Document,
    }
}

fn content(fields: &Fields) -> Content {
    let kind = fields.get("MessageType");
    let body = fields.get("Body");
    let known = match kind {
        Some("reaction") => reaction(fields),
        Some("unsupported") => Some(Content::Unsupported {
            kind: None,
            reason: body.unwrap_or("WhatsApp can't show it to a bot").to_owned(),
        }),
        _ => None,
    };
    let known = known.or_else(|| location(fields)).or_else(|| choice(fields));
    known.or_else(|| flow(fields)).unwrap_or_else(|| match body {
        Some(body) => Content::Text(body.to_owned()),
        None => {
            let kind = kind.filter(|kind| *kind != "text").unwrap_or("unknown").to_owned();
            Content::Other { kind, json: fields.to_json().to_string() }
        }
    })
}

/// Twilio does not say what a reaction looks like; this is how its other fields
/// would say it.
fn reaction(fields: &Fields) -> Option<Content> {
    Some(Content::Reaction(Reaction {
        message_id: fields.get("OriginalRepliedMessageSid")?.to_owned(),
        emoji: fields.get("Body").map(str::to_owned),
    }))
}

fn location(fields: &Fields) -> Option<Content> {
    let degrees = |name: &str| fields.get(name)?.parse().ok().filter(|n: &f64| n.is_finite());
    Some(Content::Location(Location {
        latitude: degrees("Latitude")?,
        longitude: degrees("Longitude")?,
        name: fields.get("Label").map(str::to_owned),
        address: fields.get("Address").map(str::to_owned),
    }))
}

/// A tap on a button or a row. The names of a row's fields differ from source
/// to source, so all of them are read.
fn choice(fields: &Fields) -> Option<Content> {
    const IDS: [&str; 4] = ["ListId", "ListItemId", "ListReplyId", "ButtonPayload"];
    const TITLES: [&str; 4] = ["ListTitle", "ListItemTitle", "ListReplyTitle", "ButtonText"];
    let (id, title) = (fields.any(&IDS), fields.any(&TITLES));
    if let Some(first) = id.or(title) {
        let title = title.or(fields.get("Body")).unwrap_or(first);
        return Some(Content::Choice(Choice { id: first.to_owned(), title: title.to_owned() }));
    }
    let reply: Value = serde_json::from_str(fields.get("InteractiveData")?).ok()?;
    let names = ["list_reply", "listReply", "button_reply", "buttonReply"];
    let reply = names.iter().find_map(|name| reply.get(name))?;
    let text = |name: &str| reply.get(name).and_then(Value::as_str).map(str::to_owned);
    let id = text("id")?;
    Some(Content::Choice(Choice { title: text("title").unwrap_or_else(|| id.clone()), id }))
}

fn flow(fields: &Fields) -> Option<Content> {
    let response = fields.any(&["FlowData", "InteractiveData"])?;
    Some(Content::Flow(FlowAnswer {
        name: None,
        body: fields.get("Body").map(str::to_owned),
        response: response.to_owned(),
    }))
}

/// The advertisement or post, in the names that Meta has for its parts.
fn referral(fields: &Fields) -> Option<String> {
    let medium = fields.get("ReferralMediaContentType").and_then(|kind| kind.split('/').next());
    let url = match medium {
        Some("image") => "image_url",
        Some("video") => "video_url",
        _ => "media_url",
    };
    let parts = [
        ("source_url", fields.get("ReferralSourceUrl")),
        ("source_id", fields.get("ReferralSourceId")),
        ("source_type", fields.get("ReferralSourceType")),
        ("headline", fields.get("ReferralHeadline")),
        ("body", fields.get("ReferralBody")),
        ("media_type", medium),
        ("media_id", fields.get("ReferralMediaId")),
        (url, fields.get("ReferralMediaUrl")),
        ("ctwa_clid", fields.get("ReferralCtwaClid")),
    ];
    let present = parts.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into())));
    let referral: Map<String, Value> = present.collect();
    (!referral.is_empty()).then(|| Value::Object(referral).to_string())
}
