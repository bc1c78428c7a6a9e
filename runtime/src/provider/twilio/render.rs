//! The request that sends a message.

use super::{Twilio, webhook::SEND};
use crate::{
    model::{
        Address, Location, MediaSource, OutboxItem, Outgoing, OutgoingMedia, Parameter, Template,
    },
    provider::{Body, Method, Request},
};
use serde_json::{Map, Value, json};

pub(super) fn request(twilio: &Twilio, item: &OutboxItem) -> Request {
    let (url, body) = match &item.message {
        // Twilio's only way to mark a message as read shows the typing bubble.
        Outgoing::Read { message_id, .. } => (
            format!("{}/v3/Indicators/Typing.json", twilio.hosts.messaging),
            Body::Json(json!({"channel": "WHATSAPP", "messageId": message_id})),
        ),
        _ => (
            format!(
                "{}/2010-04-01/Accounts/{}/Messages.json",
                twilio.hosts.api, twilio.account_sid
            ),
            Body::Form(form(twilio, item)),
        ),
    };
    Request { method: Method::Post, url, auth: twilio.sends_as.clone(), body }
}

type Form = Vec<(String, String)>;

fn form(twilio: &Twilio, item: &OutboxItem) -> Form {
    let mut form = Form::new();
    let mut put = |name: &str, value: String| form.push((name.to_owned(), value));
    put("To", to(&item.to));
    if let Some(number) = &twilio.number {
        put("From", format!("whatsapp:{number}"));
    }
    if let Some(service) = &twilio.messaging_service_sid {
        put("MessagingServiceSid", service.clone());
    }
    put("StatusCallback", status_callback(twilio, item));
    form.extend(content(twilio, &item.message));
    form
}

/// A user id has no `+`.
fn to(address: &Address) -> String {
    let digits = |phone: &String| phone.chars().filter(char::is_ascii_digit).collect::<String>();
    let phone = address.phone.as_ref().map(digits).filter(|digits| !digits.is_empty());
    match (phone, &address.bsuid) {
        (Some(digits), _) => format!("whatsapp:+{digits}"),
        (None, bsuid) => format!("whatsapp:{}", bsuid.as_deref().unwrap_or_default()),
    }
}

/// Bears the item's id, so that a state which comes before the answer, or after
/// a crash, still finds its message.
fn status_callback(twilio: &Twilio, item: &OutboxItem) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(SEND, &item.id.to_string())
        .finish();
    format!("{}/webhooks/{}/status?{query}", twilio.public_url, twilio.channel)
}

fn content(twilio: &Twilio, message: &Outgoing) -> Form {
    let fields = match message {
        Outgoing::Text(text) | Outgoing::Numbered { text, .. } => vec![("Body", text.clone())],
        Outgoing::Template(form) => template(twilio, form),
        Outgoing::Media(form) => media(form),
        Outgoing::Location(place) => location(place),
        // `fit` lets none of these through; Twilio would refuse them as empty.
        Outgoing::Buttons { .. }
        | Outgoing::List { .. }
        | Outgoing::Link(_)
        | Outgoing::Contacts(_)
        | Outgoing::Reaction { .. }
        | Outgoing::Read { .. }
        | Outgoing::Flow(_)
        | Outgoing::Request { .. }
        | Outgoing::Product { .. }
        | Outgoing::Products(_)
        | Outgoing::Catalog { .. }
        | Outgoing::Carousel { .. }
        | Outgoing::Interactive(_) => Vec::new(),
    };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn template(twilio: &Twilio, template: &Template) -> Vec<(&'static str, String)> {
    // Without a sid (it was taken out since) the name goes, and Twilio says no.
    let sid = twilio.content_sid(template).unwrap_or(&template.name);
    let variable = |(number, parameter): (usize, &Parameter)| {
        let name = parameter.name.clone().unwrap_or_else(|| number.to_string());
        (name, Value::from(parameter.text.clone()))
    };
    let variables: Map<String, Value> = (1..).zip(&template.parameters).map(variable).collect();
    let mut fields = vec![("ContentSid", sid.to_owned())];
    if !variables.is_empty() {
        fields.push(("ContentVariables", Value::Object(variables).to_string()));
    }
    fields
}

fn media(media: &OutgoingMedia) -> Vec<(&'static str, String)> {
    let (MediaSource::Link(source) | MediaSource::Id(source) | MediaSource::File(source)) =
        &media.source;
    let mut fields = vec![("MediaUrl", source.clone())];
    fields.extend(media.caption.clone().map(|caption| ("Body", caption)));
    fields
}

fn location(place: &Location) -> Vec<(&'static str, String)> {
    let point = format!("{},{}", place.latitude, place.longitude);
    let label = place.address.as_ref().or(place.name.as_ref());
    let action = match label {
        Some(label) => format!("geo:{point}|{label}"),
        None => format!("geo:{point}"),
    };
    // Twilio asks for a text beside it, which is shown as the place's name.
    let name = place.name.as_ref().or(label).cloned();
    vec![("Body", name.unwrap_or(point)), ("PersistentAction", action)]
}

#[cfg(test)]
mod tests;
