//! Campaigns: one run of a broadcast, whom it reached, and what became of each.
//! Where a member stands is not written down: it is read off the messages, so
//! that the two can't disagree.

use super::{
    Address, Broadcast, ChannelId, Charge, ContactId, Millis, OutboxItem, PriceClass, ReceiptState,
    Rule, SendId, SendState,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Names a campaign for ever.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct CampaignKey {
    pub channel: ChannelId,
    pub step: String,
    pub id: String,
}

/// Carried by the events and timers of a campaign's member. The host alone sets
/// it. The contact is the one that was reached, even if it became another since.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Membership {
    pub campaign: String,
    pub contact: ContactId,
}

/// Whether a campaign goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Going {
    #[default]
    On,
    /// Nobody further is reached and nothing leaves, until it is resumed.
    Paused,
    /// For ever.
    Stopped,
}

impl Going {
    pub fn name(self) -> &'static str {
        match self {
            Self::On => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    pub const STOPPED: &str = "the campaign was stopped";
}

/// One contact whom a campaign has reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    pub contact: ContactId,
    pub reached_at: Millis,
    /// Events in its lane and timers that carry the campaign on.
    pub ahead: u32,
    /// What it was sent, first to last.
    pub sends: Vec<SendId>,
    /// Why it gets nothing; what counts if it was sent nothing.
    pub left_out: Option<String>,
    pub variant: Option<String>,
    /// When it tapped a button of the campaign's message.
    pub clicked: Option<Millis>,
    /// When it first wrote after the message was delivered, within
    /// `REPLY_MS`.
    pub replied: Option<Millis>,
    /// When it first reached the campaign's goal, within its time.
    #[serde(default)]
    pub converted: Option<Millis>,
}

/// A contact that writes so long after a campaign's message was delivered
/// counts as one that replied.
pub const REPLY_MS: Millis = 72 * 3_600_000;

impl Member {
    pub fn reached(contact: ContactId, now: Millis) -> Self {
        Self {
            contact,
            reached_at: now,
            ahead: 1,
            sends: Vec::new(),
            left_out: None,
            variant: None,
            clicked: None,
            replied: None,
            converted: None,
        }
    }
}

/// What one turn of a member did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberTurn {
    pub of: Membership,
    pub step: String,
    pub channel: ChannelId,
    pub sends: Vec<SendId>,
    pub left_out: Option<String>,
    pub variant: Option<String>,
    /// Why the member is left out if nothing else is to come.
    pub otherwise: String,
}

/// A message that a contact wrote, as far as campaigns care.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrote {
    pub contact: ContactId,
    /// The provider's id of the message whose button was tapped.
    pub tapped: Option<String>,
}

/// Where a member stands: with several messages, the one that came furthest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "reason")]
pub enum Standing {
    LeftOut(String),
    /// Its turn or a timer is yet to come.
    Waiting,
    /// By a rule.
    Refused(Rule),
    Failed(String),
    /// In the outbox, held by a rule if there is one.
    Queued(Option<Rule>),
    /// The provider took it, and has said no more yet.
    Accepted,
    Sent,
    Delivered,
    Read,
}

impl Standing {
    /// As the API asks for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LeftOut(_) => "left-out",
            Self::Waiting => "waiting",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Queued(_) => "queued",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::LeftOut(reason) | Self::Failed(reason) => Some(reason),
            Self::Refused(rule) | Self::Queued(Some(rule)) => Some(rule.name()),
            Self::Queued(None)
            | Self::Waiting
            | Self::Accepted
            | Self::Sent
            | Self::Delivered
            | Self::Read => None,
        }
    }

    fn of_item(item: &OutboxItem, going: Going) -> Self {
        let failed = || {
            let reason = item.reason.clone().unwrap_or_else(|| "no reason was given".into());
            match item.error {
                Some(code) => Self::Failed(format!("{reason} ({code})")),
                None => Self::Failed(reason),
            }
        };
        match (&item.state, item.receipt) {
            (SendState::Waiting { .. }, _) if going == Going::Stopped => {
                Self::Refused(Rule::Campaign)
            }
            (
                SendState::Waiting { .. }
                | SendState::Attempting { .. }
                | SendState::Returned { .. },
                _,
            ) => Self::Queued(item.hold.rule),
            (SendState::Refused, _) => item.hold.rule.map_or_else(failed, Self::Refused),
            (SendState::Failed, _) | (SendState::Sent, Some(ReceiptState::Failed)) => failed(),
            (SendState::Sent, None) => Self::Accepted,
            (SendState::Sent, Some(ReceiptState::Sent)) => Self::Sent,
            (SendState::Sent, Some(ReceiptState::Delivered)) => Self::Delivered,
            (SendState::Sent, Some(ReceiptState::Read | ReceiptState::Played)) => Self::Read,
        }
    }
}

/// A member with what became of it.
#[derive(Clone, PartialEq, Debug)]
pub struct MemberNow {
    pub member: Member,
    pub standing: Standing,
    /// What its messages have cost.
    pub charged: Vec<Charge>,
    /// Those that have cost nothing yet.
    pub unpaid: Vec<Unpaid>,
}

/// A message that is yet to be paid, or for which nothing was counted.
#[derive(Clone, PartialEq, Debug)]
pub struct Unpaid {
    pub class: PriceClass,
    pub to: Address,
    /// It waits to be sent.
    pub waits: bool,
}

