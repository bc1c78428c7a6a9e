//! The loop: write what ended, read what is due, send what may leave, wait.

mod admit;
mod doubt;
mod let_go;
mod pauses;
mod records;
mod restore;
mod returned;

use super::{
    Outbox, Route,
    outcome::{
        ChannelState, Moment, Outcome, PROBE_MS, Tallies, TemplateFate, hopeless, is_read_mark,
        opt_out, outcome,
    },
    post::Reply,
    queue::Queue,
    upload::then_post,
};
use crate::{
    model::*,
    provider::Provider,
    store::{Result, StoreError},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
};

/// How many due messages are read beyond those that are known.
const PAGE: usize = 1024;
/// How often the store is asked though nothing called,
const POLL_MS: Millis = 5_000;
/// and how often while messages wait here.
const BUSY_POLL_MS: Millis = 1_000;
/// The pause after the store failed.
const TROUBLE_MS: Millis = 1_000;
/// Reading again passes over all that is known, so the more there is, the less
/// often it is done: a millisecond for each of so many,
const KNOWN_PER_MS: usize = 40;
/// but at once where it is little.
const KNOWN_FEW: usize = 256;

type Ended = std::result::Result<(Id, (Reply, Duration)), JoinError>;

/// An attempt under way.
struct Flight {
    item: OutboxItem,
    provider: Arc<dyn Provider>,
    grace_ms: Millis,
    began: Millis,
}

pub(super) struct Worker {
    outbox: Arc<Outbox>,
    queue: Queue,
    tallies: Tallies,
    posts: JoinSet<(Reply, Duration)>,
    flights: HashMap<Id, Flight>,
    /// What is to be written.
    records: Vec<DeliveryRecord>,
    opt_outs: Vec<Happening>,
    /// What the channels' accounts have said of themselves.
    stops: BTreeMap<ChannelId, Stoppage>,
    /// Those of them that turned out to be over, to be forgotten.
    disproved: Vec<Stoppage>,
    /// The store may have more than we know.
    stale: bool,
    read_from: Millis,
    poll_at: Millis,
    /// After trouble, nothing is sent before this.
    rest_until: Millis,
    /// When this process began; none before what left until then is counted too.
    began: Option<Millis>,
    /// Of what may be free by now, what is due up to then was looked at.
    letting_go: Option<Millis>,
}

impl Worker {
    pub fn new(outbox: Arc<Outbox>) -> Self {
        Self {
            outbox,
            queue: Queue::default(),
            tallies: Tallies::default(),
            posts: JoinSet::new(),
            flights: HashMap::new(),
            records: Vec::new(),
            opt_outs: Vec::new(),
            stops: BTreeMap::new(),
            disproved: Vec::new(),
            stale: true,
            read_from: 0,
            poll_at: 0,
            rest_until: 0,
            began: None,
            letting_go: None,
        }
    }

