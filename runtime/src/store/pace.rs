//! What the limits of pace are rebuilt from after a restart: the attempts of
//! the last minutes, those of the last day that wrote to a contact first, and
//! how many such contacts the provider allows.

use super::{
    Result, codec,
    engine::Order,
    key::{self, Kind},
    view::View,
};
use crate::model::*;

/// How long attempts are remembered: longer than a whole burst to one contact
/// takes to be worked off, 45 times 6 seconds.
pub const ATTEMPTS_MS: Millis = 10 * 60_000;
/// And those that wrote to a contact first: Meta counts them over 24 hours.
pub const OPENINGS_MS: Millis = 25 * 3_600_000;

const WHAT: &str = "attempt";

pub fn note(view: &mut View<'_>, item: &OutboxItem, attempt: &Attempt) -> Result<()> {
    let tried = Tried {
        at: attempt.since,
        channel: item.channel.clone(),
        contact: item.contact,
        seen: !matches!(item.message, Outgoing::Read { .. }),
    };
    let name = key::item(&item.id);
    view.put(key::timed(Kind::Attempt, attempt.since, &name), codec::encode(WHAT, &tried)?)?;
    if attempt.opens {
        let place = key::timed(Kind::Opening, attempt.since, &name);
        view.put(place, codec::encode(WHAT, &tried)?)?;
    }
    Ok(())
}

/// Those of `kind` since `from`, the newest first.
pub fn since(view: &View<'_>, kind: Kind, from: Millis, limit: usize) -> Result<Vec<Tried>> {
    let entries = view.range(&key::since(kind, from), Order::Reverse).take(limit);
    entries.map(|entry| codec::decode(WHAT, &entry?.1)).collect()
}

/// Keeps what the provider says of the number's limit.
pub fn learn_limit(view: &mut View<'_>, channel: &ChannelId, limit: i64) -> Result<()> {
    view.put(key::contact_limit(channel), codec::encode("limit", &limit)?)
}

/// How many contacts the provider lets the channel write to first within 24
/// hours, as far as it has said; -1 for no limit.
pub fn limit(view: &View<'_>, channel: &ChannelId) -> Result<Option<i64>> {
    let value = view.get(&key::contact_limit(channel))?;
    value.map(|value| codec::decode("limit", &value)).transpose()
}
