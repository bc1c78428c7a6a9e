//! What becomes of a well-formed send, whichever wire it came by: a fault, a
//! limit, a closed window, or a message in the history that climbs its ladder.

use super::{
    Shared, Sim,
    errors::Problem,
    faults::{Fault, FaultKind},
    limits::{PAIR_BURST, PAIR_INTERVAL_MS},
    message::{Author, Message, Status},
    phone::NewPhone,
    receipts::{self, Plan},
    settings::{UnknownNumbers, WindowError},
    state::{Millis, World},
};
use serde_json::{Value, json};

/// How long "typing…" shows unless an answer ends it.
const TYPING_MS: Millis = 25_000;

/// The one who is to get it, as the business named them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// Digits.
    Number(String),
    /// A business-scoped user id.
    User(String),
    /// A user id where a number belongs: WhatsApp takes it, and nobody gets it.
    Lost,
}

/// A well-formed send. Its content is in Meta's form, whichever wire it came by.
#[derive(Clone, PartialEq, Debug)]
pub struct Send {
    pub kind: String,
    /// What stands under the kind's name.
    pub content: Value,
    pub target: Target,
    /// The recipient as it was written.
    pub input: String,
    pub opaque: Option<String>,
    pub reply_to: Option<String>,
}

pub enum Outcome {
    Taken(Taken),
    Refuse(Problem),
    /// HTTP 500 that is not WhatsApp's.
    Break,
    /// No answer for so long.
    Hang(Millis),
}

/// What an answer to a send may say.
pub struct Taken {
    pub id: String,
    pub kind: String,
    pub target: Target,
    pub input: String,
    /// None if no phone has this number.
    pub user_id: Option<String>,
}

/// Marks a customer's message as read, and all before it.
///
/// # Errors
/// There is no such message.
pub fn mark_read(sim: &Sim, message_id: &str, typing: bool) -> Result<(), Problem> {
    let now = sim.now();
    let mut world = sim.world();
    let marked = world.message(message_id).filter(|message| message.by == Author::Customer);
    let Some((index, seq)) = marked.and_then(|message| Some((message.phone?, message.seq))) else {
        return Err(Problem::new(131009, "message_id is no message of a customer's"));
    };
    let earlier: Vec<String> = world
        .history(index, seq + 1)
        .filter(|message| message.by == Author::Customer)
        .take_while(|message| message.status != Status::Read)
        .map(|message| message.id.clone())
        .collect();
    for id in &earlier {
        if let Some(message) = world.message_mut(id) {
            message.status = Status::Read;
            message.status_at = now;
            message.problem = None;
        }
        receipts::announce(sim, &world, id);
    }
    if typing {
        if let Some(phone) = world.phone_mut(index) {
            phone.typing_until = now + TYPING_MS;
        }
        sim.publish(|| json!({"type": "phone", "phone": world.phone_json(index)}));
    }
    Ok(())
}

pub fn accept(sim: &Shared, send: Send) -> Outcome {
    let now = sim.now();
    let (id, plan, outcome) = {
        let mut world = sim.world();
        let index = match recipient(sim, &mut world, &send) {
            Ok(index) => index,
            Err(problem) => return Outcome::Refuse(problem),
        };
        let fault = take_fault(sim, &mut world, index, &send);
        match fault.as_ref().map(|fault| (fault.kind, fault.code)) {
            Some((FaultKind::Error, code)) => {
                return Outcome::Refuse(Problem::new(code.unwrap_or(131000), ""));
            }
            Some((FaultKind::Http500, _)) => return Outcome::Break,
            Some((FaultKind::Failed | FaultKind::Timeout, _)) | None => {}
        }
        let plan = match limits(&mut world, index, now) {
            Err(problem) if sim.limits_later() => Plan::Fail(problem),
            Err(problem) => return Outcome::Refuse(problem),
            Ok(()) => plan(&world, index, &send, fault.as_ref(), now),
        };
        if let (Plan::Fail(problem), WindowError::Sync) = (&plan, world.settings.window_error)
            && problem.code == 131047
        {
            return Outcome::Refuse(Problem::new(131047, ""));
        }
        let id = sim.message_id(&send.input, false);
        let taken = taken(sim, &world, index, &send, &id);
        let hang = fault.filter(|fault| fault.kind == FaultKind::Timeout);
        keep(sim, &mut world, index, send, &id, now);
        let outcome = match hang {
            Some(fault) => Outcome::Hang(fault.hang_ms),
            None => Outcome::Taken(taken),
        };
        (id, plan, outcome)
    };
    if plan != Plan::Lose {
        tokio::spawn(receipts::climb(sim.clone(), id, plan));
    }
    outcome
}

