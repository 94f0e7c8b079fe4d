//! A room's storage as its turns see it: the durable entries, and over them the batches that are still being written.
//! What a room read or wrote lately stays in memory, so that a turn seldom waits for a disk.
//!
//! A room settles earlier batches while a turn runs, so what is in memory may change during each wait for the disk. Two
//! rules keep a read true all the same: a key that was written meanwhile is pending or cached, and what is cached is
//! newer than what the disk answered; where keys left the cache meanwhile, the answer is used and not remembered.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::page::range_of;
use super::{
    Batch, Durability, Durable, PageBounds, RoomStorage, StorageError, StorageErrorKind, StoredPage, StoredRoom, UnixMs,
};

/// About how many bytes one read takes from the disk. A call that wants more reads again, behind other rooms' reads.
const READ_BYTES: usize = 256 << 10;

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
    /// Whether the disk said that the room's file is gone.
    is_gone: AtomicBool,
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
        Self { durable, cache_bytes_max, is_gone: AtomicBool::new(false), state: Mutex::default() }
    }

    /// The room's size and alarm as its pending batches will leave them. With a batch pending, the room counts as one
    /// that stores something.
    pub fn kept(&self) -> StoredRoom {
        match self.state.lock().after_pending {
            Some((bytes, alarm)) => StoredRoom { bytes, alarm, is_known: true },
            None => self.durable.kept(),
        }
    }

    /// What is durable, for somebody who only looks.
    pub fn durable(&self) -> &Arc<dyn RoomStorage> {
        &self.durable
    }

    /// When the durable alarm is due.
    pub fn durable_alarm(&self) -> Option<UnixMs> {
        self.durable.kept().alarm
    }

    /// Whether somebody removed or replaced the room's file: nothing of what the room knows is stored any more.
    pub fn is_gone(&self) -> bool {
        self.is_gone.load(Ordering::Relaxed)
    }

    /// Passes on what the disk answered.
    fn heard<T>(&self, answer: Result<T, StorageError>) -> Result<T, StorageError> {
        answer.inspect_err(|why| {
            if why.kind == StorageErrorKind::Gone {
                self.is_gone.store(true, Ordering::Relaxed);
            }
        })
    }

    /// Reads the values of keys, in the order of the keys; `None` where they have more than `bytes_max` bytes together,
    /// and then it has read little more than these. The writes of the turn that asks, which are in no batch yet, come
    /// before all others.
    pub async fn get(
        &self,
        keys: &[&str],
        turn: &BTreeMap<String, Option<Vec<u8>>>,
        bytes_max: usize,
    ) -> Result<Option<Vec<Option<Vec<u8>>>>, StorageError> {
        let Some((mut values, mut left)) = self.look(keys, turn, bytes_max) else { return Ok(None) };
        if values.contains(&Lookup::Unknown) && self.fill().await? {
            let Some(again) = self.look(keys, turn, bytes_max) else { return Ok(None) };
            (values, left) = again;
        }
        let is_unknown = |place: &usize| values[*place] == Lookup::Unknown;
        let mut unknown: Vec<usize> = (0..keys.len()).filter(is_unknown).collect();
        while !unknown.is_empty() {
            let read = self.read(unknown.iter().map(|place| keys[*place]).collect(), left.min(READ_BYTES)).await?;
            // A disk that answers nothing at all must not be asked for ever.
            let answered = read.len().clamp(1, unknown.len());
            let read = read.into_iter().chain(std::iter::repeat(None));
            for (place, value) in unknown.drain(..answered).zip(read) {
                let Some(rest) = left.checked_sub(value.as_ref().map_or(0, Vec::len)) else { return Ok(None) };
                left = rest;
                values[place] = Lookup::known(value);
            }
        }
        Ok(Some(values.into_iter().map(Lookup::into_value).collect()))
    }

    /// What memory says of keys, and how many of `bytes_max` bytes are left beside that; `None` where it is too much.
    fn look(
        &self,
        keys: &[&str],
        turn: &BTreeMap<String, Option<Vec<u8>>>,
        bytes_max: usize,
    ) -> Option<(Vec<Lookup>, usize)> {
        let state = self.state.lock();
        let (mut values, mut left) = (Vec::new(), bytes_max);
        for key in keys {
            let found = match turn.get(*key) {
                Some(own) => Some(own),
                None => state.find(key),
            };
            left = left.checked_sub(found.and_then(Option::as_ref).map_or(0, Vec::len))?;
            values.push(found.map_or_else(|| state.lookup_elsewhere(), |known| Lookup::known(known.clone())));
        }
        Some((values, left))
    }

    /// Reads keys from the disk and remembers them. As [`RoomStorage::get`], it may answer fewer values than keys.
    async fn read(&self, keys: Vec<&str>, bytes_max: usize) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let forgotten = self.state.lock().forgotten;
        let values = self.heard(self.durable.get(&keys, bytes_max).await)?;
        self.state.lock().adopt(
            forgotten,
            keys.into_iter().map(str::to_owned).zip(values.clone()),
            self.cache_bytes_max,
        );
        Ok(values)
    }

    /// Reads entries whose keys begin with `prefix` and come behind `after`, in ascending order of their bytes, up to the
    /// bounds: the page has no entry that would take it past its bytes, unless that is its first. The writes of the turn
    /// that asks, which are in no batch yet, come before all others.
    pub async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        bounds: PageBounds,
        turn: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<StoredPage, StorageError> {
        let (mut page, mut bytes) = (StoredPage::default(), 0);
        let mut after = after.map(str::to_owned);
        loop {
            let (over, over_end) = self.overlay(prefix, after.as_deref(), turn, bounds.bytes);
            // The page has no place for keys that the turn or a pending batch deletes: read as many more, and one more, to
            // know whether more entries follow.
            let hidden = over.values().filter(|value| value.is_none()).count();
            let bounds_of_read = PageBounds { entries: bounds.entries.saturating_add(hidden + 1), ..bounds };
            let read = self.heard(self.durable.scan(prefix, after.as_deref(), bounds_of_read).await)?;
            let read_end = read.entries.last().filter(|_| !read.is_last).map(|(key, _)| key.clone());
            // Behind the key at which either of them was cut, the other may have an entry that this does not know.
            let end = match (over_end, read_end) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            let mut merged = over;
            for (key, value) in read.entries {
                merged.entry(key).or_insert(Some(value));
            }
            for (key, value) in merged {
                if end.as_ref().is_some_and(|end| key > *end) {
                    break;
                }
                let Some(value) = value else { continue };
                let is_too_much = bytes + value.len() > bounds.bytes && !page.entries.is_empty();
                if page.entries.len() == bounds.entries || is_too_much {
                    return Ok(page);
                }
                bytes += key.len() + value.len();
                page.entries.push((key, value));
            }
            if end.is_none() {
                page.is_last = true;
                return Ok(page);
            }
            after = end;
        }
    }

    /// What the turn and the pending batches write in a range. Where that has many bytes, it ends early, at the key that
    /// comes with it.
    fn overlay(
        &self,
        prefix: &str,
        after: Option<&str>,
        turn: &BTreeMap<String, Option<Vec<u8>>>,
        bytes_max: usize,
    ) -> (BTreeMap<String, Option<Vec<u8>>>, Option<String>) {
        let state = self.state.lock();
        let pending = range_of(&state.pending, prefix, after).map(|(key, pending)| (key, &pending.value));
        let all: BTreeMap<_, _> = pending.chain(range_of(turn, prefix, after)).collect();
        let (mut over, mut bytes) = (BTreeMap::new(), 0);
        for (key, value) in all {
            if bytes > bytes_max {
                let end = over.last_key_value().map(|(key, _): (&String, _)| key.clone());
                return (over, end);
            }
            bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            over.insert(key.clone(), value.clone());
        }
        (over, None)
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
    /// What memory knows of a key: its value, or that it has none.
    fn find(&self, key: &str) -> Option<&Option<Vec<u8>>> {
        self.pending.get(key).map(|pending| &pending.value).or_else(|| self.cache.get(key))
    }

    /// What is true of a key that is neither pending nor cached.
    fn lookup_elsewhere(&self) -> Lookup {
        match self.coverage {
            CacheCoverage::Whole => Lookup::Absent,
            CacheCoverage::Unknown | CacheCoverage::Part => Lookup::Unknown,
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
mod whole;
