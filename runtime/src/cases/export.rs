//! Makes a recorded turn a case: what a step saw of it, and what it did.

use super::{
    contact::ContactForm,
    effect::EffectForm,
    event::{EventForm, LaneForm, json_of},
    form::{Case, ExchangeForm, Expected, StoredAfter, StoredForm},
    moment::Moment,
    run::usual_policy,
    standins::StandIns,
};
use crate::{
    model::{Contact, Effect, EventKind, KvScope, Record, Recording, StepRecord, StepTrace, Trace},
    turn::StepError,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What the running folder says of the step.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// None: it has none.
    pub rules: Option<Value>,
    /// The business's, if it has one.
    pub calendar: Option<Value>,
    /// Its `grants` and `limits`.
    pub step: Option<Value>,
}

/// Whether the case names the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// As recorded.
    Personal,
    /// With stand-ins for phone number, name and ids.
    StandIns,
}

#[derive(Clone, Debug)]
pub struct Exported {
    pub case: Case,
    /// Whether the step had these rules in its turn.
    pub same_rules: bool,
}

/// Why a turn can't be made a case.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    #[error(
        "the turn was not recorded: `[turns] record` was `false` when it ran, or it is older \
         than recordings are"
    )]
    NotRecorded,
    #[error("the turn was not recorded: it read {bytes} bytes, and {limit} are kept at most")]
    TooLarge { bytes: usize, limit: usize },
    #[error("no step ran in that turn")]
    NoSteps,
    #[error("the step `{step}` did not run in that turn; these did: {ran}")]
    NoSuchStep { step: String, ran: String },
    #[error("the step `{step}` did not run: it {why}")]
    Rested { step: String, why: String },
    #[error("the case can't be written as JSON: {0}")]
    Json(String),
}

/// The name of the step that `step` asks for: by default the one with which
/// the chain ended.
pub fn step_of<'a>(trace: &'a Trace, step: Option<&str>) -> Result<&'a str, Unfit> {
    let Some(last) = trace.steps.last() else { return Err(Unfit::NoSteps) };
    let Some(asked) = step else { return Ok(&last.step) };
    let found = trace.steps.iter().find(|ran| ran.step == asked);
    found.map(|found| found.step.as_str()).ok_or_else(|| {
        let ran: Vec<&str> = trace.steps.iter().map(|ran| ran.step.as_str()).collect();
        Unfit::NoSuchStep { step: asked.into(), ran: ran.join(", ") }
    })
}

/// The step `step` of a recorded turn as the case `name`.
pub fn of_turn(
    trace: &Trace,
    step: &str,
    name: &str,
    setup: Setup,
    kept: Kept,
) -> Result<Exported, Unfit> {
    let record = match &trace.recording {
        Recording::None => return Err(Unfit::NotRecorded),
        Recording::TooLarge { bytes, limit } => {
            return Err(Unfit::TooLarge { bytes: *bytes, limit: *limit });
        }
        Recording::Whole(record) => record,
    };
    let step = step_of(trace, Some(step))?;
    let index = trace.steps.iter().position(|ran| ran.step == step).unwrap_or_default();
    let (Some(ran), Some(own)) = (trace.steps.get(index), record.steps.get(index)) else {
        return Err(Unfit::NotRecorded);
    };
    // Nothing ran, so nothing can again.
    if ran.error_kind.as_deref() == Some(StepError::RESTING) {
        let why = ran.error.clone().unwrap_or_default();
        return Err(Unfit::Rested { step: step.into(), why });
    }
    let before = trace.steps.get(..index).unwrap_or_default();
    let contact = contact_then(record, before, trace.at);
    let case = Case {
        name: name.into(),
        event: Some(event(trace, record, before)),
        contact: contact.as_ref().map(|contact| seen(contact, record, trace)),
        calendar: None,
        rules: None,
        stored: stored(own),
        http: exchanges(own),
        step: setup.step.clone(),
        expected: Some(expected(ran, own)),
    };
    let mut case = match kept {
        Kept::Personal => case,
        Kept::StandIns => {
            let stand_ins = StandIns::of(&record.event, record.contact.as_ref());
            anonymous(case, &stand_ins).map_err(|error| Unfit::Json(error.to_string()))?
        }
    };
    let none = Value::Object(Default::default());
    let same_rules = rules_hash(setup.rules.as_ref().unwrap_or(&none)) == own.rules;
    case.rules = setup.rules;
    case.calendar = setup.calendar;
    Ok(Exported { case, same_rules })
}

