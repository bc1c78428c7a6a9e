//! When a promotion may reach the contact of this turn.

use crate::{
    Run,
    best_hour::Hours,
    notice,
    rules::{DAY_MS, Happening, Promotion, Quiet, When, Zone, number},
};
use switchboard_plugin::*;

/// Between two looks where the clock is set back and an end of quiet hours
/// seems to have passed already.
const AGAIN: Instant = 15 * 60_000;

impl Promotion {
    /// Until when to wait and why, if not now.
    pub fn wait(&self, run: &Run) -> Result<Option<(Instant, String)>, String> {
        let (now, zone) = (business::now(), recipient_zone());
        let base = self.base(run, &zone)?;
        let due = match self.at_best_hour {
            true => Hours::load().from(base, &zone, self.quiet)?,
            false => base + self.offset(run, self.spread),
        };
        if due > now {
            let local = business::local_time(due, &zone)?;
            return Ok(Some((due, format!("until {local} in {zone}"))));
        }
        let Some(quiet) = self.quiet else { return Ok(None) };
        let end = quiet_end(quiet, now, &zone)?;
        // Those whom quiet hours held are spread again, over what is left of
        // the day.
        let offset = self.offset(run, self.spread.min(quiet.open_ms()));
        Ok(end.map(|end| (end + offset, format!("quiet hours in {zone}"))))
    }

    /// The moment from which on it is due, for a contact in this zone.
    fn base(&self, run: &Run, zone: &str) -> Result<Instant, String> {
        match &self.when {
            When::At(_) | When::Every(_) | When::Yearly { .. } => {
                business::instant_of(&run.local, &self.clock(zone))
            }
            When::After { what: Happening::Silence, wait } => {
                Ok(notice::last_message().map_or(0, |last| last + wait))
            }
            When::After { what: Happening::Tag(_) | Happening::Order, .. } => {
                Ok(run.due.unwrap_or(0))
            }
        }
    }

    /// The zone of the promotion's times, for a contact in `zone`.
    fn clock(&self, zone: &str) -> String {
        match &self.zone {
            Zone::Business => business::zone(),
            Zone::Recipient => zone.into(),
            Zone::Named(name) => name.clone(),
        }
    }

    /// The contact's place within a spread, always the same in one run.
    fn offset(&self, run: &Run, spread: Instant) -> Instant {
        match spread {
            0 => 0,
            spread => number(&[&contact::id(), &run.name()]) % spread,
        }
    }
}

/// A zone we cannot read counts as unknown.
pub fn recipient_zone() -> String {
    let known = contact::zone().filter(|zone| business::local_time(0, zone).is_ok());
    known.unwrap_or_else(business::zone)
}

/// When the quiet hours that hold at `now` end; none if none hold.
fn quiet_end(quiet: Quiet, now: Instant, zone: &str) -> Result<Option<Instant>, String> {
    let local = business::local_time(now, zone)?;
    let part = |range| local.get(range).and_then(|part: &str| part.parse::<u32>().ok());
    let (Some(hour), Some(minute), Some(today)) = (part(11..13), part(14..16), local.get(..10))
    else {
        return Err(format!("`{local}` is not a local time"));
    };
    let minute = hour * 60 + minute;
    if !quiet.holds(minute) {
        return Ok(None);
    }
    let end = format!("T{:02}:{:02}:00", quiet.to / 60, quiet.to % 60);
    if quiet.to > minute {
        // In an hour that comes twice, the first end may have passed.
        let end = business::instant_of(&format!("{today}{end}"), zone)?;
        return Ok(Some(if end > now { end } else { now + AGAIN }));
    }
    // From noon, a day's length on is tomorrow on any day of the year.
    let noon = business::instant_of(&format!("{today}T12:00:00"), zone)?;
    let tomorrow = business::local_time(noon + DAY_MS, zone)?;
    let tomorrow = tomorrow.get(..10).unwrap_or_default();
    business::instant_of(&format!("{tomorrow}{end}"), zone).map(Some)
}
