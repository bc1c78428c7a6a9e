//! What one step sees and has asked for so far. Every request is checked when
//! it is made, so that a mistake is an error the plugin can see; nothing
//! happens before the turn commits.

mod campaign;
mod stored;

use crate::{
    calendar::Calendar,
    config::{Grants, Limits},
    model::*,
    policy,
    provider::Provider,
    store::{Store, StoreError},
    templates::Templates,
};
use std::{collections::BTreeMap, sync::Arc};

pub use stored::Spent;

/// What is the same for every step of a turn.
#[derive(Clone)]
pub struct Setting {
    pub event: Arc<Event>,
    pub now: Millis,
    /// The business's IANA zone.
    pub zone: Arc<str>,
    /// When the business is open, if it says so.
    pub calendar: Option<Arc<Calendar>>,
    pub provider: Arc<dyn Provider>,
    pub store: Arc<dyn Store>,
    pub policy: policy::Rules,
    pub templates: Arc<Templates>,
}

/// Bounds of one draft, from the step's `limits`.
#[derive(Clone, Copy, Debug)]
pub struct DraftLimits {
    pub effects: usize,
    pub log_lines: usize,
    pub value_bytes: usize,
    /// Of all the step's key-values together.
    pub kv_bytes: u64,
}

impl From<&Limits> for DraftLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            effects: limits.effects,
            log_lines: limits.log_lines,
            value_bytes: limits.value_bytes,
            kv_bytes: limits.kv_mb * 1024 * 1024,
        }
    }
}

/// Reads see what this turn has already changed; writes are held back.
#[derive(Clone)]
pub struct Draft {
    pub setting: Setting,
    pub step: Arc<str>,
    pub grants: Grants,
    pub limits: DraftLimits,
    /// The lane's contact with this turn's changes; none in a channel's lane.
    pub contact: Option<Contact>,
    /// This turn has handed over to a person: it may still say so.
    pub hands_over: bool,
    /// How many messages and read marks the turn sends already: the index of
    /// the next one's id.
    pub sends: u32,
    pub effects: Vec<Effect>,
    /// What changed of the contact's tags.
    pub tagged: Vec<TagChange>,
    pub kv: BTreeMap<(KvScope, String), KvWrite>,
    pub because: Vec<String>,
    pub logs: Vec<LogLine>,
    pub network: Network,
    /// What the step has read from outside the turn.
    pub inputs: Inputs,
    /// What it reads in the place of the store, where a turn runs again.
    pub known: Option<Arc<Inputs>>,
    /// Why the store could not be read. The turn can't be finished then.
    pub broken: Option<StoreError>,
    /// How much of its bounds the draft has used.
    pub spent: Spent,
}

/// Where a step's HTTP requests go.
#[derive(Clone, Debug, Default)]
pub enum Network {
    /// To the hosts that the owner has granted.
    #[default]
    Granted,
    /// Nowhere: each is answered by the exchange here that is the same. For
    /// cases, and for versions in the shadow.
    Recorded(Vec<Exchange>),
    /// As `Granted`, but another version of the plugin has asked these in the
    /// same turn already, and they are not asked again.
    Resumed { exchanges: Vec<Exchange>, asked: usize },
    /// Nowhere, for this reason: what the draft comes to is only looked at, and
    /// counts neither for the step nor against it.
    Closed(&'static str),
}

/// Bytes of a key or a name.
const NAME_BYTES: usize = 256;
const ATTRIBUTE_BYTES: usize = 1_000;
const ATTRIBUTES: usize = 200;
const TEXT_BYTES: usize = 8 * 1024;
const PAYLOAD_BYTES: usize = 4 * 1024;
/// One message as JSON: twice the longest text. A turn with many of them still
/// fits into the store.
const MESSAGE_BYTES: usize = 32 * 1024;
/// Effects of one step together, as JSON. A turn's trace holds those of all its
/// steps and is one value of the store, of 16 MiB at most.
const EFFECT_BYTES: usize = 1024 * 1024;
/// Reasons and log lines of one step together.
const SAID_BYTES: usize = 128 * 1024;
/// Key-values one turn may write.
const KV_WRITES: usize = 200;
/// Key-values read, and keys listed, after which a turn is not recorded: each
/// is looked for among the ones before.
pub(super) const READS: usize = 200;
/// A reason or a log line is cut after this many characters.
const LINE_CHARS: usize = 1_000;

type Checked<T = ()> = Result<T, String>;

impl Draft {
    /// Nothing asked for yet, and no contact.
    pub fn new(
        setting: Setting,
        step: impl Into<Arc<str>>,
        grants: Grants,
        limits: DraftLimits,
    ) -> Self {
        Self {
            setting,
            step: step.into(),
            grants,
            limits,
            contact: None,
            hands_over: false,
            sends: 0,
            effects: Vec::new(),
            tagged: Vec::new(),
            kv: BTreeMap::new(),
            because: Vec::new(),
            logs: Vec::new(),
            network: Network::default(),
            inputs: Inputs::default(),
            known: None,
            broken: None,
            spent: Spent::default(),
        }
    }

