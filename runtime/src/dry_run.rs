//! What a campaign would come to if it began as it is planned: the real step
//! runs for every contact of the segment, on the store as it is and at the
//! moments at which it would run, and what it asks for is counted and dropped.
//! Writes nothing, sends nothing, asks no other machine.

mod member;
mod pace;

use crate::{
    clock::{Clock, Stopwatch},
    generation::{Channel, Generation},
    model::*,
    outbox::limiter::TIER_MS,
    policy,
    store::{Store, StoreError},
    templates::Templates,
    turn::{ChainStep, Draft, Network, Setting, StepError},
};
use futures::future::join_all;
use member::{Fate, Leaves};
use pace::Pace;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

/// Timers of a step that are looked through for the one that is meant.
const PLANNED: usize = 1_000;
/// Members read at once,
const MEMBERS_AT_ONCE: usize = 500;
/// and run at once: the rest of the machine is for customers.
const RUN_AT_ONCE: usize = 8;
/// After so long it ends with what it has counted.
const LONGEST: Duration = Duration::from_secs(240);
/// Those written to first within a day that are read: more than any tier.
const OPENINGS: usize = 250_000;
const NO_HTTP: &str = "a dry run asks nothing of other machines";

/// What it looks at.
pub struct DryRun {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub generation: Arc<Generation>,
    pub templates: Arc<Templates>,
    /// Those of the generation.
    pub rules: policy::Rules,
}

/// Why nothing can be said. `Unknown`: there is no such campaign to come.
#[derive(thiserror::Error, Debug)]
pub enum Refusal {
    #[error("{0}")]
    Unknown(String),
    #[error("{0}")]
    Ambiguous(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A campaign that is to come.
pub struct Plan {
    pub broadcast: Broadcast,
    channel: Arc<Channel>,
    link: ChainStep,
}

/// What would become of it. `audience` is the sum of `left_out`, `refused` and
/// `recipients`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forecast {
    pub audience: u64,
    /// By the step, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// By rule.
    pub refused: BTreeMap<String, u64>,
    pub recipients: u64,
    /// Of the recipients, by the rule for which they wait first.
    pub held: BTreeMap<String, u64>,
    /// Of the recipients.
    pub variants: BTreeMap<String, u64>,
    pub messages: u64,
    /// Recipients who are written to first: what the tier counts.
    pub opened: u64,
    /// Millionths by currency, of what has a price.
    pub cost: BTreeMap<String, u64>,
    /// Messages without one: `+49 marketing`.
    pub unpriced: BTreeMap<String, u64>,
    /// When the first message leaves and when the last, by rate and tier; none
    /// if none does.
    pub leaves: Option<(Millis, Millis)>,
    /// It ended before it had seen everyone.
    pub cut_short: bool,
}

impl DryRun {
    /// The campaign that the timer `name` of some step begins when it is due.
    ///
    /// # Errors
    /// There is no such timer or several, it begins nothing, or the store can't
    /// be read.
    pub async fn plan(
        &self,
        name: &str,
        channel: Option<&str>,
        step: Option<&str>,
    ) -> Result<Plan, Refusal> {
        let (mut found, mut others) = (Vec::new(), Vec::new());
        for one in self.generation.channels.values() {
            let lane = Lane::Channel(one.id.clone());
            for link in one.chain.steps.iter().filter(|link| link.grants.broadcast) {
                let of = link.step.name();
                if channel.is_some_and(|it| it != one.id.as_str())
                    || step.is_some_and(|it| it != of)
                {
                    continue;
                }
                for timer in self.store.timers_of(&lane, of, PLANNED).await? {
                    let EventKind::TimerFired { name: own, .. } = timer.event() else { continue };
                    match own == name {
                        true => found.push((Arc::clone(one), link.clone(), timer)),
                        false => others.push(own),
                    }
                }
            }
        }
        if found.len() > 1 {
            let one = |(channel, link, _): &(Arc<Channel>, ChainStep, Timer)| {
                format!("channel `{}`, step `{}`", channel.id, link.step.name())
            };
            return Err(Refusal::Ambiguous(format!(
                "several steps have `{name}` planned: name the `channel` and the `step` ({})",
                found.iter().map(one).collect::<Vec<_>>().join("; ")
            )));
        }
        match found.pop() {
            Some((channel, link, timer)) => self.begin(channel, link, timer).await,
            None => Err(Refusal::Unknown(unknown(name, others))),
        }
    }

    /// Lets the step begin it, as it will when the timer is due.
    async fn begin(
        &self,
        channel: Arc<Channel>,
        link: ChainStep,
        timer: Timer,
    ) -> Result<Plan, Refusal> {
        let now = timer.due.max(self.clock.now());
        let (kind, name, lane) = (timer.event(), timer.key.name, timer.key.lane);
        let ran = link.step.run(self.draft(&channel, &link, (lane, kind, None), now)).await;
        if let Some(error) = ran.draft.broken {
            return Err(error.into());
        }
        let begun = if ran.outcome.is_ok() { ran.draft.effects } else { Vec::new() };
        let begun = begun.into_iter().find_map(|effect| match effect {
            Effect::Broadcast { id, to, payload, terms } => Some((id, to, payload, terms)),
            _ => None,
        });
        let of = link.step.name();
        let Some((id, to, payload, terms)) = begun else {
            let why = match (&ran.outcome, ran.draft.because.last()) {
                (Err(error), _) => format!("it {error}"),
                (Ok(_), Some(because)) => because.clone(),
                (Ok(_), None) => "it says nothing".into(),
            };
            let why = format!("the step `{of}` begins no campaign when `{name}` is due: {why}");
            return Err(Refusal::Unknown(why));
        };
        let key = CampaignKey { channel: channel.id.clone(), step: of.into(), id };
        let broadcast = Broadcast { terms, ..Broadcast::new(key, to, payload, now) };
        Ok(Plan { broadcast, channel, link })
    }

