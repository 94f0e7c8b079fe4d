//! What a room keeps. A backend holds the keys of every room of every tenant; rooms see their own only.

pub mod memory;
#[cfg(test)]
pub mod suite;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::model::names::RoomKey;

/// The writes of one turn: a value, or none for a key that goes. A batch is durable as a whole or not at all.
pub type Batch = BTreeMap<String, Option<Vec<u8>>>;

/// A key with its value.
pub type Entry = (String, Vec<u8>);

/// A backend of storage.
pub trait Storage: Send + Sync + fmt::Debug {
    /// The storage of a room, which need not exist yet. A room is opened by one owner at a time.
    fn open(&self, room: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>>;
}

/// The keys and values of one room.
pub trait RoomStorage: Send + Sync + fmt::Debug {
    /// Bytes of all keys and values.
    fn bytes(&self) -> usize;

    /// The value of a key, as the last commit left it.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StorageError>>;

    /// Up to `limit` entries whose keys begin with `prefix` and come behind `after`, in ascending order of the bytes.
    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Entry>, StorageError>>;

    /// Makes a batch durable. When this returns an error, nothing of it is there.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StorageError>>;
}

/// Storage failed; the words are for the operator.
#[derive(Debug)]
pub struct StorageError(pub anyhow::Error);

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "storage failed: {:#}", self.0)
    }
}

impl std::error::Error for StorageError {}
