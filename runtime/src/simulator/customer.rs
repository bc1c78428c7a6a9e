//! What a customer does on the phone, as the messages that the bot gets.

use super::{
    Shared, Sim, deliver, files,
    message::{Author, Message, Status},
    names,
    phone::Who,
    receipts,
    state::World,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Copies of one message that may be delivered at once.
const COPIES_MAX: u32 = 1_000;
/// Characters in a text that a person can send.
const TEXT_CHARS: usize = 65_536;

/// The body of `POST /sim/phones/{id}/send`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Act {
    #[serde(flatten)]
    pub what: What,
    /// The same webhook so many times at once, as Meta may deliver it twice.
    #[serde(default)]
    pub copies: Option<u32>,
    /// The message that it quotes.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// How long ago it was written, in seconds: for webhooks that come late.
    #[serde(default)]
    pub seconds_ago: u64,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    Text {
        body: String,
    },
    /// A reply button, a list row or a template's quick reply of this message.
    Tap {
        message: String,
        id: String,
    },
    Image {
        caption: Option<String>,
    },
    Document {
        filename: Option<String>,
        caption: Option<String>,
    },
    Audio {},
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
    /// No emoji takes the reaction back.
    Reaction {
        message: String,
        #[serde(default)]
        emoji: String,
    },
    /// Any message at all: `type` and what stands under its name are yours,
    /// ids and time are added if they are missing.
    Raw {
        message: Map<String, Value>,
    },
}

/// Puts it in the history and on its way; returns the message's id at once.
///
/// # Errors
/// What is wrong with it, in plain words.
pub fn act(sim: &Shared, phone: usize, act: Act) -> Result<String, String> {
    let copies = act.copies.unwrap_or(1);
    if copies == 0 || copies > COPIES_MAX {
        return Err(format!("copies must be between 1 and {COPIES_MAX}"));
    }
    let (who, id, wire) = {
        let mut world = sim.world();
        let who = world.phone(phone).ok_or("no such phone")?.who.clone();
        let (id, wire) = write(sim, &mut world, phone, &who, act)?;
        receipts::announce(sim, &world, &id);
        (who, id, wire)
    };
    let parcel = sim.message_parcel(&who, &wire);
    for _ in 0..copies {
        let (sim, parcel) = (sim.clone(), parcel.clone());
        tokio::spawn(async move { deliver::post(&sim, parcel).await });
    }
    Ok(id)
}

/// Its id, and the message in Meta's form.
fn write(
    sim: &Sim,
    world: &mut World,
    index: usize,
    who: &Who,
    act: Act,
) -> Result<(String, Map<String, Value>), String> {
    let now = sim.now();
    let mut id = sim.message_id(who.key(), true);
    let Drawn { kind, content, quotes, mut wire } = draw(sim, world, &act.what)?;
    let reply_to = act.reply_to.or(quotes);
    wire.entry("id").or_insert_with(|| id.clone().into());
    if let Some(given) = wire.get("id").and_then(Value::as_str) {
        id = given.to_owned();
    }
    let seconds = (now / 1_000).saturating_sub(act.seconds_ago);
    wire.entry("timestamp").or_insert_with(|| seconds.to_string().into());
    wire.entry("from_user_id").or_insert_with(|| who.user_id.clone().into());
    if let Some(number) = &who.number {
        wire.entry("from").or_insert_with(|| number.clone().into());
    }
    if let Some(quoted) = &reply_to {
        let business = &sim.config.display_phone_number;
        wire.entry("context").or_insert_with(|| json!({"from": business, "id": quoted}));
    }
    world.received_total += 1;
    if let Some(phone) = world.phone_mut(index) {
        let written = now.saturating_sub(act.seconds_ago.saturating_mul(1_000));
        phone.last_inbound = Some(phone.last_inbound.unwrap_or(0).max(written));
    }
    let mut message = Message::new(id.clone(), Author::Customer, now, &kind, content);
    message.status = Status::Sent;
    message.reply_to = reply_to;
    message.phone = Some(index);
    world.push(message);
    Ok((id, wire))
}

