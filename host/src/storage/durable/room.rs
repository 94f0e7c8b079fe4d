//! The storage of one room within its tenant's file.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, ready};
use redb::ReadTransaction;
use tokio::sync::oneshot;

use super::errors::FileError;
use super::layout;
use super::queue::{OpenRoom, QueuedBatch};
use super::shared::StoreShared;
use super::tenant::TenantStore;
use crate::storage::{Batch, Durability, Durable, RoomStorage, StorageError, StoredEntry, StoredRoom};

#[derive(Debug)]
pub struct DurableRoom {
    shared: Arc<StoreShared>,
    tenant: Arc<TenantStore>,
    state: Arc<OpenRoom>,
}

impl DurableRoom {
    pub(super) fn new(shared: Arc<StoreShared>, tenant: Arc<TenantStore>, state: Arc<OpenRoom>) -> Self {
        tenant.enter();
        Self { shared, tenant, state }
    }

    /// Runs a read on a reader thread. A tenant without a file reads as empty.
    fn read<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction, &OpenRoom) -> Result<T, FileError> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StorageError>> {
        let (sender, receiver) = oneshot::channel();
        let state = Arc::clone(&self.state);
        let job = move |tenant: &TenantStore| {
            let read = tenant.read(|transaction| work(transaction, &state));
            // The room may not wait any more.
            let _ = sender.send(read.map(Option::unwrap_or_default));
        };
        self.shared.ask(&self.tenant, Box::new(job));
        self.tenant.answer(receiver).boxed()
    }
}

impl Drop for DurableRoom {
    fn drop(&mut self) {
        self.shared.leave(&self.tenant);
    }
}

impl RoomStorage for DurableRoom {
    fn kept(&self) -> StoredRoom {
        let row = *self.state.row.lock();
        StoredRoom { bytes: row.bytes as usize, alarm: row.alarm, is_known: row.is_known() }
    }

    fn get<'a>(&'a self, keys: &'a [&'a str]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>> {
        let wanted: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let read = self.read(move |transaction, room| layout::get(transaction, &room.place, &wanted));
        async move {
            let mut values = read.await?;
            values.resize(keys.len(), None);
            Ok(values)
        }
        .boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<StoredEntry>, StorageError>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.read(move |transaction, room| layout::scan(transaction, &room.place, &prefix, after.as_deref(), limit))
    }

    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'static, Result<Durable, StorageError>> {
        let (answer, receiver) = oneshot::channel();
        let waiting = QueuedBatch { room: Arc::clone(&self.state), batch, answer };
        let added = self.tenant.writes.lock().add(waiting, durability);
        match added {
            Ok(due) => self.shared.schedule(&self.tenant, due),
            Err(_) => return ready(Err(self.tenant.not_taken())).boxed(),
        }
        let tenant = Arc::clone(&self.tenant);
        async move { tenant.answer(receiver).await }.boxed()
    }

    fn resume(&self) {
        self.tenant.writes.lock().resume(&self.state);
    }
}
