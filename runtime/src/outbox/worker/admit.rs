//! From what the limits let through to requests: each message is held against
//! the rules with all the facts, its attempt is put on record, and it leaves.

use super::{
    super::{
        forms::stopped,
        post::REQUEST,
        recent::{self, RECENT},
    },
    Route, Terms, Worker,
};
use crate::{
    model::*,
    policy::{self, Facts, Ruling, Spent},
    store::Result,
};
use futures::future::join_all;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// What the messages of one batch have used up so far.
#[derive(Default)]
struct Batch {
    /// Before this batch; none until it is needed.
    spent: Option<Spent>,
    /// What the batch costs so far, in millionths.
    micros: u64,
    /// Marketing let through, by contact.
    marketing: HashMap<ContactId, u32>,
}

impl Worker {
    /// Checks the chosen against the rules, records that their attempts begin,
    /// and begins them. What it could not begin is left in `chosen`.
    pub(super) async fn try_send(
        &mut self,
        chosen: &mut Vec<OutboxItem>,
        routes: &HashMap<ChannelId, Route>,
    ) -> Result<()> {
        self.await_receipts(chosen).await?;
        let store = self.outbox.store.clone();
        let contacts = join_all(chosen.iter().map(|item| store.contact(item.contact))).await;
        let contacts = contacts.into_iter().collect::<Result<Vec<_>>>()?;
        let now = self.outbox.clock.now();
        let (mut allowed, mut ruled) = (Vec::new(), Vec::new());
        let mut batch = Batch::default();
        for (item, contact) in chosen.iter().zip(contacts) {
            let Some(route) = routes.get(&item.channel) else { continue };
            match self.rule(item, contact.as_ref(), route, &mut batch, now).await? {
                Ok(terms) => allowed.push((item.clone(), terms)),
                Err(delivery) => ruled.push((item.id.clone(), delivery)),
            }
        }
        chosen.clear();
        for (id, delivery) in ruled {
            self.note_ruled(&delivery);
            self.record(id, delivery, now);
        }
        self.begin(allowed, chosen, routes).await
    }

    /// Records that the attempts begin, and begins them.
    async fn begin(
        &mut self,
        allowed: Vec<(OutboxItem, Terms)>,
        chosen: &mut Vec<OutboxItem>,
        routes: &HashMap<ChannelId, Route>,
    ) -> Result<()> {
        if allowed.is_empty() {
            return Ok(());
        }
        let now = self.outbox.clock.now();
        let attempts = allowed.iter().map(|(item, terms)| {
            let grace_ms = routes.get(&item.channel).map_or(0, |route| route.grace_ms);
            let until = now + REQUEST.as_millis() as Millis + grace_ms;
            let Terms { opens, charge, category } = terms.clone();
            Attempt { opens, charge, category, ..Attempt::new(item.id.clone(), now, until) }
        });
        let begun = match self.outbox.store.begin_attempts(attempts.collect()).await {
            Ok(begun) => begun,
            Err(error) => {
                chosen.extend(allowed.into_iter().map(|(item, _)| item));
                return Err(error);
            }
        };
        let now = self.outbox.clock.now();
        let mut left: HashSet<SendId> = allowed.into_iter().map(|(item, _)| item.id).collect();
        for item in begun {
            if left.remove(&item.id)
                && let Some(route) = routes.get(&item.channel)
            {
                self.launch(item, route, now);
            }
        }
        // What is left has become history meanwhile, or came back.
        for id in left {
            self.queue.forget(&id);
            self.tallies.forget(&id);
        }
        Ok(())
    }

    /// The item's terms if it may leave, or else what becomes of it.
    async fn rule(
        &mut self,
        item: &OutboxItem,
        contact: Option<&Contact>,
        route: &Route,
        batch: &mut Batch,
        now: Millis,
    ) -> Result<std::result::Result<Terms, Delivery>> {
        let Some(contact) = contact else {
            let reason = "the contact has been erased".into();
            return Ok(Err(Delivery::Refused { rule: Rule::Address, reason }));
        };
        let message = match self.as_it_stands(item, now) {
            Ok(message) => message,
            Err(delivery) => return Ok(Err(delivery)),
        };
        let rules = &route.rules;
        let request = policy::Request {
            contact,
            channel: &item.channel,
            message: &message,
            campaign: item.campaign.is_some(),
            in_handoff: policy::asked_in_handoff(contact, item.created_at, rules),
            now,
        };
        let mut facts = self.facts(item, &request, route, batch).await?;
        let mut ruling = policy::may_leave(&request, &facts, rules);
        if ruling == Ruling::Leave && request.is_started(rules) && request.opens(rules) {
            // Last, as it promises a place to whom it turns away.
            facts.tier_until = self.tier_until(item, rules, now).await?;
            ruling = policy::may_leave(&request, &facts, rules);
        }
        Ok(match ruling {
            Ruling::Leave => {
                let terms = Terms {
                    opens: request.opens(rules),
                    charge: request.charge(rules),
                    category: message.category(),
                };
                self.outbox.resting.leaves(item, now);
                if request.is_marketing() {
                    *batch.marketing.entry(item.contact).or_default() += 1;
                }
                batch.micros += terms.charge.as_ref().map_or(0, |charge| charge.micros);
                if terms.opens {
                    // Taken now, so that the rest of the batch counts it.
                    let portfolio = (self.outbox.families)(&item.channel).portfolio;
                    self.queue.tier(&portfolio).take(item.contact, now);
                }
                Ok(terms)
            }
            Ruling::Wait { rule, until, why } => Err(Delivery::Held {
                due: until,
                rule,
                reason: format!("{why} (rule `{}`)", rule.name()),
            }),
            Ruling::Refused { rule, why } => {
                Err(Delivery::Refused { rule, reason: format!("{why} (rule `{}`)", rule.name()) })
            }
        })
    }

