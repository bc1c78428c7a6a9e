//! Whether the provider's list of templates lets a message leave. It may have
//! changed since the step asked for it.

use crate::model::*;
use std::sync::Arc;

/// How a template stands, looked up anew each time.
pub type TemplateStates = Arc<dyn Fn(&ChannelId, &Template) -> TemplateState + Send + Sync>;

/// When a message whose template rests is looked at again. It is given up when
/// any message is.
pub const TEMPLATE_REST_MS: Millis = 5 * 60_000;

/// What becomes of the item at `now`, if its template may not be used.
pub(super) fn stopped(states: &TemplateStates, item: &OutboxItem, now: Millis) -> Option<Delivery> {
    let Outgoing::Template(template) = &item.message else { return None };
    match states(&item.channel, template) {
        TemplateState::Live => None,
        TemplateState::Rests { reason } => {
            let reason = format!("{reason} (rule `{}`)", Rule::Template.name());
            let due = now.saturating_add(TEMPLATE_REST_MS);
            Some(Delivery::Held { due, rule: Rule::Template, reason })
        }
        TemplateState::Gone { reason } => Some(Delivery::Rejected { reason, code: None }),
    }
}

/// Where no list is kept.
pub(super) fn all_live() -> TemplateStates {
    Arc::new(|_, _| TemplateState::Live)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::tests::item;

    #[test]
    fn a_template_that_rests_waits_and_one_that_is_gone_is_given_up() {
        let form = Template::new("sale", "en", Category::Marketing, vec![]);
        let sale = item(1, Outgoing::Template(form));
        let reason = || "paused".to_owned();
        let told = |state: TemplateState| {
            let states: TemplateStates = Arc::new(move |_, _| state.clone());
            (stopped(&states, &sale, 7), stopped(&states, &item(1, Outgoing::Text("a".into())), 7))
        };
        assert_eq!(told(TemplateState::Live), (None, None));
        let held = "paused (rule `template`)".into();
        let due = 7 + TEMPLATE_REST_MS;
        let rests = Delivery::Held { due, rule: Rule::Template, reason: held };
        assert_eq!(told(TemplateState::Rests { reason: reason() }), (Some(rests), None));
        let gone = Delivery::Rejected { reason: reason(), code: None };
        assert_eq!(told(TemplateState::Gone { reason: reason() }), (Some(gone), None));
        assert_eq!(stopped(&all_live(), &sale, 7), None);
    }
}
