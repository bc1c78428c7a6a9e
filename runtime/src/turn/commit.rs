//! Turns the kept effects into the one value that is written.

use super::{
    asked,
    draft::{READS, Setting},
    merge::merge,
    run::{Recorded, Turn},
};
use crate::model::*;
use std::sync::Arc;

/// A trace keeps this many characters of what the contact wrote.
const TEXT_CHARS: usize = 1_000;

pub(super) async fn finish(mut turn: Turn, joins: bool, duration_us: u64) -> TurnCommit {
    let event = Arc::clone(&turn.setting.event);
    let mut commit = TurnCommit::new(event.id.clone());
    commit.member = member_of(&event, String::new());
    commit.achieved = achieved(&turn);
    let mut index = 0;
    for (step, effect) in std::mem::take(&mut turn.effects) {
        // Counted as the draft counted when it gave out the ids.
        let sends = matches!(effect, Effect::Send { .. } | Effect::MarkRead { .. });
        let id = SendId { turn: event.id.clone(), index };
        add_effect(&mut commit, &mut turn, &step, effect, id).await;
        index += u32::from(sends);
    }
    if let (true, Some(contact)) = (joins, &turn.contact) {
        let items = std::mem::take(&mut commit.outbox);
        let provider = &*turn.setting.provider;
        commit.outbox = merge(items, contact.id, provider, &mut turn.remarks);
    }
    commit.tagged = std::mem::take(&mut turn.tagged);
    if let (Some(member), Some(contact)) = (&mut commit.member, &turn.contact) {
        let own = commit.outbox.iter().filter(|item| item.contact == contact.id);
        member.sends = own.map(|item| item.id.clone()).collect();
        member.otherwise = turn.why_nothing();
    }
    commit.timers.extend(retry(&event, turn.again_at));
    commit.wrote = wrote(&event);
    commit.kv = std::mem::take(&mut turn.kv);
    commit.receipt = turn.receipt.take();
    commit.templates = template_news(&turn);
    if turn.contact != turn.before {
        commit.contact = turn.contact.take();
    }
    // A receipt that no step cared for is told by the message's own state.
    let silent = turn.steps.is_empty() && turn.remarks.is_empty();
    if !(silent && commit.receipt.is_some()) {
        commit.trace = Some(trace(turn, &event, &commit, duration_us));
    }
    commit
}

/// Brings an event of a step's own back at `due`.
fn retry(event: &Event, due: Option<Millis>) -> Option<TimerWrite> {
    let (due, step) = (due?, event.kind.step()?.to_owned());
    // No step may give a timer such a name.
    let name = format!("\u{1}{}", event.id);
    Some(TimerWrite::Set(Timer {
        key: TimerKey { lane: event.id.lane.clone(), step, name },
        channel: event.channel.clone(),
        due,
        payload: String::new(),
        member: event.member.clone(),
        retry: Some(Box::new(Retry { kind: event.kind.clone(), tries: event.tries + 1 })),
    }))
}

/// The campaign's member whose turn it is, to whom nothing has been done yet.
pub(super) fn member_of(event: &Event, otherwise: String) -> Option<MemberTurn> {
    let (of, step) = (event.member.clone()?, event.kind.step()?.to_owned());
    let (channel, sends) = (event.channel.clone(), Vec::new());
    Some(MemberTurn { of, step, channel, sends, left_out: None, variant: None, otherwise })
}

fn wrote(event: &Event) -> Option<Wrote> {
    let EventKind::Message(message) = &event.kind else { return None };
    let contact = event.id.lane.contact().filter(|_| message.content.opens_window())?;
    let tapped = match &message.content {
        Content::Choice(_) => message.replies_to.clone(),
        _ => None,
    };
    Some(Wrote { contact, tapped })
}

/// What has come about in the turn that may be a campaign's goal.
fn achieved(turn: &Turn) -> Vec<Goal> {
    let set = turn.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::SetAttribute { name, value: Some(_) } => Some(Goal::Attribute(name.clone())),
        _ => None,
    });
    let tagged = turn.tagged.iter().filter(|tag| tag.change == TagMove::Added);
    let tagged = tagged.map(|tag| Goal::Tag(tag.name.clone()));
    let ordered = match &turn.setting.event.kind {
        EventKind::Message(Message { content: Content::Order(_), .. }) => Some(Goal::Order),
        _ => None,
    };
    set.chain(tagged).chain(ordered).collect()
}

