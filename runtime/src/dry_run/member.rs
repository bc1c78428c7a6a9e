//! One contact of the segment: its turn, those of the timers that carry the
//! campaign on, and what the rules say of what it is to be sent.

use super::{DryRun, Plan, failed};
use crate::{
    model::*,
    outbox::recent::{self, RECENT},
    policy::{self, Facts, Price, Ruling},
    store::StoreError,
    turn::Draft,
};

/// Waits that are followed: a promotion waits for a time and for quiet hours.
const TURNS: usize = 8;
/// Rules that may hold a message one after the other.
const HOLDS: usize = 20;

/// What becomes of a contact.
pub(super) enum Fate {
    /// It has become another, who is looked at too, or was erased.
    Gone,
    LeftOut(String),
    Refused(Rule),
    Gets {
        leaves: Vec<Leaves>,
        variant: Option<String>,
    },
}

/// A message that leaves.
pub(super) struct Leaves {
    pub at: Millis,
    /// It writes to the contact first.
    pub opens: bool,
    pub held: Option<Rule>,
    /// None: its price is not known, or nothing is counted.
    pub charge: Option<Charge>,
    pub unpriced: Option<String>,
}

/// What a turn asked for.
#[derive(Default)]
struct Asked {
    messages: Vec<Outgoing>,
    left_out: Option<String>,
    variant: Option<String>,
    /// The step's next turn, and when.
    timer: Option<(EventKind, Millis)>,
}

impl DryRun {
    /// The member's turn at `at`, and what follows it.
    pub(super) async fn member(
        &self,
        plan: &Plan,
        id: ContactId,
        at: Millis,
    ) -> Result<Fate, StoreError> {
        let found = self.store.contact(id).await?;
        let Some(contact) = found.filter(|contact| contact.id == id) else {
            return Ok(Fate::Gone);
        };
        let Broadcast { step, id: campaign, payload, .. } = plan.broadcast.clone();
        let of = Membership { campaign: campaign.clone(), contact: id };
        let (mut kind, mut now) = (EventKind::Broadcast { step, id: campaign, payload }, at);
        let event = (Lane::Contact(id), kind.clone(), Some(of.clone()));
        let mut draft = self.draft(&plan.channel, &plan.link, event, now);
        draft.contact = Some(contact);
        for _ in 0..TURNS {
            if let Some(contact) = &mut draft.contact {
                contact.drop_expired(now);
            }
            let ran = plan.link.step.run(draft).await;
            if let Some(error) = ran.draft.broken {
                return Err(error);
            }
            if let Err(error) = &ran.outcome {
                return Ok(Fate::LeftOut(failed(error)));
            }
            let Draft { contact, kv, because, effects, .. } = ran.draft;
            let asked = Asked::of(effects, plan.link.step.name());
            if !asked.messages.is_empty() {
                return self.sent(plan, contact.as_ref(), asked, now).await;
            }
            if let (Some(reason), None) = (&asked.left_out, &asked.timer) {
                return Ok(Fate::LeftOut(reason.clone()));
            }
            let Some((next, due)) = asked.timer else {
                let said = because.last().map(|said| format!(": {said}")).unwrap_or_default();
                return Ok(Fate::LeftOut(format!("the step sent nothing{said}")));
            };
            (kind, now) = (next, due.max(now));
            // The turn before it is not committed: its writes go along.
            let event = (Lane::Contact(id), kind.clone(), Some(of.clone()));
            draft = self.draft(&plan.channel, &plan.link, event, now);
            (draft.contact, draft.kv) = (contact, kv);
        }
        Ok(Fate::LeftOut("the step waits again and again".into()))
    }

