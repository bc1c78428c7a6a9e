//! What a chat says of a customer, and what the turns give as their reasons.

use super::{
    chat::{Customer, Expected},
    said::line_fits,
};
use crate::{model::*, policy};

/// Turns and messages looked at for reasons.
pub(super) const TRACES: usize = 20;
/// Whose doing it is that a chat knows of its customer.
const BY: &str = "chat";

impl Customer {
    /// Of whom nothing is known.
    pub fn new(name: &str) -> Self {
        let (name, phone, consent) = (name.to_owned(), None, None);
        Self { name, phone, consent, tags: Vec::new(), attributes: Vec::new() }
    }
}

/// Makes the contact what the chat says.
pub(super) fn known(contact: &mut Contact, customer: &Customer, now: Millis) {
    let tags = customer.tags.iter().map(|name| Effect::Tag { name: name.clone(), expires: None });
    let attributes = customer.attributes.iter().map(|(name, value)| Effect::SetAttribute {
        name: name.clone(),
        value: Some(value.clone()),
    });
    let proof = "told by the chat".to_owned();
    let consent = customer.consent.map(|wanted| match wanted {
        true => Effect::OptIn { proof },
        false => Effect::OptOut { proof },
    });
    for effect in tags.chain(attributes).chain(consent) {
        contact.apply(&effect, BY, now);
    }
}

/// How it is instead, if it is not as expected.
pub(super) fn differs(
    contact: &Contact,
    expected: &Expected,
    now: Millis,
    rules: &policy::Rules,
) -> Option<String> {
    match expected {
        Expected::Tags { tags, there, .. } => {
            let wrong = tags.iter().any(|tag| contact.has_tag(tag, now) != *there);
            let has: Vec<&str> = contact.tags_at(now).map(|tag| tag.name.as_str()).collect();
            wrong.then(|| match has.is_empty() {
                true => "has no tags".into(),
                false => format!("has tags {}", has.join(", ")),
            })
        }
        Expected::Attribute { name, value, .. } => match contact.attributes.get(name) {
            Some(has) if line_fits(value, has) => None,
            Some(has) => Some(format!("has {name} {has}")),
            None => Some(format!("has no {name}")),
        },
        Expected::Consent { wanted, .. } => {
            let as_told = match (&contact.consent, wanted) {
                (Consent::OptedIn { .. }, true) | (Consent::OptedOut { .. }, false) => true,
                (Consent::Unknown, _)
                | (Consent::OptedIn { .. }, false)
                | (Consent::OptedOut { .. }, true) => false,
            };
            (!as_told).then(|| match &contact.consent {
                Consent::OptedIn { .. } => "wants marketing".into(),
                Consent::OptedOut { .. } => "wants no marketing".into(),
                Consent::Unknown => "has not said whether marketing is welcome".into(),
            })
        }
        Expected::Handoff { reason, .. } => {
            let handoff =
                contact.handoff.as_ref().filter(|_| policy::in_handoff(contact, now, rules));
            match (handoff, reason) {
                (None, None) => None,
                (Some(handoff), Some(reason)) if line_fits(reason, &handoff.reason) => None,
                (Some(handoff), _) => Some(format!("was handed to a person: {}", handoff.reason)),
                (None, Some(_)) => Some("talks to the bot".into()),
            }
        }
        Expected::Note { text, .. } => {
            let fits = contact.notes.iter().any(|note| line_fits(text, &note.text));
            let last = contact.notes.last();
            (!fits).then(|| match last {
                Some(note) => format!("has as the last note: {}", note.text),
                None => "has no note".into(),
            })
        }
        Expected::Message { .. } | Expected::Nothing { .. } => None,
    }
}

/// Why a turn went as it did, a line for each reason.
pub(super) fn reasons(trace: &Trace) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &trace.steps {
        lines.extend(step.because.iter().map(|reason| format!("{}: {reason}", step.step)));
        lines.extend(step.error.iter().map(|error| format!("{} failed: {error}", step.step)));
    }
    lines.extend(trace.remarks.iter().cloned());
    lines
}

/// What keeps a message from leaving, if something does.
pub(super) fn not_sent(item: &OutboxItem) -> Option<String> {
    let word = match item.state {
        SendState::Waiting { .. } => "waits",
        SendState::Refused => "was refused",
        SendState::Failed => "failed",
        SendState::Attempting { .. } | SendState::Sent | SendState::Returned { .. } => return None,
    };
    let reason = item.reason.as_deref().unwrap_or("no reason was given");
    Some(format!("a message of {} {word}: {reason}", item.step))
}

/// What such a file mostly is.
pub(super) fn mime(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image/jpeg",
        MediaKind::Video => "video/mp4",
        MediaKind::Audio => "audio/mpeg",
        MediaKind::Voice => "audio/ogg",
        MediaKind::Document => "application/pdf",
        MediaKind::Sticker => "image/webp",
    }
}
