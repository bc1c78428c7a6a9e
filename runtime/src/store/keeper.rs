//! The store over an engine: each promise of the trait, as a reading or as an
//! operation of the writer.

use super::{
    Aside, Audience, Depths, KvUsage, Parked, Result, Store, accept, broadcasts, commit, contacts,
    counts, engine::Engine, identity, key::Kind, kv, lanes, media, members, outbox, pace, spent,
    stoppages, tags, templates, timers, unanswered, upkeep, uploads, writer::Writer,
};
use crate::model::*;
use async_trait::async_trait;
use std::sync::Arc;

pub struct Keeper {
    writer: Writer,
}

impl Keeper {
    pub fn start(engine: Arc<dyn Engine>) -> Self {
        Self { writer: Writer::start(engine) }
    }
}

#[async_trait]
impl Store for Keeper {
    async fn accept(&self, batch: Vec<Happening>, now: Millis) -> Result<Vec<Accepted>> {
        self.writer.room()?;
        self.writer.write(move |view| accept::accept(view, batch, now)).await
    }

    async fn set_aside(&self, aside: Aside) -> Result<()> {
        self.writer.room()?;
        self.writer.write(move |view| upkeep::set_aside(view, aside)).await
    }

    async fn ready_lanes(&self, after: Option<&Lane>, limit: usize) -> Result<Vec<Lane>> {
        self.writer.read(|view| lanes::ready(view, after, limit))
    }

    async fn next_in_lane(&self, lane: &Lane) -> Result<Option<Snapshot>> {
        self.writer.read(|view| lanes::next(view, lane))
    }

    async fn count_attempt(&self, turn: &TurnId) -> Result<u32> {
        let turn = turn.clone();
        self.writer.write(move |view| lanes::count_attempt(view, &turn)).await
    }

    async fn commit(&self, commit: TurnCommit, now: Millis) -> Result<bool> {
        self.writer.write(move |view| commit::commit(view, commit, now)).await
    }

    async fn kv_get(
        &self,
        step: &str,
        scope: KvScope,
        lane: &Lane,
        key: &str,
        now: Millis,
    ) -> Result<Option<Vec<u8>>> {
        self.writer.read(|view| kv::get(view, step, scope, lane, key, now))
    }

