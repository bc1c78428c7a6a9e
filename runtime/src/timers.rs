//! Due timers and open broadcasts become events in their lanes. Holds no
//! state: what is due stands in the store.

use crate::{
    clock::Clock,
    model::{Broadcast, Millis, Terms},
    store::{Store, StoreError},
    wake::{self, Bell, Shutdown},
};
use std::sync::Arc;

/// Timers fired in one write.
const TIMERS_AT_ONCE: usize = 500;
/// Members of a broadcast that get their event in one write.
const MEMBERS_AT_ONCE: usize = 500;
/// Waiting lanes above which a broadcast pauses, so that a customer who writes
/// does not queue behind all of its members,
const LANES_MAX: u64 = 2_000;
/// and for how long.
const CROWDED_MS: Millis = 100;
/// The longest sleep: a look even if nobody rang.
const PERIOD_MS: Millis = 5_000;
/// The pause after a failed look.
const PAUSE_MS: Millis = 1_000;

pub struct Timers {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// Rung when a timer is set or a broadcast begun.
    pub bell: Bell,
    /// Rings the dispatcher.
    pub dispatch: Bell,
}

impl Timers {
    pub async fn run(self, mut shutdown: Shutdown) {
        loop {
            let next = match self.round().await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!("timers could not be read: {error}");
                    self.clock.now() + PAUSE_MS
                }
            };
            if !wake::wait(&self.bell, &*self.clock, next, &mut shutdown).await {
                return;
            }
        }
    }

    /// Fires what is due, moves each broadcast on by a page, and returns when
    /// to look again: at once if there is more.
    pub async fn round(&self) -> Result<Millis, StoreError> {
        let fired = self.fire().await?;
        let broadcast = self.fan_out().await?;
        let now = self.clock.now();
        if fired {
            return Ok(now);
        }
        let timer = self.store.next_timer().await?;
        Ok([timer, broadcast].into_iter().flatten().fold(now + PERIOD_MS, Millis::min))
    }

    /// True if there may be more.
    async fn fire(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let due = self.store.due_timers(now, TIMERS_AT_ONCE).await?;
        if due.is_empty() {
            return Ok(false);
        }
        self.store.fire(due, now).await?;
        self.dispatch.ring();
        Ok(true)
    }

    /// One page of each open broadcast. Returns when to go on, if one of them
    /// has more.
    async fn fan_out(&self) -> Result<Option<Millis>, StoreError> {
        let mut next = None;
        for broadcast in self.store.open_broadcasts().await? {
            let now = self.clock.now();
            if let Some(until) = paced(&broadcast, now) {
                next = earliest(next, until);
                continue;
            }
            if self.store.depths().await?.lanes >= LANES_MAX {
                return Ok(Some(self.clock.now() + CROWDED_MS));
            }
            if self.page(&broadcast).await? {
                next = earliest(next, now);
            }
        }
        Ok(next)
    }

    async fn page(&self, broadcast: &Broadcast) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let segment = &broadcast.to;
        let limit = at_once(&broadcast.terms);
        let page = self.store.audience(segment, broadcast.cursor, limit, now).await?;
        let more = page.next.is_some();
        self.store.fan_out(broadcast, page, now).await?;
        self.dispatch.ring();
        Ok(more)
    }
}

/// Until when a broadcast waits by its own terms; none if it may go on. A clock
/// that was set back does not hold it longer than its pause.
fn paced(broadcast: &Broadcast, now: Millis) -> Option<Millis> {
    let pause = broadcast.terms.pause_ms(at_once(&broadcast.terms) as u64);
    let until = broadcast.next_at.min(now.saturating_add(pause));
    (until > now).then_some(until)
}

/// Members reached in one write: by the terms, as many as a minute may have.
fn at_once(terms: &Terms) -> usize {
    terms.per_hour.map_or(MEMBERS_AT_ONCE, |rate| (rate as usize / 60).clamp(1, MEMBERS_AT_ONCE))
}

