//! What promotions do over time, run natively.

mod after;
mod audience;
mod delivering;
mod mistakes;
mod moments;
mod planning;
mod variants;
mod year;
mod yearly;

use super::*;
use switchboard_plugin::testing::{Effect, Stage, Turn, configure};

/// 1 December 2026, 10:00 UTC.
const DECEMBER: Instant = 1_796_119_200_000;
const HOUR: Instant = 3_600_000;

fn promo(fields: &str) -> Promo {
    let rules = format!(
        r#"{{"opt_out": ["STOP", "退订"], "opt_out_reply": "Stopped.", "opt_in": ["start"],
            "promo": [{{"id": "spring", "template": "spring_sale", "language": "en", {fields}}}]}}"#
    );
    configure(&rules).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn loaded(stage: &mut Stage, promo: &Promo) -> Turn {
    stage.channel_lane = true;
    let json = r#"{"field": "rules-loaded"}"#.into();
    stage.handle(promo, Event::Other(Other { kind: "account".into(), json }))
}

fn fire(stage: &mut Stage, promo: &Promo, timers: &Turn) -> Turn {
    let timer = timers.effects.iter().find_map(|effect| match effect {
        Effect::SetTimer { name, due, payload } => {
            Some(Timer { name: name.clone(), due: *due, payload: payload.clone() })
        }
        _ => None,
    });
    let timer = timer.unwrap_or_else(|| panic!("no timer in {timers:?}"));
    stage.now = stage.now.max(timer.due);
    stage.handle(promo, Event::Timer(timer))
}

/// The broadcast's event in a contact's own lane.
fn reach(stage: &mut Stage, promo: &Promo, local: &str) -> Turn {
    let payload = format!(r#"{{"promo": "spring", "local": "{local}"}}"#);
    stage.handle(promo, Event::Broadcast(Broadcast { id: format!("spring@{local}"), payload }))
}

/// A stage on which the rules have been loaded, in a contact's lane.
fn known(promo: &Promo) -> Stage {
    let mut stage = Stage::default();
    loaded(&mut stage, promo);
    stage.channel_lane = false;
    stage
}

/// Why the campaign leaves the contact out.
fn left_out(turn: &Turn) -> Vec<&str> {
    let said = turn.effects.iter().filter_map(|effect| match effect {
        Effect::LeaveOut(reason) => Some(reason.as_str()),
        _ => None,
    });
    said.collect()
}

const DAY: Instant = 24 * HOUR;

fn at(local: &str, zone: &str) -> Instant {
    business::instant_of(local, zone).unwrap()
}
