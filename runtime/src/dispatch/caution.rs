//! The first turns after a process that broke off. An event that ends the
//! whole process is counted nowhere, so a restart would run it again for ever.
//! It is the first one of some lane: so each lane's first event is counted on
//! disk before it begins, those never tried before many at once, the others
//! one by one. One that keeps ending the process is then alone, reaches
//! `attempts` and is put aside; the others are served before it.

use super::Dispatch;
use crate::{
    model::{Lane, Snapshot},
    store::StoreError,
    wake::Shutdown,
};
use futures::future::join_all;
use std::sync::Arc;

impl Dispatch {
    /// Returns at once if the process before this one ended in good order.
    pub(super) async fn begin(self: &Arc<Self>, shutdown: &Shutdown) {
        match self.store.begin_run().await {
            Ok(true) => {}
            Ok(false) => {
                if let Err(error) = self.first_turns(shutdown).await {
                    tracing::error!("waiting lanes could not be read: {error}");
                }
            }
            Err(error) => tracing::error!("the start could not be noted: {error}"),
        }
    }

    async fn first_turns(self: &Arc<Self>, shutdown: &Shutdown) -> Result<(), StoreError> {
        let turns = self.generation.load().business.turns.clone();
        let (mut after, mut suspects) = (None, Vec::new());
        loop {
            let lanes = self.store.ready_lanes(after.as_ref(), turns.parallel).await?;
            let Some(last) = lanes.last() else { break };
            after = Some(last.clone());
            let mut untried = Vec::new();
            for lane in lanes {
                let Some(snapshot) = self.first_of(&lane).await? else { continue };
                // With one attempt alone, being counted with others is the end.
                match snapshot.event.attempts == 0 && turns.attempts > 1 {
                    true => untried.push(snapshot),
                    false => suspects.push(lane),
                }
            }
            self.counted(untried).await;
            if *shutdown.borrow() {
                return Ok(());
            }
        }
        for lane in suspects {
            if *shutdown.borrow() {
                return Ok(());
            }
            self.counted(self.first_of(&lane).await?.into_iter().collect()).await;
        }
        Ok(())
    }

    async fn first_of(&self, lane: &Lane) -> Result<Option<Snapshot>, StoreError> {
        let next = self.store.next_in_lane(lane).await?;
        Ok(next.filter(|snapshot| !self.waits_for_channel(&snapshot.event)))
    }

    /// Runs turns at once, each counted before. One that fails is left to the
    /// ordinary run, which counts it again.
    async fn counted(self: &Arc<Self>, snapshots: Vec<Snapshot>) {
        let begun = join_all(snapshots.into_iter().map(|snapshot| async {
            match self.store.count_attempt(&snapshot.event.id).await {
                Ok(_) => Some(snapshot),
                Err(error) => {
                    tracing::error!(turn.id = %snapshot.event.id, "not begun: {error}");
                    None
                }
            }
        }));
        let turns = begun.await.into_iter().flatten().map(|snapshot| {
            let (dispatch, id) = (Arc::clone(self), snapshot.event.id.clone());
            let turn = tokio::spawn(async move { dispatch.turn(snapshot).await });
            async move {
                match turn.await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::error!(turn.id = %id, "a turn could not be committed: {error}");
                    }
                    Err(error) => tracing::error!(turn.id = %id, "a turn crashed: {error}"),
                }
            }
        });
        join_all(turns.collect::<Vec<_>>()).await;
    }
}
