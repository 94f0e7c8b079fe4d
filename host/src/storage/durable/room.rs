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
use crate::storage::{Batch, Durability, Durable, PageBounds, RoomStorage, StorageError, StoredPage, StoredRoom};

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

    /// Runs a read on a reader thread; `None` if the tenant has no file.
    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction, &OpenRoom) -> Result<T, FileError> + Send + 'static,
    ) -> BoxFuture<'_, Result<Option<T>, StorageError>> {
        let (sender, receiver) = oneshot::channel();
        let state = Arc::clone(&self.state);
        let job = move |tenant: &TenantStore| {
            let read = match state.generation == tenant.slot.generation() {
                true => tenant.slot.read(|transaction| work(transaction, &state)),
                false => Err(tenant.slot.gone()),
            };
            // The room may not wait any more.
            let _ = sender.send(read);
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

    fn get<'a>(
        &'a self,
        keys: &'a [&'a str],
        bytes_max: usize,
    ) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StorageError>> {
        let wanted: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let read = self.read(move |transaction, room| layout::get(transaction, &room.place, &wanted, bytes_max));
        async move { Ok(read.await?.unwrap_or_else(|| vec![None; keys.len()])) }.boxed()
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        bounds: PageBounds,
    ) -> BoxFuture<'a, Result<StoredPage, StorageError>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        let read = self
            .read(move |transaction, room| layout::scan(transaction, &room.place, &prefix, after.as_deref(), bounds));
        let nothing = || StoredPage { entries: Vec::new(), is_last: true };
        async move { Ok(read.await?.unwrap_or_else(nothing)) }.boxed()
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
