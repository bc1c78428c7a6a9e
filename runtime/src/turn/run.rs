//! Runs a chain on one event.

use super::{
    Chain, ChainStep, Draft, Network, Ran, Setting, StepError, asked, commit,
    consent::{self, Wish},
};
use crate::{clock::Stopwatch, config::OnError, model::*, store::StoreError};
use std::{collections::HashMap, sync::Arc};

/// The pauses before an event of a step's own is tried again. The longest is as
/// long as a failing step rests.
const RETRIES_MS: [Millis; 2] = [60_000, 5 * 60_000];

/// What a turn runs with.
pub struct Stage<'a> {
    pub setting: Setting,
    pub chain: &'a Chain,
    /// The words by which a contact stops marketing or starts it again.
    pub consent: &'a consent::Words,
    pub generation: u64,
    /// Whether the trace keeps what the turn ran on.
    pub record: bool,
    /// Whether what it sends to its contact is joined where it can be.
    pub merge: bool,
}

/// Runs the turn to its commit. A step that fails is dealt with as its
/// `on_error` says, and the trace tells. Error: the store could not be read; the
/// turn is to be run again.
pub async fn run(snapshot: Snapshot, stage: Stage<'_>) -> Result<TurnCommit, StoreError> {
    let watch = Stopwatch::start();
    let mut turn = Turn::begin(snapshot, &stage);
    turn.host_part(stage.consent);
    if stage.record {
        turn.recorded = Some(Recorded { contact: turn.contact.clone(), steps: Vec::new() });
    }
    let stopped = turn.is_stopped().await?;
    for link in &stage.chain.steps {
        if stopped || !turn.concerns(link) {
            continue;
        }
        if turn.step(link).await == Verdict::Stop {
            break;
        }
    }
    match turn.broken.take() {
        Some(error) => Err(error),
        None => Ok(commit::finish(turn, stage.merge, watch.micros()).await),
    }
}

/// The commit that puts an event aside instead of doing it.
pub fn park(snapshot: Snapshot, reason: String, now: Millis, generation: u64) -> TurnCommit {
    let event = snapshot.event;
    let mut commit = TurnCommit::new(event.id.clone());
    commit.trace = Some(Trace {
        turn: event.id.clone(),
        channel: event.channel.clone(),
        event: event.kind.name().into(),
        text: commit::text_of(&event.kind),
        media: event.kind.media().map(|media| media.id.clone()),
        at: now,
        generation,
        steps: Vec::new(),
        sends: Vec::new(),
        remarks: vec![format!("put aside: {reason}")],
        duration_us: 0,
        recording: Recording::None,
        account: None,
    });
    commit.member = commit::member_of(&event, format!("its turn was put aside: {reason}"));
    commit.parked = Some(reason);
    commit
}

/// A text that answers choices that were written out becomes the choice, before
/// any plugin sees it. Says so.
fn take_answer(setting: &mut Setting, contact: Option<&mut Contact>) -> Option<String> {
    let EventKind::Message(message) = &setting.event.kind else { return None };
    let Content::Text(text) = &message.content else { return None };
    let choice = asked::answer(contact?, &setting.event.channel, text, setting.now)?;
    let remark = format!("`{}` was taken for the choice `{}`", plain_line(text, 40), choice.id);
    let answered = Message { content: Content::Choice(choice), ..message.clone() };
    let kind = EventKind::Message(answered);
    setting.event = Arc::new(Event { kind, ..Event::clone(&setting.event) });
    Some(remark)
}

/// A turn on its way.
pub(super) struct Turn {
    pub setting: Setting,
    pub generation: u64,
    /// As it was read, to tell whether it changed.
    pub before: Option<Contact>,
    pub contact: Option<Contact>,
    /// The kept effects with the step that asked for each.
    pub effects: Vec<(Arc<str>, Effect)>,
    /// What changed of the contact's tags.
    pub tagged: Vec<TagChange>,
    pub kv: Vec<KvWrite>,
    pub steps: Vec<StepTrace>,
    pub remarks: Vec<String>,
    pub receipt: Option<(Receipt, Option<Failure>)>,
    /// When the event is tried again, as its step failed.
    pub again_at: Option<Millis>,
    /// None if the turn is not recorded.
    pub recorded: Option<Recorded>,
    /// Of a turn that runs again: what each step reads, and all that it reads.
    pub known: Option<HashMap<String, Arc<Inputs>>>,
    /// What the host has heard itself in this turn.
    heard: Option<Consent>,
    broken: Option<StoreError>,
    /// A step has handed over to a person.
    hands_over: bool,
    sends: u32,
}

