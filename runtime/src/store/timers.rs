//! Timers and their order by due time.

use super::{
    Result,
    codec::corrupt,
    counts,
    engine::Order,
    key::{self, Count, Kind, Reader},
    lanes, members,
    view::View,
};
use crate::model::*;

const WHAT: &str = "timer";

fn read(view: &View<'_>, key: &TimerKey) -> Result<Option<Timer>> {
    view.read(WHAT, &key::timer(key))
}

pub fn write(view: &mut View<'_>, write: TimerWrite) -> Result<()> {
    match write {
        TimerWrite::Set(timer) => {
            members::timer_set(view, &timer)?;
            set(view, &timer)
        }
        TimerWrite::Cancel(key) => match read(view, &key)? {
            Some(timer) => {
                remove(view, &timer)?;
                members::timer_gone(view, &timer, "its timer was cancelled")
            }
            None => Ok(()),
        },
    }
}

fn set(view: &mut View<'_>, timer: &Timer) -> Result<()> {
    match read(view, &timer.key)? {
        Some(old) => {
            view.delete(key::timer_due(old.due, &old.key));
            members::timer_gone(view, &old, "its timer was set anew by something else")?;
        }
        None => counts::up(view, Count::Timers).map(|_| ())?,
    }
    view.put(key::timer_due(timer.due, &timer.key), Vec::new())?;
    view.write(WHAT, key::timer(&timer.key), timer)
}

fn remove(view: &mut View<'_>, timer: &Timer) -> Result<()> {
    view.delete(key::timer_due(timer.due, &timer.key));
    view.delete_long(key::timer(&timer.key))?;
    counts::down(view, Count::Timers)
}

/// Moves a lane's timers to another. One that the other lane has too is let go.
pub fn join(view: &mut View<'_>, from: &Lane, to: &Lane) -> Result<()> {
    let timers: Vec<Timer> = view.list(WHAT, &key::timers_in(from), Order::Forward, usize::MAX)?;
    for mut timer in timers {
        remove(view, &timer)?;
        timer.key.lane = to.clone();
        match read(view, &timer.key)? {
            None => set(view, &timer)?,
            Some(_) => {
                let why = "it is one with another contact, who has such a timer";
                members::timer_gone(view, &timer, why)?;
            }
        }
    }
    Ok(())
}

pub fn due(view: &View<'_>, now: Millis, limit: usize) -> Result<Vec<Timer>> {
    let entries = view.range(&key::until(Kind::TimerDue, now), Order::Forward).take(limit);
    entries
        .map(|entry| {
            let (entry, _) = entry?;
            let timer = view.read(WHAT, &key::untimed(Kind::Timer, &entry))?;
            timer.ok_or_else(|| corrupt(WHAT, "it is due and missing"))
        })
        .collect()
}

pub fn next(view: &View<'_>) -> Result<Option<Millis>> {
    let first = view.first(&key::all(Kind::TimerDue), Order::Forward)?;
    Ok(first.and_then(|(entry, _)| Reader::of_key(&entry).u64()))
}

/// How many timers a step has set in a lane, counted up to `limit`.
pub fn count(view: &View<'_>, lane: &Lane, step: &str, limit: usize) -> Result<usize> {
    let mut count = 0;
    for entry in view.range(&key::timers_of(lane, step), Order::Forward).take(limit) {
        entry?;
        count += 1;
    }
    Ok(count)
}

pub fn of_step(view: &View<'_>, lane: &Lane, step: &str, limit: usize) -> Result<Vec<Timer>> {
    view.list(WHAT, &key::timers_of(lane, step), Order::Forward, limit)
}

pub fn fire(view: &mut View<'_>, timers: Vec<Timer>, now: Millis) -> Result<()> {
    for timer in timers {
        if read(view, &timer.key)?.as_ref() != Some(&timer) {
            continue;
        }
        remove(view, &timer)?;
        let kind = timer.event();
        let tries = timer.retry.map_or(0, |retry| retry.tries);
        let carried = (timer.member, tries);
        lanes::append_own(view, timer.key.lane, &timer.channel, kind, carried, now)?;
    }
    Ok(())
}
