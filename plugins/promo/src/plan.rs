//! In the channel's lane: when each promotion runs next, and starting it.
//!
//! What is planned is kept per channel and promotion, so that loading rules
//! again changes only what changed in them.

use crate::{
    Promo, Run,
    rules::{Promotion, When, Zone},
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

/// What is kept of a promotion that has a timer, or had one and is over.
#[derive(Serialize, Deserialize)]
struct Planned {
    /// The schedule it was planned by.
    by: String,
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
            if !self.0.promos.contains_key(id) {
                if changed == PLANNED_AT_ONCE {
                    return set_timer(GO_ON, business::now(), "");
                }
                changed += 1;
                because(format!("`{id}` is no longer in the rules"));
                cancel_timer(id)?;
                kv::delete(Scope::Plugin, &key)?;
            }
        }
        for promo in self.0.promos.values() {
            let by = schedule(promo);
            let known = kv::get(Scope::Plugin, &place(&promo.id));
            let known: Option<Planned> = known.and_then(|json| serde_json::from_slice(&json).ok());
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
            plan(promo)?;
            let planned = write(&Planned { by })?;
            kv::set(Scope::Plugin, &place(&promo.id), planned.as_bytes(), None)?;
        }
        Ok(())
    }

    /// The channel's timer of a promotion came due.
    pub(crate) fn start(&self, run: Run) -> Result<(), String> {
        let Some(promo) = self.0.promos.get(&run.promo) else {
            because(format!("`{}` is no longer in the rules", run.promo));
            return Ok(());
        };
        because(format!("`{}` for {}", promo.id, run.local));
        broadcast(&format!("{}@{}", promo.id, run.local), &promo.to, &write(&run)?)?;
        match promo.when {
            When::Every(_) => plan(promo),
            When::At(_) => Ok(()),
        }
    }
}

/// Sets the timer of the next occurrence, if there is one.
fn plan(promo: &Promotion) -> Result<(), String> {
    let Some(next) = next(promo)? else {
        because(format!("`{}` has no time to come", promo.id));
        return Ok(());
    };
    because(format!("`{}` is planned for {}", promo.id, next.local));
    let run = Run { promo: promo.id.clone(), local: next.local };
    set_timer(&promo.id, next.due, &write(&run)?)
}

fn next(promo: &Promotion) -> Result<Option<Occurrence>, String> {
    let (now, zone) = (business::now(), zone(promo));
    match &promo.when {
        When::At(at) => {
            // By the recipient's clock it is over when the last zone had it.
            let last = if promo.zone == Zone::Recipient { LAST_ZONE } else { &zone };
            let over = business::instant_of(at, last)? < now;
            let due = business::instant_of(at, &zone)?;
            Ok((!over).then(|| Occurrence { due, local: at.clone() }))
        }
        When::Every(cron) => {
            let Some(due) = business::next_occurrence(cron, &zone, now)? else { return Ok(None) };
            let local = business::local_time(due, &zone)?;
            Ok(Some(Occurrence { due, local }))
        }
    }
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
