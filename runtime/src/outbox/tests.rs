//! What the unit tests of the sender share.

use crate::{
    config::{ChannelConfig, ProviderKind},
    model::*,
    provider::meta::Meta,
};

pub(super) fn item(contact: u64, message: Outgoing) -> OutboxItem {
    let turn = TurnId { lane: Lane::Contact(ContactId(contact)), seq: 1 };
    OutboxItem::new(
        SendId { turn, index: 0 },
        (
            ChannelId::new("main"),
            ContactId(contact),
            Address { phone: Some("15551".into()), bsuid: None },
        ),
        message,
        "faq",
        1_000_000,
    )
}

pub(super) fn marketing() -> Outgoing {
    Outgoing::Template(Template::new("sale", "en", Category::Marketing, vec![]))
}

pub(super) fn meta(api_url: &str) -> Meta {
    Meta::new(&ChannelConfig {
        phone_number_id: "1060".into(),
        access_token: "token".into(),
        app_secret: vec!["secret".into()],
        verify_token: "verify".into(),
        api_url: api_url.into(),
        ..ChannelConfig::new("main", ProviderKind::Meta)
    })
}
