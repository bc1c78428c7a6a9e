//! The body of a send request.

use crate::model::{
    Address, MediaKind, MediaSource, OutboxItem, Outgoing, OutgoingMedia, Parameter, Row, Section,
    Template,
};
use serde::Serialize;
use serde_json::{Value, json};

pub(super) fn body(item: &OutboxItem) -> Value {
    let (kind, content) = match &item.message {
        Outgoing::Read { message_id, typing } => return read(message_id, *typing),
        Outgoing::Text(text) => ("text", json!({"body": text, "preview_url": false})),
        Outgoing::Buttons { body, footer, buttons, .. } => {
            let reply = |button| json!({"type": "reply", "reply": button});
            let buttons: Vec<Value> = buttons.iter().map(reply).collect();
            let action = json!({"buttons": buttons});
            ("interactive", interactive("button", body, footer.as_deref(), action))
        }
        Outgoing::List { body, footer, label, sections, .. } => {
            let sections: Vec<Value> = sections.iter().map(section).collect();
            let action = json!({"button": label, "sections": sections});
            ("interactive", interactive("list", body, footer.as_deref(), action))
        }
        Outgoing::Template(form) => ("template", template(form)),
        Outgoing::Media(media) => self::media(media),
        Outgoing::Reaction { message_id, emoji } => {
            ("reaction", json!({"message_id": message_id, "emoji": emoji}))
        }
        Outgoing::Numbered { text, .. } => ("text", json!({"body": text, "preview_url": false})),
        Outgoing::Location(_)
        | Outgoing::Contacts(_)
        | Outgoing::Link(_)
        | Outgoing::Flow(_)
        | Outgoing::Request { .. }
        | Outgoing::Product { .. }
        | Outgoing::Products(_)
        | Outgoing::Catalog { .. }
        | Outgoing::Carousel { .. }
        | Outgoing::Interactive(_) => ("interactive", Value::Null),
    };
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": item.id.to_string(),
        "type": kind,
        kind: content,
    });
    if let Some((name, value)) = address(&item.to) {
        insert(&mut body, name, Some(value));
    }
    body
}

/// A user id put into `to` is silently lost, so it has a field of its own.
fn address(to: &Address) -> Option<(&'static str, String)> {
    let phone = to.phone.as_ref().map(|phone| {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        ("to", digits)
    });
    let bsuid = to.bsuid.as_ref().map(|bsuid| ("recipient", bsuid.clone()));
    phone.filter(|(_, digits)| !digits.is_empty()).or(bsuid)
}

fn read(message_id: &str, typing: bool) -> Value {
    let mut body =
        json!({"messaging_product": "whatsapp", "status": "read", "message_id": message_id});
    if typing {
        insert(&mut body, "typing_indicator", Some(json!({"type": "text"})));
    }
    body
}

fn interactive(kind: &str, body: &str, footer: Option<&str>, action: Value) -> Value {
    let mut form = json!({"type": kind, "body": {"text": body}, "action": action});
    insert(&mut form, "footer", footer.map(|text| json!({"text": text})));
    form
}

fn section(section: &Section) -> Value {
    let row = |row: &Row| {
        let mut form = json!({"id": row.id, "title": row.title});
        let description = row.description.as_ref().filter(|text| !text.trim().is_empty());
        insert(&mut form, "description", description);
        form
    };
    let rows: Vec<Value> = section.rows.iter().map(row).collect();
    let mut form = json!({"rows": rows});
    insert(&mut form, "title", section.title.as_ref().filter(|title| !title.trim().is_empty()));
    form
}

fn template(template: &Template) -> Value {
    let parameter = |parameter: &Parameter| {
        let mut form = json!({"type": "text", "text": parameter.text});
        insert(&mut form, "parameter_name", parameter.name.as_ref());
        form
    };
    let parameters: Vec<Value> = template.parameters.iter().map(parameter).collect();
    let mut form = json!({"name": template.name, "language": {"code": template.language}});
    let components = json!([{"type": "body", "parameters": parameters}]);
    insert(&mut form, "components", (!parameters.is_empty()).then_some(components));
    form
}

fn media(media: &OutgoingMedia) -> (&'static str, Value) {
    let (kind, voice) = match media.kind {
        MediaKind::Image => ("image", None),
        MediaKind::Video => ("video", None),
        MediaKind::Audio => ("audio", None),
        MediaKind::Voice => ("audio", Some(true)),
        MediaKind::Document => ("document", None),
        MediaKind::Sticker => ("sticker", None),
    };
    let mut form = match &media.source {
        MediaSource::Id(id) => json!({"id": id}),
        MediaSource::Link(link) | MediaSource::File(link) => json!({"link": link}),
    };
    insert(&mut form, "caption", media.caption.as_ref());
    insert(&mut form, "filename", media.filename.as_ref());
    insert(&mut form, "voice", voice);
    (kind, form)
}

/// Adds a field, if it has a value.
fn insert(form: &mut Value, name: &str, value: Option<impl Serialize>) {
    if let (Some(form), Some(value)) = (form.as_object_mut(), value) {
        form.insert(name.to_owned(), json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Category, ChannelId, ContactId, SendState};

    fn item(message: Outgoing) -> OutboxItem {
        OutboxItem {
            id: "c17-4-0".parse().unwrap(),
            channel: ChannelId::new("main"),
            contact: ContactId(17),
            to: Address { phone: Some("+1 555 123".into()), bsuid: Some("US.1".into()) },
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
        }
    }

    #[test]
    fn a_phone_goes_into_to_and_a_user_id_into_recipient() {
        let mut item = item(Outgoing::Text("hi".into()));
        let by_phone = body(&item);
        assert_eq!((&by_phone["to"], by_phone.get("recipient")), (&json!("1555123"), None));
        assert_eq!(by_phone["biz_opaque_callback_data"], "c17-4-0");
        item.to.phone = None;
        let by_user = body(&item);
        assert_eq!((by_user.get("to"), &by_user["recipient"]), (None, &json!("US.1")));
    }

    #[test]
    fn a_read_mark_bears_no_address() {
        let read = |typing| body(&item(Outgoing::Read { message_id: "w".into(), typing }));
        let plain = json!({"messaging_product": "whatsapp", "status": "read", "message_id": "w"});
        assert_eq!(read(false), plain);
        assert_eq!(read(true)["typing_indicator"], json!({"type": "text"}));
    }

    #[test]
    fn template_parameters_are_by_name_or_by_place() {
        let form = |parameters| {
            let template = Template::new("sale", "en", Category::Marketing, parameters);
            body(&item(Outgoing::Template(template)))["template"].clone()
        };
        let bare = json!({"name": "sale", "language": {"code": "en"}});
        assert_eq!(form(vec![]), bare);
        let text = || String::from("Ann");
        let place = form(vec![Parameter { name: None, text: text() }]);
        assert_eq!(place["components"][0]["parameters"], json!([{"type": "text", "text": "Ann"}]));
        let name = form(vec![Parameter { name: Some("who".into()), text: text() }]);
        let expected = json!([{"type": "text", "text": "Ann", "parameter_name": "who"}]);
        assert_eq!(name["components"][0]["parameters"], expected);
    }

    #[test]
    fn a_voice_note_is_audio_with_a_flag() {
        let (kind, source) = (MediaKind::Voice, MediaSource::Id("7".into()));
        let media = OutgoingMedia { kind, source, caption: None, filename: None };
        let body = body(&item(Outgoing::Media(media)));
        assert_eq!(
            (&body["type"], &body["audio"]),
            (&json!("audio"), &json!({"id": "7", "voice": true}))
        );
    }
}
