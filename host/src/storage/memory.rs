//! Storage in memory, which ends when it is dropped.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, ready};
use parking_lot::Mutex;

use super::page::{range_of, take_values};
use super::{
    Batch, Durability, Durable, PageBounds, RoomStorage, Storage, StorageError, StoredPage, StoredRoom, StoredTenant,
    UnixMs,
};
use crate::model::names::{RoomKey, TenantName};

/// The storage of every room. What a room wrote stays when the room closes, so that it finds it when it opens again.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    rooms: Mutex<MemoryRooms>,
}

#[derive(Debug, Default)]
struct MemoryRooms {
    known: HashMap<RoomKey, Arc<MemoryRoom>>,
    /// At this number of rooms, those that store nothing are forgotten.
    prune_at: usize,
}

#[derive(Debug, Default)]
struct MemoryRoom {
    state: Mutex<MemoryEntries>,
}

#[derive(Debug, Default)]
struct MemoryEntries {
    entries: BTreeMap<String, Vec<u8>>,
    bytes: usize,
    alarm: Option<UnixMs>,
}

impl Storage for MemoryStorage {
    fn open(&self, room: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>> {
        let mut rooms = self.rooms.lock();
        // Forget rooms that store nothing and that nobody holds.
        if rooms.known.len() >= rooms.prune_at {
            rooms.known.retain(|_, room| Arc::strong_count(room) > 1 || room.kept().is_known);
            rooms.prune_at = (2 * rooms.known.len()).max(1_024);
        }
        let room: Arc<dyn RoomStorage> = rooms.known.entry(room.clone()).or_default().clone();
        ready(Ok(room)).boxed()
    }

    /// A server that starts in the same process finds what the one before it stored.
    fn stored(&self) -> BoxFuture<'_, Vec<(TenantName, Result<StoredTenant, StorageError>)>> {
        let mut tenants: BTreeMap<TenantName, StoredTenant> = BTreeMap::new();
        for (key, room) in &self.rooms.lock().known {
            let kept = room.kept();
            let tenant = tenants.entry(key.plugin.tenant.clone()).or_default();
            tenant.bytes += kept.bytes;
            tenant.rooms += usize::from(kept.is_known);
            tenant.alarms.extend(kept.alarm.map(|due| (due, key.clone())));
        }
        tenants.values_mut().for_each(|tenant| tenant.alarms.sort());
        ready(tenants.into_iter().map(|(name, tenant)| (name, Ok(tenant))).collect()).boxed()
    }

    fn rooms(&self, tenant: &TenantName) -> usize {
        let rooms = self.rooms.lock();
        rooms.known.iter().filter(|(key, room)| key.plugin.tenant == *tenant && room.kept().is_known).count()
    }
}

impl RoomStorage for MemoryRoom {
    fn kept(&self) -> StoredRoom {
        let MemoryEntries { entries, bytes, alarm } = &*self.state.lock();
        StoredRoom { bytes: *bytes, alarm: *alarm, is_known: !entries.is_empty() || alarm.is_some() }
    }

    fn get<'a>(
        &'a self,
        keys: &'a [&'a str],
        bytes_max: usize,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>> {
        let state = self.state.lock();
        let values = keys.iter().map(|key| Ok(state.entries.get(*key).cloned()));
        ready(take_values(values, bytes_max)).boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        bounds: PageBounds,
    ) -> BoxFuture<'a, Result<StoredPage, StorageError>> {
        let state = self.state.lock();
        let range = range_of(&state.entries, prefix, after).map(|(key, value)| Ok((key.clone(), value.clone())));
        ready(StoredPage::take(range, bounds)).boxed()
    }

    fn commit(&self, batch: Batch, _: Durability) -> BoxFuture<'static, Result<Durable, StorageError>> {
        let mut state = self.state.lock();
        state.alarm = batch.alarm.unwrap_or(state.alarm);
        for (key, value) in batch.writes {
            let size = |value: &Vec<u8>| key.len() + value.len();
            let new = value.as_ref().map_or(0, size);
            let old = match value {
                Some(value) => state.entries.insert(key.clone(), value),
                None => state.entries.remove(&key),
            };
            state.bytes = state.bytes + new - old.as_ref().map_or(0, size);
        }
        ready(Ok(Durable)).boxed()
    }

    fn resume(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_promises_of_storage() {
        super::super::suite::run(MemoryStorage::default).await;
    }
}
