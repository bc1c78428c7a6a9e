//! A person, and what we know of them.

mod merge;
mod tags;

use super::{Address, ChannelId, Choice, ContactId, Effect, Millis, Written};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, sync::Arc};

use tags::reason;
pub use tags::{TAG_BYTES, TAG_HISTORY_MAX, Tag, TagChange, TagMove, check_name};

/// The channels whose contacts are the same people: Meta gives a person one
/// user id for all numbers of a business portfolio, and another for those of
/// the next.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Portfolio(Arc<str>);

impl Portfolio {
    pub const DEFAULT: &str = "default";

    pub fn new(name: &str) -> Self {
        Self(name.into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn is_default(&self) -> bool {
        self.as_str() == Self::DEFAULT
    }
}

/// The one of all channels that name none.
impl Default for Portfolio {
    fn default() -> Self {
        Self::new(Self::DEFAULT)
    }
}

impl fmt::Display for Portfolio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What points to a contact within a portfolio. A username never does: people
/// change it.
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
    /// Of the channel; the provider leaves it as it is.
    #[serde(default, skip_serializing_if = "Portfolio::is_default")]
    pub portfolio: Portfolio,
    /// The contact itself, where the host makes something happen to it. Then
    /// nothing else here counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactId>,
}

impl Sender {
    /// For what the host itself makes happen to a contact.
    pub fn of(contact: ContactId) -> Self {
        Self { contact: Some(contact), ..Self::default() }
    }

    /// The identities, the surest first: a BSUID is one person's, a phone
    /// number may pass to another.
    pub fn identities(&self) -> Vec<Identity> {
        let bsuid = self.bsuid.clone().map(Identity::Bsuid);
        let parent = self.parent_bsuid.clone().map(Identity::ParentBsuid);
        let phone = self.phone.clone().map(Identity::Phone);
        [bsuid, parent, phone].into_iter().flatten().collect()
    }
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

/// Written by turns of its own lane; `version` counts those that changed it,
/// and mergers. Its ids (`portfolio`, `phone`, `bsuid`, `parent_bsuid`,
/// `merged`) are the store's alone, which learns them as events come in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contact {
    pub id: ContactId,
    pub version: u64,
    #[serde(default)]
    pub portfolio: Portfolio,
    /// Contacts that turned out to be this one.
    #[serde(default)]
    pub merged: Vec<ContactId>,
    pub phone: Option<String>,
    pub bsuid: Option<String>,
    pub parent_bsuid: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub tags: Vec<Tag>,
    /// `language` and `zone` live here too.
    pub attributes: BTreeMap<String, String>,
    /// The language that a message of theirs surely was in.
    #[serde(default)]
    pub written: Option<Written>,
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
/// Contacts that may turn out to be one: a person has a few numbers and ids in
/// a life. What would be more stays apart.
pub const MERGED_MAX: usize = 32;

impl Contact {
    pub fn new(id: ContactId) -> Self {
        Self {
            id,
            version: 0,
            portfolio: Portfolio::default(),
            merged: Vec::new(),
            phone: None,
            bsuid: None,
            parent_bsuid: None,
            name: None,
            username: None,
            tags: Vec::new(),
            attributes: BTreeMap::new(),
            written: None,
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

    /// Takes over what an event says of its sender; what it does not say stays.
    /// The ids only where there are none yet, as in data from before the store
    /// kept them itself.
    pub fn learn(&mut self, sender: &Sender) {
        let keep = |old: &mut Option<String>, new: &Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        if self.version == 0 && !self.is_reachable() && sender.contact.is_none() {
            keep(&mut self.phone, &sender.phone);
            keep(&mut self.bsuid, &sender.bsuid);
            keep(&mut self.parent_bsuid, &sender.parent_bsuid);
        }
        keep(&mut self.name, &sender.name);
        keep(&mut self.username, &sender.username);
    }

    /// Takes the ids of `stored`, which the store has meanwhile learned.
    pub fn keep_ids(&mut self, stored: &Contact) {
        self.portfolio.clone_from(&stored.portfolio);
        self.merged.clone_from(&stored.merged);
        self.phone.clone_from(&stored.phone);
        self.bsuid.clone_from(&stored.bsuid);
        self.parent_bsuid.clone_from(&stored.parent_bsuid);
    }

    /// Whether there is an address to write to.
    pub fn is_reachable(&self) -> bool {
        self.phone.is_some() || self.bsuid.is_some()
    }

    pub fn address(&self) -> Address {
        Address { phone: self.phone.clone(), bsuid: self.bsuid.clone() }
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

    /// Applies what an effect means for the contact itself; effects that
    /// concern other things leave it as it is. `by` is the step's name.
    pub fn apply(&mut self, effect: &Effect, by: &str, now: Millis) {
        self.apply_because(effect, by, now, None);
    }

    /// As `apply`, with the reason that a tag keeps. Says what is new of the
    /// tags.
    pub fn apply_because(
        &mut self,
        effect: &Effect,
        by: &str,
        now: Millis,
        why: Option<&str>,
    ) -> Option<TagChange> {
        match effect {
            Effect::Tag { name, expires } => {
                let (name, by, expires) = (name.clone(), by.to_owned(), *expires);
                return self.set_tag(Tag { name, by, at: now, expires, why: why.map(reason) });
            }
            Effect::Untag { name } => return self.remove_tag(name, by, now, why),
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
            | Effect::Broadcast { .. }
            | Effect::Unanswered { .. }
            | Effect::LeaveOut { .. }
            | Effect::Variant { .. } => {}
        }
        None
    }
}
