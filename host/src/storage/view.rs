//! A room's storage as its turns see it: the durable entries, and over them the batches that are still being written.
//! What a room read or wrote lately stays in memory, so that a turn seldom waits for a disk.
//!
//! A room settles earlier batches while a turn runs, so what is in memory may change during each wait for the disk. Two
//! rules keep a read true all the same: a key that was written meanwhile is pending or cached, and what is cached is
//! newer than what the disk answered; where keys left the cache meanwhile, the answer is used and not remembered.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::{Batch, Durability, Durable, RoomStorage, StorageError, StoredEntry, StoredRoom, UnixMs};

/// The most entries that one read takes into memory. A room that has more is never cached as a whole.
const FILL_ENTRIES_MAX: usize = 512;

/// Resolves when a batch is durable or has failed.
pub type Written = BoxFuture<'static, Result<Durable, StorageError>>;

/// Counts the batches of a room, from 1 on.
pub type BatchNumber = u64;

/// One room's view of its own storage.
#[derive(Debug)]
pub struct StorageView {
    durable: Arc<dyn RoomStorage>,
    /// How many bytes of durable entries may stay in memory.
    cache_bytes_max: usize,
    state: Mutex<ViewState>,
}

/// What the room knows without asking the disk. Its lock is held for moments, never across a wait.
#[derive(Debug, Default)]
struct ViewState {
    /// The keys of batches that are not durable yet, with the value that the last of these batches gives each.
    pending: BTreeMap<String, PendingWrite>,
    /// Durable keys and their values; `None` is a key that is known to be absent.
    cache: HashMap<String, Option<Vec<u8>>>,
    cache_bytes: usize,
    coverage: CacheCoverage,
    /// Counts how often keys left the cache without becoming pending: what was read from the disk before such a moment
    /// may be older than what was forgotten, so it must not be remembered.
    forgotten: u64,
    /// The room's bytes and alarm as the pending batches will leave them; `None` while no batch is pending.
    after_pending: Option<(usize, Option<UnixMs>)>,
    last: BatchNumber,
}

/// How much of the durable entries the cache holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum CacheCoverage {
    /// The room has not read all of its entries yet.
    #[default]
    Unknown,
    /// All of them: a key that is neither pending nor cached does not exist.
    Whole,
    /// Only some: all of them would not fit.
    Part,
}

/// What memory says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Lookup {
    Present(Vec<u8>),
    Absent,
    /// Only the disk knows.
    Unknown,
}

impl Lookup {
    fn known(value: Option<Vec<u8>>) -> Self {
        value.map_or(Self::Absent, Self::Present)
    }

    fn into_value(self) -> Option<Vec<u8>> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Unknown => None,
        }
    }
}

#[derive(Debug)]
struct PendingWrite {
    value: Option<Vec<u8>>,
    batch: BatchNumber,
}

impl StorageView {
    pub fn new(durable: Arc<dyn RoomStorage>, cache_bytes_max: usize) -> Self {
        Self { durable, cache_bytes_max, state: Mutex::default() }
    }

    /// The room's size and alarm as its pending batches will leave them. With a batch pending, the room counts as one
    /// that stores something.
    pub fn kept(&self) -> StoredRoom {
        match self.state.lock().after_pending {
            Some((bytes, alarm)) => StoredRoom { bytes, alarm, is_known: true },
            None => self.durable.kept(),
        }
    }

    /// When the durable alarm is due.
    pub fn durable_alarm(&self) -> Option<UnixMs> {
        self.durable.kept().alarm
    }

    /// Reads the values of keys, in the order of the keys. The writes of the turn that asks, which are in no batch yet,
    /// come before all others.
    pub async fn get(
        &self,
        keys: &[&str],
        turn: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let look = || -> Vec<Lookup> {
            let state = self.state.lock();
            keys.iter()
                .map(|key| turn.get(*key).map_or_else(|| state.find(key), |own| Lookup::known(own.clone())))
                .collect()
        };
        let mut values = look();
        if values.contains(&Lookup::Unknown) && self.fill().await? {
            values = look();
        }
        if values.contains(&Lookup::Unknown) {
            let unknown = keys.iter().zip(&values).filter(|(_, value)| **value == Lookup::Unknown);
            let mut read = self.read(unknown.map(|(key, _)| *key).collect()).await?.into_iter();
            for value in values.iter_mut().filter(|value| **value == Lookup::Unknown) {
                *value = Lookup::known(read.next().flatten());
            }
        }
        Ok(values.into_iter().map(Lookup::into_value).collect())
    }

