//! Where everything lies: the layout of keys in the one ordered tree. The first
//! byte is the kind; then comes whose it is, so that what belongs to one contact
//! is a few ranges. Numbers are big-endian, texts are escaped, so bytes order
//! as the values do. Nothing else builds or takes apart a key.
//!
//! | kind | after it | value |
//! |---|---|---|
//! | Format | | the layout's number |
//! | Count | which | number |
//! | Dedup | hash of channel and key | when it is forgotten |
//! | Identity | hash of the id, and of the portfolio unless it is the default | contact, since when |
//! | MessageId | hash | send |
//! | Lane | lane | first waiting seq, next seq, attempts |
//! | Event | lane, seq | event |
//! | Contact | contact | contact |
//! | Tag | name, contact | when it expires |
//! | TagHistory | contact | the last changes of its tags |
//! | Kv | scope, lane, step, key | when it expires, value |
//! | Timer | lane, step, name | timer |
//! | TimerDue | due, lane, step, name | |
//! | Item | send | outbox item |
//! | Sent | contact, place | send: everything, in order |
//! | Queue | contact, place | send: what is not history |
//! | ItemDue | due, contact | send: the head of a queue |
//! | ItemDue | due, contact, send | send: one apart from the queue |
//! | Trace | lane, seq | trace |
//! | Broadcast, OpenBroadcast | channel, step, id | broadcast; nothing |
//! | Parked | when, lane, seq | event and reason |
//! | Aside | number | body and reason |
//! | DedupEnd, KvEnd, TraceAge, ItemAge | when, rest of the key | |
//! | Part | a whole key, number | the continuation of a long value |
//! | KvUse | step | bytes and number of its key-values |
//! | Template | account; and hash of name and language | when its templates were read; template |
//! | Media | channel, hash of the provider's id | media |
//! | MediaDue, MediaAge | when, the media's key | |
//! | Spent | channel, day | what was spent |
//! | Merged | contact | the contact that it became |
//! | Upload | channel, hash of the file | the provider's id of it |
//! | Attempt, Opening | when, send | whom it was to |
//! | ContactLimit | channel | contacts that it may write to first in a day |
//! | MediaBytes | hash of the bytes, the media's key | |
//! | MediaLane | lane, when, the media's key | |
//! | Stoppage | account, or channel | why it can't send |
//! | Unanswered | number | question |
//! | Member | hash of the campaign's name, contact | campaign's member |
//! | MemberAge | when, the member's key | the member's names |
//! | CampaignPast | hash of the campaign's name | sums of members that were |
//! | LastCampaign | contact | the names of the member that it was last sent something as |

use super::engine::Span;
use crate::model::*;
use sha2::{Digest, Sha256};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    Format = 1,
    Count = 2,
    Dedup = 3,
    Identity = 4,
    MessageId = 5,
    Lane = 6,
    Event = 7,
    Contact = 8,
    Tag = 9,
    Kv = 10,
    Timer = 11,
    TimerDue = 12,
    Item = 13,
    Sent = 14,
    Queue = 15,
    ItemDue = 16,
    Trace = 17,
    Broadcast = 18,
    OpenBroadcast = 19,
    Parked = 20,
    Aside = 21,
    DedupEnd = 22,
    KvEnd = 23,
    TraceAge = 24,
    ItemAge = 25,
    Part = 26,
    KvUse = 27,
    Template = 28,
    Media = 29,
    MediaDue = 30,
    Spent = 31,
    Merged = 32,
    Upload = 33,
    Attempt = 40,
    Opening = 41,
    ContactLimit = 42,
    MediaAge = 43,
    MediaBytes = 44,
    MediaLane = 45,
    Stoppage = 46,
    Unanswered = 47,
    TagHistory = 50,
    Member = 51,
    MemberAge = 52,
    CampaignPast = 53,
    LastCampaign = 54,
}

/// The store's own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Count {
    /// Lanes with events waiting.
    Lanes = 1,
    /// Contacts with items in their queue.
    Outbox = 2,
    Timers = 3,
    /// The last contact made.
    Contacts = 4,
    /// The last body set aside.
    Asides = 5,
    /// 1 once every step's key-values have been counted.
    KvCounted = 6,
    /// 1 from the start of the process until its end in good order.
    Running = 7,
    /// The last question kept that nothing answered.
    Unanswered = 8,
}

/// A key in the making.
struct Key(Vec<u8>);

const LANE_CONTACT: u8 = 1;
const LANE_CHANNEL: u8 = 2;
const SCOPE_CONTACT: u8 = 1;
const SCOPE_PLUGIN: u8 = 2;
const COPY_WHOLE: u8 = 1;
const COPY_PART: u8 = 2;

