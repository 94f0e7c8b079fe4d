//! Storage on disk: a file a tenant, which can be copied, moved and deleted by itself while nobody holds it.
//!
//! Batches wait in a queue a tenant. A few writer threads take tenants in turn; a turn makes all that waits durable in one
//! transaction with one sync of the disk, so that many rooms share its cost. A group whose transaction fails has failed as a
//! whole: each of its rooms hears it, also those whose own batch would have gone through. What was read comes from reader
//! threads, a tenant at a time as well, so that no thread of a room waits for a disk.
//!
//! A commit that fails may have reached the disk all the same. The file is then opened anew, and a number that each group
//! writes tells which it is; nobody is answered before that is known. To open a file that was not closed in order means to
//! read all of it, about a second and a half a GB: after a crash and after an error, for that tenant alone.

mod disk;
mod errors;
#[cfg(test)]
mod fault_disk;
#[cfg(test)]
mod faults;
mod file;
pub mod inspect;
mod layout;
mod pool;
mod queue;
mod room;
mod tenant;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{RoomStorage, Storage, StorageError, StorageErrorKind, Stored};
use crate::clock::Instant;
use crate::model::names::{RoomKey, TenantName};
use disk::{Disk, Folder};
use layout::RoomPlace;
use pool::Pool;
use queue::{Due, Opening};
use room::DurableRoom;
use tenant::{Job, Tenant};

/// Threads that write, where nobody says how many: one waits for the disk while others prepare the next groups.
pub const WRITERS: usize = 3;
/// Threads that read what is not in memory.
const READERS: usize = 2;
/// How long a file stays open behind its tenant's last room. Each one takes a descriptor and some memory.
const IDLE: Duration = Duration::from_secs(10);

/// Rooms' storage in a folder.
#[derive(Debug)]
pub struct DurableStorage {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the storage, its rooms and its threads share.
#[derive(Debug)]
struct Shared {
    disk: Arc<dyn Disk>,
    /// Those of whom a room was opened, or who have a file.
    tenants: Mutex<HashMap<TenantName, Arc<Tenant>>>,
    writers: Pool<(Arc<Tenant>, u64)>,
    readers: Pool<Reading>,
    idle: Duration,
}

/// A turn of a reader.
#[derive(Debug)]
enum Reading {
    /// Something is to be read.
    Job(Arc<Tenant>),
    /// Nobody has been there for a while.
    Idle(Arc<Tenant>),
}

impl DurableStorage {
    /// Keeps tenants' files in this folder, which is made where it is missing; so many threads write.
    pub fn start(folder: &Path, writers: usize) -> Result<Self, StorageError> {
        let disk = Folder::create(folder).map_err(|why| errors::of_io(why, &folder.display()))?;
        Self::on(Arc::new(disk), writers, IDLE)
    }

    fn on(disk: Arc<dyn Disk>, writers: usize, idle: Duration) -> Result<Self, StorageError> {
        let tenants = Mutex::default();
        let shared = Arc::new(Shared { disk, tenants, writers: Pool::default(), readers: Pool::default(), idle });
        let mut storage = Self { shared, threads: Vec::new() };
        for number in 0..writers.max(1) {
            storage.spawn(format!("write-{number}"), Shared::write)?;
        }
        for number in 0..READERS {
            storage.spawn(format!("read-{number}"), Shared::read)?;
        }
        Ok(storage)
    }

    fn spawn(&mut self, name: String, run: fn(&Shared)) -> Result<(), StorageError> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(name).spawn(move || run(&shared));
        let no_thread =
            |why| StorageError { kind: StorageErrorKind::Io, message: format!("no thread for storage: {why}") };
        self.threads.push(thread.map_err(no_thread)?);
        Ok(())
    }
}

impl Drop for DurableStorage {
    /// Makes durable what waits, and closes every file in order.
    fn drop(&mut self) {
        let tenants: Vec<Arc<Tenant>> = self.shared.tenants.lock().values().cloned().collect();
        tenants.iter().for_each(|tenant| tenant.stop());
        self.shared.writers.close();
        self.shared.readers.close();
        for thread in self.threads.drain(..) {
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

impl Shared {
    fn tenant(&self, name: &TenantName) -> Arc<Tenant> {
        let mut tenants = self.tenants.lock();
        let new = || Arc::new(Tenant::new(name.clone(), Arc::clone(&self.disk)));
        Arc::clone(tenants.entry(name.clone()).or_insert_with(new))
    }

    /// Gives a tenant its turn when it is due.
    fn schedule(&self, tenant: &Arc<Tenant>, due: Option<Due>) {
        match due {
            Some(Due::Now(turn)) => self.writers.push((Arc::clone(tenant), turn)),
            Some(Due::At(when, turn)) => self.writers.push_later(when, (Arc::clone(tenant), turn)),
            None => {}
        }
    }

    fn write(&self) {
        while let Some((tenant, turn)) = self.writers.next() {
            let due = tenant.write_turn(turn);
            self.schedule(&tenant, due);
        }
    }

    fn read(&self) {
        while let Some(turn) = self.readers.next() {
            match turn {
                Reading::Job(tenant) if tenant.read_turn() => self.readers.push(Reading::Job(tenant)),
                Reading::Job(_) => {}
                Reading::Idle(tenant) => tenant.close_if_idle(),
            }
        }
    }

    /// A room of the tenant is gone.
    fn leave(&self, tenant: &Arc<Tenant>) {
        if tenant.leave() {
            self.readers.push_later(Instant::now() + self.idle, Reading::Idle(Arc::clone(tenant)));
        }
    }

    /// Has a reader do something for a tenant.
    fn ask(&self, tenant: &Arc<Tenant>, job: Job) {
        if tenant.add_read(job) {
            self.readers.push(Reading::Job(Arc::clone(tenant)));
        }
    }
}

impl Storage for DurableStorage {
    fn open(&self, room: &RoomKey) -> BoxFuture<'_, Result<Arc<dyn RoomStorage>, StorageError>> {
        let tenant = self.shared.tenant(&room.plugin.tenant);
        let (sender, receiver) = oneshot::channel();
        let due = tenant.writes.lock().add_opening(Opening { place: RoomPlace::of(room), answer: sender });
        self.shared.schedule(&tenant, due);
        async move {
            let state = tenant.answer(receiver).await?;
            let room: Arc<dyn RoomStorage> = Arc::new(DurableRoom::new(Arc::clone(&self.shared), tenant, state));
            Ok(room)
        }
        .boxed()
    }

    fn stored(&self) -> BoxFuture<'_, Vec<(TenantName, Result<Stored, StorageError>)>> {
        let names = self.shared.disk.tenants().unwrap_or_else(|why| {
            tracing::error!("the tenants' files cannot be listed: {why}");
            Vec::new()
        });
        // All are asked before the first is waited for, so that the readers share them.
        let ask = |name: TenantName| {
            let tenant = self.shared.tenant(&name);
            let (sender, receiver) = oneshot::channel();
            self.shared.ask(&tenant, Box::new(move |tenant| drop(sender.send(tenant.stored()))));
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
        self.shared.tenants.lock().get(tenant).map_or(0, |tenant| tenant.rooms())
    }
}
