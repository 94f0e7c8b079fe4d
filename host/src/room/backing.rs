//! What all rooms of a server rest on.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use parking_lot::Mutex;

use super::alarms::Alarms;
use super::swaps::Swaps;
use crate::model::names::RoomKey;
use crate::storage::Storage;

/// Where rooms keep what lasts, and who wakes them.
#[derive(Debug)]
pub struct Backing {
    pub storage: Arc<dyn Storage>,
    pub alarms: Arc<Alarms>,
    pub swaps: Swaps,
    /// The rooms that keep something and were open since the server started, by a hash of their names: as many as are
    /// known at most. Two of one hash are told a wrong reason once.
    visited: Mutex<HashSet<u64>>,
}

impl Backing {
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, alarms: Arc::default(), swaps: Swaps::default(), visited: Mutex::default() }
    }

    /// Notes that a room keeps something and is open; says whether that was not noted before.
    pub(super) fn visit(&self, room: &RoomKey) -> bool {
        let mut hasher = DefaultHasher::new();
        room.hash(&mut hasher);
        self.visited.lock().insert(hasher.finish())
    }
}
