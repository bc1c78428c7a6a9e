//! The form of each message.

use super::*;
use crate::{
    model::{
        Category, MediaKind,
        Outgoing::{Location, Media, Read, Template, Text},
    },
    provider::{
        Provider,
        twilio::tests::{config, item},
    },
};
use std::collections::BTreeMap;

fn fields(request: Request) -> BTreeMap<String, String> {
    let Body::Form(fields) = request.body else { panic!("{request:?}") };
    let count = fields.len();
    let map: BTreeMap<_, _> = fields.into_iter().collect();
    assert_eq!(map.len(), count, "a field is there twice");
    map
}

fn sent(message: Outgoing) -> BTreeMap<String, String> {
    fields(Twilio::new(&config()).render(&item(message)))
}

#[test]
fn a_text_goes_to_the_account_with_where_its_states_go() {
    let request = Twilio::new(&config()).render(&item(Text("a+b".into())));
    assert_eq!(request.method, Method::Post);
    let url = "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json";
    assert_eq!(request.url, url);
    let expected = [
        ("Body", "a+b"),
        ("From", "whatsapp:+15550001111"),
        ("StatusCallback", "https://bot.example.com/webhooks/main/status?send=c17-4-0"),
        ("To", "whatsapp:+1555123"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(fields(request), BTreeMap::from(expected));
}

#[test]
fn a_user_id_goes_without_a_plus_and_a_service_without_a_number() {
    let mut config = config();
    config.number = None;
    config.messaging_service_sid = Some("MG1".into());
    let mut item = item(Text("a".into()));
    item.to.phone = None;
    item.id = "@main-3-0".parse().unwrap();
    let fields = fields(Twilio::new(&config).render(&item));
    assert_eq!(fields["To"], "whatsapp:US.1");
    assert_eq!((fields["MessagingServiceSid"].as_str(), fields.get("From")), ("MG1", None));
    assert!(fields["StatusCallback"].ends_with("/status?send=%40main-3-0"));
}

#[test]
fn a_template_goes_by_its_sid_with_variables_by_place_or_name() {
    let parameter =
        |name: Option<&str>| Parameter { name: name.map(str::to_owned), text: "\"A\"".into() };
    let form = |language: &str, parameters| {
        sent(Template(crate::model::Template::new(
            "sale",
            language,
            Category::Marketing,
            parameters,
        )))
    };
    let bare = form("en", vec![]);
    assert_eq!((bare["ContentSid"].as_str(), bare.get("ContentVariables")), ("HX1", None));
    let placed = form("de", vec![parameter(None), parameter(None)]);
    assert_eq!(placed["ContentSid"], "HX2");
    assert_eq!(placed["ContentVariables"], r#"{"1":"\"A\"","2":"\"A\""}"#);
    let named = form("en", vec![parameter(Some("who"))]);
    assert_eq!(named["ContentVariables"], r#"{"who":"\"A\""}"#);
    assert_eq!(named.get("Body"), None);
}

#[test]
fn files_go_by_link_and_places_by_action() {
    let (kind, source) = (MediaKind::Image, MediaSource::Link("https://x/a.png".into()));
    let picture =
        sent(Media(OutgoingMedia { kind, source, caption: Some("c".into()), filename: None }));
    assert_eq!((picture["MediaUrl"].as_str(), picture["Body"].as_str()), ("https://x/a.png", "c"));
    let place = |name: Option<&str>, address: Option<&str>| {
        let (name, address) = (name.map(str::to_owned), address.map(str::to_owned));
        let place = sent(Location(crate::model::Location {
            latitude: 51.5,
            longitude: -0.25,
            name,
            address,
        }));
        (place["Body"].clone(), place["PersistentAction"].clone())
    };
    let all = ("Shop".to_owned(), "geo:51.5,-0.25|High St 1".to_owned());
    assert_eq!(place(Some("Shop"), Some("High St 1")), all);
    assert_eq!(place(None, None), ("51.5,-0.25".into(), "geo:51.5,-0.25".into()));
}

#[test]
fn a_read_mark_goes_to_the_typing_interface() {
    let request =
        Twilio::new(&config()).render(&item(Read { message_id: "SM1".into(), typing: true }));
    assert_eq!(request.url, "https://messaging.twilio.com/v3/Indicators/Typing.json");
    assert_eq!(request.body, Body::Json(json!({"channel": "WHATSAPP", "messageId": "SM1"})));
}
