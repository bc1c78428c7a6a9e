//! The imports of the contract. Reads and requests go to the turn's draft,
//! which checks them; without a turn there is nothing to read and nothing may
//! be asked for.

use super::{
    bindings::switchboard::plugin::{
        business, contact, effects, event, kv, log,
        types::{self, Instant, Outgoing, Scope, Segment},
    },
    convert,
    host::Host,
    zones,
};
use crate::{
    calendar::Calendar,
    model::{Contact, ContactId, EventKind, Lane, LogLevel, Message},
    store::StoreError,
    turn::Draft,
};

mod media;

type Asked<T = ()> = Result<T, String>;

const NO_TURN: &str = "nothing may be asked for before an event is handled";

impl Host {
    fn draft(&mut self) -> Asked<&mut Draft> {
        self.draft.as_mut().ok_or_else(|| NO_TURN.into())
    }
    /// Reads the store for a turn; without one there is nothing to read.
    async fn waited<T: Default>(
        &mut self,
        read: impl AsyncFnOnce(&mut Draft) -> Result<T, StoreError>,
    ) -> wasmtime::Result<T> {
        let Some(draft) = &mut self.draft else { return Ok(T::default()) };
        let wait = self.time.wait();
        let done = wait.end(&mut self.time, read(draft)).await?;
        done.map_err(|error| broken(draft, error))
    }
    /// As `waited`, for what is asked for.
    async fn stored(
        &mut self,
        ask: impl AsyncFnOnce(&mut Draft) -> Result<Asked, StoreError>,
    ) -> wasmtime::Result<Asked> {
        let Some(draft) = &mut self.draft else { return Ok(Err(NO_TURN.into())) };
        let wait = self.time.wait();
        let done = wait.end(&mut self.time, ask(draft)).await?;
        done.map_err(|error| broken(draft, error))
    }
    /// Asks the calendar, if there is one. The time it takes is the plugin's.
    fn calendar<T>(&mut self, ask: impl FnOnce(&Calendar) -> Option<T>) -> Option<T> {
        let calendar = self.draft.as_ref()?.setting.calendar.clone()?;
        self.time.spend(|| ask(&calendar))
    }
    fn contact(&self) -> Option<&Contact> {
        self.draft.as_ref()?.contact.as_ref()
    }
    fn message(&self) -> Option<&Message> {
        match &self.draft.as_ref()?.event().kind {
            EventKind::Message(message) => Some(message),
            EventKind::Receipt(_)
            | EventKind::TimerFired { .. }
            | EventKind::Broadcast { .. }
            | EventKind::Operator(_)
            | EventKind::Account { .. } => None,
        }
    }
}

/// Ends the call, and the turn with it: it runs again when the store answers.
fn broken(draft: &mut Draft, error: StoreError) -> wasmtime::Error {
    let words = error.to_string();
    draft.broken = Some(error);
    wasmtime::Error::msg(words)
}

impl types::Host for Host {}

