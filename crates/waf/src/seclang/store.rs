//! Collections that outlive a transaction (`initcol`): a trait, and a store in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// The variables of one record, by name in lower case.
pub type Record = BTreeMap<Vec<u8>, Entry>;

/// A variable of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Its value.
    pub value: Vec<u8>,
    /// When it is forgotten, in seconds since 1970; never, when absent.
    pub expires: Option<u64>,
}

/// Keeps records between transactions. Concurrent transactions may overwrite each other's changes: counters in such
/// collections are estimates.
pub trait Collections: Send + Sync {
    /// The record `key` of `collection` (`ip`, `global`, ...), empty when there is none.
    fn read(&self, collection: &str, key: &[u8]) -> Record;
    /// Keeps a record until `expires`, in seconds since 1970.
    fn write(&self, collection: &str, key: &[u8], record: Record, expires: u64);
}

/// Collection and key.
type Place = (String, Vec<u8>);

/// A store in memory with a limited number of records; when it is full, those that expire first make room.
pub struct MemoryCollections {
    records: Mutex<HashMap<Place, (Record, u64)>>,
    most: usize,
}

impl std::fmt::Debug for MemoryCollections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MemoryCollections(at most {})", self.most)
    }
}

impl MemoryCollections {
    /// A store for at most `most` records.
    pub fn new(most: usize) -> Self {
        MemoryCollections { records: Mutex::default(), most: most.max(1) }
    }
}

impl Collections for MemoryCollections {
    fn read(&self, collection: &str, key: &[u8]) -> Record {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.get(&(collection.to_string(), key.to_vec())).map(|(record, _)| record.clone()).unwrap_or_default()
    }

    fn write(&self, collection: &str, key: &[u8], record: Record, expires: u64) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (collection.to_string(), key.to_vec());
        if records.len() >= self.most && !records.contains_key(&place) {
            // A tenth at a time, so that a full store isn't searched for every record.
            let mut ends: Vec<u64> = records.values().map(|(_, expires)| *expires).collect();
            ends.sort_unstable();
            let limit = ends.get(ends.len() / 10).copied().unwrap_or(u64::MAX);
            records.retain(|_, (_, expires)| *expires > limit);
        }
        records.insert(place, (record, expires));
    }
}
