//! What becomes of a well-formed send, whichever wire it came by: a fault, a
//! limit, a closed window, or a message in the history that climbs its ladder.

use super::{
    Shared, Sim,
    errors::Problem,
    faults::{Fault, FaultKind},
    limits::{PAIR_BURST, PAIR_INTERVAL_MS},
    message::{Author, Message, Status},
    phone::NewPhone,
    pricing::Sold,
    receipts::{self, Plan},
    settings::{UnknownNumbers, WindowError},
    state::{Millis, World},
    templates::{self, Category, Filled},
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
    /// By the path for promotions.
    pub marketing_api: bool,
}

pub enum Outcome {
    Taken(Taken),
    /// Taken, and answered after so long.
    Slow(Taken, Millis),
    Refuse(Problem),
    /// An HTTP status with a body that is not WhatsApp's.
    Break(u16),
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
    let outcome = judge(sim, send);
    if let Outcome::Refuse(problem) = &outcome {
        *sim.world().refused.entry(problem.code).or_default() += 1;
    }
    outcome
}

fn judge(sim: &Shared, send: Send) -> Outcome {
    let now = sim.now();
    let mut world = sim.world();
    let checked = check(sim, &mut world, &send, now);
    let (index, filled) = match checked {
        Ok(checked) => checked,
        Err(problem) => return Outcome::Refuse(problem),
    };
    let fault = take_fault(sim, &mut world, index, &send);
    match fault.as_ref().map(|fault| (fault.kind, fault.code, fault.hang_ms)) {
        Some((FaultKind::Error, code, _)) => {
            return Outcome::Refuse(Problem::new(code.unwrap_or(131000), ""));
        }
        Some((FaultKind::Http500, ..)) => return Outcome::Break(500),
        Some((FaultKind::Http, status, _)) => {
            return Outcome::Break(status.and_then(|code| u16::try_from(code).ok()).unwrap_or(500));
        }
        Some((FaultKind::Hang, _, millis)) => return Outcome::Hang(millis),
        Some((FaultKind::Failed | FaultKind::Timeout | FaultKind::Slow, ..)) | None => {}
    }
    let category = filled.as_ref().and_then(|filled| filled.category);
    let plan = match limits(&mut world, index, now) {
        Err(problem) if sim.limits_later() => Ok(Plan::Fail(problem)),
        Err(problem) => Err(problem),
        Ok(()) => plan(&mut world, index, &send, category, fault.as_ref(), now),
    };
    let plan = match plan {
        Ok(plan) => plan,
        Err(problem) => return Outcome::Refuse(problem),
    };
    let id = sim.message_id(&send.input, false);
    let taken = taken(sim, &world, index, &send, &id);
    keep(sim, &mut world, index, send, filled, &id, now);
    drop(world);
    if plan != Plan::Lose {
        tokio::spawn(receipts::climb(sim.clone(), id, plan));
    }
    match fault {
        Some(fault) if fault.kind == FaultKind::Timeout => Outcome::Hang(fault.hang_ms),
        Some(fault) if fault.kind == FaultKind::Slow => Outcome::Slow(taken, fault.hang_ms),
        Some(_) | None => Outcome::Taken(taken),
    }
}

/// What is wrong with a send whatever else happens: the account, the
/// recipient, the template, the file.
fn check(
    sim: &Sim,
    world: &mut World,
    send: &Send,
    now: Millis,
) -> Result<(Option<usize>, Option<Filled>), Problem> {
    let template = send.kind == "template";
    world.account.may_send(template)?;
    let index = recipient(sim, world, send)?;
    let filled = if template { fill(world, send)? } else { None };
    if let Some(Filled { category: Some(category), .. }) = &filled {
        match category {
            Category::Authentication if matches!(send.target, Target::User(_)) => {
                return Err(Problem::new(131062, ""));
            }
            Category::Marketing if !send.marketing_api && !world.account.marketing => {
                return Err(Problem::new(131063, ""));
            }
            Category::Utility | Category::Authentication if send.marketing_api => {
                return Err(Problem::new(100, "only marketing templates may be sent here"));
            }
            Category::Marketing | Category::Utility | Category::Authentication => {}
        }
    }
    for id in media_ids(send) {
        if world.files.find(id, now).is_none() {
            let why = format!("the media id {id} is not known, or its time is over");
            return Err(Problem::new(131009, &why));
        }
    }
    Ok((index, filled))
}

