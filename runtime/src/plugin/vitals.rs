//! How a step fares: what its turns took and came to, its last log lines, and
//! where a new version differed. Kept by step, across generations and
//! versions. Judges nothing; bounded in entries and bytes.

use crate::{
    clock::Stopwatch,
    model::*,
    turn::{Draft, Ran},
};
use std::{
    collections::{BTreeMap, VecDeque},
    future::{Future, poll_fn},
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Turns over which times are told.
const TURNS: usize = 1_000;
/// Versions whose turns are told apart.
const VERSIONS: usize = 8;
/// Log lines kept, and their bytes.
const LOG_LINES: usize = 200;
const LOG_BYTES: usize = 128 * 1024;
/// Differences kept in words, the lines of each side, and a line's length.
const DIFFERENCES: usize = 20;
const SIDE_LINES: usize = 50;
const SIDE_CHARS: usize = 300;

/// What a run was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its outcome is the turn's.
    Answer,
    /// It failed, and another version answered instead.
    Replaced,
    /// Its outcome was only compared.
    Shadow,
}

/// One step's.
#[derive(Debug, Default)]
pub struct Vitals(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    turns: u64,
    errors: BTreeMap<&'static str, u64>,
    versions: VecDeque<VersionReport>,
    times: Lately,
    cpu: Lately,
    cpu_total: Duration,
    memory_bytes: u64,
    rollbacks: u64,
    logs: VecDeque<StepLog>,
    log_bytes: usize,
    difference_count: u64,
    differences: VecDeque<Difference>,
}

impl Vitals {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a run of the version `label`. `took` is what the contact waited.
    pub fn count(&self, role: Role, label: &str, ran: &Ran, took: Duration) {
        let mut kept = self.kept();
        kept.log(label, ran);
        kept.cpu_total += ran.usage.cpu;
        if role == Role::Shadow {
            return;
        }
        if role == Role::Answer {
            kept.turns += 1;
            kept.times.push(took);
            kept.cpu.push(ran.usage.cpu);
        }
        kept.memory_bytes = kept.memory_bytes.max(ran.usage.memory_bytes);
        let error = ran.outcome.as_ref().err();
        if let Some(error) = error {
            *kept.errors.entry(error.kind()).or_default() += 1;
        }
        kept.ran(label, error.is_some());
    }

    pub fn rolled_back(&self) {
        self.kept().rollbacks += 1;
    }

    /// Forgets the differences of the version before.
    pub fn new_shadow(&self) {
        self.kept().differences.clear();
    }

    pub fn differed(&self, difference: Difference) {
        let mut kept = self.kept();
        kept.difference_count += 1;
        if kept.differences.len() == DIFFERENCES {
            kept.differences.pop_front();
        }
        kept.differences.push_back(difference);
    }

    /// The last lines, oldest first.
    pub fn logs(&self, limit: usize) -> Vec<StepLog> {
        let kept = self.kept();
        let beyond = kept.logs.len().saturating_sub(limit);
        kept.logs.iter().skip(beyond).cloned().collect()
    }

    /// The last differences of the newest shadow, newest first.
    pub fn differences(&self) -> Vec<Difference> {
        self.kept().differences.iter().rev().cloned().collect()
    }

    pub fn report(&self) -> VitalsReport {
        let kept = self.kept();
        VitalsReport {
            turns: kept.turns,
            errors: kept.errors.iter().map(|(kind, count)| ((*kind).into(), *count)).collect(),
            versions: kept.versions.iter().cloned().collect(),
            time: kept.times.spread(),
            cpu: kept.cpu.spread(),
            cpu_total_us: micros(kept.cpu_total),
            memory_bytes: kept.memory_bytes,
            rollbacks: kept.rollbacks,
            differences: kept.difference_count,
        }
    }
}

impl Kept {
    fn ran(&mut self, label: &str, failed: bool) {
        let found = self.versions.iter().position(|version| version.plugin == label);
        let mut version = match found.and_then(|at| self.versions.remove(at)) {
            Some(version) => version,
            None => VersionReport { plugin: label.into(), ..VersionReport::default() },
        };
        version.turns += 1;
        version.errors += u64::from(failed);
        if self.versions.len() == VERSIONS {
            self.versions.pop_front();
        }
        // The one that ran last stands last.
        self.versions.push_back(version);
    }

    /// Keeps what the plugin wrote, and as a last line how it failed.
    fn log(&mut self, label: &str, ran: &Ran) {
        let draft = &ran.draft;
        let failed = ran
            .outcome
            .as_ref()
            .err()
            .map(|error| LogLine { level: LogLevel::Error, message: error.to_string() });
        for line in draft.logs.iter().chain(&failed) {
            self.log_bytes += line.message.len();
            self.logs.push_back(StepLog {
                at: draft.now(),
                turn: draft.event().id.to_string(),
                plugin: label.into(),
                level: line.level,
                message: line.message.clone(),
            });
            while self.logs.len() > LOG_LINES || self.log_bytes > LOG_BYTES {
                let Some(oldest) = self.logs.pop_front() else { break };
                self.log_bytes -= oldest.message.len();
            }
        }
    }
}

/// Figures of the last turns, in microseconds.
#[derive(Debug, Default)]
struct Lately(VecDeque<u64>);

impl Lately {
    fn push(&mut self, took: Duration) {
        if self.0.len() == TURNS {
            self.0.pop_front();
        }
        self.0.push_back(micros(took));
    }