impl Key {
    fn new(kind: Kind) -> Self {
        let mut bytes = Vec::with_capacity(48);
        bytes.push(kind as u8);
        Self(bytes)
    }
    fn u8(self, number: u8) -> Self {
        self.bytes(&[number])
    }
    fn u64(self, number: u64) -> Self {
        self.bytes(&number.to_be_bytes())
    }
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
    /// Zero is escaped and two zeros end the text: `a` stays before `ab`.
    fn text(mut self, text: &str) -> Self {
        for byte in text.bytes() {
            self.0.push(byte);
            if byte == 0 {
                self.0.push(u8::MAX);
            }
        }
        self.bytes(&[0, 0])
    }
    fn lane(self, lane: &Lane) -> Self {
        match lane {
            Lane::Contact(id) => self.u8(LANE_CONTACT).u64(id.0),
            Lane::Channel(id) => self.u8(LANE_CHANNEL).text(id.as_str()),
        }
    }
    fn event(self, id: &EventId) -> Self {
        self.lane(&id.lane).u64(id.seq)
    }
    fn send(self, id: &SendId) -> Self {
        self.event(&id.turn).bytes(&id.index.to_be_bytes())
    }
    fn timer(self, key: &TimerKey) -> Self {
        self.lane(&key.lane).text(&key.step).text(&key.name)
    }
    /// 128 bits of a digest: for names that are only ever looked up whole.
    fn hash(self, parts: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        let digest: [u8; 32] = digest.finalize().into();
        let half: [u8; 16] = digest.first_chunk().copied().unwrap_or_default();
        self.bytes(&half)
    }
}

pub fn format() -> Vec<u8> {
    Key::new(Kind::Format).0
}

pub fn count(which: Count) -> Vec<u8> {
    Key::new(Kind::Count).u8(which as u8).0
}

pub fn dedup(channel: &ChannelId, key: &str) -> Vec<u8> {
    Key::new(Kind::Dedup).hash(&[channel.as_str(), key]).0
}

/// Those of the default portfolio are as they were before there were any.
pub fn identity(portfolio: &Portfolio, identity: &Identity) -> Vec<u8> {
    let [kind, id] = match identity {
        Identity::Phone(id) => ["phone", id],
        Identity::Bsuid(id) => ["bsuid", id],
        Identity::ParentBsuid(id) => ["parent", id],
    };
    let key = Key::new(Kind::Identity);
    match portfolio.as_str() {
        Portfolio::DEFAULT => key.hash(&[kind, id]).0,
        portfolio => key.hash(&[kind, id, portfolio]).0,
    }
}

pub fn merged(contact: ContactId) -> Vec<u8> {
    Key::new(Kind::Merged).u64(contact.0).0
}

pub fn message_id(id: &str) -> Vec<u8> {
    Key::new(Kind::MessageId).hash(&[id]).0
}

pub fn lane(lane: &Lane) -> Vec<u8> {
    Key::new(Kind::Lane).lane(lane).0
}

pub fn event(id: &EventId) -> Vec<u8> {
    Key::new(Kind::Event).event(id).0
}

pub fn events_of(lane: &Lane) -> Span {
    Span::prefix(Key::new(Kind::Event).lane(lane).0)
}

pub fn contact(id: ContactId) -> Vec<u8> {
    Key::new(Kind::Contact).u64(id.0).0
}

pub fn tag(name: &str, contact: ContactId) -> Vec<u8> {
    Key::new(Kind::Tag).text(name).u64(contact.0).0
}

pub fn tag_history(contact: ContactId) -> Vec<u8> {
    Key::new(Kind::TagHistory).u64(contact.0).0
}

pub fn tagged(name: &str) -> Span {
    Span::prefix(Key::new(Kind::Tag).text(name).0)
}

/// The step's keys that begin with `prefix`; a whole key is its own prefix.
pub fn kv(step: &str, scope: KvScope, lane: &Lane, prefix: &str) -> Vec<u8> {
    let key = match scope {
        KvScope::Contact => Key::new(Kind::Kv).u8(SCOPE_CONTACT).lane(lane),
        KvScope::Plugin => Key::new(Kind::Kv).u8(SCOPE_PLUGIN),
    };
    key.text(step).bytes(prefix.as_bytes()).0
}

/// All steps' key-values in a lane.
pub fn kv_of(lane: &Lane) -> Span {
    Span::prefix(Key::new(Kind::Kv).u8(SCOPE_CONTACT).lane(lane).0)
}

/// Whose a key-value is, and the plugin's own name for it.
pub fn read_kv(key: &[u8]) -> Option<(String, &[u8])> {
    let mut reader = Reader::of_key(key);
    match reader.take(1)? {
        [SCOPE_CONTACT] => drop(reader.lane()?),
        [SCOPE_PLUGIN] => {}
        _ => return None,
    }
    Some((reader.text()?, reader.0))
}

