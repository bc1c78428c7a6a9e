//! Every kind of message that a customer can send, drawn in Meta's form.

use super::{Drawn, add, identity, tap};
use crate::simulator::{Sim, files, names, receipts, state::World};
use base64::Engine as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Characters in a text that a person can send.
const TEXT_CHARS: usize = 65_536;
/// What `data` may hold once it is decoded.
const DATA_BYTES: usize = 5 << 20;

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
    /// Fills in a flow; without a message, one that was opened elsewhere.
    Flow {
        message: Option<String>,
        response: Value,
    },
    Image(File),
    Video(File),
    Audio(File),
    Document(File),
    Sticker(File),
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
    /// Cards in Meta's form; without any, one made up.
    Contacts {
        contacts: Option<Vec<Value>>,
    },
    /// The customer's own card, as an answer to a request for it.
    ShareNumber {
        message: Option<String>,
    },
    /// No emoji takes the reaction back.
    Reaction {
        message: String,
        #[serde(default)]
        emoji: String,
    },
    Order {
        catalog_id: String,
        items: Vec<Value>,
        text: Option<String>,
    },
    /// A question about a product.
    Enquiry {
        body: String,
        catalog_id: String,
        product: String,
    },
    /// Opens the chat for the first time and writes nothing yet.
    RequestWelcome {},
    /// Something that WhatsApp does not pass on, a poll for example.
    Unsupported {
        of: Option<String>,
    },
    Edit {
        message: String,
        body: String,
    },
    Revoke {
        message: String,
    },
    /// Rings, and nobody answers.
    Call {},
    ChangeNumber {
        number: String,
    },
    ChangeUserId {},
    HideNumber {
        username: Option<String>,
    },
    ShowNumber {},
    /// A new phone: the identity key is another.
    ChangeDevice {},
    /// Any message at all: `type` and what stands under its name are yours,
    /// ids and time are added if they are missing.
    Raw {
        message: Map<String, Value>,
    },
}

#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct File {
    caption: Option<String>,
    filename: Option<String>,
    mime_type: Option<String>,
    /// The bytes in base64; without them a small sample.
    data: Option<String>,
    /// Of a sticker.
    #[serde(default)]
    animated: bool,
    /// Of a sound: a voice note unless said otherwise.
    voice: Option<bool>,
}

pub fn draw(sim: &Sim, world: &mut World, phone: usize, what: &What) -> Result<Drawn, String> {
    match what {
        What::Text { body } => Ok(Drawn::new("text", json!({"body": text(body)?}))),
        What::Tap { message, id } => tap::tap(world, message, id),
        What::Flow { message, response } => tap::flow(world, message.as_deref(), response),
        What::Image(given) => file(sim, world, "image", given),
        What::Video(given) => file(sim, world, "video", given),
        What::Audio(given) => file(sim, world, "audio", given),
        What::Document(given) => file(sim, world, "document", given),
        What::Sticker(given) => file(sim, world, "sticker", given),
        What::Location { latitude, longitude, name, address } => {
            let mut content = json!({"latitude": latitude, "longitude": longitude});
            add(&mut content, "name", name.as_deref());
            add(&mut content, "address", address.as_deref());
            Ok(Drawn::new("location", content))
        }
        What::Contacts { contacts } => {
            let made_up = || {
                vec![json!({"name": {"formatted_name": "Sam Doe", "first_name": "Sam"},
                    "phones": [{"phone": "+1 650-555-0199", "wa_id": "16505550199", "type": "CELL"}],
                    "origin": "other"})]
            };
            let cards = contacts.clone().unwrap_or_else(made_up);
            Ok(Drawn::new("contacts", cards.into()))
        }
        What::ShareNumber { message } => identity::share_number(world, phone, message.as_deref()),
        What::Reaction { message, emoji } => reaction(sim, world, message, emoji),
        What::Order { catalog_id, items, text } => {
            let mut content = json!({"catalog_id": catalog_id, "product_items": items});
            add(&mut content, "text", text.as_deref());
            Ok(Drawn::new("order", content))
        }
        What::Enquiry { body, catalog_id, product } => {
            let mut drawn = Drawn::new("text", json!({"body": text(body)?}));
            let about = json!({"catalog_id": catalog_id, "product_retailer_id": product});
            let business = &sim.config.display_phone_number;
            let quoted = json!({"from": business, "id": sim.message_id(business, false),
                "referred_product": about});
            drawn.wire.insert("context".into(), quoted);
            Ok(drawn)
        }
        What::RequestWelcome {} => Ok(Drawn::new("request_welcome", Value::Null)),
        What::Unsupported { of } => Ok(unsupported(of.as_deref().unwrap_or("poll_creation"))),
        What::Edit { message, body } => edit(world, message, text(body)?),
        What::Revoke { message } => {
            world.message(message).ok_or("no such message to take back")?;
            Ok(Drawn::new("revoke", json!({"original_message_id": message})))
        }
        What::Call {} => Err("a call is no message".into()),
        What::ChangeNumber { number } => identity::change_number(world, phone, number),
        What::ChangeUserId {} => identity::change_user_id(world, phone, sim.serial()),
        What::HideNumber { username } => identity::hide_number(world, phone, username.as_deref()),
        What::ShowNumber {} => identity::show_number(world, phone),
        What::ChangeDevice {} => identity::change_device(world, phone, sim.serial(), sim.now()),
        What::Raw { message } => {
            let kind = message.get("type").and_then(Value::as_str).unwrap_or("unknown").to_owned();
            let content = message.get(&kind).cloned().unwrap_or(Value::Null);
            Ok(Drawn { wire: message.clone(), content, ..Drawn::new(&kind, Value::Null) })
        }
    }
}