/// None for one who has no phone here.
fn recipient(sim: &Sim, world: &mut World, send: &Send) -> Result<Option<usize>, Problem> {
    match &send.target {
        Target::Number(number) if *number == sim.config.display_phone_number => {
            Err(Problem::new(131021, ""))
        }
        Target::Number(number) => match (world.find(number), world.settings.unknown_numbers) {
            (None, UnknownNumbers::Create) => {
                let new = NewPhone { number: Some(number.clone()), ..NewPhone::default() };
                Ok(world.add_phone(new).ok())
            }
            (found, UnknownNumbers::Create | UnknownNumbers::Fail) => Ok(found),
        },
        Target::User(user) => Ok(world.find(user)),
        Target::Lost => Ok(None),
    }
}

fn take_fault(sim: &Sim, world: &mut World, index: Option<usize>, send: &Send) -> Option<Fault> {
    let who = index.and_then(|index| world.phone(index)).map(|phone| phone.who.clone());
    let mut names = vec![send.input.as_str()];
    if let Some(who) = &who {
        names.push(who.key());
        names.push(&who.user_id);
    }
    let fault = world.faults.take(&names)?;
    sim.publish(|| json!({"type": "faults", "faults": world.faults.waiting()}));
    Some(fault)
}

fn limits(world: &mut World, index: Option<usize>, now: Millis) -> Result<(), Problem> {
    let rate = world.settings.messages_per_second;
    if rate > 0 && !world.throughput.take(now, 1_000.0 / f64::from(rate), rate) {
        return Err(Problem::new(130429, ""));
    }
    let pair_limit = world.settings.pair_limit;
    let phone = index.and_then(|index| world.phone_mut(index)).filter(|_| pair_limit);
    match phone.is_none_or(|phone| phone.pair.take(now, PAIR_INTERVAL_MS, PAIR_BURST)) {
        true => Ok(()),
        false => Err(Problem::new(131056, "")),
    }
}

fn plan(
    world: &World,
    index: Option<usize>,
    send: &Send,
    fault: Option<&Fault>,
    now: Millis,
) -> Plan {
    if send.target == Target::Lost {
        return Plan::Lose;
    }
    if let Some(fault) = fault.filter(|fault| fault.kind == FaultKind::Failed) {
        return Plan::Fail(Problem::new(fault.code.unwrap_or(131000), ""));
    }
    let Some(phone) = index.and_then(|index| world.phone(index)) else {
        return Plan::Fail(Problem::new(131026, ""));
    };
    let open = phone.window_open_until().is_some_and(|until| now < until);
    if !open && send.kind != "template" {
        return Plan::Fail(Problem::new(131047, ""));
    }
    if send.kind != "reaction" {
        return Plan::Deliver;
    }
    let target = send.content.get("message_id").and_then(Value::as_str).unwrap_or("");
    match world.message(target) {
        Some(message) if message.kind != "reaction" => Plan::SentOnly,
        Some(_) | None => Plan::Fail(Problem::new(131009, "there is no such message to react to")),
    }
}

fn taken(sim: &Sim, world: &World, index: Option<usize>, send: &Send, id: &str) -> Taken {
    if send.target == Target::Lost {
        tracing::warn!("a BSUID in `to` reaches nobody: it belongs in `recipient`");
        sim.publish(|| json!({"type": "lost", "to": send.input}));
    }
    Taken {
        id: id.to_owned(),
        kind: send.kind.clone(),
        target: send.target.clone(),
        input: send.input.clone(),
        user_id: index.and_then(|index| world.phone(index)).map(|p| p.who.user_id.clone()),
    }
}

/// Puts it in the history.
fn keep(sim: &Sim, world: &mut World, index: Option<usize>, send: Send, id: &str, now: Millis) {
    let mut message = Message::new(id.into(), Author::Business, now, &send.kind, send.content);
    message.opaque = send.opaque;
    message.reply_to = send.reply_to;
    message.to = Some(send.input);
    message.phone = index;
    if send.kind == "reaction" {
        react(sim, world, &message);
    } else if let Some(phone) = index.and_then(|index| world.phone_mut(index)) {
        phone.unread += 1;
        phone.typing_until = 0;
    }
    world.sent_total += 1;
    world.push(message);
    receipts::announce(sim, world, id);
}

fn react(sim: &Sim, world: &mut World, reaction: &Message) {
    let text = |name| reaction.content.get(name).and_then(Value::as_str).unwrap_or("");
    let (target, emoji) = (text("message_id"), text("emoji"));
    if let Some(message) = world.message_mut(target).filter(|m| m.phone == reaction.phone) {
        message.business_reaction = Some(emoji.to_owned()).filter(|emoji| !emoji.is_empty());
        receipts::announce(sim, world, target);
    }
}
