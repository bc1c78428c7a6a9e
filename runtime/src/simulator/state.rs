//! All that the simulator remembers: phones, messages, faults, deliveries.
//! Every collection is bounded, and nothing here takes longer with more
//! messages, so that a load test measures the bot.

use super::{
    account::Account,
    deliver::{Delivery, Parcel, Verification},
    faults::Faults,
    files::Files,
    first_contacts::FirstContacts,
    limits::Bucket,
    message::{Author, Message},
    phone::{NewPhone, Phone, Who},
    settings::Settings,
    templates::Templates,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// A moment, in milliseconds since the Unix epoch.
pub type Millis = u64;

/// Phones in all; more are refused.
const PHONES_MAX: usize = 50_000;
/// Messages in all, both ways; then the oldest are forgotten.
const MESSAGES_MAX: usize = 200_000;
/// Webhook attempts kept for `GET /sim/webhooks`.
const LOG_MAX: usize = 1_000;
/// Receipts held back at once; then the oldest are forgotten.
const HELD_MAX: usize = 100_000;
pub const DAY_MS: Millis = 24 * 60 * 60 * 1_000;
pub const WINDOW_MS: Millis = DAY_MS;

#[derive(Debug)]
pub struct World {
    phones: Vec<Phone>,
    /// By number and by BSUID.
    names: HashMap<String, usize>,
    messages: VecDeque<Message>,
    by_id: HashMap<String, u64>,
    next_seq: u64,
    pub sent_total: u64,
    /// Sends that were refused, by code.
    pub refused: BTreeMap<u32, u64>,
    pub received_total: u64,
    pub settings: Settings,
    pub account: Account,
    pub templates: Templates,
    pub files: Files,
    pub first_contacts: FirstContacts,
    pub faults: Faults,
    pub throughput: Bucket,
    pub held: VecDeque<Parcel>,
    pub log: VecDeque<Delivery>,
    pub delivered_total: u64,
    pub attempts_failed: u64,
    pub given_up_total: u64,
    /// Webhooks that went nowhere, since the app is not subscribed.
    pub unsubscribed_total: u64,
    pub verification: Option<Verification>,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        Self {
            phones: Vec::new(),
            names: HashMap::new(),
            messages: VecDeque::new(),
            by_id: HashMap::new(),
            next_seq: 1,
            sent_total: 0,
            refused: BTreeMap::new(),
            received_total: 0,
            settings,
            account: Account::default(),
            templates: Templates::default(),
            files: Files::default(),
            first_contacts: FirstContacts::default(),
            faults: Faults::default(),
            throughput: Bucket::default(),
            held: VecDeque::new(),
            log: VecDeque::new(),
            delivered_total: 0,
            attempts_failed: 0,
            given_up_total: 0,
            unsubscribed_total: 0,
            verification: None,
        }
    }

    /// The phone's index. A phone that is there already stays as it is.
    ///
    /// # Errors
    /// Neither number nor username, a malformed one, or too many phones.
    pub fn add_phone(&mut self, new: NewPhone) -> Result<usize, String> {
        let who = new.checked()?;
        let known = who.number.as_ref().and_then(|number| self.find(number));
        if let Some(index) = known.or_else(|| self.find(&who.user_id)) {
            return Ok(index);
        }
        if self.phones.len() >= PHONES_MAX {
            return Err(format!("at most {PHONES_MAX} phones"));
        }
        let index = self.phones.len();
        for key in who.number.iter().chain([&who.user_id]) {
            self.names.insert(key.clone(), index);
        }
        self.phones.push(Phone::new(who));
        Ok(index)
    }

    /// The phone has another number, user id or name from now on.
    ///
    /// # Errors
    /// Another phone has the number or the user id.
    pub fn rename(&mut self, index: usize, who: Who) -> Result<(), String> {
        let Some(phone) = self.phones.get_mut(index) else { return Err("no such phone".into()) };
        let new: Vec<String> = who.number.iter().chain([&who.user_id]).cloned().collect();
        if new.iter().any(|key| self.names.get(key).is_some_and(|other| *other != index)) {
            return Err("another phone has this number or user id".into());
        }
        for key in phone.who.number.iter().chain([&phone.who.user_id]) {
            self.names.remove(key);
        }
        self.names.extend(new.into_iter().map(|key| (key, index)));
        phone.who = who;
        Ok(())
    }

    /// By number or BSUID.
    pub fn find(&self, key: &str) -> Option<usize> {
        self.names.get(key).copied()
    }
    pub fn phone(&self, index: usize) -> Option<&Phone> {
        self.phones.get(index)
    }
    pub fn phone_mut(&mut self, index: usize) -> Option<&mut Phone> {
        self.phones.get_mut(index)
    }
    pub fn phones(&self) -> &[Phone] {
        &self.phones
    }

    /// Remembers a message and forgets the oldest when there are too many.
    pub fn push(&mut self, mut message: Message) {
        message.seq = self.next_seq;
        self.next_seq += 1;
        self.by_id.insert(message.id.clone(), message.seq);
        if let Some(phone) = message.phone.and_then(|index| self.phones.get_mut(index)) {
            phone.history.push_back(message.seq);
        }
        self.messages.push_back(message);
        if self.messages.len() > MESSAGES_MAX
            && let Some(oldest) = self.messages.pop_front()
        {
            self.by_id.remove(&oldest.id);
            if let Some(phone) = oldest.phone.and_then(|index| self.phones.get_mut(index)) {
                // The oldest of all is the oldest of its phone.
                phone.history.pop_front();
            }
        }
    }

    fn at(&self, seq: u64) -> Option<&Message> {
        let first = self.messages.front()?.seq;
        self.messages.get(usize::try_from(seq.checked_sub(first)?).ok()?)
    }
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.at(*self.by_id.get(id)?)
    }
    pub fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        let seq = *self.by_id.get(id)?;
        let first = self.messages.front()?.seq;
        self.messages.get_mut(usize::try_from(seq.checked_sub(first)?).ok()?)
    }

    /// A phone's newest messages before `before`, newest first.
    pub fn history(&self, phone: usize, before: u64) -> impl Iterator<Item = &Message> {
        let seqs = self.phones.get(phone).map(|phone| phone.history.iter().rev());
        seqs.into_iter()
            .flatten()
            .copied()
            .skip_while(move |seq| *seq >= before)
            .filter_map(|seq| self.at(seq))
    }

    /// What the business sent after `after`, oldest first.
    pub fn sent(&self, after: u64) -> impl Iterator<Item = &Message> {
        let first = self.messages.front().map_or(0, |message| message.seq);
        let skip = (after + 1).saturating_sub(first) as usize;
        self.messages.range(skip.min(self.messages.len())..).filter(|m| m.by == Author::Business)
    }

    pub fn log(&mut self, delivery: Delivery) {
        if self.log.len() >= LOG_MAX {
            self.log.pop_front();
        }
        self.log.push_back(delivery);
    }

    pub fn hold(&mut self, receipt: Parcel) {
        if self.held.len() >= HELD_MAX {
            self.held.pop_front();
        }
        self.held.push_back(receipt);
    }

    /// Forgets messages, files, faults, counters and the log; phones stay
    /// unless told otherwise, without what was in them. Settings, account and
    /// templates stay.
    pub fn clear(&mut self, phones_too: bool) {
        let mut empty = Self::new(self.settings.clone());
        empty.verification = self.verification.take();
        empty.next_seq = self.next_seq;
        empty.account = self.account.clone();
        empty.templates = std::mem::take(&mut self.templates);
        if !phones_too {
            empty.names = std::mem::take(&mut self.names);
            empty.phones = std::mem::take(&mut self.phones);
            for phone in &mut empty.phones {
                *phone = Phone::new(phone.who.clone());
            }
        }
        *self = empty;
    }

    /// A phone in the lists of the control API.
    pub fn phone_json(&self, index: usize) -> Value {
        let Some(phone) = self.phones.get(index) else { return Value::Null };
        json!({
            "id": phone.who.key(),
            "name": phone.who.name,
            "number": phone.who.number,
            "username": phone.who.username,
            "user_id": phone.who.user_id,
            "hidden": phone.who.hidden,
            "online": !phone.offline,
            "stopped_marketing": phone.stopped_marketing,
            "free_until": phone.free_until,
            "unread": phone.unread,
            "last_inbound": phone.last_inbound,
            "window_open_until": phone.window_open_until(),
            "typing_until": phone.typing_until,
            "messages": phone.history.len(),
            "last": self.history(index, u64::MAX).next(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_messages_are_forgotten_everywhere() {
        let mut world = World::new(Settings::default());
        let number = |number: &str| NewPhone { number: Some(number.into()), ..NewPhone::default() };
        let a = world.add_phone(number("10001")).unwrap();
        let b = world.add_phone(number("10002")).unwrap();
        let total = MESSAGES_MAX + 10;
        for n in 0..total {
            let mut message = Message::new(n.to_string(), Author::Business, 0, "text", Value::Null);
            message.phone = Some(if n % 2 == 0 { a } else { b });
            world.push(message);
        }
        assert_eq!(world.by_id.len(), MESSAGES_MAX);
        assert!(world.message("9").is_none());
        assert_eq!(world.message("10").unwrap().seq, 11);
        assert_eq!(world.phones[a].history.len() + world.phones[b].history.len(), MESSAGES_MAX);
        assert_eq!(world.history(b, u64::MAX).next().unwrap().id, (total - 1).to_string());
        assert_eq!(world.sent(0).count(), MESSAGES_MAX);
        assert_eq!(world.sent(total as u64 - 3).count(), 3);
        assert_eq!(world.message_mut("11").unwrap().id, "11");
    }
}
