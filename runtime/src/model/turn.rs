//! What a turn reads and what it writes, each as one value.

use super::{
    Asked, Broadcast, Contact, ContactId, Event, Failure, Goal, KvWrite, Lane, MemberTurn,
    OutboxItem, Receipt, TagChange, TemplateNews, TimerWrite, Trace, TurnId, Unanswered, Wrote,
};

/// What a turn may read, as it stood when the turn began.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub event: Event,
    /// None in a channel's lane.
    pub contact: Option<Contact>,
}

/// Everything that one turn writes. Atomic, and idempotent by turn id: the
/// commit of a turn whose event is no longer its lane's head changes nothing.
#[derive(Clone, Debug)]
pub struct TurnCommit {
    pub turn: TurnId,
    /// The contact as the turn leaves it, with the version it read. The store
    /// refuses a commit whose version is not the stored one.
    pub contact: Option<Contact>,
    /// What changed of its tags.
    pub tagged: Vec<TagChange>,
    pub kv: Vec<KvWrite>,
    pub outbox: Vec<OutboxItem>,
    /// What the messages to other contacts ask them, in order; none: whatever was
    /// asked before is no question any more.
    pub asked: Vec<(ContactId, Option<Asked>)>,
    pub timers: Vec<TimerWrite>,
    pub broadcasts: Vec<Broadcast>,
    pub unanswered: Vec<Unanswered>,
    /// The receipt that the event was, and what it says of a failure.
    pub receipt: Option<(Receipt, Option<Failure>)>,
    /// What changed of the templates of an account.
    pub templates: Vec<(String, TemplateNews)>,
    /// What it did for the campaign that the event is part of.
    pub member: Option<MemberTurn>,
    /// What the contact has reached that may be a campaign's goal.
    pub achieved: Vec<Goal>,
    /// The contact's message that the event was.
    pub wrote: Option<Wrote>,
    /// None where there is nothing worth keeping.
    pub trace: Option<Trace>,
    /// The event is put aside for the operator instead of done: it failed too
    /// often. Its effects are none.
    pub parked: Option<String>,
}

impl TurnCommit {
    pub fn new(turn: TurnId) -> Self {
        Self {
            turn,
            contact: None,
            tagged: Vec::new(),
            kv: Vec::new(),
            outbox: Vec::new(),
            asked: Vec::new(),
            timers: Vec::new(),
            broadcasts: Vec::new(),
            unanswered: Vec::new(),
            receipt: None,
            templates: Vec::new(),
            member: None,
            achieved: Vec::new(),
            wrote: None,
            trace: None,
            parked: None,
        }
    }

    pub fn lane(&self) -> &Lane {
        &self.turn.lane
    }
}
