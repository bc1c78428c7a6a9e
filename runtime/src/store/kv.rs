//! A step's key-values, of one contact (or channel lane) or of the step as a
//! whole. A value begins with its expiry, so that listing reads no values. How
//! much each step holds is counted with every write; see `usage`.

use super::{
    KvUsage, Result,
    codec::{corrupt, numbers, read_numbers},
    counts,
    engine::{Order, Span},
    key::{self, Count, Kind, Reader},
    view::{View, beginning},
};
use crate::model::*;
use std::collections::BTreeMap;

const NEVER: Millis = Millis::MAX;
const EXPIRY_BYTES: usize = 8;

pub fn get(
    view: &View<'_>,
    step: &str,
    scope: KvScope,
    lane: &Lane,
    name: &str,
    now: Millis,
) -> Result<Option<Vec<u8>>> {
    let Some(mut value) = view.long(&key::kv(step, scope, lane, name))? else { return Ok(None) };
    let live = expiry(&value)? > now;
    Ok(live.then(|| value.split_off(EXPIRY_BYTES)))
}

pub fn keys(
    view: &View<'_>,
    step: &str,
    scope: KvScope,
    lane: &Lane,
    prefix: &str,
    limit: usize,
    now: Millis,
) -> Result<Vec<String>> {
    let before_names = key::kv(step, scope, lane, "").len();
    let span = Span::prefix(key::kv(step, scope, lane, prefix));
    let mut names = Vec::new();
    for pair in view.range(&span, Order::Forward) {
        let (found, head) = pair?;
        if names.len() >= limit {
            break;
        }
        if expiry(beginning(&head)?)? > now {
            let name = found.get(before_names..).unwrap_or_default().to_vec();
            names.push(String::from_utf8(name).map_err(|error| corrupt("key", error))?);
        }
    }
    Ok(names)
}

pub fn write(view: &mut View<'_>, lane: &Lane, write: KvWrite) -> Result<()> {
    count_all(view)?;
    let KvWrite { step, scope, key: name, value, expires } = write;
    let place = key::kv(&step, scope, lane, &name);
    if let Some(head) = view.get(&place)? {
        let old = expiry(beginning(&head)?)?;
        if old != NEVER {
            view.delete(key::timed(Kind::KvEnd, old, &place));
        }
    }
    let Some(value) = value else { return remove(view, place) };
    let expires = expires.unwrap_or(NEVER);
    if expires != NEVER {
        view.put(key::timed(Kind::KvEnd, expires, &place), Vec::new())?;
    }
    let freed = held(view, &place)?;
    let added = KvUsage { bytes: (name.len() + value.len()) as u64, keys: 1 };
    let mut bytes = expires.to_be_bytes().to_vec();
    bytes.extend(value);
    view.put_long(place, &bytes)?;
    change(view, &step, freed, added)
}

/// Removes a key-value whose entry by time is gone already.
pub fn remove(view: &mut View<'_>, place: Vec<u8>) -> Result<()> {
    count_all(view)?;
    let freed = held(view, &place)?;
    if let Some((step, _)) = key::read_kv(&place) {
        change(view, &step, freed, KvUsage::default())?;
    }
    view.delete_long(place)
}

/// Moves a lane's key-values to another. Where both have one, the other's stays
/// unless it has expired.
pub fn join(view: &mut View<'_>, from: &Lane, to: &Lane, now: Millis) -> Result<()> {
    let places = view.range(&key::kv_of(from), Order::Forward);
    let places = places.map(|pair| pair.map(|(place, _)| place)).collect::<Result<Vec<_>>>()?;
    for place in places {
        let (Some((step, name)), Some(mut value)) = (key::read_kv(&place), view.long(&place)?)
        else {
            continue;
        };
        let name = String::from_utf8(name.to_vec()).map_err(|error| corrupt("key", error))?;
        let expires = Some(expiry(&value)?).filter(|at| *at != NEVER);
        let scope = KvScope::Contact;
        let gone = KvWrite { step, scope, key: name, value: None, expires: None };
        write(view, from, gone.clone())?;
        let taken = get(view, &gone.step, scope, to, &gone.key, now)?.is_some();
        if !taken {
            let value = Some(value.split_off(EXPIRY_BYTES));
            write(view, to, KvWrite { value, expires, ..gone })?;
        }
    }
    Ok(())
}

// How much there is.

/// What a step's key-values hold; none before the first count.
pub fn usage(view: &View<'_>, step: &str) -> Result<Option<KvUsage>> {
    if counts::read(view, Count::KvCounted)? == 0 {
        return Ok(None);
    }
    read_usage(view, step).map(Some)
}

fn read_usage(view: &View<'_>, step: &str) -> Result<KvUsage> {
    let Some(value) = view.get(&key::kv_use(step))? else { return Ok(KvUsage::default()) };
    let [bytes, keys] = read_numbers("count of key-values", &value)?;
    Ok(KvUsage { bytes, keys })
}

/// Counts what a database from before there were counts holds, once.
pub fn count_all(view: &mut View<'_>) -> Result<()> {
    if counts::read(view, Count::KvCounted)? != 0 {
        return Ok(());
    }
    let mut steps = BTreeMap::<String, KvUsage>::new();
    for pair in view.range(&key::all(Kind::Kv), Order::Forward) {
        let (place, head) = pair?;
        let Some((step, name)) = key::read_kv(&place) else { continue };
        let usage = steps.entry(step).or_default();
        usage.bytes += size(view, &place, name, &head)?;
        usage.keys += 1;
    }
    for (step, usage) in steps {
        view.put(key::kv_use(&step), numbers([usage.bytes, usage.keys]))?;
    }
    counts::up(view, Count::KvCounted).map(|_| ())
}

/// What stands at `place` counts for.
fn held(view: &View<'_>, place: &[u8]) -> Result<KvUsage> {
    let (Some(head), Some((_, name))) = (view.get(place)?, key::read_kv(place)) else {
        return Ok(KvUsage::default());
    };
    Ok(KvUsage { bytes: size(view, place, name, &head)?, keys: 1 })
}

fn size(view: &View<'_>, place: &[u8], name: &[u8], head: &[u8]) -> Result<u64> {
    let value = view.length(place, head)?.saturating_sub(EXPIRY_BYTES as u64);
    Ok(name.len() as u64 + value)
}

fn change(view: &mut View<'_>, step: &str, freed: KvUsage, added: KvUsage) -> Result<()> {
    if freed == added {
        return Ok(());
    }
    let KvUsage { bytes, keys } = read_usage(view, step)?;
    let bytes = (bytes + added.bytes).saturating_sub(freed.bytes);
    let keys = (keys + added.keys).saturating_sub(freed.keys);
    view.put(key::kv_use(step), numbers([bytes, keys]))
}

fn expiry(value: &[u8]) -> Result<Millis> {
    Reader::of_value(value).u64().ok_or_else(|| corrupt("key-value", "it has no expiry"))
}
