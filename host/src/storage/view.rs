//! A room's storage as its turns see it: what is durable, and over it the batches that are still being written. What was
//! read or written lately is kept, so that a turn seldom waits for a disk.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;

use super::{Batch, Durability, Durable, Entry, Kept, RoomStorage, StorageError, UnixMs};

/// The most entries that are read at once to know all of a room.
const FILL_ENTRIES_MAX: usize = 512;

/// The answer to a batch, whenever it comes.
pub type Written = BoxFuture<'static, Result<Durable, StorageError>>;

/// The place of a batch among those of its room.
pub type BatchNumber = u64;

/// The storage of one room, for that room alone.
#[derive(Debug)]
pub struct RoomView {
    durable: Arc<dyn RoomStorage>,
    /// Bytes of what is kept of durable keys.
    cache_bytes_max: usize,
    layers: Mutex<Layers>,
}

/// What lies over the durable entries. The lock is held for moments, never while a disk is waited for.
#[derive(Debug, Default)]
struct Layers {
    /// Keys of batches that are not durable yet, with what the last of these says.
    pending: BTreeMap<String, Pending>,
    /// Keys as they are in the durable layer, absent ones included.
    cache: HashMap<String, Option<Vec<u8>>>,
    cache_bytes: usize,
    coverage: Coverage,
    /// Bytes of all keys and values with the pending batches, and when the alarm is due with these; none where no batch
    /// is pending.
    after_pending: Option<(usize, Option<UnixMs>)>,
    last: BatchNumber,
}

/// How much of what is durable the cache holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Coverage {
    /// Nobody looked yet.
    #[default]
    Unknown,
    /// All: what is not there does not exist.
    Whole,
    /// Less, since all is too much.
    Part,
}

#[derive(Debug)]
struct Pending {
    value: Option<Vec<u8>>,
    batch: BatchNumber,
}

impl RoomView {
    pub fn new(durable: Arc<dyn RoomStorage>, cache_bytes_max: usize) -> Self {
        Self { durable, cache_bytes_max, layers: Mutex::default() }
    }

    /// What is kept with the pending batches. A room that has asked for anything to be kept counts as one that is known.
    pub fn kept(&self) -> Kept {
        match self.layers.lock().after_pending {
            Some((bytes, alarm)) => Kept { bytes, alarm, is_known: true },
            None => self.durable.kept(),
        }
    }

    /// When the durable alarm is due.
    pub fn durable_alarm(&self) -> Option<UnixMs> {
        self.durable.kept().alarm
    }

