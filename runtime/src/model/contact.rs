//! A person, and what we know of them.

use super::{ChannelId, Choice, ContactId, Effect, Millis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What points to a contact. A username never does: people change it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Identity {
    /// Digits with country code, no `+`: `15551234567`.
    Phone(String),
    /// Business-scoped user id: `US.13491208655302741918`.
    Bsuid(String),
    /// Parent business-scoped user id: `US.ENT.11815799212886844830`.
    ParentBsuid(String),
}

/// Who an event came from, as far as the provider says.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Sender {
    pub phone: Option<String>,
    pub bsuid: Option<String>,
    pub parent_bsuid: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
}

impl Sender {
    /// The identities, the surest first: a BSUID is one person's, a phone
    /// number may pass to another.
    pub fn identities(&self) -> Vec<Identity> {
        let bsuid = self.bsuid.clone().map(Identity::Bsuid);
        let parent = self.parent_bsuid.clone().map(Identity::ParentBsuid);
        let phone = self.phone.clone().map(Identity::Phone);
        [bsuid, parent, phone].into_iter().flatten().collect()
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tag {
    pub name: String,
    /// The step, or `operator`.
    pub by: String,
    pub at: Millis,
    pub expires: Option<Millis>,
}

/// Whether marketing messages are welcome.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Consent {
    #[default]
    Unknown,
    OptedIn {
        by: String,
        at: Millis,
        proof: String,
    },
    OptedOut {
        by: String,
        at: Millis,
        proof: String,
    },
}

impl Consent {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::OptedIn { .. } => "opted-in",
            Self::OptedOut { .. } => "opted-out",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Handoff {
    pub reason: String,
    pub by: String,
    pub since: Millis,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Note {
    pub text: String,
    pub by: String,
    pub at: Millis,
}

/// Written only by turns of its own lane, so `version` counts turns that
/// changed it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contact {
    pub id: ContactId,
    pub version: u64,
    pub phone: Option<String>,
    pub bsuid: Option<String>,
    pub parent_bsuid: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub tags: Vec<Tag>,
    /// `language` and `zone` live here too.
    pub attributes: BTreeMap<String, String>,
    pub consent: Consent,
    /// The last message from the contact, per channel: it opens the window.
    pub last_inbound: BTreeMap<ChannelId, Millis>,
    /// Until when everything on a channel is free: the contact came by an
    /// advertisement.
    #[serde(default)]
    pub free_until: BTreeMap<ChannelId, Millis>,
    /// The choices that were written out for the contact last, to which a
    /// number is the answer.
    #[serde(default)]
    pub asked: Option<Asked>,
    pub handoff: Option<Handoff>,
    pub notes: Vec<Note>,
    pub first_seen: Option<Millis>,
    pub last_seen: Option<Millis>,
    /// When the message before the last one came.
    pub previous_seen: Option<Millis>,
    pub message_count: u64,
}

/// Choices that were written out with numbers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Asked {
    pub channel: ChannelId,
    pub choices: Vec<Choice>,
    pub at: Millis,
}

/// Notes kept per contact; the oldest goes first.
pub const NOTES_MAX: usize = 100;

impl Contact {
    pub fn new(id: ContactId) -> Self {
        Self {
            id,
            version: 0,
            phone: None,
            bsuid: None,
            parent_bsuid: None,
            name: None,
            username: None,
            tags: Vec::new(),
            attributes: BTreeMap::new(),
            consent: Consent::Unknown,
            last_inbound: BTreeMap::new(),
            free_until: BTreeMap::new(),
            asked: None,
            handoff: None,
            notes: Vec::new(),
            first_seen: None,
            last_seen: None,
            previous_seen: None,
            message_count: 0,
        }
    }

    /// Takes over what an event says of its sender. What it does not say stays.
    pub fn learn(&mut self, sender: &Sender) {
        let keep = |old: &mut Option<String>, new: &Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        keep(&mut self.phone, &sender.phone);
        keep(&mut self.bsuid, &sender.bsuid);
        keep(&mut self.parent_bsuid, &sender.parent_bsuid);
        keep(&mut self.name, &sender.name);
        keep(&mut self.username, &sender.username);
    }

    /// Counts a message that came at `at` (the provider's clock).
    pub fn saw_message(&mut self, channel: &ChannelId, at: Millis) {
        let window = self.last_inbound.entry(channel.clone()).or_insert(at);
        *window = at.max(*window);
        self.first_seen.get_or_insert(at);
        self.previous_seen = self.last_seen;
        self.last_seen = self.last_seen.max(Some(at));
        self.message_count += 1;
    }

    pub fn has_tag(&self, name: &str, now: Millis) -> bool {
        self.tags_at(now).any(|tag| tag.name == name)
    }

    /// Tags that have not expired.
    pub fn tags_at(&self, now: Millis) -> impl Iterator<Item = &Tag> {
        self.tags.iter().filter(move |tag| tag.expires.is_none_or(|at| at > now))
    }

    /// Applies what an effect means for the contact itself; effects that
    /// concern other things leave it as it is. `by` is the step's name.
    pub fn apply(&mut self, effect: &Effect, by: &str, now: Millis) {
        match effect {
            Effect::Tag { name, expires } => {
                self.tags.retain(|tag| tag.name != *name);
                let (name, by, expires) = (name.clone(), by.to_owned(), *expires);
                self.tags.push(Tag { name, by, at: now, expires });
                self.tags.sort_by(|a, b| a.name.cmp(&b.name));
            }
            Effect::Untag { name } => self.tags.retain(|tag| tag.name != *name),
            Effect::SetAttribute { name, value: Some(value) } => {
                self.attributes.insert(name.clone(), value.clone());
            }
            Effect::SetAttribute { name, value: None } => {
                self.attributes.remove(name);
            }
            Effect::Handoff { reason } => {
                let (reason, by) = (reason.clone(), by.to_owned());
                self.handoff = Some(Handoff { reason, by, since: now });
            }
            Effect::Resume => self.handoff = None,
            Effect::OptIn { proof } => {
                let (by, proof) = (by.to_owned(), proof.clone());
                self.consent = Consent::OptedIn { by, at: now, proof };
            }
            Effect::OptOut { proof } => {
                let (by, proof) = (by.to_owned(), proof.clone());
                self.consent = Consent::OptedOut { by, at: now, proof };
            }
            Effect::Note { text } => {
                self.notes.push(Note { text: text.clone(), by: by.to_owned(), at: now });
                let surplus = self.notes.len().saturating_sub(NOTES_MAX);
                self.notes.drain(..surplus);
            }
            Effect::Send { .. }
            | Effect::MarkRead { .. }
            | Effect::SetTimer { .. }
            | Effect::CancelTimer { .. }
            | Effect::Broadcast { .. } => {}
        }
    }
}