/// By which a turn remembers the rules that a step had.
pub fn rules_hash(rules: &Value) -> String {
    let hash: [u8; 32] = Sha256::digest(rules.to_string()).into();
    let short: Vec<u8> = hash.into_iter().take(8).collect();
    hex::encode(short)
}

fn anonymous(case: Case, stand_ins: &StandIns) -> serde_json::Result<Case> {
    // The owner's own name for it, and the owner's own settings.
    let (name, step) = (case.name.clone(), case.step.clone());
    let case: Case = serde_json::from_value(stand_ins.put_into(serde_json::to_value(case)?))?;
    Ok(Case { name, step, ..case })
}

/// The contact as the step saw it: with the effects of the steps before.
fn contact_then(record: &Record, before: &[StepTrace], now: u64) -> Option<Contact> {
    let mut contact = record.contact.clone()?;
    for step in before {
        for effect in &step.effects {
            contact.apply(effect, &step.step, now);
        }
    }
    Some(contact)
}

fn seen(contact: &Contact, record: &Record, trace: &Trace) -> ContactForm {
    let sent_at = match &record.event.kind {
        EventKind::Message(message) => Some(message.sent_at),
        EventKind::Receipt(_)
        | EventKind::TimerFired { .. }
        | EventKind::Broadcast { .. }
        | EventKind::Operator(_)
        | EventKind::Account { .. } => None,
    };
    ContactForm::of(contact, &record.event.channel, trace.at, sent_at, &usual_policy())
}

fn event(trace: &Trace, record: &Record, before: &[StepTrace]) -> EventForm {
    let event = &record.event;
    let sent = |effect: &&Effect| matches!(effect, Effect::Send { .. } | Effect::MarkRead { .. });
    let sends = before.iter().flat_map(|step| &step.effects).filter(sent).count();
    let channel = event.channel.to_string();
    EventForm {
        now: Some(Moment(trace.at)),
        zone: Some(record.zone.clone()).filter(|zone| zone != "UTC"),
        channel: Some(channel).filter(|channel| channel != "main"),
        lane: event.id.lane.contact().is_none().then_some(LaneForm::Channel),
        turn: Some(event.id.seq),
        sends: u32::try_from(sends).ok().filter(|sends| *sends > 0),
        raw: (!event.raw.is_empty()).then(|| json_of(&event.raw)),
        ..EventForm::of_kind(&event.kind, trace.at)
    }
}

fn stored(own: &StepRecord) -> Option<StoredForm> {
    let mut stored = StoredForm::default();
    // What was only listed: its value was not seen.
    for (scope, key) in &own.inputs.keys {
        stored.insert(*scope, key.clone(), Vec::new());
    }
    let read = own.inputs.kv.iter();
    let present = read.filter_map(|(scope, key, value)| Some((*scope, key, value.clone()?)));
    for (scope, key, value) in present {
        stored.insert(scope, key.clone(), value);
    }
    let none = stored.contact.is_empty() && stored.plugin.is_empty();
    (!none).then_some(stored)
}

fn exchanges(own: &StepRecord) -> Option<Vec<ExchangeForm>> {
    let list: Vec<_> = own.inputs.exchanges.iter().map(ExchangeForm::of).collect();
    (!list.is_empty()).then_some(list)
}

fn expected(ran: &StepTrace, own: &StepRecord) -> Expected {
    if let Some(error) = &ran.error {
        return Expected { error: Some(error.clone()), ..Expected::default() };
    }
    let mut after = StoredAfter::default();
    for (scope, key, value) in &own.writes {
        let scope: KvScope = *scope;
        after.insert(scope, key.clone(), value.clone());
    }
    Expected {
        verdict: Some(ran.verdict),
        effects: ran.effects.iter().map(EffectForm::from).collect(),
        stored: (!after.is_empty()).then_some(after),
        because: (!ran.because.is_empty()).then(|| ran.because.clone()),
        ..Expected::default()
    }
}