pub fn kv_use(step: &str) -> Vec<u8> {
    Key::new(Kind::KvUse).text(step).0
}

pub fn timer(key: &TimerKey) -> Vec<u8> {
    Key::new(Kind::Timer).timer(key).0
}

/// A step's timers in one lane.
pub fn timers_of(lane: &Lane, step: &str) -> Span {
    Span::prefix(Key::new(Kind::Timer).lane(lane).text(step).0)
}

/// All steps' timers in one lane.
pub fn timers_in(lane: &Lane) -> Span {
    Span::prefix(Key::new(Kind::Timer).lane(lane).0)
}

pub fn timer_due(due: Millis, key: &TimerKey) -> Vec<u8> {
    Key::new(Kind::TimerDue).u64(due).timer(key).0
}

pub fn item(id: &SendId) -> Vec<u8> {
    Key::new(Kind::Item).send(id).0
}

/// A send as a value that points to it.
pub fn send_value(id: &SendId) -> Vec<u8> {
    Key(Vec::with_capacity(24)).send(id).0
}

pub fn sent(contact: ContactId, place: u64) -> Vec<u8> {
    Key::new(Kind::Sent).u64(contact.0).u64(place).0
}

pub fn sent_to(contact: ContactId) -> Span {
    Span::prefix(Key::new(Kind::Sent).u64(contact.0).0)
}

pub fn queue(contact: ContactId, place: u64) -> Vec<u8> {
    Key::new(Kind::Queue).u64(contact.0).u64(place).0
}

pub fn queued_for(contact: ContactId) -> Span {
    Span::prefix(Key::new(Kind::Queue).u64(contact.0).0)
}

pub fn item_due(due: Millis, contact: ContactId) -> Vec<u8> {
    Key::new(Kind::ItemDue).u64(due).u64(contact.0).0
}

/// Of one that stands apart from its contact's queue.
pub fn item_due_apart(due: Millis, contact: ContactId, id: &SendId) -> Vec<u8> {
    Key::new(Kind::ItemDue).u64(due).u64(contact.0).send(id).0
}

/// `day` as 20261122.
pub fn spent(channel: &ChannelId, day: u32) -> Vec<u8> {
    Key::new(Kind::Spent).text(channel.as_str()).bytes(&day.to_be_bytes()).0
}

pub fn contact_limit(channel: &ChannelId) -> Vec<u8> {
    Key::new(Kind::ContactLimit).text(channel.as_str()).0
}

/// Of an account whose id is not known, the channel that told stands for it.
pub fn stoppage(channel: &ChannelId, account: Option<&str>) -> Vec<u8> {
    let whose = account.unwrap_or(channel.as_str());
    Key::new(Kind::Stoppage).u8(account.is_none().into()).text(whose).0
}

pub fn trace(turn: &TurnId) -> Vec<u8> {
    Key::new(Kind::Trace).event(turn).0
}

pub fn traces_of(lane: &Lane) -> Span {
    Span::prefix(Key::new(Kind::Trace).lane(lane).0)
}

/// Of the account's copy as a whole.
pub fn template_copy(account: &str) -> Vec<u8> {
    Key::new(Kind::Template).u8(COPY_WHOLE).text(account).0
}

/// A name may have 512 bytes, more than a key.
pub fn template(account: &str, name: &str, language: &str) -> Vec<u8> {
    let key = Key::new(Kind::Template).u8(COPY_PART).text(account);
    key.hash(&[name, language]).0
}

pub fn templates_of(account: &str) -> Span {
    Span::prefix(Key::new(Kind::Template).u8(COPY_PART).text(account).0)
}

pub fn broadcast(CampaignKey { channel, step, id }: &CampaignKey) -> Vec<u8> {
    Key::new(Kind::Broadcast).text(channel.as_str()).text(step).text(id).0
}

/// Hashed, as members are many and names may be long.
fn of_campaign(kind: Kind, CampaignKey { channel, step, id }: &CampaignKey) -> Key {
    Key::new(kind).hash(&[channel.as_str(), step, id])
}

pub fn member(campaign: &CampaignKey, contact: ContactId) -> Vec<u8> {
    of_campaign(Kind::Member, campaign).u64(contact.0).0
}

/// A campaign's members with a larger id than `after`.
pub fn members_behind(campaign: &CampaignKey, after: Option<ContactId>) -> Span {
    let all = Span::prefix(of_campaign(Kind::Member, campaign).0);
    match after {
        Some(after) => Span { from: Span::prefix(member(campaign, after)).to, to: all.to },
        None => all,
    }
}

