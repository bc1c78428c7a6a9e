//! All that the simulator remembers: phones, messages, faults, deliveries.
//! Every collection is bounded, and nothing here takes longer with more
//! messages, so that a load test measures the bot.

use super::{
    errors::Problem,
    faults::Faults,
    limits::Bucket,
    names,
    receipts::Receipt,
    settings::Settings,
    webhook::{Delivery, Verification},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};

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
/// In a phone's name, username or number.
const NAME_CHARS: usize = 100;
pub const WINDOW_MS: Millis = 24 * 60 * 60 * 1_000;

/// A phone to make: give a number, a username, or both.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewPhone {
    /// The name in the customer's profile.
    pub name: String,
    /// Left out for a customer whom the business knows by username only.
    pub number: Option<String>,
    /// Without the `@`.
    pub username: Option<String>,
    /// A BSUID; made from the number or username if left out.
    pub user_id: Option<String>,
}

/// A customer.
#[derive(Clone, Debug)]
pub struct Phone {
    pub name: String,
    pub number: Option<String>,
    pub username: Option<String>,
    pub user_id: String,
    /// When the customer last wrote; the window is open for 24 h from then.
    pub last_inbound: Option<Millis>,
    pub typing_until: Millis,
    pub unread: u32,
    pub pair: Bucket,
    history: VecDeque<u64>,
}

impl Phone {
    /// What the control API calls it: its number, else its BSUID.
    pub fn key(&self) -> &str {
        self.number.as_deref().unwrap_or(&self.user_id)
    }
    pub fn window_open_until(&self) -> Option<Millis> {
        self.last_inbound.map(|at| at + WINDOW_MS)
    }
}

/// How far a message got. A customer's message is delivered once the bot has
/// answered its webhook with 200.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Accepted,
    Sent,
    Delivered,
    Read,
    Failed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Author {
    Customer,
    Business,
}

#[derive(Clone, Debug, Serialize)]
pub struct Message {
    pub seq: u64,
    pub id: String,
    pub by: Author,
    pub at: Millis,
    pub kind: String,
    /// What stands under the kind's name, as on the wire.
    pub content: Value,
    pub status: Status,
    pub status_at: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opaque: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// `to` or `recipient` as the business wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_reaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_reaction: Option<String>,
    /// The id of the button or row that the customer tapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tapped: Option<String>,
    #[serde(skip)]
    pub phone: Option<usize>,
}

impl Message {
    pub fn new(id: String, by: Author, at: Millis, kind: &str, content: Value) -> Self {
        Self {
            seq: 0,
            id,
            by,
            at,
            kind: kind.into(),
            content,
            status: Status::Accepted,
            status_at: at,
            problem: None,
            opaque: None,
            reply_to: None,
            to: None,
            customer_reaction: None,
            business_reaction: None,
            tapped: None,
            phone: None,
        }
    }
}

#[derive(Debug)]
pub struct World {
    phones: Vec<Phone>,
    /// By number and by BSUID.
    names: HashMap<String, usize>,
    messages: VecDeque<Message>,
    by_id: HashMap<String, u64>,
    next_seq: u64,
    pub sent_total: u64,
    pub received_total: u64,
    pub settings: Settings,
    pub faults: Faults,
    pub throughput: Bucket,
    pub held: VecDeque<Receipt>,
    pub log: VecDeque<Delivery>,
    pub delivered_total: u64,
    pub attempts_failed: u64,
    pub given_up_total: u64,
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
            received_total: 0,
            settings,
            faults: Faults::default(),
            throughput: Bucket::default(),
            held: VecDeque::new(),
            log: VecDeque::new(),
            delivered_total: 0,
            attempts_failed: 0,
            given_up_total: 0,
            verification: None,
        }
    }

    /// The phone's index. A phone that is there already stays as it is.
    ///
    /// # Errors
    /// Neither number nor username, a malformed one, or too many phones.
    pub fn add_phone(&mut self, new: NewPhone) -> Result<usize, String> {
        let number = match new.number.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(names::digits(text).ok_or_else(|| {
                format!("{text:?} is not a phone number: 5 to 15 digits with the country code")
            })?),
        };
        let username = new
            .username
            .map(|name| name.trim().trim_start_matches('@').to_owned())
            .filter(|name| !name.is_empty());
        let Some(of) = number.clone().or_else(|| username.clone()) else {
            return Err("a phone needs a number or a username".into());
        };
        let user_id = new.user_id.unwrap_or_else(|| names::user_id("US", &of));
        if !names::is_user_id(&user_id) {
            return Err(format!("{user_id:?} is not a business-scoped user id, e.g. US.1349"));
        }
        let known = number.as_ref().and_then(|number| self.find(number));
        if let Some(index) = known.or_else(|| self.find(&user_id)) {
            return Ok(index);
        }
        if self.phones.len() >= PHONES_MAX {
            return Err(format!("at most {PHONES_MAX} phones"));
        }
        let name = if new.name.trim().is_empty() { of } else { new.name.trim().to_owned() };
        if [Some(&name), username.as_ref()].into_iter().flatten().any(|n| n.len() > NAME_CHARS) {
            return Err(format!("a name may have at most {NAME_CHARS} characters"));
        }
        let index = self.phones.len();
        for key in number.iter().chain([&user_id]) {
            self.names.insert(key.clone(), index);
        }
        self.phones.push(Phone {
            name,
            number,
            username,
            user_id,
            last_inbound: None,
            typing_until: 0,
            unread: 0,
            pair: Bucket::default(),
            history: VecDeque::new(),
        });
        Ok(index)
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

    pub fn hold(&mut self, receipt: Receipt) {
        if self.held.len() >= HELD_MAX {
            self.held.pop_front();
        }
        self.held.push_back(receipt);
    }

    /// Forgets messages, faults, counters and the log; phones stay unless
    /// told otherwise, without what was in them.
    pub fn clear(&mut self, phones_too: bool) {
        let mut empty = Self::new(self.settings.clone());
        empty.verification = self.verification.take();
        empty.next_seq = self.next_seq;
        if !phones_too {
            empty.names = std::mem::take(&mut self.names);
            empty.phones = std::mem::take(&mut self.phones);
            for phone in &mut empty.phones {
                phone.last_inbound = None;
                phone.typing_until = 0;
                phone.unread = 0;
                phone.pair = Bucket::default();
                phone.history.clear();
            }
        }
        *self = empty;
    }

    /// A phone in the lists of the control API.
    pub fn phone_json(&self, index: usize) -> Value {
        let Some(phone) = self.phones.get(index) else { return Value::Null };
        json!({
            "id": phone.key(),
            "name": phone.name,
            "number": phone.number,
            "username": phone.username,
            "user_id": phone.user_id,
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
