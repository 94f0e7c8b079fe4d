//! How histories are kept: what the plugin wants, what bounds them, and what goes with an entry.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How a plugin wants a channel's history to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryKeep {
    pub channel: String,
    /// The most entries.
    pub entries: usize,
    /// For how long an entry is kept at most.
    pub ttl: Duration,
    /// Whether it is kept in the room's storage.
    pub durable: bool,
}

/// Who counts the memory that entries take.
pub trait HistoryMemory: Send + Sync + fmt::Debug {
    /// Takes so many bytes, if that stays within the bound.
    fn take(&self, bytes: usize) -> bool;

    /// Takes so many bytes, even past the bound.
    fn add(&self, bytes: usize);

    /// Gives bytes back.
    fn give(&self, bytes: usize);
}

/// A change of one key of the room's storage that goes with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryWrite {
    pub key: String,
    pub value: Option<Vec<u8>>,
    /// The bytes of the key and its value before.
    pub old_bytes: usize,
}

impl HistoryWrite {
    /// The bytes of the key and its value after.
    pub fn new_bytes(&self) -> usize {
        self.value.as_ref().map_or(0, |value| self.key.len() + value.len())
    }

    /// Takes a key out that held so many bytes, its own included.
    pub(super) fn erasing(key: String, old_bytes: usize) -> Self {
        Self { key, value: None, old_bytes }
    }
}

/// A place in the room's storage from which on something may have been said that is not kept. The entry that is said next takes
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HistoryGap {
    /// The number that the entry gets.
    pub(super) seq: u64,
    /// The bytes of its key and its value.
    pub(super) bytes: usize,
}

/// The bounds of all rings of a room.
#[derive(Debug, Clone)]
pub struct HistoryBounds {
    /// The most bytes of one ring.
    pub bytes: usize,
    pub memory: Option<Arc<dyn HistoryMemory>>,
}
