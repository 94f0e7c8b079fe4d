//! A store whose batches are durable, or fail, when the test says so.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::model::names::{RoomKey, TenantName};
use crate::storage::{
    Batch, Durability, Durable, PageBounds, RoomStorage, Storage, StorageError, StorageErrorKind, StoredPage,
    StoredRoom, StoredTenant, UnixMs,
};

/// One room's storage, and the backend of that one room.
#[derive(Debug, Default)]
pub(super) struct SteppedRoom {
    steps: Mutex<StoreSteps>,
}

#[derive(Debug, Default)]
struct StoreSteps {
    queued: VecDeque<(Batch, oneshot::Sender<Result<Durable, StorageError>>)>,
    /// A batch failed, and the room has not heard of it yet.
    failed: bool,
    entries: BTreeMap<String, Vec<u8>>,
    alarm: Option<UnixMs>,
}

impl SteppedRoom {
    /// How many batches wait.
    pub(super) fn waiting(&self) -> usize {
        self.steps.lock().queued.len()
    }

    /// The oldest batch is durable.
    pub(super) fn succeed(&self) {
        let mut steps = self.steps.lock();
        let (batch, answer) = steps.queued.pop_front().unwrap();
        steps.alarm = batch.alarm.unwrap_or(steps.alarm);
        for (key, value) in batch.writes {
            match value {
                Some(value) => steps.entries.insert(key, value),
                None => steps.entries.remove(&key),
            };
        }
        answer.send(Ok(Durable)).unwrap();
    }

    /// The oldest batch fails, and with it those that are queued behind it.
    pub(super) fn fail(&self, kind: StorageErrorKind) {
        let mut steps = self.steps.lock();
        steps.failed = true;
        for (place, (_, answer)) in std::mem::take(&mut steps.queued).into_iter().enumerate() {
            // The room hears of the first failure, and asks for no more answers.
            let _ = answer.send(Err(error(if place == 0 { kind } else { StorageErrorKind::Follows })));
        }
    }

    /// The keys that are durable.
    pub(super) fn keys(&self) -> Vec<String> {
        self.steps.lock().entries.keys().cloned().collect()
    }
}

fn error(kind: StorageErrorKind) -> StorageError {
    StorageError { kind, message: "the test says so".to_owned() }
}

impl RoomStorage for SteppedRoom {
    fn kept(&self) -> StoredRoom {
        let StoreSteps { entries, alarm, .. } = &*self.steps.lock();
        let bytes = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        StoredRoom { bytes, alarm: *alarm, is_known: !entries.is_empty() || alarm.is_some() }
    }

    fn get<'a>(&'a self, keys: &'a [&'a str], _: usize) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>> {
        let steps = self.steps.lock();
        ready(Ok(keys.iter().map(|key| steps.entries.get(*key).cloned()).collect())).boxed()
    }

    fn scan<'a>(
        &'a self,
        _: &'a str,
        _: Option<&'a str>,
        _: PageBounds,
    ) -> BoxFuture<'a, Result<StoredPage, StorageError>> {
        let entries = self.steps.lock().entries.clone().into_iter().collect();
        ready(Ok(StoredPage { entries, is_last: true })).boxed()
    }

    fn commit(&self, batch: Batch, _: Durability) -> BoxFuture<'static, Result<Durable, StorageError>> {
        let (answer, answered) = oneshot::channel();
        let mut steps = self.steps.lock();
        assert!(!steps.failed, "nothing may be written over what failed");
        steps.queued.push_back((batch, answer));
        async { answered.await.unwrap() }.boxed()
    }

    fn resume(&self) {
        self.steps.lock().failed = false;
    }
}

impl Storage for SteppedRoom {
    fn open(&self, _: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>> {
        ready(Err(error(StorageErrorKind::InUse))).boxed()
    }

    fn stored(&self) -> BoxFuture<'_, Vec<(TenantName, Result<StoredTenant, StorageError>)>> {
        ready(Vec::new()).boxed()
    }

    fn rooms(&self, _: &TenantName) -> usize {
        usize::from(self.kept().is_known)
    }
}