/// What is recorded on the way.
pub(super) struct Recorded {
    pub contact: Option<Contact>,
    pub steps: Vec<StepRecord>,
}

impl Turn {
    fn begin(snapshot: Snapshot, stage: &Stage<'_>) -> Self {
        let event = &stage.setting.event;
        let before = snapshot.contact;
        let mut contact = before.clone();
        if let (Some(contact), Some(sender)) = (&mut contact, &event.sender) {
            contact.learn(sender);
        }
        if let (Some(contact), EventKind::Message(message)) = (&mut contact, &event.kind)
            && message.content.opens_window()
        {
            contact.saw_message(&event.channel, message.sent_at);
        }
        let mut setting = stage.setting.clone();
        let tagged = contact.as_mut().map(|it| it.drop_expired(setting.now)).unwrap_or_default();
        let remarks = take_answer(&mut setting, contact.as_mut());
        let turn = Self::of(setting, stage.generation, contact);
        Self { before, tagged, remarks: remarks.into_iter().collect(), ..turn }
    }

    /// One that has done nothing yet.
    pub fn of(setting: Setting, generation: u64, contact: Option<Contact>) -> Self {
        Self {
            setting,
            generation,
            before: None,
            contact,
            effects: Vec::new(),
            tagged: Vec::new(),
            kv: Vec::new(),
            steps: Vec::new(),
            remarks: Vec::new(),
            receipt: None,
            again_at: None,
            recorded: None,
            known: None,
            heard: None,
            broken: None,
            hands_over: false,
            sends: 0,
        }
    }

    /// What an event means to the host itself, before any plugin sees it.
    fn host_part(&mut self, words: &consent::Words) {
        let event = Arc::clone(&self.setting.event);
        match &event.kind {
            EventKind::Receipt(receipt) => self.take_receipt(receipt.clone()),
            EventKind::Operator(operator) => self.take_operator(operator),
            EventKind::Account { news: News::Marketing { wanted }, .. } => {
                self.take_switch(*wanted);
            }
            EventKind::Message(message) => match &message.content {
                Content::Notice(notice) => {
                    self.remarks.push(format!("WhatsApp says: {}", notice.kind));
                }
                content => self.take_wish(content, words),
            },
            EventKind::Account { news, .. } => self.take_news(news),
            EventKind::TimerFired { .. } | EventKind::Broadcast { .. } => {}
        }
    }

    fn take_operator(&mut self, operator: &Operator) {
        let (effect, by, why, remark) = match operator.clone() {
            Operator::Resume { by } => (Effect::Resume, by, None, "given back to the bot".into()),
            Operator::Tag { name, expires, why, by } => {
                let remark = format!("tagged `{name}`");
                (Effect::Tag { name, expires }, by, why, remark)
            }
            Operator::Untag { name, why, by } => {
                let remark = format!("`{name}` taken away");
                (Effect::Untag { name }, by, why, remark)
            }
        };
        let because = why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        self.remarks.push(format!("{remark} by {by}{because}"));
        let now = self.setting.now;
        if let Some(contact) = &mut self.contact {
            self.tagged.extend(contact.apply_because(&effect, &by, now, why.as_deref()));
        }
    }

    fn take_news(&mut self, news: &News) {
        match news {
            News::Other | News::Marketing { .. } => return,
            News::Call { at, .. } => {
                let channel = self.setting.event.channel.clone();
                if let Some(contact) = &mut self.contact {
                    let last = contact.last_inbound.entry(channel).or_insert(*at);
                    *last = (*last).max(*at);
                }
            }
            News::Echo(message) => self.take_echo(message),
            News::Remark(_)
            | News::Template(_)
            | News::Number(_)
            | News::Account(_)
            | News::Username(_) => {}
        }
        self.remarks.push(news.in_words());
    }

    /// A person answers on the phone: the bot keeps silent, as after any
    /// handoff. One who has the conversation already keeps it for as long again.
    fn take_echo(&mut self, message: &Message) {
        // About a message of before, and no answer.
        if matches!(
            message.content,
            Content::Edit(_) | Content::Revoked { .. } | Content::Reaction(_)
        ) {
            return;
        }
        let (now, rules) = (self.setting.now, &self.setting.policy);
        let running = self.contact.as_ref().filter(|it| crate::policy::in_handoff(it, now, rules));
        let reason = match running.and_then(|contact| contact.handoff.as_ref()) {
            Some(handoff) => handoff.reason.clone(),
            None => "answered from the phone app".into(),
        };
        self.host_effect(Effect::Handoff { reason }, "phone app");
    }

