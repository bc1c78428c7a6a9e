//! What a replay has found, for an owner to read.

use super::super::out;
use crate::{
    model::moment,
    rehearsal::{Change, Example, Group, Tally},
};

pub(super) fn turns(tally: &Tally) -> usize {
    tally.same + tally.different + tally.not_replayable()
}

pub(super) fn tell(tally: &Tally) {
    for (change, group) in tally.groups() {
        tell_group(change, group);
    }
    for (why, times) in &tally.not_replayable {
        out::line(format_args!("not replayable, {}: {why}", out::counted(*times, "turn")));
    }
    if tally.guessed > 0 {
        out::line(format_args!(
            "of {} it is not sure: a step looked for a stored value that is not in the record, and \
             found nothing",
            out::counted(tally.guessed, "differing turn")
        ));
    }
    out::line(match turns(tally) {
        0 => "there are no turns in this time".into(),
        all => format!(
            "{}: {} the same, {} different, {} not replayable",
            out::counted(all, "turn"),
            tally.same,
            tally.different,
            tally.not_replayable()
        ),
    });
}

fn tell_group(change: &Change, group: &Group) {
    out::line(format_args!("{}: {}", out::counted(group.times, "turn"), change.about.name()));
    list("then", &change.then);
    list("now", &change.now);
    let Example { turn, at, contact, event, text, because_then, because_now } = &group.example;
    let at = moment(*at).map(|at| at.strftime("%Y-%m-%d %H:%MZ").to_string()).unwrap_or_default();
    let contact = contact.as_ref().map(|contact| format!(" of {contact}")).unwrap_or_default();
    let text = text.as_ref().map(|text| format!(" “{text}”")).unwrap_or_default();
    out::line(format_args!("  such as {turn}: {event}{contact}, {at}{text}"));
    list("why", because_then);
    if because_then != because_now {
        list("why now", because_now);
    }
}

/// Nothing is said as such, so that it is seen.
fn list(label: &str, texts: &[String]) {
    let mut lines: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
    if lines.is_empty() {
        lines.push("(nothing)");
    }
    for (index, line) in lines.iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        out::line(format!("  {label:<7} | {line}").trim_end());
    }
}
