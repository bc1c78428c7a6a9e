//! What becomes of a message after it was accepted: the ladder sent →
//! delivered → read, or failed, and the receipts that tell the bot.

use super::{
    Shared, Sim, deliver,
    errors::Problem,
    faults::ReceiptFaults,
    state::{Author, Message, Millis, Phone, Status, World},
};
use serde_json::{Map, Value, json};

/// What is to become of a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Plan {
    Deliver,
    /// A reaction gives only `sent`.
    SentOnly,
    Fail(Problem),
    /// No receipt ever.
    Lose,
}

/// A status for the bot, with all that its webhook needs.
#[derive(Clone, PartialEq, Debug)]
pub struct Receipt {
    pub message: String,
    value: Value,
}

/// Takes a message up the ladder; ends when nothing more will happen to it.
pub async fn climb(sim: Shared, id: String, plan: Plan) {
    let settings = sim.world().settings.clone();
    let mut steps = Vec::new();
    match plan {
        Plan::Deliver => {
            steps.push((settings.sent_ms, Status::Sent, None));
            steps.push((settings.delivered_ms, Status::Delivered, None));
            if settings.auto_read {
                steps.push((settings.read_ms, Status::Read, None));
            }
        }
        Plan::SentOnly => steps.push((settings.sent_ms, Status::Sent, None)),
        Plan::Fail(problem) => steps.push((settings.sent_ms, Status::Failed, Some(problem))),
        Plan::Lose => {}
    }
    let mut later = Vec::new();
    for (pause, status, problem) in steps {
        if pause > 0 && !sim.pause(pause).await {
            return;
        }
        let Some(receipt) = advance(&sim, &id, status, problem) else { continue };
        if settings.receipts.reorder {
            later.push(receipt);
        } else {
            issue(&sim, receipt).await;
        }
    }
    for receipt in later.into_iter().rev() {
        issue(&sim, receipt).await;
    }
}

/// Sends a receipt, or does what the receipt faults say.
async fn issue(sim: &Shared, receipt: Receipt) {
    let copies = {
        let mut world = sim.world();
        let ReceiptFaults { hold, drop, copies, .. } = world.settings.receipts;
        if drop {
            return;
        }
        if hold {
            world.hold(receipt);
            return;
        }
        copies
    };
    send(sim, &receipt, copies).await;
}

async fn send(sim: &Shared, receipt: &Receipt, copies: u32) {
    let parcel = sim.parcel("receipt", &receipt.message, receipt.value.clone());
    let posts = (0..copies.max(1)).map(|_| deliver::post(sim, parcel.clone()));
    futures::future::join_all(posts).await;
}

/// Sends what was held back, the newest first if asked to. Returns how many.
pub async fn release(sim: &Shared, newest_first: bool) -> usize {
    let (held, copies) = {
        let mut world = sim.world();
        (std::mem::take(&mut world.held), world.settings.receipts.copies)
    };
    let mut held = Vec::from(held);
    if newest_first {
        held.reverse();
    }
    for receipt in &held {
        send(sim, receipt, copies).await;
    }
    held.len()
}

/// The customer looks at the chat. Returns the receipts' number.
pub async fn read_by_customer(sim: &Shared, phone: usize) -> usize {
    let unread: Vec<String> = {
        let mut world = sim.world();
        if let Some(phone) = world.phone_mut(phone) {
            phone.unread = 0;
        }
        world
            .history(phone, u64::MAX)
            .filter(|message| message.by == Author::Business && message.kind != "reaction")
            .take_while(|message| message.status != Status::Read)
            .filter(|message| message.status == Status::Delivered)
            .map(|message| message.id.clone())
            .collect()
    };
    let receipts: Vec<_> =
        unread.iter().rev().filter_map(|id| advance(sim, id, Status::Read, None)).collect();
    let count = receipts.len();
    for receipt in receipts {
        issue(sim, receipt).await;
    }
    count
}

/// How far a customer's message got; the bot is not told.
pub fn customer_message(sim: &Sim, id: &str, status: Status, problem: Option<Problem>) {
    let now = sim.now();
    let mut world = sim.world();
    let Some(message) = world.message_mut(id) else { return };
    if message.status < status {
        message.status = status;
        message.status_at = now;
        message.problem = problem;
        announce(sim, &world, id);
    }
}

