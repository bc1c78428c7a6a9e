//! One message to a business, and all that comes of it: what each step makes of
//! it, what it asks for, what leaves, and what is known of the customer then.

use super::{Player, facts, plain};
use crate::{
    generation::Generation,
    model::*,
    policy,
    rehearsal::{
        chat::{Chat, ChatFile, Customer, Settings},
        words::{About, of_effect, of_message},
    },
    store::StoreError,
};
use jiff::civil::DateTime;
use serde::Serialize;
use std::{path::PathBuf, sync::Arc};

#[derive(Clone, Debug)]
pub struct Question {
    pub text: String,
    pub from: Customer,
    /// In the business's zone; none: `now`.
    pub at: Option<DateTime>,
    pub now: Millis,
    /// None: the first by name.
    pub channel: Option<String>,
}

/// What came of a question.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    pub channel: String,
    /// In the business's zone: `2026-12-24T09:00:00+01:00[Europe/Berlin]`.
    pub at: String,
    /// None without a calendar.
    pub open: Option<bool>,
    /// Each step of the chain, in order.
    pub steps: Vec<Passed>,
    /// What the host itself had to say.
    pub remarks: Vec<String>,
    /// What leaves, as a chat tells it, each a line or more.
    pub leaves: Vec<String>,
    /// What does not, and why.
    pub held: Vec<String>,
    /// What is known of the customer then, each a line.
    pub known: Vec<String>,
}

/// What a step made of it.
#[derive(Clone, Debug, Serialize)]
pub struct Passed {
    pub step: String,
    /// `faq 0.1.0`.
    pub plugin: String,
    /// None: it did not run.
    pub verdict: Option<Verdict>,
    /// Why it did not run, where it did not.
    pub passed_over: Option<&'static str>,
    pub because: Vec<String>,
    pub effects: Vec<Did>,
    /// What the plugin logged.
    pub logs: Vec<String>,
    pub error: Option<String>,
    pub duration_us: u64,
}

/// One thing that a step asks for.
#[derive(Clone, Debug, Serialize)]
pub struct Did {
    pub about: About,
    pub words: String,
}

/// Asks a business of its own, in which nothing has happened before.
///
/// # Errors
/// The store in memory failed. Within: what is wrong with the question.
pub async fn ask(
    generation: &Arc<Generation>,
    question: &Question,
) -> Result<Result<Answer, String>, StoreError> {
    let customers = vec![question.from.clone()];
    let zone = policy::zone(&generation.business.zone).unwrap_or(policy::TimeZone::UTC);
    let now = || Some(moment(question.now)?.to_zoned(zone).datetime());
    let (at, channel) = (question.at.or_else(now), question.channel.clone());
    let settings = Settings { at, channel, customers, loosely: true };
    let (title, lines) = ("asked".into(), Vec::new());
    let chat = Chat { title, line: 0, top: 0, settings, lines };
    let file = ChatFile { path: PathBuf::new(), text: String::new(), chats: Vec::new() };
    let mut player = match Player::new(generation, &file, &chat) {
        Ok(player) => player,
        Err(difference) => return Ok(Err(difference.what)),
    };
    // Who is known, has it from before.
    if question.from != Customer::new(&question.from.name) {
        player.meet(&question.from).await?;
    }
    player.rehearsal.begin().await?;
    player.rehearsal.take_left();
    let now = player.rehearsal.now();
    player.says(&question.from.name, Content::Text(question.text.clone()), None).await?;
    player.answer(now).await
}

impl Player<'_> {
    async fn answer(&self, at: Millis) -> Result<Result<Answer, String>, StoreError> {
        let id = self.contacts.values().next().copied();
        let id = id.ok_or_else(|| StoreError::Failed(plain(0, "nobody was met").what))?;
        let store = &self.rehearsal.store;
        // The message's own turn: timers that are due at once come behind it.
        let traces = store.traces(&Lane::Contact(id), None, facts::TRACES).await?;
        let Some(trace) = traces.into_iter().find(|trace| trace.event == "message") else {
            return Ok(Err("no turn came of it".into()));
        };
        let left = self.rehearsal.take_left();
        let leaves = left.iter().filter(|item| !matches!(item.message, Outgoing::Read { .. }));
        let items = store.outbox_of(id, facts::TRACES).await?;
        let contact = store.contact(id).await?;
        let generation = self.rehearsal.generation();
        let zone = jiff::tz::TimeZone::clone(&self.zone);
        let moment = moment(at).map(|at| at.to_zoned(zone).to_string());
        Ok(Ok(Answer {
            channel: self.channel.to_string(),
            at: moment.unwrap_or_default(),
            open: generation.calendar.as_ref().map(|calendar| calendar.open_at(at)),
            steps: self.passed(&generation, &trace),
            remarks: trace.remarks.clone(),
            leaves: leaves.map(|item| of_message(&item.message, "bot")).collect(),
            held: items.iter().rev().filter_map(facts::not_sent).collect(),
            known: contact.map(|contact| known(&contact, at)).unwrap_or_default(),
        }))
    }

    fn passed(&self, generation: &Generation, trace: &Trace) -> Vec<Passed> {
        let Some(channel) = generation.channels.get(&self.channel) else { return Vec::new() };
        let of = |link: &crate::turn::ChainStep| {
            let name = link.step.name();
            match trace.steps.iter().find(|ran| ran.step == name) {
                Some(ran) => ran_through(ran),
                None => Passed {
                    step: name.into(),
                    plugin: link.step.plugin().into(),
                    verdict: None,
                    passed_over: Some(match link.step.wants(&trace.event) {
                        true => "not asked: the chain had ended",
                        false => "does not want messages",
                    }),
                    because: Vec::new(),
                    effects: Vec::new(),
                    logs: Vec::new(),
                    error: None,
                    duration_us: 0,
                },
            }
        };
        channel.chain.steps.iter().map(of).collect()
    }
}

fn ran_through(ran: &StepTrace) -> Passed {
    Passed {
        step: ran.step.clone(),
        plugin: ran.plugin.clone(),
        verdict: Some(ran.verdict),
        passed_over: None,
        because: ran.because.clone(),
        effects: ran.effects.iter().map(did).collect(),
        logs: ran.logs.iter().map(|line| line.message.clone()).collect(),
        error: ran.error.clone(),
        duration_us: ran.duration_us,
    }
}

fn did(effect: &Effect) -> Did {
    let (about, words) = of_effect(effect);
    Did { about, words }
}

fn known(contact: &Contact, now: Millis) -> Vec<String> {
    let tags: Vec<&str> = contact.tags_at(now).map(|tag| tag.name.as_str()).collect();
    let attributes = contact.attributes.iter().map(|(name, value)| format!("{name} {value}"));
    let marketing = match &contact.consent {
        Consent::Unknown => None,
        Consent::OptedIn { .. } => Some("wants marketing".to_owned()),
        Consent::OptedOut { .. } => Some("wants no marketing".to_owned()),
    };
    let handoff = contact.handoff.as_ref();
    let handoff = handoff.map(|handoff| format!("handed to a person: {}", handoff.reason));
    let tags = (!tags.is_empty()).then(|| format!("tags {}", tags.join(", ")));
    tags.into_iter().chain(attributes).chain(marketing).chain(handoff).collect()
}