    async fn kv_keys(
        &self,
        step: &str,
        scope: KvScope,
        lane: &Lane,
        prefix: &str,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<String>> {
        self.writer.read(|view| kv::keys(view, step, scope, lane, prefix, limit, now))
    }

    async fn kv_usage(&self, step: &str) -> Result<KvUsage> {
        if let Some(usage) = self.writer.read(|view| kv::usage(view, step))? {
            return Ok(usage);
        }
        self.writer.write(kv::count_all).await?;
        Ok(self.writer.read(|view| kv::usage(view, step))?.unwrap_or_default())
    }

    async fn count_timers(&self, lane: &Lane, step: &str, limit: usize) -> Result<usize> {
        self.writer.read(|view| timers::count(view, lane, step, limit))
    }

    async fn timers_of(&self, lane: &Lane, step: &str, limit: usize) -> Result<Vec<Timer>> {
        self.writer.read(|view| timers::of_step(view, lane, step, limit))
    }

    async fn due_timers(&self, now: Millis, limit: usize) -> Result<Vec<Timer>> {
        self.writer.read(|view| timers::due(view, now, limit))
    }

    async fn next_timer(&self) -> Result<Option<Millis>> {
        self.writer.read(timers::next)
    }

    async fn fire(&self, timers: Vec<Timer>, now: Millis) -> Result<()> {
        self.writer.write(move |view| timers::fire(view, timers, now)).await
    }

    async fn open_broadcasts(&self) -> Result<Vec<Broadcast>> {
        self.writer.read(broadcasts::open)
    }

    async fn audience(
        &self,
        segment: &Segment,
        after: Option<ContactId>,
        limit: usize,
        now: Millis,
    ) -> Result<Audience> {
        self.writer.read(|view| contacts::audience(view, segment, after, limit, now))
    }

    async fn fan_out(&self, broadcast: &Broadcast, page: Audience, now: Millis) -> Result<()> {
        let broadcast = broadcast.clone();
        self.writer.write(move |view| broadcasts::fan_out(view, &broadcast, page, now)).await
    }

    async fn campaigns(&self, limit: usize) -> Result<Vec<Broadcast>> {
        self.writer.read(|view| broadcasts::newest(view, limit))
    }

    async fn campaign(&self, key: &CampaignKey) -> Result<Option<Campaign>> {
        self.writer.read(|view| broadcasts::campaign(view, key))
    }

    async fn members(
        &self,
        key: &CampaignKey,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<Members> {
        self.writer.read(|view| members::page(view, key, after, limit))
    }

    async fn revive(&self, failed: Vec<(SendId, Millis)>, now: Millis) -> Result<Vec<SendId>> {
        self.writer.write(move |view| outbox::revive(view, failed, now)).await
    }

    async fn steer(&self, key: &CampaignKey, going: Going) -> Result<Option<Going>> {
        let key = key.clone();
        self.writer.write(move |view| broadcasts::steer(view, &key, going)).await
    }

    async fn templates(&self, account: &str) -> Result<TemplateCopy> {
        self.writer.read(|view| templates::copy(view, account))
    }

    async fn replace_templates(
        &self,
        account: &str,
        forms: Vec<TemplateForm>,
        began: Millis,
    ) -> Result<()> {
        let account = account.to_owned();
        self.writer.write(move |view| templates::replace(view, &account, forms, began)).await
    }

    async fn due_outbox(&self, now: Millis, limit: usize) -> Result<Vec<OutboxItem>> {
        self.writer.read(|view| outbox::due(view, now, limit))
    }

    async fn later_outbox(&self, after: Millis, limit: usize) -> Result<Vec<OutboxItem>> {
        self.writer.read(|view| outbox::later(view, after, limit))
    }

    async fn next_outbox(&self) -> Result<Option<Millis>> {
        self.writer.read(outbox::next)
    }

    async fn begin_attempts(&self, attempts: Vec<Attempt>) -> Result<Vec<OutboxItem>> {
        self.writer.write(move |view| outbox::begin(view, attempts)).await
    }

    async fn record_deliveries(&self, records: Vec<DeliveryRecord>) -> Result<()> {
        self.writer.write(move |view| outbox::record(view, records)).await
    }

    async fn attempts_since(&self, from: Millis, limit: usize) -> Result<Vec<Tried>> {
        self.writer.read(|view| pace::since(view, Kind::Attempt, from, limit))
    }

    async fn upload(
        &self,
        channel: &ChannelId,
        sha256: &str,
        now: Millis,
    ) -> Result<Option<Uploaded>> {
        self.writer.read(|view| uploads::get(view, channel, sha256, now))
    }

    async fn keep_upload(
        &self,
        channel: &ChannelId,
        sha256: &str,
        uploaded: Uploaded,
    ) -> Result<()> {
        let (channel, sha256) = (channel.clone(), sha256.to_owned());
        self.writer.write(move |view| uploads::keep(view, &channel, &sha256, &uploaded)).await
    }

    async fn forget_upload(&self, channel: &ChannelId, sha256: &str, id: &str) -> Result<()> {
        let (channel, sha256, id) = (channel.clone(), sha256.to_owned(), id.to_owned());
        self.writer.write(move |view| uploads::forget(view, &channel, &sha256, &id)).await
    }

    async fn media(&self, channel: &ChannelId, id: &str) -> Result<Option<MediaFile>> {
        self.writer.read(|view| media::current(view, channel, id))
    }

    async fn media_of(&self, lane: &Lane, limit: usize) -> Result<Vec<MediaFile>> {
        self.writer.read(|view| media::of_lane(view, lane, limit))
    }

    async fn due_media(&self, now: Millis, limit: usize) -> Result<Vec<MediaFile>> {
        self.writer.read(|view| media::due(view, now, limit))
    }

    async fn next_media(&self) -> Result<Option<Millis>> {
        self.writer.read(media::next)
    }

    async fn record_media(&self, file: &MediaFile, state: MediaState) -> Result<bool> {
        let file = file.clone();
        self.writer.write(move |view| media::record(view, &file, state)).await
    }

    async fn media_needs(&self, sha256: &str) -> Result<bool> {
        self.writer.read(|view| media::needs(view, sha256))
    }

    async fn sweep_media(&self, now: Millis, keep_ms: Millis) -> Result<Vec<MediaFile>> {
        self.writer.write(move |view| media::sweep(view, now, keep_ms)).await
    }

    async fn openings_since(&self, from: Millis, limit: usize) -> Result<Vec<Tried>> {
        self.writer.read(|view| pace::since(view, Kind::Opening, from, limit))
    }

    async fn daily_contacts(&self, channel: &ChannelId) -> Result<Option<i64>> {
        self.writer.read(|view| pace::limit(view, channel))
    }

    async fn stoppages(&self) -> Result<Vec<Stoppage>> {
        self.writer.read(stoppages::list)
    }

    async fn end_stoppage(&self, over: &Stoppage) -> Result<()> {
        let over = over.clone();
        self.writer.write(move |view| stoppages::end(view, &over)).await
    }

    async fn spending(&self, from: u32, to: u32) -> Result<Vec<Spending>> {
        self.writer.read(|view| spent::list(view, from, to))
    }

    async fn contact(&self, id: ContactId) -> Result<Option<Contact>> {
        self.writer.read(|view| contacts::of(view, id))
    }

    async fn find_contact(
        &self,
        portfolio: &Portfolio,
        identity: &Identity,
    ) -> Result<Option<ContactId>> {
        self.writer.read(|view| identity::find(view, portfolio, identity))
    }

    async fn contacts(&self, after: Option<ContactId>, limit: usize) -> Result<Vec<Contact>> {
        self.writer.read(|view| contacts::list(view, after, limit))
    }

    async fn traces(&self, lane: &Lane, before: Option<u64>, limit: usize) -> Result<Vec<Trace>> {
        self.writer.read(|view| commit::traces(view, lane, before, limit))
    }

    async fn tag_history(&self, contact: ContactId) -> Result<Vec<TagChange>> {
        self.writer.read(|view| tags::history(view, contact))
    }

    async fn outbox_of(&self, contact: ContactId, limit: usize) -> Result<Vec<OutboxItem>> {
        self.writer.read(|view| outbox::items_of(view, contact, limit))
    }

    async fn outbox_item(&self, id: &SendId) -> Result<Option<OutboxItem>> {
        self.writer.read(|view| outbox::item(view, id))
    }

    async fn parked(&self, limit: usize) -> Result<Vec<Parked>> {
        self.writer.read(|view| commit::parked(view, limit))
    }

    async fn asides(&self, limit: usize) -> Result<Vec<Aside>> {
        self.writer.read(|view| upkeep::asides(view, limit))
    }

    async fn unanswered(&self, limit: usize) -> Result<Vec<Unanswered>> {
        self.writer.read(|view| unanswered::list(view, limit))
    }

    async fn depths(&self) -> Result<Depths> {
        self.writer.read(counts::depths)
    }

    async fn sweep(&self, now: Millis, keep_ms: Millis) -> Result<usize> {
        self.writer.write(move |view| upkeep::sweep(view, now, keep_ms)).await
    }

    async fn begin_run(&self) -> Result<bool> {
        self.writer.write(counts::begin_run).await
    }

    async fn end_run(&self) -> Result<()> {
        self.writer.write(counts::end_run).await
    }

    fn health(&self) -> Result<()> {
        self.writer.health()
    }
}