    pub fn now(&self) -> Millis {
        self.setting.now
    }
    pub fn event(&self) -> &Event {
        &self.setting.event
    }
    pub fn lane(&self) -> &Lane {
        &self.setting.event.id.lane
    }

    /// Whether a person is answering: not yet in the turn that hands over.
    pub fn in_handoff(&self) -> bool {
        let answers = |it| policy::in_handoff(it, self.now(), &self.setting.policy);
        !self.hands_over && self.contact.as_ref().is_some_and(answers)
    }

    /// Until when any kind of message may be sent; none if the window is closed.
    pub fn window_open_until(&self) -> Option<Millis> {
        let until = policy::window_end(
            self.contact.as_ref()?,
            &self.event().channel,
            &self.setting.policy,
        )?;
        (until > self.now()).then_some(until)
    }

    /// Which of these tags to answer the contact in; none if that is not known.
    /// What the message is surely written in is kept with the contact.
    pub fn language_among(&mut self, tags: &[String]) -> Option<String> {
        let now = self.now();
        let contact = self.contact.as_mut()?;
        let words = match &self.setting.event.kind {
            EventKind::Message(message) => message.content.words(),
            _ => None,
        };
        let preferred = contact.attributes.get("language").map(String::as_str);
        language_among(tags, preferred, words, &mut contact.written, now).map(str::to_owned)
    }

    /// Answers the contact of the lane. Returns the id of the (first) message.
    pub fn reply(&mut self, message: Outgoing) -> Checked<SendId> {
        self.answer(message, None)
    }

    /// As `reply`, above it the message with this id of the provider's.
    pub fn reply_to(&mut self, message: Outgoing, quoted: &str) -> Checked<SendId> {
        check_name("quoted message", quoted, NAME_BYTES)?;
        self.answer(message, Some(quoted.to_owned()))
    }

    fn answer(&mut self, message: Outgoing, quote: Option<String>) -> Checked<SendId> {
        if self.contact.is_none() {
            return Err("a channel's lane has no contact to answer".into());
        }
        let message = self.by_template(message)?;
        let contact = self.contact.as_ref().ok_or(NO_CONTACT)?;
        let (channel, now) = (&self.event().channel, self.now());
        let (campaign, in_handoff) = (self.event().campaign().is_some(), self.in_handoff());
        let request =
            policy::Request { contact, channel, message: &message, campaign, in_handoff, now };
        // It is asked again, with all the facts, when the message is about to go.
        let ruling = policy::may_leave(&request, &policy::Facts::default(), &self.setting.policy);
        if let policy::Ruling::Refused { why, .. } = ruling {
            return Err(why.into());
        }
        self.push_send(None, message, quote)
    }

    /// Writes to another contact; what may leave is checked in that contact's
    /// own state when the message is about to be sent.
    pub fn send(&mut self, to: ContactId, message: Outgoing) -> Checked<SendId> {
        if self.contact.as_ref().is_some_and(|contact| contact.id == to) {
            return self.reply(message);
        }
        self.granted("send-to-others", "send_to_others")?;
        let message = self.by_template(message)?;
        self.push_send(Some(to), message, None)
    }

