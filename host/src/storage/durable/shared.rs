//! What the storage shares with its rooms and threads, and how tenants share the threads: each has one turn at a time with
//! the writers and one with the readers, in the order that its weight gives it, pays for it, and waits for its next one while
//! it owes.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::disk::Disk;
use super::pool::Pool;
use super::queue::NextWriteTurn;
use super::tenant::{ReadJob, TenantStore};
use crate::clock::{Instant, thread_cpu_ns};
use crate::model::names::TenantName;
use crate::storage::Payers;
use crate::watchdog::Watchdog;

/// The names of the threads, for whoever watches them.
pub(super) const WRITING: &str = "storage-write";
pub(super) const READING: &str = "storage-read";
/// The longest wait of a tenant that owes CPU time, before each turn: calls that have begun go on, and only new ones wait
/// for all of the debt.
const DEBT_WAIT_MAX: Duration = Duration::from_millis(100);

/// What the storage shares with its rooms and threads.
#[derive(Debug)]
pub(super) struct StoreShared {
    pub(super) disk: Arc<dyn Disk>,
    /// The tenants that have a file or had a room open.
    pub(super) tenants: Mutex<HashMap<TenantName, Arc<TenantStore>>>,
    pub(super) writers: Pool<(Arc<TenantStore>, u64)>,
    pub(super) readers: Pool<ReaderTurn>,
    pub(super) idle: Duration,
    pub(super) payers: Arc<dyn Payers>,
    pub(super) watchdog: Arc<Watchdog>,
}

/// What a reader thread does for a tenant.
#[derive(Debug)]
pub(super) enum ReaderTurn {
    /// Runs the tenant's next read.
    Job(Arc<TenantStore>),
    /// Queues a look whether the file can be closed, since no room has been open for a while.
    Idle(Arc<TenantStore>),
}

impl StoreShared {
    pub(super) fn tenant(&self, name: &TenantName) -> Arc<TenantStore> {
        if let Some(tenant) = self.tenants.lock().get(name) {
            return Arc::clone(tenant);
        }
        let payer = self.payers.payer(name);
        let new = || Arc::new(TenantStore::new(name.clone(), Arc::clone(&self.disk), payer));
        Arc::clone(self.tenants.lock().entry(name.clone()).or_insert_with(new))
    }

    /// Schedules a tenant's next turn of a writer.
    pub(super) fn schedule(&self, tenant: &Arc<TenantStore>, due: Option<NextWriteTurn>) {
        let owes_until = owes_until(tenant);
        match (due, owes_until) {
            (Some(NextWriteTurn::Now(turn)), None) => self.writers.push(&tenant.writing, (Arc::clone(tenant), turn)),
            (Some(NextWriteTurn::Now(turn)), Some(when)) => {
                self.writers.push_later(&tenant.writing, when, (Arc::clone(tenant), turn));
            }
            (Some(NextWriteTurn::At(when, turn)), until) => {
                let when = until.map_or(when, |until| until.max(when));
                self.writers.push_later(&tenant.writing, when, (Arc::clone(tenant), turn));
            }
            (None, _) => {}
        }
    }

    pub(super) fn write(&self) {
        while let Some((tenant, turn)) = self.writers.next() {
            let begin = Instant::now();
            let done = self.on_behalf_of(&tenant, WRITING, || tenant.write_turn(turn));
            tenant.writing.count(begin.elapsed());
            let due = done.unwrap_or_else(|| tenant.writes.lock().end_after_panic());
            self.schedule(&tenant, due);
        }
    }

    pub(super) fn read(&self) {
        while let Some(turn) = self.readers.next() {
            match turn {
                ReaderTurn::Job(tenant) => {
                    if let Some(job) = tenant.reads.take() {
                        let begin = Instant::now();
                        self.on_behalf_of(&tenant, READING, || job(&tenant));
                        tenant.reading.count(begin.elapsed());
                    }
                    if tenant.reads.end_turn() {
                        self.schedule_read(tenant);
                    }
                }
                // As one of its reads: a tenant keeps no second reader waiting for its file.
                ReaderTurn::Idle(tenant) => self.ask(&tenant, Box::new(TenantStore::close_if_idle)),
            }
        }
    }

    /// Works for a tenant, which pays for it. `None` if the work panicked: that piece has failed and its file is opened
    /// again, and the thread goes on, so that no other tenant waits for a piece that was not its own.
    fn on_behalf_of<T>(&self, tenant: &TenantStore, thread: &'static str, work: impl FnOnce() -> T) -> Option<T> {
        let before = thread_cpu_ns();
        let done = catch_unwind(AssertUnwindSafe(work));
        tenant.payer.charge(Duration::from_nanos(thread_cpu_ns().saturating_sub(before)));
        if done.is_err() {
            tenant.slot.distrust();
            self.watchdog.caught(thread, &format!("in its work for the tenant {}", tenant.name));
        }
        done.ok()
    }

    fn schedule_read(&self, tenant: Arc<TenantStore>) {
        match owes_until(&tenant) {
            None => self.readers.push(&Arc::clone(&tenant).reading, ReaderTurn::Job(tenant)),
            Some(when) => self.readers.push_later(&Arc::clone(&tenant).reading, when, ReaderTurn::Job(tenant)),
        }
    }

    /// A room of the tenant closed.
    pub(super) fn leave(&self, tenant: &Arc<TenantStore>) {
        if tenant.leave() {
            let when = Instant::now() + self.idle;
            self.readers.push_later(&tenant.reading, when, ReaderTurn::Idle(Arc::clone(tenant)));
        }
    }

    /// Queues a job for the readers.
    pub(super) fn ask(&self, tenant: &Arc<TenantStore>, job: ReadJob) {
        if tenant.reads.add(job) {
            self.schedule_read(Arc::clone(tenant));
        }
    }
}

/// Until when a tenant that owes CPU time waits for its next turn.
fn owes_until(tenant: &TenantStore) -> Option<Instant> {
    let owes = tenant.payer.owes().min(DEBT_WAIT_MAX);
    (!owes.is_zero()).then(|| Instant::now() + owes)
}
