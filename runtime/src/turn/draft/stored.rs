//! What a draft may put into the store to stay: key-values within the step's
//! quota, and timers.

use super::{Checked, Draft, KV_WRITES, NAME_BYTES, PAYLOAD_BYTES, check_bytes};
use crate::{
    model::{Effect, EventKind, KvScope, KvWrite, Millis, check_name},
    store::{KvUsage, StoreError},
};

/// Bytes of keys and values that one turn may write: eight of the largest
/// values. Turns at the same moment do not see each other's writes, so they can
/// pass a quota together by this much each.
const KV_TURN_BYTES: usize = 512 * 1024;
/// Timers that a step may have set in one lane.
const TIMERS: usize = 1_000;
/// The nearest moment of a timer that is set while one fires: a step that
/// always sets the next for now would run without end.
const TIMER_AGAIN_MS: Millis = 1_000;
/// The farthest: ten years.
const TIMER_FARTHEST_MS: Millis = 10 * 366 * 24 * 3_600_000;
const MB: u64 = 1024 * 1024;

/// What was asked of the store once, for the rest of the turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    usage: Option<KvUsage>,
    timers: Option<usize>,
    /// Bytes of reasons and log lines, and of effects.
    pub(super) said: usize,
    pub(super) asked: usize,
}

impl Draft {
    /// Error: the store can't be read.
    pub async fn kv_set(
        &mut self,
        scope: KvScope,
        key: &str,
        value: Vec<u8>,
        expires: Option<Millis>,
    ) -> Result<Checked, StoreError> {
        if value.len() > self.limits.value_bytes {
            let (bytes, limit) = (value.len(), self.limits.value_bytes);
            return Ok(Err(format!("the value has {bytes} bytes, and {limit} are allowed")));
        }
        let write = match self.write(scope, key, Some(value), expires) {
            Ok(write) => write,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let place = (scope, key.to_owned());
        let before = self.kv.insert(place.clone(), write);
        let refusal = self.over_quota().await?;
        if refusal.is_some() {
            match before {
                Some(before) => self.kv.insert(place, before),
                None => self.kv.remove(&place),
            };
        }
        Ok(refusal.map_or(Ok(()), Err))
    }

    /// Always within the quota.
    pub fn kv_delete(&mut self, scope: KvScope, key: &str) -> Checked {
        let write = self.write(scope, key, None, None)?;
        self.kv.insert((scope, key.to_owned()), write);
        Ok(())
    }

    fn write(
        &self,
        scope: KvScope,
        key: &str,
        value: Option<Vec<u8>>,
        expires: Option<Millis>,
    ) -> Checked<KvWrite> {
        check_name("key", key, NAME_BYTES)?;
        if self.kv.len() >= KV_WRITES && !self.kv.contains_key(&(scope, key.to_owned())) {
            return Err(format!("a turn may write {KV_WRITES} keys"));
        }
        Ok(KvWrite { step: self.step.to_string(), scope, key: key.into(), value, expires })
    }

    /// Why the writes so far are too much, if they are.
    async fn over_quota(&mut self) -> Result<Option<String>, StoreError> {
        let added: usize = self.kv.values().map(bytes).sum();
        if added > KV_TURN_BYTES {
            return Ok(Some(format!("a turn may write {KV_TURN_BYTES} bytes of keys and values")));
        }
        let store = &self.setting.store;
        let held = match self.spent.usage {
            Some(usage) => usage.bytes,
            None => {
                let usage = store.kv_usage(&self.step).await?;
                self.spent.usage.insert(usage).bytes
            }
        };
        let limit = self.limits.kv_bytes;
        if held.saturating_add(added as u64) <= limit {
            return Ok(None);
        }
        // What is written over makes room: worth a look only when it is needed.
        let mut freed = 0;
        for write in self.kv.values() {
            let (key, now) = (&write.key, self.now());
            let old = store.kv_get(&self.step, write.scope, self.lane(), key, now).await?;
            freed += old.map_or(0, |old| key.len() + old.len());
        }
        let after = held.saturating_sub(freed as u64).saturating_add(added as u64);
        // One that only shrinks what there is helps.
        if after <= limit || after <= held {
            return Ok(None);
        }
        Ok(Some(format!(
            "the step's stored values have {held} bytes, {added} are to be written, and {} MB are \
             allowed in all (`kv_mb`)",
            limit / MB
        )))
    }

    /// Error: the store can't be read.
    pub async fn set_timer(
        &mut self,
        name: &str,
        due: Millis,
        payload: &str,
    ) -> Result<Checked, StoreError> {
        let set = match self.spent.timers {
            Some(set) => set,
            None => {
                let store = &self.setting.store;
                let set = store.count_timers(self.lane(), &self.step, TIMERS).await?;
                *self.spent.timers.insert(set)
            }
        };
        Ok(self.timer(name, due, payload, set))
    }

    fn timer(&mut self, name: &str, due: Millis, payload: &str, set: usize) -> Checked {
        check_name("timer", name, NAME_BYTES)?;
        check_bytes("the timer's payload", payload, PAYLOAD_BYTES)?;
        let new = self.effects.iter().filter(|it| matches!(it, Effect::SetTimer { .. })).count();
        if set + new >= TIMERS {
            return Err(format!("a step may have {TIMERS} timers set for one contact"));
        }
        if due > self.now().saturating_add(TIMER_FARTHEST_MS) {
            return Err("a timer may be ten years away at most".into());
        }
        let due = match &self.event().kind {
            EventKind::TimerFired { .. } => due.max(self.now() + TIMER_AGAIN_MS),
            EventKind::Message(_)
            | EventKind::Receipt(_)
            | EventKind::Broadcast { .. }
            | EventKind::Operator(_)
            | EventKind::Account { .. } => due,
        };
        self.push(Effect::SetTimer { name: name.into(), due, payload: payload.into() })
    }
}

fn bytes(write: &KvWrite) -> usize {
    write.value.as_ref().map_or(0, |value| write.key.len() + value.len())
}
