//! May this message leave? Pure rules that no plugin can skip: asked when a
//! step asks to send, and again when the message is about to go.

use crate::model::*;

/// The settings that the rules read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Taken off the end of the window.
    pub window_margin_ms: Millis,
    /// A handoff older than this, counted from the contact's last message, is
    /// over.
    pub handoff_ms: Millis,
}

/// Which rule forbade a message.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    #[error("outside the 24-hour window of the contact's last message only templates may leave")]
    WindowClosed,
    #[error("the contact has stopped marketing messages")]
    OptedOut,
    #[error("a person is answering this contact, so the bot keeps silent")]
    InHandoff,
    #[error("the contact has neither a phone number nor a user id")]
    NoAddress,
}

const WINDOW_MS: Millis = 24 * 3600 * 1000;

/// When the customer service window ends, less the margin; none if the contact
/// has never written on this channel.
pub fn window_end(contact: &Contact, channel: &ChannelId, rules: &Rules) -> Option<Millis> {
    let last = contact.last_inbound.get(channel)?;
    Some(last.saturating_add(WINDOW_MS).saturating_sub(rules.window_margin_ms))
}

/// Whether a person is answering at `now`. Not yet in the turn that hands over,
/// so that it can say so.
pub fn in_handoff(contact: &Contact, now: Millis, rules: &Rules) -> bool {
    contact.handoff.as_ref().is_some_and(|handoff| {
        let last = contact.previous_seen.unwrap_or(0).max(handoff.since);
        handoff.since < now && now < last.saturating_add(rules.handoff_ms)
    })
}

/// Whether `message`, asked for at `asked_at`, may go to `contact` on `channel`
/// at `now`.
pub fn may_leave(
    contact: &Contact,
    channel: &ChannelId,
    message: &Outgoing,
    asked_at: Millis,
    now: Millis,
    rules: &Rules,
) -> Result<(), Refusal> {
    if contact.phone.is_none() && contact.bsuid.is_none() {
        return Err(Refusal::NoAddress);
    }
    match message {
        Outgoing::Read { .. } => Ok(()),
        Outgoing::Template(template) => match (template.category, &contact.consent) {
            (Category::Marketing, Consent::OptedOut { .. }) => Err(Refusal::OptedOut),
            (Category::Marketing | Category::Utility | Category::Authentication, _) => Ok(()),
        },
        Outgoing::Text(_)
        | Outgoing::Buttons { .. }
        | Outgoing::List { .. }
        | Outgoing::Numbered { .. }
        | Outgoing::Media(_)
        | Outgoing::Location(_)
        | Outgoing::Contacts(_)
        | Outgoing::Link(_)
        | Outgoing::Flow(_)
        | Outgoing::Request { .. }
        | Outgoing::Product { .. }
        | Outgoing::Products(_)
        | Outgoing::Catalog { .. }
        | Outgoing::Carousel { .. }
        | Outgoing::Interactive(_)
        | Outgoing::Reaction { .. } => {
            if in_handoff(contact, asked_at, rules) {
                return Err(Refusal::InHandoff);
            }
            match window_end(contact, channel, rules) {
                Some(end) if end > now => Ok(()),
                _ => Err(Refusal::WindowClosed),
            }
        }
    }
}
