//! Whether the contact of this turn is one of those whom a promotion is for.

use crate::{notice, rules::Audience, sent::Sent};
use switchboard_plugin::{template::of_contact, *};

impl Audience {
    /// Why it is not for this contact, in words that are the same for all whom
    /// the same reason keeps out.
    pub fn refuses(&self, sent: &Sent) -> Option<String> {
        if !self.has_tags() {
            return Some("the contact's tags have changed".into());
        }
        for (name, wanted) in &self.attributes {
            if !wanted.fits(of_contact(name).as_deref()) {
                return Some(format!("the contact's `{name}` is not what is asked for"));
            }
        }
        if !self.languages.is_empty()
            && !contact::language().is_some_and(|language| self.speaks(&language))
        {
            return Some("the contact's language is not among those asked for".into());
        }
        if self.consent.is_some_and(|wanted| contact::marketing_consent() != wanted) {
            return Some("the contact's consent is not the one asked for".into());
        }
        self.refuses_by_time(sent).map(Into::into)
    }

    fn has_tags(&self) -> bool {
        let has = |tag: &String| contact::has_tag(tag);
        self.tags.all_of.iter().all(has)
            && (self.tags.any_of.is_empty() || self.tags.any_of.iter().any(has))
            && !self.tags.none_of.iter().any(has)
    }

    /// `pt` is for `pt-BR` too.
    fn speaks(&self, language: &str) -> bool {
        let language = tag_of(language);
        self.languages.iter().map(|wanted| tag_of(wanted)).any(|wanted| {
            let rest = language.strip_prefix(&wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    }

    fn refuses_by_time(&self, sent: &Sent) -> Option<&'static str> {
        let now = business::now();
        let (first, last) = (contact::first_seen(), notice::last_message());
        let within = |at: Option<Instant>, span| at.is_some_and(|at| at + span > now);
        if self.seen_within.is_some_and(|span| !within(last, span)) {
            return Some("the contact has not written lately");
        }
        // Who never wrote is no lapsed customer.
        if self.silent_for.is_some_and(|span| last.is_none() || within(last, span)) {
            return Some("the contact has written lately, or never");
        }
        if self.new_within.is_some_and(|span| !within(first, span)) {
            return Some("the contact is not new");
        }
        if self.known_for.is_some_and(|span| first.is_none() || within(first, span)) {
            return Some("the contact is too new");
        }
        let answered = sent.last().map(|at| last.is_some_and(|last| last >= at));
        match (self.answered, answered) {
            (None, _) | (Some(true), Some(true)) | (Some(false), Some(false)) => None,
            (Some(_), None) => Some("the contact has had no promotion before"),
            (Some(true), Some(false)) => Some("the contact did not answer the last promotion"),
            (Some(false), Some(true)) => Some("the contact answered the last promotion"),
        }
    }
}

/// A language code in the form of a tag: `pt_BR` as `pt-br`.
pub fn tag_of(language: &str) -> String {
    language.replace('_', "-").to_lowercase()
}
