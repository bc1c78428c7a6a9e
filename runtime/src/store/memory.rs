//! The engine without a disk: for tests, trials and the demo. Keeps nothing
//! beyond the process.

use super::{
    Result,
    engine::{Batch, Engine, Order, Pair, Pairs, Span},
};
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

#[derive(Default)]
pub struct MemoryEngine(RwLock<BTreeMap<Vec<u8>, Vec<u8>>>);

impl MemoryEngine {
    fn map(&self) -> RwLockReadGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for MemoryEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.map().get(key).cloned())
    }

    fn range<'a>(&'a self, span: &Span, order: Order) -> Pairs<'a> {
        let (from, to) = (span.from.clone(), span.to.clone());
        let mut bounds = (Bound::Included(from), Bound::Excluded(to));
        Box::new(std::iter::from_fn(move || {
            let map = self.map();
            let mut pairs = map.range(bounds.clone());
            let found = match order {
                Order::Forward => pairs.next(),
                Order::Reverse => pairs.next_back(),
            };
            let pair: Pair = found.map(|(key, value)| (key.clone(), value.clone()))?;
            match order {
                Order::Forward => bounds.0 = Bound::Excluded(pair.0.clone()),
                Order::Reverse => bounds.1 = Bound::Excluded(pair.0.clone()),
            }
            // A map refuses a range between two excluded bounds that are one.
            if bounds.0 == bounds.1 {
                bounds.0 = Bound::Included(pair.0.clone());
            }
            Some(Ok(pair))
        }))
    }

    fn apply(&self, batch: Batch) -> Result<()> {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in batch {
            match value {
                Some(value) => map.insert(key, value),
                None => map.remove(&key),
            };
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }

    fn room(&self) -> Result<()> {
        Ok(())
    }
}
