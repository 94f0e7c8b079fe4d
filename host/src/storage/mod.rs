//! Rooms' storage. A backend holds the keys and the alarm of every room of every tenant; a room sees only its own.

pub mod durable;
pub mod memory;
pub mod page;
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
pub use page::{PageBounds, StoredEntry, StoredPage};

/// Proof that a batch is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Durable;

/// A tenant, as who pays for the CPU time that the threads of the storage use for it.
pub trait Payer: Send + Sync + fmt::Debug {
    fn charge(&self, cpu: Duration);

    /// How long the tenant has to wait until it has paid for what it used; zero if it owes nothing.
    fn owes(&self) -> Duration;

    /// The tenant's part of the threads while others want them as well.
    fn weight(&self) -> u32;
}

/// Knows who pays for what is done for a tenant.
pub trait Payers: Send + Sync + fmt::Debug {
    fn payer(&self, tenant: &TenantName) -> Arc<dyn Payer>;
}

/// Nobody pays: tools and tests, in which no tenant waits for another.
#[derive(Debug, Clone, Copy)]
pub struct NobodyPays;

impl Payers for NobodyPays {
    fn payer(&self, _: &TenantName) -> Arc<dyn Payer> {
        Arc::new(Self)
    }
}

impl Payer for NobodyPays {
    fn charge(&self, _: Duration) {}

    fn owes(&self) -> Duration {
        Duration::ZERO
    }

    fn weight(&self) -> u32 {
        1
    }
}

/// What the backend stores of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredTenant {
    /// Bytes of all keys and values of all rooms.
    pub bytes: usize,
    /// Rooms with a key or an alarm.
    pub rooms: usize,
    /// Every alarm, the earliest first.
    pub alarms: Vec<(UnixMs, RoomKey)>,
}

/// A backend of storage.
pub trait Storage: Send + Sync + fmt::Debug {
    /// Opens the storage of a room, which may not exist yet. A room has one owner at a time; opening waits until all
    /// batches of the last owner are durable or have failed.
    fn open(&self, room: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>>;

    /// Summarises what every tenant stores, for a server that starts. A tenant whose storage cannot be read yields an
    /// error, and the others are served all the same.
    fn stored(&self) -> BoxFuture<'_, Vec<(TenantName, Result<StoredTenant, StorageError>)>>;

    /// How many rooms of a tenant store something, from memory. A tenant counts 0 until one of its rooms was opened or
    /// [`Storage::stored`] was called.
    fn rooms(&self, tenant: &TenantName) -> usize;
}

/// What the backend stores of a room, in summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredRoom {
    /// Bytes of all keys and values.
    pub bytes: usize,
    /// When the room's alarm is due, if it is set.
    pub alarm: Option<UnixMs>,
    /// Whether the room stores a key or an alarm, and so counts among [`Storage::rooms`] of its tenant.
    pub is_known: bool,
}

/// The storage of one room: its keys, their values and its alarm.
pub trait RoomStorage: Send + Sync + fmt::Debug {
    /// Summarises the durable state, from memory.
    fn kept(&self) -> StoredRoom;

    /// Reads the durable values of keys, in the order of the keys. It ends behind the value with which they pass
    /// `bytes_max`, and so may answer fewer values than there are keys, but at least one.
    fn get<'a>(
        &'a self,
        keys: &'a [&'a str],
        bytes_max: usize,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>>;

    /// Reads durable entries whose keys begin with `prefix` and come behind `after`, in ascending order of their bytes,
    /// up to the bounds.
    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        bounds: PageBounds,
    ) -> BoxFuture<'a, Result<StoredPage, StorageError>>;

    /// Queues a batch at once, behind the room's earlier ones, and makes it durable even if nobody awaits the result.
    /// On an error nothing of the batch is stored, and storage refuses every later batch of the room until `resume`,
    /// since it may rest on this one. Batches that share a transaction fail together, also those of other rooms of the
    /// tenant.
    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'static, Result<Durable, StorageError>>;

    /// The room knows that a batch failed, and goes on from the durable state: storage accepts its batches again.
    fn resume(&self);
}

/// Why storage failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// The disk is full.
    Full,
    /// Reading or writing the file failed.
    Io,
    /// The file is damaged.
    Corrupt,
    /// A later version of Parlor wrote the file.
    Newer,
    /// Another process holds the file.
    InUse,
    /// Somebody removed or replaced the file while the server used it. The room knows what another file said.
    Gone,
    /// An earlier batch of the room failed.
    Follows,
}

/// An error of storage. The message is for the operator, and names the file.
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
