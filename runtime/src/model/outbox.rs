//! Messages on their way out, what holds them, and what became of them.

mod course;

use super::{CampaignKey, Category, ChannelId, ContactId, Millis, Outgoing, ReceiptState, SendId};
use serde::{Deserialize, Serialize};

/// Where a message goes: by phone if known, else by BSUID.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Address {
    pub phone: Option<String>,
    pub bsuid: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OutboxItem {
    pub id: SendId,
    pub channel: ChannelId,
    pub contact: ContactId,
    pub to: Address,
    pub message: Outgoing,
    /// The provider's id of the message that it answers.
    #[serde(default)]
    pub quote: Option<String>,
    /// The step that asked for it.
    pub step: String,
    /// The broadcast that it is part of; none for answers.
    #[serde(default)]
    pub campaign: Option<String>,
    /// The campaign's member that it is for.
    #[serde(default)]
    pub member: Option<ContactId>,
    pub created_at: Millis,
    pub state: SendState,
    /// Attempts begun, this one included.
    pub attempts: u32,
    /// When the last of them began: when it left, if it did. None in items of
    /// before this was kept.
    #[serde(default)]
    pub left_at: Option<Millis>,
    /// When a receipt first said that it is on the contact's phone.
    #[serde(default)]
    pub arrived_at: Option<Millis>,
    /// The provider's id, once known.
    pub message_id: Option<String>,
    /// Every one that the provider took: more than one if it was sent again.
    #[serde(default)]
    pub copies: Vec<SentCopy>,
    /// The highest receipt so far, of copies that have not failed.
    pub receipt: Option<ReceiptState>,
    /// Why it waits, failed or was parked, in plain words.
    pub reason: Option<String>,
    /// The provider's code behind `reason`, if there is one.
    #[serde(default)]
    pub error: Option<u32>,
    #[serde(default)]
    pub hold: Hold,
    /// It stands in no queue: a rule has held it, or it came back. What else the
    /// contact is to be sent does not wait for it.
    #[serde(default)]
    pub apart: bool,
    pub updated_at: Millis,
    /// The ids of what was asked for behind it in the same turn and joined to
    /// it. Receipts name `id` alone.
    #[serde(default)]
    pub also: Vec<SendId>,
}

/// One that the provider took, by its id.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SentCopy {
    pub message_id: String,
    /// A receipt said so.
    pub failed: bool,
}

/// What a receipt says of a failure, in our words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The provider's.
    pub code: u32,
    pub reason: String,
    /// The message may be worth another try.
    pub passing: bool,
}

/// A file that was uploaded: the provider's id of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Uploaded {
    pub id: String,
    /// When it is no longer good.
    pub until: Millis,
}

/// Which of our own rules holds or has refused a message. The names are those
/// in reasons, the API and metrics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// There is nowhere to send it.
    Address,
    /// Marketing is not welcome.
    Consent,
    /// Meta takes no marketing to numbers of the United States.
    UsMarketing,
    /// A person is answering.
    Handoff,
    /// The 24 hours after the contact's last message are over.
    Window,
    /// The account may send no templates.
    Restricted,
    /// The template rests.
    Template,
    /// The provider spares the contact marketing for a day.
    Spared,
    /// The contact has had as much marketing as the business allows.
    Cap,
    /// It is night where the contact lives.
    Quiet,
    /// As many contacts as allowed were written to first within 24 hours.
    Tier,
    /// The day's or the month's money is spent.
    Budget,
    /// Its campaign is paused, or was stopped.
    Campaign,
}

impl Rule {
    pub const ALL: [Self; 13] = [
        Self::Address,
        Self::Consent,
        Self::UsMarketing,
        Self::Handoff,
        Self::Window,
        Self::Restricted,
        Self::Template,
        Self::Spared,
        Self::Cap,
        Self::Quiet,
        Self::Tier,
        Self::Budget,
        Self::Campaign,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Consent => "consent",
            Self::UsMarketing => "us-marketing",
            Self::Handoff => "handoff",
            Self::Window => "window",
            Self::Restricted => "restricted",
            Self::Template => "template",
            Self::Spared => "spared",
            Self::Cap => "cap",
            Self::Quiet => "quiet",
            Self::Tier => "tier",
            Self::Budget => "budget",
            Self::Campaign => "campaign",
        }
    }
}

/// What our own rules did to an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Hold {
    /// The rule that holds or refused it now.
    pub rule: Option<Rule>,
    /// Until when a rule held it last; 0 if none ever did.
    pub until: Millis,
    /// As `until`, of rules whose holds come to an end: of all but `Template`.
    #[serde(default)]
    pub ended: Millis,
}

impl Hold {
    fn take(&mut self, rule: Rule, until: Millis) {
        (self.rule, self.until) = (Some(rule), until);
        if rule != Rule::Template {
            self.ended = until;
        }
    }
}

