//! Between the contract's values and our own.

use super::bindings::switchboard::plugin::types as wit;
use crate::{model::*, provider::Provider};
use serde_json::json;

/// The event as the contract has it. Failed receipts are put in plain words.
pub fn event(event: &Event, provider: &dyn Provider) -> wit::Event {
    match &event.kind {
        EventKind::Message(it) => wit::Event::Message(message(it)),
        EventKind::Receipt(it) => wit::Event::Receipt(receipt(it, provider)),
        EventKind::TimerFired { step: _, name, payload, due } => wit::Event::Timer(wit::Timer {
            name: name.clone(),
            payload: payload.clone(),
            due: *due,
        }),
        EventKind::Broadcast { step: _, id, payload } => {
            wit::Event::Broadcast(wit::Broadcast { id: id.clone(), payload: payload.clone() })
        }
        EventKind::Operator(operator) => {
            let json = match operator {
                Operator::Resume { by } => json!({"action": "resume", "by": by}),
                Operator::Tag { name, expires, why, by } => json!({
                    "action": "tag", "name": name, "expires": expires, "why": why, "by": by,
                }),
                Operator::Untag { name, why, by } => {
                    json!({"action": "untag", "name": name, "why": why, "by": by})
                }
            };
            other("operator", json.to_string())
        }
        EventKind::Account { field, news } => {
            let mut json = json!({ "field": field });
            if let (Some(map), Some((key, told))) = (json.as_object_mut(), news.json()) {
                map.insert(key.into(), told);
            }
            other("account", json.to_string())
        }
    }
}

fn other(kind: &str, json: String) -> wit::Event {
    wit::Event::Other(wit::Other { kind: kind.into(), json })
}

fn message(message: &Message) -> wit::Message {
    let content = match &message.content {
        Content::Text(text) => wit::Content::Text(text.clone()),
        Content::Choice(Choice { id, title }) => {
            wit::Content::Choice(wit::Choice { id: id.clone(), title: title.clone() })
        }
        Content::Media(it) => wit::Content::Media(wit::Media {
            kind: it.kind.name().into(),
            id: it.id.clone(),
            mime_type: it.mime_type.clone(),
            caption: it.caption.clone(),
            filename: it.filename.clone(),
        }),
        Content::Location(it) => wit::Content::Location(wit::Location {
            latitude: it.latitude,
            longitude: it.longitude,
            name: it.name.clone(),
            address: it.address.clone(),
        }),
        Content::Reaction(it) => wit::Content::Reaction(wit::Reaction {
            message_id: it.message_id.clone(),
            emoji: it.emoji.clone(),
        }),
        other => wit::Content::Other(wit::Other {
            kind: other.kind().into(),
            json: other.json().unwrap_or_default(),
        }),
    };
    wit::Message { id: message.id.clone(), sent_at: message.sent_at, content }
}

fn receipt(receipt: &Receipt, provider: &dyn Provider) -> wit::Receipt {
    wit::Receipt {
        send_id: receipt.send.as_ref().map(ToString::to_string).unwrap_or_default(),
        state: receipt.state.name().into(),
        reason: receipt.error.as_ref().map(|(code, text)| provider.explain(*code, text).1),
    }
}

/// Error: a kind of message or of media that there is none of, or JSON of
/// another form.
pub fn outgoing(message: wit::Outgoing) -> Result<Outgoing, String> {
    Ok(match message {
        wit::Outgoing::Text(text) => Outgoing::Text(text),
        wit::Outgoing::Buttons(wit::Buttons { body, footer, buttons }) => {
            let button = |it: wit::Choice| Button { id: it.id, title: it.title };
            Outgoing::Buttons {
                header: None,
                body,
                footer,
                buttons: buttons.into_iter().map(button).collect(),
            }
        }
        wit::Outgoing::Options(wit::Options { body, footer, label, sections }) => {
            let sections = sections.into_iter().map(section).collect();
            Outgoing::List { header: None, body, footer, label, sections }
        }
        wit::Outgoing::Template(it) => Outgoing::Template(template(it)),
        wit::Outgoing::Media(it) => Outgoing::Media(OutgoingMedia {
            kind: media_kind(&it.kind)?,
            source: match it.source {
                wit::MediaSource::Id(id) => MediaSource::Id(id),
                wit::MediaSource::Link(link) => MediaSource::Link(link),
            },
            caption: it.caption,
            filename: it.filename,
        }),
        wit::Outgoing::Reaction(wit::Reaction { message_id, emoji }) => {
            // An empty one takes a reaction back.
            Outgoing::Reaction { message_id, emoji: emoji.unwrap_or_default() }
        }
        wit::Outgoing::Location(it) => Outgoing::Location(Location {
            latitude: it.latitude,
            longitude: it.longitude,
            name: it.name,
            address: it.address,
        }),
        wit::Outgoing::Other(wit::Other { kind, json }) => {
            super::MessageForm::read(&kind, &json)?.into()
        }
    })
}

fn section(section: wit::Section) -> Section {
    let row = |row: wit::Row| Row { id: row.id, title: row.title, description: row.description };
    Section { title: section.title, rows: section.rows.into_iter().map(row).collect() }
}

fn template(template: wit::Template) -> Template {
    let parameter = |it: wit::Parameter| Parameter { name: it.name, text: it.text };
    let category = match template.category {
        wit::Category::Marketing => Category::Marketing,
        wit::Category::Utility => Category::Utility,
        wit::Category::Authentication => Category::Authentication,
    };
    let parameters = template.parameters.into_iter().map(parameter).collect();
    Template::new(template.name, template.language, category, parameters)
}

fn media_kind(name: &str) -> Result<MediaKind, String> {
    match name {
        "image" => Ok(MediaKind::Image),
        "video" => Ok(MediaKind::Video),
        "audio" => Ok(MediaKind::Audio),
        "document" => Ok(MediaKind::Document),
        "voice" => Ok(MediaKind::Voice),
        "sticker" => Ok(MediaKind::Sticker),
        _ => Err(format!(
            "`{name}` can't be sent: media is an image, video, audio, voice, document or sticker"
        )),
    }
}

pub fn segment(segment: wit::Segment) -> Segment {
    Segment { all: segment.all_of, any: segment.any_of, none: segment.none_of }
}

pub fn scope(scope: wit::Scope) -> KvScope {
    match scope {
        wit::Scope::Contact => KvScope::Contact,
        wit::Scope::Plugin => KvScope::Plugin,
    }
}
