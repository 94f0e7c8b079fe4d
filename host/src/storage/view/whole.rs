//! All that a small room stores, in memory.

use std::collections::BTreeMap;

use super::{CacheCoverage, StorageView};
use crate::model::names::RESERVED_KEYS;
use crate::storage::{PageBounds, StorageError, StoredPage};

/// The most entries that one read takes into memory. A room that has more is never cached as a whole.
const FILL_ENTRIES_MAX: usize = 512;

impl StorageView {
    /// Caches all entries of a small room, so that it need not ask the disk again, not even for keys that do not exist.
    /// Says whether all of them are in the cache now.
    pub(super) async fn fill(&self) -> Result<bool, StorageError> {
        let (forgotten, coverage) = {
            let state = self.state.lock();
            (state.forgotten, state.coverage)
        };
        let kept = self.durable.kept();
        if kept.bytes > self.cache_bytes_max / 2 || coverage == CacheCoverage::Part {
            return Ok(false);
        }
        let nothing = StoredPage { entries: Vec::new(), is_last: true };
        let bounds = PageBounds { entries: FILL_ENTRIES_MAX, bytes: self.cache_bytes_max };
        let all = if kept.is_known { self.heard(self.durable.scan("", None, bounds).await)? } else { nothing };
        let StoredPage { entries, is_last: is_all } = all;
        let mut state = self.state.lock();
        let entries = entries.into_iter().map(|(key, value)| (key, Some(value)));
        if !state.adopt(forgotten, entries, self.cache_bytes_max) {
            return Ok(false);
        }
        state.coverage = if is_all { CacheCoverage::Whole } else { CacheCoverage::Part };
        Ok(is_all)
    }

    /// All entries, as the pending batches will leave them, in ascending order of their keys. A room whose entries are in memory need not
    /// wait for the disk, whose threads would take turns with the room's.
    pub async fn whole(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        if let Some(known) = self.known_whole() {
            return Ok(known);
        }
        if self.fill().await?
            && let Some(known) = self.known_whole()
        {
            return Ok(known);
        }
        let bounds = PageBounds { entries: usize::MAX, bytes: usize::MAX };
        Ok(self.scan("", None, bounds, &BTreeMap::new()).await?.entries)
    }

    /// The same, where memory has all of them.
    fn known_whole(&self) -> Option<Vec<(String, Vec<u8>)>> {
        let state = self.state.lock();
        if state.coverage != CacheCoverage::Whole {
            return None;
        }
        let cached = state.cache.iter();
        let pending = state.pending.iter().map(|(key, pending)| (key, &pending.value));
        let present = |(key, value): (&String, &Option<Vec<u8>>)| Some((key.clone(), value.clone()?));
        let all = cached.chain(pending).filter(|(key, _)| !key.starts_with(RESERVED_KEYS));
        let mut all: Vec<_> = all.filter_map(present).collect();
        all.sort_unstable();
        Some(all)
    }
}
