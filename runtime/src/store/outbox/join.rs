//! Two contacts become one: their queues become one. History stays where it is,
//! as receipts find it by the message.

use super::{Stored, WHAT, place_in, pointed_at};
use crate::{
    model::*,
    store::{
        Result, counts,
        engine::Order,
        key::{self, Count},
        view::View,
    },
};

/// Moves what waits to be sent to `from` into the queue of `to`. What may have
/// left already stays in front, so that nothing overtakes it; the rest is in
/// the order in which it was asked for.
pub fn join(view: &mut View<'_>, from: ContactId, to: ContactId) -> Result<()> {
    let mut queue = take(view, from)?;
    if queue.is_empty() {
        return Ok(());
    }
    queue.extend(take(view, to)?);
    let attempted = |stored: &Stored| matches!(stored.item.state, SendState::Attempting { .. });
    queue.sort_by_key(|stored| (!attempted(stored), stored.item.created_at, stored.item.contact));
    let last = view.first(&key::sent_to(to), Order::Reverse)?;
    let mut place = last.and_then(|(key, _)| place_in(&key)).unwrap_or(0);
    let first = queue.first().and_then(|first| Some((first.item.due()?, first.item.id.clone())));
    if let Some((due, id)) = first {
        view.put(key::item_due(due, to), key::send_value(&id))?;
        counts::up(view, Count::Outbox)?;
    }
    for mut stored in queue {
        place += 1;
        stored.place = place;
        stored.item.contact = to;
        let pointer = key::send_value(&stored.item.id);
        view.put(key::sent(to, place), pointer.clone())?;
        view.put(key::queue(to, place), pointer)?;
        view.write(WHAT, key::item(&stored.item.id), &stored)?;
    }
    Ok(())
}

/// Takes a contact's queue out, its head from among the due ones too.
fn take(view: &mut View<'_>, contact: ContactId) -> Result<Vec<Stored>> {
    let pairs = view.range(&key::queued_for(contact), Order::Forward);
    let queue = pairs.map(|pair| pointed_at(view, &pair?.1)).collect::<Result<Vec<_>>>()?;
    if let Some(due) = queue.first().and_then(|first| first.item.due()) {
        view.delete(key::item_due(due, contact));
        counts::down(view, Count::Outbox)?;
    }
    for stored in &queue {
        view.delete(key::queue(contact, stored.place));
        view.delete(key::sent(contact, stored.place));
    }
    Ok(queue)
}
