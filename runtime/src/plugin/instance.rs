//! One instance of a component, and calls into it that end in time.

use super::{
    allowance::{Allowance, OutOfTime},
    bindings::{
        Plugin as Guest,
        exports::switchboard::plugin::guest::Verdict as WitVerdict,
        switchboard::plugin::types::{Descriptor, Event, Problem},
    },
    code::Ready,
    engine::{Live, Machine, Ticking},
    host::Host,
    http::Line,
    vitals::metered,
};
use crate::{
    model::{LogLevel, Millis, Verdict, plain_line},
    turn::{Draft, StepError, Usage},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use wasmtime::{Store, Trap, UpdateDeadline, component};

/// Bytes that a guest may hand over in one call: the largest value (64 KiB)
/// and any message many times over.
const HANDED_BYTES: usize = 1024 * 1024;
/// Ticks after which other turns on the same thread have theirs.
const TICKS_BEFORE_YIELD: u64 = 10;
/// Time that passes beyond the limit while a guest does not run: the machine is
/// busy with others, or a host call waits. Sixty-four turns of 100 ms on two
/// cores keep each other waiting for three seconds.
const WAITING: Duration = Duration::from_secs(5);

/// A plugin's own words for its failure are cut after this many characters.
pub const WORDS_CHARS: usize = 1_000;

/// A call that did not come back as it should; the instance is spoilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    Deadline,
    Memory,
    /// In the guest's own last words, if it had any.
    Trap(String),
}

impl Failure {
    pub fn step_error(self, limit: Duration, limit_mb: u32) -> StepError {
        match self {
            Self::Deadline => StepError::Deadline { limit },
            Self::Memory => StepError::Memory { limit_mb },
            Self::Trap(words) => StepError::Trap(words),
        }
    }
}

pub struct Instance {
    store: Store<Host>,
    guest: Guest,
    /// The same, by the names of its exports.
    raw: component::Instance,
    machine: Arc<Machine>,
    /// What it was made from.
    code: Arc<Ready>,
    /// Turns it has served.
    pub turns: u32,
    /// By the last turn.
    pub used: Usage,
    _live: Live,
}

/// How a step failed in the middle of a turn, or what it decided.
pub type Outcome = Result<Result<Verdict, String>, Failure>;

impl Instance {
    /// `now` and `seed` are what the guest's clock and chance show until the
    /// next turn.
    pub async fn new(
        machine: &Arc<Machine>,
        code: &Arc<Ready>,
        memory_mb: u32,
        limit: Duration,
        (now, seed): (Millis, u64),
    ) -> Result<Self, Failure> {
        let live = machine.instance(code.compiler, code.memories);
        let mut host = Host::new(memory_mb);
        host.begin(now, seed);
        let mut store = Store::new(code.pre.engine(), host);
        store.limiter(|host| &mut host.memory);
        store.set_hostcall_fuel(HANDED_BYTES);
        store.epoch_deadline_callback(|mut store| match store.data_mut().time.tick()? {
            left if left % TICKS_BEFORE_YIELD == 0 => Ok(UpdateDeadline::Yield(1)),
            _ => Ok(UpdateDeadline::Continue(1)),
        });
        let _ticking = arm(machine, &mut store, limit);
        let instantiated = timeout(limit + WAITING, code.pre.instantiate_async(&mut store)).await;
        let raw = settle(instantiated, &mut store)?;
        let guest = code.indices.load(&mut store, &raw);
        let guest = guest.map_err(|error| Failure::Trap(format!("{error:#}")))?;
        let (machine, code) = (machine.clone(), code.clone());
        let used = Usage::default();
        Ok(Self { store, guest, raw, machine, code, turns: 0, used, _live: live })
    }

    /// Whether new instances would be made from the same.
    pub fn is_of(&self, code: &Arc<Ready>) -> bool {
        Arc::ptr_eq(&self.code, code)
    }

    pub fn may_stay_idle(&self) -> bool {
        self.machine.may_keep_idle(self.code.compiler)
    }

    /// For one who looks into it. It must not be used for turns afterwards.
    pub fn open(&mut self) -> (&mut Store<Host>, component::Instance) {
        (&mut self.store, self.raw)
    }