pub fn campaign_past(campaign: &CampaignKey) -> Vec<u8> {
    of_campaign(Kind::CampaignPast, campaign).0
}

pub fn last_campaign(contact: ContactId) -> Vec<u8> {
    Key::new(Kind::LastCampaign).u64(contact.0).0
}

pub fn upload(channel: &ChannelId, sha256: &str) -> Vec<u8> {
    Key::new(Kind::Upload).text(channel.as_str()).hash(&[sha256]).0
}

pub fn parked(at: Millis, event: &EventId) -> Vec<u8> {
    Key::new(Kind::Parked).u64(at).event(event).0
}

pub fn numbered(kind: Kind, number: u64) -> Vec<u8> {
    Key::new(kind).u64(number).0
}

pub fn media(channel: &ChannelId, id: &str) -> Vec<u8> {
    Key::new(Kind::Media).hash(&[channel.as_str(), id]).0
}

/// Says that the media of `key` has the bytes of this hash (hexadecimal).
pub fn media_bytes(sha256: &str, key: &[u8]) -> Vec<u8> {
    Key::new(Kind::MediaBytes).text(sha256).bytes(key.get(1..).unwrap_or_default()).0
}

/// All media with the same bytes.
pub fn media_with_bytes(sha256: &str) -> Span {
    Span::prefix(Key::new(Kind::MediaBytes).text(sha256).0)
}

/// Says that the media of `key` came in this lane.
pub fn media_lane(lane: &Lane, at: Millis, key: &[u8]) -> Vec<u8> {
    Key::new(Kind::MediaLane).lane(lane).u64(at).bytes(key.get(1..).unwrap_or_default()).0
}

pub fn media_of(lane: &Lane) -> Span {
    Span::prefix(Key::new(Kind::MediaLane).lane(lane).0)
}

/// The media's key in such an entry.
pub fn read_media_lane(entry: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader::of_key(entry);
    reader.lane()?;
    reader.u64()?;
    Some(Key::new(Kind::Media).bytes(reader.0).0)
}

/// Stands in `index` by time for `key`, whose kind the index implies.
pub fn timed(index: Kind, at: Millis, key: &[u8]) -> Vec<u8> {
    Key::new(index).u64(at).bytes(key.get(1..).unwrap_or_default()).0
}

/// A key whose kind is `of` again, from its entry in an index.
pub fn untimed(of: Kind, entry: &[u8]) -> Vec<u8> {
    let rest = entry.get(TIMED_HEAD..).unwrap_or_default();
    Key::new(of).bytes(rest).0
}

/// The same name under another kind.
pub fn relabelled(kind: Kind, key: &[u8]) -> Vec<u8> {
    Key::new(kind).bytes(key.get(1..).unwrap_or_default()).0
}

/// The kind and the time.
const TIMED_HEAD: usize = 9;

/// What an index by time holds up to `now`.
pub fn until(index: Kind, now: Millis) -> Span {
    let all = all(index);
    match now.checked_add(1) {
        Some(next) => Span { from: all.from, to: Key::new(index).u64(next).0 },
        None => all,
    }
}

/// What an index by time holds from `from` on.
pub fn since(index: Kind, from: Millis) -> Span {
    Span { from: Key::new(index).u64(from).0, to: all(index).to }
}

pub fn all(kind: Kind) -> Span {
    Span::prefix(Key::new(kind).0)
}

pub fn part(key: &[u8], number: u32) -> Vec<u8> {
    Key::new(Kind::Part).bytes(key).bytes(&number.to_be_bytes()).0
}

/// Takes a key or a value apart, from the front.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Of a key, behind its kind.
    pub fn of_key(key: &'a [u8]) -> Self {
        Self(key.get(1..).unwrap_or_default())
    }
    pub fn of_value(value: &'a [u8]) -> Self {
        Self(value)
    }
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
    pub fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }
    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }
    pub fn text(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        loop {
            match self.take(1)? {
                [0] => match self.take(1)? {
                    [0] => return String::from_utf8(bytes).ok(),
                    _ => bytes.push(0),
                },
                byte => bytes.extend_from_slice(byte),
            }
        }
    }
    pub fn lane(&mut self) -> Option<Lane> {
        match self.take(1)? {
            [LANE_CONTACT] => self.u64().map(|id| Lane::Contact(ContactId(id))),
            [LANE_CHANNEL] => self.text().map(|id| Lane::Channel(ChannelId::new(&id))),
            _ => None,
        }
    }
    pub fn send(&mut self) -> Option<SendId> {
        let turn = EventId { lane: self.lane()?, seq: self.u64()? };
        Some(SendId { turn, index: self.u32()? })
    }
}

#[cfg(test)]
mod tests;
