//! What a writer sees: the engine with the group's unwritten changes over it.
//! Each operation can be undone alone, so one that fails leaves no trace in its
//! group. A view without changes is what readers read through. Long values are
//! cut into parts here and nowhere else.

use super::{
    Result, StoreError,
    codec::{self, KEY_BYTES, PARTED, PARTED_HEAD, PIECE_BYTES, VALUE_BYTES, WHOLE},
    engine::{Batch, Engine, Order, Pair, Pairs, Span},
    key,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{cmp::Ordering, iter::Peekable};

pub struct View<'a> {
    engine: &'a dyn Engine,
    pending: Batch,
    /// What the current operation replaced in `pending`, the latest last.
    undo: Vec<Replaced>,
    bytes: usize,
}

/// A key with what was pending for it, if anything was.
type Replaced = (Vec<u8>, Option<Option<Vec<u8>>>);

impl<'a> View<'a> {
    pub fn new(engine: &'a dyn Engine) -> Self {
        Self { engine, pending: Batch::new(), undo: Vec::new(), bytes: 0 }
    }

    // Operations and groups.

    /// Ends an operation: its changes stay.
    pub fn keep(&mut self) {
        self.undo.clear();
    }

    /// Ends an operation: its changes never were.
    pub fn undo(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(value) => self.pending.insert(key, value),
                None => self.pending.remove(&key),
            };
        }
    }

    /// How much the group has written so far, in bytes of keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn into_batch(self) -> Batch {
        self.pending
    }

    // Short values: indexes and numbers, written as they are.

    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.pending.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.engine.get(key),
        }
    }

    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<()> {
        let check = |what: &str, bytes: usize, limit: usize| match bytes {
            bytes if bytes <= limit => Ok(()),
            bytes => Err(StoreError::TooLarge { what: what.into(), bytes, limit }),
        };
        check("the name of what is to be stored", key.len(), KEY_BYTES)?;
        check("a short value", value.len(), PIECE_BYTES)?;
        self.set(key, Some(value));
        Ok(())
    }

    pub fn delete(&mut self, key: Vec<u8>) {
        self.set(key, None);
    }

    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        let before = self.pending.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    // Long values: a head and, if need be, parts.

    pub fn long(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        match self.get(key)? {
            Some(head) => self.whole(key, head).map(Some),
            None => Ok(None),
        }
    }

    /// The whole value, from its head as a range yields it.
    pub fn whole(&self, key: &[u8], head: Vec<u8>) -> Result<Vec<u8>> {
        let mut value = beginning(&head)?.to_vec();
        for number in 0..parts(&head)? {
            let part = self.get(&key::part(key, number))?;
            value.extend(part.ok_or_else(|| codec::corrupt("value", "a part is missing"))?);
        }
        Ok(value)
    }

    /// How many bytes a long value has, from its head, without reading it all.
    pub fn length(&self, key: &[u8], head: &[u8]) -> Result<u64> {
        let beginning = beginning(head)?.len() as u64;
        let Some(last) = parts(head)?.checked_sub(1) else { return Ok(beginning) };
        let part = self.get(&key::part(key, last))?;
        let part = part.ok_or_else(|| codec::corrupt("value", "a part is missing"))?;
        Ok(beginning + u64::from(last) * PIECE_BYTES as u64 + part.len() as u64)
    }

    /// Writes a value in the place of whatever stood there.
    pub fn put_long(&mut self, key: Vec<u8>, value: &[u8]) -> Result<()> {
        let old = self.get(&key)?;
        let new = self.add_parts(key.clone(), value)?;
        if let Some(old) = old {
            for number in new..parts(&old)? {
                self.delete(key::part(&key, number));
            }
        }
        Ok(())
    }

    /// Writes a value where nothing stands.
    pub fn add_long(&mut self, key: Vec<u8>, value: &[u8]) -> Result<()> {
        self.add_parts(key, value).map(|_| ())
    }

    fn add_parts(&mut self, key: Vec<u8>, value: &[u8]) -> Result<u32> {
        if value.len() < PIECE_BYTES {
            let mut head = Vec::with_capacity(value.len() + 1);
            head.push(WHOLE);
            head.extend_from_slice(value);
            self.put(key, head)?;
            return Ok(0);
        }
        if value.len() > VALUE_BYTES {
            let (bytes, limit) = (value.len(), VALUE_BYTES);
            return Err(StoreError::TooLarge { what: "a value".into(), bytes, limit });
        }
        let (beginning, rest) = value.split_at(PIECE_BYTES - PARTED_HEAD);
        let mut count = 0u32;
        for part in rest.chunks(PIECE_BYTES) {
            self.put(key::part(&key, count), part.to_vec())?;
            count += 1;
        }
        let mut head = vec![PARTED];
        head.extend(count.to_be_bytes());
        head.extend_from_slice(beginning);
        self.put(key, head)?;
        Ok(count)
    }

    pub fn delete_long(&mut self, key: Vec<u8>) -> Result<()> {
        if let Some(head) = self.get(&key)? {
            for number in 0..parts(&head)? {
                self.delete(key::part(&key, number));
            }
            self.delete(key);
        }
        Ok(())
    }

    // Long values of a type.

    pub fn read<T: DeserializeOwned>(&self, what: &str, key: &[u8]) -> Result<Option<T>> {
        match self.long(key)? {
            Some(value) => codec::decode(what, &value).map(Some),
            None => Ok(None),
        }
    }

    pub fn write<T: Serialize>(&mut self, what: &str, key: Vec<u8>, value: &T) -> Result<()> {
        self.put_long(key, &codec::encode(what, value)?)
    }

    /// As `write`, where nothing stands.
    pub fn add<T: Serialize>(&mut self, what: &str, key: Vec<u8>, value: &T) -> Result<()> {
        self.add_long(key, &codec::encode(what, value)?)
    }

    /// The values of a span.
    pub fn list<T: DeserializeOwned>(
        &self,
        what: &str,
        span: &Span,
        order: Order,
        limit: usize,
    ) -> Result<Vec<T>> {
        let pairs = self.range(span, order).take(limit);
        pairs
            .map(|pair| {
                let (key, head) = pair?;
                codec::decode(what, &self.whole(&key, head)?)
            })
            .collect()
    }

    // Ranges.

    pub fn range<'v>(&'v self, span: &Span, order: Order) -> Pairs<'v> {
        if span.is_empty() {
            return Box::new(std::iter::empty());
        }
        let stored = self.engine.range(span, order);
        if self.pending.is_empty() {
            return stored;
        }
        let bounds = self.pending.range(span.from.clone()..span.to.clone());
        let pending: Pending<'v> = match order {
            Order::Forward => Box::new(bounds),
            Order::Reverse => Box::new(bounds.rev()),
        };
        let (stored, pending) = (stored.peekable(), pending.peekable());
        Box::new(Merged { stored, pending, order })
    }

    pub fn first(&self, span: &Span, order: Order) -> Result<Option<Pair>> {
        self.range(span, order).next().transpose()
    }
}

