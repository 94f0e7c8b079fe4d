//! What the storage shares with its rooms and threads.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::disk::Disk;
use super::pool::Pool;
use super::queue::NextWriteTurn;
use super::tenant::{ReadJob, TenantStore};
use crate::clock::Instant;
use crate::model::names::TenantName;

/// What the storage shares with its rooms and threads.
#[derive(Debug)]
pub(super) struct StoreShared {
    pub(super) disk: Arc<dyn Disk>,
    /// The tenants that have a file or had a room open.
    pub(super) tenants: Mutex<HashMap<TenantName, Arc<TenantStore>>>,
    pub(super) writers: Pool<(Arc<TenantStore>, u64)>,
    pub(super) readers: Pool<ReaderTurn>,
    pub(super) idle: Duration,
}

/// What a reader thread does for a tenant.
#[derive(Debug)]
pub(super) enum ReaderTurn {
    /// Runs the tenant's next read.
    Job(Arc<TenantStore>),
    /// Closes the file, if no room has been open for a while.
    Idle(Arc<TenantStore>),
}

impl StoreShared {
    pub(super) fn tenant(&self, name: &TenantName) -> Arc<TenantStore> {
        let mut tenants = self.tenants.lock();
        let new = || Arc::new(TenantStore::new(name.clone(), Arc::clone(&self.disk)));
        Arc::clone(tenants.entry(name.clone()).or_insert_with(new))
    }

    /// Schedules a tenant's next turn of a writer.
    pub(super) fn schedule(&self, tenant: &Arc<TenantStore>, due: Option<NextWriteTurn>) {
        match due {
            Some(NextWriteTurn::Now(turn)) => self.writers.push((Arc::clone(tenant), turn)),
            Some(NextWriteTurn::At(when, turn)) => self.writers.push_later(when, (Arc::clone(tenant), turn)),
            None => {}
        }
    }

    pub(super) fn write(&self) {
        while let Some((tenant, turn)) = self.writers.next() {
            let due = tenant.write_turn(turn);
            self.schedule(&tenant, due);
        }
    }

    pub(super) fn read(&self) {
        while let Some(turn) = self.readers.next() {
            match turn {
                ReaderTurn::Job(tenant) if tenant.read_turn() => self.readers.push(ReaderTurn::Job(tenant)),
                ReaderTurn::Job(_) => {}
                ReaderTurn::Idle(tenant) => tenant.close_if_idle(),
            }
        }
    }

    /// A room of the tenant closed.
    pub(super) fn leave(&self, tenant: &Arc<TenantStore>) {
        if tenant.leave() {
            self.readers.push_later(Instant::now() + self.idle, ReaderTurn::Idle(Arc::clone(tenant)));
        }
    }

    /// Queues a job for the readers.
    pub(super) fn ask(&self, tenant: &Arc<TenantStore>, job: ReadJob) {
        if tenant.add_read(job) {
            self.readers.push(ReaderTurn::Job(Arc::clone(tenant)));
        }
    }
}
