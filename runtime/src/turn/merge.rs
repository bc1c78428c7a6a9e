//! Joins the messages that one turn sends to its contact: each costs money, and
//! the pair limit is six seconds. Only where no word is lost, nothing changes
//! its place, and the provider takes the whole as one message.

use crate::{model::*, provider::Provider};

/// Joins neighbours among what goes to `contact`. Whatever quotes, and kinds
/// that can't be joined, stand between the others; read marks and messages to
/// other contacts do not. Says in `remarks` what was joined.
pub(super) fn merge(
    items: Vec<OutboxItem>,
    contact: ContactId,
    provider: &dyn Provider,
    remarks: &mut Vec<String>,
) -> Vec<OutboxItem> {
    let mut merged: Vec<OutboxItem> = Vec::with_capacity(items.len());
    // Where the last message to the contact stands.
    let mut last = None;
    for item in items {
        let aside = item.contact != contact || matches!(item.message, Outgoing::Read { .. });
        let before = last.and_then(|at: usize| merged.get_mut(at)).filter(|_| !aside);
        if let Some(before) = before
            && let Some(message) = one(before, &item, provider)
        {
            before.message = message;
            remarks.push(format!("{} went out as part of {}", item.id, before.id));
            before.also.push(item.id);
            continue;
        }
        if !aside {
            last = Some(merged.len());
        }
        merged.push(item);
    }
    merged
}

/// Both as one message, if they can be.
fn one(before: &OutboxItem, item: &OutboxItem, provider: &dyn Provider) -> Option<Outgoing> {
    if before.quote.is_some() || item.quote.is_some() {
        return None;
    }
    let joined = joined(&before.message, &item.message)?;
    let kind = joined.kind();
    let mut parts = provider.fit(joined).ok()?;
    let first = parts.pop()?;
    (parts.is_empty() && first.kind() == kind).then_some(first)
}

fn joined(before: &Outgoing, after: &Outgoing) -> Option<Outgoing> {
    match (before, after) {
        (Outgoing::Text(text), _) => under(text, after.clone()),
        (Outgoing::Media(media), Outgoing::Text(text)) if captioned(media) => {
            let caption = Some(text.clone());
            Some(Outgoing::Media(OutgoingMedia { caption, ..media.clone() }))
        }
        _ => None,
    }
}

fn captioned(media: &OutgoingMedia) -> bool {
    let room = match media.kind {
        MediaKind::Image | MediaKind::Video | MediaKind::Document => true,
        MediaKind::Audio | MediaKind::Voice | MediaKind::Sticker => false,
    };
    room && media.caption.is_none()
}

/// The message with a text above its own. Under a header that text would
/// change its place.
fn under(text: &str, mut message: Outgoing) -> Option<Outgoing> {
    let body = match &mut message {
        Outgoing::Text(body) | Outgoing::Numbered { text: body, .. } => body,
        Outgoing::Buttons { header: None, body, .. }
        | Outgoing::List { header: None, body, .. }
        | Outgoing::Link(Link { header: None, body, .. }) => body,
        _ => return None,
    };
    *body = format!("{text}\n\n{body}");
    Some(message)
}

#[cfg(test)]
mod tests;