    fn spread(&self) -> Spread {
        let mut sorted: Vec<u64> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            sorted.get(index).copied().unwrap_or_default()
        };
        let count = sorted.len().max(1) as u64;
        Spread { mean_us: sorted.iter().sum::<u64>() / count, p50_us: at(50), p99_us: at(99) }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Runs a future and adds to `cpu` the time in which it was polled: what it
/// computed, and not what it waited for.
pub async fn metered<F: Future>(cpu: &mut Duration, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|task| {
        let watch = Stopwatch::start();
        let polled = future.as_mut().poll(task);
        *cpu += watch.elapsed();
        polled
    })
    .await
}

/// Where two runs of one turn differ; none if they came to the same. Reasons
/// and log lines may differ: they change nothing.
pub fn compare(old: (&str, &Ran), new: (&str, &Ran)) -> Option<Difference> {
    let (one, other) = (old.1, new.1);
    let kinds = |ran: &Ran| ran.outcome.as_ref().err().map(|error| error.kind());
    let verdicts = |ran: &Ran| ran.outcome.as_ref().ok().copied();
    let failed = one.outcome.is_err() || other.outcome.is_err();
    let parts = [
        ("error", kinds(one) != kinds(other)),
        ("verdict", !failed && verdicts(one) != verdicts(other)),
        // What a failed one asked for is dropped anyway.
        ("effects", !failed && one.draft.effects != other.draft.effects),
        ("stored", !failed && one.draft.kv != other.draft.kv),
        ("requests", !failed && !asked(one).eq(asked(other))),
    ];
    let differs: Vec<String> =
        parts.into_iter().filter(|(_, differ)| *differ).map(|(part, _)| part.into()).collect();
    if differs.is_empty() {
        return None;
    }
    let (mut left, mut right) = (side(old, false), side(new, false));
    let alike = (&left.effects, &left.stored) == (&right.effects, &right.stored);
    if alike && differs.iter().any(|part| part == "effects" || part == "stored") {
        // The difference is in what words leave out, such as a moment.
        (left, right) = (side(old, true), side(new, true));
    }
    let event = one.draft.event();
    Some(Difference {
        turn: event.id.to_string(),
        at: one.draft.now(),
        event: event.kind.name().into(),
        differs,
        old: left,
        new: right,
    })
}

/// The HTTP requests of a run.
fn asked(ran: &Ran) -> impl Iterator<Item = &HttpRequest> {
    ran.draft.inputs.exchanges.iter().map(|exchange| &exchange.request)
}

/// Whether the new one asked for something over HTTP that the old one did not,
/// and that nobody answered therefore.
pub fn asked_for_more(new: &Ran, old: &Ran) -> bool {
    let same = |a: &HttpRequest, b: &HttpRequest| {
        (&a.method, &a.url, &a.body) == (&b.method, &b.url, &b.body)
    };
    asked(new).any(|request| !asked(old).any(|known| same(known, request)))
}

fn side((label, ran): (&str, &Ran), exact: bool) -> Side {
    let Draft { effects, kv, .. } = &ran.draft;
    let effect = |effect: &Effect| match exact {
        false => effect.in_words(),
        true => format!("{effect:?}"),
    };
    let cut = |line: String| line.chars().take(SIDE_CHARS).collect::<String>();
    let failed = ran.outcome.is_err();
    let lines = if failed { 0 } else { SIDE_LINES };
    Side {
        plugin: label.into(),
        verdict: ran.outcome.as_ref().ok().map(|verdict| {
            match verdict {
                Verdict::Continue => "continue",
                Verdict::Stop => "stop",
            }
            .into()
        }),
        effects: effects.iter().take(lines).map(effect).map(cut).collect(),
        stored: kv.values().take(lines).map(|write| cut(stored(write, exact))).collect(),
        requests: asked(ran)
            .take(lines)
            .map(|request| cut(format!("{} {}", request.method, request.url)))
            .collect(),
        error: ran.outcome.as_ref().err().map(|error| cut(error.to_string())),
    }
}

fn stored(write: &KvWrite, exact: bool) -> String {
    let whose = match write.scope {
        KvScope::Contact => "",
        KvScope::Plugin => " for all",
    };
    let until = match write.expires {
        Some(at) if exact => format!(" until {at}"),
        Some(_) | None => String::new(),
    };
    match &write.value {
        Some(value) => {
            let value = String::from_utf8_lossy(value);
            format!("`{}`{whose}: {}{until}", write.key, value)
        }
        None => format!("`{}`{whose}: removed", write.key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn waiting_is_not_computing() {
        const STEP: Duration = Duration::from_millis(5);
        let mut task = Context::from_waker(Waker::noop());
        let mut cpu = Duration::ZERO;
        let whole = Stopwatch::start();
        {
            let mut polls = 0;
            let busy_twice = poll_fn(|_| {
                let busy = Stopwatch::start();
                while busy.elapsed() < STEP {}
                polls += 1;
                if polls == 2 { Poll::Ready(()) } else { Poll::Pending }
            });
            let mut measured = pin!(metered(&mut cpu, busy_twice));
            assert!(measured.as_mut().poll(&mut task).is_pending());
            std::thread::sleep(4 * STEP);
            assert!(measured.as_mut().poll(&mut task).is_ready());
        }
        assert!(cpu >= 2 * STEP && cpu + 4 * STEP <= whole.elapsed(), "{cpu:?}");
    }

    #[test]
    fn spreads_are_of_the_last_turns() {
        let mut lately = Lately::default();
        assert_eq!(lately.spread(), Spread::default());
        for micros in 0..=1_000 {
            lately.push(Duration::from_micros(micros));
        }
        // 0 has gone.
        assert_eq!(lately.spread(), Spread { mean_us: 500, p50_us: 500, p99_us: 990 });
    }
}
