//! A body with one thing to tap that is not a choice: a link, a flow, a
//! request; and interactive messages in Meta's own form.

use super::{
    BODY_MAX, Fitted, fit_footer,
    limits::{filled, label, object, web},
    media, tail_of,
};
use crate::model::{Flow, FlowRef, Link, Outgoing, Requested};

/// On a button.
pub(super) const LABEL_MAX: usize = 20;
const TOKEN_MAX: usize = 1000;
/// The one country whose addresses can be asked for.
const ADDRESS_COUNTRY: &str = "IN";
/// Kinds of interactive message that have a case of their own, where they are
/// checked; the others pass as they are.
const TYPED: [&str; 11] = [
    "button",
    "list",
    "cta_url",
    "flow",
    "location_request_message",
    "contact_request",
    "address_message",
    "product",
    "product_list",
    "catalog_message",
    "carousel",
];

pub(super) fn link(form: Link) -> Fitted {
    label("label of the link", &form.label, LABEL_MAX)?;
    web("the address of the link", &form.url)?;
    let (header, footer) = (media::header(form.header)?, fit_footer(form.footer)?);
    let (mut messages, body) = tail_of("the text above the link", &form.body, BODY_MAX)?;
    let Link { label, url, .. } = form;
    messages.push(Outgoing::Link(Link { header, body, footer, label, url }));
    Ok(messages)
}

pub(super) fn flow(form: Flow) -> Fitted {
    match &form.which {
        FlowRef::Id(id) => filled("the id of the flow", id)?,
        FlowRef::Name(name) => filled("the name of the flow", name)?,
    }
    label("label of the flow", &form.label, LABEL_MAX)?;
    if let Some(token) = &form.token {
        label("token of the flow", token, TOKEN_MAX)?;
    }
    if let Some(screen) = &form.screen {
        filled("the screen of the flow", screen)?;
    }
    if let Some(input) = &form.input {
        let input = object("the input of the flow", input)?;
        if form.screen.is_none() {
            return Err("the input of the flow needs a `screen` that gets it".into());
        }
        if input.as_object().is_some_and(serde_json::Map::is_empty) {
            return Err("the input of the flow is empty: leave it out".into());
        }
    }
    let (header, footer) = (media::header(form.header)?, fit_footer(form.footer)?);
    let (mut messages, body) = tail_of("the text above the flow", &form.body, BODY_MAX)?;
    messages.push(Outgoing::Flow(Flow { header, body, footer, ..form }));
    Ok(messages)
}

pub(super) fn request(what: Requested, body: &str) -> Fitted {
    if let Requested::Address { country } = &what
        && country != ADDRESS_COUNTRY
    {
        return Err(format!(
            "an address in `{country}` can't be asked for: WhatsApp offers it in India \
             (`{ADDRESS_COUNTRY}`) alone"
        ));
    }
    let (mut messages, body) = tail_of("the text of the request", body, BODY_MAX)?;
    messages.push(Outgoing::Request { what, body });
    Ok(messages)
}

pub(super) fn interactive(json: String) -> Fitted {
    let value = object("the interactive message", &json)?;
    let kind = value.get("type").and_then(serde_json::Value::as_str).unwrap_or_default();
    filled("the `type` of the interactive message", kind)?;
    match TYPED.contains(&kind) {
        true => Err(format!(
            "an interactive message of the type `{kind}` has a form of its own, in which its \
             limits are checked: use that"
        )),
        false => Ok(vec![Outgoing::Interactive(json)]),
    }
}
