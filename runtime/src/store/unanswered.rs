//! Questions that nothing answered, kept for the owner: the last some thousands.

use super::{
    Result, counts,
    engine::Order,
    key::{self, Count, Kind},
    merge,
    view::View,
};
use crate::model::*;

const WHAT: &str = "unanswered question";
/// More than anybody reads, and enough to see which come often.
const KEPT: u64 = 5_000;

/// Keeps one; the oldest makes room.
pub fn keep(view: &mut View<'_>, question: &Unanswered) -> Result<()> {
    let number = counts::up(view, Count::Unanswered)?;
    view.add(WHAT, key::numbered(Kind::Unanswered, number), question)?;
    match number.checked_sub(KEPT) {
        Some(oldest) => view.delete_long(key::numbered(Kind::Unanswered, oldest)),
        None => Ok(()),
    }
}

/// The newest first, each of whoever its contact has become.
pub fn list(view: &View<'_>, limit: usize) -> Result<Vec<Unanswered>> {
    let mut found: Vec<Unanswered> =
        view.list(WHAT, &key::all(Kind::Unanswered), Order::Reverse, limit)?;
    for question in &mut found {
        question.contact = merge::follow(view, question.contact)?;
    }
    Ok(found)
}

/// Removes those of `last` and before, at most `limit`; returns how many.
pub fn sweep(view: &mut View<'_>, last: Millis, limit: usize) -> Result<usize> {
    let mut old = Vec::new();
    for entry in view.range(&key::all(Kind::Unanswered), Order::Forward).take(limit) {
        let (place, head) = entry?;
        let question: Unanswered = super::codec::decode(WHAT, &view.whole(&place, head)?)?;
        if question.at > last {
            break;
        }
        old.push(place);
    }
    let removed = old.len();
    old.into_iter().try_for_each(|place| view.delete_long(place))?;
    Ok(removed)
}
