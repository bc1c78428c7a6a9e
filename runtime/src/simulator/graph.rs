//! The Graph API as far as a bot needs it: sends, read marks, the number.

use super::{
    Shared, Sim,
    check::{self, Body, Send, Target},
    errors::{Problem, Refusal},
    faults::{Fault, FaultKind},
    limits::{PAIR_BURST, PAIR_INTERVAL_MS},
    media,
    receipts::{self, Plan},
    settings::{UnknownNumbers, WindowError},
    state::{Author, Message, Millis, NewPhone, Status, World},
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// How long "typing…" shows unless an answer ends it.
const TYPING_MS: Millis = 25_000;

/// `POST /{version}/{phone-number-id}/messages`.
pub async fn send(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let delay = sim.world().settings.answer_delay_ms;
    if delay > 0 {
        sim.pause(delay).await;
    }
    let body = authorise(&sim, &headers)
        .and_then(|()| our_number(&sim, &version, &id, "post"))
        .and_then(|()| check::body(&bytes));
    let outcome = match body {
        Ok(Body::Read { message_id, typing }) => mark_read(&sim, &message_id, typing),
        Ok(Body::Send(send)) => accept(&sim, send),
        Err(refusal) => Outcome::Refuse(refusal),
    };
    match outcome {
        Outcome::Answer(body) => Json(body).into_response(),
        Outcome::Refuse(refusal) => refusal.into_response(sim.serial()),
        Outcome::Break => {
            (StatusCode::INTERNAL_SERVER_ERROR, "Sorry, something went wrong.").into_response()
        }
        Outcome::Hang(millis) => {
            sim.pause(millis).await;
            StatusCode::GATEWAY_TIMEOUT.into_response()
        }
    }
}

/// `GET /{version}/{id}`: the business number, or a file's description.
pub async fn object(
    State(sim): State<Shared>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let refuse = |refusal: Refusal| refusal.into_response(sim.serial());
    if let Err(refusal) = authorise(&sim, &headers) {
        return refuse(refusal);
    }
    if let Some(answer) = media::describe(&id, &headers) {
        return answer;
    }
    match our_number(&sim, &version, &id, "get") {
        Ok(()) => Json(json!({
            "verified_name": sim.config.business_name,
            "display_phone_number": sim.config.display_phone_number,
            "quality_rating": "GREEN",
            "code_verification_status": "VERIFIED",
            "platform_type": "CLOUD_API",
            "throughput": {"level": "STANDARD"},
            "id": sim.config.phone_number_id,
        }))
        .into_response(),
        Err(refusal) => refuse(refusal),
    }
}

pub async fn unknown_path(uri: Uri) -> Response {
    let why = format!("the simulator has nothing at {}", uri.path());
    (StatusCode::NOT_FOUND, Json(json!({"error": {"message": why, "code": 2500}}))).into_response()
}

pub fn authorise(sim: &Sim, headers: &HeaderMap) -> Result<(), Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if token.map(str::trim) == Some(sim.config.access_token.as_str()) {
        Ok(())
    } else {
        Err(Refusal::new(190, "Invalid OAuth access token - Cannot parse access token"))
    }
}

/// Checks a version's form and that the id is the business number's.
pub fn our_number(sim: &Sim, version: &str, id: &str, method: &str) -> Result<(), Refusal> {
    let numbers = version.strip_prefix('v').and_then(|version| version.split_once('.'));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !numbers.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
        return Err(Refusal::new(100, "the path must begin with a version, such as v26.0"));
    }
    if id == sim.config.phone_number_id { Ok(()) } else { Err(Refusal::no_object(method, id)) }
}

enum Outcome {
    Answer(Value),
    Refuse(Refusal),
    /// HTTP 500 that is not Meta's.
    Break,
    /// No answer for so long.
    Hang(Millis),
}

fn mark_read(sim: &Sim, message_id: &str, typing: bool) -> Outcome {
    let now = sim.now();
    let mut world = sim.world();
    let marked = world.message(message_id).filter(|message| message.by == Author::Customer);
    let Some((index, seq)) = marked.and_then(|message| Some((message.phone?, message.seq))) else {
        return Outcome::Refuse(Refusal::new(131009, "message_id is no message of a customer's"));
    };
    // All before it too, as far as they are not read.
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
    Outcome::Answer(json!({"success": true}))
}

