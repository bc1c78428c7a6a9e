//! What was spent: per channel and day of the business, by class of message.
//! Knows no prices.

use super::{
    Result,
    codec::corrupt,
    engine::Order,
    key::{self, Kind, Reader},
    view::View,
};
use crate::model::*;
use serde::{Deserialize, Serialize};

const WHAT: &str = "day's spending";

/// A day of one channel: few sums, since there are four classes and mostly one
/// currency.
#[derive(Default, Serialize, Deserialize)]
struct Day {
    sums: Vec<Sum>,
}

#[derive(Serialize, Deserialize)]
struct Sum {
    class: PriceClass,
    currency: String,
    micros: u64,
    messages: u64,
}

/// Adds a charge, or takes it back. What is wholly taken back leaves nothing.
pub fn count(view: &mut View<'_>, channel: &ChannelId, charge: &Charge, add: bool) -> Result<()> {
    let place = key::spent(channel, charge.day);
    let mut day: Day = view.read(WHAT, &place)?.unwrap_or_default();
    let same = |sum: &Sum| sum.class == charge.class && sum.currency == charge.currency;
    let at = day.sums.iter().position(same).unwrap_or(day.sums.len());
    if at == day.sums.len() {
        let currency = charge.currency.clone();
        day.sums.push(Sum { class: charge.class, currency, micros: 0, messages: 0 });
    }
    if let Some(sum) = day.sums.get_mut(at) {
        (sum.micros, sum.messages) = match add {
            true => (sum.micros.saturating_add(charge.micros), sum.messages + 1),
            false => (sum.micros.saturating_sub(charge.micros), sum.messages.saturating_sub(1)),
        };
    }
    day.sums.retain(|sum| sum.messages > 0);
    match day.sums.is_empty() {
        true => view.delete_long(place),
        false => view.write(WHAT, place, &day),
    }
}

/// Every sum of the days `from` to `to`, both included, by channel and day.
pub fn list(view: &View<'_>, from: u32, to: u32) -> Result<Vec<Spending>> {
    let mut found = Vec::new();
    for entry in view.range(&key::all(Kind::Spent), Order::Forward) {
        let (place, head) = entry?;
        let mut reader = Reader::of_key(&place);
        let (channel, day) = (reader.text(), reader.u32());
        let (Some(channel), Some(day)) = (channel, day) else {
            return Err(corrupt(WHAT, "its key is broken"));
        };
        if !(from..=to).contains(&day) {
            continue;
        }
        let stored: Day = super::codec::decode(WHAT, &view.whole(&place, head)?)?;
        found.extend(stored.sums.into_iter().map(|sum| {
            let (channel, Sum { class, currency, micros, messages }) =
                (ChannelId::new(&channel), sum);
            Spending { channel, day, class, currency, micros, messages }
        }));
    }
    Ok(found)
}
