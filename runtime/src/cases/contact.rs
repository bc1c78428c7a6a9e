//! Who a case is about, as `contact.json` writes it.

use super::moment::Moment;
use crate::{
    model::{ChannelId, Consent, Contact, ContactId, Handoff, Millis, Tag, Written},
    policy,
};
use serde::{Deserialize, Serialize, de::Error};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The language that the message before this one surely was in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrote_in: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<TagForm>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentForm>,
    /// How many it has sent, this one included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen: Option<Moment>,
    /// When the message before this one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Moment>,
    /// When it last wrote on this channel, if that was not `last_seen`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrote_here: Option<Moment>,
    /// Why a person is answering.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<String>,
}

/// A name, or a name and when it expires.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum TagForm {
    Name(String),
    Expiring { name: String, expires: Moment },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FullTag {
    name: String,
    #[serde(default)]
    expires: Option<Moment>,
}

impl<'de> Deserialize<'de> for TagForm {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Value::deserialize(deserializer)? {
            Value::String(name) => return Ok(Self::Name(name)),
            value => value,
        };
        let tag: FullTag = serde_json::from_value(value)
            .map_err(|error| D::Error::custom(format!("a tag: {error}")))?;
        Ok(match tag.expires {
            Some(expires) => Self::Expiring { name: tag.name, expires },
            None => Self::Name(tag.name),
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentForm {
    Unknown,
    OptedIn,
    OptedOut,
}

/// Every case's contact has this id.
pub const ID: ContactId = ContactId(1);
/// Where answers go, unless the case says.
const PHONE: &str = "15550001";
/// How long ago the message before this one came, unless the case says.
const BEFORE_MS: Millis = 3_600_000;
/// How long ago a person took over.
const HANDOFF_MS: Millis = 60_000;
const BY: &str = "case";

impl ContactForm {
    /// The contact as the plugin sees it at `now`; `sent_at` is none if the
    /// event is no message.
    pub fn contact(&self, channel: &ChannelId, now: Millis, sent_at: Option<Millis>) -> Contact {
        let mut contact = Contact::new(ID);
        contact.name.clone_from(&self.name);
        contact.phone = Some(self.phone.clone().unwrap_or_else(|| PHONE.into()));
        contact.attributes.clone_from(&self.attributes);
        for (name, value) in [("language", &self.language), ("zone", &self.zone)] {
            if let Some(value) = value {
                contact.attributes.insert(name.into(), value.clone());
            }
        }
        let written = |language| Written { language, at: now.saturating_sub(BEFORE_MS) };
        contact.written = self.wrote_in.clone().map(written);
        contact.tags = self.tags.iter().map(|tag| tag.tag(now)).collect();
        contact.tags.sort_by(|a, b| a.name.cmp(&b.name));
        let (by, at, proof) = (BY.to_owned(), now, String::new());
        contact.consent = match self.consent {
            None | Some(ConsentForm::Unknown) => Consent::Unknown,
            Some(ConsentForm::OptedIn) => Consent::OptedIn { by, at, proof },
            Some(ConsentForm::OptedOut) => Consent::OptedOut { by, at, proof },
        };
        contact.handoff = self.handoff.clone().map(|reason| {
            let since = now.saturating_sub(HANDOFF_MS);
            Handoff { reason, by: "operator".into(), since }
        });
        self.count_messages(&mut contact, channel, now, sent_at);
        contact
    }

    fn count_messages(
        &self,
        contact: &mut Contact,
        channel: &ChannelId,
        now: Millis,
        sent_at: Option<Millis>,
    ) {
        contact.message_count = self.messages.unwrap_or(1);
        let others = contact.message_count.saturating_sub(u64::from(sent_at.is_some()));
        let usual = (others > 0).then(|| now.saturating_sub(BEFORE_MS));
        let before = self.last_seen.map(|at| at.0).or(usual);
        contact.first_seen = self.first_seen.map(|at| at.0).or(before).or(sent_at);
        let wrote = self.wrote_here.map(|at| at.0);
        let window = match sent_at {
            Some(sent_at) => {
                contact.previous_seen = before;
                contact.last_seen = before.max(Some(sent_at));
                wrote.or(Some(sent_at))
            }
            None => {
                contact.last_seen = before;
                wrote.or(before)
            }
        };
        if let Some(window) = window {
            contact.last_inbound.insert(channel.clone(), window);
        }
    }

    /// What a plugin can see of a contact. Not that it has no phone number,
    /// which no plugin is told.
    pub fn of(
        contact: &Contact,
        channel: &ChannelId,
        now: Millis,
        sent_at: Option<Millis>,
        rules: &policy::Rules,
    ) -> Self {
        let last_seen = match sent_at {
            Some(_) => contact.previous_seen,
            None => contact.last_seen,
        };
        let usual = sent_at.or(last_seen);
        let wrote = contact.last_inbound.get(channel).copied();
        let mut attributes = contact.attributes.clone();
        let written = contact.written.as_ref().filter(|it| it.counts_at(now));
        let in_force = policy::in_handoff(contact, now, rules);
        Self {
            name: contact.name.clone(),
            phone: contact.phone.clone(),
            language: attributes.remove("language"),
            wrote_in: written.map(|it| it.language.clone()),
            zone: attributes.remove("zone"),
            attributes,
            tags: contact.tags_at(now).map(TagForm::of).collect(),
            consent: match &contact.consent {
                Consent::Unknown => None,
                Consent::OptedIn { .. } => Some(ConsentForm::OptedIn),
                Consent::OptedOut { .. } => Some(ConsentForm::OptedOut),
            },
            messages: Some(contact.message_count),
            first_seen: contact.first_seen.map(Moment),
            last_seen: last_seen.map(Moment),
            // Never written here at all: as long ago as can be.
            wrote_here: (wrote != usual).then(|| Moment(wrote.unwrap_or_default())),
            handoff: contact.handoff.as_ref().filter(|_| in_force).map(|it| it.reason.clone()),
        }
    }
}

impl TagForm {
    fn tag(&self, now: Millis) -> Tag {
        let (name, expires) = match self {
            Self::Name(name) => (name.clone(), None),
            Self::Expiring { name, expires } => (name.clone(), Some(expires.0)),
        };
        Tag { name, by: BY.into(), at: now, expires, why: None }
    }

    fn of(tag: &Tag) -> Self {
        match tag.expires {
            Some(expires) => Self::Expiring { name: tag.name.clone(), expires: Moment(expires) },
            None => Self::Name(tag.name.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
