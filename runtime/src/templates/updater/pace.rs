//! When an account's list is read again. Pure.

use crate::{
    model::Millis,
    outbox::backoff,
    provider::{ErrorClass, TemplateTrouble},
};
use std::collections::VecDeque;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
/// Between two readings, whatever is wanted.
pub const GAP_MS: Millis = MINUTE;
/// While nothing calls for it sooner.
pub const PERIOD_MS: Millis = HOUR;
/// After a limit of calls was met; it grows.
pub const LIMITED_MS: Millis = 5 * MINUTE;
/// Calls in an hour. The provider takes 200 from us and from whatever else uses
/// the account with the same app.
pub const CALLS: usize = 150;

/// What happened with one account's list so far.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    pub tried_at: Option<Millis>,
    /// Something is known that the copy lacks.
    pub wanted: bool,
    /// Why the last reading failed.
    pub failure: Option<String>,
    /// What the last whole reading took.
    pub pages: usize,
    class: Option<ErrorClass>,
    /// Failures in a row.
    failures: u32,
    /// For which it was last tried.
    generation: u64,
    /// In the last hour.
    calls: VecDeque<Millis>,
}

impl Pace {
    /// When it is to be read next.
    pub fn due(&self, generation: u64, now: Millis) -> Millis {
        let Some(tried) = self.tried_at else { return 0 };
        // The clock may have been set back.
        let tried = tried.min(now);
        let doubled = |first| backoff::growing(first, 2, self.failures, 0.0, PERIOD_MS);
        let pause = match self.class {
            Some(ErrorClass::CallLimit | ErrorClass::RetrySlow) => doubled(LIMITED_MS),
            _ if self.generation != generation => GAP_MS,
            Some(ErrorClass::Permanent) => PERIOD_MS,
            Some(_) => doubled(GAP_MS),
            None if self.wanted => GAP_MS,
            None => PERIOD_MS,
        };
        (tried + pause).max(self.room_at(now))
    }

    /// When the calls of a whole reading are left within the hour.
    fn room_at(&self, now: Millis) -> Millis {
        let recent: Vec<Millis> = self.recent(now).collect();
        let over = (recent.len() + self.pages.max(1)).saturating_sub(CALLS);
        match over.checked_sub(1).map(|last| recent.get(last).or(recent.last())) {
            Some(Some(call)) => call + HOUR,
            Some(None) | None => 0,
        }
    }

    fn recent(&self, now: Millis) -> impl Iterator<Item = Millis> {
        self.calls.iter().copied().filter(move |call| *call <= now && now < call + HOUR)
    }

    pub fn begin(&mut self, generation: u64, now: Millis) {
        self.tried_at = Some(now);
        self.generation = generation;
        self.wanted = false;
    }

    /// Counts a call. Error: none is left in this hour.
    pub fn call(&mut self, now: Millis) -> Result<(), TemplateTrouble> {
        self.calls = self.recent(now).collect();
        if self.calls.len() >= CALLS {
            return Err(TemplateTrouble {
                class: ErrorClass::CallLimit,
                reason: format!("{CALLS} calls were made within an hour, and no more are allowed"),
            });
        }
        self.calls.push_back(now);
        Ok(())
    }

    pub fn end(&mut self, trouble: Option<TemplateTrouble>) {
        self.class = trouble.as_ref().map(|trouble| trouble.class);
        self.failure = trouble.map(|trouble| trouble.reason);
        self.failures = if self.failure.is_some() { self.failures.saturating_add(1) } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Millis = 1_000 * HOUR;

    fn tried() -> Pace {
        let mut pace = Pace::default();
        assert_eq!(pace.due(1, AT), 0, "at the start");
        pace.begin(1, AT);
        pace.call(AT).unwrap();
        pace.end(None);
        pace
    }

    fn failed(pace: &mut Pace, class: ErrorClass) -> Millis {
        pace.begin(1, AT);
        pace.end(Some(TemplateTrouble { class, reason: "no".into() }));
        pace.due(1, AT) - AT
    }

    #[test]
    fn it_is_read_hourly_and_sooner_where_something_is_new() {
        let mut pace = tried();
        assert_eq!(pace.due(1, AT), AT + HOUR);
        assert_eq!(pace.due(2, AT), AT + MINUTE, "after a reload");
        pace.wanted = true;
        assert_eq!(pace.due(1, AT), AT + MINUTE);
        pace.begin(1, AT + MINUTE);
        assert_eq!(pace.due(1, AT + MINUTE), AT + MINUTE + HOUR, "once is enough");
        assert_eq!(pace.due(1, AT - HOUR), AT, "the clock was set back");
    }

    #[test]
    fn failures_make_it_rarer_up_to_an_hour() {
        let mut pace = tried();
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(failed(&mut pace, ErrorClass::Retry), minutes * MINUTE);
        }
        assert_eq!(pace.due(2, AT), AT + MINUTE, "a reload may have mended it");
        let mut pace = tried();
        for minutes in [5, 10, 20, 40, 60] {
            assert_eq!(failed(&mut pace, ErrorClass::CallLimit), minutes * MINUTE);
            assert_eq!(pace.due(2, AT), AT + minutes * MINUTE, "a reload changes no limit");
        }
    }

    #[test]
    fn no_hour_has_more_calls_than_allowed() {
        let mut pace = tried();
        pace.wanted = true;
        for call in 1..CALLS as Millis {
            pace.call(AT + call).unwrap();
        }
        let now = AT + CALLS as Millis;
        assert!(pace.call(now).is_err());
        assert_eq!(pace.due(1, now), AT + HOUR, "the first call's end makes room for one");
        pace.pages = 3;
        assert_eq!(pace.due(1, now), AT + 2 + HOUR);
        pace.call(AT + HOUR).unwrap();
    }
}
