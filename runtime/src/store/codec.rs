//! How values become bytes: MessagePack with field names, so that a field can
//! be added later; and the limits that keep every stored piece small.

use super::{Result, StoreError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};
use std::fmt;

/// Bytes of one stored piece. sled keeps up to 17 pairs in a node and puts
/// nodes over 128 KB into files it never syncs: 17 × (4,000 + key) stays below.
pub const PIECE_BYTES: usize = 4_000;
/// Bytes of a key: 256 of them share an index node, with the same bound.
pub const KEY_BYTES: usize = 448;
/// Bytes of one value in all its pieces. A webhook's body has 3 MB at most.
pub const VALUE_BYTES: usize = 16 * 1024 * 1024;

/// The first byte of a value that is whole.
pub const WHOLE: u8 = 1;
/// The first byte of a value that goes on in parts; four bytes say how many.
pub const PARTED: u8 = 2;
pub const PARTED_HEAD: usize = 5;

pub fn encode<T: Serialize>(what: &str, value: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value).map_err(|error| corrupt(what, error))
}

pub fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|error| corrupt(what, error))
}

pub fn corrupt(what: &str, reason: impl fmt::Display) -> StoreError {
    StoreError::Corrupt { what: what.into(), reason: reason.to_string() }
}

/// Numbers in a row, for values that are nothing else.
pub fn numbers<const N: usize>(numbers: [u64; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

pub fn read_numbers<const N: usize>(what: &str, bytes: &[u8]) -> Result<[u64; N]> {
    let (chunks, rest) = bytes.as_chunks::<8>();
    let numbers: Vec<u64> = chunks.iter().map(|chunk| u64::from_be_bytes(*chunk)).collect();
    match (numbers.try_into(), rest) {
        (Ok(numbers), []) => Ok(numbers),
        _ => Err(corrupt(what, format!("{} bytes where {} belong", bytes.len(), N * 8))),
    }
}

/// Bytes that are written as bytes and not as a list of numbers.
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> std::result::Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> std::result::Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_numbers_survive() {
        let bytes = encode("test", &Bytes(vec![7; 300])).unwrap();
        assert_eq!(bytes.len(), 303, "not a list of numbers");
        assert_eq!(decode::<Bytes>("test", &bytes).unwrap().0, [7; 300]);
        assert_eq!(read_numbers("test", &numbers([1, u64::MAX])).unwrap(), [1, u64::MAX]);
        assert!(read_numbers::<2>("test", &[0; 15]).is_err());
        assert!(read_numbers::<2>("test", &[0; 8]).is_err());
    }
}