impl contact::Host for Host {
    fn id(&mut self) -> String {
        self.contact().map(|contact| contact.id.to_string()).unwrap_or_default()
    }
    fn name(&mut self) -> Option<String> {
        self.contact()?.name.clone()
    }
    fn language(&mut self) -> Option<String> {
        contact::Host::attribute(self, "language".into())
    }
    fn language_among(&mut self, tags: Vec<String>) -> Option<String> {
        let draft = self.draft.as_mut()?;
        self.time.spend(|| draft.language_among(&tags))
    }
    fn zone(&mut self) -> Option<String> {
        contact::Host::attribute(self, "zone".into())
    }
    fn tags(&mut self) -> Vec<String> {
        let Some(draft) = &self.draft else { return Vec::new() };
        let Some(contact) = &draft.contact else { return Vec::new() };
        contact.tags_at(draft.now()).map(|tag| tag.name.clone()).collect()
    }
    fn has_tag(&mut self, name: String) -> bool {
        let Some(draft) = &self.draft else { return false };
        draft.contact.as_ref().is_some_and(|contact| contact.has_tag(&name, draft.now()))
    }
    fn attribute(&mut self, name: String) -> Option<String> {
        self.contact()?.attributes.get(&name).cloned()
    }
    fn marketing_consent(&mut self) -> String {
        self.contact().map_or("unknown", |contact| contact.consent.name()).into()
    }
    fn window_open_until(&mut self) -> Option<Instant> {
        self.draft.as_ref()?.window_open_until()
    }
    fn first_seen(&mut self) -> Option<Instant> {
        self.contact()?.first_seen
    }
    fn last_seen(&mut self) -> Option<Instant> {
        let contact = self.contact()?;
        // On a message, the one before it: it has been counted already.
        if self.message().is_some() { contact.previous_seen } else { contact.last_seen }
    }
    fn message_count(&mut self) -> u64 {
        self.contact().map_or(0, |contact| contact.message_count)
    }
    fn in_handoff(&mut self) -> bool {
        self.draft.as_ref().is_some_and(Draft::in_handoff)
    }
}

impl event::Host for Host {
    fn raw(&mut self) -> String {
        let raw = self.draft.as_ref().map(|draft| draft.event().raw.as_str());
        raw.filter(|raw| !raw.is_empty()).unwrap_or("{}").into()
    }
    fn replies_to(&mut self) -> Option<String> {
        self.message()?.replies_to.clone()
    }
    fn referral(&mut self) -> Option<String> {
        self.message()?.referral.clone()
    }
    fn forwarded(&mut self) -> bool {
        self.message().is_some_and(|message| message.forwarded)
    }
}

impl business::Host for Host {
    fn channel(&mut self) -> String {
        self.draft.as_ref().map(|draft| draft.event().channel.to_string()).unwrap_or_default()
    }
    fn lane(&mut self) -> String {
        match self.draft.as_ref().map(Draft::lane) {
            Some(Lane::Contact(_)) => "contact".into(),
            Some(Lane::Channel(_)) => "channel".into(),
            None => String::new(),
        }
    }
    fn now(&mut self) -> Instant {
        self.draft.as_ref().map(Draft::now).unwrap_or_default()
    }
    fn zone(&mut self) -> String {
        self.draft.as_ref().map_or("UTC", |draft| &draft.setting.zone).into()
    }
    fn local_time(&mut self, at: Instant, zone: String) -> Asked<String> {
        self.time.spend(|| zones::local_time(at, &zone))
    }
    fn instant_of(&mut self, local: String, zone: String) -> Asked<Instant> {
        self.time.spend(|| zones::instant_of(&local, &zone))
    }
    fn next_occurrence(
        &mut self,
        cron: String,
        zone: String,
        after: Instant,
    ) -> Asked<Option<Instant>> {
        self.time.spend(|| zones::next_occurrence(&cron, &zone, after))
    }
    fn open_at(&mut self, at: Instant) -> Option<bool> {
        self.calendar(|calendar| Some(calendar.open_at(at)))
    }
    fn next_change(&mut self, after: Instant) -> Option<Instant> {
        self.calendar(|calendar| calendar.next_change(after))
    }
    fn closure_at(&mut self, at: Instant) -> Option<String> {
        self.calendar(|calendar| calendar.closure_at(at).map(Into::into))
    }
    fn opening_hours(&mut self, language: Option<String>) -> Option<String> {
        let now = self.draft.as_ref()?.now();
        self.calendar(|calendar| Some(calendar.opening_hours(now, language.as_deref())))
    }
    fn opens(&mut self, after: Instant, language: Option<String>) -> Option<String> {
        self.calendar(|calendar| calendar.opens(after, language.as_deref()))
    }
}

