//! Runs the steps of a recorded turn again: on the contact as the first of them
//! saw it, and on what each of them read. The host's own part is in the contact
//! already. Nothing is written.

use super::{
    Chain, Setting,
    run::{Recorded, Turn},
};
use crate::model::*;
use std::{collections::HashMap, sync::Arc};

/// What came of it.
#[derive(Clone, Debug)]
pub struct Again {
    pub steps: Vec<StepTrace>,
    pub remarks: Vec<String>,
    /// HTTP requests, `METHOD URL`, to which the record has no answer: the step
    /// was told so.
    pub unanswered: Vec<String>,
    /// Stored values that were looked for and are not in the record, so that the
    /// step found nothing: `STEP KEY`.
    pub unknown: Vec<String>,
}

/// Runs `chain` on what the turn `trace` ran on, which `record` has. The event
/// and the moment are those, whatever the setting says.
pub async fn again(trace: &Trace, record: &Record, setting: Setting, chain: &Chain) -> Again {
    let setting = Setting { event: Arc::new(record.event.clone()), now: trace.at, ..setting };
    let ran = trace.steps.iter().zip(&record.steps);
    let known = ran.map(|(ran, own)| (ran.step.clone(), Arc::new(own.inputs.clone())));
    let known: HashMap<String, Arc<Inputs>> = known.collect();
    let mut turn = Turn::of(setting, trace.generation, record.contact.clone());
    turn.known = Some(known.clone());
    turn.recorded = Some(Recorded { contact: None, steps: Vec::new() });
    for link in &chain.steps {
        if turn.concerns(link) && turn.step(link).await == Verdict::Stop {
            break;
        }
    }
    let (mut unanswered, mut unknown) = (Vec::new(), Vec::new());
    let read = turn.recorded.take().map(|recorded| recorded.steps).unwrap_or_default();
    for (step, read) in turn.steps.iter().map(|ran| &ran.step).zip(&read) {
        let known = known.get(step).cloned().unwrap_or_default();
        let answered = |it: &&Exchange| known.exchanges.iter().any(|own| own.answers(&it.request));
        let asked = read.inputs.exchanges.iter().filter(|it| !answered(it));
        unanswered.extend(asked.map(|it| format!("{} {}", it.request.method, it.request.url)));
        let keys = read.inputs.kv.iter().filter(|(scope, key, _)| !known.has_read(*scope, key));
        unknown.extend(keys.map(|(_, key, _)| format!("{step} {key}")));
    }
    Again { steps: turn.steps, remarks: turn.remarks, unanswered, unknown }
}
