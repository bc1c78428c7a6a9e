//! Files that were uploaded, by their content: the provider's ids of them.

use super::{
    Result,
    engine::Order,
    key::{self, Kind},
    view::View,
};
use crate::model::*;
use serde::{Deserialize, Serialize};

/// Entries that one sweep looks through: a business has some dozens of files.
const SWEPT: usize = 1_000;

#[derive(Serialize, Deserialize)]
struct Uploaded {
    id: String,
    until: Millis,
}

pub fn get(
    view: &View<'_>,
    channel: &ChannelId,
    sha256: &str,
    now: Millis,
) -> Result<Option<String>> {
    let found: Option<Uploaded> = view.read("upload", &key::upload(channel, sha256))?;
    Ok(found.filter(|it| it.until > now).map(|it| it.id))
}

pub fn keep(
    view: &mut View<'_>,
    channel: &ChannelId,
    sha256: &str,
    id: String,
    until: Millis,
) -> Result<()> {
    view.write("upload", key::upload(channel, sha256), &Uploaded { id, until })
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
