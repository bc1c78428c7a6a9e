//! Runs the cases that a component carries before it goes live for the first
//! time. They see nothing of the business: their own rules, no network.

use crate::{
    cases,
    clock::Stopwatch,
    config::Limits,
    plugin::{Plugin, Plugins},
};
use std::{sync::Arc, time::Duration};

/// Cases that are run; a component may carry more.
const CASES: usize = 200;
/// After this, the rest are not run: a reload is waited for.
const TIME: Duration = Duration::from_secs(20);
/// Names of failed cases in one message.
const NAMES: usize = 5;

/// Runs the plugin's own cases within the step's `limits`, once for the same
/// bytes and limits. Ok: a remark for the owner, if there is one. Error: which
/// failed, and how the first one did.
pub async fn run(
    plugins: &Plugins,
    plugin: &Arc<Plugin>,
    limits: &Limits,
) -> Result<Option<String>, String> {
    let Some(packed) = plugin.packed_cases() else { return Ok(None) };
    let Limits { memory_mb, time_ms, configure_ms, .. } = limits;
    let what = format!("{} {memory_mb} {time_ms} {configure_ms}", plugin.hash());
    if plugins.has_passed(&what) {
        return Ok(None);
    }
    let found = match cases::unpack(packed) {
        Ok(found) => found,
        Err(why) => return Ok(Some(format!("the plugin was not checked: {why}"))),
    };
    let watch = Stopwatch::start();
    let (mut ran, mut failed, mut first) = (0, Vec::new(), String::new());
    for case in found.iter().take(CASES) {
        if watch.elapsed() > TIME {
            break;
        }
        let outcome = cases::run_within(plugin, case, Some(limits)).await;
        ran += 1;
        if let Some(difference) = outcome.differences.first() {
            if failed.is_empty() {
                first = format!("`{}`: {difference}", case.name);
            }
            failed.push(format!("`{}`", case.name));
        }
    }
    let came = match failed.len() {
        0 => Ok(()),
        count => {
            let more = if count > NAMES { ", …" } else { "" };
            let names: Vec<String> = failed.into_iter().take(NAMES).collect();
            let names = names.join(", ");
            Err(format!("{count} of the plugin's {ran} own cases failed: {names}{more}. {first}"))
        }
    };
    tracing::info!(
        plugin.name = plugin.descriptor().name,
        cases = ran,
        ok = came.is_ok(),
        "a plugin was checked with its own cases"
    );
    let all = ran == found.len();
    // What was cut short or failed is done again: the machine may have been
    // busy, and better code may be there by then.
    if all && came.is_ok() {
        plugins.remember(what);
    }
    let seconds = TIME.as_secs();
    came.map(|()| {
        (!all).then(|| {
            let of = found.len();
            format!("of the plugin's {of} own cases {ran} were run ({CASES} at most, {seconds} s)")
        })
    })
}
