//! What a contact was sent of late, as far as the rules ask for it. Pure.

use crate::{
    model::*,
    policy::Rules,
    provider::{ErrorClass, Provider},
};

/// How many of a contact's last messages are looked at for marketing: more than
/// people put up with in the span of any cap.
pub const RECENT: usize = 200;
/// How long Meta wants a contact spared after it chose not to deliver.
const SPARED_MS: Millis = 24 * 3_600_000;

/// Until when the provider wants the contact spared, by what it said of the
/// messages before.
pub fn spared_until(recent: &[OutboxItem], provider: &dyn Provider) -> Option<Millis> {
    let spared = |item: &&OutboxItem| {
        let code = item.error.filter(|_| item.state == SendState::Failed);
        code.is_some_and(|code| provider.explain(code, "").0 == ErrorClass::MarketingCap)
    };
    let last = recent.iter().filter(spared).map(|item| item.updated_at).max()?;
    Some(last.saturating_add(SPARED_MS))
}

/// From when on a message that has failed is worth a try that a person asks
/// for; none if it is not: its reason stays, or nobody knows whether it arrived.
pub fn worth_again(item: &OutboxItem, provider: &dyn Provider) -> Option<Millis> {
    let code = item.error.filter(|_| item.receipt <= Some(ReceiptState::Failed))?;
    match provider.explain(code, "").0 {
        ErrorClass::MarketingCap => Some(item.updated_at.saturating_add(SPARED_MS)),
        class => class.is_passing().then_some(item.updated_at),
    }
}

/// How much marketing the contact has got within the span of the cap.
pub fn marketing(recent: &[OutboxItem], rules: &Rules, now: Millis) -> u32 {
    let from = rules.cap.map_or(now, |cap| now.saturating_sub(cap.span_ms()));
    let got = recent.iter().filter(|item| is_marketing_since(item, from)).count();
    u32::try_from(got).unwrap_or(u32::MAX)
}

/// Whether the contact has got the item as marketing since `from`, or may have.
fn is_marketing_since(item: &OutboxItem, from: Millis) -> bool {
    let gone = match item.state {
        SendState::Sent | SendState::Attempting { .. } => true,
        SendState::Waiting { .. }
        | SendState::Returned { .. }
        | SendState::Failed
        | SendState::Refused => false,
    };
    // Where that is not on record, it was not before this.
    let at = item.left_at.unwrap_or(item.created_at.max(item.hold.until));
    gone && at > from && item.message.category() == Some(Category::Marketing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::tests::{item, marketing};
    use serde_json::Value;

    #[test]
    fn items_of_before_count_from_when_they_could_leave() {
        let mut sent = OutboxItem { state: SendState::Sent, ..item(1, marketing()) };
        sent.hold.until = sent.created_at + 50;
        let mut old: Value = serde_json::to_value(&sent).unwrap();
        let fields = old.as_object_mut().unwrap();
        fields.remove("left_at").unwrap();
        fields["hold"].as_object_mut().unwrap().remove("ended").unwrap();
        // In the form in which the store has them.
        let stored = rmp_serde::to_vec_named(&old).unwrap();
        let read: OutboxItem = rmp_serde::from_slice(&stored).unwrap();
        assert_eq!(read, sent);
        let since = |item: &OutboxItem, after| is_marketing_since(item, item.created_at + after);
        assert!(since(&read, 49) && !since(&read, 50));
        let left_at = Some(sent.created_at + 90);
        assert!(since(&OutboxItem { left_at, ..sent.clone() }, 89));
        assert!(!since(&OutboxItem { left_at, ..sent }, 90));
    }
}