    pub async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let outbox = self.outbox.clone();
        loop {
            let stopping = *shutdown.borrow_and_update() || shutdown.has_changed().is_err();
            let written = self.write().await;
            if stopping && self.posts.is_empty() {
                return;
            }
            if written && !stopping {
                self.read().await;
                self.send().await;
                if !self.records.is_empty() {
                    continue;
                }
            }
            let due = self.next_due(written);
            tokio::select! {
                _ = shutdown.changed(), if !stopping => {}
                Some(ended) = self.posts.join_next_with_id() => self.end(ended),
                () = outbox.wake.notified(), if !stopping => self.stale = true,
                () = outbox.clock.sleep_until(due), if !stopping || !written => {}
            }
            while let Some(ended) = self.posts.try_join_next_with_id() {
                self.end(ended);
            }
        }
    }

    /// Sends what may leave now, and sees each to its end. Returns when more
    /// may leave, if anything waits.
    pub async fn settle(&mut self) -> Result<Option<Millis>> {
        loop {
            self.stale = true;
            if !self.write().await {
                return Err(StoreError::Failed("what was sent could not be recorded".into()));
            }
            self.read().await;
            self.send().await;
            let done = self.records.is_empty() && self.letting_go.is_none();
            if done && self.posts.is_empty() {
                break;
            }
            while let Some(ended) = self.posts.join_next_with_id().await {
                self.end(ended);
            }
        }
        let now = self.outbox.clock.now();
        let stored = self.outbox.store.next_outbox().await?.filter(|due| *due > now);
        Ok(self.queue.next(now).into_iter().chain(stored).min())
    }

    /// Takes over what is due, if there may be something new.
    async fn read(&mut self) {
        let now = self.outbox.clock.now();
        // Later than ever set: the clock was set back.
        if self.poll_at > now + POLL_MS {
            (self.poll_at, self.read_from) = (now, now);
            self.began = self.began.map(|began| began.min(now));
        }
        if now < self.next_read() {
            return;
        }
        if let Err(error) = self.try_read(now).await {
            self.trouble(&error);
        }
    }

    async fn try_read(&mut self, now: Millis) -> Result<()> {
        if self.began.is_none() {
            self.restore(now).await?;
            self.began = Some(now);
        }
        self.hear(now).await?;
        self.let_go(now).await?;
        let store = self.outbox.store.clone();
        let limit = self.queue.known() + PAGE;
        let items = store.due_outbox(now, limit).await?;
        self.stale = items.len() >= limit || self.letting_go.is_some();
        let items = self.decide(items, now);
        self.queue.add(items);
        let put_off = self.queue.put_off(now);
        self.records.extend(put_off);
        self.read_from = now + (self.queue.known() / KNOWN_PER_MS) as Millis;
        self.poll_at = match self.queue.waits() {
            true => now + BUSY_POLL_MS,
            false => match store.next_outbox().await? {
                Some(due) if due > now => due.min(now + POLL_MS),
                Some(_) => now + BUSY_POLL_MS,
                None => now + POLL_MS,
            },
        };
        Ok(())
    }

    /// Sends what may leave now.
    async fn send(&mut self) {
        let now = self.outbox.clock.now();
        if now < self.rest_until {
            return;
        }
        self.queue.release(now);
        let mut routes = HashMap::new();
        let mut chosen = Vec::new();
        for channel in self.queue.channels() {
            match (self.outbox.routes)(&channel) {
                Some(route) => {
                    self.choose(&channel, &route, now, &mut chosen);
                    routes.insert(channel, route);
                }
                None => self.miss(&channel, now),
            }
        }
        if chosen.is_empty() {
            return;
        }
        if let Err(error) = self.try_send(&mut chosen, &routes).await {
            self.queue.put_back(chosen);
            self.trouble(&error);
        }
    }

    /// Takes from a channel's line what the limits let through.
    fn choose(
        &mut self,
        channel: &ChannelId,
        route: &Route,
        now: Millis,
        chosen: &mut Vec<OutboxItem>,
    ) {
        let line = self.queue.line(channel);
        line.throughput.set_rate(line.slowdown.rate(route.messages_per_second, now));
        for (at, count) in self.outbox.traffic.take(channel) {
            line.throughput.note(at, count);
        }
        let found = line.pause.take_if(|pause| pause.missing);
        let mut room = line.room(now);
        while room > 0 {
            let line = self.queue.line(channel);
            let Some(item) = line.pop() else {
                break;
            };
            // The contact does not see a read mark as a message.
            let next = match is_read_mark(&item) {
                true => now,
                false => line.pairs.next(item.contact, now),
            };
            let next = next.max(self.unheard_until(&item, route));
            let tally = self.tallies.of(&item, now);
            if let Some(reason) = hopeless(&item, tally, now) {
                self.outbox.metrics.rejected.inc();
                self.record(item.id, Delivery::Rejected { reason, code: None }, now);
            } else if next > now {
                self.queue.hold(next, item);
            } else {
                room -= 1;
                chosen.push(item);
            }
        }
        if found.is_some() {
            self.resume(channel);
        }
    }

    fn launch(&mut self, item: OutboxItem, route: &Route, now: Millis) {
        let line = self.queue.line(&item.channel);
        line.throughput.take(now);
        if !is_read_mark(&item) {
            line.pairs.take(item.contact, now);
        }
        line.in_flight += 1;
        if let Some(pause) = &mut line.pause {
            pause.probe_at = now + PROBE_MS;
        }
        self.outbox.metrics.in_flight.inc();
        let (outbox, provider) = (self.outbox.clone(), route.provider.clone());
        let task = self.posts.spawn(then_post(outbox, provider, item.clone()));
        let (provider, grace_ms) = (route.provider.clone(), route.grace_ms);
        let flight = Flight { item, provider, grace_ms, began: now };
        self.flights.insert(task.id(), flight);
    }

    /// Takes the end of one request.
    fn end(&mut self, ended: Ended) {
        let (id, reply) = match ended {
            Ok((id, (reply, took))) => {
                self.outbox.metrics.latency.observe(took.as_secs_f64());
                (id, reply)
            }
            Err(error) => (error.id(), Reply::Lost("the request was broken off".into())),
        };
        let Some(flight) = self.flights.remove(&id) else {
            return;
        };
        let Flight { item, provider, grace_ms, began } = flight;
        let now = self.outbox.clock.now();
        let moment = Moment { now, grace_ms, jitter: self.outbox.clock.jitter() };
        let tally = self.tallies.of(&item, now);
        let outcome = outcome(&item, reply, &*provider, tally, moment);
        self.queue.line(&item.channel).in_flight -= 1;
        self.outbox.metrics.in_flight.dec();
        self.take(&item, outcome, began, now);
    }

    /// Takes what the provider said of a message that left at `began`.
    fn take(&mut self, item: &OutboxItem, outcome: Outcome, began: Millis, now: Millis) {
        self.count(&outcome.delivery);
        match outcome.template {
            TemplateFate::NotKnown => {}
            TemplateFate::Lives => self.outbox.resting.lives(item),
            TemplateFate::Rests => self.outbox.resting.rest(item, now),
        }
        self.heed(&item.channel, outcome.channel, began, now);
        if let Some(code) = outcome.opted_out {
            self.opt_outs.push(opt_out(item, code, now));
        }
        self.record(item.id.clone(), outcome.delivery, now);
    }

    /// Takes what an attempt's end says of its channel.
    fn heed(&mut self, channel: &ChannelId, state: ChannelState, began: Millis, now: Millis) {
        let full = (self.outbox.routes)(channel).map_or(1, |route| route.messages_per_second);
        let portfolio = (self.outbox.families)(channel).portfolio;
        let works = match state {
            ChannelState::NotKnown => false,
            ChannelState::Works => true,
            ChannelState::Throttled => {
                self.queue.line(channel).slowdown.complain(full, began, now);
                true
            }
            ChannelState::TierUsed => {
                self.queue.tier(&portfolio).use_up(now);
                true
            }
            ChannelState::Stopped { stop, code, reason } => {
                self.pause(channel, stop, (code, reason), began, now);
                return;
            }
        };
        // An answer to what began before the pause says nothing of it.
        let line = self.queue.line(channel);
        if works && let Some(pause) = line.pause.take_if(|pause| began > pause.since) {
            self.resume(channel);
            if pause.told {
                self.disprove(channel);
            }
        }
    }

    fn record(&mut self, id: SendId, delivery: Delivery, at: Millis) {
        self.records.push(DeliveryRecord { id, delivery, at });
    }

    fn count(&self, delivery: &Delivery) {
        let metrics = &self.outbox.metrics;
        let counter = match delivery {
            Delivery::Sent { .. } => &metrics.sent,
            Delivery::RetryAfter { .. } | Delivery::Held { .. } => &metrics.retried,
            Delivery::Rejected { .. } => &metrics.rejected,
            Delivery::Refused { .. } => &metrics.refused,
            Delivery::Unknown { .. } => &metrics.unknown,
        };
        counter.inc();
    }

    fn trouble(&mut self, error: &StoreError) {
        self.outbox.say_failure(error);
        self.stale = true;
        self.rest_until = self.outbox.clock.now() + TROUBLE_MS;
    }

    fn next_read(&self) -> Millis {
        let next = match (self.stale, self.queue.known() < KNOWN_FEW) {
            (true, true) => 0,
            (true, false) => self.read_from.min(self.poll_at),
            (false, _) => self.poll_at,
        };
        next.max(self.rest_until)
    }

    fn next_due(&mut self, written: bool) -> Millis {
        let now = self.outbox.clock.now();
        if !written || now < self.rest_until {
            // No later than ever set, where the clock was set back.
            self.rest_until = self.rest_until.min(now + TROUBLE_MS);
            return self.rest_until;
        }
        let read = self.next_read();
        self.queue.next(now).map_or(read, |next| next.min(read))
    }
}

/// What is known of a message when its attempt begins.
#[derive(Clone, Debug, Default)]
struct Terms {
    opens: bool,
    charge: Option<Charge>,
    category: Option<Category>,
}
