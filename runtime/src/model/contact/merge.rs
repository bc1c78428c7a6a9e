//! Two contacts that turn out to be one person. Only what they say of
//! themselves; what else is kept of them, the store moves.

use super::{Consent, Contact, Handoff, MERGED_MAX, NOTES_MAX, Tag};
use crate::model::Millis;
use std::collections::BTreeMap;

impl Contact {
    /// Whether `other` may become this one.
    pub fn has_room_for(&self, other: &Self) -> bool {
        self.merged.len() + other.merged.len() < MERGED_MAX
    }

    /// Takes over `other`. This one's ids stay where it has any.
    pub fn absorb(&mut self, other: Self) {
        let newer = other.last_seen > self.last_seen;
        self.version = self.version.max(other.version) + 1;
        self.merged.push(other.id);
        self.merged.extend(other.merged);
        self.merged.sort();
        fill(&mut self.phone, other.phone, false);
        fill(&mut self.bsuid, other.bsuid, false);
        fill(&mut self.parent_bsuid, other.parent_bsuid, false);
        fill(&mut self.name, other.name, newer);
        fill(&mut self.username, other.username, newer);
        join_tags(&mut self.tags, other.tags);
        for (name, value) in other.attributes {
            match newer {
                true => drop(self.attributes.insert(name, value)),
                false => drop(self.attributes.entry(name).or_insert(value)),
            }
        }
        let written = [self.written.take(), other.written];
        self.written = written.into_iter().flatten().max_by_key(|it| it.at);
        self.consent = consent(std::mem::take(&mut self.consent), other.consent);
        latest(&mut self.last_inbound, other.last_inbound);
        latest(&mut self.free_until, other.free_until);
        self.asked = [self.asked.take(), other.asked].into_iter().flatten().max_by_key(|it| it.at);
        self.handoff = handoff(self.handoff.take(), other.handoff);
        self.notes.extend(other.notes);
        self.notes.sort_by_key(|note| note.at);
        self.notes.drain(..self.notes.len().saturating_sub(NOTES_MAX));
        let mut seen = [self.last_seen, self.previous_seen, other.last_seen, other.previous_seen];
        seen.sort();
        let [.., previous, last] = seen;
        (self.last_seen, self.previous_seen) = (last, previous);
        self.first_seen = [self.first_seen, other.first_seen].into_iter().flatten().min();
        self.message_count += other.message_count;
    }
}

fn fill(own: &mut Option<String>, other: Option<String>, newer: bool) {
    if own.is_none() || (newer && other.is_some()) {
        *own = other;
    }
}

/// Of two tags with one name, the one that lasts longer.
fn join_tags(own: &mut Vec<Tag>, other: Vec<Tag>) {
    let end = |tag: &Tag| tag.expires.unwrap_or(Millis::MAX);
    for tag in other {
        match own.iter_mut().find(|known| known.name == tag.name) {
            Some(known) if end(&tag) > end(known) => *known = tag,
            Some(_) => {}
            None => own.push(tag),
        }
    }
    own.sort_by(|a, b| a.name.cmp(&b.name));
}

/// Who has said no anywhere has said no; else the later word counts.
fn consent(a: Consent, b: Consent) -> Consent {
    let rank = |consent: &Consent| match consent {
        Consent::Unknown => (0, 0),
        Consent::OptedIn { at, .. } => (1, *at),
        Consent::OptedOut { at, .. } => (2, *at),
    };
    if rank(&b) > rank(&a) { b } else { a }
}

fn handoff(a: Option<Handoff>, b: Option<Handoff>) -> Option<Handoff> {
    [a, b].into_iter().flatten().max_by_key(|handoff| handoff.since)
}

fn latest<K: Ord>(own: &mut BTreeMap<K, Millis>, other: BTreeMap<K, Millis>) {
    for (key, at) in other {
        let known = own.entry(key).or_insert(at);
        *known = at.max(*known);
    }
}

#[cfg(test)]
mod tests {
    use crate::model::*;

    fn seen(id: u64, at: &[Millis]) -> Contact {
        let mut contact = Contact::new(ContactId(id));
        for at in at {
            contact.saw_message(&ChannelId::new("main"), *at);
        }
        contact
    }