impl effects::Host for Host {
    fn reply(&mut self, message: Outgoing) -> Asked<String> {
        let message = convert::outgoing(message)?;
        self.draft()?.reply(message).map(|id| id.to_string())
    }
    fn reply_to(&mut self, message: Outgoing, quoted: String) -> Asked<String> {
        let message = convert::outgoing(message)?;
        self.draft()?.reply_to(message, &quoted).map(|id| id.to_string())
    }
    fn send(&mut self, contact: String, message: Outgoing) -> Asked<String> {
        let to: ContactId = contact.parse()?;
        let message = convert::outgoing(message)?;
        self.draft()?.send(to, message).map(|id| id.to_string())
    }
    fn mark_read(&mut self, typing: bool) -> Asked {
        self.draft()?.mark_read(typing)
    }
    fn tag(&mut self, name: String, expires: Option<Instant>) -> Asked {
        self.draft()?.tag(&name, expires)
    }
    fn untag(&mut self, name: String) -> Asked {
        self.draft()?.untag(&name)
    }
    fn set_attribute(&mut self, name: String, value: Option<String>) -> Asked {
        self.draft()?.set_attribute(&name, value)
    }
    async fn set_timer(
        &mut self,
        name: String,
        due: Instant,
        payload: String,
    ) -> wasmtime::Result<Asked> {
        self.stored(async |draft| draft.set_timer(&name, due, &payload).await).await
    }
    fn cancel_timer(&mut self, name: String) -> Asked {
        self.draft()?.cancel_timer(&name)
    }
    fn handoff(&mut self, reason: String) -> Asked {
        self.draft()?.handoff(&reason)
    }
    fn resume(&mut self) -> Asked {
        self.draft()?.resume()
    }
    fn opt_in(&mut self, proof: String) -> Asked {
        self.draft()?.opt_in(&proof)
    }
    fn opt_out(&mut self, proof: String) -> Asked {
        self.draft()?.opt_out(&proof)
    }
    fn broadcast(&mut self, id: String, to: Segment, payload: String) -> Asked {
        self.draft()?.broadcast(&id, convert::segment(to), &payload)
    }
    fn broadcast_on(&mut self, id: String, to: Segment, payload: String, terms: String) -> Asked {
        self.draft()?.broadcast_on(&id, convert::segment(to), &payload, &terms)
    }
    fn leave_out(&mut self, reason: String) -> Asked {
        self.draft()?.leave_out(&reason)
    }
    fn variant(&mut self, name: String) -> Asked {
        self.draft()?.variant(&name)
    }
    fn note(&mut self, text: String) -> Asked {
        self.draft()?.note(&text)
    }
    fn unanswered(&mut self, question: String) -> Asked {
        self.draft()?.unanswered(&question)
    }
    fn because(&mut self, reason: String) {
        if let Some(draft) = &mut self.draft {
            draft.because(&reason);
        }
    }
}

impl kv::Host for Host {
    async fn get(&mut self, scope: Scope, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        self.waited(async |draft| draft.kv_get(convert::scope(scope), &key).await).await
    }
    async fn set(
        &mut self,
        scope: Scope,
        key: String,
        value: Vec<u8>,
        expires: Option<Instant>,
    ) -> wasmtime::Result<Asked> {
        let scope = convert::scope(scope);
        self.stored(async |draft| draft.kv_set(scope, &key, value, expires).await).await
    }
    fn delete(&mut self, scope: Scope, key: String) -> Asked {
        self.draft()?.kv_delete(convert::scope(scope), &key)
    }
    async fn keys(
        &mut self,
        scope: Scope,
        prefix: String,
        limit: u32,
    ) -> wasmtime::Result<Vec<String>> {
        let (scope, limit) = (convert::scope(scope), limit as usize);
        self.waited(async |draft| draft.kv_keys(scope, &prefix, limit).await).await
    }
}

impl log::Host for Host {
    fn write(&mut self, level: log::Level, message: String) {
        let level = match level {
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        if let Some(draft) = &mut self.draft {
            draft.log(level, &message);
        }
    }
}
