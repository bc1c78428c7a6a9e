//! Addresses, marks and forms that no sample of Meta's shows.

use super::*;
use crate::model::*;

pub(in super::super) fn item(message: Outgoing) -> OutboxItem {
    OutboxItem {
        attempts: 1,
        ..OutboxItem::new(
            "c17-4-0".parse().unwrap(),
            (
                ChannelId::new("main"),
                ContactId(17),
                Address { phone: Some("+1 555 123".into()), bsuid: Some("US.1".into()) },
            ),
            message,
            "faq",
            0,
        )
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
