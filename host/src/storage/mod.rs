//! What a room keeps. A backend holds the keys and the alarm of every room of every tenant; rooms see their own only.

pub mod durable;
pub mod memory;
#[cfg(test)]
pub mod suite;
pub mod view;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::model::names::{RoomKey, TenantName};

pub use crate::model::durability::Durability;
pub use crate::model::effect::{Batch, UnixMs};

/// A key with its value.
pub type Entry = (String, Vec<u8>);

/// A batch is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable {
    /// The batch's share of the CPU time that this took.
    pub cpu: Duration,
}

/// What is kept of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Bytes of all keys and values of all rooms.
    pub bytes: usize,
    /// Rooms with a key or an alarm.
    pub rooms: usize,
    /// Every alarm, by when it is due.
    pub alarms: Vec<(UnixMs, RoomKey)>,
}

/// A backend of storage.
pub trait Storage: Send + Sync + fmt::Debug {
    /// The storage of a room, which need not exist yet. A room is opened by one owner at a time; this waits until all
    /// batches of an earlier owner are durable or have failed.
    fn open(&self, room: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>>;

    /// What is kept of every tenant, for a server that starts. A tenant whose storage cannot be read keeps no other from
    /// being served.
    fn stored(&self) -> BoxFuture<'_, Vec<(TenantName, Result<Stored, StorageError>)>>;

    /// Rooms of a tenant with a key or an alarm, from memory: as far as its storage was opened or reported by `stored`.
    fn rooms(&self, tenant: &TenantName) -> usize;
}

/// What is kept of a room beside its entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Bytes of all keys and values.
    pub bytes: usize,
    /// When the alarm is due, if there is one.
    pub alarm: Option<UnixMs>,
    /// Whether a key or an alarm is there, so that the room is one of its tenant's `rooms`.
    pub is_known: bool,
}

/// The keys, the values and the alarm of one room.
pub trait RoomStorage: Send + Sync + fmt::Debug {
    /// What is durable, from memory.
    fn kept(&self) -> Kept;

    /// The values of keys, in their order, as the last durable batch left them.
    fn get<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>>;

    /// Up to `limit` entries whose keys begin with `prefix` and come behind `after`, in ascending order of the bytes.
    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Entry>, StorageError>>;

    /// Queues a batch at this call, behind the room's earlier ones, and makes it durable whether or not anyone waits for
    /// the answer. When the answer is an error, nothing of the batch is there, and every later batch of the room is
    /// refused as well until `resume`: it may rest on this one. Batches that were to become durable together fail together,
    /// also those of other rooms of the tenant.
    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'static, Result<Durable, StorageError>>;

    /// The room has heard that a batch failed, and goes on from what is durable.
    fn resume(&self);
}

/// What kept storage from doing what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// No space is left.
    Full,
    /// The file cannot be read or written.
    Io,
    /// The file does not hold what it must.
    Corrupt,
    /// A later version of the server wrote the file.
    Newer,
    /// Another process holds the file.
    InUse,
    /// An earlier batch of the room failed.
    Follows,
}

/// Storage failed; the words are for the operator, and name the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageError {
    pub kind: StorageErrorKind,
    pub message: String,
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "storage failed: {}", self.message)
    }
}

impl std::error::Error for StorageError {}
