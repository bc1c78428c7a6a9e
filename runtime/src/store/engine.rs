//! The seam between what the store means and where its bytes lie. An engine is
//! an ordered map of byte strings that applies a batch as a whole and makes it
//! durable on demand. It knows nothing of lanes, contacts or messages.

use super::Result;
use std::{cmp::Ordering, collections::BTreeMap};

pub type Pair = (Vec<u8>, Vec<u8>);

/// The writes of one group, in the order of their keys; none deletes.
pub type Batch = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Pairs in key order, read as they are asked for.
pub type Pairs<'a> = Box<dyn Iterator<Item = Result<Pair>> + 'a>;

/// Keys from `from` up to and without `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
}

impl Span {
    /// All keys that begin with `prefix`, whose first byte is below 255.
    pub fn prefix(prefix: Vec<u8>) -> Self {
        Self { to: after(&prefix), from: prefix }
    }

    pub fn is_empty(&self) -> bool {
        self.from >= self.to
    }
}

/// The least key that is above every key beginning with `prefix`.
pub fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            break;
        }
    }
    end
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Forward,
    Reverse,
}

impl Order {
    pub fn compare(self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            Self::Forward => a.cmp(b),
            Self::Reverse => b.cmp(a),
        }
    }
}

/// What a back-end has to offer. One thread writes; any number read meanwhile.
/// Every error of the medium is `StoreError::Failed`.
pub trait Engine: Send + Sync + 'static {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// The pairs of a span that is not empty.
    fn range<'a>(&'a self, span: &Span, order: Order) -> Pairs<'a>;
    /// All of it or, if the process dies meanwhile, none. Readable when it
    /// returns, durable only after `sync`.
    fn apply(&self, batch: Batch) -> Result<()>;
    /// Returns when everything applied would survive a crash of the system.
    fn sync(&self) -> Result<()>;
    /// Whether there is room to take on more work: `Full` if not.
    fn room(&self) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_above_all_it_begins() {
        assert_eq!(after(&[3, 1]), [3, 2]);
        assert_eq!(after(&[3, 255, 255]), [4]);
        assert!(after(&[3, 255]) > vec![3, 255, 255, 255]);
    }
}
