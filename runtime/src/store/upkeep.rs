//! Bodies kept for the operator, and the removal of what has had its time.

use super::{
    Aside, Result,
    codec::Bytes,
    counts,
    engine::{Order, Pair, Span},
    key::{self, Count, Kind},
    kv, members, outbox, pace, unanswered, uploads,
    view::View,
};
use crate::model::*;
use serde::{Deserialize, Serialize};

/// Things of each kind that one sweep removes: it runs between other writes.
const SWEPT: usize = 250;

#[derive(Serialize, Deserialize)]
struct StoredAside {
    channel: ChannelId,
    reason: String,
    body: Bytes,
    at: Millis,
}

pub fn set_aside(view: &mut View<'_>, aside: Aside) -> Result<()> {
    let place = key::numbered(Kind::Aside, counts::up(view, Count::Asides)?);
    let Aside { channel, reason, body, at } = aside;
    view.add("body set aside", place, &StoredAside { channel, reason, body: Bytes(body), at })
}

/// The newest first.
pub fn asides(view: &View<'_>, limit: usize) -> Result<Vec<Aside>> {
    let stored = view.list("body set aside", &key::all(Kind::Aside), Order::Reverse, limit)?;
    let open =
        |StoredAside { channel, reason, body, at }| Aside { channel, reason, body: body.0, at };
    Ok(stored.into_iter().map(open).collect())
}

pub fn sweep(view: &mut View<'_>, now: Millis, keep_ms: Millis) -> Result<usize> {
    let mut removed = 0;
    for entry in take(view, key::until(Kind::DedupEnd, now))? {
        view.delete(key::untimed(Kind::Dedup, &entry));
        removed += 1;
    }
    for entry in take(view, key::until(Kind::KvEnd, now))? {
        kv::remove(view, key::untimed(Kind::Kv, &entry))?;
        removed += 1;
    }
    for (kind, keep_ms) in [(Kind::Attempt, pace::ATTEMPTS_MS), (Kind::Opening, pace::OPENINGS_MS)]
    {
        let last = now.saturating_sub(keep_ms);
        removed += take(view, key::until(kind, last))?.len();
    }
    removed += uploads::sweep(view, now)?;
    // Older than `keep_ms`, not just as old. Nothing is before time began.
    let Some(last) = now.checked_sub(keep_ms).and_then(|kept| kept.checked_sub(1)) else {
        return Ok(removed);
    };
    for (entry, value) in taken(view, key::until(Kind::MemberAge, last))? {
        members::sweep(view, &entry, &value, now)?;
        removed += 1;
    }
    for entry in take(view, key::until(Kind::TraceAge, last))? {
        view.delete_long(key::untimed(Kind::Trace, &entry))?;
        removed += 1;
    }
    for entry in take(view, key::until(Kind::ItemAge, last))? {
        outbox::forget(view, &key::untimed(Kind::Item, &entry))?;
        removed += 1;
    }
    removed += unanswered::sweep(view, last, SWEPT)?;
    Ok(removed)
}

/// Takes the first entries out of an index by time.
fn take(view: &mut View<'_>, span: Span) -> Result<Vec<Vec<u8>>> {
    Ok(taken(view, span)?.into_iter().map(|(entry, _)| entry).collect())
}

fn taken(view: &mut View<'_>, span: Span) -> Result<Vec<Pair>> {
    let entries = view.range(&span, Order::Forward).take(SWEPT).collect::<Result<Vec<_>>>()?;
    for (entry, _) in &entries {
        view.delete(entry.clone());
    }
    Ok(entries)
}