    /// The message in the category that its template has now: the provider may
    /// have changed it since the turn. Error: what becomes of the item, if the
    /// template may not be used.
    fn as_it_stands<'a>(
        &self,
        item: &'a OutboxItem,
        now: Millis,
    ) -> std::result::Result<Cow<'a, Outgoing>, Delivery> {
        let mut message = Cow::Borrowed(&item.message);
        let Outgoing::Template(template) = &item.message else { return Ok(message) };
        let TemplateStanding { state, category } = (self.outbox.templates)(&item.channel, template);
        if let Some(delivery) = stopped(state, now) {
            return Err(delivery);
        }
        if let Some(category) = category.filter(|category| *category != template.category) {
            message.to_mut().categorise(category);
        }
        Ok(message)
    }

    /// What the rules have to know, as far as this message needs it.
    async fn facts(
        &mut self,
        item: &OutboxItem,
        request: &policy::Request<'_>,
        route: &Route,
        batch: &mut Batch,
    ) -> Result<Facts> {
        let (rules, now) = (&route.rules, request.now);
        let campaign = match item.campaign() {
            Some(key) => self.outbox.store.campaign(&key).await?,
            None => None,
        };
        let mut facts = Facts {
            campaign: campaign.map(|campaign| campaign.broadcast.going).unwrap_or_default(),
            restricted_until: self.restricted_until(&item.channel, now),
            template_until: self.outbox.resting.until(item, now),
            ..Facts::default()
        };
        if request.is_marketing() {
            let recent = self.outbox.store.outbox_of(item.contact, RECENT).await?;
            let recent: Vec<_> = recent.into_iter().filter(|other| other.id != item.id).collect();
            facts.spared_until = recent::spared_until(&recent, &*route.provider);
            // Those of this batch are not on record yet.
            let more = batch.marketing.get(&item.contact).copied().unwrap_or(0);
            facts.marketing = recent::marketing(&recent, rules, now).saturating_add(more);
        }
        if request.is_started(rules) {
            facts.spent = self.spent(rules, batch, now).await?;
        }
        Ok(facts)
    }

    /// Until when the contact can't be written to first. The limit is the
    /// portfolio's: the smallest that was said of its channels.
    async fn tier_until(
        &mut self,
        item: &OutboxItem,
        rules: &policy::Rules,
        now: Millis,
    ) -> Result<Option<Millis>> {
        let family = (self.outbox.families)(&item.channel);
        let mut limit = rules.daily_contacts;
        for channel in &family.channels {
            let told = self.outbox.store.daily_contacts(channel).await?;
            // Below 0: no limit.
            let told = told.and_then(|told| u64::try_from(told).ok());
            limit = limit.into_iter().chain(told).min();
        }
        Ok(self.queue.tier(&family.portfolio).until(item.contact, now, limit))
    }

    /// What is spent, with what is under way, and what this batch adds. Nothing
    /// where there is no bound.
    async fn spent(&self, rules: &policy::Rules, batch: &mut Batch, now: Millis) -> Result<Spent> {
        let Some(budget) = &rules.budget else { return Ok(Spent::default()) };
        if budget.per_day.is_none() && budget.per_month.is_none() {
            return Ok(Spent::default());
        }
        let mut spent = match batch.spent {
            Some(spent) => spent,
            None => {
                let today = policy::day(now, &rules.zone);
                let first = today - today % 100;
                let spendings = self.outbox.store.spending(first, today).await?;
                *batch.spent.insert(Spent::of(&spendings, &budget.currency, today))
            }
        };
        spent.add(batch.micros);
        Ok(spent)
    }

    fn note_ruled(&self, delivery: &Delivery) {
        let metrics = &self.outbox.metrics;
        match delivery {
            Delivery::Held { rule, .. } => {
                metrics.ruled(*rule).inc();
            }
            Delivery::Refused { rule, .. } => {
                metrics.refused.inc();
                metrics.ruled(*rule).inc();
            }
            Delivery::Rejected { .. } => {
                metrics.rejected.inc();
            }
            Delivery::Sent { .. } | Delivery::RetryAfter { .. } | Delivery::Unknown { .. } => {}
        }
    }
}
