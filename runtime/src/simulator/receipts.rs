//! What becomes of a message after it was accepted: the ladder sent →
//! delivered → read, or failed, and the receipts that tell the bot.

use super::{
    Shared, Sim,
    deliver::{self, Parcel},
    errors::Problem,
    faults::WebhookFaults,
    message::{Author, Message, Status},
    state::{DAY_MS, Millis, World},
    templates::Category,
};
use serde_json::json;

/// What is to become of a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Plan {
    Deliver,
    /// A reaction gives only `sent`; so does a phone that is out of reach.
    SentOnly,
    Fail(Problem),
    /// No receipt ever.
    Lose,
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

/// What was sent while the phone was out of reach and is still kept. Returns
/// how many it was.
pub async fn deliver_waiting(sim: &Shared, phone: usize) -> usize {
    let now = sim.now();
    let waiting: Vec<String> = {
        let world = sim.world();
        world
            .history(phone, u64::MAX)
            .filter(|message| message.by == Author::Business && message.kind != "reaction")
            .filter(|message| message.status <= Status::Sent && now < message.at + kept(message))
            .map(|message| message.id.clone())
            .collect()
    };
    let mut count = 0;
    for id in waiting.iter().rev() {
        if let Some(receipt) = advance(sim, id, Status::Delivered, None) {
            count += 1;
            issue(sim, receipt).await;
        }
    }
    count
}

/// How long WhatsApp tries to deliver.
fn kept(message: &Message) -> Millis {
    match message.filled.as_ref().and_then(|filled| filled.category) {
        Some(Category::Authentication) => 10 * 60 * 1_000,
        Some(Category::Marketing | Category::Utility) | None => 30 * DAY_MS,
    }
}

/// Sends a receipt, or does what the receipt faults say.
async fn issue(sim: &Shared, receipt: Parcel) {
    let copies = {
        let mut world = sim.world();
        let WebhookFaults { hold, drop, copies, .. } = world.settings.receipts;
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

async fn send(sim: &Shared, receipt: &Parcel, copies: u32) {
    let posts = (0..copies.max(1)).map(|_| deliver::post(sim, receipt.clone()));
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
fn advance(sim: &Sim, id: &str, status: Status, problem: Option<Problem>) -> Option<Parcel> {
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
    let who = message.phone.and_then(|index| world.phone(index)).map(|phone| phone.who.clone());
    announce(sim, &world, id);
    drop(world);
    sim.receipt_parcel(&message, who.as_ref(), now)
}
