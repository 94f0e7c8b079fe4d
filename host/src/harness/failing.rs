//! Storage in memory that fails when it is told to, as a disk does that is full for a moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::{BoxFuture, FutureExt, ready};
use parking_lot::Mutex;

use crate::model::names::{RoomKey, TenantName};
use crate::storage::memory::MemoryStorage;
use crate::storage::{
    Batch, Durability, Durable, PageBounds, RoomStorage, Storage, StorageError, StorageErrorKind, StoredPage,
    StoredRoom, StoredTenant,
};

/// Storage in memory, of which the next batches can be made to fail.
#[derive(Debug, Default)]
pub(super) struct FailingStorage {
    inner: MemoryStorage,
    /// How many of the next batches fail.
    failing: Arc<AtomicU32>,
}

/// A room's part of it.
#[derive(Debug)]
struct FailingRoom {
    inner: Arc<dyn RoomStorage>,
    failing: Arc<AtomicU32>,
    /// Whether a batch failed, and the room does not know it yet.
    has_failed: Mutex<bool>,
}

impl FailingStorage {
    /// Has the next so many batches fail.
    pub(super) fn fail(&self, batches: u32) {
        self.failing.store(batches, Ordering::Relaxed);
    }
}

impl Storage for FailingStorage {
    fn open(&self, room: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>> {
        let (opening, failing) = (self.inner.open(room), Arc::clone(&self.failing));
        let wrapped = async move {
            let inner = opening.await?;
            Ok(Arc::new(FailingRoom { inner, failing, has_failed: Mutex::default() }) as Arc<dyn RoomStorage>)
        };
        wrapped.boxed()
    }

    fn stored(&self) -> BoxFuture<'_, Vec<(TenantName, Result<StoredTenant, StorageError>)>> {
        self.inner.stored()
    }

    fn rooms(&self, tenant: &TenantName) -> usize {
        self.inner.rooms(tenant)
    }
}

impl RoomStorage for FailingRoom {
    fn kept(&self) -> StoredRoom {
        self.inner.kept()
    }

    fn get<'a>(
        &'a self,
        keys: &'a [&'a str],
        bytes_max: usize,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>> {
        self.inner.get(keys, bytes_max)
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        bounds: PageBounds,
    ) -> BoxFuture<'a, Result<StoredPage, StorageError>> {
        self.inner.scan(prefix, after, bounds)
    }

    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'static, Result<Durable, StorageError>> {
        let error = |kind, message: &str| ready(Err(StorageError { kind, message: message.to_owned() })).boxed();
        let mut has_failed = self.has_failed.lock();
        if *has_failed {
            return error(StorageErrorKind::Follows, "a batch before this one failed");
        }
        let fails = |left: u32| left.checked_sub(1);
        if self.failing.try_update(Ordering::Relaxed, Ordering::Relaxed, fails).is_ok() {
            *has_failed = true;
            return error(StorageErrorKind::Full, "this batch was to fail");
        }
        drop(has_failed);
        self.inner.commit(batch, durability)
    }

    fn resume(&self) {
        *self.has_failed.lock() = false;
        self.inner.resume();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_keeps_the_promises_of_storage() {
        crate::storage::suite::run(FailingStorage::default).await;
    }
}
