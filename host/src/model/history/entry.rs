//! One entry of a history, and the memory that it takes.

use std::sync::Arc;

use super::terms::HistoryMemory;
use crate::model::body::Body;
use crate::model::effect::UnixMs;

/// What an entry takes beside its texts: its place in the ring, and what the allocator adds.
const PLACE_BYTES: usize = 160;

/// One thing that was said to a channel.
#[derive(Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    pub seq: u64,
    pub at: UnixMs,
    pub event: String,
    pub body: Body,
    /// The bytes of its key and value in the room's storage; 0 where it is in memory alone.
    pub(super) stored_bytes: usize,
    /// Its share of the tenant's memory, given back when the last who holds the entry drops it.
    pub(super) held: HeldMemory,
}

/// Memory that an entry takes.
#[derive(Debug, Default)]
pub(super) struct HeldMemory(Option<(Arc<dyn HistoryMemory>, usize)>);

impl PartialEq for HeldMemory {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for HeldMemory {}

impl Drop for HeldMemory {
    fn drop(&mut self) {
        if let Some((memory, bytes)) = self.0.take() {
            memory.give(bytes);
        }
    }
}

impl HistoryEntry {
    /// The bytes that the entry holds in memory.
    pub fn bytes(&self) -> usize {
        PLACE_BYTES + self.event.len() + self.body.bytes()
    }

    /// Has the entry counted; false where it finds no place. What is stored is counted in any case.
    pub(super) fn hold(&mut self, memory: Option<&Arc<dyn HistoryMemory>>) -> bool {
        let Some(memory) = memory else { return true };
        let bytes = self.bytes();
        if self.stored_bytes > 0 {
            memory.add(bytes);
        } else if !memory.take(bytes) {
            return false;
        }
        self.held = HeldMemory(Some((Arc::clone(memory), bytes)));
        true
    }
}