    fn take_receipt(&mut self, receipt: Receipt) {
        let failure = receipt.error.as_ref().map(|(code, text)| {
            let (class, reason) = self.setting.provider.explain(*code, text);
            if class == crate::provider::ErrorClass::OptedOut {
                self.opt_out(reason.clone(), "whatsapp");
            }
            Failure { code: *code, reason, passing: class.is_passing() }
        });
        if let (Some(contact), Some(until)) = (&mut self.contact, receipt.free_until) {
            let free = contact.free_until.entry(self.setting.event.channel.clone());
            let free = free.or_insert(until);
            *free = (*free).max(until);
        }
        self.receipt = Some((receipt, failure));
    }

    /// The contact used WhatsApp's own switch for marketing messages.
    fn take_switch(&mut self, wanted: bool) {
        let proof = "the switch for marketing messages in WhatsApp".to_owned();
        match wanted {
            true => self.opt_in(proof, "whatsapp"),
            false => self.opt_out(proof, "whatsapp"),
        }
    }

    /// A message that is nothing but a word for it. A tap counts as a stop; as
    /// a start it would be one of many a menu's buttons.
    fn take_wish(&mut self, content: &Content, words: &consent::Words) {
        let said = match content {
            Content::Text(text) => Some((text, words.wish(text))),
            Content::Choice(choice) => {
                let wish = words.wish(&choice.title).filter(|wish| *wish == Wish::Stop);
                Some((&choice.title, wish))
            }
            _ => None,
        };
        match said {
            Some((text, Some(Wish::Stop))) => self.opt_out(text.trim().to_owned(), "contact"),
            Some((text, Some(Wish::Start))) => self.opt_in(text.trim().to_owned(), "contact"),
            _ => {}
        }
    }

    /// Who has said so before is not recorded anew: the first time counts.
    fn opt_out(&mut self, proof: String, by: &str) {
        self.wish(
            |consent| matches!(consent, Consent::OptedOut { .. }),
            Effect::OptOut { proof },
            by,
        );
    }

    fn opt_in(&mut self, proof: String, by: &str) {
        self.wish(
            |consent| matches!(consent, Consent::OptedIn { .. }),
            Effect::OptIn { proof },
            by,
        );
    }

    fn wish(&mut self, known: impl Fn(&Consent) -> bool, effect: Effect, by: &str) {
        let Some(contact) = &self.contact else { return };
        if !known(&contact.consent) {
            self.host_effect(effect, by);
        }
        self.heard = self.contact.as_ref().map(|contact| contact.consent.clone());
        if let Some(consent) = &self.heard {
            self.remarks.push(format!("marketing: {}, by {by}", consent.name()));
        }
    }

    fn host_effect(&mut self, effect: Effect, by: &str) {
        let now = self.setting.now;
        if let Some(contact) = &mut self.contact {
            contact.apply(&effect, by, now);
        }
    }

    pub fn concerns(&self, link: &ChainStep) -> bool {
        let kind = &self.setting.event.kind;
        link.step.wants(kind.name()) && kind.step().is_none_or(|step| step == link.step.name())
    }

    /// Whether the event is of a campaign that was stopped: then no step runs.
    async fn is_stopped(&mut self) -> Result<bool, StoreError> {
        let Setting { event, store, .. } = &self.setting;
        let (Some(id), Some(step)) = (event.campaign(), event.kind.step()) else {
            return Ok(false);
        };
        let (channel, step) = (event.channel.clone(), step.to_owned());
        let campaign = store.campaign(&CampaignKey { channel, step, id: id.to_owned() }).await?;
        let stopped = campaign.is_some_and(|it| it.broadcast.going == Going::Stopped);
        if stopped {
            self.remarks.push(Going::STOPPED.into());
        }
        Ok(stopped)
    }

    /// Why a campaign's member has got nothing in this turn.
    pub fn why_nothing(&self) -> String {
        let said = |step: &StepTrace| match (&step.error_kind, step.because.last()) {
            (Some(kind), _) => format!("the step failed ({kind})"),
            (None, Some(because)) => format!("the step sent nothing: {because}"),
            (None, None) => "the step sent nothing".into(),
        };
        let remark = || match self.remarks.last() {
            Some(remark) => remark.clone(),
            None => "no step of this name wants it any more".into(),
        };
        self.steps.last().map_or_else(remark, said)
    }

