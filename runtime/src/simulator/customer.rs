//! What a customer does on the phone, as the messages that the bot gets.

mod identity;
mod kinds;
mod tap;

pub use identity::{preference, presence};

use super::{
    Shared, Sim,
    deliver::{self, Parcel},
    message::{Author, Message, Status},
    receipts,
    state::World,
};
use kinds::What;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Copies of one message that may be delivered at once.
const COPIES_MAX: u32 = 1_000;

/// The body of `POST /sim/phones/{id}/send`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Act {
    #[serde(flatten)]
    what: What,
    /// The same webhook so many times at once, as Meta may deliver it twice.
    #[serde(default)]
    copies: Option<u32>,
    /// The message that it quotes.
    #[serde(default)]
    reply_to: Option<String>,
    /// How long ago it was written, in seconds: for webhooks that come late.
    #[serde(default)]
    seconds_ago: u64,
    #[serde(default)]
    forwarded: Forwarded,
    /// The ad or post that the customer came by: true for a made-up one, or
    /// an object with some of Meta's fields.
    #[serde(default)]
    referral: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Forwarded {
    #[default]
    No,
    Once,
    /// More than five times.
    Often,
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
    if act.what == (What::Call {}) {
        return identity::call(sim, phone);
    }
    let (who, id, wire, number) = {
        let mut world = sim.world();
        let (id, wire) = write(sim, &mut world, phone, act)?;
        receipts::announce(sim, &world, &id);
        let who = world.phone(phone).ok_or("no such phone")?.who.clone();
        (who, id, wire, world.received_total)
    };
    dispatch(sim, sim.message_parcel(&who, &wire), copies, number);
    Ok(id)
}

/// Sends a message's webhook, or does what the settings say of messages.
fn dispatch(sim: &Shared, parcel: Parcel, copies: u32, number: u64) {
    let faults = sim.world().settings.messages;
    if faults.drop {
        return;
    }
    if faults.hold {
        sim.world().hold(parcel);
        return;
    }
    // Every other one lets the next go before it.
    let late = faults.reorder && number % 2 == 1;
    for _ in 0..copies.saturating_mul(faults.copies.max(1)).min(COPIES_MAX) {
        let (sim, parcel) = (sim.clone(), parcel.clone());
        tokio::spawn(async move {
            if !late || sim.wait(deliver::REORDER_MS).await {
                deliver::post(&sim, parcel).await;
            }
        });
    }
}

/// Its id, and the message in Meta's form.
fn write(
    sim: &Sim,
    world: &mut World,
    index: usize,
    act: Act,
) -> Result<(String, Map<String, Value>), String> {
    let now = sim.now();
    let drawn = kinds::draw(sim, world, index, &act.what)?;
    let Drawn { kind, content, quotes, mut wire, opens_window, system } = drawn;
    // Only now, since the act may have changed who it is.
    let who = world.phone(index).ok_or("no such phone")?.who.clone();
    let mut id = sim.message_id(who.key(), true);
    let reply_to = act.reply_to.or(quotes);
    wire.entry("id").or_insert_with(|| id.clone().into());
    if let Some(given) = wire.get("id").and_then(Value::as_str) {
        id = given.to_owned();
    }
    let seconds = (now / 1_000).saturating_sub(act.seconds_ago);
    wire.entry("timestamp").or_insert_with(|| seconds.to_string().into());
    if !system {
        wire.entry("from_user_id").or_insert_with(|| who.user_id.clone().into());
    }
    if let Some(number) = who.shown_number().filter(|_| !system) {
        wire.entry("from").or_insert_with(|| number.into());
    }
    match (&reply_to, act.forwarded) {
        (Some(quoted), _) => {
            let business = &sim.config.display_phone_number;
            wire.entry("context").or_insert_with(|| json!({"from": business, "id": quoted}));
        }
        (None, Forwarded::Once) => {
            wire.insert("context".into(), json!({"forwarded": true}));
        }
        (None, Forwarded::Often) => {
            wire.insert("context".into(), json!({"frequently_forwarded": true}));
        }
        (None, Forwarded::No) => {}
    }
    let referral = act.referral.filter(|referral| *referral != Value::Bool(false));
    if let Some(referral) = &referral {
        wire.insert("referral".into(), kinds::referral(referral, sim.serial()));
    }
    world.received_total += 1;
    if let Some(phone) = world.phone_mut(index).filter(|_| opens_window) {
        let written = now.saturating_sub(act.seconds_ago.saturating_mul(1_000));
        phone.last_inbound = Some(phone.last_inbound.unwrap_or(0).max(written));
        if referral.is_some() {
            phone.came_by_ad = Some(written);
        }
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
    /// For the bot, in Meta's form.
    wire: Map<String, Value>,
    /// Whether the business may write freely from now on.
    opens_window: bool,
    /// Written by WhatsApp: it names its sender itself, if at all.
    system: bool,
}

impl Drawn {
    fn new(kind: &str, content: Value) -> Self {
        let mut wire = Map::new();
        wire.insert("type".into(), kind.into());
        if !content.is_null() {
            wire.insert(kind.into(), content.clone());
        }
        let opens_window = !matches!(kind, "edit" | "revoke");
        Self { kind: kind.into(), content, quotes: None, wire, opens_window, system: false }
    }
}

fn add(content: &mut Value, name: &str, text: Option<&str>) {
    if let (Some(content), Some(text)) = (content.as_object_mut(), text) {
        content.insert(name.into(), text.into());
    }
}
