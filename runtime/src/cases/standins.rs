//! Puts stand-ins where a recorded turn names a person, the same one each
//! time, so that a plugin that greets by name still does.

use crate::model::{Contact, Content, Event, EventKind};
use serde_json::Value;

/// What to look for, and what to put there.
pub struct StandIns(Vec<Pair>);

struct Pair {
    find: String,
    put: String,
    /// Only where it is not part of a longer word.
    whole: bool,
}

const PHONE: &str = "15550001000";
/// For the words of a name, in order; a longer name gets them again.
const NAMES: [&str; 4] = ["Sam", "Stone", "Field", "Brook"];
/// Shorter words of a name would be found in everything.
const NAME_CHARS: usize = 2;

impl StandIns {
    pub fn of(event: &Event, contact: Option<&Contact>) -> Self {
        let mut found = Self(Vec::new());
        let sender = event.sender.as_ref();
        let both = [
            (contact.and_then(|it| it.phone.as_ref()), PHONE),
            (sender.and_then(|it| it.phone.as_ref()), PHONE),
            (contact.and_then(|it| it.bsuid.as_ref()), "US.1000000001"),
            (sender.and_then(|it| it.bsuid.as_ref()), "US.1000000001"),
            (contact.and_then(|it| it.parent_bsuid.as_ref()), "US.ENT.1000000001"),
            (sender.and_then(|it| it.parent_bsuid.as_ref()), "US.ENT.1000000001"),
        ];
        for (text, put) in both {
            found.add(text, put, false);
        }
        let usernames = [contact.map(|it| &it.username), sender.map(|it| &it.username)];
        for username in usernames.into_iter().flatten() {
            found.add(username.as_ref(), "customer", true);
        }
        let names = [contact.map(|it| &it.name), sender.map(|it| &it.name)];
        for name in names.into_iter().flatten().flatten() {
            let words = name.split_whitespace().filter(|word| word.chars().count() >= NAME_CHARS);
            for (word, put) in words.zip(NAMES.iter().cycle()) {
                found.add(Some(&word.to_owned()), put, true);
            }
        }
        if let Some(contact) = contact {
            found.add(Some(&contact.id.to_string()), "c1", true);
        }
        match &event.kind {
            EventKind::Message(message) => {
                found.add(Some(&message.id), "wamid.1", false);
                found.add(message.replies_to.as_ref(), "wamid.2", false);
                if let Content::Notice(notice) = &message.content {
                    found.add(notice.now.phone.as_ref(), "15550001001", false);
                    found.add(notice.now.bsuid.as_ref(), "US.1000000002", false);
                    found.add(notice.now.parent_bsuid.as_ref(), "US.ENT.1000000002", false);
                }
            }
            EventKind::Receipt(receipt) => found.add(Some(&receipt.message_id), "wamid.3", false),
            EventKind::TimerFired { .. }
            | EventKind::Broadcast { .. }
            | EventKind::Operator(_)
            | EventKind::Account { .. } => {}
        }
        // The longest first, so that no part is taken for the whole.
        found.0.sort_by_key(|pair| std::cmp::Reverse(pair.find.len()));
        found
    }

    fn add(&mut self, find: Option<&String>, put: &str, whole: bool) {
        let Some(find) = find.filter(|find| !find.is_empty()) else { return };
        if !self.0.iter().any(|pair| pair.find == *find) {
            self.0.push(Pair { find: find.clone(), put: put.into(), whole });
        }
    }

    /// In every text and key of a value.
    pub fn put_into(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(list) => list.into_iter().map(|item| self.put_into(item)).collect(),
            Value::Object(map) => {
                map.into_iter().map(|(key, it)| (self.text(&key), self.put_into(it))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    fn text(&self, text: &str) -> String {
        let mut done = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = None;
        while let Some(next) = rest.chars().next() {
            match self.at(before, rest) {
                Some(pair) => {
                    done.push_str(&pair.put);
                    before = pair.find.chars().next_back();
                    rest = rest.get(pair.find.len()..).unwrap_or_default();
                }
                None => {
                    done.push(next);
                    before = Some(next);
                    rest = rest.get(next.len_utf8()..).unwrap_or_default();
                }
            }
        }
        done
    }

    fn at(&self, before: Option<char>, rest: &str) -> Option<&Pair> {
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        self.0.iter().find(|pair| {
            rest.strip_prefix(pair.find.as_str())
                .is_some_and(|after| !pair.whole || (apart(before) && apart(after.chars().next())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChannelId, ContactId, EventId, Lane, Operator};
    use serde_json::json;

    #[test]
    fn persons_get_stand_ins_everywhere_and_others_stay() {
        let mut contact = Contact::new(ContactId(17));
        contact.phone = Some("491511234567".into());
        contact.name = Some("Ann Annison".into());
        let event = Event {
            id: EventId { lane: Lane::Contact(contact.id), seq: 4 },
            channel: ChannelId::new("main"),
            sender: None,
            kind: EventKind::Operator(Operator::Resume { by: "x".into() }),
            raw: String::new(),
            accepted_at: 0,
            attempts: 0,
            member: None,
            tries: 0,
        };
        let given = json!({
            "reply": ["Hello Ann!", "Ann Annison, +491511234567", "c17-4-0", "c170", "Annual", 17],
            "by 491511234567": null,
        });
        let expected = json!({
            "reply": ["Hello Sam!", "Sam Stone, +15550001000", "c1-4-0", "c170", "Annual", 17],
            "by 15550001000": null,
        });
        assert_eq!(StandIns::of(&event, Some(&contact)).put_into(given), expected);
    }
}