fn text(body: &str) -> Result<&str, String> {
    match body.chars().count() {
        1..=TEXT_CHARS => Ok(body),
        _ => Err(format!("a text needs between 1 and {TEXT_CHARS} characters")),
    }
}

fn reaction(sim: &Sim, world: &mut World, message: &str, emoji: &str) -> Result<Drawn, String> {
    let emoji = Some(emoji).filter(|emoji| !emoji.is_empty());
    let target = world.message_mut(message).ok_or("no such message to react to")?;
    target.customer_reaction = emoji.map(str::to_owned);
    receipts::announce(sim, world, message);
    let mut content = json!({"message_id": message});
    add(&mut content, "emoji", emoji);
    Ok(Drawn::new("reaction", content))
}

fn edit(world: &mut World, message: &str, body: &str) -> Result<Drawn, String> {
    let edited = world.message_mut(message).filter(|message| message.kind == "text");
    edited.ok_or("no such text to edit")?.content = json!({"body": body});
    let new = json!({"type": "text", "text": {"body": body}, "context": {"id": message}});
    Ok(Drawn::new("edit", json!({"original_message_id": message, "message": new})))
}

fn unsupported(of: &str) -> Drawn {
    let mut drawn = Drawn::new("unsupported", json!({"type": of}));
    let errors = json!([{"code": 131051, "title": "Message type unknown",
        "message": "Message type unknown",
        "error_data": {"details": "Message type is currently not supported."}}]);
    drawn.wire.insert("errors".into(), errors);
    drawn
}

/// What a customer who came by an ad brings along.
pub fn referral(given: &Value, serial: u64) -> Value {
    let mut referral = json!({
        "source_url": "https://fb.me/simulated-ad",
        "source_id": "120200000000000001",
        "source_type": "ad",
        "headline": "Chat with us",
        "body": "A simulated advertisement",
        "media_type": "image",
        "image_url": "https://example.com/ad.jpg",
        "ctwa_clid": format!("ARsimulated{serial:08}"),
    });
    if let (Some(referral), Some(given)) = (referral.as_object_mut(), given.as_object()) {
        referral.extend(given.clone());
    }
    referral
}

fn file(sim: &Sim, world: &mut World, kind: &str, given: &File) -> Result<Drawn, String> {
    let id = files::new_id(sim.serial());
    let now = sim.now();
    let (mime_type, sha256) = match &given.data {
        None => {
            let sample = files::sample(kind, given.mime_type.as_deref());
            world.files.add_sample(id.clone(), &sample, now);
            (sample.mime_type.to_owned(), sample.sha256())
        }
        Some(data) => {
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(data)
                .map_err(|why| format!("data is not base64: {why}"))?;
            if bytes.is_empty() || bytes.len() > DATA_BYTES {
                return Err(format!("data must hold between 1 and {DATA_BYTES} bytes"));
            }
            let usual = files::sample(kind, given.mime_type.as_deref()).mime_type;
            let mime_type = given.mime_type.as_deref().unwrap_or(usual);
            world.files.add(id.clone(), mime_type, bytes.into(), false, now);
            let sha256 = world.files.find(&id, now).map(|file| file.sha256);
            (mime_type.to_owned(), sha256.unwrap_or_default())
        }
    };
    let mut content = json!({"id": id, "mime_type": mime_type, "sha256": names::base64(&sha256)});
    if matches!(kind, "image" | "video" | "document") {
        add(&mut content, "caption", given.caption.as_deref());
    }
    if kind == "document" {
        add(&mut content, "filename", Some(given.filename.as_deref().unwrap_or("document.pdf")));
    }
    if let Some(content) = content.as_object_mut() {
        match kind {
            "audio" => content.insert("voice".into(), given.voice.unwrap_or(true).into()),
            "sticker" => content.insert("animated".into(), given.animated.into()),
            _ => None,
        };
    }
    Ok(Drawn::new(kind, content))
}
