//! Whether the provider's list of templates lets a message leave. It may have
//! changed since the step asked for it.

use crate::model::*;
use std::sync::Arc;

/// How a template stands, looked up anew each time.
pub type TemplateStandings = Arc<dyn Fn(&ChannelId, &Template) -> TemplateStanding + Send + Sync>;

/// When a message whose template rests is looked at again. It is given up when
/// any message is.
pub const TEMPLATE_REST_MS: Millis = 5 * 60_000;

/// What becomes of the item at `now`, if its template is in a state in which it
/// may not be used.
pub(super) fn stopped(state: TemplateState, now: Millis) -> Option<Delivery> {
    match state {
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
pub(super) fn all_live() -> TemplateStandings {
    Arc::new(|_, _| TemplateStanding::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_rests_waits_and_one_that_is_gone_is_given_up() {
        let reason = || "paused".to_owned();
        assert_eq!(stopped(TemplateState::Live, 7), None);
        let held = "paused (rule `template`)".into();
        let due = 7 + TEMPLATE_REST_MS;
        let rests = Delivery::Held { due, rule: Rule::Template, reason: held };
        assert_eq!(stopped(TemplateState::Rests { reason: reason() }, 7), Some(rests));
        let gone = Delivery::Rejected { reason: reason(), code: None };
        assert_eq!(stopped(TemplateState::Gone { reason: reason() }, 7), Some(gone));
    }
}