    /// The values of keys, in their order.
    pub async fn get(&self, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let look = || -> Vec<Option<Option<Vec<u8>>>> {
            let layers = self.layers.lock();
            keys.iter().map(|key| layers.find(key)).collect()
        };
        let mut values = look();
        if values.iter().any(Option::is_none) && self.fill().await? {
            values = look();
        }
        let missing: Vec<&str> =
            keys.iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(key, _)| *key).collect();
        if !missing.is_empty() {
            let read = self.durable.get(&missing).await?;
            let mut layers = self.layers.lock();
            for (key, value) in missing.into_iter().zip(&read) {
                layers.remember(key.to_owned(), value.clone(), self.cache_bytes_max);
            }
            let mut read = read.into_iter();
            values.iter_mut().filter(|value| value.is_none()).for_each(|value| *value = read.next());
        }
        Ok(values.into_iter().map(Option::flatten).collect())
    }

    /// Reads all that a small room keeps, so that it need not look again, not even for what is not there. Says whether it
    /// did.
    async fn fill(&self) -> Result<bool, StorageError> {
        let kept = self.durable.kept();
        if kept.bytes > self.cache_bytes_max / 2 || self.layers.lock().coverage == Coverage::Part {
            return Ok(false);
        }
        let whole = if kept.is_known { self.durable.scan("", None, FILL_ENTRIES_MAX).await? } else { Vec::new() };
        let mut layers = self.layers.lock();
        layers.coverage = if whole.len() < FILL_ENTRIES_MAX { Coverage::Whole } else { Coverage::Part };
        for (key, value) in whole {
            // What was written meanwhile is newer than what was read.
            if !layers.pending.contains_key(&key) && !layers.cache.contains_key(&key) {
                layers.remember(key, Some(value), self.cache_bytes_max);
            }
        }
        Ok(layers.coverage == Coverage::Whole)
    }

    /// Up to `limit` entries whose keys begin with `prefix` and come behind `after`, in ascending order of the bytes, with
    /// the writes of a turn laid over all others.
    pub async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        turn: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<Vec<Entry>, StorageError> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let range = (start, Bound::Unbounded);
        let in_prefix = |key: &String| key.starts_with(prefix);
        let mut over: BTreeMap<String, Option<Vec<u8>>> = {
            let layers = self.layers.lock();
            let pending = layers.pending.range::<str, _>(range).take_while(|(key, _)| in_prefix(key));
            pending.map(|(key, pending)| (key.clone(), pending.value.clone())).collect()
        };
        let written = turn.range::<str, _>(range).take_while(|(key, _)| in_prefix(key));
        over.extend(written.map(|(key, value)| (key.clone(), value.clone())));
        // Keys that are deleted above take no place on the page, so that as many more are read.
        let hidden = over.values().filter(|value| value.is_none()).count();
        let stored = self.durable.scan(prefix, after, limit + hidden).await?;
        for (key, value) in stored {
            over.entry(key).or_insert(Some(value));
        }
        Ok(over.into_iter().filter_map(|(key, value)| Some((key, value?))).take(limit).collect())
    }

    /// Hands over a batch to be made durable; reads see it from now on. `bytes` is what the room's entries take with it.
    pub fn write(&self, batch: Batch, bytes: usize, durability: Durability) -> (BatchNumber, Written) {
        let mut layers = self.layers.lock();
        let before = layers.after_pending.map_or_else(|| self.durable.kept().alarm, |(_, alarm)| alarm);
        layers.after_pending = Some((bytes, batch.alarm.unwrap_or(before)));
        layers.last += 1;
        let number = layers.last;
        for (key, value) in &batch.writes {
            layers.forget(key);
            layers.pending.insert(key.clone(), Pending { value: value.clone(), batch: number });
        }
        drop(layers);
        (number, self.durable.commit(batch, durability))
    }

    /// A batch is durable, and so are those before it.
    pub fn written(&self, batch: BatchNumber) {
        let mut layers = self.layers.lock();
        let durable = layers.pending.extract_if(.., |_, pending| pending.batch <= batch).collect::<Vec<_>>();
        for (key, Pending { value, .. }) in durable {
            layers.remember(key, value, self.cache_bytes_max);
        }
        if batch == layers.last {
            layers.after_pending = None;
        }
    }

    /// A batch failed, and so did those behind it: reads see what is durable, and the room goes on from there.
    pub fn failed(&self) {
        let mut layers = self.layers.lock();
        layers.pending.clear();
        // What these batches wrote was taken out of the cache.
        layers.coverage = Coverage::Unknown;
        layers.after_pending = None;
        drop(layers);
        self.durable.resume();
    }
}

impl Layers {
    /// What is known of a key.
    fn find(&self, key: &str) -> Option<Option<Vec<u8>>> {
        let known = self.pending.get(key).map(|pending| &pending.value).or_else(|| self.cache.get(key)).cloned();
        known.or_else(|| (self.coverage == Coverage::Whole).then_some(None))
    }

    /// Keeps what is durable under a key. Where it gets too much, all is forgotten: what is in use is soon back.
    fn remember(&mut self, key: String, value: Option<Vec<u8>>, bytes_max: usize) {
        self.forget(&key);
        self.cache_bytes += cost(&key, &value);
        if self.cache_bytes > bytes_max {
            self.cache.clear();
            self.cache_bytes = 0;
            self.coverage = Coverage::Part;
            return;
        }
        self.cache.insert(key, value);
    }

    fn forget(&mut self, key: &str) {
        if let Some(value) = self.cache.remove(key) {
            self.cache_bytes -= cost(key, &value);
        }
    }
}

/// What an entry of the cache takes, its place in the table included.
fn cost(key: &str, value: &Option<Vec<u8>>) -> usize {
    const PLACE_BYTES: usize = 64;
    PLACE_BYTES + key.len() + value.as_ref().map_or(0, Vec::len)
}
