//! How a step keeps one contact's turn from the next one's: which way is in
//! effect and why, and the snapshot that new instances are made from.

use super::{code::Ready, compile::BIG_BYTES, load::Plugin, snapshot::Order};
use crate::config::Isolation;
use arc_swap::ArcSwap;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What is in effect, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Isolated {
    /// Each turn gets a new instance that has its rules already.
    Snapshot,
    /// Each turn gets a new instance, which takes its rules first.
    Configured { why: String },
    /// Instances are used again.
    Warm { why: String },
}

impl fmt::Display for Isolated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Snapshot => f.write_str("fresh from a snapshot"),
            Self::Configured { why } => write!(f, "fresh, configured for each turn: {why}"),
            Self::Warm { why } => write!(f, "warm: {why}"),
        }
    }
}

/// How a step's instances are got.
pub enum Mode {
    Warm { why: String },
    Fresh(Arc<Fresh>),
}

/// Where new instances come from.
pub struct Fresh {
    state: ArcSwap<Snapshot>,
    /// Whether a snapshot was asked for. The first turn does: what no message
    /// reaches needs none.
    begun: AtomicBool,
}

enum Snapshot {
    Coming,
    There(Arc<Ready>),
    Without(String),
}

impl Mode {
    pub fn choose(asked: Isolation, plugin: &Plugin) -> Self {
        let warm = |why: &str| Self::Warm { why: why.into() };
        match asked {
            Isolation::Warm => warm("the step asks for it"),
            Isolation::Fresh => Self::Fresh(Arc::new(Fresh::new(plugin))),
            // They are this project's own: what they keep between turns is
            // their rules, and warm is what serves most turns a second.
            Isolation::Auto if plugin.bundled => warm("a bundled plugin keeps only its rules"),
            Isolation::Auto => match plugin.snapshot_possible() {
                Err(why) => Self::Warm { why: format!("it cannot be snapshotted: {why}") },
                Ok(()) if plugin.code.size > BIG_BYTES => {
                    warm("it takes seconds to compile, which each change of its rules would need")
                }
                Ok(()) => Self::Fresh(Arc::new(Fresh::new(plugin))),
            },
        }
    }

    pub fn is_warm(&self) -> bool {
        match self {
            Self::Warm { .. } => true,
            Self::Fresh(_) => false,
        }
    }

    /// What new instances that need no rules are made from.
    pub fn snapshot(&self) -> Option<Arc<Ready>> {
        match self {
            Self::Warm { .. } => None,
            Self::Fresh(fresh) => match &**fresh.state.load() {
                Snapshot::There(ready) => Some(ready.clone()),
                Snapshot::Coming | Snapshot::Without(_) => None,
            },
        }
    }

    pub fn in_effect(&self) -> Isolated {
        match self {
            Self::Warm { why } => Isolated::Warm { why: why.clone() },
            Self::Fresh(fresh) => match &**fresh.state.load() {
                Snapshot::There(_) => Isolated::Snapshot,
                Snapshot::Coming => {
                    let begun = fresh.begun.load(Ordering::Relaxed);
                    let why = match begun {
                        true => "its snapshot is being made",
                        false => "its first message has its snapshot made",
                    };
                    Isolated::Configured { why: why.into() }
                }
                Snapshot::Without(why) => {
                    Isolated::Configured { why: format!("it cannot be snapshotted: {why}") }
                }
            },
        }
    }

    /// Takes the snapshot that an earlier process made, if there is one.
    pub async fn take_kept(&self, order: impl FnOnce() -> Order) {
        let Self::Fresh(fresh) = self else { return };
        if !fresh.wants_one() {
            return;
        }
        let order = order();
        if order.workshop.cache.is_none() {
            return;
        }
        let kept = tokio::task::spawn_blocking(move || order.kept()).await;
        if let Ok(Some(ready)) = kept {
            fresh.state.store(Arc::new(Snapshot::There(Arc::new(ready))));
        }
    }

    /// Has the snapshot made behind the turns, once.
    pub fn begin(&self, order: impl FnOnce() -> Order) {
        let Self::Fresh(fresh) = self else { return };
        if !fresh.wants_one() || fresh.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        let order = order();
        let workshop = order.workshop.clone();
        let fresh = Arc::downgrade(fresh);
        workshop.later(move || {
            // The step may be gone by now.
            if fresh.strong_count() == 0 {
                return;
            }
            // What reads components is made for well-behaved ones.
            let made = catch_unwind(AssertUnwindSafe(|| order.make()));
            let made = match made.unwrap_or_else(|_| Err("its maker broke off".into())) {
                Ok(ready) => Snapshot::There(Arc::new(ready)),
                Err(why) => {
                    tracing::debug!(plugin.name = order.name, why, "no snapshot");
                    Snapshot::Without(why)
                }
            };
            if let Some(fresh) = fresh.upgrade() {
                fresh.state.store(Arc::new(made));
            }
        });
    }
}

impl Fresh {
    fn new(plugin: &Plugin) -> Self {
        let state = match plugin.snapshot_possible() {
            Ok(()) => Snapshot::Coming,
            Err(why) => Snapshot::Without(why.into()),
        };
        Self { state: ArcSwap::from_pointee(state), begun: AtomicBool::new(false) }
    }

    fn wants_one(&self) -> bool {
        match &**self.state.load() {
            Snapshot::Coming => true,
            Snapshot::There(_) | Snapshot::Without(_) => false,
        }
    }
}