fn earliest(next: Option<Millis>, at: Millis) -> Option<Millis> {
    next.into_iter().chain([at]).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::SimulatedClock, model::*};

    fn happening(channel: &str, kind: EventKind, sender: Option<Sender>) -> Happening {
        let (channel, raw) = (ChannelId::new(channel), String::new());
        Happening { channel, dedup: "1".into(), sender, kind, raw }
    }

    fn notice() -> EventKind {
        EventKind::Account { field: "test".into(), news: Default::default() }
    }

    /// A contact, and a broadcast to all of them, which has just begun.
    async fn begin_broadcast(store: &dyn Store) -> Lane {
        let sender = Sender { phone: Some("15550001".into()), ..Sender::default() };
        let message = EventKind::Message(Message {
            id: "wamid.1".into(),
            sent_at: 1,
            content: Content::Text("hi".into()),
            replies_to: None,
            referral: None,
            forwarded: false,
            product: None,
        });
        let came = vec![happening("main", message, Some(sender))];
        let accepted = store.accept(came, 1).await.unwrap();
        let [Accepted::New(turn)] = accepted.as_slice() else { panic!("{accepted:?}") };
        let mut commit = TurnCommit::new(turn.clone());
        commit.contact = Some(Contact::new(turn.lane.contact().unwrap()));
        let (channel, step) = (ChannelId::new("main"), "promo".into());
        let key = CampaignKey { channel, step, id: "spring".into() };
        commit.broadcasts.push(Broadcast::new(key, Segment::default(), String::new(), 1));
        assert!(store.commit(commit, 1).await.unwrap());
        turn.lane.clone()
    }

    #[test]
    fn a_broadcast_keeps_the_pace_of_its_terms() {
        let key = CampaignKey { channel: ChannelId::new("main"), step: "p".into(), id: "s".into() };
        let begun = Broadcast::new(key, Segment::default(), String::new(), 1);
        assert_eq!((at_once(&begun.terms), paced(&begun, 0)), (MEMBERS_AT_ONCE, None));
        for (rate, at_once_is, pause) in
            [(1, 1, 3_600_000), (500, 8, 57_600), (90_000, 500, 20_000)]
        {
            let terms = Terms { per_hour: Some(rate), ..Terms::default() };
            assert_eq!(at_once(&terms), at_once_is);
            assert_eq!(terms.pause_ms(at_once_is as u64), pause, "{rate}");
            let next_at = 10_000_000;
            let broadcast = Broadcast { terms, next_at, ..begun.clone() };
            assert_eq!(paced(&broadcast, next_at), None);
            assert_eq!(paced(&broadcast, next_at - 1), Some(next_at));
            // The clock was set back.
            assert_eq!(paced(&broadcast, 5), Some(5 + pause));
        }
    }

    #[tokio::test]
    async fn a_broadcast_waits_while_many_lanes_do() {
        let store = crate::store::memory();
        let member = begin_broadcast(&*store).await;
        let many = (0..LANES_MAX).map(|one| happening(&format!("c{one}"), notice(), None));
        let accepted = store.accept(many.collect(), 1).await.unwrap();
        let clock = Arc::new(SimulatedClock::new(1_000, 1));
        let (bell, dispatch) = (Bell::default(), Bell::default());
        let timers = Timers { store: Arc::clone(&store), clock, bell, dispatch };
        assert_eq!(timers.round().await.unwrap(), 1_000 + CROWDED_MS);
        assert!(store.next_in_lane(&member).await.unwrap().is_none());
        let Some(Accepted::New(first)) = accepted.first() else { panic!() };
        store.commit(TurnCommit::new(first.clone()), 1).await.unwrap();
        timers.round().await.unwrap();
        let event = store.next_in_lane(&member).await.unwrap().unwrap().event;
        assert!(matches!(event.kind, EventKind::Broadcast { .. }));
        assert_eq!(timers.round().await.unwrap(), 1_000 + PERIOD_MS, "done");
    }
}
