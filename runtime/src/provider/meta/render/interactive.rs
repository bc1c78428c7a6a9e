//! Interactive messages: a body with something to tap.

use super::{insert, media};
use crate::model::{
    Button, Card, CardAction, Flow, FlowRef, Header, Link, Outgoing, ProductSection, Requested,
    Row, Section,
};
use serde_json::{Value, json};

/// What stands under `interactive`; null for what is no such message.
pub(super) fn form(message: &Outgoing) -> Value {
    match message {
        Outgoing::Buttons { header, body, footer, buttons } => {
            let reply = |button: &Button| json!({"type": "reply", "reply": button});
            let buttons: Vec<Value> = buttons.iter().map(reply).collect();
            let action = json!({"buttons": buttons});
            frame("button", header.as_ref(), Some(body), footer.as_ref(), action)
        }
        Outgoing::List { header, body, footer, label, sections } => {
            let sections: Vec<Value> = sections.iter().map(section).collect();
            let action = json!({"button": label, "sections": sections});
            frame("list", header.as_ref(), Some(body), footer.as_ref(), action)
        }
        Outgoing::Link(Link { header, body, footer, label, url }) => {
            let action = link(label, url);
            frame("cta_url", header.as_ref(), Some(body), footer.as_ref(), action)
        }
        Outgoing::Flow(flow) => {
            let Flow { header, body, footer, .. } = flow;
            let action = json!({"name": "flow", "parameters": flow_parameters(flow)});
            frame("flow", header.as_ref(), Some(body), footer.as_ref(), action)
        }
        Outgoing::Request { what, body } => request(what, body),
        Outgoing::Product { body, footer, catalog, product } => {
            let action = json!({"catalog_id": catalog, "product_retailer_id": product});
            frame("product", None, body.as_ref(), footer.as_ref(), action)
        }
        Outgoing::Products(products) => {
            let sections = self::products(&products.sections);
            let action = json!({"catalog_id": products.catalog, "sections": sections});
            let header = Header::Text(products.header.clone());
            let footer = products.footer.as_ref();
            frame("product_list", Some(&header), Some(&products.body), footer, action)
        }
        Outgoing::Catalog { body, footer, thumbnail } => {
            let mut action = json!({"name": "catalog_message"});
            let shown = thumbnail.as_ref();
            let parameters = shown.map(|id| json!({"thumbnail_product_retailer_id": id}));
            insert(&mut action, "parameters", parameters);
            frame("catalog_message", None, Some(body), footer.as_ref(), action)
        }
        Outgoing::Carousel { body, cards } => {
            let cards: Vec<Value> = (0..).zip(cards).map(card).collect();
            frame("carousel", None, Some(body), None, json!({"cards": cards}))
        }
        Outgoing::Interactive(json) => serde_json::from_str(json).unwrap_or_default(),
        Outgoing::Text(_)
        | Outgoing::Numbered { .. }
        | Outgoing::Template(_)
        | Outgoing::Media(_)
        | Outgoing::Location(_)
        | Outgoing::Contacts(_)
        | Outgoing::Reaction { .. }
        | Outgoing::Read { .. } => Value::Null,
    }
}

fn frame(
    kind: &str,
    header: Option<&Header>,
    body: Option<&String>,
    footer: Option<&String>,
    action: Value,
) -> Value {
    let mut form = json!({"type": kind, "action": action});
    insert(&mut form, "header", header.map(media::header));
    insert(&mut form, "body", body.map(|text| json!({"text": text})));
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

fn link(label: &str, url: &str) -> Value {
    json!({"name": "cta_url", "parameters": {"display_text": label, "url": url}})
}

fn flow_parameters(flow: &Flow) -> Value {
    let mut form = json!({"flow_message_version": "3", "flow_cta": flow.label});
    let (name, which) = match &flow.which {
        FlowRef::Id(id) => ("flow_id", id),
        FlowRef::Name(name) => ("flow_name", name),
    };
    insert(&mut form, name, Some(which));
    insert(&mut form, "flow_token", flow.token.as_ref());
    insert(&mut form, "mode", flow.draft.then_some("draft"));
    let action = if flow.screen.is_some() { "navigate" } else { "data_exchange" };
    insert(&mut form, "flow_action", Some(action));
    if let Some(screen) = &flow.screen {
        let mut payload = json!({"screen": screen});
        insert(&mut payload, "data", flow.input.as_deref().and_then(object));
        insert(&mut form, "flow_action_payload", Some(payload));
    }
    form
}

/// A JSON object that was kept as text.
pub(super) fn object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

fn request(what: &Requested, body: &String) -> Value {
    let (kind, action) = match what {
        Requested::Location => ("location_request_message", json!({"name": "send_location"})),
        Requested::Phone => ("contact_request", json!({"name": "request_contact_info"})),
        Requested::Address { country } => (
            "address_message",
            json!({"name": "address_message", "parameters": {"country": country}}),
        ),
    };
    frame(kind, None, Some(body), None, action)
}

/// Sections of products, here and on a template's button.
pub(super) fn products(sections: &[ProductSection]) -> Vec<Value> {
    let section = |section: &ProductSection| {
        let item = |id: &String| json!({"product_retailer_id": id});
        let items: Vec<Value> = section.products.iter().map(item).collect();
        let mut form = json!({"product_items": items});
        insert(&mut form, "title", section.title.as_ref());
        form
    };
    sections.iter().map(section).collect()
}

fn card((index, card): (usize, &Card)) -> Value {
    let mut form = json!({"card_index": index, "header": media::typed(&card.header)});
    insert(&mut form, "body", card.body.as_ref().map(|text| json!({"text": text})));
    match &card.action {
        CardAction::Link { label, url } => {
            insert(&mut form, "type", Some("cta_url"));
            insert(&mut form, "action", Some(link(label, url)));
        }
        CardAction::Buttons(buttons) => {
            let reply = |button: &Button| json!({"type": "quick_reply", "quick_reply": button});
            let buttons: Vec<Value> = buttons.iter().map(reply).collect();
            insert(&mut form, "action", Some(json!({"buttons": buttons})));
        }
    }
    form
}