/// What a long value's head holds of it: all but the parts.
pub fn beginning(head: &[u8]) -> Result<&[u8]> {
    let skipped = match head.first() {
        Some(&WHOLE) => head.get(1..),
        Some(&PARTED) => head.get(PARTED_HEAD..),
        _ => None,
    };
    skipped.ok_or_else(|| codec::corrupt("value", "it was written by a newer version"))
}

fn parts(head: &[u8]) -> Result<u32> {
    match head {
        [PARTED, a, b, c, d, ..] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => beginning(head).map(|_| 0),
    }
}

type Pending<'a> = Box<dyn Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> + 'a>;

/// The engine's pairs with the pending changes among them.
struct Merged<'a> {
    stored: Peekable<Pairs<'a>>,
    pending: Peekable<Pending<'a>>,
    order: Order,
}

impl Iterator for Merged<'_> {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Result<Pair>> {
        loop {
            let which = match (self.stored.peek(), self.pending.peek()) {
                (None, None) => return None,
                (Some(Err(_)), _) | (Some(Ok(_)), None) => return self.stored.next(),
                (None, Some(_)) => Ordering::Less,
                (Some(Ok((stored, _))), Some((pending, _))) => self.order.compare(pending, stored),
            };
            if which == Ordering::Greater {
                return self.stored.next();
            }
            if which == Ordering::Equal {
                self.stored.next();
            }
            if let Some((key, Some(value))) = self.pending.next() {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::memory::MemoryEngine, *};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn keys(view: &View<'_>, span: &Span, order: Order) -> Vec<(u8, u8)> {
        view.range(span, order).map(Result::unwrap).map(|(k, v)| (k[0], v[0])).collect()
    }

    proptest! {
        #[test]
        fn a_view_reads_as_the_batch_will(
            stored in proptest::collection::btree_map(0..20u8, any::<u8>(), 0..12),
            changes in proptest::collection::vec((0..20u8, any::<Option<u8>>()), 0..12),
            undone in proptest::collection::vec((0..20u8, any::<Option<u8>>()), 0..6),
            bounds in (0..21u8, 0..21u8),
        ) {
            let engine = MemoryEngine::default();
            let start = stored.iter().map(|(k, v)| (vec![*k], Some(vec![*v]))).collect();
            engine.apply(start).unwrap();
            let mut view = View::new(&engine);
            let mut expected: BTreeMap<u8, u8> = stored;
            for (key, value) in changes {
                view.set(vec![key], value.map(|v| vec![v]));
                match value {
                    Some(value) => expected.insert(key, value),
                    None => expected.remove(&key),
                };
            }
            view.keep();
            for (key, value) in undone {
                view.set(vec![key], value.map(|v| vec![v]));
            }
            view.undo();
            let span = Span { from: vec![bounds.0], to: vec![bounds.1] };
            let mut inside: Vec<(u8, u8)> =
                expected.into_iter().filter(|(k, _)| (bounds.0..bounds.1).contains(k)).collect();
            prop_assert_eq!(keys(&view, &span, Order::Forward), inside.clone());
            inside.reverse();
            prop_assert_eq!(keys(&view, &span, Order::Reverse), inside.clone());
            engine.apply(view.into_batch()).unwrap();
            prop_assert_eq!(keys(&View::new(&engine), &span, Order::Reverse), inside);
        }
    }

    #[test]
    fn long_values_shrink_and_grow_without_remains() {
        let engine = MemoryEngine::default();
        let mut view = View::new(&engine);
        for length in [0, 3_994, 3_995, 3_999, 4_000, 4_001, 7_995, 7_996, 100_000, 8_000, 12] {
            let value: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            view.put_long(vec![9], &value).unwrap();
            assert_eq!(view.long(&[9]).unwrap(), Some(value));
            let head = view.get(&[9]).unwrap().unwrap();
            assert_eq!(view.length(&[9], &head).unwrap(), length as u64);
        }
        assert!(view.pending.values().flatten().all(|piece| piece.len() <= PIECE_BYTES));
        view.delete_long(vec![9]).unwrap();
        assert!(view.pending.values().all(Option::is_none), "a part was left behind");
        assert!(view.put_long(vec![9], &vec![0; VALUE_BYTES + 1]).is_err());
        assert!(view.put(vec![9; KEY_BYTES + 1], vec![]).is_err());
    }
}
