//! May this message leave, and when? Pure rules that no plugin can skip: asked
//! when a step asks to send, and again, with all the facts, when the message
//! is about to go. Each rule has a name (`Rule`).

mod budget;
mod hours;
mod nanp;

pub use budget::{Budget, Price, Prices, Spent};
pub use hours::{day, zone};
pub use jiff::tz::TimeZone;

use crate::model::*;
use std::sync::Arc;

/// The settings that the rules read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Taken off the end of the window.
    pub window_margin_ms: Millis,
    /// A handoff older than this, counted from the contact's last message, is
    /// over.
    pub handoff_ms: Millis,
    /// Marketing goes only to those who have said yes.
    pub opt_in: bool,
    pub cap: Option<Cap>,
    pub quiet: Option<QuietHours>,
    /// The business's.
    pub zone: TimeZone,
    /// Contacts that a channel may write to first within 24 hours.
    pub daily_contacts: Option<u64>,
    pub budget: Option<Arc<Budget>>,
}

/// Those of WhatsApp alone.
impl Default for Rules {
    fn default() -> Self {
        Self {
            window_margin_ms: 0,
            handoff_ms: 0,
            opt_in: false,
            cap: None,
            quiet: None,
            zone: TimeZone::UTC,
            daily_contacts: None,
            budget: None,
        }
    }
}

/// A message that wants to leave.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub contact: &'a Contact,
    pub channel: &'a ChannelId,
    pub message: &'a Outgoing,
    /// It is part of a broadcast.
    pub campaign: bool,
    /// A person was answering already when it was asked for.
    pub in_handoff: bool,
    pub now: Millis,
}

/// What the rules have to know beyond the contact. By default nothing stands in
/// the way: for a step that asks, whose message is looked at again later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// How its campaign goes, if it is of one.
    pub campaign: Going,
    /// Until when the account may send no templates.
    pub restricted_until: Option<Millis>,
    /// Until when the template rests.
    pub template_until: Option<Millis>,
    /// Until when the provider spares the contact marketing.
    pub spared_until: Option<Millis>,
    /// Marketing that the contact has got within the span of the cap.
    pub marketing: u32,
    /// Until when no further contact may be written to first.
    pub tier_until: Option<Millis>,
    pub spent: Spent,
}

/// What the rules say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    Leave,
    /// Not before `until`.
    Wait {
        rule: Rule,
        until: Millis,
        why: String,
    },
    /// Never.
    Refused {
        rule: Rule,
        why: &'static str,
    },
}

/// After so long, what waits for a paused campaign is looked at again, if it was
/// not let go before.
pub const CAMPAIGN_PROBE_MS: Millis = 5 * 60_000;
/// Meta's customer service window.
const WINDOW_MS: Millis = 24 * 3600 * 1000;

/// When the customer service window ends, less the margin; none if the contact
/// has never written on this channel. The 72 hours after an advertisement are
/// free of charge, but open no longer window.
pub fn window_end(contact: &Contact, channel: &ChannelId, rules: &Rules) -> Option<Millis> {
    let last = contact.last_inbound.get(channel)?;
    Some(last.saturating_add(WINDOW_MS).saturating_sub(rules.window_margin_ms))
}

/// Whether a person is answering at `now`.
pub fn in_handoff(contact: &Contact, now: Millis, rules: &Rules) -> bool {
    contact.handoff.as_ref().is_some_and(|handoff| {
        let last = contact.previous_seen.unwrap_or(0).max(handoff.since);
        now < last.saturating_add(rules.handoff_ms)
    })
}

/// Whether a person was answering when a turn at `asked_at` asked for a message.
/// The turn that hands over says so at that very moment; another one at the same
/// moment has been refused when it asked.
pub fn asked_in_handoff(contact: &Contact, asked_at: Millis, rules: &Rules) -> bool {
    let before = contact.handoff.as_ref().is_some_and(|handoff| handoff.since < asked_at);
    before && in_handoff(contact, asked_at, rules)
}

/// Whether a message may leave now. What refuses comes before what waits, so
/// that nothing waits in vain.
pub fn may_leave(request: &Request<'_>, facts: &Facts, rules: &Rules) -> Ruling {
    if let Outgoing::Read { .. } = request.message
        && request.addressed()
    {
        return Ruling::Leave;
    }
    let refused = request.refused(facts, rules);
    let refused = refused.map(|(rule, why)| Ruling::Refused { rule, why });
    let waits = || {
        let (rule, until, why) = request.waits(facts, rules)?;
        (until > request.now).then(|| Ruling::Wait { rule, until, why: why.into() })
    };
    refused.or_else(waits).unwrap_or(Ruling::Leave)
}