/// What the event tells of a template, with the account that the template is of.
fn template_news(turn: &Turn) -> Vec<(String, TemplateNews)> {
    let Setting { event, provider, .. } = &turn.setting;
    match &event.kind {
        EventKind::Account { news: News::Template(news), .. } => {
            let account = provider.template_account();
            account.map(|account| (account.to_owned(), news.clone())).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

async fn add_effect(
    commit: &mut TurnCommit,
    turn: &mut Turn,
    step: &str,
    effect: Effect,
    id: SendId,
) {
    let event = Arc::clone(&turn.setting.event);
    let (lane, channel) = (&event.id.lane, &event.channel);
    match effect {
        Effect::Send { to: None, message, quote } => {
            let asked = asked::by(channel, &message, turn.setting.now);
            if let (Some(contact), Some(asked)) = (&mut turn.contact, asked) {
                contact.asked = asked;
            }
            if let Some(contact) = &turn.contact {
                let item = item(id, turn, step, contact, message);
                commit.outbox.push(OutboxItem { quote, ..item });
            }
        }
        Effect::Send { to: Some(other), message, quote } => {
            if let Some(item) = to_other(commit, turn, step, (other, id), message).await {
                commit.outbox.push(OutboxItem { quote, ..item });
            }
        }
        Effect::MarkRead { typing } => {
            if let (Some(contact), EventKind::Message(message)) = (&turn.contact, &event.kind) {
                let read = Outgoing::Read { message_id: message.id.clone(), typing };
                commit.outbox.push(item(id, turn, step, contact, read));
            }
        }
        Effect::SetTimer { name, due, payload } => {
            let key = TimerKey { lane: lane.clone(), step: step.into(), name };
            let member = event.member.clone();
            let channel = channel.clone();
            let timer = Timer { key, channel, due, payload, member, retry: None };
            commit.timers.push(TimerWrite::Set(timer));
        }
        Effect::CancelTimer { name } => {
            let key = TimerKey { lane: lane.clone(), step: step.into(), name };
            commit.timers.push(TimerWrite::Cancel(key));
        }
        Effect::Broadcast { id, to, payload, terms } => {
            let key = CampaignKey { channel: channel.clone(), step: step.into(), id };
            let begun = Broadcast::new(key, to, payload, turn.setting.now);
            commit.broadcasts.push(Broadcast { terms, ..begun });
        }
        Effect::LeaveOut { reason } => {
            if let Some(member) = &mut commit.member {
                member.left_out = Some(reason);
            }
        }
        Effect::Variant { name } => {
            if let Some(member) = &mut commit.member {
                member.variant = Some(name);
            }
        }
        Effect::Unanswered { question } => commit.unanswered.extend(kept(turn, step, question)),
        // Done already, to the contact itself.
        Effect::Tag { .. }
        | Effect::Untag { .. }
        | Effect::SetAttribute { .. }
        | Effect::Handoff { .. }
        | Effect::Resume
        | Effect::OptIn { .. }
        | Effect::OptOut { .. }
        | Effect::Note { .. } => {}
    }
}

/// What goes to another contact, with what it asks there; none if nobody is there.
async fn to_other(
    commit: &mut TurnCommit,
    turn: &mut Turn,
    step: &str,
    (other, id): (ContactId, SendId),
    message: Outgoing,
) -> Option<OutboxItem> {
    match turn.setting.store.contact(other).await {
        Ok(Some(contact)) => {
            let channel = &turn.setting.event.channel;
            let asked = asked::by(channel, &message, turn.setting.now);
            commit.asked.extend(asked.map(|asked| (contact.id, asked)));
            return Some(item(id, turn, step, &contact, message));
        }
        Ok(None) => turn.remarks.push(format!("`{step}` wrote to {other}, who is unknown")),
        Err(error) => turn.remarks.push(format!("{other} could not be read: {error}")),
    }
    None
}

fn kept(turn: &Turn, step: &str, question: String) -> Option<Unanswered> {
    /// So many are kept that each must be short.
    const REASONS: usize = 4;
    const REASON_CHARS: usize = 300;
    let (contact, at) = (turn.contact.as_ref()?.id, turn.setting.now);
    let channel = turn.setting.event.channel.clone();
    let own = turn.steps.iter().find(|own| own.step == *step);
    let because = own.map(|own| own.because.as_slice()).unwrap_or_default();
    let because = because.iter().rev().take(REASONS).rev();
    let because = because.map(|why| why.chars().take(REASON_CHARS).collect()).collect();
    Some(Unanswered { contact, channel, step: step.into(), question, at, because })
}

fn item(id: SendId, turn: &Turn, step: &str, to: &Contact, message: Outgoing) -> OutboxItem {
    let now = turn.setting.now;
    OutboxItem {
        campaign: turn.setting.event.campaign().map(str::to_owned),
        member: turn.setting.event.member.as_ref().map(|member| member.contact),
        ..OutboxItem::new(
            id,
            (
                turn.setting.event.channel.clone(),
                to.id,
                Address { phone: to.phone.clone(), bsuid: to.bsuid.clone() },
            ),
            message,
            step,
            now,
        )
    }
}

/// Bytes that a recording may take: a few messages' worth. The trace is written
/// with every turn.
const RECORD_BYTES: usize = 32 * 1024;

fn recording(turn: &mut Turn) -> Recording {
    let Some(Recorded { contact, steps }) = turn.recorded.take() else { return Recording::None };
    if steps.is_empty() {
        return Recording::None;
    }
    let written = |step: &StepRecord| -> usize {
        let of = |(_, key, value): &(_, String, Option<Vec<u8>>)| {
            key.len() + value.as_ref().map_or(0, Vec::len)
        };
        step.writes.iter().map(of).sum()
    };
    let of_step = |step: &StepRecord| step.inputs.bytes() + written(step);
    // Who sent it, the contact knows.
    let event = Event { sender: None, ..Event::clone(&turn.setting.event) };
    let bytes = event.raw.len() + steps.iter().map(of_step).sum::<usize>();
    let many = |step: &StepRecord| step.inputs.kv.len() >= READS || step.inputs.keys.len() >= READS;
    if bytes > RECORD_BYTES || steps.iter().any(many) {
        return Recording::TooLarge { bytes, limit: RECORD_BYTES };
    }
    // No plugin sees notes.
    let contact = contact.map(|contact| Contact { notes: Vec::new(), ..contact });
    let zone = turn.setting.zone.to_string();
    Recording::Whole(Box::new(Record { event, contact, zone, steps }))
}

fn trace(mut turn: Turn, event: &Event, commit: &TurnCommit, duration_us: u64) -> Trace {
    let recording = recording(&mut turn);
    Trace {
        turn: event.id.clone(),
        channel: event.channel.clone(),
        event: event.kind.name().into(),
        text: text_of(&event.kind),
        media: event.kind.media().map(|media| media.id.clone()),
        at: turn.setting.now,
        generation: turn.generation,
        steps: turn.steps,
        sends: commit.outbox.iter().map(|item| item.id.clone()).collect(),
        remarks: turn.remarks,
        duration_us,
        recording,
        account: account_of(event),
    }
}

/// What the provider itself sent: our own events have no body.
fn account_of(event: &Event) -> Option<Box<AccountChange>> {
    match &event.kind {
        EventKind::Account { field, news } if !event.raw.is_empty() => {
            Some(Box::new(AccountChange::new(field, news, &event.raw)))
        }
        _ => None,
    }
}

/// What the contact wrote or did, in a line.
pub(super) fn text_of(kind: &EventKind) -> Option<String> {
    let text = match kind {
        EventKind::Message(message) => match &message.content {
            Content::Text(text) => text.clone(),
            Content::Choice(choice) => format!("[{}]", choice.title),
            Content::Media(media) => {
                format!("[{}] {}", media.kind.name(), media.caption.as_deref().unwrap_or_default())
            }
            Content::Location(_) => "[location]".into(),
            Content::Reaction(reaction) => {
                format!("[reaction] {}", reaction.emoji.as_deref().unwrap_or("taken back"))
            }
            other => format!("[{}]", other.kind()),
        },
        EventKind::TimerFired { name, .. } => format!("timer {name}"),
        EventKind::Broadcast { id, .. } => format!("broadcast {id}"),
        EventKind::Account { field, .. } => field.clone(),
        EventKind::Receipt(receipt) => receipt.state.name().into(),
        EventKind::Operator(Operator::Resume { by }) => format!("resumed by {by}"),
        EventKind::Operator(Operator::Tag { name, by, .. }) => format!("tagged {name} by {by}"),
        EventKind::Operator(Operator::Untag { name, by, .. }) => {
            format!("{name} taken away by {by}")
        }
    };
    Some(text.trim().chars().take(TEXT_CHARS).collect())
}