/// What a send meets: a fault, a limit, or nothing.
fn accept(sim: &Shared, send: Send) -> Outcome {
    let now = sim.now();
    let (id, plan, outcome) = {
        let mut world = sim.world();
        let index = match recipient(sim, &mut world, &send) {
            Ok(index) => index,
            Err(refusal) => return Outcome::Refuse(refusal),
        };
        let fault = take_fault(sim, &mut world, index, &send);
        match fault.as_ref().map(|fault| (fault.kind, fault.code)) {
            Some((FaultKind::Error, code)) => {
                return Outcome::Refuse(Refusal::new(code.unwrap_or(131000), ""));
            }
            Some((FaultKind::Http500, _)) => return Outcome::Break,
            Some((FaultKind::Failed | FaultKind::Timeout, _)) | None => {}
        }
        if let Err(refusal) = limits(&mut world, index, now) {
            return Outcome::Refuse(refusal);
        }
        let plan = plan(&world, index, &send, fault.as_ref(), now);
        if let (Plan::Fail(problem), WindowError::Sync) = (&plan, world.settings.window_error)
            && problem.code == 131047
        {
            return Outcome::Refuse(Refusal::new(131047, ""));
        }
        let id = sim.message_id(&send.input, false);
        let answer = answer(sim, &world, index, &send, &id);
        let hang = fault.filter(|fault| fault.kind == FaultKind::Timeout);
        keep(sim, &mut world, index, send, &id, now);
        let outcome = match hang {
            Some(fault) => Outcome::Hang(fault.hang_ms),
            None => Outcome::Answer(answer),
        };
        (id, plan, outcome)
    };
    if plan != Plan::Lose {
        tokio::spawn(receipts::climb(sim.clone(), id, plan));
    }
    outcome
}

/// None for one who has no phone here.
fn recipient(sim: &Sim, world: &mut World, send: &Send) -> Result<Option<usize>, Refusal> {
    match &send.target {
        Target::Number(number) if *number == sim.config.display_phone_number => {
            Err(Refusal::new(131021, ""))
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
    let phone = index.and_then(|index| world.phone(index)).cloned();
    let mut names = vec![send.input.as_str()];
    if let Some(phone) = &phone {
        names.push(phone.key());
        names.push(&phone.user_id);
    }
    let fault = world.faults.take(&names)?;
    sim.publish(|| json!({"type": "faults", "faults": world.faults.waiting()}));
    Some(fault)
}

fn limits(world: &mut World, index: Option<usize>, now: Millis) -> Result<(), Refusal> {
    let rate = world.settings.messages_per_second;
    if rate > 0 && !world.throughput.take(now, 1_000.0 / f64::from(rate), rate) {
        return Err(Refusal::new(130429, ""));
    }
    let pair_limit = world.settings.pair_limit;
    let phone = index.and_then(|index| world.phone_mut(index)).filter(|_| pair_limit);
    match phone.is_none_or(|phone| phone.pair.take(now, PAIR_INTERVAL_MS, PAIR_BURST)) {
        true => Ok(()),
        false => Err(Refusal::new(131056, "")),
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

/// The answer of the Graph API.
fn answer(sim: &Sim, world: &World, index: Option<usize>, send: &Send, id: &str) -> Value {
    let phone = index.and_then(|index| world.phone(index));
    let contact = match &send.target {
        Target::Number(number) => json!({"input": send.input, "wa_id": number,
            "user_id": phone.map(|phone| phone.user_id.as_str())}),
        Target::User(user) => json!({"input": send.input, "user_id": user}),
        Target::Lost => json!({"input": send.input, "wa_id": send.input}),
    };
    let contact = match contact {
        Value::Object(mut contact) => {
            contact.retain(|_, value| !value.is_null());
            Value::Object(contact)
        }
        other => other,
    };
    if send.target == Target::Lost {
        tracing::warn!("a BSUID in `to` reaches nobody: it belongs in `recipient`");
        sim.publish(|| json!({"type": "lost", "to": send.input}));
    }
    let message = match send.kind.as_str() {
        "template" => json!({"id": id, "message_status": "accepted"}),
        _ => json!({"id": id}),
    };
    json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})
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
