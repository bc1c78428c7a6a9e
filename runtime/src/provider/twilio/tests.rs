//! Channels of Twilio's as the parts see them.

use super::*;
use crate::config::ProviderKind;
use crate::model::{Category, ContactId};

pub(super) fn config() -> ChannelConfig {
    ChannelConfig {
        public_url: Some("https://bot.example.com".into()),
        account_sid: Some("AC00000000000000000000000000000001".into()),
        auth_token: vec!["".into(), "first".into(), "second".into()],
        number: Some("+15550001111".into()),
        templates: BTreeMap::from([
            ("sale".into(), ContentConfig::Sid("HX1".into())),
            ("sale/de".into(), ContentConfig::Sid("HX2".into())),
        ]),
        ..ChannelConfig::new("main", ProviderKind::Twilio)
    }
}

pub(super) fn item(message: Outgoing) -> OutboxItem {
    OutboxItem {
        attempts: 1,
        ..OutboxItem::new(
            "c17-4-0".parse().unwrap(),
            (
                ChannelId::new("main"),
                ContactId(17),
                crate::model::Address {
                    phone: Some("+1 555 123".into()),
                    bsuid: Some("US.1".into()),
                },
            ),
            message,
            "faq",
            0,
        )
    }
}

#[test]
fn each_interface_is_on_its_host() {
    for (api, messaging, content) in [
        ("https://api.twilio.com", "https://messaging.twilio.com", "https://content.twilio.com"),
        (
            "https://api.dublin.ie1.twilio.com",
            "https://messaging.dublin.ie1.twilio.com",
            "https://content.dublin.ie1.twilio.com",
        ),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("https://api.example.com", "https://api.example.com", "https://api.example.com"),
    ] {
        let hosts = Hosts::beside(api);
        assert_eq!((&*hosts.messaging, &*hosts.content), (messaging, content));
    }
    assert_eq!(Twilio::new(&config()).hosts.api, "https://api.twilio.com");
}

#[test]
fn a_key_sends_in_the_place_of_the_first_token() {
    let basic =
        |user: &str, password: &str| Auth::Basic { user: user.into(), password: password.into() };
    let twilio = Twilio::new(&config());
    assert_eq!(twilio.sends_as, basic("AC00000000000000000000000000000001", "first"));
    let keyed =
        ChannelConfig { api_key: Some("SK1".into()), api_secret: Some("s".into()), ..config() };
    let twilio = Twilio::new(&keyed);
    assert_eq!(twilio.sends_as, basic("SK1", "s"));
    // A blank token opens nothing.
    assert_eq!(twilio.auth_tokens, ["first", "second"]);
    let shown = format!("{twilio:?}");
    assert!(!shown.contains("first") && shown.contains("AC0"), "{shown}");
}

#[test]
fn a_template_is_found_by_name_and_language() {
    let twilio = Twilio::new(&config());
    let sid = |name: &str, language: &str| {
        let template = Template::new(name, language, Category::Marketing, vec![]);
        twilio.content_sid(&template).map(str::to_owned)
    };
    assert_eq!(sid("sale", "de").as_deref(), Some("HX2"));
    assert_eq!(sid("sale", "en").as_deref(), Some("HX1"));
    assert_eq!(sid("other", "en"), None);
}

#[test]
fn twilio_tests_no_address_and_reads_an_empty_answer() {
    let twilio = Twilio::new(&config());
    assert!(twilio.challenge("hub.mode=subscribe&hub.challenge=1&hub.verify_token=").is_err());
    assert_eq!(twilio.taken(), Taken { content_type: "text/xml", body: "<Response/>" });
}

#[test]
fn the_credential_goes_to_twilio_alone() {
    let twilio = Twilio::new(&config());
    let ask = |url: Option<&str>| {
        twilio.media_request(&Media {
            kind: crate::model::MediaKind::Image,
            id: "ME1".into(),
            mime_type: "image/jpeg".into(),
            caption: None,
            filename: None,
            url: url.map(str::to_owned),
            sha256: None,
        })
    };
    let own = "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1";
    let Ok(MediaRequest::Get(request)) = ask(Some(own)) else { panic!("{:?}", ask(Some(own))) };
    assert_eq!((request.url.as_str(), &request.auth), (own, &twilio.sends_as));
    assert!(ask(None).is_err());
    let strange = [
        "http://api.twilio.com/x",
        "https://api.twilio.com.evil.example/x",
        "https://eviltwilio.com/x",
        "https://mms.twiliocdn.com/x",
        "https://api.twilio.com:8443/x",
        "https://api.twilio.com@evil.example/x",
    ];
    for url in strange {
        assert!(ask(Some(url)).is_err(), "{url}");
    }
    // A redirect goes a little further, and takes no credential along.
    for url in ["https://mms.twiliocdn.com/x", "https://s3-external-1.amazonaws.com/media.x/y"] {
        assert_eq!(twilio.media_redirect(url).unwrap().auth, Auth::None);
    }
    for url in ["https://other.amazonaws.com/x", "http://mms.twiliocdn.com/x", "file:///etc/x"] {
        assert!(twilio.media_redirect(url).is_err(), "{url}");
    }
}
