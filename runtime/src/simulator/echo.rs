//! What the business writes in the phone app, which the bot hears as an echo.

use super::{
    Shared, deliver,
    message::{Author, Message, Status},
    receipts,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The body of `POST /sim/echo`: to whom, and one of the others.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Echo {
    pub phone: String,
    /// A text.
    body: Option<String>,
    /// Any message in Meta's form: `type` and what stands under its name.
    message: Option<Map<String, Value>>,
    /// The id of an earlier one, whose text becomes `body`.
    edit: Option<String>,
    /// The id of an earlier one, which is taken back.
    revoke: Option<String>,
}

/// Returns the message's id.
///
/// # Errors
/// What is wrong with it, in plain words.
pub fn echo(sim: &Shared, phone: usize, echo: Echo) -> Result<String, String> {
    let now = sim.now();
    let mut wire = match (echo.body, echo.message, echo.edit, echo.revoke) {
        (Some(body), None, None, None) => said("text", json!({"body": body})),
        (None, Some(message), None, None) => message,
        (Some(body), None, Some(id), None) => said(
            "edit",
            json!({"original_message_id": id,
                "message": {"type": "text", "text": {"body": body}}}),
        ),
        (None, None, None, Some(id)) => said("revoke", json!({"original_message_id": id})),
        _ => return Err("give `body`, `message`, `edit` with `body`, or `revoke`".into()),
    };
    let kind = wire.get("type").and_then(Value::as_str).ok_or("the message needs a type")?;
    let kind = kind.to_owned();
    let who = sim.world().phone(phone).ok_or("no such phone")?.who.clone();
    let id = sim.message_id(who.key(), false);
    wire.insert("id".into(), id.clone().into());
    wire.insert("from".into(), sim.config.display_phone_number.clone().into());
    wire.insert("timestamp".into(), (now / 1_000).to_string().into());
    wire.insert("to_user_id".into(), who.user_id.clone().into());
    if let Some(number) = who.shown_number() {
        wire.insert("to".into(), number.into());
    }
    let content = wire.get(&kind).cloned().unwrap_or(Value::Null);
    let parcel = sim.news_parcel("smb_message_echoes", Some(&who), "message_echoes", json!([wire]));
    let parcel = parcel.ok_or("this wire has no echoes")?;
    {
        let mut world = sim.world();
        let mut message = Message::new(id.clone(), Author::App, now, &kind, content);
        message.phone = Some(phone);
        message.status = Status::Delivered;
        world.push(message);
        receipts::announce(sim, &world, &id);
    }
    let sim = sim.clone();
    tokio::spawn(async move { deliver::post(&sim, parcel).await });
    Ok(id)
}

fn said(kind: &str, content: Value) -> Map<String, Value> {
    let mut wire = Map::new();
    wire.insert("type".into(), kind.into());
    wire.insert(kind.into(), content);
    wire
}
