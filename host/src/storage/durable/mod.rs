//! Storage on disk: one file for each tenant, which can be copied, moved and deleted while no process has it open.
//!
//! Each tenant has a queue of batches. A few writer threads serve the tenants in turn, by their weights: a writer commits all batches of
//! the queue in one transaction with one sync of the disk, so that many rooms share its cost. If the transaction fails,
//! the whole group has failed, also batches that would have succeeded alone. Reader threads read from the files, so
//! that no room's thread waits for a disk. They serve the tenants likewise, and a tenant pays for what either
//! kind of thread does for it.
//!
//! A commit that reports a failure may have reached the disk all the same. The store then opens the file again and
//! looks at a sequence number that each group writes; it answers nobody before it knows. Opening a file that was not
//! closed properly reads all of it, at about 1.5 s for each GB. That happens after a crash and after an error, for that
//! tenant alone.

mod disk;
mod errors;
#[cfg(test)]
mod fault_disk;
#[cfg(test)]
mod faults;
mod file;
mod gather;
pub mod inspect;
mod layout;
mod pool;
mod queue;
mod reads;
mod room;
mod shared;
#[cfg(test)]
mod sharing;
mod slot;
mod tenant;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{Payers, RoomStorage, Storage, StorageError, StorageErrorKind, StoredTenant};
use crate::model::names::{RoomKey, TenantName};
use crate::watchdog::Watchdog;
use disk::{Disk, TenantFolder};
use layout::RoomRowKey;
use pool::Pool;
use queue::QueuedOpening;
use room::DurableRoom;
use shared::{READING, StoreShared, WRITING};
use tenant::TenantStore;

/// The default number of writer threads: while one waits for the disk, others prepare the next groups.
pub const WRITERS: usize = 3;
/// The number of reader threads.
const READERS: usize = 2;
/// How long a file stays open after its tenant's last room closed. An open file takes a descriptor and some memory.
const IDLE: Duration = Duration::from_secs(10);

/// Storage in a folder of tenants' files.
#[derive(Debug)]
pub struct DurableStorage {
    shared: Arc<StoreShared>,
    threads: Vec<JoinHandle<()>>,
}

impl DurableStorage {
    /// Starts storage in a folder, which is created if it is missing, with this many writer threads.
    pub fn start(
        folder: &Path,
        writers: usize,
        payers: Arc<dyn Payers>,
        watchdog: Arc<Watchdog>,
    ) -> Result<Self, StorageError> {
        let disk = TenantFolder::create(folder).map_err(|why| errors::of_io(why, &folder.display()))?;
        Self::on(Arc::new(disk), writers, IDLE, payers, watchdog)
    }

    fn on(
        disk: Arc<dyn Disk>,
        writers: usize,
        idle: Duration,
        payers: Arc<dyn Payers>,
        watchdog: Arc<Watchdog>,
    ) -> Result<Self, StorageError> {
        let shared = StoreShared {
            disk,
            tenants: Mutex::default(),
            writers: Pool::default(),
            readers: Pool::default(),
            idle,
            payers,
            watchdog,
        };
        let mut storage = Self { shared: Arc::new(shared), threads: Vec::new() };
        for number in 0..writers.max(1) {
            storage.spawn(WRITING, format!("write-{number}"), StoreShared::write)?;
        }
        for number in 0..READERS {
            storage.spawn(READING, format!("read-{number}"), StoreShared::read)?;
        }
        Ok(storage)
    }

    fn spawn(&mut self, kind: &'static str, name: String, run: fn(&StoreShared)) -> Result<(), StorageError> {
        let shared = Arc::clone(&self.shared);
        let work = move || {
            run(&shared);
            ControlFlow::Break(())
        };
        let thread = self.shared.watchdog.keep_thread_alive(kind, name, work);
        let no_thread = |why| StorageError {
            kind: StorageErrorKind::Io,
            message: format!("cannot start a thread for storage: {why}"),
        };
        self.threads.push(thread.map_err(no_thread)?);
        Ok(())
    }
}

impl Drop for DurableStorage {
    /// Makes all queued batches durable and closes every file properly.
    fn drop(&mut self) {
        let tenants: Vec<Arc<TenantStore>> = self.shared.tenants.lock().values().cloned().collect();
        tenants.iter().for_each(|tenant| tenant.stop());
        self.shared.writers.close();
        self.shared.readers.close();
        for thread in self.threads.drain(..) {
            // It may be in the pause after a panic.
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("a thread of the storage panicked");
            }
        }
        for tenant in tenants {
            if let Err(why) = tenant.close() {
                tracing::warn!("{why}");
            }
        }
        tracing::debug!("storage is closed");
    }
}

impl Storage for DurableStorage {
    fn open(&self, room: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>> {
        let tenant = self.shared.tenant(&room.plugin.tenant);
        let (sender, receiver) = oneshot::channel();
        let due = tenant.writes.lock().add_opening(QueuedOpening { place: RoomRowKey::of(room), answer: sender });
        self.shared.schedule(&tenant, due);
        async move {
            let state = tenant.answer(receiver).await?;
            let room: Arc<dyn RoomStorage> = Arc::new(DurableRoom::new(Arc::clone(&self.shared), tenant, state));
            Ok(room)
        }
        .boxed()
    }

    fn stored(&self) -> BoxFuture<'_, Vec<(TenantName, Result<StoredTenant, StorageError>)>> {
        let names = self.shared.disk.tenants().unwrap_or_else(|why| {
            tracing::error!("cannot list the tenants' files: {why}");
            Vec::new()
        });
        // Ask for all before awaiting the first, so that the readers share the work.
        let ask = |name: TenantName| {
            let tenant = self.shared.tenant(&name);
            let (sender, receiver) = oneshot::channel();
            self.shared.ask(&tenant, Box::new(move |tenant| drop(sender.send(tenant.slot.stored()))));
            (tenant, receiver)
        };
        let asked: Vec<_> = names.into_iter().map(ask).collect();
        async move {
            let mut stored = Vec::new();
            for (tenant, receiver) in asked {
                stored.push((tenant.name.clone(), tenant.answer(receiver).await));
            }
            stored
        }
        .boxed()
    }

    fn rooms(&self, tenant: &TenantName) -> usize {
        self.shared.tenants.lock().get(tenant).map_or(0, |tenant| tenant.slot.rooms())
    }
}
