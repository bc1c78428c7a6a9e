//! A store that keeps just what the two ends of the wire use: what came in, what is to go out.
#![allow(dead_code)] // each test uses its part

use async_trait::async_trait;
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Mutex, MutexGuard},
};
use switchboard::{model::*, store::*};

#[derive(Default)]
pub struct Kept {
    pub accepted: Vec<Happening>,
    pub asides: Vec<Aside>,
    pub items: BTreeMap<SendId, OutboxItem>,
    pub contacts: BTreeMap<ContactId, Contact>,
    /// Every record written, in order.
    pub records: Vec<DeliveryRecord>,
    /// What every write answers, if set.
    pub failure: Option<StoreError>,
    /// There is no room for new events.
    pub full: bool,
    /// Happenings with a larger `raw` are too large.
    pub raw_limit: Option<usize>,
    pub batches: usize,
    /// Every attempt begun, and whether it wrote to the contact first.
    pub tried: Vec<(Tried, bool)>,
    pub daily_contacts: BTreeMap<ChannelId, i64>,
    /// The ids of uploads and until when they are good, by digest.
    pub uploads: BTreeMap<String, Uploaded>,
    pub spending: Vec<Spending>,
    /// What each item's last attempt costs.
    pub charges: BTreeMap<SendId, Option<Charge>>,
    pub stoppages: Vec<Stoppage>,
    /// By id.
    pub campaigns: BTreeMap<String, Broadcast>,
    /// Those in whose lanes an event waits.
    pub behind: HashSet<ContactId>,
}

fn newest(
    tried: &[(Tried, bool)],
    from: Millis,
    limit: usize,
    wanted: impl Fn(bool) -> bool,
) -> Vec<Tried> {
    let of = tried.iter().rev().filter(|(tried, opens)| tried.at >= from && wanted(*opens));
    of.take(limit).map(|(tried, _)| tried.clone()).collect()
}

#[derive(Default)]
pub struct FakeStore(Mutex<Kept>);

impl FakeStore {
    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }
    pub fn put(&self, item: OutboxItem) {
        self.kept().items.insert(item.id.clone(), item);
    }
    pub fn item(&self, id: &SendId) -> OutboxItem {
        self.kept().items[id].clone()
    }
    /// A free contact whose window is open at `now`.
    pub fn know(&self, id: ContactId, channel: &ChannelId, now: Millis) {
        let mut contact = Contact::new(id);
        contact.phone = Some(format!("1555000{}", id.0));
        contact.saw_message(channel, now);
        self.kept().contacts.insert(id, contact);
    }
}