/// A message before it has an id.
struct Drawn {
    kind: String,
    /// For the history.
    content: Value,
    /// The message that a tap answers.
    quotes: Option<String>,
    /// For the bot.
    wire: Map<String, Value>,
}

impl Drawn {
    fn new(kind: &str, content: Value) -> Self {
        let mut wire = Map::new();
        wire.insert("type".into(), kind.into());
        wire.insert(kind.into(), content.clone());
        Self { kind: kind.into(), content, quotes: None, wire }
    }
}

fn draw(sim: &Sim, world: &mut World, what: &What) -> Result<Drawn, String> {
    match what {
        What::Text { body } if body.is_empty() || body.chars().count() > TEXT_CHARS => {
            Err(format!("a text needs between 1 and {TEXT_CHARS} characters"))
        }
        What::Text { body } => Ok(Drawn::new("text", json!({"body": body}))),
        What::Tap { message, id } => tap(world, message, id),
        What::Image { caption } => Ok(file(sim, "image", caption.as_deref(), None)),
        What::Document { filename, caption } => {
            let name = filename.as_deref().unwrap_or("document.pdf");
            Ok(file(sim, "document", caption.as_deref(), Some(name)))
        }
        What::Audio {} => Ok(file(sim, "audio", None, None)),
        What::Location { latitude, longitude, name, address } => {
            let mut content = json!({"latitude": latitude, "longitude": longitude});
            add(&mut content, "name", name.as_deref());
            add(&mut content, "address", address.as_deref());
            Ok(Drawn::new("location", content))
        }
        What::Reaction { message, emoji } => {
            let target = world.message_mut(message).ok_or("no such message to react to")?;
            target.customer_reaction = Some(emoji.clone()).filter(|emoji| !emoji.is_empty());
            receipts::announce(sim, world, message);
            let mut content = json!({"message_id": message});
            add(&mut content, "emoji", Some(emoji).filter(|emoji| !emoji.is_empty()).map(|e| &**e));
            Ok(Drawn::new("reaction", content))
        }
        What::Raw { message } => {
            let kind = message.get("type").and_then(Value::as_str).unwrap_or("unknown").to_owned();
            let content = message.get(&kind).cloned().unwrap_or(Value::Null);
            Ok(Drawn { kind, content, quotes: None, wire: message.clone() })
        }
    }
}

fn add(content: &mut Value, name: &str, text: Option<&str>) {
    if let (Some(content), Some(text)) = (content.as_object_mut(), text) {
        content.insert(name.into(), text.into());
    }
}

fn file(sim: &Sim, kind: &'static str, caption: Option<&str>, filename: Option<&str>) -> Drawn {
    let id = files::new_id(kind, sim.serial());
    let sample = files::sample(kind);
    let mut content = json!({
        "id": id,
        "mime_type": sample.mime_type,
        "sha256": names::base64(&sample.sha256()),
    });
    add(&mut content, "caption", caption);
    add(&mut content, "filename", filename);
    if let (Some(content), "audio") = (content.as_object_mut(), kind) {
        content.insert("voice".into(), true.into());
    }
    Drawn::new(kind, content)
}

/// The answer depends on what was tapped.
fn tap(world: &mut World, message: &str, id: &str) -> Result<Drawn, String> {
    let Some(tapped) = world.message_mut(message).filter(|m| m.by == Author::Business) else {
        return Err("no such message of the business's to tap on".into());
    };
    let content = &tapped.content;
    let mut drawn = if tapped.kind == "template" {
        let payload = quick_replies(content).find(|payload| *payload == id);
        let payload = payload.ok_or("the template has no quick reply with this payload")?;
        // The title stands in the template, which the simulator does not have.
        Drawn::new("button", json!({"payload": payload, "text": payload}))
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

fn quick_replies(template: &Value) -> impl Iterator<Item = &str> {
    array(template, "/components")
        .filter(|component| {
            component.get("sub_type").and_then(Value::as_str) == Some("quick_reply")
        })
        .flat_map(|component| array(component, "/parameters"))
        .filter_map(|parameter| parameter.get("payload").and_then(Value::as_str))
}