    /// What the rules say of its messages.
    async fn sent(
        &self,
        plan: &Plan,
        contact: Option<&Contact>,
        asked: Asked,
        now: Millis,
    ) -> Result<Fate, StoreError> {
        let Some(contact) = contact else { return Ok(Fate::Gone) };
        let (mut leaves, mut refused) = (Vec::new(), None);
        for message in &asked.messages {
            match self.ruled(plan, contact, message, now).await? {
                Ok(one) => leaves.push(one),
                Err(rule) => refused = Some(rule),
            }
        }
        Ok(match refused.filter(|_| leaves.is_empty()) {
            Some(rule) => Fate::Refused(rule),
            None => Fate::Gets { leaves, variant: asked.variant },
        })
    }

    /// When a message that is asked for at `asked_at` may leave, or which rule
    /// forbids it. Tier and money are the campaign's as a whole.
    async fn ruled(
        &self,
        plan: &Plan,
        contact: &Contact,
        message: &Outgoing,
        asked_at: Millis,
    ) -> Result<Result<Leaves, Rule>, StoreError> {
        let (rules, channel) = (&self.rules, &plan.channel.id);
        let (mut now, mut held) = (asked_at, None);
        let in_handoff = policy::asked_in_handoff(contact, asked_at, rules);
        let request =
            |now| policy::Request { contact, channel, message, campaign: true, in_handoff, now };
        let mut facts = Facts::default();
        if request(now).is_marketing() {
            let recent = self.store.outbox_of(contact.id, RECENT).await?;
            facts.spared_until = recent::spared_until(&recent, &*plan.channel.provider);
            facts.marketing = recent::marketing(&recent, rules, now);
        }
        for _ in 0..HOLDS {
            let request = request(now);
            match policy::may_leave(&request, &facts, rules) {
                Ruling::Leave => {
                    let unpriced = unpriced(&request, rules);
                    let charge = request.charge(rules).filter(|_| unpriced.is_none());
                    let opens = request.opens(rules);
                    return Ok(Ok(Leaves { at: now, opens, held, charge, unpriced }));
                }
                Ruling::Refused { rule, .. } => return Ok(Err(rule)),
                Ruling::Wait { rule, until, .. } => {
                    held = held.or(Some(rule));
                    now = until.max(now + 1);
                }
            }
        }
        Ok(Err(held.unwrap_or(Rule::Window)))
    }
}

/// What the provider charges and nobody has said the price of.
fn unpriced(request: &policy::Request<'_>, rules: &policy::Rules) -> Option<String> {
    let (class, budget) = (PriceClass::of(request.message)?, rules.budget.as_ref()?);
    match budget.price_of(class, &request.contact.address()) {
        Price::Unknown(kind) if !request.is_free() => Some(kind),
        Price::Unknown(_) | Price::Micros(_) => None,
    }
}

impl Asked {
    /// A timer of the same name replaces; of several the first that is due goes
    /// on.
    fn of(effects: Vec<Effect>, step: &str) -> Self {
        let mut asked = Self::default();
        let mut timers = std::collections::BTreeMap::new();
        for effect in effects {
            match effect {
                Effect::Send { to: None, message, .. } => asked.messages.push(message),
                Effect::LeaveOut { reason } => asked.left_out = Some(reason),
                Effect::Variant { name } => asked.variant = Some(name),
                Effect::SetTimer { name, due, payload } => {
                    timers.insert(name, (due, payload));
                }
                Effect::CancelTimer { name } => {
                    timers.remove(&name);
                }
                // To others, or to the contact itself.
                Effect::Send { to: Some(_), .. }
                | Effect::MarkRead { .. }
                | Effect::Tag { .. }
                | Effect::Untag { .. }
                | Effect::SetAttribute { .. }
                | Effect::Handoff { .. }
                | Effect::Resume
                | Effect::OptIn { .. }
                | Effect::OptOut { .. }
                | Effect::Broadcast { .. }
                | Effect::Note { .. }
                | Effect::Unanswered { .. } => {}
            }
        }
        let first = timers.into_iter().min_by_key(|(_, (due, _))| *due);
        asked.timer = first.map(|(name, (due, payload))| {
            (EventKind::TimerFired { step: step.into(), name, payload, due }, due)
        });
        asked
    }
}
