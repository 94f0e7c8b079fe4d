//! One room's part of its tenant's file.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, ready};
use redb::ReadTransaction;
use tokio::sync::oneshot;

use super::Shared;
use super::errors::Failure;
use super::layout;
use super::queue::{RoomState, Waiting};
use super::tenant::Tenant;
use crate::storage::{Batch, Durability, Durable, Entry, Kept, RoomStorage, StorageError};

#[derive(Debug)]
pub struct DurableRoom {
    shared: Arc<Shared>,
    tenant: Arc<Tenant>,
    state: Arc<RoomState>,
}

impl DurableRoom {
    pub(super) fn new(shared: Arc<Shared>, tenant: Arc<Tenant>, state: Arc<RoomState>) -> Self {
        tenant.enter();
        Self { shared, tenant, state }
    }

    /// Reads on a reader's thread; a tenant without a file has nothing to be read.
    fn read<T: Default + Send + 'static>(
        &self,
        work: impl FnOnce(&ReadTransaction, &RoomState) -> Result<T, Failure> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StorageError>> {
        let (sender, receiver) = oneshot::channel();
        let state = Arc::clone(&self.state);
        let job = move |tenant: &Tenant| {
            let read = tenant.read(|transaction| work(transaction, &state));
            // Whoever does not wait any more needs no answer.
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
    fn kept(&self) -> Kept {
        let row = *self.state.row.lock();
        Kept { bytes: row.bytes as usize, alarm: row.alarm, is_known: row.is_known() }
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
    ) -> BoxFuture<'a, Result<Vec<Entry>, StorageError>> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.read(move |transaction, room| layout::scan(transaction, &room.place, &prefix, after.as_deref(), limit))
    }

    fn commit(&self, batch: Batch, durability: Durability) -> BoxFuture<'static, Result<Durable, StorageError>> {
        let (answer, receiver) = oneshot::channel();
        let waiting = Waiting { room: Arc::clone(&self.state), batch, answer };
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