/// Where an item stands. `Waiting`, `Attempting` and `Returned` are to be dealt
/// with, the others are history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SendState {
    /// To be sent at `due` or later.
    Waiting { due: Millis },
    /// An attempt began at `since` and its end is not recorded: after a crash
    /// or a time-out it may or may not have been sent. Until `until` a receipt
    /// may settle it; then it is sent again.
    Attempting { since: Millis, until: Millis },
    /// The provider took it.
    Sent,
    /// The provider refused it, or it was given up: see `reason`.
    Failed,
    /// Our own rules forbade it when it was about to leave.
    Refused,
    /// The provider took it at about `taken`, and a receipt said that it failed
    /// for a reason that may pass: see `error`. Whether it is tried again is to
    /// be decided.
    Returned { taken: Millis },
}

/// An attempt about to begin, to be recorded before it does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    pub id: SendId,
    pub since: Millis,
    /// When it may be tried again if nothing is heard of it.
    pub until: Millis,
    /// Whether it writes to the contact first: outside the window.
    pub opens: bool,
    /// What it costs, counted unless it fails.
    pub charge: Option<Charge>,
    /// In which category a template leaves: it may be another than when it was
    /// asked for. None: as it was.
    pub category: Option<Category>,
}

impl Attempt {
    /// Within the window, and at no cost.
    pub fn new(id: SendId, since: Millis, until: Millis) -> Self {
        Self { id, since, until, opens: false, charge: None, category: None }
    }
}

/// An attempt of late, for the limits of pace.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tried {
    pub at: Millis,
    pub channel: ChannelId,
    pub contact: ContactId,
    /// The contact sees it as a message: it is no read mark.
    pub seen: bool,
}

/// What one message costs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Charge {
    /// In the business's zone: 20261122.
    pub day: u32,
    pub class: PriceClass,
    /// ISO 4217.
    pub currency: String,
    /// Millionths of the currency.
    pub micros: u64,
}

/// What the provider charges for, by its own categories.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceClass {
    Marketing,
    Utility,
    Authentication,
    /// Whatever is no template.
    Service,
}

impl PriceClass {
    /// None for what costs nothing anywhere: read marks.
    pub fn of(message: &Outgoing) -> Option<Self> {
        match (message, message.category()) {
            (Outgoing::Read { .. }, _) => None,
            (_, Some(Category::Marketing)) => Some(Self::Marketing),
            (_, Some(Category::Utility)) => Some(Self::Utility),
            (_, Some(Category::Authentication)) => Some(Self::Authentication),
            (_, None) => Some(Self::Service),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Utility => "utility",
            Self::Authentication => "authentication",
            Self::Service => "service",
        }
    }
}

/// What a channel spent on one day on messages of one class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spending {
    pub channel: ChannelId,
    /// In the business's zone: 20261122.
    pub day: u32,
    pub class: PriceClass,
    pub currency: String,
    pub micros: u64,
    pub messages: u64,
}

/// How one attempt ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// Taken, with the provider's id.
    Sent { message_id: String },
    /// Not taken; try at `due`.
    RetryAfter { due: Millis, reason: String },
    /// A rule holds it until `due`. What else the contact is to be sent no
    /// longer waits behind it: an answer must not wait for a campaign.
    Held { due: Millis, rule: Rule, reason: String },
    /// Not taken, and trying again would not help.
    Rejected { reason: String, code: Option<u32> },
    /// Our own rules forbade it.
    Refused { rule: Rule, reason: String },
    /// It may have been taken: wait until `until` for a receipt that says so.
    Unknown { until: Millis, reason: String },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryRecord {
    pub id: SendId,
    pub delivery: Delivery,
    pub at: Millis,
}

impl OutboxItem {
    /// The campaign that it is part of.
    pub fn campaign(&self) -> Option<CampaignKey> {
        let (channel, step) = (self.channel.clone(), self.step.clone());
        let id = self.campaign.clone()?;
        Some(CampaignKey { channel, step, id })
    }

    /// One that a step asked for at `now`, to be sent at once, that answers no
    /// particular message and is part of no campaign.
    pub fn new(
        id: SendId,
        (channel, contact, to): (ChannelId, ContactId, Address),
        message: Outgoing,
        step: &str,
        now: Millis,
    ) -> Self {
        Self {
            id,
            channel,
            contact,
            to,
            message,
            quote: None,
            also: Vec::new(),
            step: step.into(),
            campaign: None,
            member: None,
            created_at: now,
            state: SendState::Waiting { due: now },
            attempts: 0,
            left_at: None,
            arrived_at: None,
            message_id: None,
            copies: Vec::new(),
            receipt: None,
            reason: None,
            error: None,
            hold: Hold::default(),
            apart: false,
            updated_at: now,
        }
    }
}
