//! What the host keeps, and what it promises to keep.
//!
//! Durable means: after the call returns, a killed process or a crashed system
//! loses nothing of it. Every write below is durable when it returns, and
//! atomic: all of it or none. There is no generic get and put, because
//! back-ends would differ in what these mean.

mod accept;
mod broadcasts;
mod codec;
mod commit;
mod contacts;
mod counts;
pub mod engine;
mod funnel;
mod identity;
mod keeper;
mod key;
mod kv;
mod lanes;
mod media;
mod members;
mod memory;
mod merge;
mod outbox;
mod pace;
mod sled;
mod spent;
mod stoppages;
mod tags;
mod templates;
mod timers;
mod unanswered;
mod upkeep;
mod uploads;
mod view;
mod writer;

pub use funnel::{Funnels, funnels};
pub use memory::MemoryEngine;
pub use sled::{SledEngine, SledOptions};

use crate::model::*;
use async_trait::async_trait;
use engine::Engine;
use std::{path::Path, sync::Arc};

/// The store in the folder `path`, which is made if it is not there. Dropping
/// it waits until all is written.
///
/// # Errors
/// `Locked` if another process has it open, `Corrupt` if it can't be read,
/// `Failed` if the folder can't be used.
pub fn open_sled(path: &Path, options: &SledOptions) -> Result<Arc<dyn Store>> {
    Ok(with_engine(Arc::new(SledEngine::open(path, options)?)))
}

/// A store that forgets all when it is dropped.
pub fn memory() -> Arc<dyn Store> {
    with_engine(Arc::new(MemoryEngine::default()))
}

/// A store over an engine of one's own: tests put faults between.
pub fn with_engine(engine: Arc<dyn Engine>) -> Arc<dyn Store> {
    Arc::new(keeper::Keeper::start(engine))
}

/// The lower-level names in one place for the writers of back-ends.
pub type Result<T> = std::result::Result<T, StoreError>;

#[derive(thiserror::Error, Debug, Clone)]
pub enum StoreError {
    /// Refused before anything was written; goes by itself when space is freed.
    #[error(
        "the disk of {path} has {free_mb} MB free, and {needed_mb} MB are kept in reserve: free some space, and accepting goes on by itself"
    )]
    Full { path: String, free_mb: u64, needed_mb: u64 },
    #[error(
        "{path} is in use by another process: stop it, or give this one a data folder of its own"
    )]
    Locked { path: String },
    /// The contact or the cursor changed since it was read.
    #[error("{what} was changed by another turn")]
    Conflict { what: String },
    #[error("{what} has {bytes} bytes, and {limit} are allowed")]
    TooLarge { what: String, bytes: usize, limit: usize },
    #[error("the stored {what} can't be read: {reason}")]
    Corrupt { what: String, reason: String },
    /// The engine failed; nothing can be promised until a restart.
    #[error("the store failed and takes no more writes: {0}")]
    Failed(String),
}

/// How long a happening's key is remembered. Meta retries for up to 7 days.
pub const DEDUP_MS: Millis = 14 * 24 * 3600 * 1000;

/// A webhook body that could not be read though its signature was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    pub channel: ChannelId,
    pub reason: String,
    pub body: Vec<u8>,
    pub at: Millis,
}

/// An event that failed too often.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    pub event: Event,
    pub reason: String,
}

/// One page of a segment, in contact order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    pub members: Vec<ContactId>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<ContactId>,
}

/// How much there is, for metrics and readiness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depths {
    /// Lanes with at least one event waiting.
    pub lanes: u64,
    /// Contacts with at least one message to send, and messages that stand
    /// apart.
    pub outbox: u64,
    pub timers: u64,
}

/// What a step's key-values hold, keys and values together. One that has
/// expired counts until it is swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KvUsage {
    pub bytes: u64,
    pub keys: u64,
}