impl Kept {
    fn check(&self) -> Result<()> {
        self.failure.clone().map_or(Ok(()), Err)
    }
    fn heads(&self) -> Vec<OutboxItem> {
        let mut seen = HashSet::new();
        let queued = self.items.values().filter(|item| item.due().is_some());
        let is_head = |item: &&OutboxItem| item.apart || seen.insert(item.contact);
        let mut heads: Vec<_> = queued.filter(is_head).cloned().collect();
        heads.sort_by_key(|item| (item.due(), item.id.clone()));
        heads
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn accept(&self, batch: Vec<Happening>, _: Millis) -> Result<Vec<Accepted>> {
        let mut kept = self.kept();
        kept.check()?;
        if kept.full {
            return Err(StoreError::Full { path: "data".into(), free_mb: 1, needed_mb: 2 });
        }
        kept.batches += 1;
        let large = |one: &Happening| kept.raw_limit.is_some_and(|limit| one.raw.len() > limit);
        if let Some(one) = batch.iter().find(|one| large(one)) {
            let (what, bytes) = ("the update".into(), one.raw.len());
            return Err(StoreError::TooLarge { what, bytes, limit: kept.raw_limit.unwrap() });
        }
        let mut accepted = Vec::new();
        for one in batch {
            let same = |old: &Happening| old.channel == one.channel && old.dedup == one.dedup;
            if kept.accepted.iter().any(same) {
                accepted.push(Accepted::Duplicate);
                continue;
            }
            kept.accepted.push(one);
            let seq = kept.accepted.len() as u64;
            accepted.push(Accepted::New(EventId { lane: Lane::Contact(ContactId(1)), seq }));
        }
        Ok(accepted)
    }
    async fn set_aside(&self, aside: Aside) -> Result<()> {
        let mut kept = self.kept();
        kept.check()?;
        kept.asides.push(aside);
        Ok(())
    }
    async fn due_outbox(&self, now: Millis, limit: usize) -> Result<Vec<OutboxItem>> {
        let kept = self.kept();
        kept.check()?;
        let due = kept.heads().into_iter().filter(|item| item.due().is_some_and(|due| due <= now));
        Ok(due.take(limit).collect())
    }
    async fn later_outbox(&self, after: Millis, limit: usize) -> Result<Vec<OutboxItem>> {
        let heads = self.kept().heads().into_iter();
        Ok(heads.filter(|item| item.due() > Some(after)).take(limit).collect())
    }
    async fn next_outbox(&self) -> Result<Option<Millis>> {
        Ok(self.kept().heads().iter().filter_map(OutboxItem::due).min())
    }
    async fn begin_attempts(&self, attempts: Vec<Attempt>) -> Result<Vec<OutboxItem>> {
        let mut kept = self.kept();
        kept.check()?;
        let mut begun = Vec::new();
        for attempt in &attempts {
            let item = kept.items.get_mut(&attempt.id);
            if let Some(item) = item.filter(|item| item.may_begin(attempt.since)) {
                item.begin(attempt);
                let item = item.clone();
                kept.charges.insert(item.id.clone(), attempt.charge.clone());
                let tried = Tried {
                    at: attempt.since,
                    channel: item.channel.clone(),
                    contact: item.contact,
                    seen: !matches!(item.message, Outgoing::Read { .. }),
                };
                kept.tried.push((tried, attempt.opens));
                begun.push(item);
            }
        }
        Ok(begun)
    }
    async fn upload(&self, _: &ChannelId, sha256: &str, now: Millis) -> Result<Option<Uploaded>> {
        let kept = self.kept();
        kept.check()?;
        Ok(kept.uploads.get(sha256).filter(|it| it.until > now).cloned())
    }
    async fn keep_upload(&self, _: &ChannelId, sha256: &str, uploaded: Uploaded) -> Result<()> {
        let mut kept = self.kept();
        kept.check()?;
        kept.uploads.insert(sha256.to_owned(), uploaded);
        Ok(())
    }
    async fn forget_upload(&self, _: &ChannelId, sha256: &str, id: &str) -> Result<()> {
        let mut kept = self.kept();
        kept.check()?;
        if kept.uploads.get(sha256).is_some_and(|it| it.id == id) {
            kept.uploads.remove(sha256);
        }
        Ok(())
    }
    async fn record_deliveries(&self, records: Vec<DeliveryRecord>) -> Result<()> {
        let mut kept = self.kept();
        kept.check()?;
        for record in &records {
            if let Some(item) = kept.items.get_mut(&record.id) {
                item.record(record);
            }
        }
        kept.records.extend(records);
        Ok(())
    }
    async fn attempts_since(&self, from: Millis, limit: usize) -> Result<Vec<Tried>> {
        Ok(newest(&self.kept().tried, from, limit, |_| true))
    }
    async fn openings_since(&self, from: Millis, limit: usize) -> Result<Vec<Tried>> {
        Ok(newest(&self.kept().tried, from, limit, |opens| opens))
    }
    async fn daily_contacts(&self, channel: &ChannelId) -> Result<Option<i64>> {
        Ok(self.kept().daily_contacts.get(channel).copied())
    }
    async fn stoppages(&self) -> Result<Vec<Stoppage>> {
        Ok(self.kept().stoppages.clone())
    }
    async fn end_stoppage(&self, over: &Stoppage) -> Result<()> {
        let mut kept = self.kept();
        kept.check()?;
        kept.stoppages.retain(|one| one != over);
        Ok(())
    }
    async fn spending(&self, _: u32, _: u32) -> Result<Vec<Spending>> {
        let kept = self.kept();
        let owed = |id: &SendId| {
            matches!(kept.items[id].state, SendState::Sent | SendState::Attempting { .. })
        };
        let owed = kept.charges.iter().filter(|(id, _)| owed(id));
        let owed =
            owed.filter_map(|(id, charge)| Some((&kept.items[id].channel, charge.as_ref()?)));
        let charged = owed.map(|(channel, charge)| Spending {
            channel: channel.clone(),
            day: charge.day,
            class: charge.class,
            currency: charge.currency.clone(),
            micros: charge.micros,
            messages: 1,
        });
        Ok(kept.spending.iter().cloned().chain(charged).collect())
    }
    async fn outbox_of(&self, contact: ContactId, limit: usize) -> Result<Vec<OutboxItem>> {
        let kept = self.kept();
        let items = kept.items.values().filter(|item| item.contact == contact).rev();
        Ok(items.take(limit).cloned().collect())
    }
    async fn contact(&self, id: ContactId) -> Result<Option<Contact>> {
        Ok(self.kept().contacts.get(&id).cloned())
    }
    async fn outbox_item(&self, id: &SendId) -> Result<Option<OutboxItem>> {
        Ok(self.kept().items.get(id).cloned())
    }
    /// None is paused or stopped.
    async fn campaign(&self, key: &CampaignKey) -> Result<Option<Campaign>> {
        let broadcast = self.kept().campaigns.get(&key.id).cloned();
        Ok(broadcast.map(|broadcast| Campaign { broadcast, past: BTreeMap::new() }))
    }
    fn health(&self) -> Result<()> {
        self.kept().check()
    }

    // Not of the wire.

    async fn media(&self, _: &ChannelId, _: &str) -> Result<Option<MediaFile>> {
        unreachable!()
    }
    async fn media_of(&self, _: &Lane, _: usize) -> Result<Vec<MediaFile>> {
        unreachable!()
    }
    async fn due_media(&self, _: Millis, _: usize) -> Result<Vec<MediaFile>> {
        unreachable!()
    }
    async fn next_media(&self) -> Result<Option<Millis>> {
        unreachable!()
    }
    async fn record_media(&self, _: &MediaFile, _: MediaState) -> Result<bool> {
        unreachable!()
    }
    async fn media_needs(&self, _: &str) -> Result<bool> {
        unreachable!()
    }
    async fn sweep_media(&self, _: Millis, _: Millis) -> Result<Vec<MediaFile>> {
        unreachable!()
    }
    async fn ready_lanes(&self, _: Option<&Lane>, _: usize) -> Result<Vec<Lane>> {
        unreachable!()
    }
    async fn next_in_lane(&self, lane: &Lane) -> Result<Option<Snapshot>> {
        let kept = self.kept();
        let Some(contact) = lane.contact().filter(|id| kept.behind.contains(id)) else {
            return Ok(None);
        };
        let operator = Operator::Resume { by: "a person".into() };
        let event = Event {
            id: EventId { lane: lane.clone(), seq: 1 },
            channel: ChannelId::new("main"),
            sender: None,
            kind: EventKind::Operator(operator),
            raw: String::new(),
            accepted_at: 0,
            attempts: 0,
            member: None,
            tries: 0,
        };
        Ok(Some(Snapshot { event, contact: kept.contacts.get(&contact).cloned() }))
    }
    async fn count_attempt(&self, _: &TurnId) -> Result<u32> {
        unreachable!()
    }
    async fn commit(&self, _: TurnCommit, _: Millis) -> Result<bool> {
        unreachable!()
    }
    async fn kv_get(
        &self,
        _: &str,
        _: KvScope,
        _: &Lane,
        _: &str,
        _: Millis,
    ) -> Result<Option<Vec<u8>>> {
        unreachable!()
    }
    async fn kv_keys(
        &self,
        _: &str,
        _: KvScope,
        _: &Lane,
        _: &str,
        _: usize,
        _: Millis,
    ) -> Result<Vec<String>> {
        unreachable!()
    }
    async fn due_timers(&self, _: Millis, _: usize) -> Result<Vec<Timer>> {
        unreachable!()
    }
    async fn next_timer(&self) -> Result<Option<Millis>> {
        unreachable!()
    }
    async fn fire(&self, _: Vec<Timer>, _: Millis) -> Result<()> {
        unreachable!()
    }
    async fn open_broadcasts(&self) -> Result<Vec<Broadcast>> {
        unreachable!()
    }
    async fn audience(
        &self,
        _: &Segment,
        _: Option<ContactId>,
        _: usize,
        _: Millis,
    ) -> Result<Audience> {
        unreachable!()
    }
    async fn fan_out(&self, _: &Broadcast, _: Audience, _: Millis) -> Result<()> {
        unreachable!()
    }
    async fn campaigns(&self, _: usize) -> Result<Vec<Broadcast>> {
        unreachable!()
    }
    async fn members(&self, _: &CampaignKey, _: Option<ContactId>, _: usize) -> Result<Members> {
        unreachable!()
    }
    async fn steer(&self, _: &CampaignKey, _: Going) -> Result<Option<Going>> {
        unreachable!()
    }
    async fn templates(&self, _: &str) -> Result<TemplateCopy> {
        unreachable!()
    }
    async fn replace_templates(&self, _: &str, _: Vec<TemplateForm>, _: Millis) -> Result<()> {
        unreachable!()
    }
    async fn find_contact(&self, _: &Portfolio, _: &Identity) -> Result<Option<ContactId>> {
        unreachable!()
    }
    async fn contacts(&self, _: Option<ContactId>, _: usize) -> Result<Vec<Contact>> {
        unreachable!()
    }
    async fn traces(&self, _: &Lane, _: Option<u64>, _: usize) -> Result<Vec<Trace>> {
        unreachable!()
    }
    async fn tag_history(&self, _: ContactId) -> Result<Vec<TagChange>> {
        unreachable!()
    }
    async fn parked(&self, _: usize) -> Result<Vec<Parked>> {
        unreachable!()
    }
    async fn unanswered(&self, _: usize) -> Result<Vec<Unanswered>> {
        unreachable!()
    }
    async fn asides(&self, _: usize) -> Result<Vec<Aside>> {
        unreachable!()
    }
    async fn depths(&self) -> Result<Depths> {
        unreachable!()
    }
    async fn kv_usage(&self, _: &str) -> Result<KvUsage> {
        unreachable!()
    }
    async fn count_timers(&self, _: &Lane, _: &str, _: usize) -> Result<usize> {
        unreachable!()
    }
    async fn timers_of(&self, _: &Lane, _: &str, _: usize) -> Result<Vec<Timer>> {
        unreachable!()
    }
    async fn revive(&self, _: Vec<(SendId, Millis)>, _: Millis) -> Result<Vec<SendId>> {
        unreachable!()
    }
    async fn begin_run(&self) -> Result<bool> {
        unreachable!()
    }
    async fn end_run(&self) -> Result<()> {
        unreachable!()
    }
    async fn sweep(&self, _: Millis, _: Millis) -> Result<usize> {
        unreachable!()
    }
}
