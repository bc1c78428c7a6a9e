//! Files that were uploaded, by their content: the provider's ids of them.

use super::{
    Result,
    engine::Order,
    key::{self, Kind},
    view::View,
};
use crate::model::*;

/// Entries that one sweep looks through: a business has some dozens of files.
const SWEPT: usize = 1_000;

pub fn get(
    view: &View<'_>,
    channel: &ChannelId,
    sha256: &str,
    now: Millis,
) -> Result<Option<Uploaded>> {
    let found: Option<Uploaded> = view.read("upload", &key::upload(channel, sha256))?;
    Ok(found.filter(|it| it.until > now))
}

pub fn keep(
    view: &mut View<'_>,
    channel: &ChannelId,
    sha256: &str,
    uploaded: &Uploaded,
) -> Result<()> {
    view.write("upload", key::upload(channel, sha256), uploaded)
}

/// Forgets this id; another one that has come meanwhile stays.
pub fn forget(view: &mut View<'_>, channel: &ChannelId, sha256: &str, id: &str) -> Result<()> {
    let place = key::upload(channel, sha256);
    match view.read::<Uploaded>("upload", &place)? {
        Some(found) if found.id == id => view.delete_long(place),
        _ => Ok(()),
    }
}

/// Forgets those whose time is over. Returns how many.
pub fn sweep(view: &mut View<'_>, now: Millis) -> Result<usize> {
    let mut over = Vec::new();
    for pair in view.range(&key::all(Kind::Upload), Order::Forward).take(SWEPT) {
        let (place, _) = pair?;
        if view.read::<Uploaded>("upload", &place)?.is_some_and(|it| it.until <= now) {
            over.push(place);
        }
    }
    let count = over.len();
    for place in over {
        view.delete_long(place)?;
    }
    Ok(count)
}
