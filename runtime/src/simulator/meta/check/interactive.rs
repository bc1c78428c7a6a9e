//! Interactive messages: buttons, lists, links, flows and the rarer kinds.

use super::{Checked, missing, object, optional, required, wrong};
use crate::simulator::meta::refusal::Refusal;
use serde_json::{Map, Value};
use std::collections::HashSet;

const BODY_CHARS: usize = 1_024;
const LIST_BODY_CHARS: usize = 4_096;
const FOOTER_CHARS: usize = 60;
const HEADER_CHARS: usize = 60;
const BUTTONS: usize = 3;
/// Of a reply button, a list's button, a link's button.
const BUTTON_CHARS: usize = 20;
/// Meta's own samples go beyond 20 here.
const FLOW_BUTTON_CHARS: usize = 30;
const BUTTON_ID_CHARS: usize = 256;
/// In all sections together.
const ROWS: usize = 10;
const SECTIONS: usize = 10;
/// Of a section and of a row.
const TITLE_CHARS: usize = 24;
const DESCRIPTION_CHARS: usize = 72;
const ROW_ID_CHARS: usize = 200;

pub fn check(message: &Map<String, Value>) -> Checked<()> {
    let kind = required(message, "type", 100)?;
    match kind.as_str() {
        "button" => {
            frame(message, BODY_CHARS, true)?;
            buttons(action(message)?)
        }
        "list" => {
            frame(message, LIST_BODY_CHARS, true)?;
            list(action(message)?)
        }
        "cta_url" => {
            frame(message, BODY_CHARS, true)?;
            let link = parameters(action(message)?)?;
            required(link, "display_text", BUTTON_CHARS)?;
            let url = required(link, "url", 2_000)?;
            let web = url.starts_with("http://") || url.starts_with("https://");
            if web { Ok(()) } else { Err(wrong("url", "must begin with http:// or https://")) }
        }
        "flow" => {
            frame(message, BODY_CHARS, true)?;
            let flow = parameters(action(message)?)?;
            required(flow, "flow_cta", FLOW_BUTTON_CHARS)?;
            if flow.contains_key("flow_id") || flow.contains_key("flow_name") {
                Ok(())
            } else {
                Err(missing("flow_id or flow_name"))
            }
        }
        "location_request_message" | "contact_request" => {
            frame(message, BODY_CHARS, true)?;
            required(action(message)?, "name", 100)?;
            Ok(())
        }
        "product"
        | "product_list"
        | "catalog_message"
        | "carousel"
        | "order_details"
        | "order_status"
        | "address_message"
        | "voice_call"
        | "call_permission_request" => {
            frame(message, BODY_CHARS, false)?;
            action(message)?;
            Ok(())
        }
        other => Err(Refusal::new(131009, format!("interactive type {other:?} is not known"))),
    }
}

/// Header, body and footer.
fn frame(message: &Map<String, Value>, chars: usize, needs_body: bool) -> Checked<()> {
    match message.get("body") {
        None if !needs_body => {}
        body => {
            let body = object(body.unwrap_or(&Value::Null), "interactive.body")?;
            required(body, "text", chars)?;
        }
    }
    if let Some(footer) = message.get("footer") {
        required(object(footer, "interactive.footer")?, "text", FOOTER_CHARS)?;
    }
    let Some(header) = message.get("header") else { return Ok(()) };
    let header = object(header, "interactive.header")?;
    match required(header, "type", 100)?.as_str() {
        "text" => required(header, "text", HEADER_CHARS).map(|_| ()),
        kind @ ("image" | "video" | "document") => {
            super::media(kind, header.get(kind).unwrap_or(&Value::Null))
        }
        _ => Err(wrong("interactive.header.type", "must be text, image, video or document")),
    }
}

fn action(message: &Map<String, Value>) -> Checked<&Map<String, Value>> {
    object(message.get("action").unwrap_or(&Value::Null), "interactive.action")
}

fn parameters(action: &Map<String, Value>) -> Checked<&Map<String, Value>> {
    object(action.get("parameters").unwrap_or(&Value::Null), "interactive.action.parameters")
}

fn items<'a>(object: &'a Map<String, Value>, name: &str, most: usize) -> Checked<&'a Vec<Value>> {
    let Some(items) = object.get(name).and_then(Value::as_array) else { return Err(missing(name)) };
    if items.is_empty() || items.len() > most {
        return Err(wrong(name, &format!("must be between 1 and {most}, not {}", items.len())));
    }
    Ok(items)
}

fn buttons(action: &Map<String, Value>) -> Checked<()> {
    let (mut ids, mut titles) = (HashSet::new(), HashSet::new());
    for button in items(action, "buttons", BUTTONS)? {
        let button = object(button, "buttons")?;
        if required(button, "type", 100)? != "reply" {
            return Err(wrong("buttons.type", "must be reply"));
        }
        let reply = object(button.get("reply").unwrap_or(&Value::Null), "buttons.reply")?;
        if !ids.insert(required(reply, "id", BUTTON_ID_CHARS)?) {
            return Err(wrong("buttons.reply.id", "must be unique"));
        }
        if !titles.insert(required(reply, "title", BUTTON_CHARS)?) {
            return Err(wrong("buttons.reply.title", "must be unique"));
        }
    }
    Ok(())
}

fn list(action: &Map<String, Value>) -> Checked<()> {
    required(action, "button", BUTTON_CHARS)?;
    let sections = items(action, "sections", SECTIONS)?;
    let mut ids = HashSet::new();
    for section in sections {
        let section = object(section, "sections")?;
        let title = optional(section, "title", TITLE_CHARS)?;
        if sections.len() > 1 && title.is_none_or(|title| title.is_empty()) {
            return Err(missing("sections.title"));
        }
        for row in items(section, "rows", ROWS)? {
            let row = object(row, "rows")?;
            required(row, "title", TITLE_CHARS)?;
            optional(row, "description", DESCRIPTION_CHARS)?;
            if !ids.insert(required(row, "id", ROW_ID_CHARS)?) {
                return Err(wrong("rows.id", "must be unique"));
            }
        }
    }
    if ids.len() > ROWS {
        return Err(wrong("rows", &format!("must be at most {ROWS} in all, not {}", ids.len())));
    }
    Ok(())
}
