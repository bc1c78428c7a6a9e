//! Webhooks as Twilio writes and signs them.

use super::{Account, codes, media};
use crate::simulator::{
    Sim,
    deliver::Parcel,
    message::{Message, Status},
    phone::Who,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value, json};
use sha1::Sha1;

type Fields = Vec<(&'static str, String)>;

/// A customer's message, from one in Meta's form.
pub fn message(sim: &Sim, account: &Account, who: &Who, message: &Map<String, Value>) -> Parcel {
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let (id, kind) = (text("id"), text("type"));
    let mut fields: Fields = vec![
        ("SmsMessageSid", id.into()),
        ("SmsSid", id.into()),
        ("MessageSid", id.into()),
        ("AccountSid", account.sid.clone()),
        ("SmsStatus", "received".into()),
        ("NumSegments", "1".into()),
        ("ReferralNumMedia", "0".into()),
        ("ApiVersion", "2010-04-01".into()),
        ("ProfileName", who.name.clone()),
        ("MessageType", kind.into()),
        ("To", our_number(sim)),
        ("From", address(who)),
        ("ExternalUserId", format!("whatsapp:{}", who.user_id)),
        ("ChannelMetadata", json!({"type": "whatsapp", "data": {"context": {}}}).to_string()),
    ];
    if let Some(number) = &who.number {
        fields.push(("WaId", number.clone()));
    }
    if let Some(service) = &account.messaging_service_sid {
        fields.push(("MessagingServiceSid", service.clone()));
    }
    let content = message.get(kind).unwrap_or(&Value::Null);
    match file(sim, account, id, content) {
        Some(file) => fields.extend(file),
        None => fields.push(("NumMedia", "0".into())),
    }
    fields.extend(content_fields(kind, content));
    if let Some(context) = message.get("context") {
        fields.extend(context_fields(sim, context));
    }
    parcel(account, "message", id, &sim.config.webhook_url, fields)
}

/// How far a message of the business's got; none if it gave no address for
/// that.
pub fn receipt(sim: &Sim, account: &Account, message: &Message) -> Option<Parcel> {
    let url = message.opaque.as_deref()?;
    let to = message.to.clone().unwrap_or_default();
    let problem = message.problem.as_ref().map(codes::of_problem);
    let status = match message.status {
        Status::Accepted => "queued",
        Status::Sent => "sent",
        Status::Delivered => "delivered",
        Status::Read => "read",
        // By WhatsApp, or by Twilio itself.
        Status::Failed if problem.is_some_and(|(code, _)| code >= 63_000) => "undelivered",
        Status::Failed => "failed",
    };
    let mut fields: Fields = vec![
        ("MessageSid", message.id.clone()),
        ("SmsSid", message.id.clone()),
        ("MessageStatus", status.into()),
        ("SmsStatus", status.into()),
        ("ChannelToAddress", to.trim_start_matches("whatsapp:").to_owned()),
        ("To", to),
        ("From", our_number(sim)),
        ("ChannelPrefix", "whatsapp".into()),
        ("ChannelInstallSid", "XE00000000000000000000000000000001".into()),
        ("StructuredMessage", "false".into()),
        ("AccountSid", account.sid.clone()),
        ("ApiVersion", "2010-04-01".into()),
    ];
    match message.status {
        Status::Delivered => fields.push(("EventType", "DELIVERED".into())),
        Status::Read => fields.push(("EventType", "READ".into())),
        Status::Accepted | Status::Sent | Status::Failed => {}
    }
    if let Some((code, words)) = problem {
        fields.push(("ErrorCode", code.to_string()));
        fields.push(("ErrorMessage", words.into()));
    }
    Some(parcel(account, "receipt", &message.id, url, fields))
}

fn our_number(sim: &Sim) -> String {
    format!("whatsapp:+{}", sim.config.display_phone_number)
}

fn address(who: &Who) -> String {
    match &who.number {
        Some(number) => format!("whatsapp:+{number}"),
        None => format!("whatsapp:{}", who.user_id),
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    let value = value.get(name)?;
    value.as_str().map(str::to_owned).or_else(|| value.as_f64().map(|number| number.to_string()))
}

fn file(sim: &Sim, account: &Account, message: &str, content: &Value) -> Option<Fields> {
    let (id, kind) = (text(content, "id")?, text(content, "mime_type")?);
    Some(vec![
        ("NumMedia", "1".into()),
        ("MediaContentType0", kind),
        ("MediaUrl0", media::address(sim, &account.sid, message, &id)),
        ("Body", text(content, "caption").unwrap_or_default()),
    ])
}

fn content_fields(kind: &str, content: &Value) -> Fields {
    let given = |names: &[(&'static str, Option<String>)]| -> Fields {
        names.iter().filter_map(|(name, value)| Some((*name, value.clone()?))).collect()
    };
    match kind {
        "text" => given(&[("Body", text(content, "body"))]),
        "button" => given(&[
            ("Body", text(content, "text")),
            ("ButtonText", text(content, "text")),
            ("ButtonPayload", text(content, "payload")),
        ]),
        "interactive" => match (content.get("button_reply"), content.get("list_reply")) {
            (Some(reply), _) => given(&[
                ("Body", text(reply, "title")),
                ("ButtonText", text(reply, "title")),
                ("ButtonPayload", text(reply, "id")),
            ]),
            (None, Some(reply)) => given(&[
                ("Body", text(reply, "title")),
                ("ListTitle", text(reply, "title")),
                ("ListId", text(reply, "id")),
            ]),
            (None, None) => vec![("InteractiveData", content.to_string())],
        },
        "location" => given(&[
            ("Latitude", text(content, "latitude")),
            ("Longitude", text(content, "longitude")),
            ("Label", text(content, "name")),
            ("Address", text(content, "address")),
        ]),
        "reaction" => given(&[
            ("Body", text(content, "emoji")),
            ("OriginalRepliedMessageSid", text(content, "message_id")),
        ]),
        _ => Fields::new(),
    }
}

fn context_fields(sim: &Sim, context: &Value) -> Fields {
    let mut fields = Fields::new();
    if let Some(id) = text(context, "id") {
        fields.push(("OriginalRepliedMessageSid", id));
        fields.push(("OriginalRepliedMessageSender", our_number(sim)));
    }
    for (name, field) in
        [("forwarded", "Forwarded"), ("frequently_forwarded", "FrequentlyForwarded")]
    {
        if context.get(name) == Some(&Value::Bool(true)) {
            fields.push((field, "true".into()));
        }
    }
    fields
}

fn parcel(
    account: &Account,
    kind: &'static str,
    message: &str,
    url: &str,
    fields: Fields,
) -> Parcel {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
    Parcel {
        kind,
        message: message.into(),
        // What stands behind `#` is for Twilio and goes nowhere.
        url: url.split('#').next().unwrap_or(url).to_owned(),
        content_type: "application/x-www-form-urlencoded",
        signature: ("x-twilio-signature", sign(&account.auth_token, url, fields)),
        body: body.into(),
    }
}

/// Over the address and the fields in the order of their names.
fn sign(token: &str, url: &str, mut fields: Fields) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return String::new();
    };
    mac.update(url.split('#').next().unwrap_or(url).as_bytes());
    fields.sort();
    fields.dedup();
    for (name, value) in &fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_computed_by_hand_is_the_same() {
        // printf 'https://bot.example.com/webhooks/mainBodyhiFromwhatsapp:+1555' |
        //   openssl dgst -sha1 -hmac s3cret -binary | base64
        let fields = vec![("From", "whatsapp:+1555".to_owned()), ("Body", "hi".to_owned())];
        let url = "https://bot.example.com/webhooks/main#rc=5&rp=all";
        assert_eq!(sign("s3cret", url, fields), "yyMoLgoLd49dD10e21oBlfzF10g=");
    }
}