impl Request<'_> {
    fn addressed(&self) -> bool {
        self.contact.phone.is_some() || self.contact.bsuid.is_some()
    }

    /// Marketing, by whatever name it goes.
    pub fn is_marketing(&self) -> bool {
        self.message.category() == Some(Category::Marketing)
    }

    /// Whether it writes to the contact first: outside the window.
    pub fn opens(&self, rules: &Rules) -> bool {
        let open = window_end(self.contact, self.channel, rules).is_some_and(|end| end > self.now);
        self.message.category().is_some() && !open
    }

    /// Whether the business begins, and no customer waits for it. A code to log
    /// in with is asked for by the customer, on whatever way.
    pub fn is_started(&self, rules: &Rules) -> bool {
        let opens = self.opens(rules) && self.message.category() == Some(Category::Utility);
        self.is_marketing() || self.campaign || opens
    }

    /// Within the hours after an advertisement in which all is free.
    pub fn is_free(&self) -> bool {
        self.contact.free_until.get(self.channel).is_some_and(|until| *until > self.now)
    }

    /// What it costs; none where nothing is counted.
    pub fn charge(&self, rules: &Rules) -> Option<Charge> {
        let (budget, class) = (rules.budget.as_ref()?, PriceClass::of(self.message)?);
        Some(budget.charge(class, self.contact, self.is_free(), self.now, &rules.zone))
    }

    fn refused(&self, facts: &Facts, rules: &Rules) -> Option<(Rule, &'static str)> {
        if !self.addressed() {
            return Some((Rule::Address, "the contact has neither a phone number nor a user id"));
        }
        if facts.campaign == Going::Stopped {
            return Some((Rule::Campaign, Going::STOPPED));
        }
        if self.message.category().is_none() {
            return self.refused_as_free_form(rules);
        }
        if !self.is_marketing() {
            return None;
        }
        match &self.contact.consent {
            Consent::OptedOut { .. } => {
                return Some((Rule::Consent, "the contact has stopped marketing messages"));
            }
            Consent::Unknown if rules.opt_in => {
                return Some((Rule::Consent, "the contact has not asked for marketing messages"));
            }
            Consent::Unknown | Consent::OptedIn { .. } => {}
        }
        if self.is_us() {
            let why = "WhatsApp takes no marketing templates to numbers of the United States";
            return Some((Rule::UsMarketing, why));
        }
        let capped = rules.cap.is_some_and(|cap| facts.marketing >= cap.count);
        let why = "the contact has had as much marketing as `policy.marketing_cap` allows";
        capped.then_some((Rule::Cap, why))
    }

    fn refused_as_free_form(&self, rules: &Rules) -> Option<(Rule, &'static str)> {
        if self.in_handoff {
            let why = "a person is answering this contact, so the bot keeps silent";
            return Some((Rule::Handoff, why));
        }
        match window_end(self.contact, self.channel, rules) {
            Some(end) if end > self.now => None,
            _ => Some((
                Rule::Window,
                "outside the 24-hour window of the contact's last message only templates may leave",
            )),
        }
    }

    fn is_us(&self) -> bool {
        match (&self.contact.phone, &self.contact.bsuid) {
            (Some(phone), _) => nanp::is_us(phone),
            // Its country is all there is to go by.
            (None, Some(id)) => id.starts_with("US."),
            (None, None) => false,
        }
    }

    /// The rule that holds it, until when, and why.
    fn waits(&self, facts: &Facts, rules: &Rules) -> Option<(Rule, Millis, &'static str)> {
        if facts.campaign == Going::Paused {
            let until = self.now.saturating_add(CAMPAIGN_PROBE_MS);
            return Some((Rule::Campaign, until, "its campaign is paused"));
        }
        if let Some(until) = facts.restricted_until.filter(|_| self.message.category().is_some()) {
            let why = "WhatsApp restricts the account: it may send no templates for now";
            return Some((Rule::Restricted, until, why));
        }
        if let Some(until) = facts.template_until {
            return Some((Rule::Template, until, "the template rests: WhatsApp has paused it"));
        }
        if !self.is_started(rules) {
            return None;
        }
        if let Some(until) = facts.spared_until.filter(|_| self.is_marketing()) {
            let why = "WhatsApp spares the contact marketing for 24 hours";
            return Some((Rule::Spared, until, why));
        }
        if (self.is_marketing() || self.campaign)
            && let Some(until) = self.quiet_until(rules)
        {
            return Some((Rule::Quiet, until, "these are quiet hours where the contact lives"));
        }
        if let Some(until) = facts.tier_until.filter(|_| self.opens(rules)) {
            let why = "as many contacts as allowed were written to first within 24 hours";
            return Some((Rule::Tier, until, why));
        }
        let (budget, charge) = (rules.budget.as_ref()?, self.charge(rules)?);
        let (until, why) = budget.wait(charge.micros, facts.spent, self.now, &rules.zone)?;
        Some((Rule::Budget, until, why))
    }

    fn quiet_until(&self, rules: &Rules) -> Option<Millis> {
        let named = self.contact.attributes.get("zone").and_then(|name| hours::zone(name));
        let zone = named.as_ref().unwrap_or(&rules.zone);
        hours::quiet_until(rules.quiet?, self.now, zone)
    }
}

#[cfg(test)]
mod tests;
