//! A contact's tags: who set each and why, and what changed of them.

use super::Contact;
use crate::model::Millis;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tag {
    pub name: String,
    /// The step, or `operator`.
    pub by: String,
    pub at: Millis,
    pub expires: Option<Millis>,
    /// The reason that the step had given last.
    #[serde(default)]
    pub why: Option<String>,
}

/// One change of a contact's tags, kept for the owner. That a tag which is
/// there stays longer is none: the tag itself says so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TagChange {
    pub name: String,
    pub change: TagMove,
    /// Of one that expired, who had set it.
    pub by: String,
    /// Of one that expired, when its time was over.
    pub at: Millis,
    /// Until when it was set.
    #[serde(default)]
    pub expires: Option<Millis>,
    #[serde(default)]
    pub why: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagMove {
    Added,
    Removed,
    Expired,
}

/// Bytes of a tag's name.
pub const TAG_BYTES: usize = 64;
/// Tags of a contact.
const TAGS: usize = 200;
/// Changes kept per contact; the oldest goes first.
pub const TAG_HISTORY_MAX: usize = 200;
/// A reason is kept up to here, in characters.
const WHY_CHARS: usize = 200;

/// As much of it as is kept.
pub(super) fn reason(why: &str) -> String {
    why.chars().take(WHY_CHARS).collect()
}

/// Error: why nothing may have that name; `what` is for the words.
pub fn check_name(what: &str, name: &str, limit: usize) -> Result<(), String> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(format!("a {what} needs a name without control characters"));
    }
    match name.len() {
        bytes if bytes > limit => {
            Err(format!("the {what}'s name has {bytes} bytes, and {limit} are allowed"))
        }
        _ => Ok(()),
    }
}

impl Contact {
    pub fn has_tag(&self, name: &str, now: Millis) -> bool {
        self.tags_at(now).any(|tag| tag.name == name)
    }

    /// Tags that have not expired.
    pub fn tags_at(&self, now: Millis) -> impl Iterator<Item = &Tag> {
        self.tags.iter().filter(move |tag| tag.expires.is_none_or(|at| at > now))
    }

    /// Error: why it may not be set. The name is a tag's.
    pub fn has_room_for_tag(&self, name: &str) -> Result<(), String> {
        if self.tags.len() >= TAGS && !self.tags.iter().any(|tag| tag.name == name) {
            return Err(format!("the contact has {TAGS} tags, and more are not allowed"));
        }
        Ok(())
    }

    /// Sets a tag, in the place of one that is there. A change if none is.
    pub(super) fn set_tag(&mut self, tag: Tag) -> Option<TagChange> {
        let had = self.has_tag(&tag.name, tag.at);
        let change = TagChange {
            name: tag.name.clone(),
            change: TagMove::Added,
            by: tag.by.clone(),
            at: tag.at,
            expires: tag.expires,
            why: tag.why.clone(),
        };
        self.tags.retain(|other| other.name != tag.name);
        self.tags.push(tag);
        self.tags.sort_by(|a, b| a.name.cmp(&b.name));
        (!had).then_some(change)
    }

    pub(super) fn remove_tag(
        &mut self,
        name: &str,
        by: &str,
        now: Millis,
        why: Option<&str>,
    ) -> Option<TagChange> {
        let had = self.has_tag(name, now);
        self.tags.retain(|tag| tag.name != name);
        had.then(|| TagChange {
            name: name.into(),
            change: TagMove::Removed,
            by: by.into(),
            at: now,
            expires: None,
            why: why.map(reason),
        })
    }

    /// Takes off the tags whose time is over, and says which.
    pub fn drop_expired(&mut self, now: Millis) -> Vec<TagChange> {
        let expired = self.expired(now);
        self.tags.retain(|tag| tag.expires.is_none_or(|at| at > now));
        expired
    }

    /// The tags whose time is over since the last turn, the first to end first.
    pub fn expired(&self, now: Millis) -> Vec<TagChange> {
        let over = |tag: &Tag| {
            let at = tag.expires.filter(|at| *at <= now)?;
            Some(TagChange {
                name: tag.name.clone(),
                change: TagMove::Expired,
                by: tag.by.clone(),
                at,
                expires: None,
                why: tag.why.clone(),
            })
        };
        let mut expired: Vec<TagChange> = self.tags.iter().filter_map(over).collect();
        expired.sort_by_key(|change| change.at);
        expired
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContactId, Effect};

    fn tag(name: &str, expires: Option<Millis>) -> Effect {
        Effect::Tag { name: name.into(), expires }
    }

    #[test]
    fn only_what_is_new_is_a_change() {
        let mut contact = Contact::new(ContactId(1));
        let long = "because ".repeat(100);
        let change = contact.apply_because(&tag("a", Some(10)), "tagger", 1, Some(&long)).unwrap();
        assert_eq!((change.change, change.by.as_str(), change.at), (TagMove::Added, "tagger", 1));
        assert_eq!((change.expires, change.why.unwrap().len()), (Some(10), 200));
        // Longer: the tag knows, and it is no other tag.
        assert_eq!(contact.apply_because(&tag("a", Some(20)), "promo", 2, None), None);
        let now = &contact.tags[0];
        assert_eq!((now.by.as_str(), now.at, now.expires, &now.why), ("promo", 2, Some(20), &None));
        let untag = Effect::Untag { name: "a".into() };
        let change = contact.apply_because(&untag, "tagger", 3, Some("over")).unwrap();
        assert_eq!((change.change, change.why.as_deref()), (TagMove::Removed, Some("over")));
        assert_eq!(contact.apply_because(&untag, "tagger", 4, None), None);
        assert_eq!(contact.apply_because(&Effect::Resume, "tagger", 4, None), None);
    }

    #[test]
    fn what_expired_is_told_once_and_in_order() {
        let mut contact = Contact::new(ContactId(1));
        for (name, expires) in [("a", Some(9)), ("b", Some(5)), ("c", None), ("d", Some(11))] {
            contact.apply_because(&tag(name, expires), "tagger", 1, Some("x"));
        }
        let told: Vec<_> =
            contact.drop_expired(10).into_iter().map(|it| (it.name, it.at, it.change)).collect();
        let expired = TagMove::Expired;
        assert_eq!(told, [("b".into(), 5, expired), ("a".into(), 9, expired)]);
        assert_eq!(contact.drop_expired(10), []);
        assert_eq!(contact.tags.len(), 2);
        // One whose end nobody has noted yet is set anew.
        contact.apply_because(&tag("d", None), "tagger", 12, None).unwrap();
    }

    #[test]
    fn a_tag_from_before_it_knew_why_is_read() {
        #[derive(Serialize)]
        struct Old {
            name: &'static str,
            by: &'static str,
            at: Millis,
            expires: Option<Millis>,
        }
        let old = Old { name: "a", by: "tagger", at: 1, expires: None };
        let bytes = rmp_serde::to_vec_named(&old).unwrap();
        let tag: Tag = rmp_serde::from_slice(&bytes).unwrap();
        assert_eq!((tag.name.as_str(), tag.why), ("a", None));
    }
}
