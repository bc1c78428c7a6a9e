//! How `plugin list` looks on a terminal.

use crate::{
    cli::out,
    model::{
        Difference, Millis, RolloutPhase, RolloutReport, Side, StepLog, StepReport, VitalsReport,
        moment, plain,
    },
};

const HEADINGS: [&str; 8] =
    ["STEP", "PLUGIN", "TURNS", "ERRORS", "MS (P99)", "CPU MS", "MEMORY", "STATE"];
/// Columns of numbers stand to the right.
const TO_THE_RIGHT: [bool; 8] = [false, false, true, true, true, true, true, false];

/// A row for each step, and below what its owner should know.
pub fn lines(steps: &[StepReport], running: bool) -> Vec<String> {
    let mut rows: Vec<[String; 8]> = vec![HEADINGS.map(Into::into)];
    rows.extend(steps.iter().map(|step| row(step, running)));
    let widths: [usize; 8] = std::array::from_fn(|column| {
        let width = |row: &[String; 8]| row.get(column).map_or(0, |cell| cell.chars().count());
        rows.iter().map(width).max().unwrap_or_default()
    });
    let mut lines: Vec<String> = rows.iter().map(|row| line(row, &widths)).collect();
    lines.extend(steps.iter().flat_map(remarks));
    lines
}

fn line(row: &[String; 8], widths: &[usize; 8]) -> String {
    let cells =
        row.iter().zip(widths).zip(TO_THE_RIGHT).map(|((cell, width), right)| match right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

fn row(report: &StepReport, running: bool) -> [String; 8] {
    let VitalsReport { turns, time, cpu, memory_bytes, .. } = report.vitals;
    let (step, plugin) = (report.step.clone(), plain(&report.plugin));
    let measured = |text: String| if turns == 0 { "-".into() } else { text };
    [
        step,
        plugin,
        if running { turns.to_string() } else { "-".into() },
        if running { report.vitals.failed().to_string() } else { "-".into() },
        measured(format!("{} ({})", millis(time.p50_us), millis(time.p99_us))),
        measured(millis(cpu.mean_us)),
        measured(out::size(memory_bytes)),
        if running { state(report) } else { "not running".into() },
    ]
}

/// `0.4`, `12`.
fn millis(us: u64) -> String {
    match us {
        0..10_000 => format!("{:.1}", us as f64 / 1e3),
        _ => (us / 1_000).to_string(),
    }
}

fn state(report: &StepReport) -> String {
    let RolloutReport { phase, beside, turns, of, failures, differences, .. } = &report.rollout;
    let beside = plain(beside.as_deref().unwrap_or_default());
    let rollout = match phase {
        RolloutPhase::Settled => String::new(),
        RolloutPhase::Shadow => {
            format!("{beside} in the shadow: {turns} of {of} turns, {differences} differ")
        }
        RolloutPhase::Watch => format!("new, watched: {turns} of {of} turns, {failures} failed"),
        RolloutPhase::RolledBack => "ROLLED BACK, see below".into(),
    };
    let condition = report.condition.as_deref().map(plain);
    let known: Vec<String> =
        [condition, Some(rollout)].into_iter().flatten().filter(|it| !it.is_empty()).collect();
    if known.is_empty() { "live".into() } else { known.join("; ") }
}

fn remarks(report: &StepReport) -> Vec<String> {
    let step = &report.step;
    let mut found = Vec::new();
    if let Some(why) = &report.rollout.rolled_back {
        found.push(format!("{step}: {}", plain(&why.to_string())));
    }
    if let Some(isolation) = &report.isolation {
        found.push(format!("{step}: {}", plain(isolation)));
    }
    let kinds = report.vitals.errors.iter().map(|(kind, count)| format!("{count} {kind}"));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    if !kinds.is_empty() {
        found.push(format!("{step}: errors: {kinds}"));
    }
    for want in report.grants.iter().filter(|want| !want.granted) {
        let (name, reason) = (plain(&want.name), plain(&want.reason));
        let to_grant = plain(&want.to_grant);
        found.push(format!("{step}: asks for `{name}` ({reason}); to allow it: {to_grant}"));
    }
    found
}

pub fn log_line(log: &StepLog) -> String {
    let level = format!("{:?}", log.level).to_lowercase();
    let (at, plugin) = (time(log.at), plain(&log.plugin));
    format!("{at} {level:<5} {} {plugin}: {}", log.turn, plain(&log.message))
}

/// A line for the turn and one for what each version did.
pub fn difference(difference: &Difference) -> [String; 3] {
    let Difference { turn, at, event, differs, old, new } = difference;
    let width = old.plugin.chars().count().max(new.plugin.chars().count());
    let line = |side: &Side| {
        let stored = side.stored.iter().map(|write| format!("stored {write}"));
        let requests = side.requests.iter().map(|request| format!("asked {request}"));
        let verdict = side.verdict.iter().cloned();
        let did = side.error.iter().cloned().chain(side.effects.iter().cloned());
        let all: Vec<String> = did.chain(stored).chain(requests).chain(verdict).collect();
        format!("  {:<width$}  {}", plain(&side.plugin), plain(&all.join("; ")))
    };
    let head = format!("{} {event} {turn} differ: {}", time(*at), differs.join(", "));
    [head, line(old), line(new)]
}

fn time(at: Millis) -> String {
    moment(at).map(|at| format!("{at:.3}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GrantReport, RolledBack, Spread};

    #[test]
    fn a_shop_owner_can_read_it() {
        let vitals = VitalsReport {
            turns: 1_204,
            errors: [("trap".into(), 5), ("deadline".into(), 1)].into(),
            time: Spread { mean_us: 500, p50_us: 440, p99_us: 23_000 },
            cpu: Spread { mean_us: 260, ..Spread::default() },
            memory_bytes: 1_500_000,
            ..VitalsReport::default()
        };
        let why = RolledBack {
            plugin: "loyalty 0.2.0".into(),
            hash: "00".into(),
            back_to: "loyalty 0.1.0".into(),
            at: 1_772_445_600_000,
            failures: 5,
            turns: 7,
            during: RolloutPhase::Watch,
            last_error: "trap".into(),
        };
        let rollout = RolloutReport {
            phase: RolloutPhase::RolledBack,
            rolled_back: Some(why),
            ..RolloutReport::default()
        };
        let report = StepReport {
            step: "points".into(),
            plugin: "loyalty 0.1.0".into(),
            vitals,
            rollout,
            grants: vec![GrantReport {
                name: "broadcast".into(),
                reason: "to tell\neveryone".into(),
                granted: false,
                to_grant: "`grants = { broadcast = true }`".into(),
            }],
            ..StepReport::default()
        };
        let idle =
            StepReport { step: "faq".into(), plugin: "faq 0.1.0".into(), ..StepReport::default() };
        insta::assert_snapshot!(lines(&[report, idle], true).join("\n"), @r"
        STEP    PLUGIN         TURNS  ERRORS  MS (P99)  CPU MS  MEMORY  STATE
        points  loyalty 0.1.0   1204       6  0.4 (23)     0.3  1.4 MB  ROLLED BACK, see below
        faq     faq 0.1.0          0       0         -       -       -  live
        points: loyalty 0.2.0 was rolled back at 2026-03-02T10:00:00Z, and loyalty 0.1.0 runs instead: 5 of 7 turns failed, the last with `trap`; put a mended version into the folder, or the old one back: a restart loads what is there
        points: errors: 1 deadline, 5 trap
        points: asks for `broadcast` (to tell everyone); to allow it: `grants = { broadcast = true }`
        ");
    }
}