/// Shows a new or changed message on the page.
pub fn announce(sim: &Sim, world: &World, id: &str) {
    sim.publish(|| {
        let message = world.message(id);
        let phone = message.and_then(|message| message.phone);
        json!({
            "type": "message",
            "message": message,
            "phone": phone.map(|index| world.phone_json(index)),
        })
    });
}

/// None if the message is forgotten or was as far already: after `read`, no
/// `delivered` is sent.
fn advance(sim: &Sim, id: &str, status: Status, problem: Option<Problem>) -> Option<Receipt> {
    let now = sim.now();
    let mut world = sim.world();
    let message = world.message_mut(id)?;
    if message.status >= status {
        return None;
    }
    message.status = status;
    message.status_at = now;
    message.problem = problem;
    let message = message.clone();
    let phone = message.phone.and_then(|index| world.phone(index));
    let value = value(sim, &message, phone, now);
    announce(sim, &world, id);
    Some(Receipt { message: message.id, value })
}

fn value(sim: &Sim, message: &Message, phone: Option<&Phone>, now: Millis) -> Value {
    let failed = message.status == Status::Failed;
    let to = message.to.as_deref().unwrap_or("");
    let to_user = super::names::is_user_id(to);
    let mut status = Map::new();
    status.insert("id".into(), message.id.clone().into());
    status.insert("status".into(), json!(message.status));
    status.insert("timestamp".into(), (now / 1_000).to_string().into());
    let number = match phone {
        Some(phone) => phone.number.clone(),
        None => super::names::digits(to),
    };
    if let Some(number) = number {
        status.insert("recipient_id".into(), number.into());
    }
    let user_id = phone.map(|phone| phone.user_id.clone()).or(to_user.then(|| to.to_owned()));
    // A failure of a message to a number does not say whose it is.
    if let Some(user_id) = user_id.filter(|_| !failed || to_user) {
        status.insert("recipient_user_id".into(), user_id.into());
    }
    if let Some(opaque) = &message.opaque {
        status.insert("biz_opaque_callback_data".into(), opaque.clone().into());
    }
    if matches!(message.status, Status::Sent | Status::Delivered) {
        status.insert("pricing".into(), pricing(&message.kind));
    }
    if let Some(problem) = &message.problem {
        status.insert("errors".into(), json!([problem.in_receipt()]));
    }
    let mut value = sim.value();
    value.insert("statuses".into(), json!([status]));
    if let Some(phone) = phone.filter(|_| !failed) {
        let with_username = message.status != Status::Sent;
        value.insert("contacts".into(), json!([contact(phone, with_username)]));
    }
    Value::Object(value)
}

/// The simulator does not know a template's category: a promotion, say.
fn pricing(kind: &str) -> Value {
    if kind == "template" {
        json!({"billable": true, "pricing_model": "PMP", "type": "regular",
            "category": "marketing"})
    } else {
        json!({"billable": false, "pricing_model": "PMP", "type": "free_customer_service",
            "category": "service"})
    }
}

/// An entry of `contacts[]`.
pub fn contact(phone: &Phone, with_username: bool) -> Value {
    let mut profile = Map::new();
    profile.insert("name".into(), phone.name.clone().into());
    if let Some(username) = phone.username.as_ref().filter(|_| with_username) {
        profile.insert("username".into(), format!("@{username}").into());
    }
    let mut contact = Map::new();
    contact.insert("profile".into(), profile.into());
    contact.insert("user_id".into(), phone.user_id.clone().into());
    if let Some(number) = &phone.number {
        contact.insert("wa_id".into(), number.clone().into());
    }
    contact.into()
}

impl Sim {
    /// What every value of the field `messages` begins with.
    pub fn value(&self) -> Map<String, Value> {
        let mut value = Map::new();
        value.insert("messaging_product".into(), "whatsapp".into());
        value.insert(
            "metadata".into(),
            json!({
                "display_phone_number": self.config.display_phone_number,
                "phone_number_id": self.config.phone_number_id,
            }),
        );
        value
    }
}