    /// A template as the provider knows it; what was changed stands in the
    /// trace. Anything else as it is.
    fn by_template(&mut self, message: Outgoing) -> Checked<Outgoing> {
        let Outgoing::Template(template) = message else { return Ok(message) };
        let Setting { templates, provider, now, .. } = &self.setting;
        let checked = templates.check(&**provider, template, *now)?;
        checked.remarks.iter().for_each(|remark| self.because(remark));
        Ok(Outgoing::Template(checked.template))
    }

    /// Of several parts the first quotes.
    fn push_send(
        &mut self,
        to: Option<ContactId>,
        message: Outgoing,
        mut quote: Option<String>,
    ) -> Checked<SendId> {
        let parts = self.setting.provider.fit(message)?;
        // All of them or none: half an answer is worse than an error.
        self.room_for(parts.len())?;
        for message in &parts {
            let bytes = serde_json::to_vec(message).map_err(|error| error.to_string())?.len();
            if bytes > MESSAGE_BYTES {
                return Err(format!(
                    "the message has {bytes} bytes, and {MESSAGE_BYTES} are allowed"
                ));
            }
        }
        let first = SendId { turn: self.event().id.clone(), index: self.sends };
        for message in parts {
            self.push(Effect::Send { to, message, quote: quote.take() })?;
            self.sends += 1;
        }
        Ok(first)
    }

    pub fn mark_read(&mut self, typing: bool) -> Checked {
        match &self.event().kind {
            EventKind::Message(_) => {
                self.push(Effect::MarkRead { typing })?;
                self.sends += 1;
                Ok(())
            }
            other => Err(format!("a {} event has no message to mark as read", other.name())),
        }
    }

    pub fn tag(&mut self, name: &str, expires: Option<Millis>) -> Checked {
        check_name("tag", name, TAG_BYTES)?;
        self.contact.as_ref().ok_or(NO_CONTACT)?.has_room_for_tag(name)?;
        self.push(Effect::Tag { name: name.into(), expires })
    }

    pub fn untag(&mut self, name: &str) -> Checked {
        check_name("tag", name, TAG_BYTES)?;
        self.on_contact(Effect::Untag { name: name.into() })
    }

    pub fn set_attribute(&mut self, name: &str, value: Option<String>) -> Checked {
        check_name("attribute", name, TAG_BYTES)?;
        check_bytes(
            "the attribute's value",
            value.as_deref().unwrap_or_default(),
            ATTRIBUTE_BYTES,
        )?;
        let attributes = &self.contact.as_ref().ok_or(NO_CONTACT)?.attributes;
        if attributes.len() >= ATTRIBUTES && !attributes.contains_key(name) {
            return Err(format!(
                "the contact has {ATTRIBUTES} attributes, and more are not allowed"
            ));
        }
        self.push(Effect::SetAttribute { name: name.into(), value })
    }

    pub fn cancel_timer(&mut self, name: &str) -> Checked {
        check_name("timer", name, NAME_BYTES)?;
        self.push(Effect::CancelTimer { name: name.into() })
    }

    pub fn handoff(&mut self, reason: &str) -> Checked {
        check_bytes("the reason", reason, TEXT_BYTES)?;
        // Who is answering already goes on.
        let hands_over = !self.in_handoff();
        self.on_contact(Effect::Handoff { reason: reason.into() })?;
        self.hands_over = hands_over;
        Ok(())
    }

    pub fn resume(&mut self) -> Checked {
        self.on_contact(Effect::Resume)
    }

    pub fn opt_in(&mut self, proof: &str) -> Checked {
        check_bytes("the proof", proof, ATTRIBUTE_BYTES)?;
        self.on_contact(Effect::OptIn { proof: proof.into() })
    }

    pub fn opt_out(&mut self, proof: &str) -> Checked {
        check_bytes("the proof", proof, ATTRIBUTE_BYTES)?;
        self.on_contact(Effect::OptOut { proof: proof.into() })
    }

    pub fn note(&mut self, text: &str) -> Checked {
        check_bytes("the note", text, ATTRIBUTE_BYTES)?;
        self.on_contact(Effect::Note { text: text.into() })
    }

    pub fn unanswered(&mut self, question: &str) -> Checked {
        check_bytes("the question", question, ATTRIBUTE_BYTES)?;
        self.on_contact(Effect::Unanswered { question: question.into() })
    }