    fn did(contact: &mut Contact, effect: Effect, at: Millis) {
        contact.apply(&effect, "test", at);
    }

    fn tag(name: &str, expires: Option<Millis>) -> Effect {
        Effect::Tag { name: name.into(), expires }
    }

    fn attribute(name: &str, value: &str) -> Effect {
        Effect::SetAttribute { name: name.into(), value: Some(value.into()) }
    }

    #[test]
    fn what_lasts_longer_and_what_is_newer_stays() {
        let (mut a, mut b) = (seen(1, &[10, 40]), seen(2, &[20, 30]));
        did(&mut a, tag("both", Some(5)), 1);
        did(&mut b, tag("both", None), 1);
        did(&mut a, tag("short", Some(9)), 1);
        did(&mut b, tag("short", Some(7)), 2);
        did(&mut b, tag("only", None), 1);
        did(&mut a, attribute("city", "Lima"), 1);
        did(&mut b, attribute("city", "Quito"), 1);
        did(&mut b, attribute("size", "L"), 1);
        a.written = Some(Written { language: "es".into(), at: 40 });
        b.written = Some(Written { language: "de".into(), at: 30 });
        did(&mut b, Effect::Note { text: "first".into() }, 1);
        did(&mut a, Effect::Note { text: "second".into() }, 2);
        did(&mut b, Effect::Handoff { reason: "asked".into() }, 3);
        (a.version, b.version) = (3, 9);
        b.name = Some("Bo".into());
        a.absorb(b);
        let tags: Vec<_> = a.tags.iter().map(|tag| (tag.name.as_str(), tag.expires)).collect();
        assert_eq!(tags, [("both", None), ("only", None), ("short", Some(9))]);
        assert_eq!(a.attributes["city"], "Lima", "of the one who wrote last");
        assert_eq!(a.attributes["size"], "L");
        assert_eq!(a.written.as_ref().unwrap().language, "es", "of the later message");
        let notes: Vec<_> = a.notes.iter().map(|note| note.text.as_str()).collect();
        assert_eq!(notes, ["first", "second"]);
        assert!(a.handoff.is_some() && a.name.as_deref() == Some("Bo"));
        assert_eq!((a.first_seen, a.last_seen, a.previous_seen), (Some(10), Some(40), Some(30)));
        assert_eq!((a.message_count, a.version, a.merged), (4, 10, vec![ContactId(2)]));
        assert_eq!(a.last_inbound[&ChannelId::new("main")], 40);
    }

    #[test]
    fn the_newer_values_are_those_of_who_wrote_last() {
        let (mut a, mut b) = (seen(1, &[10]), seen(2, &[20]));
        did(&mut a, attribute("city", "Lima"), 1);
        did(&mut b, attribute("city", "Quito"), 1);
        (a.name, b.name) = (Some("Old".into()), Some("New".into()));
        (a.phone, b.phone) = (Some("1".into()), Some("2".into()));
        a.absorb(b);
        assert_eq!((a.attributes["city"].as_str(), a.name.as_deref()), ("Quito", Some("New")));
        assert_eq!(a.phone.as_deref(), Some("1"), "ids are no matter of time");
    }

    #[test]
    fn no_is_no_on_either_side() {
        let out = Effect::OptOut { proof: "stop".into() };
        let into = Effect::OptIn { proof: "start".into() };
        for (first, second, name) in [
            (Some(&out), Some(&into), "opted-out"),
            (Some(&into), Some(&out), "opted-out"),
            (None, Some(&into), "opted-in"),
            (Some(&into), None, "opted-in"),
            (None, None, "unknown"),
        ] {
            let (mut a, mut b) = (seen(1, &[]), seen(2, &[]));
            first.into_iter().for_each(|effect| a.apply(effect, "test", 1));
            second.into_iter().for_each(|effect| b.apply(effect, "test", 2));
            a.absorb(b);
            assert_eq!(a.consent.name(), name);
        }
    }

    #[test]
    fn room_for_others_is_bounded() {
        let mut a = seen(1, &[]);
        for n in 2.. {
            let other = seen(n, &[]);
            if !a.has_room_for(&other) {
                break;
            }
            a.absorb(other);
        }
        assert_eq!(a.merged.len(), MERGED_MAX);
    }
}