    pub async fn describe(&mut self, limit: Duration) -> Result<Descriptor, Failure> {
        let _ticking = arm(&self.machine, &mut self.store, limit);
        let call = self.guest.switchboard_plugin_guest().call_describe(&mut self.store);
        let ended = timeout(limit + WAITING, call).await;
        settle(ended, &mut self.store)
    }

    pub async fn configure(
        &mut self,
        rules: &str,
        limit: Duration,
    ) -> Result<Result<(), Vec<Problem>>, Failure> {
        let _ticking = arm(&self.machine, &mut self.store, limit);
        let call = self.guest.switchboard_plugin_guest().call_configure(&mut self.store, rules);
        let ended = timeout(limit + WAITING, call).await;
        settle(ended, &mut self.store)
    }

    /// Runs one turn on the draft and gives it back.
    pub async fn handle(
        &mut self,
        draft: Draft,
        line: Line,
        event: &Event,
        limit: Duration,
        seed: u64,
    ) -> (Draft, Outcome) {
        self.turns += 1;
        let bare = bare(&draft);
        let host = self.store.data_mut();
        host.begin(draft.now(), seed);
        host.draft = Some(draft);
        host.line = Some(line);
        (host.shelf, host.read) = (self.machine.shelf.get().cloned(), 0);
        let waiting = WAITING + host.http_limit();
        let _ticking = arm(&self.machine, &mut self.store, limit);
        let call = self.guest.switchboard_plugin_guest().call_handle(&mut self.store, event);
        let mut cpu = Duration::ZERO;
        let ended = timeout(limit + waiting, metered(&mut cpu, call)).await;
        let host = self.store.data_mut();
        self.used = Usage { cpu, memory_bytes: host.memory.held as u64 };
        // It is there: nothing else takes it.
        let mut draft = host.draft.take().unwrap_or(bare);
        host.line = None;
        let printed = (host.out.take(), host.err.take());
        for line in printed.0 {
            draft.log(LogLevel::Info, &line);
        }
        for line in &printed.1 {
            draft.log(LogLevel::Warn, line);
        }
        let outcome = judge(ended, self.store.data_mut().memory.refused, &printed.1);
        let verdict = |verdict| match verdict {
            WitVerdict::Continue => Verdict::Continue,
            WitVerdict::Stop => Verdict::Stop,
        };
        let words = |words: String| plain_line(&words, WORDS_CHARS);
        (draft, outcome.map(|said| said.map(verdict).map_err(words)))
    }
}

/// The same turn with nothing asked for yet.
fn bare(draft: &Draft) -> Draft {
    let (setting, grants) = (draft.setting.clone(), draft.grants.clone());
    let mut bare = Draft::new(setting, draft.step.clone(), grants, draft.limits);
    bare.sends = draft.sends;
    bare.network = draft.network.clone();
    bare
}

/// Gives the guest its time; see `allowance`. Waiting for the machine has a
/// bound of its own.
fn arm(machine: &Machine, store: &mut Store<Host>, limit: Duration) -> Ticking {
    let ticking = machine.ticking();
    store.data_mut().time = Allowance::of(limit);
    store.set_epoch_deadline(1);
    ticking
}

type Ended<T> = Result<wasmtime::Result<T>, tokio::time::error::Elapsed>;

fn settle<T>(ended: Ended<T>, store: &mut Store<Host>) -> Result<T, Failure> {
    let host = store.data_mut();
    host.out.take();
    judge(ended, host.memory.refused, &host.err.take())
}

fn judge<T>(ended: Ended<T>, refused: bool, printed: &[String]) -> Result<T, Failure> {
    let error = match ended {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(_) => return Err(Failure::Deadline),
    };
    if error.is::<OutOfTime>() {
        return Err(Failure::Deadline);
    }
    if refused {
        return Err(Failure::Memory);
    }
    // Rust ends a panic with advice on how to see a backtrace.
    let words = printed.iter().rfind(|line| !line.starts_with("note: "));
    let words = words.cloned().unwrap_or_else(|| match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string().trim_start_matches("wasm trap: ").to_owned(),
        None => format!("{error:#}"),
    });
    Err(Failure::Trap(plain_line(&words, WORDS_CHARS)))
}
