//! A tap on what the business sent: the answer depends on what was tapped.

use super::{Drawn, add};
use crate::simulator::{
    message::{Author, Message},
    state::World,
};
use serde_json::{Value, json};

pub fn tap(world: &mut World, message: &str, id: &str) -> Result<Drawn, String> {
    let Some(tapped) = world.message_mut(message).filter(|m| m.by == Author::Business) else {
        return Err("no such message of the business's to tap on".into());
    };
    let content = &tapped.content;
    let mut drawn = if tapped.kind == "template" {
        let (payload, text) =
            quick_reply(tapped, id).ok_or("the template has no quick reply with this payload")?;
        Drawn::new("button", json!({"payload": payload, "text": text}))
    } else if let Some(title) = button_title(content, id) {
        let reply = json!({"id": id, "title": title});
        Drawn::new("interactive", json!({"type": "button_reply", "button_reply": reply}))
    } else if let Some(row) = list_row(content, id) {
        let mut reply = json!({"id": id, "title": row.get("title")});
        add(&mut reply, "description", row.get("description").and_then(Value::as_str));
        Drawn::new("interactive", json!({"type": "list_reply", "list_reply": reply}))
    } else {
        return Err("the message has no button or row with this id".into());
    };
    tapped.tapped = Some(id.into());
    drawn.quotes = Some(message.into());
    Ok(drawn)
}

/// The answers within a flow; its token is the one that the flow was sent with.
pub fn flow(world: &mut World, message: Option<&str>, response: &Value) -> Result<Drawn, String> {
    let mut response = response.clone();
    if let Some(id) = message {
        let sent = world.message_mut(id).filter(|m| {
            m.by == Author::Business
                && m.content.get("type").and_then(Value::as_str) == Some("flow")
        });
        let sent = sent.ok_or("no such flow of the business's to fill in")?;
        let token = sent.content.pointer("/action/parameters/flow_token").cloned();
        if let (Some(response), Some(token)) = (response.as_object_mut(), token) {
            response.entry("flow_token").or_insert(token);
        }
        sent.tapped = Some("flow".into());
    }
    let reply = json!({"response_json": response.to_string(), "body": "Sent", "name": "flow"});
    let content = json!({"type": "nfm_reply", "nfm_reply": reply});
    let mut drawn = Drawn::new("interactive", content);
    drawn.quotes = message.map(str::to_owned);
    Ok(drawn)
}

fn array<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(path).and_then(Value::as_array).into_iter().flatten()
}

fn button_title<'a>(content: &'a Value, id: &str) -> Option<&'a Value> {
    array(content, "/action/buttons")
        .filter_map(|button| button.get("reply"))
        .find(|reply| reply.get("id").and_then(Value::as_str) == Some(id))?
        .get("title")
}

fn list_row<'a>(content: &'a Value, id: &str) -> Option<&'a Value> {
    array(content, "/action/sections")
        .flat_map(|section| array(section, "/rows"))
        .find(|row| row.get("id").and_then(Value::as_str) == Some(id))
}

/// Payload and text. A template that is not known shows no text of its own.
fn quick_reply(template: &Message, id: &str) -> Option<(String, String)> {
    if let Some(filled) = &template.filled {
        let mut replies = filled.buttons.iter().filter(|button| button.kind == "quick_reply");
        let reply = replies.find(|button| button.payload.as_deref() == Some(id))?;
        return Some((id.to_owned(), reply.text.clone()));
    }
    array(&template.content, "/components")
        .filter(|component| {
            component.get("sub_type").and_then(Value::as_str) == Some("quick_reply")
        })
        .flat_map(|component| array(component, "/parameters"))
        .filter_map(|parameter| parameter.get("payload").and_then(Value::as_str))
        .find(|payload| *payload == id)
        .map(|payload| (payload.to_owned(), payload.to_owned()))
}