    pub fn because(&mut self, reason: &str) {
        if self.because.len() < self.limits.log_lines
            && let Some(line) = self.line(reason)
        {
            self.because.push(line);
        }
    }

    pub fn log(&mut self, level: LogLevel, message: &str) {
        if self.logs.len() < self.limits.log_lines
            && let Some(message) = self.line(message)
        {
            self.logs.push(LogLine { level, message });
        }
    }

    /// None if the step has said enough.
    fn line(&mut self, text: &str) -> Option<String> {
        let line = plain_text(text, LINE_CHARS);
        let said = self.spent.said + line.len();
        (said <= SAID_BYTES).then(|| {
            self.spent.said = said;
            line
        })
    }

    pub async fn kv_get(
        &mut self,
        scope: KvScope,
        key: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(write) = self.kv.get(&(scope, key.to_owned())) {
            let live = write.expires.is_none_or(|at| at > self.now());
            return Ok(write.value.clone().filter(|_| live));
        }
        let store = &self.setting.store;
        let value = match &self.known {
            Some(known) => known.value(scope, key),
            None => store.kv_get(&self.step, scope, self.lane(), key, self.now()).await?,
        };
        let seen = |(of, name, _): &(KvScope, String, _)| *of == scope && name == key;
        if self.inputs.kv.len() < READS && !self.inputs.kv.iter().any(seen) {
            self.inputs.kv.push((scope, key.to_owned(), value.clone()));
        }
        Ok(value)
    }

    pub async fn kv_keys(
        &mut self,
        scope: KvScope,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let limit = limit.min(1_000);
        // Deleted ones may hide as many stored ones.
        let stored = limit + self.kv.len();
        let store = &self.setting.store;
        let keys = match &self.known {
            Some(known) => known.listed(scope, prefix, stored),
            None => {
                store.kv_keys(&self.step, scope, self.lane(), prefix, stored, self.now()).await?
            }
        };
        if self.inputs.keys.len() < READS {
            self.inputs.keys.extend(keys.iter().map(|key| (scope, key.clone())));
        }
        let mut keys: std::collections::BTreeSet<String> = keys.into_iter().collect();
        for ((written, key), write) in &self.kv {
            if *written == scope && key.starts_with(prefix) {
                match write.value {
                    Some(_) => keys.insert(key.clone()),
                    None => keys.remove(key),
                };
            }
        }
        Ok(keys.into_iter().take(limit).collect())
    }

    /// Error: the owner has not allowed it, with the key that would.
    pub fn granted(&self, capability: &str, key: &str) -> Checked {
        match self.grants.allows(capability) {
            Some(true) => Ok(()),
            _ => Err(format!("the step `{}` has not been granted `{key}` in its chain", self.step)),
        }
    }

    fn on_contact(&mut self, effect: Effect) -> Checked {
        match self.contact {
            Some(_) => self.push(effect),
            None => Err(NO_CONTACT.into()),
        }
    }

    fn room_for(&self, effects: usize) -> Checked {
        if self.effects.len() + effects > self.limits.effects {
            return Err(format!("a turn may have {} effects", self.limits.effects));
        }
        Ok(())
    }

    fn push(&mut self, effect: Effect) -> Checked {
        self.room_for(1)?;
        let bytes = serde_json::to_vec(&effect).map_err(|error| error.to_string())?.len();
        if self.spent.asked + bytes > EFFECT_BYTES {
            return Err(format!("a turn's effects may have {EFFECT_BYTES} bytes together"));
        }
        self.spent.asked += bytes;
        let now = self.now();
        if let Some(contact) = &mut self.contact {
            // What the step has said last is why.
            let why = self.because.last().map(String::as_str);
            self.tagged.extend(contact.apply_because(&effect, &self.step, now, why));
        }
        self.effects.push(effect);
        Ok(())
    }
}

const NO_CONTACT: &str = "a channel's lane has no contact";

fn check_bytes(what: &str, text: &str, limit: usize) -> Checked {
    match text.len() {
        bytes if bytes > limit => Err(format!("{what} has {bytes} bytes, and {limit} are allowed")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