#[async_trait]
pub trait Store: Send + Sync + 'static {
    // In.

    /// Gives each happening its place: finds or makes the contact, appends to
    /// its lane. One answer for each, in order. A happening whose key is known
    /// (14 days) or stands twice in the batch is a duplicate. A receipt goes to
    /// the lane of the contact its message was sent to; one of a message and
    /// a sender we do not know goes to the channel's lane, as does whatever
    /// has no sender. What an event says of who a contact is, is taken in at
    /// once: contacts that turn out to be one are merged, into the one that was
    /// there first.
    async fn accept(&self, batch: Vec<Happening>, now: Millis) -> Result<Vec<Accepted>>;
    /// Keeps an unreadable body for the operator.
    async fn set_aside(&self, aside: Aside) -> Result<()>;

    // Turns.

    /// Lanes with events waiting, in order, beginning behind `after`.
    async fn ready_lanes(&self, after: Option<&Lane>, limit: usize) -> Result<Vec<Lane>>;
    /// The first event of the lane with its contact.
    async fn next_in_lane(&self, lane: &Lane) -> Result<Option<Snapshot>>;
    /// Counts a turn that failed, so that a poisoned event can be told.
    /// Returns the attempts so far.
    async fn count_attempt(&self, turn: &TurnId) -> Result<u32>;
    /// Writes a whole turn and removes its event. False if the turn had
    /// committed before, in which case nothing was written.
    async fn commit(&self, commit: TurnCommit, now: Millis) -> Result<bool>;
    /// A step's value, if it has one that has not expired. `lane` matters for
    /// `KvScope::Contact` alone.
    async fn kv_get(
        &self,
        step: &str,
        scope: KvScope,
        lane: &Lane,
        key: &str,
        now: Millis,
    ) -> Result<Option<Vec<u8>>>;
    /// A step's keys with a prefix, in order.
    async fn kv_keys(
        &self,
        step: &str,
        scope: KvScope,
        lane: &Lane,
        prefix: &str,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<String>>;

    /// What all key-values of a step hold, of every contact.
    async fn kv_usage(&self, step: &str) -> Result<KvUsage>;

    // Timers and broadcasts.

    /// How many timers a step has set in a lane, counted up to `limit`.
    async fn count_timers(&self, lane: &Lane, step: &str, limit: usize) -> Result<usize>;
    /// The timers that a step has set in a lane, by name.
    async fn timers_of(&self, lane: &Lane, step: &str, limit: usize) -> Result<Vec<Timer>>;
    /// Timers due at `now`, the earliest first.
    async fn due_timers(&self, now: Millis, limit: usize) -> Result<Vec<Timer>>;
    /// When the earliest timer is due.
    async fn next_timer(&self) -> Result<Option<Millis>>;
    /// Removes each timer and puts its event in its lane. A timer that was
    /// cancelled or set anew since it was read is passed over.
    async fn fire(&self, timers: Vec<Timer>, now: Millis) -> Result<()>;
    /// Broadcasts that have not reached their whole segment.
    async fn open_broadcasts(&self) -> Result<Vec<Broadcast>>;
    /// Members of a segment behind `after`, at most `limit`.
    async fn audience(
        &self,
        segment: &Segment,
        after: Option<ContactId>,
        limit: usize,
        now: Millis,
    ) -> Result<Audience>;
    /// Puts one event in the lane of each member and moves the cursor, if the
    /// stored cursor is still the one of `broadcast`; else changes nothing.
    async fn fan_out(&self, broadcast: &Broadcast, page: Audience, now: Millis) -> Result<()>;

    // Campaigns: broadcasts as people see and steer them.

    /// The newest first.
    async fn campaigns(&self, limit: usize) -> Result<Vec<Broadcast>>;
    async fn campaign(&self, key: &CampaignKey) -> Result<Option<Campaign>>;
    /// Members with a larger id than `after`, at most `limit`.
    async fn members(
        &self,
        key: &CampaignKey,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Members>;
    /// Pauses it, lets it go on, or stops it for ever. Once this has returned, no
    /// attempt to send one of its messages begins unless it is on. Returns
    /// how it goes now: what is stopped stays so. None: there is none.
    async fn steer(&self, key: &CampaignKey, going: Going) -> Result<Option<Going>>;

    // Templates.

    /// The copy of an account's templates; an empty one if none was ever read.
    async fn templates(&self, account: &str) -> Result<TemplateCopy>;
    /// Puts `forms`, whose reading began at `began`, in the place of the copy.
    /// What a webhook has told since then stays.
    async fn replace_templates(
        &self,
        account: &str,
        forms: Vec<TemplateForm>,
        began: Millis,
    ) -> Result<()>;

    // Out.

    /// Items due at `now`, the earliest first. Of one contact only its first
    /// queued item is ever due, so that messages leave in order; those apart
    /// are due by themselves. One that came back is due at once, for a decision.
    async fn due_outbox(&self, now: Millis, limit: usize) -> Result<Vec<OutboxItem>>;
    /// Items that are due later than `after`, the earliest first: those that may
    /// be free of what they wait for by now.
    async fn later_outbox(&self, after: Millis, limit: usize) -> Result<Vec<OutboxItem>>;
    /// When the next item is due.
    async fn next_outbox(&self) -> Result<Option<Millis>>;
    /// Marks attempts as begun, before they begin. An item that is history by
    /// now, or came back, is left so. Returns the items as they stand, those only that may
    /// be attempted.
    async fn begin_attempts(&self, attempts: Vec<Attempt>) -> Result<Vec<OutboxItem>>;
    async fn record_deliveries(&self, records: Vec<DeliveryRecord>) -> Result<()>;
    /// Messages that have failed for good are to be sent again, each from a
    /// moment on, but for those that have arrived or may yet. Returns which.
    async fn revive(&self, failed: Vec<(SendId, Millis)>, now: Millis) -> Result<Vec<SendId>>;
    /// Attempts since `from`, the newest first; of 10 minutes at least they are
    /// remembered.
    async fn attempts_since(&self, from: Millis, limit: usize) -> Result<Vec<Tried>>;
    /// As `attempts_since`, those that wrote to a contact first, of a day.
    async fn openings_since(&self, from: Millis, limit: usize) -> Result<Vec<Tried>>;
    /// How many contacts the provider lets the channel write to first within
    /// 24 hours, as far as it has said; -1 for no limit.
    async fn daily_contacts(&self, channel: &ChannelId) -> Result<Option<i64>>;
    /// Accounts that can't send, or not all, as they have said themselves.
    async fn stoppages(&self) -> Result<Vec<Stoppage>>;
    /// Forgets one that turned out to be over, unless something newer was told.
    async fn end_stoppage(&self, over: &Stoppage) -> Result<()>;
    /// What was spent on the days `from` to `to` (20261122), both included.
    async fn spending(&self, from: u32, to: u32) -> Result<Vec<Spending>>;

    // Files that customers send. `accept` makes an entry for each in the write
    // that takes its message.

    /// The file of a provider's id, with the lanes in which its contacts are by
    /// now.
    async fn media(&self, channel: &ChannelId, id: &str) -> Result<Option<MediaFile>>;
    /// The files of a lane's messages and of all that its contact was, the
    /// newest first.
    async fn media_of(&self, lane: &Lane, limit: usize) -> Result<Vec<MediaFile>>;
    /// Files that are to be fetched at `now`, the earliest first.
    async fn due_media(&self, now: Millis, limit: usize) -> Result<Vec<MediaFile>>;
    /// When the next is to be fetched.
    async fn next_media(&self) -> Result<Option<Millis>>;
    /// Writes how a try ended, with the tries of `file`. False, with nothing
    /// written, if the file does not wait any more.
    async fn record_media(&self, file: &MediaFile, state: MediaState) -> Result<bool>;
    /// Whether some file that is here has these bytes (hexadecimal hash).
    async fn media_needs(&self, sha256: &str) -> Result<bool>;
    /// Expires files that have been here for `keep_ms`, and forgets those that
    /// have been expired or failed for as long. Bounded; returns them as they
    /// were.
    async fn sweep_media(&self, now: Millis, keep_ms: Millis) -> Result<Vec<MediaFile>>;

    /// The provider's id of a file that was uploaded, by the digest of its
    /// content, while it is good at `now`.
    async fn upload(
        &self,
        channel: &ChannelId,
        sha256: &str,
        now: Millis,
    ) -> Result<Option<Uploaded>>;
    /// Keeps the id of an upload until it is no longer good.
    async fn keep_upload(
        &self,
        channel: &ChannelId,
        sha256: &str,
        uploaded: Uploaded,
    ) -> Result<()>;
    /// Forgets an id that the provider no longer takes, unless another one has
    /// come in its place.
    async fn forget_upload(&self, channel: &ChannelId, sha256: &str, id: &str) -> Result<()>;

    // For people.

    /// The contact, or whoever it has become.
    async fn contact(&self, id: ContactId) -> Result<Option<Contact>>;
    /// By an identity, a phone number in any of its forms.
    async fn find_contact(
        &self,
        portfolio: &Portfolio,
        identity: &Identity,
    ) -> Result<Option<ContactId>>;
    /// Contacts behind `after`, in order.
    async fn contacts(&self, after: Option<ContactId>, limit: usize) -> Result<Vec<Contact>>;
    /// A lane's traces, the newest first, before `before`. Without `before`,
    /// also those of the contacts that became the lane's.
    async fn traces(&self, lane: &Lane, before: Option<u64>, limit: usize) -> Result<Vec<Trace>>;
    /// What changed of a contact's tags, the newest first: the last
    /// `TAG_HISTORY_MAX`, with those of the contacts that became it.
    async fn tag_history(&self, contact: ContactId) -> Result<Vec<TagChange>>;
    /// What was sent or is to be sent to a contact, the newest first.
    async fn outbox_of(&self, contact: ContactId, limit: usize) -> Result<Vec<OutboxItem>>;
    async fn outbox_item(&self, id: &SendId) -> Result<Option<OutboxItem>>;
    async fn parked(&self, limit: usize) -> Result<Vec<Parked>>;
    async fn asides(&self, limit: usize) -> Result<Vec<Aside>>;
    /// Questions that nothing answered, the newest first.
    async fn unanswered(&self, limit: usize) -> Result<Vec<Unanswered>>;
    async fn depths(&self) -> Result<Depths>;

    // Upkeep.

    /// Notes that a process works on the store from now on. False if the one
    /// before it broke off: then an event that waits may be what it broke on.
    async fn begin_run(&self) -> Result<bool>;
    /// Notes that the process ends in good order: no turn is on its way.
    async fn end_run(&self) -> Result<()>;
    /// Removes what has expired: keys of happenings, key-values, and traces,
    /// sent items and unanswered questions older than `keep_ms`. Bounded; returns how much it removed.
    async fn sweep(&self, now: Millis, keep_ms: Millis) -> Result<usize>;
    /// Whether writes are taken, and if not, why.
    fn health(&self) -> Result<()>;
}
