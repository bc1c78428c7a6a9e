//! The store's own numbers: what is waiting, and the last names given out.

use super::{
    Depths, Result,
    codec::{numbers, read_numbers},
    key::{self, Count},
    view::View,
};

pub fn read(view: &View<'_>, which: Count) -> Result<u64> {
    match view.get(&key::count(which))? {
        Some(value) => read_numbers::<1>("count", &value).map(|[number]| number),
        None => Ok(0),
    }
}

fn write(view: &mut View<'_>, which: Count, number: u64) -> Result<()> {
    view.put(key::count(which), numbers([number]))
}

/// Counts one more and returns how many that makes.
pub fn up(view: &mut View<'_>, which: Count) -> Result<u64> {
    let number = read(view, which)? + 1;
    write(view, which, number)?;
    Ok(number)
}

pub fn down(view: &mut View<'_>, which: Count) -> Result<()> {
    let number = read(view, which)?.saturating_sub(1);
    write(view, which, number)
}

pub fn depths(view: &View<'_>) -> Result<Depths> {
    Ok(Depths {
        lanes: read(view, Count::Lanes)?,
        outbox: read(view, Count::Outbox)?,
        timers: read(view, Count::Timers)?,
    })
}

/// Notes that a process works on the store. True if the one before it ended in
/// good order.
pub fn begin_run(view: &mut View<'_>) -> Result<bool> {
    let began = view.get(&key::count(Count::Running))?.is_some();
    let clean = began && read(view, Count::Running)? == 0;
    write(view, Count::Running, 1)?;
    Ok(clean)
}

pub fn end_run(view: &mut View<'_>) -> Result<()> {
    write(view, Count::Running, 0)
}
