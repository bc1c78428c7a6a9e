//! The same turns without the loop, for whoever owns the clock.

use super::{Dispatch, LANES_AT_ONCE, Ran};
use crate::store::StoreError;

/// Failures after which it is no passing one: a turn that fails so often is put
/// aside long before.
const FAILURES_MAX: usize = 1_000;

impl Dispatch {
    /// Runs what waits in all lanes, one turn after the other, until nothing
    /// waits any more. True if any ran.
    pub async fn drain(&self) -> Result<bool, StoreError> {
        let (mut ran, mut failures) = (false, 0);
        loop {
            let lanes = self.store.ready_lanes(None, LANES_AT_ONCE).await?;
            if lanes.is_empty() {
                return Ok(ran);
            }
            for lane in lanes {
                ran = true;
                match self.lane(&lane).await {
                    Ran::Empty | Ran::More => {}
                    Ran::Failed(_) => failures += 1,
                }
            }
            self.store.health()?;
            if failures > FAILURES_MAX {
                return Err(StoreError::Failed("a turn fails again and again".into()));
            }
        }
    }
}