    pub async fn step(&mut self, link: &ChainStep) -> Verdict {
        let watch = Stopwatch::start();
        let ran = link.step.run(self.draft(link)).await;
        let Ran { mut draft, outcome, plugin, .. } = ran;
        if let Some(error) = draft.broken.take() {
            self.broken = Some(error);
            return Verdict::Stop;
        }
        if let Some(recorded) = &mut self.recorded {
            let kept = |write: &KvWrite| (write.scope, write.key.clone(), write.value.clone());
            recorded.steps.push(StepRecord {
                rules: link.rules.clone(),
                inputs: std::mem::take(&mut draft.inputs),
                writes: draft.kv.values().map(kept).collect(),
            });
        }
        let mut trace = StepTrace {
            step: link.step.name().into(),
            plugin,
            verdict: Verdict::Continue,
            because: draft.because.clone(),
            effects: Vec::new(),
            logs: draft.logs.clone(),
            error: None,
            error_kind: None,
            duration_us: watch.micros(),
        };
        match outcome {
            Ok(verdict) => {
                trace.verdict = verdict;
                trace.effects.clone_from(&draft.effects);
                self.keep(draft);
            }
            Err(error) => {
                // A plugin's last words may hold what the contact wrote: they
                // stand in the trace alone.
                tracing::warn!(
                    turn.id = %self.setting.event.id, step.name = link.step.name(),
                    plugin.name = trace.plugin, error.kind = error.kind(),
                    "a step failed; its turn says how"
                );
                trace.verdict = self.step_failed(link, &error, &mut trace.effects);
                trace.error = Some(error.to_string());
                trace.error_kind = Some(error.kind().into());
            }
        }
        let verdict = trace.verdict;
        self.steps.push(trace);
        verdict
    }

    fn draft(&self, link: &ChainStep) -> Draft {
        let (setting, grants) = (self.setting.clone(), link.grants.clone());
        let mut draft = Draft::new(setting, link.step.name(), grants, link.limits);
        draft.contact.clone_from(&self.contact);
        (draft.sends, draft.hands_over) = (self.sends, self.hands_over);
        if let Some(known) = &self.known {
            let known = known.get(link.step.name()).cloned().unwrap_or_default();
            draft.network = Network::Recorded(known.exchanges.clone());
            draft.known = Some(known);
        }
        draft
    }

    fn keep(&mut self, draft: Draft) {
        let step = draft.step;
        self.contact = draft.contact;
        // A step that says the same of marketing as the host has heard says
        // nothing new.
        if let (Some(contact), Some(heard)) = (&mut self.contact, &self.heard)
            && contact.consent.name() == heard.name()
        {
            contact.consent.clone_from(heard);
        }
        (self.sends, self.hands_over) = (draft.sends, draft.hands_over);
        self.effects.extend(draft.effects.into_iter().map(|effect| (step.clone(), effect)));
        self.tagged.extend(draft.tagged);
        self.kv.extend(draft.kv.into_values());
    }

    /// Puts off an event of the step's own: nobody else deals with a timer or
    /// with a campaign's member. Whether it did.
    fn put_off(&mut self, link: &ChainStep, error: &StepError) -> bool {
        let event = &self.setting.event;
        let pause = RETRIES_MS.get(event.tries as usize);
        let Some(pause) = pause.filter(|_| error.passes() && event.kind.step().is_some()) else {
            return false;
        };
        self.again_at = Some(self.setting.now.saturating_add(*pause));
        let minutes = pause / 60_000;
        let step = link.step.name();
        self.remarks.push(format!("`{step}` {error}: it is tried again in {minutes} min"));
        true
    }

    /// Does what the owner chose for a failure of this step. Only what the host
    /// itself can do: the plugin's effects are gone.
    fn step_failed(
        &mut self,
        link: &ChainStep,
        error: &StepError,
        effects: &mut Vec<Effect>,
    ) -> Verdict {
        // Neither an excuse nor a person is owed to whoever has not written.
        let wrote = matches!(self.setting.event.kind, EventKind::Message(_));
        if self.put_off(link, error) || !wrote && link.on_error != OnError::Skip {
            return Verdict::Stop;
        }
        let mut draft = self.draft(link);
        let done = match link.on_error {
            OnError::Skip => return Verdict::Continue,
            OnError::Stop => return Verdict::Stop,
            OnError::Reply => {
                let text = link.error_reply.clone().unwrap_or_default();
                draft.reply(Outgoing::Text(text)).map(drop)
            }
            OnError::Handoff => draft.handoff(&format!("the step `{}` {error}", link.step.name())),
        };
        match done {
            Ok(()) => {
                effects.clone_from(&draft.effects);
                self.keep(draft);
            }
            Err(reason) => self.remarks.push(format!("on_error could not be done: {reason}")),
        }
        Verdict::Stop
    }
}

#[cfg(test)]
mod tests;
