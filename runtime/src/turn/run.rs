//! Runs a chain on one event.

use super::{Chain, ChainStep, Draft, Ran, Setting, StepError, commit};
use crate::{clock::Stopwatch, config::OnError, model::*, store::StoreError};
use std::sync::Arc;

/// What a turn runs with.
pub struct Stage<'a> {
    pub setting: Setting,
    pub chain: &'a Chain,
    pub generation: u64,
    /// Whether the trace keeps what the turn ran on.
    pub record: bool,
}

/// Runs the turn to its commit. A step that fails is dealt with as its
/// `on_error` says, and the trace tells. Error: the store could not be read; the
/// turn is to be run again.
pub async fn run(snapshot: Snapshot, stage: Stage<'_>) -> Result<TurnCommit, StoreError> {
    let watch = Stopwatch::start();
    let mut turn = Turn::begin(snapshot, &stage);
    turn.host_part();
    if stage.record {
        turn.recorded = Some(Recorded { contact: turn.contact.clone(), steps: Vec::new() });
    }
    for link in &stage.chain.steps {
        if !turn.concerns(link) {
            continue;
        }
        if turn.step(link).await == Verdict::Stop {
            break;
        }
    }
    match turn.broken.take() {
        Some(error) => Err(error),
        None => Ok(commit::finish(turn, watch.micros()).await),
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
    });
    commit.parked = Some(reason);
    commit
}

/// A notice about the contact, such as a changed number: it opens no window.
fn from_whatsapp_itself(message: &Message) -> bool {
    match &message.content {
        Content::Notice(_) => true,
        Content::Other { kind, .. } => kind.starts_with("system"),
        _ => false,
    }
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
    pub kv: Vec<KvWrite>,
    pub steps: Vec<StepTrace>,
    pub remarks: Vec<String>,
    pub receipt: Option<(Receipt, Option<String>)>,
    /// None if the turn is not recorded.
    pub recorded: Option<Recorded>,
    broken: Option<StoreError>,
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
            && !from_whatsapp_itself(message)
        {
            contact.saw_message(&event.channel, message.sent_at);
        }
        Self {
            setting: stage.setting.clone(),
            generation: stage.generation,
            before,
            contact,
            effects: Vec::new(),
            kv: Vec::new(),
            steps: Vec::new(),
            remarks: Vec::new(),
            receipt: None,
            recorded: None,
            broken: None,
            sends: 0,
        }
    }

    /// What an event means to the host itself, before any plugin sees it.
    fn host_part(&mut self) {
        let event = Arc::clone(&self.setting.event);
        match &event.kind {
            EventKind::Receipt(receipt) => self.take_receipt(receipt.clone()),
            EventKind::Operator(Operator::Resume { by }) => {
                self.host_effect(Effect::Resume, by);
                self.remarks.push(format!("given back to the bot by {by}"));
            }
            EventKind::Account { field, .. } if field == "user_preferences" => {
                self.take_preference(&event.raw);
            }
            EventKind::Message(_)
            | EventKind::TimerFired { .. }
            | EventKind::Broadcast { .. }
            | EventKind::Account { .. } => {}
        }
    }

    fn take_receipt(&mut self, receipt: Receipt) {
        let explained = receipt.error.as_ref().map(|(code, text)| {
            let (class, reason) = self.setting.provider.explain(*code, text);
            if class == crate::provider::ErrorClass::OptedOut {
                self.host_effect(Effect::OptOut { proof: reason.clone() }, "whatsapp");
            }
            reason
        });
        self.receipt = Some((receipt, explained));
    }

    /// The contact used WhatsApp's own switch for marketing messages.
    fn take_preference(&mut self, raw: &str) {
        let preference: serde_json::Value = serde_json::from_str(raw).unwrap_or_default();
        let proof = "the switch for marketing messages in WhatsApp".to_owned();
        match preference.get("value").and_then(|value| value.as_str()) {
            Some("stop") => self.host_effect(Effect::OptOut { proof }, "whatsapp"),
            Some("resume" | "signup") => self.host_effect(Effect::OptIn { proof }, "whatsapp"),
            _ => self.remarks.push("an unknown preference changed".into()),
        }
    }

    fn host_effect(&mut self, effect: Effect, by: &str) {
        let now = self.setting.now;
        if let Some(contact) = &mut self.contact {
            contact.apply(&effect, by, now);
        }
    }

    fn concerns(&self, link: &ChainStep) -> bool {
        let kind = &self.setting.event.kind;
        link.step.wants(kind.name()) && kind.step().is_none_or(|step| step == link.step.name())
    }

    async fn step(&mut self, link: &ChainStep) -> Verdict {
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
        draft.sends = self.sends;
        draft
    }

    fn keep(&mut self, draft: Draft) {
        let step = draft.step;
        self.contact = draft.contact;
        self.sends = draft.sends;
        self.effects.extend(draft.effects.into_iter().map(|effect| (step.clone(), effect)));
        self.kv.extend(draft.kv.into_values());
    }

    /// Does what the owner chose for a failure of this step. Only what the host
    /// itself can do: the plugin's effects are gone.
    fn step_failed(
        &mut self,
        link: &ChainStep,
        error: &StepError,
        effects: &mut Vec<Effect>,
    ) -> Verdict {
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