    /// Looks at every contact of the segment. Dropping the future ends it at
    /// any moment.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn run(&self, plan: &Plan) -> Result<Forecast, StoreError> {
        let watch = Stopwatch::start();
        let begins = plan.broadcast.started_at;
        let (mut forecast, mut leaves) = (Forecast::default(), Vec::new());
        let (mut after, mut number) = (None, 0);
        loop {
            let page = self.store.audience(&plan.broadcast.to, after, MEMBERS_AT_ONCE, begins);
            let page = page.await?;
            for some in page.members.chunks(RUN_AT_ONCE) {
                let fates = some.iter().map(|member| {
                    let at = begins + plan.broadcast.terms.pause_ms(number);
                    number += 1;
                    self.member(plan, *member, at)
                });
                for fate in join_all(fates).await {
                    forecast.count(fate?, &mut leaves);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
            if watch.elapsed() > LONGEST {
                forecast.cut_short = true;
                break;
            }
        }
        let pace = self.pace(&plan.channel).await?;
        forecast.leaves = pace.span(leaves);
        Ok(forecast)
    }

    fn draft(
        &self,
        channel: &Channel,
        link: &ChainStep,
        (lane, kind, member): (Lane, EventKind, Option<Membership>),
        now: Millis,
    ) -> Draft {
        let event = Event {
            id: EventId { lane, seq: 0 },
            channel: channel.id.clone(),
            sender: None,
            kind,
            raw: String::new(),
            accepted_at: now,
            attempts: 0,
            member,
            tries: 0,
        };
        let generation = &self.generation;
        let setting = Setting {
            event: Arc::new(event),
            now,
            zone: generation.business.zone.as_str().into(),
            calendar: generation.calendar.clone(),
            provider: Arc::clone(&channel.provider),
            store: Arc::clone(&self.store),
            policy: self.rules.clone(),
            templates: Arc::clone(&self.templates),
        };
        let mut draft = Draft::new(setting, link.step.name(), link.grants.clone(), link.limits);
        draft.network = Network::Closed(NO_HTTP);
        draft
    }

    /// How fast messages of the channel may leave.
    async fn pace(&self, channel: &Channel) -> Result<Pace, StoreError> {
        let mut tier = self.generation.business.policy.daily_contacts;
        let channels = self.generation.family(&channel.id).channels;
        for one in &channels {
            // Below 0: no limit.
            let told = self.store.daily_contacts(one).await?;
            tier = tier.into_iter().chain(told.and_then(|told| u64::try_from(told).ok())).min();
        }
        let from = self.clock.now().saturating_sub(TIER_MS);
        let mut seen = HashSet::new();
        let mut opened: Vec<Millis> = self
            .store
            .openings_since(from, OPENINGS)
            .await?
            .iter()
            .filter(|one| channels.contains(&one.channel) && seen.insert(one.contact))
            .map(|one| one.at)
            .collect();
        opened.sort_unstable();
        let per_second = channel.config.messages_per_second;
        Ok(Pace { per_second, tier, opened: opened.into() })
    }
}

impl Forecast {
    fn count(&mut self, fate: Fate, all: &mut Vec<Leaves>) {
        self.audience += 1;
        let (leaves, variant) = match fate {
            Fate::Gone => {
                self.audience -= 1;
                return;
            }
            Fate::LeftOut(reason) => return count(&mut self.left_out, &reason, 1),
            Fate::Refused(rule) => return count(&mut self.refused, rule.name(), 1),
            Fate::Gets { leaves, variant } => (leaves, variant),
        };
        self.recipients += 1;
        if let Some(variant) = variant {
            count(&mut self.variants, &variant, 1);
        }
        if let Some(rule) = leaves.iter().find_map(|one| one.held) {
            count(&mut self.held, rule.name(), 1);
        }
        self.messages += leaves.len() as u64;
        self.opened += u64::from(leaves.iter().any(|one| one.opens));
        for one in &leaves {
            if let Some(charge) = &one.charge {
                count(&mut self.cost, &charge.currency, charge.micros);
            }
            if let Some(kind) = &one.unpriced {
                count(&mut self.unpriced, kind, 1);
            }
        }
        all.extend(leaves);
    }
}

fn unknown(name: &str, mut others: Vec<String>) -> String {
    others.truncate(10);
    match others.is_empty() {
        true => format!("no campaign `{name}` is planned, nor any other"),
        false => format!("no campaign `{name}` is planned; there are `{}`", others.join("`, `")),
    }
}

/// Why a member whose step failed gets nothing: the words of its own turn.
fn failed(error: &StepError) -> String {
    format!("the step failed ({})", error.kind())
}