impl Unpaid {
    fn of((item, charge): &(OutboxItem, Option<Charge>), going: Going) -> Option<Self> {
        let waits = matches!(item.state, SendState::Waiting { .. } | SendState::Returned { .. })
            && going != Going::Stopped;
        let for_nothing = charge.as_ref().is_some_and(|charge| charge.micros == 0);
        let class = PriceClass::of(&item.message).filter(|_| waits || for_nothing)?;
        Some(Self { class, to: item.to.clone(), waits })
    }
}

impl MemberNow {
    /// `items` are the member's messages, each with what it was charged.
    pub fn new(member: Member, items: Vec<(OutboxItem, Option<Charge>)>, going: Going) -> Self {
        let furthest = items.iter().map(|(item, _)| Standing::of_item(item, going)).max();
        let standing = furthest.unwrap_or_else(|| match &member.left_out {
            _ if member.ahead > 0 && going == Going::Stopped => {
                Standing::LeftOut(Going::STOPPED.into())
            }
            _ if member.ahead > 0 => Standing::Waiting,
            Some(reason) => Standing::LeftOut(reason.clone()),
            None => Standing::LeftOut("no reason was given".into()),
        });
        let unpaid = items.iter().filter_map(|it| Unpaid::of(it, going)).collect();
        let charged = items.into_iter().filter_map(|(_, charge)| charge).collect();
        Self { member, standing, charged, unpaid }
    }

    /// Nothing more comes of it but receipts.
    pub fn is_settled(&self) -> bool {
        !matches!(self.standing, Standing::Waiting | Standing::Queued(_))
    }
}

/// What a page of members is asked for, and where the next begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members {
    pub members: Vec<MemberNow>,
    pub next: Option<ContactId>,
}

/// A campaign as it stands, without its members.
#[derive(Clone, PartialEq, Debug)]
pub struct Campaign {
    pub broadcast: Broadcast,
    /// Members who are no longer kept one by one, by variant.
    pub past: BTreeMap<String, Funnel>,
}

/// How many came how far. `audience` is the sum of `left_out`, `waiting` and
/// all of the messages: `queued`, `refused`, `failed` and `accepted`. Those
/// `sent` are among the accepted, and so on down to those read.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Funnel {
    pub audience: u64,
    /// By reason.
    pub left_out: BTreeMap<String, u64>,
    pub waiting: u64,
    /// By the rule that holds them; none: "its turn".
    pub queued: BTreeMap<String, u64>,
    /// By rule.
    pub refused: BTreeMap<String, u64>,
    /// By reason.
    pub failed: BTreeMap<String, u64>,
    pub accepted: u64,
    pub sent: u64,
    pub delivered: u64,
    pub read: u64,
    pub clicked: u64,
    pub replied: u64,
    pub converted: u64,
    /// Millionths by currency.
    pub charged: BTreeMap<String, u64>,
    /// The same of messages that wait, by the prices of now.
    pub expected: BTreeMap<String, u64>,
    /// Messages without a price: `+49 marketing`.
    pub unpriced: BTreeMap<String, u64>,
}

/// Reasons that are counted apart; plugins may give any number.
const REASONS: usize = 100;
const OTHER_REASONS: &str = "other reasons";

/// Adds to a tally, whose headings are bounded in number.
pub fn count(tally: &mut BTreeMap<String, u64>, reason: &str, by: u64) {
    let full = tally.len() >= REASONS && !tally.contains_key(reason);
    let reason = if full { OTHER_REASONS } else { reason };
    *tally.entry(reason.to_owned()).or_default() += by;
}

impl Funnel {
    pub fn count(&mut self, one: &MemberNow) {
        self.audience += 1;
        let standing = &one.standing;
        let reason = standing.reason();
        match standing {
            Standing::LeftOut(reason) => count(&mut self.left_out, reason, 1),
            Standing::Waiting => self.waiting += 1,
            Standing::Refused(_) => count(&mut self.refused, reason.unwrap_or_default(), 1),
            Standing::Failed(reason) => count(&mut self.failed, reason, 1),
            Standing::Queued(_) => count(&mut self.queued, reason.unwrap_or("its turn"), 1),
            Standing::Accepted | Standing::Sent | Standing::Delivered | Standing::Read => {
                self.accepted += 1;
                self.sent += u64::from(*standing >= Standing::Sent);
                self.delivered += u64::from(*standing >= Standing::Delivered);
                self.read += u64::from(*standing == Standing::Read);
            }
        }
        self.clicked += u64::from(one.member.clicked.is_some());
        self.replied += u64::from(one.member.replied.is_some());
        self.converted += u64::from(one.member.converted.is_some());
        for charge in &one.charged {
            count(&mut self.charged, &charge.currency, charge.micros);
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.audience += other.audience;
        self.waiting += other.waiting;
        self.accepted += other.accepted;
        self.sent += other.sent;
        self.delivered += other.delivered;
        self.read += other.read;
        self.clicked += other.clicked;
        self.replied += other.replied;
        self.converted += other.converted;
        for (mine, theirs) in [
            (&mut self.left_out, &other.left_out),
            (&mut self.queued, &other.queued),
            (&mut self.refused, &other.refused),
            (&mut self.failed, &other.failed),
            (&mut self.charged, &other.charged),
            (&mut self.expected, &other.expected),
            (&mut self.unpriced, &other.unpriced),
        ] {
            theirs.iter().for_each(|(reason, number)| count(mine, reason, *number));
        }
    }

    /// The messages, whatever became of them.
    pub fn messages(&self) -> u64 {
        let sum = |tally: &BTreeMap<String, u64>| tally.values().sum::<u64>();
        sum(&self.queued) + sum(&self.refused) + sum(&self.failed) + self.accepted
    }
}