    /// Reads keys from the disk and remembers them.
    async fn read(&self, keys: Vec<&str>) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let forgotten = self.state.lock().forgotten;
        let values = self.durable.get(&keys).await?;
        self.state.lock().adopt(
            forgotten,
            keys.into_iter().map(str::to_owned).zip(values.clone()),
            self.cache_bytes_max,
        );
        Ok(values)
    }

    /// Caches all entries of a small room, so that it need not ask the disk again, not even for keys that do not exist.
    /// Says whether all of them are in the cache now.
    async fn fill(&self) -> Result<bool, StorageError> {
        let (forgotten, coverage) = {
            let state = self.state.lock();
            (state.forgotten, state.coverage)
        };
        let kept = self.durable.kept();
        if kept.bytes > self.cache_bytes_max / 2 || coverage == CacheCoverage::Part {
            return Ok(false);
        }
        let entries = if kept.is_known { self.durable.scan("", None, FILL_ENTRIES_MAX).await? } else { Vec::new() };
        let is_all = entries.len() < FILL_ENTRIES_MAX;
        let mut state = self.state.lock();
        let entries = entries.into_iter().map(|(key, value)| (key, Some(value)));
        if !state.adopt(forgotten, entries, self.cache_bytes_max) {
            return Ok(false);
        }
        state.coverage = if is_all { CacheCoverage::Whole } else { CacheCoverage::Part };
        Ok(is_all)
    }

    /// Reads up to `limit` entries whose keys begin with `prefix` and come behind `after`, in ascending order of their
    /// bytes. The writes of the turn that asks, which are in no batch yet, come before all others.
    pub async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        turn: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<Vec<StoredEntry>, StorageError> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let range = (start, Bound::Unbounded);
        let in_prefix = |key: &String| key.starts_with(prefix);
        let mut over: BTreeMap<String, Option<Vec<u8>>> = {
            let state = self.state.lock();
            let pending = state.pending.range::<str, _>(range).take_while(|(key, _)| in_prefix(key));
            pending.map(|(key, pending)| (key.clone(), pending.value.clone())).collect()
        };
        let written = turn.range::<str, _>(range).take_while(|(key, _)| in_prefix(key));
        over.extend(written.map(|(key, value)| (key.clone(), value.clone())));
        // The page has no place for keys that the turn or a pending batch deletes: read as many more.
        let hidden = over.values().filter(|value| value.is_none()).count();
        let stored = self.durable.scan(prefix, after, limit + hidden).await?;
        for (key, value) in stored {
            over.entry(key).or_insert(Some(value));
        }
        Ok(over.into_iter().filter_map(|(key, value)| Some((key, value?))).take(limit).collect())
    }

    /// Hands a batch to the durable storage; reads see it from now on. `bytes` is the size of the room's entries with
    /// it.
    pub fn write(&self, batch: Batch, bytes: usize, durability: Durability) -> (BatchNumber, Written) {
        let mut state = self.state.lock();
        let before = state.after_pending.map_or_else(|| self.durable.kept().alarm, |(_, alarm)| alarm);
        state.after_pending = Some((bytes, batch.alarm.unwrap_or(before)));
        state.last += 1;
        let number = state.last;
        for (key, value) in &batch.writes {
            state.uncache(key);
            state.pending.insert(key.clone(), PendingWrite { value: value.clone(), batch: number });
        }
        drop(state);
        (number, self.durable.commit(batch, durability))
    }

    /// The room says that a batch, and with it every earlier one, is durable.
    pub fn written(&self, batch: BatchNumber) {
        let mut state = self.state.lock();
        let durable = state.pending.extract_if(.., |_, pending| pending.batch <= batch).collect::<Vec<_>>();
        for (key, PendingWrite { value, .. }) in durable {
            state.remember(key, value, self.cache_bytes_max);
        }
        if batch == state.last {
            state.after_pending = None;
        }
    }

    /// The room says that a batch failed, and with it every later one. Reads see the durable entries again, and the
    /// room may write again.
    pub fn failed(&self) {
        let mut state = self.state.lock();
        state.pending.clear();
        // The keys of these batches left the cache when they were written, so the cache is not whole any more.
        state.forgotten += 1;
        state.coverage = CacheCoverage::Unknown;
        state.after_pending = None;
        drop(state);
        self.durable.resume();
    }
}

impl ViewState {
    fn find(&self, key: &str) -> Lookup {
        let known = self.pending.get(key).map(|pending| &pending.value).or_else(|| self.cache.get(key));
        match known {
            Some(value) => Lookup::known(value.clone()),
            None if self.coverage == CacheCoverage::Whole => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// Caches what was read from the disk, where that is sure to be no older than what the room knew since; `forgotten`
    /// is the count as of before the read. Says whether all that was read is in memory now, or something newer.
    fn adopt(
        &mut self,
        forgotten: u64,
        read: impl Iterator<Item = (String, Option<Vec<u8>>)>,
        bytes_max: usize,
    ) -> bool {
        for (key, value) in read {
            if self.forgotten != forgotten {
                return false;
            }
            if !self.pending.contains_key(&key) && !self.cache.contains_key(&key) {
                self.remember(key, value, bytes_max);
            }
        }
        self.forgotten == forgotten
    }

    /// Caches a durable key. A cache that grows too large is emptied: the room soon reads again what it still uses.
    fn remember(&mut self, key: String, value: Option<Vec<u8>>, bytes_max: usize) {
        self.uncache(&key);
        self.cache_bytes += cost(&key, &value);
        if self.cache_bytes > bytes_max {
            self.cache.clear();
            self.cache_bytes = 0;
            self.forgotten += 1;
            self.coverage = CacheCoverage::Part;
            return;
        }
        self.cache.insert(key, value);
    }

    fn uncache(&mut self, key: &str) {
        if let Some(value) = self.cache.remove(key) {
            self.cache_bytes -= cost(key, &value);
        }
    }
}

/// The bytes that a cached entry takes, its place in the table included.
fn cost(key: &str, value: &Option<Vec<u8>>) -> usize {
    const PLACE_BYTES: usize = 64;
    PLACE_BYTES + key.len() + value.as_ref().map_or(0, Vec::len)
}

#[cfg(test)]
mod tests;
