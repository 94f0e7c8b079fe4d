//! One entry of a history, and the memory that it takes.

use std::sync::Arc;

use super::terms::HistoryMemory;
use crate::model::body::{Body, Payload};
use crate::model::effect::UnixMs;

/// What an entry takes beside its texts: its place in the ring, and what the allocator adds.
const PLACE_BYTES: usize = 160;
/// What a client's frame says of an entry beside its texts, at most: names of keys, and its position.
const FRAME_BYTES: usize = 128;
/// A character of a name takes so many in JSON, at most.
const ESCAPED: usize = 6;

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

    /// The most bytes that the entry takes in a client's frame: more than in memory where bytes become base64.
    pub(super) fn frame_bytes(&self, channel: &str) -> usize {
        let Body { data, attachments, .. } = &self.body;
        let encoded = |bytes: usize| bytes.div_ceil(3) * 4 + FRAME_BYTES / 4;
        let data = match data {
            Payload::Json(json) => json.text().len(),
            Payload::Binary(bytes) => encoded(bytes.len()),
        };
        let attached: usize = attachments.iter().map(|bytes| encoded(bytes.len())).sum();
        FRAME_BYTES + ESCAPED * (channel.len() + self.event.len()) + data + attached
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
