//! In the channel's lane: when each promotion runs next, and starting it.
//!
//! What is planned is kept per channel and promotion, so that loading rules
//! again changes only what changed in them.

use crate::{
    Promo, Run,
    rules::{Happening, Promotion, When, Zone},
    write,
};
use serde::{Deserialize, Serialize};
use switchboard_plugin::*;

/// The timer that continues planning where one turn's effects do not suffice.
/// No promotion's id begins like this.
pub const GO_ON: &str = "!plan";
/// Promotions planned in one turn: each sets a timer, and a turn has 50
/// effects by default.
const PLANNED_AT_ONCE: usize = 40;
/// Where a day begins first and ends last: UTC+14 and UTC-12. What is sent by
/// the recipient's own clock starts in the one and is over in the other.
const FIRST_ZONE: &str = "Etc/GMT-14";
const LAST_ZONE: &str = "Etc/GMT+12";
/// When it is looked for those to whom something happened that no message told.
const DAILY: &str = "0 0 * * *";

/// What is kept of a promotion that has a timer, or had one and is over.
#[derive(Serialize, Deserialize)]
struct Planned {
    /// The schedule it was planned by.
    by: String,
    /// When it was planned first.
    #[serde(default)]
    since: Instant,
}

/// One occurrence: when the channel's timer is due, and for which local time.
struct Occurrence {
    due: Instant,
    local: String,
}

impl Promo {
    /// Sets a timer for each new or changed promotion and cancels the timers of
    /// those that are gone.
    pub(crate) fn plan_all(&self) -> Result<(), String> {
        let mut changed = 0;
        let prefix = place("");
        for key in kv::keys(Scope::Plugin, &prefix, 1_000) {
            let id = key.strip_prefix(&prefix).unwrap_or_default();
            let why = match self.0.promos.get(id) {
                Some(promo) if promo.enabled => continue,
                Some(_) => "is switched off",
                None => "is no longer in the rules",
            };
            if changed == PLANNED_AT_ONCE {
                return set_timer(GO_ON, business::now(), "");
            }
            changed += 1;
            because(format!("`{id}` {why}"));
            cancel_timer(id)?;
            kv::delete(Scope::Plugin, &key)?;
        }
        for promo in self.0.promos.values().filter(|promo| promo.enabled) {
            let by = schedule(promo);
            let known = planned(&promo.id);
            if known.as_ref().is_some_and(|known| known.by == by) {
                continue;
            }
            if changed == PLANNED_AT_ONCE {
                return set_timer(GO_ON, business::now(), "");
            }
            changed += 1;
            if known.is_some() {
                cancel_timer(&promo.id)?;
            }
            plan(promo, first(promo)?)?;
            let since = known.map_or_else(business::now, |known| known.since);
            let planned = write(&Planned { by, since })?;
            kv::set(Scope::Plugin, &place(&promo.id), planned.as_bytes(), None)?;
        }
        Ok(())
    }

    /// The channel's timer of a promotion came due.
    pub(crate) fn start(&self, run: Run) -> Result<(), String> {
        let Some(promo) = self.0.promos.get(&run.promo).filter(|promo| promo.enabled) else {
            because(format!("`{}` is no longer in the rules, or switched off", run.promo));
            return Ok(());
        };
        because(format!("`{}` for {}", promo.id, run.local));
        // Who has a tag now and who has none: both have to be known.
        let everyone = Segment { all_of: vec![], any_of: vec![], none_of: vec![] };
        let to = match &promo.when {
            When::After { .. } => &everyone,
            When::At(_) | When::Every(_) | When::Yearly { .. } => &promo.to.tags,
        };
        broadcast_on(&run.name(), to, &write(&run)?, &promo.terms)?;
        match next(promo)? {
            Some(next) => plan(promo, Some(next)),
            None => Ok(()),
        }
    }
}

/// When a promotion was planned first, in a contact's lane too.
pub fn since(id: &str) -> Option<Instant> {
    planned(id).map(|planned| planned.since)
}

fn planned(id: &str) -> Option<Planned> {
    let known = kv::get(Scope::Plugin, &place(id))?;
    serde_json::from_slice(&known).ok()
}

/// Sets the timer of an occurrence, if there is one.
fn plan(promo: &Promotion, at: Option<Occurrence>) -> Result<(), String> {
    let Some(at) = at else {
        because(match &promo.when {
            When::After { .. } => format!("`{}` waits for what messages tell", promo.id),
            When::At(at) => format!("`{}` has no time to come: {at} has passed", promo.id),
            When::Every(_) | When::Yearly { .. } => {
                format!("`{}` has no time to come", promo.id)
            }
        });
        return Ok(());
    };
    because(format!("`{}` is planned for {}", promo.id, at.local));
    let run = Run { promo: promo.id.clone(), local: at.local, due: None };
    set_timer(&promo.id, at.due, &write(&run)?)
}

/// The first occurrence after the rule was loaded.
fn first(promo: &Promotion) -> Result<Option<Occurrence>, String> {
    let (now, zone) = (business::now(), zone(promo));
    match &promo.when {
        When::At(at) => {
            // By the recipient's clock it is over when the last zone had it.
            let last = if promo.zone == Zone::Recipient { LAST_ZONE } else { &zone };
            let over = business::instant_of(at, last)? < now;
            let due = business::instant_of(at, &zone)?;
            Ok((!over).then(|| Occurrence { due, local: at.clone() }))
        }
        When::Every(_) | When::Yearly { .. } => next(promo),
        // How things stand, so that it can be told what happens from now on.
        When::After { what: Happening::Tag(_) | Happening::Silence, .. } => {
            Ok(Some(Occurrence { due: now, local: business::local_time(now, &zone)? }))
        }
        When::After { what: Happening::Order, .. } => Ok(None),
    }
}

/// The next occurrence of one that comes again.
fn next(promo: &Promotion) -> Result<Option<Occurrence>, String> {
    let cron = match &promo.when {
        When::Every(cron) => cron,
        When::Yearly { .. } | When::After { what: Happening::Tag(_), .. } => DAILY,
        When::At(_) | When::After { what: Happening::Order | Happening::Silence, .. } => {
            return Ok(None);
        }
    };
    let (now, zone) = (business::now(), zone(promo));
    let Some(due) = business::next_occurrence(cron, &zone, now)? else { return Ok(None) };
    Ok(Some(Occurrence { due, local: business::local_time(due, &zone)? }))
}

fn zone(promo: &Promotion) -> String {
    match &promo.zone {
        Zone::Business => business::zone(),
        Zone::Recipient => FIRST_ZONE.into(),
        Zone::Named(name) => name.clone(),
    }
}

/// Differs when the timer would.
fn schedule(promo: &Promotion) -> String {
    format!("{:?} {:?} {}", promo.when, promo.zone, zone(promo))
}

/// Where a promotion's plan is kept: the plugin's scope is shared by all
/// channels, the timers are not.
fn place(id: &str) -> String {
    format!("plan/{}/{id}", business::channel())
}
