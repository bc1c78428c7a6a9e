//! Accounts that can't send, or not all, as they have said themselves: until they
//! say that they can, or a message got through.

use super::{
    Result,
    engine::Order,
    key::{self, Kind},
    view::View,
};
use crate::model::*;

const WHAT: &str = "account's stoppage";

/// The last word counts.
pub fn learn(
    view: &mut View<'_>,
    channel: &ChannelId,
    news: AccountNews,
    at: Millis,
) -> Result<()> {
    let place = key::stoppage(channel, news.account.as_deref());
    match news.stopped {
        true => view.write(WHAT, place, &Stoppage { channel: channel.clone(), at, news }),
        false => view.delete_long(place),
    }
}

pub fn list(view: &View<'_>) -> Result<Vec<Stoppage>> {
    view.list(WHAT, &key::all(Kind::Stoppage), Order::Forward, usize::MAX)
}

/// Forgets one, unless something newer was told.
pub fn end(view: &mut View<'_>, over: &Stoppage) -> Result<()> {
    let place = key::stoppage(&over.channel, over.news.account.as_deref());
    match view.read(WHAT, &place)?.as_ref() == Some(over) {
        true => view.delete_long(place),
        false => Ok(()),
    }
}