/// None for a template that is not registered, if such may be sent.
fn fill(world: &World, send: &Send) -> Result<Option<Filled>, Problem> {
    let text = |pointer| send.content.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let (name, language) = (text("/name"), text("/language/code"));
    if let Some(template) = world.templates.find(name, language) {
        template.may_be_sent()?;
        return templates::fill(template, &send.content).map(Some);
    }
    if world.settings.any_template && !world.templates.knows(name) {
        return Ok(None);
    }
    let why = format!("template name ({name}) does not exist in {language}");
    Err(Problem::new(132001, &why))
}

/// Of the message itself, of a header, of a template's parameters.
fn media_ids(send: &Send) -> Vec<&str> {
    const KINDS: [&str; 5] = ["image", "video", "audio", "document", "sticker"];
    if KINDS.contains(&send.kind.as_str()) {
        return send.content.get("id").and_then(Value::as_str).into_iter().collect();
    }
    let parameters = send
        .content
        .get("components")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|component| component.get("parameters")?.as_array())
        .flatten();
    parameters
        .chain(send.content.get("header"))
        .flat_map(|holder| KINDS.iter().filter_map(|kind| holder.get(*kind)?.get("id")?.as_str()))
        .collect()
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

/// What is to become of it; an error refuses it at once.
fn plan(
    world: &mut World,
    index: Option<usize>,
    send: &Send,
    category: Option<Category>,
    fault: Option<&Fault>,
    now: Millis,
) -> Result<Plan, Problem> {
    if send.target == Target::Lost {
        return Ok(Plan::Lose);
    }
    if let Some(fault) = fault.filter(|fault| fault.kind == FaultKind::Failed) {
        return Ok(Plan::Fail(Problem::new(fault.code.unwrap_or(131000), "")));
    }
    let Some((index, phone)) = index.and_then(|index| Some((index, world.phone(index)?))) else {
        return Ok(Plan::Fail(Problem::new(131026, "")));
    };
    let (open, offline) = (phone.window_is_open(now), phone.offline);
    if !open && send.kind != "template" {
        let problem = Problem::new(131047, "");
        return match world.settings.window_error {
            WindowError::Sync => Err(problem),
            WindowError::Status => Ok(Plan::Fail(problem)),
        };
    }
    if send.kind == "reaction" {
        let target = send.content.get("message_id").and_then(Value::as_str).unwrap_or("");
        let found = world.message(target).is_some_and(|message| message.kind != "reaction");
        let none = "there is no such message to react to";
        let fail = || Plan::Fail(Problem::new(131009, none));
        return Ok(if found { Plan::SentOnly } else { fail() });
    }
    if category == Some(Category::Marketing)
        && let Some(code) = promotion(world, index, open, now)
    {
        return Ok(Plan::Fail(Problem::new(code, "")));
    }
    let most = world.account.daily_contacts;
    if !open && !world.first_contacts.take(index, now, most) {
        return Err(Problem::new(131064, ""));
    }
    Ok(if offline { Plan::SentOnly } else { Plan::Deliver })
}

/// Why a promotion does not arrive; none if it does.
fn promotion(world: &mut World, index: usize, open: bool, now: Millis) -> Option<u32> {
    let (cap, no_us) = (world.settings.marketing_per_day, world.settings.us_marketing_block);
    let phone = world.phone_mut(index)?;
    let american = phone.who.number.as_ref().is_some_and(|number| number.starts_with('1'));
    if phone.stopped_marketing {
        Some(131050)
    } else if (no_us && american) || (cap > 0 && !open && !phone.take_promotion(now, cap)) {
        Some(131049)
    } else {
        None
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
fn keep(
    sim: &Sim,
    world: &mut World,
    index: Option<usize>,
    send: Send,
    filled: Option<Filled>,
    id: &str,
    now: Millis,
) {
    let service_charged = world.settings.service_charged;
    let phone = index.and_then(|index| world.phone_mut(index));
    let sold = Sold {
        template: send.kind == "template",
        category: filled.as_ref().and_then(|filled| filled.category),
        window_open: phone.as_ref().is_some_and(|phone| phone.window_is_open(now)),
        free_until: phone.and_then(|phone| phone.entry_point(now)),
        service_charged,
    };
    let mut message = Message::new(id.into(), Author::Business, now, &send.kind, send.content);
    message.pricing = Some(sold.price());
    message.filled = filled;
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
