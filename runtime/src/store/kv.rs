//! A step's key-values, of one contact (or channel lane) or of the step as a
//! whole. A value begins with its expiry, so that listing reads no values.

use super::{
    Result,
    codec::corrupt,
    engine::{Order, Span},
    key::{self, Kind, Reader},
    view::{View, beginning},
};
use crate::model::*;

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
    let KvWrite { step, scope, key: name, value, expires } = write;
    let place = key::kv(&step, scope, lane, &name);
    if let Some(head) = view.get(&place)? {
        let old = expiry(beginning(&head)?)?;
        if old != NEVER {
            view.delete(key::timed(Kind::KvEnd, old, &place));
        }
    }
    let Some(value) = value else { return view.delete_long(place) };
    let expires = expires.unwrap_or(NEVER);
    if expires != NEVER {
        view.put(key::timed(Kind::KvEnd, expires, &place), Vec::new())?;
    }
    let mut bytes = expires.to_be_bytes().to_vec();
    bytes.extend(value);
    view.put_long(place, &bytes)
}

fn expiry(value: &[u8]) -> Result<Millis> {
    Reader::of_value(value).u64().ok_or_else(|| corrupt("key-value", "it has no expiry"))
}
