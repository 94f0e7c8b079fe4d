//! A store whose batches are durable, or fail, when the test says so: slow, broken and full disks, one step at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use parking_lot::Mutex;
use parlor::model::names::{RoomKey, TenantName};
use parlor::storage::memory::MemoryStorage;
use parlor::storage::{
    Batch, Durability, Durable, PageBounds, RoomStorage, Storage, StorageError, StorageErrorKind, StoredPage,
    StoredRoom, StoredTenant,
};
use tokio::sync::oneshot;

/// The backend: everything that was settled is in the memory below.
#[derive(Debug, Default)]
pub struct SteppedStorage {
    below: MemoryStorage,
    steps: Arc<Mutex<Steps>>,
}

#[derive(Debug, Default)]
struct Steps {
    queued: VecDeque<Queued>,
    /// A batch failed, and its room has not heard of it yet.
    failed: bool,
}

#[derive(Debug)]
struct Queued {
    batch: Batch,
    answer: oneshot::Sender<Result<Durable, StorageError>>,
    below: Arc<dyn RoomStorage>,
}

#[derive(Debug)]
struct SteppedRoom {
    below: Arc<dyn RoomStorage>,
    steps: Arc<Mutex<Steps>>,
}

impl SteppedStorage {
    /// How many batches wait.
    pub fn waiting(&self) -> usize {
        self.steps.lock().queued.len()
    }

    /// The oldest batch is durable.
    pub async fn succeed(&self) {
        let Queued { batch, answer, below } = self.steps.lock().queued.pop_front().expect("a batch");
        let durable = below.commit(batch, Durability::Strict).await;
        // Nobody may wait for it any more.
        let _ = answer.send(durable);
    }

    /// The oldest batch fails, and with it those that are queued behind it.
    pub fn fail(&self, kind: StorageErrorKind) {
        let mut steps = self.steps.lock();
        steps.failed = true;
        for (place, Queued { answer, .. }) in std::mem::take(&mut steps.queued).into_iter().enumerate() {
            let kind = if place == 0 { kind } else { StorageErrorKind::Follows };
            let _ = answer.send(Err(error(kind)));
        }
    }
}

fn error(kind: StorageErrorKind) -> StorageError {
    StorageError { kind, message: "the test says so".to_owned() }
}

impl Storage for SteppedStorage {
    fn open(&self, room: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>> {
        let room = room.clone();
        async move {
            let below = self.below.open(&room).await?;
            let room: Arc<dyn RoomStorage> = Arc::new(SteppedRoom { below, steps: Arc::clone(&self.steps) });
            Ok(room)
        }
        .boxed()
    }

    fn rooms(&self, tenant: &TenantName) -> usize {
        self.below.rooms(tenant)
    }

    fn stored(&self) -> BoxFuture<'_, Vec<(TenantName, Result<StoredTenant, StorageError>)>> {
        self.below.stored()
    }
}

impl RoomStorage for SteppedRoom {
    fn kept(&self) -> StoredRoom {
        self.below.kept()
    }

    fn get<'a>(
        &'a self,
        keys: &'a [&'a str],
        bytes_max: usize,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>> {
        self.below.get(keys, bytes_max)
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        bounds: PageBounds,
    ) -> BoxFuture<'a, Result<StoredPage, StorageError>> {
        self.below.scan(prefix, after, bounds)
    }

    fn commit(&self, batch: Batch, _: Durability) -> BoxFuture<'static, Result<Durable, StorageError>> {
        let (answer, answered) = oneshot::channel();
        let mut steps = self.steps.lock();
        if steps.failed {
            return async { Err(error(StorageErrorKind::Follows)) }.boxed();
        }
        steps.queued.push_back(Queued { batch, answer, below: Arc::clone(&self.below) });
        async { answered.await.unwrap_or_else(|_| Err(error(StorageErrorKind::Io))) }.boxed()
    }

    fn resume(&self) {
        self.steps.lock().failed = false;
    }
}
