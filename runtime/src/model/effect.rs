//! What a step may ask for.

use super::{
    CampaignKey, ChannelId, ContactId, EventKind, Going, Lane, Membership, Millis, Outgoing,
};
use serde::{Deserialize, Serialize};

/// Held back until the turn commits, then done as a whole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Effect {
    /// `to` is none for the contact of the lane.
    Send {
        to: Option<ContactId>,
        message: Outgoing,
        /// The provider's id of the message that it answers.
        #[serde(default)]
        quote: Option<String>,
    },
    /// Marks the event's message as read.
    MarkRead {
        typing: bool,
    },
    Tag {
        name: String,
        expires: Option<Millis>,
    },
    Untag {
        name: String,
    },
    /// A value of none removes it.
    SetAttribute {
        name: String,
        value: Option<String>,
    },
    SetTimer {
        name: String,
        due: Millis,
        payload: String,
    },
    CancelTimer {
        name: String,
    },
    Handoff {
        reason: String,
    },
    Resume,
    OptIn {
        proof: String,
    },
    OptOut {
        proof: String,
    },
    Broadcast {
        id: String,
        to: Segment,
        payload: String,
        #[serde(default)]
        terms: Terms,
    },
    /// The campaign's member is not to get it.
    LeaveOut {
        reason: String,
    },
    /// Which variant of the campaign the member is in.
    Variant {
        name: String,
    },
    Note {
        text: String,
    },
    /// Keeps what the contact asked and nothing answered.
    Unanswered {
        question: String,
    },
}

/// A question that nothing answered, as it is kept for the owner.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unanswered {
    pub contact: ContactId,
    pub channel: ChannelId,
    /// The chain's step that had no answer.
    pub step: String,
    pub question: String,
    pub at: Millis,
    /// What the step last said of it: which answers came near.
    #[serde(default)]
    pub because: Vec<String>,
}

/// On which terms a broadcast goes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// How many contacts are reached within an hour; none for all at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// How long after its message was delivered a contact reaches the goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<Millis>,
}

/// What a campaign is to bring about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// It is set.
    Tag(String),
    /// It gets a value.
    Attribute(String),
    /// From the catalogue.
    Order,
}

impl Terms {
    const WITHIN_MS: Millis = 7 * 24 * 3_600_000;

    pub fn within(&self) -> Millis {
        self.within_ms.unwrap_or(Self::WITHIN_MS)
    }

    /// How long it takes to reach so many.
    pub fn pause_ms(&self, members: u64) -> Millis {
        self.per_hour.map_or(0, |rate| members * 3_600_000 / u64::from(rate.max(1)))
    }

    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Which contacts. Empty lists do not restrict.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Segment {
    pub all: Vec<String>,
    pub any: Vec<String>,
    pub none: Vec<String>,
}

/// Names a timer: the same key replaces. `step` is the chain step that set it
/// and that it wakes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct TimerKey {
    pub lane: Lane,
    pub step: String,
    pub name: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Timer {
    pub key: TimerKey,
    pub channel: ChannelId,
    pub due: Millis,
    pub payload: String,
    /// The campaign that it carries on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<Membership>,
    /// What it brings back when it is due; none where a step has set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Box<Retry>>,
}

/// An event of a step's own that is tried again, as the step failed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Retry {
    pub kind: EventKind,
    /// Turns that it has had.
    pub tries: u32,
}

impl Timer {
    /// What the step is woken with when it is due.
    pub fn event(&self) -> EventKind {
        match &self.retry {
            Some(retry) => retry.kind.clone(),
            None => EventKind::TimerFired {
                step: self.key.step.clone(),
                name: self.key.name.clone(),
                payload: self.payload.clone(),
                due: self.due,
            },
        }
    }
}

/// A turn's changes to timers, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum TimerWrite {
    Set(Timer),
    Cancel(TimerKey),
}

/// A send to a whole segment, with the cursor of how far it has fanned out.
/// One per (channel, step, id), for ever: starting it again changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Broadcast {
    pub channel: ChannelId,
    pub step: String,
    pub id: String,
    pub to: Segment,
    pub payload: String,
    pub started_at: Millis,
    /// The last contact that got its event; none before the first.
    pub cursor: Option<ContactId>,
    pub reached: u64,
    pub done: bool,
    #[serde(default)]
    pub going: Going,
    #[serde(default)]
    pub terms: Terms,
    /// When the next contacts may be reached, by its terms.
    #[serde(default)]
    pub next_at: Millis,
}

impl Broadcast {
    /// One that has reached nobody yet.
    pub fn new(key: CampaignKey, to: Segment, payload: String, now: Millis) -> Self {
        let CampaignKey { channel, step, id } = key;
        let (started_at, cursor, reached) = (now, None, 0);
        let (done, going, terms, next_at) = (false, Going::On, Terms::default(), 0);
        Self {
            channel,
            step,
            id,
            to,
            payload,
            started_at,
            cursor,
            reached,
            done,
            going,
            terms,
            next_at,
        }
    }

    pub fn key(&self) -> CampaignKey {
        let Self { channel, step, id, .. } = self.clone();
        CampaignKey { channel, step, id }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum KvScope {
    Contact,
    Plugin,
}

/// A turn's change to a step's key-value store; none deletes. The store is
/// keyed by step name, so two steps of one plugin do not share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KvWrite {
    pub step: String,
    pub scope: KvScope,
    pub key: String,
    pub value: Option<Vec<u8>>,
    pub expires: Option<Millis>,
}
